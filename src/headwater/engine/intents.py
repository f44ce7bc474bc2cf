"""From a strategy's intent to a request on the wire, or to a fault that ends the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderKind, OrderLogEvent, OrderStatus, TimeInForce, TriggerBy
from headwater.engine.reports import log_order
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import FaultKind
from headwater.simulation.latency import request_arrival
from headwater.simulation.rings import ring_slot
from headwater.simulation.state import NO_HANDLE, Sim

_NEW = int(RequestKind.NEW)
_CANCEL = int(RequestKind.CANCEL)
_AMEND = int(RequestKind.AMEND)
_NO_REQUEST = int(RequestKind.NONE)
_MARKET = int(OrderKind.MARKET)
_LIMIT = int(OrderKind.LIMIT)
_STOP_LIMIT = int(OrderKind.STOP_LIMIT)
_TAKE_PROFIT_LIMIT = int(OrderKind.TAKE_PROFIT_LIMIT)
_TRAILING = int(OrderKind.TRAILING_STOP)
_PENDING_NEW = int(OrderStatus.PENDING_NEW)
_FILLED = int(OrderStatus.FILLED)
_GTD = int(TimeInForce.GTD)
_MARK = int(TriggerBy.MARK)
_INDEX = int(TriggerBy.INDEX)
_LOG_SUBMIT = int(OrderLogEvent.SUBMIT)
_LOG_AMEND = int(OrderLogEvent.AMEND)
_LOG_CANCEL = int(OrderLogEvent.CANCEL)
_F_NONE = int(FaultKind.NONE)
_F_SIZE = int(FaultKind.BAD_SIZE)
_F_PRICE = int(FaultKind.BAD_PRICE)
_F_ORDER = int(FaultKind.UNKNOWN_ORDER)
_F_INSTRUMENT = int(FaultKind.BAD_INSTRUMENT)
_F_KIND = int(FaultKind.BAD_KIND)
_F_TOO_MANY = int(FaultKind.TOO_MANY_ORDERS)
_F_RING = int(FaultKind.RING_FULL)
_F_MARK = int(FaultKind.NO_MARK_PRICE)
_F_INDEX = int(FaultKind.NO_INDEX_PRICE)
_F_GRID = int(FaultKind.OFF_GRID)
_F_NOT_OFFERED = int(FaultKind.NOT_OFFERED)


@kernel
def send_intents(sim: Sim, outbox: Any, count: Int) -> Bool:
    """Send the first `count` intents; False when one is impossible: the clock then says which and why."""
    for row in range(count):
        intent = outbox[row]
        fault = _send(sim, intent)
        if fault != _F_NONE:
            clock = sim.clock[0]
            clock["fault"] = fault
            clock["fault_intent"] = row
            clock["fault_instrument"] = intent["instrument"]
            clock["fault_value"] = _offending(intent, fault)
            return False
    return True


@kernel
def _offending(intent: Any, fault: Int) -> Int:
    if fault == _F_SIZE:
        return intent["size"]
    if fault == _F_PRICE or fault == _F_GRID:
        return intent["price"]
    if fault == _F_KIND or fault == _F_NOT_OFFERED:
        return np.int64(intent["kind"])
    return intent["order"]


@kernel
def _send(sim: Sim, intent: Any) -> Int:
    clock = sim.clock[0]
    if clock["request_tail"] - clock["request_head"] >= len(sim.requests) - 1:
        return _F_RING
    if intent["action"] == _NEW:
        return _send_new(sim, intent)
    return _send_change(sim, intent)


@kernel
def _send_new(sim: Sim, intent: Any) -> Int:
    fault = _impossible(sim, intent)
    if fault != _F_NONE:
        return fault
    clock = sim.clock[0]
    handle = clock["free_order"]
    if handle == NO_HANDLE:
        return _F_TOO_MANY
    clock["free_order"] = sim.orders[handle]["next"]
    _write_order(sim, handle, intent)
    order = sim.orders[handle]
    order["open_at"] = clock["open_count"]
    sim.open_orders[clock["open_count"]] = handle
    clock["open_count"] += 1
    sim.instruments[order["instrument"]]["l_working"] += 1
    _post_request(sim, handle, _NEW, order["price"], order["size"])
    if clock["log_orders"]:
        log_order(sim, handle, clock["now"], np.int64(0), _LOG_SUBMIT, np.int64(0), np.nan)
    return _F_NONE


@kernel
def _impossible(sim: Sim, intent: Any) -> Int:
    """What no venue could understand, or what the data does not hold."""
    i = intent["instrument"]
    if i < 0 or i >= len(sim.instruments):
        return _F_INSTRUMENT
    kind = intent["kind"]
    if kind > _TRAILING or (intent["side"] != 1 and intent["side"] != -1):
        return _F_KIND
    if intent["size"] <= 0:
        return _F_SIZE
    limited = kind == _LIMIT or kind == _STOP_LIMIT or kind == _TAKE_PROFIT_LIMIT
    if limited != (intent["price"] != NO_PRICE) or (limited and intent["price"] <= 0):
        return _F_PRICE
    ins = sim.instruments[i]
    if not _is_offered(ins, intent):
        return _F_NOT_OFFERED
    if not _on_grid(ins, intent["price"] if limited else np.int64(0), intent["size"]):
        return _F_GRID
    if intent["time_in_force"] == _GTD and intent["expire"] <= sim.clock[0]["now"]:
        return _F_KIND
    if kind <= _LIMIT:
        return _F_NONE
    if kind != _TRAILING and intent["trigger"] == NO_PRICE:
        return _F_PRICE
    if kind == _TRAILING and intent["trail"] <= 0:
        return _F_PRICE
    if intent["trigger_by"] == _MARK and not ins["has_mark"]:
        return _F_MARK
    if intent["trigger_by"] == _INDEX and not ins["has_index"]:
        return _F_INDEX
    return _F_NONE


@kernel
def _is_offered(ins: Any, intent: Any) -> Bool:
    """Whether the venue takes orders of this sort at all."""
    kind = np.int64(intent["kind"])
    if (ins["kinds_mask"] >> kind) & 1 == 0 or np.int64(intent["flags"]) & ~ins["flags_mask"] != 0:
        return False
    if intent["time_in_force"] == _GTD and not ins["has_gtd"]:
        return False
    return kind <= _LIMIT or (ins["triggers_mask"] >> np.int64(intent["trigger_by"])) & 1 != 0


@kernel
def _on_grid(ins: Any, price: Int, size: Int) -> Bool:
    return size % ins["size_step"] == 0 and price % ins["price_step"] == 0


@kernel
def _write_order(sim: Sim, handle: Int, intent: Any) -> None:
    clock = sim.clock[0]
    order = sim.orders[handle]
    order["number"] = clock["next_number"]
    clock["next_number"] += 1
    order["instrument"] = intent["instrument"]
    order["price"] = intent["price"]
    order["size"] = intent["size"]
    order["trigger"] = intent["trigger"]
    order["trail"] = intent["trail"]
    order["expire"] = intent["expire"]
    order["ts_sent"] = clock["now"]
    order["side"] = intent["side"]
    order["kind"] = intent["kind"]
    order["time_in_force"] = intent["time_in_force"]
    order["flags"] = intent["flags"]
    order["trigger_by"] = intent["trigger_by"]
    order["position_side"] = intent["position_side"]
    order["l_status"] = _PENDING_NEW
    order["l_pending"] = _NEW
    order["l_price"] = intent["price"]
    order["l_filled"] = 0
    order["v_status"] = 0
    order["v_filled"] = 0
    order["v_front"] = np.nan


@kernel
def _send_change(sim: Sim, intent: Any) -> Int:
    """Cancel or amend. An order that already has one of them in flight is left alone: the answer is on its way."""
    handle = intent["order"]
    if handle < 0 or handle >= len(sim.orders) or sim.orders[handle]["number"] < 0:
        return _F_ORDER
    order = sim.orders[handle]
    if order["l_status"] >= _FILLED or order["l_pending"] == _CANCEL:
        return _F_NONE
    clock = sim.clock[0]
    if intent["action"] == _CANCEL:
        order["l_pending"] = _CANCEL
        _post_request(sim, handle, _CANCEL, order["price"], order["size"])
        if clock["log_orders"]:
            log_order(sim, handle, clock["now"], np.int64(0), _LOG_CANCEL, np.int64(0), np.nan)
        return _F_NONE
    return _send_amend(sim, handle, intent)


@kernel
def _send_amend(sim: Sim, handle: Int, intent: Any) -> Int:
    order = sim.orders[handle]
    if order["l_pending"] != _NO_REQUEST:
        return _F_NONE
    if intent["size"] <= 0:
        return _F_SIZE
    if intent["price"] <= 0 or order["price"] == NO_PRICE:
        return _F_PRICE
    if not _on_grid(sim.instruments[order["instrument"]], intent["price"], intent["size"]):
        return _F_GRID
    clock = sim.clock[0]
    order["l_pending"] = _AMEND
    _post_request(sim, handle, _AMEND, intent["price"], intent["size"])
    if clock["log_orders"]:
        log_order(sim, handle, clock["now"], np.int64(0), _LOG_AMEND, np.int64(0), np.nan)
    return _F_NONE


@kernel
def _post_request(sim: Sim, handle: Int, kind: Int, price: Int, size: Int) -> None:
    clock = sim.clock[0]
    order = sim.orders[handle]
    i = order["instrument"]
    if clock["request_head"] == clock["request_tail"]:
        clock["request_head"] = 0  # start over in memory that is warm
        clock["request_tail"] = 0
    arrival = request_arrival(sim.venues[sim.instruments[i]["venue"]], sim.tables, clock["now"])
    slot = ring_slot(sim.requests, clock["request_head"], clock["request_tail"], arrival)
    clock["request_tail"] += 1
    clock["requests_sent"] += 1
    request = sim.requests[slot]
    request["ts"] = arrival
    request["order"] = handle
    request["number"] = order["number"]
    request["instrument"] = i
    request["kind"] = kind
    request["price"] = price
    request["size"] = size
    request["ts_sent"] = clock["now"]
