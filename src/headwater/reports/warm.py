"""Compile the kernels of reports by computing the statistics of the smallest possible run."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from headwater.backtest.result import LATENCY_DTYPE, SAMPLE_DTYPE, BacktestResult, ResultInstrument
from headwater.domain.order import FILL_DTYPE, ORDER_LOG_DTYPE, OrderLogEvent
from headwater.reports.downsample import extremes
from headwater.reports.returns import SECOND_NS
from headwater.reports.statistics import statistics
from headwater.tape.replay import ReplayInstrument


def warm_reports() -> None:
    """Call every kernel of this room once with the types of a real run."""
    result = _smallest_run()
    statistics(result, interval_ns=SECOND_NS)
    extremes(np.arange(5), np.arange(5.0), buckets=1)


def _smallest_run() -> BacktestResult:
    replay = ReplayInstrument(id="WARM-UP", tick_size=Decimal(1), lot_size=Decimal(1))
    instrument = ResultInstrument(
        replay=replay, kind="linear", multiplier="1", base="A", quote="B", settle="B", money_scale=1
    )
    samples = np.zeros(4, SAMPLE_DTYPE)
    samples["ts"] = SECOND_NS * np.arange(1, 5)
    samples["bid"] = samples["ask"] = 1
    fills = np.zeros(1, FILL_DTYPE)
    fills["ts_local"], fills["price"], fills["size"], fills["side"], fills["cash"] = SECOND_NS, 1, 1, 1, -1
    orders = np.zeros(1, ORDER_LOG_DTYPE)
    orders["event"] = OrderLogEvent.SUBMIT
    return BacktestResult(
        instruments=(instrument,),
        fills=fills,
        orders=orders,
        samples=samples,
        latencies=np.zeros(1, LATENCY_DTYPE),
        initial_cash={"B": "1"},
        manifest={},
    )
