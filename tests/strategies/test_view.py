"""What a Python strategy reads is what the record holds, and what it asks is in the outbox, exactly."""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ConfigurationError, OffGridError
from headwater.domain.event import NO_PRICE
from headwater.domain.intent import RequestKind
from headwater.domain.order import (
    OrderFlag,
    OrderKind,
    OrderStatus,
    PositionSide,
    Side,
    TimeInForce,
    TriggerBy,
)
from headwater.strategies import view as module
from headwater.strategies.desk import Desk, make_desk
from headwater.strategies.view import FillSeen, GridSeen, TradeSeen, View, steps_per_unit

FINE = GridSeen("FINE", Decimal("0.1"), Decimal("0.001"), 1, 1, has_mark=True, has_index=True)
COARSE = GridSeen("COARSE", Decimal("0.5"), Decimal("0.25"), 2, 4, has_mark=False, has_index=False)


def seen(instrument: int = 0, intents: int = 4) -> tuple[View, Desk]:
    """A view of two instruments, woken for one of them, and the desk that it looks at."""
    desk = make_desk(orders=4, outbox=intents)
    desk.shown["instrument"] = instrument
    return View(desk.shown, desk.orders, desk.outbox, (FINE, COARSE)), desk


def asked(desk: Desk, row: int = 0) -> Any:
    assert desk.shown["intent_count"][0] == row + 1
    return desk.outbox[row]


def test_prices_and_sizes_are_read_in_units_and_print_as_they_are_written() -> None:
    view, desk = seen()
    values = {"now": 7, "bid_size": 1_001, "ask_size": 3, "last": 600_001, "position": -2_500, "can_short": 1}
    for name, value in values.items():
        desk.shown[name] = value
    desk.shown["bid_price"], desk.shown["ask_price"] = 60_000.1, 60_000.3
    assert (view.now, view.instrument, view.bid, view.ask) == (7, "FINE", 60_000.1, 60_000.3)
    assert view.mid == pytest.approx(60_000.2)
    assert (view.bid_size, view.ask_size, view.last, view.position) == (1.001, 0.003, 60_000.1, -2.5)
    assert view.can_short


def test_a_grid_that_does_not_divide_one_is_read_by_its_step() -> None:
    assert (steps_per_unit(Decimal("0.25")), steps_per_unit(Decimal("0.3")), steps_per_unit(Decimal(5))) == (
        4,
        0,
        0,
    )
    desk = make_desk(orders=1, outbox=1)
    fives = GridSeen("FIVES", Decimal(5), Decimal(5), 1, 1, has_mark=False, has_index=False)
    desk.shown["last"], desk.shown["position"] = 7, 3
    for at, name in enumerate(("bar_start", "bar_open", "bar_high", "bar_low", "bar_close", "bar_volume")):
        desk.shown[name] = at
    view = View(desk.shown, desk.orders, desk.outbox, (fives,))
    assert (view.last, view.position) == (35.0, 15.0)
    assert view.bar() == (0, 5.0, 10.0, 15.0, 20.0, 25.0)


def test_what_is_not_known_is_not_a_number() -> None:
    view, desk = seen()
    desk.shown["last"] = desk.shown["mark"] = desk.shown["bid"] = desk.shown["ask"] = NO_PRICE
    assert isnan(view.last)
    assert isnan(view.mark)
    assert (view.bid_ticks, view.ask_ticks) == (NO_PRICE, NO_PRICE)
    desk.shown["mark"] = 6_000_012_345_678
    assert view.mark == pytest.approx(60_000.12345678)


def test_a_bar_a_print_and_a_fill_are_read_in_units() -> None:
    view, desk = seen(instrument=1)
    for at, name in enumerate(("bar_start", "bar_open", "bar_high", "bar_low", "bar_close", "bar_volume")):
        desk.shown[name] = at + 1
    for name, value in {"last": 5, "last_size": 2, "last_side": -1}.items():
        desk.shown[name] = value
    for name, value in {
        "fill_order": 9,
        "fill_price": 3,
        "fill_size": 4,
        "fill_side": 1,
        "fill_is_maker": 1,
    }.items():
        desk.shown[name] = value
    assert view.bar() == (1, 1.0, 1.5, 2.0, 2.5, 1.5)
    assert view.trade() == TradeSeen(2.5, 0.5, -1)
    assert view.fill() == FillSeen(9, 1.5, 1.0, 1, True)


def test_orders_are_those_of_the_instrument_of_this_wake() -> None:
    view, desk = seen()
    for row, instrument in enumerate((0, 1, 0)):
        desk.orders[row]["handle"] = 10 + row
        desk.orders[row]["instrument"] = instrument
        desk.orders[row]["status"] = OrderStatus.NEW
        desk.orders[row]["size"] = 2_000
        desk.orders[row]["filled"] = 500
    desk.orders[0]["price"], desk.orders[2]["price"] = 600_000, NO_PRICE
    desk.orders[2]["pending"] = RequestKind.CANCEL
    desk.shown["order_count"] = 3
    first, last = view.orders
    assert (first.handle, first.price, first.size, first.filled) == (10, 60_000.0, 2.0, 0.5)
    assert (first.is_settled, last.is_settled) == (True, False)
    assert isnan(last.price)


