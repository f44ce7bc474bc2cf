"""Simulations small enough to print, and the steps that tests take with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import FINE_PRICE_SCALE, NO_PRICE
from headwater.domain.order import OrderKind, OrderStatus
from headwater.simulation.allocate import allocate
from headwater.simulation.kinds import ContractKind
from headwater.simulation.resting import rest
from headwater.simulation.state import NO_HANDLE, Sim

FINE = FINE_PRICE_SCALE
"""Units of 1e-8 quote in one tick of :func:`small_sim`: a tick is one quote coin."""


def small_sim(instruments: int = 1, accounts: int = 1, tables: list[int] | None = None, **sizes: int) -> Sim:
    """A few cells of everything, all contracts linear."""
    least: dict[str, Any] = {"orders": 64, "ring": 256, "window": 64, "far_capacity": 64}
    logs = dict.fromkeys(("fills", "log", "samples", "latencies"), 1)
    cells = None if tables is None else np.array(tables, np.int64)
    sim = allocate(instruments, 1, accounts, tables=cells, **{**least, **logs, **sizes})
    sim.instruments["contract"] = ContractKind.LINEAR
    return sim


def hold(sim: Sim, i: int, leg: int, size: int, value: int) -> None:
    """Give instrument `i` a leg of `size` lots entered at `value` money units."""
    name = "long" if leg > 0 else "short"
    sim.instruments[i][f"v_{name}"] = size
    sim.instruments[i][f"v_{name}_value"] = value


def write_order(sim: Sim, handle: int, i: int, side: int, price: int, size: int, **fields: int) -> Any:
    """An order as the venue would see it on arrival, in none of its lists."""
    order = sim.orders[handle]
    order["instrument"] = i
    order["side"] = side
    order["kind"] = OrderKind.MARKET if price == NO_PRICE else OrderKind.LIMIT
    order["price"] = order["v_price"] = price
    order["size"] = order["v_size"] = size
    order["trigger"] = order["v_trigger"] = NO_PRICE
    order["number"] = handle
    for name, value in fields.items():
        order[name] = value
    return order


def rest_order(sim: Sim, handle: int, i: int, side: int, price: int, size: int, **fields: int) -> Any:
    """An order that rests at the venue."""
    order = write_order(sim, handle, i, side, price, size, **fields)
    order["v_status"] = OrderStatus.NEW
    rest(sim.instruments[i], sim.orders, handle)
    sim.instruments[i]["v_orders"] += 1
    sim.clock[0]["venue_open"] += 1
    return order


def handles(sim: Sim, head: int) -> list[int]:
    """The handles of a list, from its head on; also proves that the way back is the same."""
    found: list[int] = []
    previous = NO_HANDLE
    while head != NO_HANDLE:
        assert sim.orders[head]["previous"] == previous
        found.append(int(head))
        previous, head = head, sim.orders[head]["next"]
    return found


def reports(sim: Sim) -> list[Any]:
    """What the venue has sent so far."""
    return [sim.reports[at] for at in range(sim.clock[0]["report_tail"])]
