"""Order requests: consistent in themselves, and every word of Bybit and Binance has a meaning."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from headwater.domain.identity import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    Lots,
    RunId,
    StrategyId,
    SubAccountId,
    Ticks,
    UnixNanos,
)
from headwater.domain.order import OrderFlag, OrderKind, Side, TimeInForce
from headwater.domain.request import (
    BINANCE_SPOT_TYPES,
    BINANCE_TIMES_IN_FORCE,
    BINANCE_USDM_TYPES,
    BYBIT_STOP_ORDER_TYPES,
    BYBIT_TIMES_IN_FORCE,
    PRICED,
    TRIGGERED,
    OrderRequest,
    Owner,
    VenueWording,
    from_binance,
    from_bybit,
)

OWNER = Owner(
    account=AccountId("main"), sub_account=SubAccountId("a"), strategy=StrategyId("s"), run=RunId("r")
)


def request(**changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "owner": OWNER,
        "client_order_id": ClientOrderId(7),
        "instrument": InstrumentId("BTCUSDT-PERP.BYBIT"),
        "side": Side.BUY,
        "kind": OrderKind.LIMIT,
        "size": Lots(5),
        "price": Ticks(100),
    }
    return OrderRequest(**{**fields, **changes})


STOP = {"kind": OrderKind.STOP_MARKET, "price": None, "trigger": Ticks(90)}
TRAILING = {"kind": OrderKind.TRAILING_STOP, "price": None, "trailing_offset": Ticks(5)}
GTD = {"time_in_force": TimeInForce.GTD, "expires": UnixNanos(9)}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": OrderKind.MARKET, "price": None},
        {"flags": OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY},
        {"flags": OrderFlag.POST_ONLY | OrderFlag.RETAIL_PRICE_IMPROVEMENT},
        GTD,
        {**GTD, "flags": OrderFlag.POST_ONLY},
        STOP,
        {**STOP, "size": Lots(0), "flags": OrderFlag.CLOSE_ON_TRIGGER},
        {"kind": OrderKind.TAKE_PROFIT_LIMIT, "trigger": Ticks(110)},
        TRAILING,
        {**TRAILING, "trigger": Ticks(120), "price": Ticks(80)},
        {**TRAILING, "trailing_offset": None, "trailing_rate_e4": 25},
    ],
)
def test_what_a_venue_takes_can_be_said(changes: dict[str, Any]) -> None:
    assert request(**changes).size >= 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": Lots(0)}, r"size > 0 \(0 only with CLOSE_ON_TRIGGER\), was 0"),
        ({"size": Lots(-1)}, "size > 0"),
        ({"price": None}, "a price for LIMIT"),
        ({"kind": OrderKind.MARKET}, "no price for MARKET"),
        ({"trigger": Ticks(1)}, "no trigger price for LIMIT"),
        ({**STOP, "trigger": None}, "a trigger price for STOP_MARKET"),
        ({"trailing_offset": Ticks(1)}, "no trailing distance for LIMIT"),
        ({**TRAILING, "trailing_rate_e4": 5}, "exactly one of trailing_offset and trailing_rate_e4"),
        ({**TRAILING, "trailing_offset": Ticks(0)}, "trailing_offset > 0"),
        (
            {**TRAILING, "trailing_offset": None, "trailing_rate_e4": 10_000},
            "trailing_rate_e4 between 0 and 10000",
        ),
        ({**GTD, "expires": None}, "an expiry time with GTD"),
        ({"expires": UnixNanos(1)}, "an expiry time with GTD, and only then"),
        ({"flags": OrderFlag.POST_ONLY, "time_in_force": TimeInForce.IOC}, "POST_ONLY with GTC or GTD"),
        ({**STOP, "flags": OrderFlag.POST_ONLY}, "POST_ONLY with a limit price"),
        ({"flags": OrderFlag.RETAIL_PRICE_IMPROVEMENT}, "RETAIL_PRICE_IMPROVEMENT with POST_ONLY"),
        ({"flags": OrderFlag.CLOSE_ON_TRIGGER}, "CLOSE_ON_TRIGGER with a trigger"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"order 7 of BTCUSDT-PERP.BYBIT: expected {message}"):
        request(**changes)


def possible(wording: VenueWording) -> bool:
    """Whether an order can be requested in these words, with the prices that its kind needs."""
    trails = wording.kind is OrderKind.TRAILING_STOP
    try:
        request(
            kind=wording.kind,
            time_in_force=wording.time_in_force,
            flags=wording.flags,
            price=Ticks(1) if wording.kind in PRICED else None,
            trigger=Ticks(1) if wording.kind in TRIGGERED else None,
            trailing_offset=Ticks(1) if trails else None,
            expires=UnixNanos(1) if wording.time_in_force is TimeInForce.GTD else None,
        )
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("order_type", "spot"), [
    *((word, True) for word in BINANCE_SPOT_TYPES), *((word, False) for word in BINANCE_USDM_TYPES),
])  # fmt: skip
def test_every_binance_type_can_be_requested(order_type: str, spot: bool) -> None:
    assert possible(from_binance(order_type, "GTC", spot=spot))


@pytest.mark.parametrize("word", BINANCE_TIMES_IN_FORCE)
def test_every_binance_time_in_force_can_be_requested(word: str) -> None:
    assert possible(from_binance("LIMIT", word, spot=False))


@pytest.mark.parametrize(
    ("order_type", "stop"), list(product(["Market", "Limit"], BYBIT_STOP_ORDER_TYPES)), ids=str
)
def test_every_bybit_type_can_be_requested(order_type: str, stop: str) -> None:
    assert possible(from_bybit(order_type, "GTC", stop_order_type=stop))


@pytest.mark.parametrize("word", BYBIT_TIMES_IN_FORCE)
def test_every_bybit_time_in_force_can_be_requested(word: str) -> None:
    assert possible(from_bybit("Limit", word))


def test_all_kinds_and_lifetimes_are_covered_by_the_two_venues() -> None:
    words = [from_binance("LIMIT", word, spot=False) for word in BINANCE_TIMES_IN_FORCE]
    words += [from_binance(word, "GTC", spot=True) for word in BINANCE_SPOT_TYPES]
    words += [from_binance(word, "GTC", spot=False) for word in BINANCE_USDM_TYPES]
    assert {word.kind for word in words} == set(OrderKind)
    assert {word.time_in_force for word in words} == set(TimeInForce)


def test_stop_is_a_limit_order_on_futures_and_a_market_order_on_spot() -> None:
    assert from_binance("STOP", "GTC", spot=False).kind is OrderKind.STOP_LIMIT
    assert from_binance("STOP_LOSS", "GTC", spot=True).kind is OrderKind.STOP_MARKET
    assert from_binance("TAKE_PROFIT", "GTC", spot=False).kind is OrderKind.TAKE_PROFIT_LIMIT
    assert from_binance("TAKE_PROFIT", "GTC", spot=True).kind is OrderKind.TAKE_PROFIT_MARKET


def test_an_unknown_word_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"expected a Bybit time in force of 'GTC'.*, was 'GTX'"):
        from_bybit("Limit", "GTX")
    with pytest.raises(ValueError, match="expected a Binance order type of 'LIMIT'"):
        from_binance("STOP", "GTC", spot=True)
