"""What a strategy is shown: copies, never the state itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import NO_KEY, side_next, side_size
from headwater.domain.event import NO_PRICE
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float, Int
from headwater.simulation.kinds import ContractKind, PriceSource
from headwater.simulation.state import I64, Sim

_SPOT = int(ContractKind.SPOT)
_TRADES = int(PriceSource.TRADES)


@kernel
def show_market(sim: Sim, i: Int, view: Any) -> None:
    """Copy what is known of instrument `i` into `view`: prices and position."""
    ins = sim.instruments[i]
    view["now"] = sim.clock[0]["now"]
    view["instrument"] = i
    if ins["source"] >= _TRADES:
        view["bid"] = ins["l_last"]
        view["ask"] = ins["l_last"]
    else:
        bid = sim.sides[4 * i]["best"]
        ask = sim.sides[4 * i + 1]["best"]
        view["bid"] = bid if bid != NO_KEY else np.int64(NO_PRICE)
        view["ask"] = -ask if ask != NO_KEY else np.int64(NO_PRICE)
    view["position"] = ins["l_position"]
    view["order_count"] = sim.clock[0]["open_count"]
    view["cash"] = ins["l_cash"]
    view["fee"] = ins["l_fee"]
    view["bar_close"] = ins["l_bar_close"]


@kernel
def show_grid(sim: Sim, i: Int, view: Any) -> None:
    """Copy what turns units into lots and steps, once for as long as the instrument stays the same."""
    if view["grid_instrument"] == i:
        return
    ins = sim.instruments[i]
    view["grid_instrument"] = i
    view["price_step"] = ins["price_step"]
    view["size_step"] = ins["size_step"]
    view["can_short"] = ins["contract"] != _SPOT
    view["lots_per_unit"] = ins["lots_per_unit"]


@kernel
def show_bar(sim: Sim, i: Int, view: Any) -> None:
    """Copy the bar that was completed last."""
    ins = sim.instruments[i]
    view["bar_start"] = ins["l_bar_start"]
    view["bar_open"] = ins["l_bar_open"]
    view["bar_high"] = ins["l_bar_high"]
    view["bar_low"] = ins["l_bar_low"]
    view["bar_volume"] = ins["l_bar_volume"]


@kernel
def show_rest(sim: Sim, i: Int, view: Any) -> None:
    """Copy what only some strategies read: sizes at the touch, last trade, marks, money, hedge legs."""
    ins = sim.instruments[i]
    view["bid_price"] = _price(ins, view["bid"])
    view["ask_price"] = _price(ins, view["ask"])
    view["bid_size"] = _best_size(sim, 4 * i)
    view["ask_size"] = _best_size(sim, 4 * i + 1)
    view["long"] = ins["l_long"]
    view["short"] = ins["l_short"]
    view["last"] = ins["l_last"]
    view["last_size"] = ins["l_last_size"]
    view["last_side"] = ins["l_last_side"]
    view["mark"] = ins["l_mark"]
    view["index"] = ins["l_index"]
    view["funding_rate"] = ins["l_funding_rate"]
    view["trusted"] = ins["l_trusted"]
    view["funding"] = ins["l_funding"]


@kernel
def _price(ins: Any, ticks: Int) -> Float:
    """The float that is nearest to the exact price, NaN without one."""
    if ticks == NO_PRICE:
        return np.nan
    if ins["ticks_per_unit"] > 0.0:
        return ticks / ins["ticks_per_unit"]
    return ticks * ins["tick_size"]


@kernel
def _best_size(sim: Sim, row: Int) -> Int:
    best = sim.sides[row]["best"]
    return np.int64(0) if best == NO_KEY else side_size(sim.sides, sim.levels, row, best)


@kernel
def show_orders(sim: Sim, view: Any, orders: Any) -> None:
    """Copy the orders that the trader holds to be open, at most as many as `orders` has rows."""
    count = min(sim.clock[0]["open_count"], len(orders))
    for row in range(count):
        handle = sim.open_orders[row]
        order = sim.orders[handle]
        shown = orders[row]
        shown["handle"] = handle
        shown["number"] = order["number"]
        shown["instrument"] = order["instrument"]
        shown["price"] = order["l_price"]
        shown["size"] = order["size"]
        shown["filled"] = order["l_filled"]
        shown["side"] = order["side"]
        shown["status"] = order["l_status"]
        shown["pending"] = order["l_pending"]
        shown["kind"] = order["kind"]
        shown["trigger"] = order["trigger"]
    view["order_count"] = count


@kernel
def show_depth(sim: Sim, i: Int, levels: Int, depth: I64) -> None:
    """Copy the best `levels` levels a side into `depth`.

    Layout of `depth`, int64 (4 * levels,): bid ticks, bid lots, ask ticks, ask lots, best first; missing levels have
    NO_PRICE and 0.
    """
    for side in range(2):
        row = 4 * i + side
        at = 2 * levels * side
        key = sim.sides[row]["best"]
        for level in range(levels):
            if key == NO_KEY:
                depth[at + level] = NO_PRICE
                depth[at + levels + level] = 0
            else:
                depth[at + level] = key * (1 - 2 * side)
                depth[at + levels + level] = side_size(sim.sides, sim.levels, row, key)
                key = side_next(sim.sides, sim.levels, row, key)