def test_an_order_is_in_the_outbox_as_it_was_asked() -> None:
    view, desk = seen()
    view.buy("0.5", 60_000.1, post_only=True, reduce_only=True)
    intent = asked(desk)
    assert (intent["action"], intent["kind"], intent["side"]) == (RequestKind.NEW, OrderKind.LIMIT, 1)
    assert (intent["price"], intent["size"], intent["trigger"]) == (600_001, 500, NO_PRICE)
    assert intent["flags"] == OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY
    view.sell(Decimal(1), time_in_force=TimeInForce.IOC, position_side=PositionSide.LONG)
    intent = asked(desk, 1)
    assert (intent["kind"], intent["side"], intent["price"]) == (OrderKind.MARKET, -1, NO_PRICE)
    assert (intent["time_in_force"], intent["position_side"]) == (TimeInForce.IOC, PositionSide.LONG)


def test_orders_of_a_tape_that_is_finer_than_the_venue_lie_on_the_venues_grid() -> None:
    view, desk = seen(instrument=1)
    assert (view.tick_size, view.lot_size) == (Decimal(1), Decimal(1))
    view.buy(2, 7)
    assert (asked(desk)["price"], asked(desk)["size"]) == (14, 8)
    with pytest.raises(
        OffGridError, match=r"COARSE: price 7.5 is not a multiple of 1.0; the nearest are 7.0 and 8.0"
    ):
        view.buy(2, 7.5)


def test_triggers_count_in_ticks_or_in_the_marks_own_unit() -> None:
    view, desk = seen()
    view.sell(1, trigger="59000.1", kind=OrderKind.STOP_MARKET)
    assert asked(desk)["trigger"] == 590_001
    view.sell(1, trigger="59000.123", kind=OrderKind.STOP_MARKET, trigger_by=TriggerBy.MARK)
    assert asked(desk, 1)["trigger"] == 5_900_012_300_000
    view.sell(1, trail="12.3", kind=OrderKind.TRAILING_STOP, trigger_by=TriggerBy.INDEX, expire=5)
    assert (asked(desk, 2)["trail"], asked(desk, 2)["expire"]) == (123, 5)


@pytest.mark.parametrize(
    ("by", "words"), [(TriggerBy.MARK, "no mark price"), (TriggerBy.INDEX, "no index price")]
)
def test_a_trigger_by_a_price_that_the_tape_lacks_is_refused(by: TriggerBy, words: str) -> None:
    view, desk = seen(instrument=1)
    with pytest.raises(ConfigurationError, match=words):
        view.sell(1, trigger=5, kind=OrderKind.STOP_MARKET, trigger_by=by)
    assert desk.shown["intent_count"][0] == 0


@given(position=st.integers(-5_000, 5_000), wanted=st.integers(-5_000, 5_000))
def test_a_target_asks_for_the_difference_and_nothing_for_none(position: int, wanted: int) -> None:
    view, desk = seen()
    desk.outbox[:] = np.array([255], np.uint8).repeat(desk.outbox.nbytes).view(desk.outbox.dtype)
    desk.shown["position"] = position
    view.target(Decimal(wanted) / 1_000)
    if wanted == position:
        assert desk.shown["intent_count"][0] == 0
        return
    intent = asked(desk)
    assert intent["size"] * intent["side"] == wanted - position
    assert (intent["kind"], intent["flags"], intent["expire"]) == (OrderKind.MARKET, 0, 0)


def test_open_orders_are_cancelled_and_amended_by_their_handle() -> None:
    view, desk = seen()
    for row, pending in enumerate((RequestKind.NONE, RequestKind.CANCEL, RequestKind.NEW)):
        desk.orders[row]["handle"], desk.orders[row]["pending"] = 20 + row, pending
    desk.shown["order_count"] = 3
    view.cancel_all()  # the second is being cancelled already
    assert [(row["action"], row["order"]) for row in desk.outbox[:2]] == [(2, 20), (2, 22)]
    view.amend(view.orders[0], price="60000.2", size="0.1")
    intent = asked(desk, 2)
    assert (intent["action"], intent["order"], intent["price"], intent["size"]) == (3, 20, 600_002, 100)


@pytest.mark.parametrize(
    ("size", "price", "error", "words"),
    [
        ("0.0005", 1, OffGridError, "FINE: size 0.0005 is not a multiple of 0.001"),
        (1, "1.05", OffGridError, "the nearest are 1.0 and 1.1"),
        (0, 1, ConfigurationError, "must be positive, was 0"),
        (1, "ten", ConfigurationError, "a price must be a number, was 'ten'"),
        (float("nan"), 1, ConfigurationError, "a size must be finite, was nan"),
    ],
)
def test_what_no_venue_takes_is_refused_with_the_instrument_and_the_reason(
    size: Any, price: Any, error: type[Exception], words: str
) -> None:
    view, _ = seen()
    with pytest.raises(error, match=words):
        view.order(Side.BUY, size, price)


def test_more_intents_than_the_outbox_holds_are_refused() -> None:
    view, _ = seen(intents=1)
    view.buy(1)
    with pytest.raises(ConfigurationError, match="at most 1 orders, was one more"):
        view.buy(1)


def test_remembered_conversions_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_LIMIT", 2)
    view, desk = seen(intents=16)
    for price in (1, 2, 3, 1):
        view.buy(1, price)
    assert desk.outbox["price"][:4].tolist() == [10, 20, 30, 10]
    assert len(view._ticks_cache) <= 2


def test_a_view_is_made_over_its_own_kinds_of_arrays_only() -> None:
    desk = make_desk(orders=1, outbox=1)
    with pytest.raises(TypeError, match="VIEW_DTYPE"):
        View(desk.orders, desk.orders, desk.outbox, (FINE,))
