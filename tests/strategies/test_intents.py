"""Intents of compiled strategies, compiled and not, and what an outbox does that is full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headwater.domain.event import NO_PRICE
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderKind, TimeInForce
from headwater.domain.view import Reads, WakeKind
from headwater.strategies.compiled import compiled
from headwater.strategies.desk import Desk, make_desk
from headwater.strategies.intents import (
    POST_ONLY,
    REDUCE_ONLY,
    amend,
    cancel,
    limit,
    lots,
    market,
    take,
    target,
)
from headwater.strategies.parameter import Parameter

ASKED = ("action", "kind", "side", "time_in_force", "flags", "order", "price", "size")
MARKET, LIMIT = OrderKind.MARKET, OrderKind.LIMIT
NEW, CANCEL, AMEND = RequestKind.NEW, RequestKind.CANCEL, RequestKind.AMEND
GTC, IOC = TimeInForce.GTC, TimeInForce.IOC


@compiled(wakes=WakeKind.EVENT, parameters={"position": Parameter(0, -100, 100)}, reads=Reads(0))
def everything(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:  # noqa: ARG001
    """One intent of each sort."""
    limit(view, outbox, np.int64(1), np.int64(99), lots(view, 0.2), np.int64(POST_ONLY))
    take(view, outbox, np.int64(-1), np.int64(98), np.int64(3), np.int64(0))
    market(view, outbox, np.int64(-1), np.int64(4), np.int64(REDUCE_ONLY))
    cancel(view, outbox, np.int64(7))
    amend(view, outbox, np.int64(8), np.int64(97), np.int64(5))
    target(view, outbox, np.int64(params[0]))


def desk_after(position: int, wanted: int, outbox: int = 8) -> Desk:
    """The desk after one call."""
    values = everything.values({"position": wanted})
    desk = make_desk(orders=1, outbox=outbox, params=everything.params(values))
    desk.shown["position"] = position
    desk.shown["instrument"] = 3
    desk.shown["lots_per_unit"] = 10.0
    everything.function(desk.address)
    return desk


def test_each_sort_of_intent_is_written_as_it_is_named() -> None:
    desk = desk_after(position=2, wanted=-4)
    rows = [tuple(int(row[name]) for name in ASKED) for row in desk.outbox[:6]]
    assert rows[:3] == [
        (NEW, LIMIT, 1, GTC, POST_ONLY, -1, 99, 2),
        (NEW, LIMIT, -1, IOC, 0, -1, 98, 3),
        (NEW, MARKET, -1, GTC, REDUCE_ONLY, -1, NO_PRICE, 4),
    ]
    assert [(row[0], row[5]) for row in rows[3:5]] == [(CANCEL, 7), (AMEND, 8)]
    assert rows[4][6:] == (97, 5)
    assert rows[5] == (NEW, MARKET, -1, GTC, 0, -1, NO_PRICE, 6)
    assert desk.outbox["instrument"][:6].tolist() == [3] * 6


@pytest.mark.parametrize(("position", "wanted", "asked"), [(0, 5, [(1, 5)]), (5, 5, []), (5, -5, [(-1, 10)])])
def test_a_target_asks_for_what_is_missing(position: int, wanted: int, asked: list[tuple[int, int]]) -> None:
    desk = desk_after(position, wanted)
    found = desk.outbox[5 : desk.shown["intent_count"][0]]
    assert [(int(row["side"]), int(row["size"])) for row in found] == asked


@pytest.mark.parametrize("room", [0, 1, 2, 3, 4, 5])
def test_a_full_outbox_is_counted_beyond_and_never_written_beyond(room: int) -> None:
    whole, tight = desk_after(0, 1), desk_after(0, 1, outbox=room)
    assert tight.shown["intent_count"][0] == 6
    assert np.array_equal(tight.outbox, whole.outbox[:room])
