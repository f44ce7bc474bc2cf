"""What the venue sends back, and the end of an order's life at the venue."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.order import FillKind, OrderStatus, Reason
from headwater.domain.view import WakeKind
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.fees import fee_rate_e8
from headwater.simulation.kinds import FaultKind, ReportKind
from headwater.simulation.latency import report_arrival
from headwater.simulation.money import cash_change, fee_units, notional
from headwater.simulation.position import move_position
from headwater.simulation.resting import unrest
from headwater.simulation.rings import ring_slot
from headwater.simulation.state import Sim

_ACK = int(ReportKind.ACK)
_FILL = int(ReportKind.FILL)
_WAKE_FILL = int(WakeKind.FILL)
_WAKE_REPORT = int(WakeKind.REPORT)
_FILLED = int(OrderStatus.FILLED)
_PARTIALLY_FILLED = int(OrderStatus.PARTIALLY_FILLED)
_REJECTED = int(OrderStatus.REJECTED)
_EXPIRED = int(OrderStatus.EXPIRED)
_NO_REASON = int(Reason.NONE)
_RING_FULL = int(FaultKind.RING_FULL)
_LIQUIDATION = int(FillKind.LIQUIDATION)


@kernel
def post_report(sim: Sim, i: Int, ts: Int, kind: Int) -> Any:
    """Append an empty report of instrument `i` sent at `ts` and return its record for the sender to fill in.

    If the trader is to be woken by it, the venue may not run on past its arrival: what the trader does then
    can reach the venue at that instant.
    """
    clock = sim.clock[0]
    if clock["report_head"] == clock["report_tail"]:
        clock["report_head"] = 0  # start over in memory that is warm
        clock["report_tail"] = 0
    arrival = report_arrival(sim.venues[sim.instruments[i]["venue"]], sim.tables, ts)
    if clock["report_tail"] - clock["report_head"] >= len(sim.reports):
        clock["fault"] = _RING_FULL  # the run ends before this report could be missed
        clock["report_tail"] -= 1
    slot = ring_slot(sim.reports, clock["report_head"], clock["report_tail"], arrival)
    clock["report_tail"] += 1
    mask = clock["wake_mask"]
    if (mask & _WAKE_REPORT) != 0 or (kind == _FILL and (mask & _WAKE_FILL) != 0):
        clock["horizon"] = min(clock["horizon"], arrival)
    report = sim.reports[slot]
    report["ts"] = arrival
    report["ts_venue"] = ts
    report["instrument"] = i
    report["kind"] = kind
    report["order"] = -1
    report["number"] = -1
    report["price"] = NO_PRICE
    report["size"] = 0
    report["filled"] = 0
    report["cash"] = 0
    report["fee"] = 0
    report["queue_ahead"] = np.nan
    report["answers"] = clock["answering"]
    report["ts_sent"] = clock["answering_sent"] if clock["answering"] != 0 else 0
    clock["answering"] = 0  # the first report answers the request, whatever else it leads to
    report["status"] = 0
    report["reason"] = 0
    report["is_maker"] = 0
    report["fill_kind"] = 0
    report["side"] = 0
    report["position_side"] = 0
    return report


@kernel
def report_order(sim: Sim, handle: Int, ts: Int, kind: Int, reason: Int) -> None:
    """Tell the trader how its order stands."""
    order = sim.orders[handle]
    report = post_report(sim, order["instrument"], ts, kind)
    _name_order(report, order, handle)
    report["reason"] = reason
    report["price"] = order["v_price"]
    report["size"] = order["v_size"]


@kernel
def _name_order(report: Any, order: Any, handle: Int) -> None:
    report["order"] = handle
    report["number"] = order["number"]
    report["status"] = order["v_status"]
    report["filled"] = order["v_filled"]
    report["queue_ahead"] = order["v_front"]
    report["side"] = order["side"]
    report["position_side"] = order["position_side"]


@kernel
def fill_order(sim: Sim, handle: Int, price: Int, size: Int, ts: Int, is_maker: Bool, fill_kind: Int) -> None:
    """Execute `size` lots of an order at `price` ticks: position, fee, wallet, report."""
    order = sim.orders[handle]
    order["v_filled"] += size
    order["v_status"] = _FILLED if order["v_filled"] >= order["v_size"] else _PARTIALLY_FILLED
    i = order["instrument"]
    report = _post_fill(sim, i, order["side"], order["position_side"], price, size, ts, is_maker)
    _name_order(report, order, handle)
    report["fill_kind"] = fill_kind


@kernel
def forced_fill(sim: Sim, i: Int, side: Int, position_side: Int, price: Int, size: Int, ts: Int) -> None:
    """Liquidate: a taker's fill that belongs to no order (``order`` and ``number`` of the report are -1)."""
    report = _post_fill(sim, i, side, position_side, price, size, ts, False)
    report["side"] = side
    report["position_side"] = position_side
    report["fill_kind"] = _LIQUIDATION


@kernel
def _post_fill(
    sim: Sim, i: Int, side: Int, position_side: Int, price: Int, size: Int, ts: Int, is_maker: Bool
) -> Any:
    """Position, fee, wallet, and a report that still has to say whose fill it is."""
    ins = sim.instruments[i]
    value = notional(ins, price, size)
    fee = fee_units(value, fee_rate_e8(sim, ins, ts, value, is_maker))
    realised = move_position(ins, side, position_side, price, size)
    sim.accounts[ins["account"]]["wallet"] += realised - fee
    count_exposed(sim, ins)
    report = post_report(sim, i, ts, _FILL)
    report["price"] = price
    report["size"] = size
    report["cash"] = cash_change(ins, side, value)
    report["fee"] = fee
    report["is_maker"] = is_maker
    return report


@kernel
def count_exposed(sim: Sim, ins: Any) -> None:
    """Count the instruments that marks and funding can move: the venue can't be left behind meanwhile."""
    exposed = ins["has_mark"] != 0 and (ins["v_long"] != 0 or ins["v_short"] != 0)
    if exposed != (ins["v_exposed"] != 0):
        ins["v_exposed"] = exposed
        sim.clock[0]["exposed"] += 1 if exposed else -1


@kernel
def leave_market(sim: Sim, handle: Int) -> None:
    """Take a resting order out of the venue's lists; its status says why."""
    ins = sim.instruments[sim.orders[handle]["instrument"]]
    unrest(ins, sim.orders, handle)
    ins["v_orders"] -= 1
    sim.clock[0]["venue_open"] -= 1


@kernel
def end_order(sim: Sim, handle: Int, status: Int, reason: Int, ts: Int) -> None:
    """An order that is in no list ends for a reason: cancelled, rejected, expired."""
    sim.orders[handle]["v_status"] = status
    report_order(sim, handle, ts, _ACK, reason)
    if status == _REJECTED or status == _EXPIRED:
        sim.clock[0]["rejects"] += reason != _NO_REASON
