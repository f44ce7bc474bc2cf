"""Instruments: what construction refuses, and which rules hold when."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import UnknownInstrumentError
from headwater.domain.identity import UnixNanos
from headwater.domain.instrument import Instrument, InstrumentKind, Listing, OptionType, format_time
from headwater.domain.money import unit_value
from headwater.domain.rules import Rules


def rules(valid_from: int, tick: str = "0.1") -> Rules:
    return Rules(
        valid_from=UnixNanos(valid_from), tick_size=Decimal(tick), lot_size=Decimal("0.001"), source="test"
    )


def instrument(**changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "id": "BTCUSDT-PERP.BYBIT",
        "venue": "BYBIT",
        "symbol": "BTCUSDT",
        "kind": InstrumentKind.LINEAR_PERPETUAL,
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "rules": (rules(100), rules(200, "0.5")),
    }
    return Instrument(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"venue": "bybit"}, "venue must be upper case"),
        ({"venue": "BINANCE"}, r"id must read <symbol>.BINANCE, was 'BTCUSDT-PERP.BYBIT'"),
        ({"symbol": ""}, "symbol must not be empty"),
        ({"kind": InstrumentKind.INVERSE_PERPETUAL}, "inverse contract settles in its base BTC, was USDT"),
        ({"kind": InstrumentKind.SPOT, "settle": "BTC"}, "spot settles in its quote USDT, was BTC"),
        ({"expiry": 5}, "they alone, have an expiry"),
        ({"kind": InstrumentKind.LINEAR_FUTURE}, "they alone, have an expiry, was None"),
        ({"strike": Decimal(5), "option_type": OptionType.PUT}, "options, and they alone"),
        ({"kind": InstrumentKind.OPTION, "expiry": 5}, "options, and they alone"),
        ({"rules": ()}, "at least one entry"),
        ({"rules": (rules(2), rules(2))}, "must rise in valid_from, was 2 before 2"),
        ({"listings": (Listing(listed=UnixNanos(1)), Listing(listed=UnixNanos(2)))}, "must not overlap"),
    ],
)
def test_an_instrument_refuses_what_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        instrument(**changes)


@given(st.integers(100, 400))
def test_the_rules_in_force_are_the_last_that_began(ts: int) -> None:
    assert instrument().rules_at(ts).valid_from == (100 if ts < 200 else 200)


def test_before_the_first_rules_the_error_names_both_times() -> None:
    early = instrument(rules=(rules(1_600_000_000 * 10**9),))
    message = (
        r"BTCUSDT-PERP.BYBIT at 2017-07-14T02:40:00Z: the first known rules are from 2020-09-13T12:26:40Z"
    )
    with pytest.raises(UnknownInstrumentError, match=message):
        early.rules_at(1_500_000_000 * 10**9)


def test_a_symbol_can_be_listed_delisted_and_listed_again() -> None:
    epochs = (Listing(listed=UnixNanos(10), delisted=UnixNanos(20)), Listing(listed=UnixNanos(30)))
    relisted = instrument(listings=epochs)
    assert [relisted.is_listed_at(ts) for ts in (9, 10, 19, 20, 30, 99)] == [
        False, True, True, False, True, True,
    ]  # fmt: skip
    assert instrument().is_listed_at(0)
    with pytest.raises(ValueError, match="delisted must be after listed"):
        Listing(listed=UnixNanos(2), delisted=UnixNanos(2))


@pytest.mark.parametrize(
    ("kind", "payoff", "is_perpetual", "expires"),
    [
        (InstrumentKind.SPOT, "spot", False, False),
        (InstrumentKind.LINEAR_PERPETUAL, "linear", True, False),
        (InstrumentKind.INVERSE_PERPETUAL, "inverse", True, False),
        (InstrumentKind.LINEAR_FUTURE, "linear", False, True),
        (InstrumentKind.INVERSE_FUTURE, "inverse", False, True),
        (InstrumentKind.OPTION, "linear", False, True),
    ],
)
def test_a_kind_says_how_it_pays(
    kind: InstrumentKind, payoff: str, is_perpetual: bool, expires: bool
) -> None:
    assert (kind.payoff, kind.is_perpetual, kind.expires) == (payoff, is_perpetual, expires)


def test_the_contract_grid_is_that_of_the_rules() -> None:
    linear = instrument()
    assert unit_value(linear.contract_grid(linear.rules[0]), 10**8) == 10_000


def test_a_time_beyond_the_calendar_is_still_printed() -> None:
    assert format_time(10**30) == f"{10**30} ns"
