"""Floats that were decimals come back as exactly those decimals, and times as exactly those times."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ImportRefusedError
from headwater.storage.importers._clock import counts_to_ns, show, show_span, text_ns
from headwater.storage.importers._decimal import Decimals, decimals, on_grid, scaled
from headwater.storage.importers._grid import rule_spans
from headwater.storage.importers._table import numbered

UNITS = st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=40)


@given(units=UNITS, places=st.integers(0, 12))
def test_decimals_of_up_to_14_digits_are_recovered_exactly(units: list[int], places: int) -> None:
    written = [Decimal(unit).scaleb(-places) for unit in units]
    found = decimals(np.array([float(number) for number in written]))
    assert found.rounded == 0
    assert found.places <= places
    assert [Decimal(int(unit)) * found.step for unit in found.units] == written


@given(units=st.lists(st.integers(0, 10**9), min_size=1, max_size=40), places=st.integers(0, 8))
def test_the_fewest_places_are_found(units: list[int], places: int) -> None:
    found = decimals(np.array([unit / 10**places for unit in units]))
    assert found.places == 0 or any(int(unit) % 10 for unit in found.units)


def test_float_noise_is_rounded_and_counted() -> None:
    found = decimals(np.array([0.1 + 0.2, 0.5]))
    assert (found.units.tolist(), found.places, found.rounded) == ([3, 5], 1, 1)


def test_more_digits_than_fit_are_rounded_and_counted() -> None:
    found = decimals(np.array([1 / 3, 1e6]))
    assert (found.units.tolist(), found.places, found.rounded) == ([333_333_333_333, 10**18], 12, 1)


def test_large_numbers_take_fewer_places() -> None:
    found = decimals(np.array([4e15 + 1, 0.25]))
    assert found.units.tolist() == [4_000_000_000_000_001 * 100, 25]
    assert decimals(np.array([4e17, 0.125])).rounded == 1


@given(
    counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
    step=st.sampled_from(["5", "0.5", "0.25", "0.00000001", "10", "2.5", "0.1", "1"]),
)
def test_numbers_on_a_grid_are_counted(counts: list[int], step: str) -> None:
    values = [Decimal(count) * Decimal(step) for count in counts]
    found, off = on_grid(decimals(np.array([float(value) for value in values])), Decimal(step))
    assert not off.any()
    assert found.tolist() == counts


def test_numbers_off_a_grid_are_told() -> None:
    counts, off = on_grid(decimals(np.array([1.0, 1.3, 1.5])), Decimal("0.5"))
    assert (counts.tolist(), off.tolist()) == ([2, 2, 3], [False, True, False])
    assert on_grid(decimals(np.array([1.0, 0.0])), Decimal("1e30"))[1].tolist() == [True, False]


def test_a_grid_too_fine_for_an_int64_overflows_by_name() -> None:
    with pytest.raises(OverflowError, match="do not fit an int64"):
        on_grid(Decimals(units=np.array([10**15]), places=0, rounded=0), Decimal("0.00000001"))
    with pytest.raises(ValueError, match="positive and finite"):
        on_grid(Decimals(units=np.array([1]), places=0, rounded=0), Decimal(0))


@given(units=st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=20), places=st.integers(0, 8))
def test_scaling_is_exact_where_it_can_be(units: list[int], places: int) -> None:
    found, rounded = scaled(np.array([unit / 10**places for unit in units]), 10**8)
    assert rounded == 0
    assert found.tolist() == [unit * 10 ** (8 - places) for unit in units]


def test_scaling_rounds_to_nearest_and_refuses_what_does_not_fit() -> None:
    found, rounded = scaled(np.array([1e-9, 6e-9, -6e-9, 1.0]), 10**8)
    assert (found.tolist(), rounded) == ([0, 1, -1, 10**8], 3)
    with pytest.raises(OverflowError, match="the most that a scale of 100000000 holds"):
        scaled(np.array([1e12]), 10**8)


@given(ns=st.integers(1_230_768_000, 4_102_444_800))
def test_the_unit_of_a_count_is_judged_by_its_size(ns: int) -> None:
    counts = np.array([ns, ns * 10**3, ns * 10**6, ns * 10**9])
    assert set(counts_to_ns(counts).tolist()) == {ns * 10**9}


def test_a_time_that_cannot_be_read_is_refused_by_row() -> None:
    frame = numbered(pl.DataFrame({"t": ["2024-01-01", "2024-13-01"]}))
    with pytest.raises(ImportRefusedError, match="f: row 2, field 't': expected a time like %Y-%m-%d %H"):
        text_ns(Path("f"), frame, "t", "%Y-%m-%d %H:%M:%S", suffix=" 00:00:00")


def test_times_and_spans_are_shown_as_people_write_them() -> None:
    assert show(1_704_067_200 * 10**9) == "2024-01-01 00:00"
    assert show(1_704_067_201 * 10**9) == "2024-01-01 00:00:01"
    assert show(1_704_067_201_005 * 10**6) == "2024-01-01 00:00:01.005"
    spans = [300 * 10**9, 8 * 3600 * 10**9, 86_400 * 10**9, 37 * 10**9, 17 * 10**6, 1_500 * 10**6, 5]
    assert [show_span(span) for span in spans] == ["5 min", "8 h", "1 d", "37 s", "17 ms", "1500 ms", "5 ns"]


@given(changes=st.lists(st.integers(1, 399), max_size=3, unique=True))
def test_rule_changes_weeks_apart_are_found_to_the_record(changes: list[int]) -> None:
    day = 86_400 * 10**9
    ts = np.arange(400, dtype=np.int64) * day * 8
    edges = sorted(changes)

    def grid(instrument: str, ts: int) -> tuple[Decimal, Decimal, str]:  # noqa: ARG001
        return Decimal(1 + sum(ts >= edge * day * 8 for edge in edges)), Decimal(1), "book"

    spans = list(rule_spans(grid, "A.B", ts))
    assert [(span.start, span.stop) for span, _ in spans] == list(
        zip([0, *edges], [*edges, 400], strict=True)
    )
