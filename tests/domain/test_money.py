"""Money in integers: the scale makes every fill exact, and the bound is proven."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ConfigurationError
from headwater.domain.fees import RATE_E8, fee_units, to_rate_e8
from headwater.domain.grid import INT64_MAX
from headwater.domain.money import (
    ContractGrid,
    check_money_bound,
    inverse_value,
    linear_value,
    money_scale,
    unit_value,
)
from headwater.kernels.kernel import kernel

steps = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.sampled_from([1, 2, 5, 25, 125]),
    st.integers(-8, 1),
)
grids = st.builds(
    ContractGrid,
    tick_size=steps,
    lot_size=steps,
    multiplier=st.sampled_from([Decimal(1), Decimal("0.01"), Decimal(100)]),
    is_inverse=st.booleans(),
)

compiled_fee_units = kernel(fee_units)
compiled_inverse_value = kernel(inverse_value)
compiled_linear_value = kernel(linear_value)


def exact_round(value: Fraction) -> int:
    steps = (2 * abs(value) + 1) // 2
    return int(-steps if value < 0 else steps)


@given(st.lists(grids, min_size=1, max_size=4))
def test_the_scale_is_the_smallest_power_of_ten_that_is_exact(many: list[ContractGrid]) -> None:
    try:
        scale = money_scale(*many)
    except ConfigurationError:
        assert any((grid.unit() * 10**18).denominator != 1 for grid in many)
        return
    assert all(unit_value(grid, scale) == grid.unit() * scale for grid in many)
    if scale > 10**8:
        with pytest.raises(ValueError, match="take it from money_scale"):
            [unit_value(grid, scale // 10) for grid in many]


@pytest.mark.parametrize(
    ("tick", "lot", "scale"),
    [
        ("0.1", "0.001", 10**8),
        ("0.000001", "0.001", 10**9),
        ("0.01", "0.00000001", 10**10),
        ("0.00000001", "0.00000001", 10**16),
    ],
)
def test_scales_of_real_grids(tick: str, lot: str, scale: int) -> None:
    assert money_scale(ContractGrid(tick_size=Decimal(tick), lot_size=Decimal(lot))) == scale


def test_an_inverse_tick_that_never_divides_is_refused() -> None:
    grid = ContractGrid(tick_size=Decimal("0.3"), lot_size=Decimal(1), is_inverse=True)
    with pytest.raises(ConfigurationError, match=r"no money scale .*tick 0.3, lot 1, .*inverse"):
        money_scale(grid)


@given(
    st.integers(1, 10**12),
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**8),
    st.sampled_from([1, 10, 10**6]),
)
def test_an_inverse_value_rounds_half_away_from_zero(ticks: int, lots: int, unit: int, factor: int) -> None:
    expected = exact_round(Fraction(lots * unit * factor, ticks))
    assert inverse_value(ticks, lots, unit * factor) == expected
    if abs(lots * unit * factor) <= INT64_MAX:
        assert compiled_inverse_value(ticks, lots, unit * factor) == expected


@given(st.integers(1, 2 * 10**6), st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_linear_value_is_a_product(ticks: int, lots: int, unit: int) -> None:
    assert linear_value(ticks, lots, unit) == compiled_linear_value(ticks, lots, unit) == ticks * lots * unit


@given(st.integers(1, INT64_MAX), st.integers(1, INT64_MAX))
def test_what_passes_the_bound_fits_into_64_bits(ticks_max: int, lots_max: int) -> None:
    grid = ContractGrid(tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))
    scale = money_scale(grid)
    fits = ticks_max * lots_max * unit_value(grid, scale) <= INT64_MAX
    if fits:
        check_money_bound(grid, scale, ticks_max=ticks_max, lots_max=lots_max)
    else:
        with pytest.raises(ConfigurationError, match="limit the position or use a coarser lot size"):
            check_money_bound(grid, scale, ticks_max=ticks_max, lots_max=lots_max)


def test_the_bound_of_an_inverse_contract_does_not_grow_with_the_price() -> None:
    grid = ContractGrid(
        tick_size=Decimal("0.5"), lot_size=Decimal(1), multiplier=Decimal(100), is_inverse=True
    )
    check_money_bound(grid, money_scale(grid), ticks_max=INT64_MAX, lots_max=10**8)


@given(st.integers(0, INT64_MAX), st.integers(-RATE_E8, RATE_E8))
def test_a_fee_is_notional_times_rate_half_away_from_zero(notional: int, rate_e8: int) -> None:
    assert fee_units(notional, rate_e8) == exact_round(Fraction(notional * rate_e8, RATE_E8))


@given(st.integers(0, INT64_MAX), st.integers(-RATE_E8, RATE_E8))
def test_a_fee_is_the_same_in_compiled_code_and_never_overflows(notional: int, rate_e8: int) -> None:
    assert compiled_fee_units(notional, rate_e8) == fee_units(notional, rate_e8)


def test_rates_are_exact_or_refused() -> None:
    assert to_rate_e8(Decimal("0.00055")) == 55_000
    assert to_rate_e8(Decimal("-0.00025")) == -25_000
    with pytest.raises(ValueError, match="eight decimals"):
        to_rate_e8(Decimal("0.000000001"))
