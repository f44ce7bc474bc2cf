"""Drawdown of hand-made curves, and the scan against its slow twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.reports.drawdown import drawdown, under_water
from tests.oracle import report_twins
from tests.reports.curves import curve


def test_the_deepest_fall_is_measured_from_its_own_peak() -> None:
    found = drawdown(curve([100, 120, 90, 130, 110], 100))
    assert found.money == 30
    assert found.share == pytest.approx(0.25)
    assert found.duration_ns == 20
    assert not found.recovered


def test_money_lost_before_the_first_sample_counts() -> None:
    found = drawdown(curve([90, 95, 100], 100))
    assert (found.money, found.recovered) == (10, True)
    assert found.share == pytest.approx(0.1)
    assert found.duration_ns == 20


def test_without_a_positive_peak_there_is_no_share() -> None:
    found = drawdown(curve([0, -5, -3], 0))
    assert found.money == 5
    assert math.isnan(found.share)


def test_an_empty_curve_has_no_drawdown() -> None:
    assert drawdown(curve([], 100)).money == 0
    assert len(under_water(np.empty(0), 100)) == 0


def test_under_water_is_the_distance_to_the_running_peak() -> None:
    assert under_water(np.array([90.0, 120.0, 110.0]), 100).tolist() == [-10, 0, -10]


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.integers(-20, 60))
def test_the_scan_agrees_with_its_slow_twin(levels: list[int], initial: int) -> None:
    found = drawdown(curve([float(level) for level in levels], float(initial)))
    points = [(10 * row, float(level)) for row, level in enumerate(levels)]
    money, share, longest, at_peak = report_twins.drawdown(points, float(initial))
    assert (found.money, found.duration_ns, found.recovered) == (money, longest, at_peak)
    assert found.share == pytest.approx(share, nan_ok=True)
