"""The trader learns what the venue did: order states, fills, money."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderLogEvent, OrderStatus
from headwater.domain.view import WakeKind
from headwater.engine.view import show_market
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float, Int
from headwater.simulation.kinds import ReportKind
from headwater.simulation.state import NO_HANDLE, Sim

_FILL = int(ReportKind.FILL)
_CANCEL_REJECT = int(ReportKind.CANCEL_REJECT)
_AMEND_REJECT = int(ReportKind.AMEND_REJECT)
_FUNDING = int(ReportKind.FUNDING)
_NO_REQUEST = int(RequestKind.NONE)
_FILLED = int(OrderStatus.FILLED)
_W_FILL = int(WakeKind.FILL)
_W_REPORT = int(WakeKind.REPORT)
_LOG_REPORT = int(OrderLogEvent.REPORT)


@kernel
def apply_report(sim: Sim, report: Any, view: Any) -> Int:
    """Apply one report that arrives now; returns WakeKind bits. `view` receives the details of a fill."""
    kind = report["kind"]
    if kind == _FUNDING:
        sim.instruments[report["instrument"]]["l_funding"] += report["cash"]
        return np.int64(_W_REPORT)
    if kind == _FILL:
        _apply_fill(sim, report, view)
    if report["order"] >= 0:
        _apply_to_order(sim, report, kind)
    return np.int64(_W_REPORT | _W_FILL) if kind == _FILL else np.int64(_W_REPORT)


@kernel
def _apply_fill(sim: Sim, report: Any, view: Any) -> None:
    ins = sim.instruments[report["instrument"]]
    change = np.int64(report["side"]) * report["size"]
    ins["l_position"] += change
    if report["position_side"] == 1:
        ins["l_long"] += change
    elif report["position_side"] == 2:
        ins["l_short"] -= change
    ins["l_cash"] += report["cash"]
    ins["l_fee"] += report["fee"]
    view["fill_order"] = report["number"]
    view["fill_price"] = report["price"]
    view["fill_size"] = report["size"]
    view["fill_side"] = report["side"]
    view["fill_is_maker"] = report["is_maker"]
    show_market(sim, report["instrument"], view)
    _log_fill(sim, report, view)


@kernel
def _log_fill(sim: Sim, report: Any, view: Any) -> None:
    clock = sim.clock[0]
    row = sim.fills[clock["fill_count"]]
    clock["fill_count"] += 1
    row["ts_venue"] = report["ts_venue"]
    row["ts_local"] = report["ts"]
    row["order"] = report["number"]
    row["price"] = report["price"]
    row["size"] = report["size"]
    row["fee"] = report["fee"]
    row["cash"] = report["cash"]
    row["instrument"] = report["instrument"]
    row["side"] = report["side"]
    row["is_maker"] = report["is_maker"]
    row["kind"] = report["fill_kind"]
    row["position_side"] = report["position_side"]
    row["bid"] = view["bid"]
    row["ask"] = view["ask"]


@kernel
def _apply_to_order(sim: Sim, report: Any, kind: Int) -> None:
    handle = report["order"]
    order = sim.orders[handle]
    if report["answers"] != _NO_REQUEST:
        _log_latency(sim, report)
        if report["answers"] == order["l_pending"]:
            order["l_pending"] = _NO_REQUEST
    if kind != _CANCEL_REJECT and kind != _AMEND_REJECT:
        _apply_status(order, report, kind)
    if sim.clock[0]["log_orders"]:
        log_order(
            sim,
            handle,
            report["ts"],
            report["ts_venue"],
            _LOG_REPORT,
            report["reason"],
            report["queue_ahead"],
        )
    if order["l_status"] >= _FILLED:
        _leave_open(sim, handle)
        if order["l_pending"] == _NO_REQUEST:
            _free(sim, handle)


@kernel
def _apply_status(order: Any, report: Any, kind: Int) -> None:
    order["l_filled"] = report["filled"]
    order["l_status"] = report["status"]
    if kind != _FILL:
        order["l_price"] = report["price"]
        order["size"] = report["size"]


@kernel
def _log_latency(sim: Sim, report: Any) -> None:
    """One row per request that was answered."""
    clock = sim.clock[0]
    row = sim.latencies[clock["latency_count"]]
    clock["latency_count"] += 1
    row["ts"] = report["ts_sent"]
    row["entry_ns"] = report["ts_venue"] - report["ts_sent"]
    row["response_ns"] = report["ts"] - report["ts_venue"]


@kernel
def _leave_open(sim: Sim, handle: Int) -> None:
    """Take an order out of the open ones: the last takes its place."""
    order = sim.orders[handle]
    at = order["open_at"]
    if at < 0:
        return
    clock = sim.clock[0]
    clock["open_count"] -= 1
    last = sim.open_orders[clock["open_count"]]
    sim.open_orders[at] = last
    sim.orders[last]["open_at"] = at
    order["open_at"] = NO_HANDLE
    sim.instruments[order["instrument"]]["l_working"] -= 1


@kernel
def _free(sim: Sim, handle: Int) -> None:
    """Give the record back; its number is never used again."""
    clock = sim.clock[0]
    sim.orders[handle]["number"] = NO_HANDLE
    sim.orders[handle]["next"] = clock["free_order"]
    clock["free_order"] = handle


@kernel
def log_order(
    sim: Sim, handle: Int, ts: Int, ts_venue: Int, event: Int, reason: Int, queue_ahead: Float
) -> None:
    """Append the order as the trader knows it to the order log."""
    clock = sim.clock[0]
    order = sim.orders[handle]
    row = sim.order_log[clock["log_count"]]
    clock["log_count"] += 1
    row["ts"] = ts
    row["ts_venue"] = ts_venue
    row["order"] = order["number"]
    row["price"] = order["l_price"]
    row["size"] = order["size"]
    row["filled"] = order["l_filled"]
    row["trigger"] = order["trigger"]
    row["queue_ahead"] = queue_ahead
    row["instrument"] = order["instrument"]
    row["strategy"] = order["strategy"]
    row["event"] = event
    row["status"] = order["l_status"]
    row["reason"] = reason
    row["side"] = order["side"]
    row["kind"] = order["kind"]
    row["time_in_force"] = order["time_in_force"]
    row["flags"] = order["flags"]
