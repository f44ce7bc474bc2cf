"""Order latency: each model against plain Python, and that nothing overtakes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.kinds import LatencyModel
from headwater.simulation.latency import report_arrival, request_arrival
from headwater.simulation.state import I64, VENUE_DTYPE
from tests.oracle.latency import Bursts, SplitMix, row_in_force

# With the compiler off, NumPy warns of the wrapping products that the random numbers are made of.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

START = 1_700_000_000_000_000_000
NO_TABLE = np.zeros(0, np.int64)

instants = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)


def venue(model: LatencyModel, **fields: float) -> Any:
    row = np.zeros(1, VENUE_DTYPE)[0]
    row["latency_model"] = model
    for name, value in fields.items():
        row[name] = value
    return row


def ask(row: Any, tables: I64, ts: int, is_entry: bool) -> int:
    return int(request_arrival(row, tables, ts) if is_entry else report_arrival(row, tables, ts))


@given(steps=instants)
def test_a_constant_latency_is_added(steps: list[int]) -> None:
    row = venue(LatencyModel.CONSTANT, entry_ns=700, response_ns=300)
    ts = START
    for step in steps:
        ts += step
        assert ask(row, NO_TABLE, ts, True) == ts + 700
        assert ask(row, NO_TABLE, ts, False) == ts + 300


@given(
    steps=st.lists(st.tuples(st.integers(-(10**8), 10**9), st.booleans()), max_size=30),
    seed=st.integers(0, 2**64 - 1),
    memory_ns=st.sampled_from([0.0, 1e6, 1e9]),
)
def test_bursts_follow_the_same_random_numbers_in_plain_python(
    steps: list[tuple[int, bool]], seed: int, memory_ns: float
) -> None:
    row = venue(LatencyModel.LOG_NORMAL, log_mean=14.0, log_sigma=0.8, memory_ns=memory_ns)
    row["random"] = np.uint64(seed)
    twin = Bursts(SplitMix(seed), memory_ns)
    ts, last = START, {True: 0, False: 0}
    for step, is_entry in steps:
        ts += step
        expected = max(ts + int(math.exp(14.0 + 0.8 * twin.at(ts))), last[is_entry])
        last[is_entry] = ask(row, NO_TABLE, ts, is_entry)
        assert last[is_entry] == pytest.approx(expected, abs=2 + 1e-9 * abs(expected - ts), rel=0)


@given(
    steps=st.lists(st.integers(-(10**9), 2 * 10**9), min_size=1, max_size=30),
    rows=st.lists(
        st.tuples(st.integers(0, 10**10), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1
    ),
)
def test_a_measured_latency_is_the_last_one_known(steps: list[int], rows: list[tuple[int, int, int]]) -> None:
    series = sorted((START + ts, entry, response) for ts, entry, response in rows)
    tables = np.array([-1, *(cell for row in series for cell in row)], np.int64)
    row = venue(LatencyModel.MEASURED, series_at=1, series_rows=len(series))
    ts, last = START - 10, {True: 0, False: 0}
    for step in steps:
        ts += step
        for is_entry, column in ((True, 1), (False, 2)):
            last[is_entry] = max(ts + row_in_force(series, ts)[column], last[is_entry])
            assert ask(row, tables, ts, is_entry) == last[is_entry]


@given(steps=instants, seed=st.integers(0, 2**64 - 1))
def test_a_later_message_never_overtakes(steps: list[int], seed: int) -> None:
    row = venue(LatencyModel.LOG_NORMAL, log_mean=17.0, log_sigma=2.0, memory_ns=1e6)
    row["random"] = np.uint64(seed)
    sent = np.cumsum(steps) + START
    for is_entry in (True, False):
        arrivals = [ask(row, NO_TABLE, int(ts), is_entry) for ts in sent]
        assert all(before <= after for before, after in pairwise(arrivals))


def test_an_earlier_instant_does_not_turn_the_clock_of_bursts_back() -> None:
    row = venue(LatencyModel.LOG_NORMAL, log_mean=14.0, log_sigma=1.0, memory_ns=1e9)
    for ts in (START, START - 10**8):
        ask(row, NO_TABLE, ts, True)
    assert row["burst_ts"] == START
