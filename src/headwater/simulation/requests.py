"""What the venue does with a request when it arrives: accept, refuse, match, rest, change, cancel."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import NO_KEY, side_size
from headwater.domain.event import NO_PRICE, VenueStatus
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderFlag, OrderKind, OrderStatus, Reason, TimeInForce
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import PriceSource, ReportKind
from headwater.simulation.margin import affords
from headwater.simulation.money import notional
from headwater.simulation.position import closable
from headwater.simulation.queue import queue_join
from headwater.simulation.report import end_order, leave_market, report_order
from headwater.simulation.resting import relink, rest, unrest
from headwater.simulation.state import FAR_FUTURE, I64, NO_HANDLE, Sim
from headwater.simulation.synthetic import show_price
from headwater.simulation.take import (
    crosses,
    leaves,
    may_only_reduce,
    protective_limit,
    take,
    takeable,
    venue_side,
)
from headwater.simulation.triggers import await_expiry, await_trigger, forget_trigger, is_waiting, would_fire

_NEW_REQUEST = int(RequestKind.NEW)
_CANCEL = int(RequestKind.CANCEL)
_ACK = int(ReportKind.ACK)
_CANCEL_REJECT = int(ReportKind.CANCEL_REJECT)
_AMEND_REJECT = int(ReportKind.AMEND_REJECT)

_MARKET = int(OrderKind.MARKET)
_LIMIT = int(OrderKind.LIMIT)
_GTC = int(TimeInForce.GTC)
_IOC = int(TimeInForce.IOC)
_FOK = int(TimeInForce.FOK)
_GTD = int(TimeInForce.GTD)
_POST_ONLY = int(OrderFlag.POST_ONLY)
_REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)

_STATUS_NEW = int(OrderStatus.NEW)
_FILLED = int(OrderStatus.FILLED)
_PARTIALLY_FILLED = int(OrderStatus.PARTIALLY_FILLED)
_CANCELED = int(OrderStatus.CANCELED)
_REJECTED = int(OrderStatus.REJECTED)
_EXPIRED = int(OrderStatus.EXPIRED)

_BARS = int(PriceSource.BARS)
_TRADES = int(PriceSource.TRADES)
_TRADING = int(VenueStatus.TRADING)
_HALTED = int(VenueStatus.HALTED)
_DELISTED = int(VenueStatus.DELISTED)
_POST_ONLY_STATUS = int(VenueStatus.POST_ONLY)

_R_NONE = int(Reason.NONE)
_R_POST_ONLY = int(Reason.POST_ONLY_WOULD_TAKE)
_R_RATE = int(Reason.RATE_LIMIT)
_R_REDUCE_ONLY = int(Reason.REDUCE_ONLY)
_R_MARGIN = int(Reason.INSUFFICIENT_MARGIN)
_R_BAND = int(Reason.PRICE_BAND)
_R_SIZE = int(Reason.SIZE_LIMIT)
_R_NOTIONAL = int(Reason.MIN_NOTIONAL)
_R_NOT_FOUND = int(Reason.ORDER_NOT_FOUND)
_R_LIQUIDITY = int(Reason.NO_LIQUIDITY)
_R_FOK = int(Reason.FILL_OR_KILL)
_R_IOC = int(Reason.IMMEDIATE_OR_CANCEL)
_R_WOULD_FIRE = int(Reason.TRIGGER_WOULD_FIRE)
_R_BY_USER = int(Reason.BY_USER)
_R_NOT_TRADING = int(Reason.NOT_TRADING)
_R_BELOW_FILLED = int(Reason.AMEND_BELOW_FILLED)
_R_TOO_MANY = int(Reason.TOO_MANY_ORDERS)
_R_POSITION_MODE = int(Reason.POSITION_MODE)
_R_GTD = int(Reason.GTD_EXPIRED)
_R_PROTECTIVE = int(Reason.PROTECTIVE_PRICE)


@kernel
def receive_request(sim: Sim, request: Any, ts: Int) -> None:
    """Act on one request that arrives at `ts`."""
    handle = request["order"]
    kind = request["kind"]
    venue = sim.venues[sim.instruments[request["instrument"]]["venue"]]
    counts = kind != _CANCEL or venue["cancels_count"] != 0
    limited = counts and not _within_rate(venue, sim.tables, ts)
    clock = sim.clock[0]
    clock["answering"] = kind
    clock["answering_sent"] = request["ts_sent"]
    if kind == _NEW_REQUEST:
        _receive_new(sim, handle, ts, limited)
    elif limited:
        report_order(sim, handle, ts, _CANCEL_REJECT if kind == _CANCEL else _AMEND_REJECT, _R_RATE)
    elif kind == _CANCEL:
        _receive_cancel(sim, handle, ts)
    else:
        _receive_amend(sim, handle, request["price"], request["size"], ts)
    clock["answering"] = 0


@kernel
def _within_rate(venue: Any, tables: I64, ts: Int) -> Bool:
    """Rolling window: the request that was `rate_limit` requests ago must be older than the window."""
    limit = venue["rate_limit"]
    if limit == 0:
        return True
    cell = venue["rate_at"] + venue["rate_next"]
    if ts - tables[cell] < venue["rate_window_ns"]:
        return False
    tables[cell] = ts
    venue["rate_next"] = (venue["rate_next"] + 1) % limit
    return True


@kernel
def _receive_new(sim: Sim, handle: Int, ts: Int, limited: Bool) -> None:
    order = sim.orders[handle]
    ins = sim.instruments[order["instrument"]]
    order["v_price"] = order["price"]
    order["v_size"] = order["size"]
    order["v_filled"] = 0
    reason = _R_RATE if limited else _refusal(sim, ins, order, ts)
    if reason != _R_NONE:
        end_order(sim, handle, _REJECTED, reason, ts)
        return
    if may_only_reduce(order) and not ins["reduce_only_rejects"]:
        order["v_size"] = min(order["v_size"], closable(ins, order["side"], order["position_side"]))
    if order["kind"] > _LIMIT or (ins["source"] == _BARS and not _at_close(ins, ts)):
        await_trigger(sim, handle, ts)
    else:
        execute(sim, handle, ts)


@kernel
def _at_close(ins: Any, ts: Int) -> Bool:
    """Bars: an order that arrives with the close may trade at the close, if the settings say so."""
    return ins["bar_fill_at_close"] != 0 and ins["v_bar_ts"] == ts


@kernel
def _refusal(sim: Sim, ins: Any, order: Any, ts: Int) -> Int:
    """The first reason to refuse a new order, in the order in which venues check, or NONE."""
    status = ins["status"]
    if status == _HALTED or status == _DELISTED:
        return _R_NOT_TRADING
    if ins["hedge_mode"] != (order["position_side"] != 0):
        return _R_POSITION_MODE
    if order["time_in_force"] == _GTD and order["expire"] <= ts:
        return _R_GTD
    reason = _size_refusal(ins, order)
    if reason != _R_NONE:
        return reason
    if ins["v_orders"] >= ins["orders_max"]:
        return _R_TOO_MANY
    if order["kind"] > _LIMIT and would_fire(ins, order):
        return _R_WOULD_FIRE
    if status == _POST_ONLY_STATUS and (order["flags"] & _POST_ONLY) == 0:
        return _R_NOT_TRADING
    if not _within_band(ins, order):
        return _R_BAND
    return _exposure_refusal(sim, ins, order)


@kernel
def _size_refusal(ins: Any, order: Any) -> Int:
    size = order["size"]
    largest = ins["size_market_max"] if order["kind"] == _MARKET else ins["size_max"]
    if size < ins["size_min"] or (largest > 0 and size > largest):
        return _R_SIZE
    if ins["notional_min"] == 0 or (order["flags"] & _REDUCE_ONLY) != 0 or order["kind"] > _LIMIT:
        return _R_NONE
    price = order["price"] if order["price"] != NO_PRICE else ins["v_last"]
    if price != NO_PRICE and notional(ins, price, size) < ins["notional_min"]:
        return _R_NOTIONAL
    return _R_NONE


@kernel
def _within_band(ins: Any, order: Any) -> Bool:
    """Limit prices too far on the aggressive side of the reference (mark where there is one, else last) are refused."""
    band = ins["band_up_e8"] if order["side"] > 0 else ins["band_down_e8"]
    if band == 0 or order["price"] == NO_PRICE:
        return True
    reference = ins["v_last"]
    if ins["v_mark"] != NO_PRICE:
        reference = ins["v_mark"] // ins["fine_per_tick"]
    if reference == NO_PRICE:
        return True
    distance = (order["price"] - reference) * order["side"]
    return distance * 100_000_000 <= reference * band


@kernel
def _exposure_refusal(sim: Sim, ins: Any, order: Any) -> Int:
    if may_only_reduce(order):
        can = closable(ins, order["side"], order["position_side"])
        if can == 0 or (ins["reduce_only_rejects"] and order["size"] > can):
            return _R_REDUCE_ONLY
        return _R_NONE
    return _R_NONE if affords(sim, order) else _R_MARGIN


@kernel
def execute(sim: Sim, handle: Int, ts: Int) -> None:
    """Match an accepted (or triggered) market or limit order; rest what remains, if it may."""
    order = sim.orders[handle]
    ins = sim.instruments[order["instrument"]]
    if ins["source"] >= _TRADES and ins["v_last"] != NO_PRICE:
        show_price(sim.sides, sim.levels, venue_side(order["instrument"], 1), ins["v_last"])
    if order["v_price"] == NO_PRICE:
        _execute_market(sim, handle, ts)
    else:
        _execute_limit(sim, handle, ts)


@kernel
def _execute_market(sim: Sim, handle: Int, ts: Int) -> None:
    order = sim.orders[handle]
    i = order["instrument"]
    key = sim.sides[venue_side(i, -order["side"])]["best"]
    if key == NO_KEY:
        end_order(sim, handle, _CANCELED, _R_LIQUIDITY, ts)
        return
    take(sim, handle, protective_limit(sim.instruments[i], order["side"], key), ts)
    if order["v_status"] != _FILLED:
        end_order(sim, handle, _CANCELED, _why_unfilled(sim, handle), ts)


@kernel
def _why_unfilled(sim: Sim, handle: Int) -> Int:
    """What stopped a market order short."""
    order = sim.orders[handle]
    if leaves(sim, handle) <= 0:
        return _R_REDUCE_ONLY
    best = sim.sides[venue_side(order["instrument"], -order["side"])]["best"]
    return _R_LIQUIDITY if best == NO_KEY else _R_PROTECTIVE


@kernel
def _execute_limit(sim: Sim, handle: Int, ts: Int) -> None:
    order = sim.orders[handle]
    i = order["instrument"]
    side = order["side"]
    price = order["v_price"]
    force = order["time_in_force"]
    if crosses(price, side, sim.sides[venue_side(i, -side)]["best"]):
        if (order["flags"] & _POST_ONLY) != 0:
            end_order(sim, handle, _EXPIRED, _R_POST_ONLY, ts)
            return
        whole = sim.instruments[i]["no_partial_fill"] != 0
        if force == _FOK and not whole and not takeable(sim, i, side, price, leaves(sim, handle)):
            end_order(sim, handle, _EXPIRED, _R_FOK, ts)
            return
        take(sim, handle, price, ts)
        if order["v_status"] == _FILLED:
            return
    if force == _IOC or force == _FOK:
        end_order(sim, handle, _EXPIRED, _R_IOC if force == _IOC else _R_FOK, ts)
    elif leaves(sim, handle) <= 0:
        end_order(sim, handle, _CANCELED, _R_REDUCE_ONLY, ts)
    else:
        enter_book(sim, handle, ts)


@kernel
def enter_book(sim: Sim, handle: Int, ts: Int) -> None:
    """Rest an order behind what is displayed at its price, and say so."""
    order = sim.orders[handle]
    i = order["instrument"]
    ins = sim.instruments[i]
    own = venue_side(i, order["side"])
    level = side_size(sim.sides, sim.levels, own, order["v_price"] * np.int64(order["side"]))
    queue_join(order, level / ins["lots_per_unit"])
    if order["v_status"] != _PARTIALLY_FILLED:
        order["v_status"] = _STATUS_NEW
    rest(ins, sim.orders, handle)
    ins["v_orders"] += 1
    sim.clock[0]["venue_open"] += 1
    await_expiry(sim.clock[0], order)
    report_order(sim, handle, ts, _ACK, _R_NONE)


@kernel
def _is_resting(order: Any) -> Bool:
    status = order["v_status"]
    return status == _STATUS_NEW or status == _PARTIALLY_FILLED


@kernel
def _receive_cancel(sim: Sim, handle: Int, ts: Int) -> None:
    order = sim.orders[handle]
    if _is_resting(order) or is_waiting(order):
        _withdraw(sim, handle)
        end_order(sim, handle, _CANCELED, _R_BY_USER, ts)
    else:
        report_order(sim, handle, ts, _CANCEL_REJECT, _R_NOT_FOUND)


@kernel
def _receive_amend(sim: Sim, handle: Int, price: Int, size: Int, ts: Int) -> None:
    order = sim.orders[handle]
    ins = sim.instruments[order["instrument"]]
    if not _is_resting(order):
        report_order(sim, handle, ts, _AMEND_REJECT, _R_NOT_FOUND)
        return
    if size <= order["v_filled"] and ins["amend_below_filled_cancels"]:
        leave_market(sim, handle)
        end_order(sim, handle, _CANCELED, _R_BELOW_FILLED, ts)
        return
    reason = _amend_refusal(sim, ins, handle, price, size)
    if reason != _R_NONE:
        report_order(sim, handle, ts, _AMEND_REJECT, reason)
        return
    keeps = price == order["v_price"] and size <= order["v_size"] and ins["decrease_keeps_queue"] != 0
    order["v_size"] = size
    if keeps:
        report_order(sim, handle, ts, _ACK, _R_NONE)
        return
    leave_market(sim, handle)
    order["v_price"] = price
    _execute_limit(sim, handle, ts)


@kernel
def _amend_refusal(sim: Sim, ins: Any, handle: Int, price: Int, size: Int) -> Int:
    """Judge the order as it would be; it keeps what it was when that is refused."""
    order = sim.orders[handle]
    if ins["status"] == _HALTED or ins["status"] == _DELISTED:
        return _R_NOT_TRADING
    if size <= order["v_filled"]:
        return _R_BELOW_FILLED
    if size <= order["v_size"] and price == order["v_price"]:
        return _R_NONE
    old_price, old_size = order["v_price"], order["v_size"]
    asked_price, asked_size = order["price"], order["size"]
    unrest(ins, sim.orders, handle)
    order["v_price"], order["v_size"], order["price"], order["size"] = price, size, price, size
    reason = _size_refusal(ins, order)
    if reason == _R_NONE and not _within_band(ins, order):
        reason = _R_BAND
    if reason == _R_NONE and not may_only_reduce(order) and not affords(sim, order):
        reason = _R_MARGIN
    order["v_price"], order["v_size"], order["price"], order["size"] = (
        old_price,
        old_size,
        asked_price,
        asked_size,
    )
    relink(ins, sim.orders, handle)
    return reason


@kernel
def cancel_all(sim: Sim, i: Int, reason: Int, ts: Int) -> None:
    """Cancel every resting and waiting order of instrument `i`."""
    ins = sim.instruments[i]
    for head in range(3):
        while True:
            handle = _head_of(ins, head)
            if handle == NO_HANDLE:
                break
            _withdraw(sim, handle)
            end_order(sim, handle, _CANCELED, reason, ts)


@kernel
def _head_of(ins: Any, number: Int) -> Int:
    """The first order of the buys (0), the sells (1) or those that wait (2)."""
    return ins["v_buy_head"] if number == 0 else ins["v_sell_head"] if number == 1 else ins["v_trigger_head"]


@kernel
def _withdraw(sim: Sim, handle: Int) -> None:
    """Take an order out of whichever list it is in."""
    if is_waiting(sim.orders[handle]):
        forget_trigger(sim, handle)
    else:
        leave_market(sim, handle)


@kernel
def expire_due(sim: Sim, ts: Int) -> None:
    """End the good-till-date orders whose date has come, and find the next date."""
    clock = sim.clock[0]
    clock["next_expiry"] = FAR_FUTURE
    for i in range(len(sim.instruments)):
        ins = sim.instruments[i]
        for head in range(3):
            handle = _head_of(ins, head)
            while handle != NO_HANDLE:
                following = sim.orders[handle]["next"]
                _expire_if_due(sim, handle, ts)
                handle = following


@kernel
def _expire_if_due(sim: Sim, handle: Int, ts: Int) -> None:
    order = sim.orders[handle]
    if order["time_in_force"] != _GTD:
        return
    if order["expire"] <= ts:
        _withdraw(sim, handle)
        end_order(sim, handle, _EXPIRED, _R_GTD, ts)
    else:
        await_expiry(sim.clock[0], order)
