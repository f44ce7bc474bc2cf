"""Positions: exact profit, whatever the order of the fills."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.order import Side
from headwater.ledger.fill import Fill
from headwater.ledger.position import Position, to_decimal

Trades = list[tuple[Decimal, Decimal]]

prices = st.integers(1, 10**7).map(lambda ticks: ticks * Decimal("0.05"))
sizes = st.integers(-(10**6), 10**6).filter(bool).map(lambda lots: lots * Decimal("0.001"))
trades = st.lists(st.tuples(sizes, prices), max_size=30)
positions = st.builds(
    Position,
    multiplier=st.sampled_from([Decimal(1), Decimal("0.01"), Decimal(100)]),
    is_inverse=st.booleans(),
)


def play(position: Position, rows: Trades) -> Position:
    for size, price in rows:
        position = position.trade(size, price)
    return position


@given(positions, trades, prices, st.randoms(use_true_random=False))
def test_total_profit_does_not_depend_on_the_order_of_fills(
    position: Position, rows: Trades, price: Decimal, random: Random
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    first, second = play(position, rows), play(position, shuffled)
    assert first.size == second.size
    assert first.total(price) == second.total(price)


@given(positions, trades, prices)
def test_total_profit_is_worth_minus_what_was_paid(position: Position, rows: Trades, price: Decimal) -> None:
    end = play(position, rows)
    paid = sum((Fraction(size) * position.unit_value(at) for size, at in rows), Fraction(0))
    assert end.total(price) == Fraction(end.size) * position.unit_value(price) - paid


@given(positions, trades, prices)
def test_a_flat_position_has_only_realised_profit(position: Position, rows: Trades, price: Decimal) -> None:
    end = play(position, rows)
    if end.size:
        end = end.trade(-end.size, price)
    assert end.size == 0
    assert end.entry_price is None
    assert end.unrealised(price) == 0


@given(positions, sizes, prices, prices)
def test_splitting_a_closing_fill_changes_nothing(
    position: Position, size: Decimal, entry: Decimal, price: Decimal
) -> None:
    opened = position.trade(size, entry)
    half = (size / 2).quantize(Decimal("0.0001"))
    assert opened.trade(-half, price).trade(half - size, price) == opened.trade(-size, price)


@given(positions, sizes, prices)
def test_the_entry_price_of_one_fill_is_its_price(position: Position, size: Decimal, price: Decimal) -> None:
    assert position.trade(size, price).entry_price == Fraction(price)


@given(positions, trades, sizes, prices)
def test_a_turn_is_a_close_and_an_open(
    position: Position, rows: Trades, size: Decimal, price: Decimal
) -> None:
    start = play(position, rows)
    closing, opening = start.split(size)
    assert closing + opening == size
    step = start
    for part in (closing, opening):
        step = step.trade(part, price) if part else step
    assert step == start.trade(size, price)


def test_average_cost_of_a_linear_long() -> None:
    position = Position().trade(Decimal(1), Decimal(100)).trade(Decimal(2), Decimal(101))
    assert position.entry_price == Fraction(302, 3)
    closed = position.trade(Decimal(-1), Decimal(102))
    assert closed.realised == Fraction(4, 3)
    assert closed.entry_price == Fraction(302, 3)


def test_profit_of_an_inverse_long_is_in_coins() -> None:
    position = Position(multiplier=Decimal(100), is_inverse=True).trade(Decimal(10), Decimal(20_000))
    assert position.trade(Decimal(-10), Decimal(25_000)).realised == Fraction(1, 20) - Fraction(1, 25)


def test_the_entry_price_of_an_inverse_position_is_harmonic() -> None:
    position = Position(is_inverse=True).trade(Decimal(100), Decimal(100)).trade(Decimal(100), Decimal(300))
    assert position.entry_price == 150


def test_selling_through_zero_opens_a_short_at_the_fill_price() -> None:
    position = Position().trade(Decimal(1), Decimal(100)).trade(Decimal(-3), Decimal(110))
    assert position.size == -2
    assert position.entry_price == 110
    assert position.realised == 10


def test_a_position_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="multiplier must be a finite number > 0"):
        Position(multiplier=Decimal(0))
    with pytest.raises(ValueError, match="flat Position"):
        Position(entry_value=Fraction(1))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price", Decimal(0), "price must be a finite number > 0"),
        ("size", Decimal("NaN"), "size must be a finite number > 0"),
        ("fee", Decimal("Infinity"), "fee must be a finite number"),
        ("fee", Decimal(1), "fee_currency must name"),
    ],
)
def test_a_fill_refuses_what_cannot_be(field: str, value: Decimal, message: str) -> None:
    fields: dict[str, Any] = {"price": Decimal(1), "size": Decimal(1), field: value}
    with pytest.raises(ValueError, match=message):
        Fill(instrument=InstrumentId("A.B"), ts=UnixNanos(0), side=Side.BUY, **fields)


@given(st.fractions(max_denominator=10**9), st.sampled_from([Decimal("1e-8"), Decimal("0.01"), Decimal(1)]))
def test_rounding_is_half_away_from_zero_and_within_half_a_quantum(value: Fraction, quantum: Decimal) -> None:
    rounded = Fraction(to_decimal(value, quantum))
    assert abs(rounded - value) <= Fraction(quantum) / 2
    assert to_decimal(-value, quantum) == to_decimal(value, quantum).copy_negate()
    assert (rounded / Fraction(quantum)).denominator == 1
    assert abs(to_decimal(Fraction(5, 2), Decimal(1))) == 3
