"""The slow twin of the integer accounting: it agrees with integers done right, and finds those done wrong."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.fees import fee_units, to_rate_e8
from headwater.domain.money import ContractGrid, inverse_value, linear_value, money_scale, unit_value
from headwater.domain.order import FILL_DTYPE
from headwater.ledger.from_fills import Fills, LedgerMismatchError, check_fills, statement

GRIDS = [
    ContractGrid(tick_size=Decimal("0.1"), lot_size=Decimal("0.001")),
    ContractGrid(tick_size=Decimal("0.000001"), lot_size=Decimal("0.001")),
    ContractGrid(tick_size=Decimal("0.1"), lot_size=Decimal(1), multiplier=Decimal("0.01")),
    ContractGrid(tick_size=Decimal("0.5"), lot_size=Decimal(1), multiplier=Decimal(100), is_inverse=True),
    ContractGrid(tick_size=Decimal("0.25"), lot_size=Decimal(1), is_inverse=True),
]
MAKER, TAKER = Decimal("-0.00025"), Decimal("0.00055")

Table = list[tuple[int, int, int, bool]]

rows = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 10**6), st.integers(1, 10**5), st.booleans()),
    max_size=20,
)


def fills_of(grid: ContractGrid, scale: int, table: Table) -> Fills:
    fills = np.zeros(len(table), FILL_DTYPE)
    unit = unit_value(grid, scale)
    for row, (side, ticks, lots, is_maker) in enumerate(table):
        value = (inverse_value if grid.is_inverse else linear_value)(ticks, lots, unit)
        fills[row]["side"], fills[row]["price"], fills[row]["size"] = side, ticks, lots
        fills[row]["is_maker"] = is_maker
        fills[row]["cash"] = side * value if grid.is_inverse else -side * value
        fills[row]["fee"] = fee_units(value, to_rate_e8(MAKER if is_maker else TAKER))
    return fills


def rate_of(fill: np.void) -> Decimal:
    return MAKER if fill["is_maker"] else TAKER


@given(st.sampled_from(GRIDS), rows)
def test_integer_accounting_done_right_passes(grid: ContractGrid, table: Table) -> None:
    scale = money_scale(grid)
    fills = fills_of(grid, scale, table)
    check_fills(fills, grid, scale, rate_of)
    result = statement(fills, grid, scale)
    assert result.cash * scale == int(fills["cash"].sum())
    assert result.fee * scale == int(fills["fee"].sum())
    assert abs(result.rounding) <= Fraction(len(table), 2 * scale)
    if not grid.is_inverse:
        assert result.rounding == 0


@given(st.sampled_from(GRIDS), rows, st.integers(1, 10**6))
def test_equity_is_realised_and_unrealised_profit_less_fees(
    grid: ContractGrid, table: Table, ticks: int
) -> None:
    scale = money_scale(grid)
    result = statement(fills_of(grid, scale, table), grid, scale)
    price = ticks * grid.tick_size
    exact = result.position.total(price) - Fraction(result.fee)
    assert result.equity(price) == exact - result.rounding


@given(st.sampled_from(GRIDS), rows.filter(bool), st.data())
def test_a_wrong_unit_in_any_row_is_found_and_named(
    grid: ContractGrid, table: Table, data: st.DataObject
) -> None:
    scale = money_scale(grid)
    fills = fills_of(grid, scale, table)
    row = data.draw(st.integers(0, len(table) - 1))
    field = data.draw(st.sampled_from(["cash", "fee"]))
    fills[row][field] += data.draw(st.sampled_from([1, -1]))
    with pytest.raises(LedgerMismatchError, match=f"fill {row}: expected {field}"):
        check_fills(fills, grid, scale, rate_of)


def test_volume_counts_in_quote_currency() -> None:
    linear, inverse = GRIDS[0], GRIDS[3]
    scale = money_scale(linear)
    fills = fills_of(linear, scale, [(1, 1000, 2000, True), (-1, 1100, 1000, False)])
    assert statement(fills, linear, scale).volume == Decimal(310)
    fills = fills_of(inverse, scale, [(1, 1000, 2, True), (-1, 1100, 1, False)])
    assert statement(fills, inverse, scale).volume == 300


def test_fills_of_two_instruments_are_refused() -> None:
    fills = fills_of(GRIDS[0], 10**8, [(1, 1, 1, True), (1, 1, 1, True)])
    fills[1]["instrument"] = 1
    with pytest.raises(ValueError, match="fills of one instrument"):
        statement(fills, GRIDS[0], 10**8)


def test_no_fills_are_no_money() -> None:
    result = statement(np.zeros(0, FILL_DTYPE), GRIDS[0], 10**8)
    assert result.cash == result.fee == result.position.size == 0
