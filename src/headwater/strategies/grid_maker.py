"""A grid of post-only orders around the middle, moved with it.

Hypothesis
    Most of what trades at the touch is noise: prices come back, and whoever stood ready on both sides has
    bought low and sold high.
Edge
    The spread that takers pay and the maker's rebate, or smaller fee.
Fails
    When the price runs: one side of the grid fills again and again and the position grows against the
    move (adverse selection) until `max_position` stops it; where the queue is long, so that orders fill
    only when the price goes through them; and where the maker's fee is larger than the grid's spread.
Sources
    L. Glosten, P. Milgrom (1985), *Bid, ask and transaction prices in a specialist market with
    heterogeneously informed traders*, Journal of Financial Economics 14; the layout is that of
    hftbacktest's grid trading example.

Every 100 ms, in steps of the venue's tick::

    first bid = floor((middle - half_spread) / interval) * interval
    first ask = ceil((middle + half_spread) / interval) * interval

and from there up to `levels` orders a side, `interval` apart, each of `size`. Orders that stand on the
grid keep their place in the queue; the others are cancelled. A side is withdrawn while the position is at
`max_position` on it; where nothing can be sold short, offers are limited to what is held.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.view import Reads
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import POST_ONLY, cancel, limit, lots
from headwater.strategies.parameter import Parameter, size_parameter


@compiled(
    timer="100ms",
    reads=Reads.ORDERS,
    parameters={
        "levels": Parameter(5, 1, 60),
        "half_spread": Parameter(10, 0, 1_000_000),  # ticks
        "interval": Parameter(5, 1, 1_000_000),  # ticks
        "size": size_parameter(0.01),
        "max_position": size_parameter(0.1),
    },
)
def grid_maker(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Up to `levels` post-only orders a side, `half_spread` ticks from the middle, `interval` apart."""
    if view["bid"] == NO_PRICE or view["ask"] == NO_PRICE:
        return
    step = view["price_step"]
    interval = np.int64(params[2]) * step
    size = lots(view, params[3])
    position_max = lots(view, params[4])
    twice_middle = view["bid"] + view["ask"]
    twice_half_spread = 2 * np.int64(params[1]) * step
    bid = (twice_middle - twice_half_spread) // (2 * interval) * interval
    ask = -((-twice_middle - twice_half_spread) // (2 * interval)) * interval
    bids = np.int64(params[0]) if view["position"] < position_max else np.int64(0)
    asks = np.int64(params[0]) if view["position"] > -position_max else np.int64(0)
    if view["can_short"] == 0:
        asks = min(asks, max(view["position"], 0) // size)
    bids_standing = np.int64(0)  # a bit for each place of the grid
    asks_standing = np.int64(0)
    for row in range(view["order_count"]):
        order = orders[row]
        if order["instrument"] != view["instrument"]:
            continue
        is_bid = order["side"] > 0
        away = bid - order["price"] if is_bid else order["price"] - ask
        place = away // interval
        if away % interval == 0 and 0 <= place < (bids if is_bid else asks):
            if is_bid:
                bids_standing |= np.int64(1) << place
            else:
                asks_standing |= np.int64(1) << place
        elif order["pending"] == 0:
            cancel(view, outbox, order["handle"])
    for place in range(bids):
        price = bid - place * interval
        if price > 0 and (bids_standing >> place) & 1 == 0:
            limit(view, outbox, np.int64(1), price, size, np.int64(POST_ONLY))
    for place in range(asks):
        if (asks_standing >> place) & 1 == 0:
            limit(view, outbox, np.int64(-1), ask + place * interval, size, np.int64(POST_ONLY))
