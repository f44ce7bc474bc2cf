"""Returns and ratios against hand-computed values and NumPy's own formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.reports.equity import EquityCurve
from headwater.reports.returns import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    equity_at_boundaries,
    interval_for,
    moments,
    returns,
)
from tests.oracle import report_twins
from tests.reports.curves import curve

DAYS_PER_YEAR = 365


def daily(levels: list[float], initial: float | None = None) -> EquityCurve:
    return curve(levels, levels[0] if initial is None else initial, step=DAY_NS)


def test_sharpe_and_volatility_are_annualised_with_365_days() -> None:
    levels = [100.0, 101.0, 99.0, 102.0, 103.0]
    found = returns(daily(levels), DAY_NS)
    changes = np.diff(levels) / levels[:-1]
    assert found.per_interval.tolist() == pytest.approx(changes.tolist())
    assert found.volatility == pytest.approx(changes.std(ddof=1) * math.sqrt(DAYS_PER_YEAR))
    assert found.sharpe == pytest.approx(changes.mean() / changes.std(ddof=1) * math.sqrt(DAYS_PER_YEAR))


def test_the_standard_error_of_sharpe_is_that_of_lo() -> None:
    found = returns(daily([100.0, 101.0, 99.0, 102.0, 103.0]), DAY_NS)
    per_interval = found.sharpe / math.sqrt(DAYS_PER_YEAR)
    expected = math.sqrt((1 + per_interval**2 / 2) / 4) * math.sqrt(DAYS_PER_YEAR)
    assert found.sharpe_standard_error == pytest.approx(expected)


def test_sortino_divides_by_the_downside_of_all_returns() -> None:
    found = returns(daily([100.0, 110.0, 99.0]), DAY_NS)  # +10 %, -10 %
    assert found.sortino == pytest.approx(0.0, abs=1e-12)
    found = returns(daily([100.0, 120.0, 108.0]), DAY_NS)  # +20 %, -10 %
    assert found.sortino == pytest.approx(0.05 / math.sqrt(0.01 / 2) * math.sqrt(DAYS_PER_YEAR))
    assert found.omega == pytest.approx(2.0)


def test_fewer_than_two_returns_give_no_ratio() -> None:
    found = returns(daily([100.0, 101.0]), DAY_NS)
    assert len(found.per_interval) == 1
    for value in (found.sharpe, found.sharpe_standard_error, found.volatility, found.sortino, found.omega):
        assert math.isnan(value)


def test_returns_without_variance_have_no_sharpe() -> None:
    assert math.isnan(returns(daily([100.0] * 40), DAY_NS).sharpe)
    growth = [100.0 * 1.01**day for day in range(40)]
    found = returns(daily(growth), DAY_NS)
    assert math.isnan(found.sharpe)
    assert math.isnan(found.sortino)


def test_a_yearly_rate_needs_thirty_days() -> None:
    assert math.isnan(returns(daily([100.0] * 29 + [110.0]), DAY_NS).cagr)
    found = returns(daily([100.0] * 365 + [110.0]), DAY_NS)
    assert found.cagr == pytest.approx(0.1)
    assert found.total == pytest.approx(0.1)


def test_a_ruined_account_has_a_total_return_but_no_yearly_rate() -> None:
    found = returns(daily([100.0] * 40 + [-5.0]), DAY_NS)
    assert found.total == pytest.approx(-1.05)
    assert math.isnan(found.cagr)
    assert found.of_money


def test_an_account_without_money_is_judged_by_changes_of_money() -> None:
    found = returns(daily([0.0, 1.0, 3.0, 2.0], initial=0.0), DAY_NS)
    assert found.of_money
    assert found.per_interval.tolist() == [1.0, 2.0, -1.0]
    assert math.isnan(found.total)
    assert math.isnan(found.volatility)
    expected = np.mean([1, 2, -1]) / np.std([1, 2, -1], ddof=1) * math.sqrt(DAYS_PER_YEAR)
    assert found.sharpe == pytest.approx(expected)


@pytest.mark.parametrize(
    ("span", "interval"),
    [
        (365 * DAY_NS, DAY_NS),
        (30 * DAY_NS, DAY_NS),
        (29 * DAY_NS, HOUR_NS),
        (2 * HOUR_NS, MINUTE_NS),
        (344 * SECOND_NS, SECOND_NS),
        (0, SECOND_NS),
    ],
)
def test_the_interval_is_the_longest_that_gives_thirty_returns(span: int, interval: int) -> None:
    assert interval_for(span) == interval


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="interval_ns: expected a positive number"):
        returns(daily([1.0, 2.0]), 0)


def test_fragments_at_both_ends_are_left_out() -> None:
    base = curve([1.0, 2.0, 3.0, 4.0], 1.0, step=40)
    shifted = replace(base, ts=base.ts + 50)  # 50, 90, 130, 170
    assert equity_at_boundaries(shifted, 100).tolist() == [2.0]
    assert equity_at_boundaries(shifted, 30).tolist() == [1.0, 2.0, 2.0, 3.0]
    assert equity_at_boundaries(curve([], 1.0), 30).tolist() == []


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 200))
def test_levels_at_boundaries_agree_with_their_slow_twin(gaps: list[int], interval: int) -> None:
    ts = 7 + np.cumsum(gaps, dtype=np.int64)
    ts = np.unique(ts)
    base = replace(curve([float(row) for row in range(len(ts))], 0.0), ts=ts)
    points = [(int(when), float(level)) for when, level in zip(ts, base.equity, strict=True)]
    boundaries = [at for at in range(0, int(ts[-1]) + 1, interval) if at >= ts[0]]
    expected = [report_twins.level_at(points, boundary) for boundary in boundaries]
    assert equity_at_boundaries(base, interval).tolist() == expected


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50))
def test_moments_agree_with_numpy(values: list[float]) -> None:
    array, out = np.array(values), np.empty(5)
    moments(array, out)
    expected = (
        array.mean(),
        ((array - array.mean()) ** 2).sum(),
        (array[array < 0] ** 2).sum(),
        array[array > 0].sum(),
        -array[array < 0].sum(),
    )
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9)
