"""Taking liquidity from the venue's book."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import NO_KEY, side_next, side_size, side_update
from headwater.domain.event import NO_PRICE
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.impact import with_impact
from headwater.simulation.position import closable
from headwater.simulation.report import fill_order
from headwater.simulation.state import Sim

_REDUCE_ONLY = 2
_LONG = 1
_SHORT = 2


@kernel
def venue_side(i: Int, side: Int) -> Int:
    """Row in ``sides`` of the venue's bids (`side` > 0) or asks of instrument `i`."""
    return 4 * i + 2 + (1 - np.int64(side)) // 2


@kernel
def crosses(price: Int, side: Int, key: Int) -> Bool:
    """Whether an order of `side` limited to `price` ticks would trade with the opposite key `key`."""
    if key == NO_KEY:
        return False
    return price == NO_PRICE or (price + np.int64(side) * key) * side >= 0


@kernel
def may_only_reduce(order: Any) -> Bool:
    """Reduce-only, or in hedge mode the closing side of its leg: a buy of the short leg, a sell of the long one."""
    leg = order["position_side"]
    closes_leg = (leg == _LONG and order["side"] < 0) or (leg == _SHORT and order["side"] > 0)
    return (order["flags"] & _REDUCE_ONLY) != 0 or closes_leg


@kernel
def leaves(sim: Sim, handle: Int) -> Int:
    """Lots still to be done; an order that may only reduce never more than the position allows."""
    order = sim.orders[handle]
    rest = order["v_size"] - order["v_filled"]
    if may_only_reduce(order):
        ins = sim.instruments[order["instrument"]]
        rest = min(rest, closable(ins, order["side"], order["position_side"]))
    return rest


@kernel
def take(sim: Sim, handle: Int, limit: Int, ts: Int) -> None:
    """Execute against the opposite side up to `limit` ticks (``NO_PRICE``: any price).

    What is taken is gone from the venue's book until the data next updates that level. In compatibility mode the whole
    order fills at the best price and leaves no trace.
    """
    order = sim.orders[handle]
    i = order["instrument"]
    ins = sim.instruments[i]
    side = order["side"]
    opposite = venue_side(i, -side)
    if ins["no_partial_fill"]:
        best = sim.sides[opposite]["best"]
        if leaves(sim, handle) > 0:
            fill_order(sim, handle, -np.int64(side) * best, leaves(sim, handle), ts, False, 0)
        return
    rest = leaves(sim, handle)
    taken = np.int64(0)
    while rest > 0 and crosses(limit, side, sim.sides[opposite]["best"]):
        key = sim.sides[opposite]["best"]
        there = side_size(sim.sides, sim.levels, opposite, key)
        size = min(rest, there)
        side_update(sim.sides, sim.levels, opposite, key, there - size)
        price = with_impact(ins, side, -np.int64(side) * key, taken + size)
        if limit != NO_PRICE and (price - limit) * side > 0:
            price = limit  # a limit is a promise
        fill_order(sim, handle, price, size, ts, False, 0)
        taken += size
        rest = leaves(sim, handle)


@kernel
def takeable(sim: Sim, i: Int, side: Int, limit: Int, wanted: Int) -> Bool:
    """Whether at least `wanted` lots stand within `limit` for an order of `side` (fill or kill)."""
    opposite = venue_side(i, -side)
    key = sim.sides[opposite]["best"]
    found = np.int64(0)
    while found < wanted and crosses(limit, side, key):
        found += side_size(sim.sides, sim.levels, opposite, key)
        key = side_next(sim.sides, sim.levels, opposite, key)
    return found >= wanted


@kernel
def protective_limit(ins: Any, side: Int, key: Int) -> Int:
    """The worst price that the venue lets a market order pay, ticks, or ``NO_PRICE``."""
    if ins["protective_e8"] == 0 or key == NO_KEY:
        return np.int64(NO_PRICE)
    touch = -np.int64(side) * key
    return touch + np.int64(side) * (touch * ins["protective_e8"] // 100_000_000)
