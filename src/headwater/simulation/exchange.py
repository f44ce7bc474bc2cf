"""``exchange_step``: the venue's side of one market event.

The recorded market does not react to own orders, so a venue that never existed is modelled: what the tape says happens,
and own orders take part in it by stated rules (queue.py for the place in the queue, take.py for taking).

Passive fills:

* A print on the own side of the book eats through the queue at its price. Own orders at better prices would have been
  hit first and fill before it. Together they never get more than the print's size.
* A level of the opposite side at or through an own order's price would have traded with it: the order fills at its
  own price, at most with the size shown, and what it took is gone from that level. Judged when a message is complete.

In compatibility mode (``no_partial_fill``) fills are whole, whatever the size of the print or the level, taking leaves no
trace, and crossing is judged at every record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import NO_KEY, side_clear, side_size, side_update
from headwater.domain.event import NO_PRICE, EventFlag, EventKind, PrintClass, VenueStatus
from headwater.domain.order import OrderStatus, Reason, TriggerBy
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.bar_path import run_bar
from headwater.simulation.funding import settle_funding
from headwater.simulation.kinds import PriceSource
from headwater.simulation.liquidation import on_mark
from headwater.simulation.queue import queue_depth, queue_reached, queue_trade
from headwater.simulation.report import end_order, fill_order, leave_market
from headwater.simulation.requests import execute
from headwater.simulation.resting import list_head, may_rest_at
from headwater.simulation.state import NO_HANDLE, Sim
from headwater.simulation.take import leaves, venue_side
from headwater.simulation.triggers import first_fired, release

_DELTA = int(EventKind.BOOK_DELTA)
_SNAPSHOT = int(EventKind.BOOK_SNAPSHOT)
_CLEAR = int(EventKind.BOOK_CLEAR)
_TRADE = int(EventKind.TRADE)
_QUOTE = int(EventKind.QUOTE)
_BAR_OPEN = int(EventKind.BAR_OPEN)
_BAR_RANGE = int(EventKind.BAR_RANGE)
_BAR_CLOSE = int(EventKind.BAR_CLOSE)
_FUNDING = int(EventKind.FUNDING)
_MARK_PRICE = int(EventKind.MARK_PRICE)
_INDEX_PRICE = int(EventKind.INDEX_PRICE)
_STATUS = int(EventKind.STATUS)
_LAST_IN_MESSAGE = int(EventFlag.LAST_IN_MESSAGE)
_NORMAL = int(PrintClass.NORMAL)
_LIQUIDATION_PRINT = int(PrintClass.LIQUIDATION)
_BY_LAST = int(TriggerBy.LAST)
_BY_MARK = int(TriggerBy.MARK)
_BY_INDEX = int(TriggerBy.INDEX)
_FILLED = int(OrderStatus.FILLED)
_CANCELED = int(OrderStatus.CANCELED)
_R_REDUCE_ONLY = int(Reason.REDUCE_ONLY)
_QUOTES = int(PriceSource.QUOTES)
_HALTED = int(VenueStatus.HALTED)
_DELISTED = int(VenueStatus.DELISTED)


@kernel
def exchange_step(sim: Sim, event: Any) -> None:
    """Let the venue live through one event of its own timeline."""
    kind = event["kind"]
    if kind == _DELTA or kind == _SNAPSHOT:
        _on_level(sim, event)
    elif kind == _TRADE:
        _on_trade(sim, event)
    else:
        _on_other(sim, event)


@kernel
def _on_level(sim: Sim, event: Any) -> None:
    i = np.int64(event["instrument"])
    side = np.int64(event["side"])
    row = venue_side(i, side)
    best = sim.sides[row]["best"]
    before = side_update(sim.sides, sim.levels, row, event["price"] * side, event["size"])
    ins = sim.instruments[i]
    if ins["v_orders"] == 0:
        return
    if may_rest_at(ins, side, event["price"]):
        _move_queues(sim, ins, side, event["price"], before, event["size"])
    if ins["no_partial_fill"]:
        if sim.sides[row]["best"] > best:
            _fill_crossed_whole(sim, i, side, event["ts_venue"])
    elif (event["flags"] & _LAST_IN_MESSAGE) != 0:
        _fill_crossed(sim, i, event["ts_venue"])


@kernel
def _move_queues(sim: Sim, ins: Any, side: Int, price: Int, before: Int, after: Int) -> None:
    handle = list_head(ins, side)
    units = ins["lots_per_unit"]
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        ahead = (order["v_price"] - price) * side
        if ahead < 0:
            return
        if ahead == 0:
            queue_depth(ins["queue_model"], ins["queue_power"], order, before / units, after / units)
        handle = order["next"]


@kernel
def _fill_crossed_whole(sim: Sim, i: Int, side: Int, ts: Int) -> None:
    """Compatibility: the best price of `side` improved; own orders of the other side at or through it fill whole."""
    ins = sim.instruments[i]
    best = sim.sides[venue_side(i, side)]["best"]
    handle = list_head(ins, -side)
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        following = order["next"]
        if best - order["v_price"] * side < 0:
            return
        _fill_as_maker(sim, handle, order["v_size"] - order["v_filled"], ts)
        handle = following


@kernel
def _fill_crossed(sim: Sim, i: Int, ts: Int) -> None:
    for side in (1, -1):
        _fill_crossed_side(sim, i, np.int64(side), ts)


@kernel
def _fill_crossed_side(sim: Sim, i: Int, side: Int, ts: Int) -> None:
    """Own orders of `side` trade with the levels of the other side that reached them."""
    ins = sim.instruments[i]
    opposite = venue_side(i, -side)
    while list_head(ins, side) != NO_HANDLE:
        handle = list_head(ins, side)
        key = sim.sides[opposite]["best"]
        if key == NO_KEY or (sim.orders[handle]["v_price"] + side * key) * side < 0:
            return
        there = side_size(sim.sides, sim.levels, opposite, key)
        size = min(there, leaves(sim, handle))
        side_update(sim.sides, sim.levels, opposite, key, there - size)
        _fill_as_maker(sim, handle, size, ts)


@kernel
def _fill_as_maker(sim: Sim, handle: Int, size: Int, ts: Int) -> None:
    """Fill a resting order at its price; one that has nothing left to do leaves the book."""
    order = sim.orders[handle]
    if size > 0:
        fill_order(sim, handle, order["v_price"], size, ts, True, 0)
    if order["v_status"] == _FILLED:
        leave_market(sim, handle)
    elif leaves(sim, handle) <= 0:
        leave_market(sim, handle)
        end_order(sim, handle, _CANCELED, _R_REDUCE_ONLY, ts)


@kernel
def _on_trade(sim: Sim, event: Any) -> None:
    i = np.int64(event["instrument"])
    ins = sim.instruments[i]
    print_class = event["print_class"]
    consumes = print_class == _NORMAL or print_class == _LIQUIDATION_PRINT
    if consumes:
        ins["v_last"] = event["price"]
    if ins["v_orders"] == 0:
        return
    if consumes and event["side"] != 0:
        _eat_queue(sim, ins, np.int64(event["side"]), event["price"], event["size"], event["ts_venue"])
    if ins["v_trigger_head"] != NO_HANDLE:
        fire_triggers(sim, i, _BY_LAST, event["ts_venue"])


@kernel
def _eat_queue(sim: Sim, ins: Any, side: Int, price: Int, size: Int, ts: Int) -> None:
    """A print of an aggressor of `side` passes own orders on the other side."""
    handle = list_head(ins, -side)
    remaining = size
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        following = order["next"]
        through = (price - order["v_price"]) * side
        if through < 0:
            return
        reached = _reached_by_print(ins, order, through, size)
        if reached > 0:
            share = order["v_size"] - order["v_filled"]
            if not ins["no_partial_fill"]:
                share = min(min(reached, remaining), leaves(sim, handle))
            remaining -= share
            _fill_as_maker(sim, handle, share, ts)
        handle = following


@kernel
def _reached_by_print(ins: Any, order: Any, through: Int, size: Int) -> Int:
    if through > 0:
        return size
    units = ins["lots_per_unit"]
    queue_trade(order, size / units)
    return queue_reached(order, 1.0 / units)


@kernel
def fire_triggers(sim: Sim, i: Int, trigger_by: Int, ts: Int) -> None:
    """Execute the waiting orders that the current price arms, one after the other; none while trading is halted."""
    status = sim.instruments[i]["status"]
    if status == _HALTED or status == _DELISTED:
        return
    handle = first_fired(sim, i, trigger_by)
    while handle != NO_HANDLE:
        release(sim, handle)
        execute(sim, handle, ts)
        handle = first_fired(sim, i, trigger_by)


@kernel
def _on_other(sim: Sim, event: Any) -> None:
    i = np.int64(event["instrument"])
    ins = sim.instruments[i]
    kind = event["kind"]
    ts = event["ts_venue"]
    if kind == _BAR_CLOSE:
        run_bar(sim, i, event["price"], ts)
    elif kind == _BAR_OPEN:
        ins["v_bar_start"] = ts
        ins["v_bar_open"] = event["price"]
    elif kind == _BAR_RANGE:
        ins["v_bar_high"] = event["price"]
        ins["v_bar_low"] = event["size"]
    elif kind == _QUOTE:
        _on_quote(sim, ins, i, event)
    elif kind == _CLEAR:
        _on_clear(sim, i, event)
    else:
        _on_reference(sim, ins, i, event)


@kernel
def _on_clear(sim: Sim, i: Int, event: Any) -> None:
    """Forget the levels that a snapshot is about to replace; own queues are judged when the new levels come."""
    for side in (1, -1):
        if event["side"] == 0 or event["side"] == side:
            bound = np.int64(NO_KEY) if event["price"] == NO_PRICE else event["price"] * side
            side_clear(sim.sides, sim.levels, venue_side(i, side), bound)


@kernel
def _on_quote(sim: Sim, ins: Any, i: Int, event: Any) -> None:
    """Best prices alone: one level a side. Where there is a book, its deltas say more and quotes are passed over."""
    if ins["source"] != _QUOTES:
        return
    side = np.int64(event["side"])
    row = venue_side(i, side)
    key = event["price"] * side
    before = side_size(sim.sides, sim.levels, row, key)
    side_clear(sim.sides, sim.levels, row, np.int64(NO_KEY))
    side_update(sim.sides, sim.levels, row, key, event["size"])
    if ins["v_orders"] == 0:
        return
    if may_rest_at(ins, side, event["price"]):
        _move_queues(sim, ins, side, event["price"], before, event["size"])
    if (event["flags"] & _LAST_IN_MESSAGE) != 0:
        _fill_crossed(sim, i, event["ts_venue"])


@kernel
def _on_reference(sim: Sim, ins: Any, i: Int, event: Any) -> None:
    kind = event["kind"]
    ts = event["ts_venue"]
    if kind == _MARK_PRICE:
        ins["v_mark"] = event["price"]
        on_mark(sim, i, ts)
        if ins["v_trigger_head"] != NO_HANDLE:
            fire_triggers(sim, i, _BY_MARK, ts)
    elif kind == _INDEX_PRICE:
        ins["v_index"] = event["price"]
        if ins["v_trigger_head"] != NO_HANDLE:
            fire_triggers(sim, i, _BY_INDEX, ts)
    elif kind == _FUNDING:
        if not settle_funding(sim, i, event["price"], ts):
            sim.clock[0]["fundings_missed"] += 1
    elif kind == _STATUS:
        ins["status"] = event["size"]
