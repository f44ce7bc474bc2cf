"""Values of fills and positions, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.money import inverse_value, linear_value
from headwater.simulation.kinds import ContractKind
from headwater.simulation.money import cash_change, fee_units, fine_notional, notional
from tests.oracle.position import half_up
from tests.simulation.small import small_sim

INT64_MAX = 2**63 - 1

ticks = st.integers(1, 10**7)
sizes = st.integers(0, 10**9)
fine_per_ticks = st.sampled_from([1, 10**4, 10**7, 5 * 10**7, 10**8, 5 * 10**8])


def contract(kind: ContractKind, unit: int, fine_per_tick: int = 10**8) -> Any:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["contract"] = kind
    ins["unit_value"] = ins["inverse_value"] = unit
    ins["fine_per_tick"] = fine_per_tick
    return ins


@given(price=ticks, size=sizes, unit=st.integers(1, 900))
def test_a_linear_fill_is_worth_price_times_size(price: int, size: int, unit: int) -> None:
    for kind in (ContractKind.SPOT, ContractKind.LINEAR):
        assert notional(contract(kind, unit), price, size) == linear_value(price, size, unit)


@given(price=ticks, size=sizes, unit=st.integers(1, INT64_MAX // 10**9))
def test_an_inverse_fill_is_worth_size_over_price_half_up(price: int, size: int, unit: int) -> None:
    ins = contract(ContractKind.INVERSE, unit)
    assert (
        notional(ins, price, size)
        == half_up(Fraction(size * unit, price))
        == inverse_value(price, size, unit)
    )


@given(price=ticks, size=sizes, fine_per_tick=fine_per_ticks, kind=st.sampled_from(ContractKind))
def test_a_mark_on_the_grid_is_worth_what_a_fill_is(
    price: int, size: int, fine_per_tick: int, kind: ContractKind
) -> None:
    ins = contract(kind, 13, fine_per_tick)
    assert fine_notional(ins, price * fine_per_tick, size) == notional(ins, price, size)


@given(price=ticks, of_tick=st.integers(0, 10**9), size=sizes, fine_per_tick=fine_per_ticks)
def test_a_mark_between_ticks_is_worth_its_exact_value_half_up(
    price: int, of_tick: int, size: int, fine_per_tick: int
) -> None:
    mark = price * fine_per_tick + of_tick % fine_per_tick
    exact = Fraction(mark, fine_per_tick)
    assert fine_notional(contract(ContractKind.LINEAR, 13, fine_per_tick), mark, size) == half_up(
        13 * size * exact
    )
    assert fine_notional(contract(ContractKind.INVERSE, 13, fine_per_tick), mark, size) == half_up(
        13 * size / exact
    )


def test_values_up_to_the_proven_bound_do_not_wrap() -> None:
    for size in (INT64_MAX, INT64_MAX - 1):
        assert notional(contract(ContractKind.INVERSE, 1), 2, size) == (size + 1) // 2
    largest = contract(ContractKind.LINEAR, 10**6)
    assert fine_notional(largest, 9_223_372 * 10**8, 10**6) == 9_223_372 * 10**12


@given(value=st.integers(0, INT64_MAX), rate=st.integers(-(10**8), 10**8))
def test_a_fee_is_rounded_half_away_from_zero_without_leaving_64_bits(value: int, rate: int) -> None:
    expected = half_up(Fraction(value * abs(rate), 10**8))
    assert fee_units(value, rate) == (expected if rate >= 0 else -expected)


@pytest.mark.parametrize(("kind", "bought"), [(ContractKind.LINEAR, -5), (ContractKind.INVERSE, 5)])
def test_a_buy_pays_in_quote_and_an_inverse_one_is_paid_in_coin(kind: ContractKind, bought: int) -> None:
    ins = contract(kind, 1)
    assert cash_change(ins, 1, 5) == bought
    assert cash_change(ins, -1, 5) == -bought
