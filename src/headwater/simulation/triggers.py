"""Orders that wait at the venue: stops, take-profits and trailing stops for their price, and with bars
alone every order for the bar that it may take part in.

Which prices arm what::

    STOP_*         buy: price >= trigger    sell: price <= trigger
    TAKE_PROFIT_*  buy: price <= trigger    sell: price >= trigger
    TRAILING_STOP  like STOP, with a trigger that follows the best price since activation, `trail` ticks away

A price is the last trade (ticks), or the mark or index (units of 1e-8), whichever the order names; an order
that names a price which the data does not hold was refused when it was sent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderKind, OrderStatus, TimeInForce, TriggerBy
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import PriceSource, ReportKind
from headwater.simulation.report import report_order
from headwater.simulation.state import NO_HANDLE, Sim

_LIMIT = int(OrderKind.LIMIT)
_STOP_MARKET = int(OrderKind.STOP_MARKET)
_STOP_LIMIT = int(OrderKind.STOP_LIMIT)
_TRAILING = int(OrderKind.TRAILING_STOP)
_UNTRIGGERED = int(OrderStatus.UNTRIGGERED)
_NEW = int(OrderStatus.NEW)
_LAST = int(TriggerBy.LAST)
_MARK = int(TriggerBy.MARK)
_ACK = int(ReportKind.ACK)
_GTD = int(TimeInForce.GTD)
_BARS = int(PriceSource.BARS)


@kernel
def is_waiting(order: Any) -> Bool:
    """Whether the order is in the waiting list."""
    return order["v_status"] == _UNTRIGGERED


@kernel
def reference_price(ins: Any, trigger_by: Int) -> Int:
    """The venue's current price of that sort, or NO_PRICE."""
    if trigger_by == _LAST:
        return ins["v_last"]
    return ins["v_mark"] if trigger_by == _MARK else ins["v_index"]


@kernel
def trigger_direction(order: Any) -> Int:
    """+1: fires when the price rises to the trigger; -1: when it falls to it."""
    kind = order["kind"]
    stops = kind in (_STOP_MARKET, _STOP_LIMIT, _TRAILING)
    return np.int64(order["side"]) if stops else -np.int64(order["side"])


@kernel
def would_fire(ins: Any, order: Any) -> Bool:
    """Whether a new conditional order is past its trigger already. Trailing stops set their own trigger."""
    if order["kind"] == _TRAILING:
        return False
    price = reference_price(ins, order["trigger_by"])
    return price != NO_PRICE and (price - order["trigger"]) * trigger_direction(order) >= 0


@kernel
def await_trigger(sim: Sim, handle: Int, ts: Int) -> None:
    """Put an order into the waiting list of its instrument, behind those that came before."""
    order = sim.orders[handle]
    ins = sim.instruments[order["instrument"]]
    order["v_status"] = _UNTRIGGERED
    order["v_trigger"] = order["trigger"]
    if order["kind"] == _TRAILING:
        order["v_trigger"] = NO_PRICE
        _trail(ins, order, reference_price(ins, order["trigger_by"]))
    _append(ins, sim.orders, handle)
    ins["v_orders"] += 1
    sim.clock[0]["venue_open"] += 1
    await_expiry(sim.clock[0], order)
    report_order(sim, handle, ts, _ACK, 0)


@kernel
def await_expiry(clock: Any, order: Any) -> None:
    """Let the venue stop at the date of a good-till-date order."""
    if order["time_in_force"] == _GTD:
        clock["next_expiry"] = min(clock["next_expiry"], order["expire"])


@kernel
def _append(ins: Any, orders: Any, handle: Int) -> None:
    last = np.int64(NO_HANDLE)
    following = ins["v_trigger_head"]
    while following != NO_HANDLE:
        last = following
        following = orders[following]["next"]
    orders[handle]["next"] = NO_HANDLE
    orders[handle]["previous"] = last
    if last == NO_HANDLE:
        ins["v_trigger_head"] = handle
    else:
        orders[last]["next"] = handle


@kernel
def forget_trigger(sim: Sim, handle: Int) -> None:
    """Take an order out of the waiting list."""
    order = sim.orders[handle]
    ins = sim.instruments[order["instrument"]]
    if order["next"] != NO_HANDLE:
        sim.orders[order["next"]]["previous"] = order["previous"]
    if order["previous"] != NO_HANDLE:
        sim.orders[order["previous"]]["next"] = order["next"]
    else:
        ins["v_trigger_head"] = order["next"]
    ins["v_orders"] -= 1
    sim.clock[0]["venue_open"] -= 1


@kernel
def release(sim: Sim, handle: Int) -> None:
    """An order has waited long enough: it leaves the list and becomes an ordinary market or limit order."""
    forget_trigger(sim, handle)
    sim.orders[handle]["v_status"] = _NEW


@kernel
def first_fired(sim: Sim, i: Int, trigger_by: Int) -> Int:
    """Handle of the first waiting order that the price arms, or ``NO_HANDLE``. Moves trailing triggers."""
    ins = sim.instruments[i]
    price = reference_price(ins, trigger_by)
    if price == NO_PRICE:
        return np.int64(NO_HANDLE)
    handle = ins["v_trigger_head"]
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        if order["kind"] > _LIMIT and order["trigger_by"] == trigger_by and may_fire(ins, order):
            if _fires(order, price):
                return handle
            _trail(ins, order, price)
        handle = order["next"]
    return np.int64(NO_HANDLE)


@kernel
def may_fire(ins: Any, order: Any) -> Bool:
    """With bars alone, an order watches the last price in the bars that begin after it was sent, never in one before."""
    return ins["source"] != _BARS or order["trigger_by"] != _LAST or order["ts_sent"] <= ins["v_bar_start"]


@kernel
def _fires(order: Any, price: Int) -> Bool:
    return order["v_trigger"] != NO_PRICE and (price - order["v_trigger"]) * trigger_direction(order) >= 0


@kernel
def _trail(ins: Any, order: Any, price: Int) -> None:
    """A trailing stop follows the price once its activation price, if any, was reached, and never back."""
    if order["kind"] != _TRAILING or price == NO_PRICE:
        return
    side = np.int64(order["side"])
    is_active = order["v_trigger"] != NO_PRICE or order["trigger"] == NO_PRICE
    if not is_active and (price - order["trigger"]) * side > 0:
        return  # a selling stop becomes active when the price rises to the activation price
    distance = order["trail"] if order["trigger_by"] == _LAST else order["trail"] * ins["fine_per_tick"]
    proposed = price + side * distance
    if order["v_trigger"] == NO_PRICE or (proposed - order["v_trigger"]) * side < 0:
        order["v_trigger"] = proposed
