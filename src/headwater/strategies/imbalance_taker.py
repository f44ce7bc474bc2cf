"""Take in the direction in which the book leans.

Hypothesis
    A book with much more on the bid than on the offer is about to move up: the thin side is used up first.
Edge
    Being through the spread before the touch moves, when the lean is strong enough to pay for it.
Fails
    Nearly always after fees: the move that the lean foretells is about a tick, and a taker pays the spread and two fees
    for it. Large displayed sizes are also what spoofers show. It lives on latency: what is seen is old by then.
Sources
    M. Gould, J. Bonart (2016), *Queue imbalance as a one-tick-ahead price predictor in a limit order book*, Market
    Microstructure and Liquidity 2(2); R. Cont, A. Kukanov, S. Stoikov (2014), *The price impact of order book events*,
    Journal of Financial Econometrics 12(1).

::

    imbalance = (bids - asks) / (bids + asks)        sizes of the best `levels` levels, in [-1, 1]

Flat: an immediate-or-cancel order of `size` at the other side's best price when the imbalance is at or beyond `enter`
(short only where that is possible). In a position: out at the market when the imbalance has fallen to `leave` on the
position's side, or after `hold_ms`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.view import WakeKind
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import lots, take, target
from headwater.strategies.parameter import Parameter, size_parameter

LEVELS_MAX = 20


@compiled(
    wakes=WakeKind.BOOK,
    parameters={
        "levels": Parameter(5, 1, LEVELS_MAX),
        "enter": Parameter(0.8, 0.0, 1.0),
        "leave": Parameter(0.0, -1.0, 1.0),
        "hold_ms": Parameter(5_000, 1, 86_400_000),
        "size": size_parameter(0.01),
    },
    memory=2,
    depth_levels=LEVELS_MAX,
)
def imbalance_taker(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Buy (sell) at once when the best `levels` bids outweigh the offers (or the reverse), out when that is over."""
    if view["position"] == 0:
        memory[0] = view["now"]  # entered after this instant, UTC ns
    if view["order_count"] > 0 or view["bid"] == NO_PRICE or view["ask"] == NO_PRICE or view["trusted"] == 0:
        return
    bids = np.int64(0)
    asks = np.int64(0)
    for level in range(np.int64(params[0])):
        bids += depth[LEVELS_MAX + level]
        asks += depth[3 * LEVELS_MAX + level]
    imbalance = np.float64(bids - asks) / np.float64(bids + asks)
    if view["position"] == 0:
        if imbalance >= params[1]:
            take(view, outbox, np.int64(1), view["ask"], lots(view, params[4]), np.int64(0))
        elif imbalance <= -params[1] and view["can_short"] != 0:
            take(view, outbox, np.int64(-1), view["bid"], lots(view, params[4]), np.int64(0))
        return
    lean = imbalance if view["position"] > 0 else -imbalance
    if lean <= params[2] or view["now"] - memory[0] >= params[3] * 1e6:
        target(view, outbox, np.int64(0))
