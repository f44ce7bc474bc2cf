"""The engine: the trader's side of everything, the same in back-test, paper and live.

Every fact comes in through one door, :func:`learn`, in the order in which the trader came to know it, and nothing else
changes what the trader believes::

    venue bytes -> codec -> events -> tape -> learn
        market event -> local_step (local.py): books, last trades, bars, marks      ) -> wake?
        report       -> apply_report (reports.py): orders, positions, cash          )
                                                                                       | subscribed
        view.py: copies of what the strategy reads  -> strategy -> intents             v
        intents.py: impossible ones end the run, others become requests -> venue
    back-test: backtest/loop.py lets a simulated venue (simulation/exchange.py) live beside it on the same tape

The functions here are kernels over one set of flat arrays (simulation/state.py): a step is a call, a snapshot a copy of
memory, and the same events give the same state, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import EventFlag
from headwater.engine.local import local_step
from headwater.engine.reports import apply_report
from headwater.engine.view import show_market
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.rings import ring_first_ts
from headwater.simulation.state import FAR_FUTURE, Sim

_AT_LOCAL = int(EventFlag.AT_LOCAL)
_LOG_MARGIN = 8_192
"""Rows kept free in every log: twice what the largest outbox can write at one wake."""
NO_ROOM = -1
"""What :func:`learn` answers when a log has to be emptied first."""


@kernel
def learn(sim: Sim, local: Any, until: Int, view: Any) -> Int:
    """Let the trader learn of data and reports up to `until`, stopping at the first subscribed wake; its bits, or 0."""
    clock = sim.clock[0]
    mask = clock["wake_mask"]
    rows = len(local)
    while True:
        report_ts = ring_first_ts(sim.reports, clock["report_head"], clock["report_tail"])
        stop = min(until, report_ts)
        row = clock["local_row"]
        start = row
        wake = np.int64(0)
        while row < rows and local[row]["ts_local"] <= stop:
            event = local[row]
            row += 1
            if (event["flags"] & _AT_LOCAL) != 0:
                wake = local_step(sim, event) & mask
                if wake != 0:
                    clock["now"] = event["ts_local"]
                    clock["wake_instrument"] = event["instrument"]
                    break
        clock["local_row"] = row
        clock["local_events"] += row - start
        if wake != 0:
            return wake
        if report_ts > until:
            return np.int64(0)
        if logs_full(sim):
            return NO_ROOM
        wake = hear(sim, view) & mask
        if wake != 0:
            return wake


@kernel
def hear(sim: Sim, view: Any) -> Int:
    """Take in the first report on its way; WakeKind bits."""
    clock = sim.clock[0]
    report = sim.reports[clock["report_head"] & (len(sim.reports) - 1)]
    clock["report_head"] += 1
    clock["now"] = report["ts"]
    clock["wake_instrument"] = report["instrument"]
    return apply_report(sim, report, view)


@kernel
def next_local_ts(clock: Any, local: Any) -> Int:
    """When the trader learns of its next market event, ``FAR_FUTURE`` at the end of the tape."""
    row = clock["local_row"]
    while row < len(local) and (local[row]["flags"] & _AT_LOCAL) == 0:
        row += 1
    clock["local_row"] = row
    return local[row]["ts_local"] if row < len(local) else np.int64(FAR_FUTURE)


@kernel
def announce(sim: Sim, wake: Int, view: Any) -> None:
    """Note why the strategy is woken now, and show it the market."""
    clock = sim.clock[0]
    clock["wake"] = wake
    clock["wakes"] += 1
    view["wake"] = wake
    show_market(sim, clock["wake_instrument"], view)


@kernel
def logs_full(sim: Sim) -> Bool:
    """Whether a log might not hold what the next step writes."""
    clock = sim.clock[0]
    return (
        clock["fill_count"] + _LOG_MARGIN > len(sim.fills)
        or clock["log_count"] + _LOG_MARGIN > len(sim.order_log)
        or clock["sample_count"] + len(sim.instruments) > len(sim.samples)
        or clock["latency_count"] + _LOG_MARGIN > len(sim.latencies)
    )
