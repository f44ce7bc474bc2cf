"""Orders, latency, months and thinning: by hand and against slow twins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.result import LATENCY_DTYPE
from headwater.domain.order import ORDER_LOG_DTYPE, OrderLogEvent, OrderStatus, Reason
from headwater.reports.downsample import extremes, pick_extremes
from headwater.reports.latency import latency_statistics, percentiles
from headwater.reports.monthly import months
from headwater.reports.order_flow import OrderFlow, order_flow
from headwater.reports.returns import DAY_NS
from tests.oracle import report_twins
from tests.reports.curves import curve
from tests.reports.random_runs import order_logs
from tests.reports.synthetic_run import SECOND, START_TS, log_row

SUBMIT, CANCEL, REPORT = OrderLogEvent.SUBMIT, OrderLogEvent.CANCEL, OrderLogEvent.REPORT


def flow_of(*rows: Any, limit: int | None = None) -> OrderFlow:
    return order_flow(np.array(list(rows), ORDER_LOG_DTYPE), limit)


def test_orders_are_counted_by_what_became_of_them() -> None:
    flow = flow_of(
        log_row(1, 0, SUBMIT),
        log_row(2, 0, REPORT, status=OrderStatus.NEW, queue=3.0),
        log_row(5, 0, REPORT, status=OrderStatus.PARTIALLY_FILLED, filled=4),
        log_row(9, 0, REPORT, status=OrderStatus.FILLED, filled=10, queue=0.0),
        log_row(10, 1, SUBMIT),
        log_row(11, 1, REPORT, status=OrderStatus.REJECTED, reason=Reason.POST_ONLY_WOULD_TAKE),
        log_row(12, 2, SUBMIT),
        log_row(13, 2, REPORT, status=OrderStatus.NEW, queue=5.0),
        log_row(14, 2, CANCEL),
        log_row(15, 2, REPORT, status=OrderStatus.CANCELED, reason=Reason.BY_USER),
    )
    assert (flow.orders, flow.with_fill, flow.filled, flow.cancels) == (3, 1, 1, 1)
    assert flow.fill_ratio == pytest.approx(1 / 3)
    assert flow.refusals == {"post only would take": 1}
    assert flow.endings == {"by user": 1}
    assert flow.queue_ahead.tolist() == [3.0, 5.0]
    assert flow.queue_filled.tolist() == [1.0, 0.0]
    assert flow.wait_ns.tolist() == [3.0]


def test_the_rate_counts_the_second_that_ends_with_the_request() -> None:
    times = [0, 1, SECOND - 1, SECOND, SECOND + 1]
    flow = flow_of(*(log_row(START_TS + ts, row, SUBMIT) for row, ts in enumerate(times)), limit=10)
    assert flow.rate.tolist() == [1, 2, 3, 3, 3]
    assert (flow.rate_max, flow.rate_limit_per_s) == (3, 10)


def test_a_report_without_an_order_counts_only_as_a_report() -> None:
    flow = flow_of(log_row(1, -1, REPORT, reason=Reason.RATE_LIMIT, filled=3))
    assert (flow.reports, flow.orders, flow.refused) == (1, 0, 1)


def test_an_order_that_took_at_once_never_rested() -> None:
    taken = log_row(2, 0, REPORT, status=OrderStatus.FILLED, filled=10, queue=0.0)
    assert len(flow_of(log_row(1, 0, SUBMIT), taken).queue_ahead) == 0


def test_an_empty_log_has_no_ratio() -> None:
    flow = flow_of()
    assert flow.rate_max == 0
    assert flow.refused == 0
    assert math.isnan(flow.fill_ratio)


@given(order_logs())
def test_the_trailing_rate_agrees_with_its_slow_twin(rows: list[Any]) -> None:
    flow = flow_of(*rows)
    times = report_twins.request_times(np.array(rows, ORDER_LOG_DTYPE))
    assert flow.rate_ts.tolist() == times
    assert flow.rate.tolist() == report_twins.trailing_rate(times, SECOND)


@given(order_logs())
def test_counts_agree_with_their_slow_twin(rows: list[Any]) -> None:
    flow = flow_of(*rows)
    log = np.array(rows, ORDER_LOG_DTYPE)
    reports = log[log["event"] == REPORT]
    assert flow.submits == int((log["event"] == SUBMIT).sum())
    assert flow.orders == len(set(log["order"][log["event"] == SUBMIT].tolist()))
    counted = sum(flow.refusals.values()) + sum(flow.endings.values())
    assert counted == int((reports["reason"] != Reason.NONE).sum())
    rested = [row for row in range(7) if not np.isnan(reports["queue_ahead"][reports["order"] == row]).all()]
    first = [next(q for q in reports["queue_ahead"][reports["order"] == row] if q == q) for row in rested]
    assert flow.queue_ahead.tolist() == first
    submitted = set(log["order"][log["event"] == SUBMIT].tolist())
    with_fill = {int(row["order"]) for row in reports if row["filled"] > 0}
    assert flow.with_fill == len(submitted & with_fill)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles(np.arange(1.0, 11.0), (50.0, 90.0, 99.0, 100.0)) == (5.0, 9.0, 10.0, 10.0)
    assert all(math.isnan(value) for value in percentiles(np.empty(0)))


def test_latency_of_a_round_trip_is_the_sum_of_both_ways() -> None:
    rows = np.array([(0, 10, 5), (1, 20, 1)], LATENCY_DTYPE)
    found = latency_statistics(rows)
    assert found.count == 2
    assert found.round_trip_ns[-1] == 21
    assert found.entry_ns[0] == 10


def test_months_are_cut_in_utc_and_fragments_are_marked() -> None:
    days = curve([100.0 + day for day in range(60)], 100.0, step=DAY_NS)  # 1970-01-01 to 1970-03-01
    january, february, march = months(days)
    assert (january.year, january.month, january.whole) == (1970, 1, True)
    assert january.profit == 30
    assert february.profit == 28
    assert february.ratio == pytest.approx(28 / 130)
    assert (march.profit, march.whole) == (1, False)
    assert sum(month.profit for month in (january, february, march)) == 59
    assert months(curve([], 1.0)) == []


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([math.nan, -2.0, 0.0, 1.0, 5.0])), min_size=1),
    st.integers(1, 9),
)
def test_thinning_keeps_the_extremes_of_its_slow_twin(points: list[tuple[int, float]], buckets: int) -> None:
    ts = np.cumsum([gap for gap, _ in points], dtype=np.int64)
    values = np.array([value for _, value in points])
    rows = np.empty(2 * buckets + 2, np.int64)
    count = pick_extremes(ts, values, buckets, rows)
    assert rows[:count].tolist() == report_twins.extremes(ts.tolist(), values.tolist(), buckets)


def test_a_short_series_is_not_thinned() -> None:
    assert extremes(np.arange(10), np.arange(10.0), 4).tolist() == list(range(10))
    assert len(extremes(np.arange(1000), np.sin(np.arange(1000.0)), 4)) <= 10
