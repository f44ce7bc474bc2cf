"""Take in the direction in which the book leans.

Hypothesis
    A book with much more on the bid than on the offer is about to move up: the thin side is used up first.
Edge
    Being through the spread before the touch moves, when the lean is strong enough to pay for it.
Fails
    Nearly always after fees: the move that the lean foretells is about a tick, and a taker pays the
    spread and two fees for it. Large displayed sizes are also what spoofers show. It lives on latency:
    what is seen is old by then.
Sources
    M. Gould, J. Bonart (2016), *Queue imbalance as a one-tick-ahead price predictor in a limit order
    book*, Market Microstructure and Liquidity 2(2); R. Cont, A. Kukanov, S. Stoikov (2014), *The price
    impact of order book events*, Journal of Financial Econometrics 12(1).

::

    imbalance = (bids - asks) / (bids + asks)        sizes of the best `levels` levels, in [-1, 1]

Flat: an immediate-or-cancel order of `size` at the other side's best price when the imbalance is at or
beyond `enter` (short only where that is possible). In a position: out at the market when the imbalance has
fallen to `leave` on the position's side, or after `hold_ms`. Less than half of `size` counts as flat: what a
partial fill left may be too small to be sold alone. Between two orders lies `pause_ms`, because a book moves
faster than a venue lets anybody trade.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.view import Reads, WakeKind
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import REDUCE_ONLY, lots, market, take
from headwater.strategies.parameter import Parameter, size_parameter

LEVELS_MAX = 20


@compiled(
    wakes=WakeKind.BOOK,
    reads=Reads.MARKET,
    parameters={
        "levels": Parameter(5, 1, LEVELS_MAX),
        "enter": Parameter(0.8, 0.0, 1.0),
        "leave": Parameter(0.0, -1.0, 1.0),
        "hold_ms": Parameter(5_000, 1, 86_400_000),
        "pause_ms": Parameter(500, 0, 86_400_000),
        "size": size_parameter(0.01),
    },
    memory=2,
    depth_levels=LEVELS_MAX,
)
def imbalance_taker(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Buy (sell) at once when the best bids outweigh the offers (or the reverse), out when that is over."""
    size = lots(view, params[5])
    position = view["position"]
    in_position = 2 * abs(position) >= size
    if not in_position:
        memory[0] = view["now"]  # entered after this instant, UTC ns
    if view["order_count"] > 0 or view["now"] - memory[1] < params[4] * 1e6 or view["trusted"] == 0:
        return
    if view["bid"] == NO_PRICE or view["ask"] == NO_PRICE:
        return
    bids = np.int64(0)
    asks = np.int64(0)
    for level in range(np.int64(params[0])):
        bids += depth[LEVELS_MAX + level]
        asks += depth[3 * LEVELS_MAX + level]
    imbalance = np.float64(bids - asks) / np.float64(bids + asks)
    if in_position:
        lean = imbalance if position > 0 else -imbalance
        if lean <= params[2] or view["now"] - memory[0] >= params[3] * 1e6:
            side = np.int64(-1) if position > 0 else np.int64(1)
            flags = np.int64(REDUCE_ONLY) if view["can_short"] != 0 else np.int64(0)
            market(view, outbox, side, abs(position), flags)
    elif imbalance >= params[1]:
        price = -(-view["ask"] // view["price_step"]) * view["price_step"]
        take(view, outbox, np.int64(1), price, size, np.int64(0))
    elif imbalance <= -params[1] and view["can_short"] != 0:
        price = view["bid"] // view["price_step"] * view["price_step"]
        take(view, outbox, np.int64(-1), price, size, np.int64(0))
    if view["intent_count"] > 0:
        memory[1] = view["now"]
