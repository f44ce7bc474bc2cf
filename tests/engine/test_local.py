"""The trader's side of single events: what it means to a strategy, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headwater.book.side import NO_KEY
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind
from headwater.domain.view import VIEW_DTYPE, WakeKind
from headwater.engine.local import local_step
from headwater.engine.view import show_depth, show_market, show_orders, show_rest
from headwater.simulation.kinds import PriceSource
from headwater.simulation.state import Sim
from tests.simulation.small import small_sim

LAST = int(EventFlag.LAST_IN_MESSAGE)
EVENT = WakeKind.EVENT


def event(kind: EventKind, side: int = 0, price: int = 0, size: int = 0, flags: int = LAST) -> Any:
    row = np.zeros(1, EVENT_DTYPE)
    row["kind"], row["side"], row["price"], row["size"], row["flags"] = kind, side, price, size, flags
    return row[0]


def tell(sim: Sim, *args: Any, **fields: Any) -> WakeKind:
    return WakeKind(int(local_step(sim, event(*args, **fields))))


def shown(sim: Sim) -> Any:
    view = np.zeros(1, VIEW_DTYPE)[0]
    show_market(sim, 0, view)
    show_rest(sim, 0, view)
    return view


def test_a_book_wakes_when_its_message_is_complete() -> None:
    sim = small_sim()
    assert tell(sim, EventKind.BOOK_DELTA, 1, 99, 5, flags=0) == EVENT
    assert tell(sim, EventKind.BOOK_DELTA, -1, 101, 5) == EVENT | WakeKind.BOOK | WakeKind.BBO


def test_the_bbo_wakes_only_when_a_best_price_changed() -> None:
    sim = small_sim()
    tell(sim, EventKind.BOOK_DELTA, 1, 99, 5)
    assert tell(sim, EventKind.BOOK_DELTA, 1, 98, 5) == EVENT | WakeKind.BOOK
    assert tell(sim, EventKind.BOOK_DELTA, 1, 99, 7) == EVENT | WakeKind.BOOK
    assert tell(sim, EventKind.BOOK_DELTA, 1, 99, 0) == EVENT | WakeKind.BOOK | WakeKind.BBO


def test_a_trade_is_remembered() -> None:
    sim = small_sim()
    assert tell(sim, EventKind.TRADE, -1, 100, 3) == EVENT | WakeKind.TRADE
    view = shown(sim)
    assert (view["last"], view["last_size"], view["last_side"]) == (100, 3, -1)


def test_a_bar_wakes_at_its_close() -> None:
    sim = small_sim()
    assert tell(sim, EventKind.BAR_OPEN, 0, 100) == EVENT
    assert tell(sim, EventKind.BAR_RANGE, 0, 110, 90) == EVENT
    assert tell(sim, EventKind.BAR_CLOSE, 0, 105, 7) == EVENT | WakeKind.BAR
    ins = sim.instruments[0]
    names = ("open", "high", "low", "close", "volume")
    assert [int(ins[f"l_bar_{name}"]) for name in names] == [100, 110, 90, 105, 7]
    assert shown(sim)["last"] == 105


@pytest.mark.parametrize(
    ("kind", "name"),
    [(EventKind.MARK_PRICE, "mark"), (EventKind.INDEX_PRICE, "index"), (EventKind.FUNDING, "funding_rate")],
)
def test_a_reference_price_is_shown(kind: EventKind, name: str) -> None:
    sim = small_sim()
    assert shown(sim)[name] == NO_PRICE
    assert tell(sim, kind, 0, 42) == EVENT
    assert shown(sim)[name] == 42


def test_a_gap_makes_a_book_untrusted_until_it_is_cleared() -> None:
    sim = small_sim()
    tell(sim, EventKind.BOOK_DELTA, 1, 99, 5)
    assert tell(sim, EventKind.GAP, 0, 0, 3) == EVENT
    assert shown(sim)["trusted"] == 0
    assert tell(sim, EventKind.BOOK_CLEAR, 0, NO_PRICE) & WakeKind.BBO
    view = shown(sim)
    assert (view["trusted"], view["bid"]) == (1, NO_PRICE)


@pytest.mark.parametrize(("side", "left"), [(1, (98, 101)), (-1, (99, 102)), (0, (98, 102))])
def test_a_bounded_clear_takes_what_the_snapshot_will_bring(side: int, left: tuple[int, int]) -> None:
    """Bids at or above the bound, asks at or below it."""
    sim = small_sim()
    for price in (98, 99):
        tell(sim, EventKind.BOOK_DELTA, 1, price, 5)
    for price in (101, 102):
        tell(sim, EventKind.BOOK_DELTA, -1, price, 5)
    bound = {1: 99, -1: 101, 0: 99}[side]
    tell(sim, EventKind.BOOK_CLEAR, side, bound)
    if side == 0:
        tell(sim, EventKind.BOOK_CLEAR, -1, 101)
    view = shown(sim)
    assert (view["bid"], view["ask"]) == left


def test_quotes_are_a_book_of_one_level_where_there_is_none() -> None:
    sim = small_sim()
    sim.instruments["source"] = PriceSource.QUOTES
    assert tell(sim, EventKind.QUOTE, 1, 99, 5, flags=0) == EVENT
    assert tell(sim, EventKind.QUOTE, -1, 101, 6) & WakeKind.BBO
    tell(sim, EventKind.QUOTE, 1, 98, 4)
    view = shown(sim)
    assert (view["bid"], view["bid_size"], view["ask"], view["ask_size"]) == (98, 4, 101, 6)
    assert sim.sides[0]["levels"] == 1


def test_quotes_beside_a_book_are_passed_over() -> None:
    sim = small_sim()
    tell(sim, EventKind.BOOK_DELTA, 1, 99, 5)
    assert tell(sim, EventKind.QUOTE, 1, 97, 5) == EVENT
    assert shown(sim)["bid"] == 99


def test_without_a_book_the_last_trade_is_both_prices() -> None:
    sim = small_sim()
    sim.instruments["source"] = PriceSource.TRADES
    assert shown(sim)["bid"] == NO_PRICE
    tell(sim, EventKind.TRADE, 1, 100, 3)
    view = shown(sim)
    assert (view["bid"], view["ask"], view["bid_size"]) == (100, 100, 0)


def test_the_depth_is_copied_best_first_and_padded() -> None:
    sim = small_sim()
    for side, price, size in ((1, 99, 5), (1, 97, 3), (-1, 101, 4)):
        tell(sim, EventKind.BOOK_DELTA, side, price, size)
    depth = np.full(8, -1, np.int64)
    show_depth(sim, 0, np.int64(2), depth)
    assert depth.tolist() == [99, 97, 5, 3, 101, NO_PRICE, 4, 0]


def test_no_more_orders_are_shown_than_there_is_room_for() -> None:
    from headwater.domain.view import ORDER_VIEW_DTYPE

    sim = small_sim()
    sim.open_orders[:3] = [4, 5, 6]
    sim.clock[0]["open_count"] = 3
    sim.orders["number"][[4, 5, 6]] = [40, 50, 60]
    view = np.zeros(1, VIEW_DTYPE)[0]
    orders = np.zeros(2, ORDER_VIEW_DTYPE)
    show_orders(sim, view, orders)
    assert view["order_count"] == 2
    assert orders["number"].tolist() == [40, 50]
    assert orders["handle"].tolist() == [4, 5]


def test_the_other_instruments_book_is_not_touched() -> None:
    sim = small_sim(2)
    tell(sim, EventKind.BOOK_DELTA, 1, 99, 5)
    assert sim.sides[4]["best"] == NO_KEY
    assert sim.sides[2]["best"] == NO_KEY, "nor the venue's"
