"""Price impact, against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.impact import with_impact
from headwater.simulation.kinds import ImpactModel
from tests.simulation.small import small_sim

UNITS = 8.0
"""Lots in one unit: a power of two, so that sizes are exact."""

sides = st.sampled_from([1, -1])
prices = st.integers(1, 10**9)
lots = st.integers(1, 10**6)
coefficients = st.integers(0, 64).map(lambda eighths: eighths / 8)


def instrument(model: ImpactModel, a: float = 0.0, b: float = 0.0, slippage_e8: int = 0) -> Any:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["impact_model"] = model
    ins["impact_a"], ins["impact_b"] = a, b
    ins["lots_per_unit"] = UNITS
    ins["slippage_e8"] = slippage_e8
    return ins


def expected_ticks(model: ImpactModel, a: float, b: float, taken: int) -> int:
    size = taken / UNITS
    if model == ImpactModel.LINEAR:
        return math.ceil(a * size)
    if model == ImpactModel.SQUARE_ROOT:
        return math.ceil(a * math.sqrt(size))
    return math.ceil(a + b * size) if model == ImpactModel.ALMGREN_CHRISS else 0


@given(
    model=st.sampled_from(ImpactModel), side=sides, price=prices, taken=lots, a=coefficients, b=coefficients
)
def test_impact_is_the_models_formula_rounded_up_against_the_taker(
    model: ImpactModel, side: int, price: int, taken: int, a: float, b: float
) -> None:
    moved = with_impact(instrument(model, a, b), side, price, taken)
    assert moved == max(price + side * expected_ticks(model, a, b, taken), 1)


@given(side=sides, price=prices, slippage_e8=st.integers(0, 10**7))
def test_half_the_spread_is_exact_and_rounded_up(side: int, price: int, slippage_e8: int) -> None:
    extra = math.ceil(Fraction(price * slippage_e8, 10**8))
    assert with_impact(instrument(ImpactModel.NONE, slippage_e8=slippage_e8), side, price, 1) == max(
        price + side * extra, 1
    )


@pytest.mark.parametrize("price", [100_000, 300_000, 700_000])
def test_a_whole_number_of_ticks_is_not_rounded_up_by_noise(price: int) -> None:
    assert (
        with_impact(instrument(ImpactModel.NONE, slippage_e8=1_000), 1, price, 1) == price + price // 100_000
    )


@given(model=st.sampled_from(ImpactModel), price=prices, taken=lots, more=lots, a=coefficients)
def test_taking_more_is_never_cheaper(
    model: ImpactModel, price: int, taken: int, more: int, a: float
) -> None:
    ins = instrument(model, a, a)
    assert with_impact(ins, 1, price, taken) <= with_impact(ins, 1, price, taken + more)
    assert with_impact(ins, -1, price, taken) >= with_impact(ins, -1, price, taken + more) >= 1
