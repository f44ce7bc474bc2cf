"""What happens inside a bar when bars are all that is known: a stated, pessimistic path.

1. The bar opens. Orders that were sent before it began and wait for it execute at the open.
2. The price goes to the extreme that hurts first: to the low when the position is long or flat, else to the high;
   then to the other extreme; then to the close. It moves in straight lines.
3. A resting limit order fills at its own price, and only when the price goes *through* it by at least a tick.
4. A stop fires at its trigger, or at the open if the bar opened beyond it.
5. Once a position was opened inside the bar (after its open), resting orders no longer fill in this bar, but stops
   do: an entry and its profit target never both fill inside one bar.

Takers pay ``slippage_e8`` of the price on top (impact.py). Sizes are not limited by the bar's volume. Orders sent while a
bar runs, stops among them, wait for the next one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderKind, OrderStatus, Reason, TriggerBy
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.report import end_order, fill_order, leave_market
from headwater.simulation.requests import execute
from headwater.simulation.resting import list_head
from headwater.simulation.state import NO_HANDLE, Sim
from headwater.simulation.take import leaves
from headwater.simulation.triggers import first_fired, may_fire, release, trigger_direction

_LIMIT = int(OrderKind.LIMIT)
_BY_LAST = int(TriggerBy.LAST)
_FILLED = int(OrderStatus.FILLED)
_CANCELED = int(OrderStatus.CANCELED)
_R_REDUCE_ONLY = int(Reason.REDUCE_ONLY)


@kernel
def run_bar(sim: Sim, i: Int, close: Int, ts: Int) -> None:
    """Live through the bar whose open, high and low were noted; `close` ticks at `ts`."""
    ins = sim.instruments[i]
    ins["v_bar_ts"] = ts
    if ins["v_orders"] > 0:
        _move_to(sim, i, ins["v_bar_open"])
        _execute_waiting(sim, i, ts)
        _fire(sim, i, ts)
        no_long = ins["v_long"] == 0
        no_short = ins["v_short"] == 0
        low_first = ins["v_long"] >= ins["v_short"]
        first = ins["v_bar_low"] if low_first else ins["v_bar_high"]
        second = ins["v_bar_high"] if low_first else ins["v_bar_low"]
        _walk(sim, i, first, no_long, no_short, ts)
        _walk(sim, i, second, no_long, no_short, ts)
        _walk(sim, i, close, no_long, no_short, ts)
    _move_to(sim, i, close)


@kernel
def _move_to(sim: Sim, i: Int, price: Int) -> None:
    sim.instruments[i]["v_last"] = price


@kernel
def _execute_waiting(sim: Sim, i: Int, ts: Int) -> None:
    """Market and limit orders that waited for this bar."""
    ins = sim.instruments[i]
    handle = ins["v_trigger_head"]
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        following = order["next"]
        if order["kind"] <= _LIMIT and order["ts_sent"] <= ins["v_bar_start"]:
            release(sim, handle)
            execute(sim, handle, ts)
        handle = following


@kernel
def _fire(sim: Sim, i: Int, ts: Int) -> None:
    handle = first_fired(sim, i, _BY_LAST)
    while handle != NO_HANDLE:
        release(sim, handle)
        execute(sim, handle, ts)
        handle = first_fired(sim, i, _BY_LAST)


@kernel
def _walk(sim: Sim, i: Int, target: Int, no_long: Bool, no_short: Bool, ts: Int) -> None:
    """Move the price to `target`, meeting orders in the order in which the price meets them.

    `no_long`, `no_short`: after the open there was no such leg, so that one that is there now was opened inside.
    """
    ins = sim.instruments[i]
    while True:
        direction = np.int64(1) if target > ins["v_last"] else np.int64(-1)
        opened = (no_long and ins["v_long"] != 0) or (no_short and ins["v_short"] != 0)
        stop = _next_trigger(sim, i, direction, target)
        resting = np.int64(NO_HANDLE) if opened else _next_resting(sim, ins, direction, target)
        if stop == NO_HANDLE and resting == NO_HANDLE:
            break
        if resting != NO_HANDLE and (
            stop == NO_HANDLE
            or (sim.orders[stop]["v_trigger"] - sim.orders[resting]["v_price"]) * direction > 0
        ):
            _fill_resting(sim, i, resting, ts)
        else:
            _fire_at(sim, i, stop, direction, ts)
    _move_to(sim, i, target)
    _fire(sim, i, ts)  # moves trailing stops to the extreme


@kernel
def _next_resting(sim: Sim, ins: Any, direction: Int, target: Int) -> Int:
    """The resting order that the price meets first and goes through before `target`."""
    handle = list_head(ins, -direction)
    if handle != NO_HANDLE and (target - sim.orders[handle]["v_price"]) * direction > 0:
        return handle
    return np.int64(NO_HANDLE)


@kernel
def _next_trigger(sim: Sim, i: Int, direction: Int, target: Int) -> Int:
    """The conditional order that the price meets first on its way to `target`."""
    best = np.int64(NO_HANDLE)
    handle = sim.instruments[i]["v_trigger_head"]
    while handle != NO_HANDLE:
        order = sim.orders[handle]
        if order["kind"] > _LIMIT and order["trigger_by"] == _BY_LAST and may_fire(sim.instruments[i], order):
            trigger = order["v_trigger"]
            ahead = trigger != NO_PRICE and trigger_direction(order) == direction
            if ahead and (target - trigger) * direction >= 0:
                nearer = best == NO_HANDLE or (sim.orders[best]["v_trigger"] - trigger) * direction > 0
                best = handle if nearer else best
        handle = order["next"]
    return best


@kernel
def _fill_resting(sim: Sim, i: Int, handle: Int, ts: Int) -> None:
    order = sim.orders[handle]
    price = order["v_price"]
    if (price - sim.instruments[i]["v_last"]) * np.int64(order["side"]) < 0:
        _move_to(sim, i, price)
    size = leaves(sim, handle)
    if size > 0:
        fill_order(sim, handle, price, size, ts, True, 0)
    leave_market(sim, handle)
    if order["v_status"] != _FILLED:
        end_order(sim, handle, _CANCELED, _R_REDUCE_ONLY, ts)


@kernel
def _fire_at(sim: Sim, i: Int, handle: Int, direction: Int, ts: Int) -> None:
    """Fire a stop where the price meets it: at its trigger, or where the price already stands beyond it."""
    trigger = sim.orders[handle]["v_trigger"]
    if (trigger - sim.instruments[i]["v_last"]) * direction > 0:
        _move_to(sim, i, trigger)
    release(sim, handle)
    execute(sim, handle, ts)
