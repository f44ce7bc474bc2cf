"""What is read off a book: mid, weighted mid, imbalance, depth, and the average price of taking a size.

All of these take the two sides of one book as rows of ``sides`` (bids in row `bid_row`, asks in the next one) over one
`pool`, see ``book/side.py``. Prices are ticks, sizes lots; averages are float64 because they fall between ticks: they are
statistics, never prices to pay. NaN where the book does not say.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.book.side import NO_KEY, side_next, side_size
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float, Int

I64: TypeAlias = npt.NDArray[np.int64]


@kernel
def mid(sides: Any, bid_row: Int) -> Float:
    """Middle of the best prices, ticks; NaN while a side is empty."""
    bid = sides[bid_row]["best"]
    ask = sides[bid_row + 1]["best"]
    if bid == NO_KEY or ask == NO_KEY:
        return np.nan
    return (bid - ask) * 0.5


@kernel
def microprice(sides: Any, pool: I64, bid_row: Int) -> Float:
    """The size-weighted mid, ticks: each best price weighted with the size of the *other* side.

    ``(bid * ask_size + ask * bid_size) / (bid_size + ask_size)``: a touch with much to buy and little to sell lies near
    the ask. It lies within the spread; NaN while a side is empty.

    This is the "weighted mid-price" that the micro-price of Stoikov starts from, without his correction by the estimated
    expectation of future mids, which needs a model fitted to the instrument.

    Sources
    -------
    Stoikov (2018), "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18(12), eq. 2;
    Gatheral, Oomen (2010), "Zero-intelligence realized variance estimation", Finance and Stochastics 14(2).
    """
    bid = sides[bid_row]["best"]
    ask = sides[bid_row + 1]["best"]
    if bid == NO_KEY or ask == NO_KEY:
        return np.nan
    bid_size = side_size(sides, pool, bid_row, bid)
    ask_size = side_size(sides, pool, bid_row + 1, ask)
    # from the bid on, so that large ticks times large sizes do not wear the fraction away
    return bid + (-ask - bid) * (bid_size / (np.float64(bid_size) + np.float64(ask_size)))


@kernel
def imbalance(sides: Any, pool: I64, bid_row: Int, levels: Int) -> Float:
    """``(bids - asks) / (bids + asks)`` over the sizes of the best `levels` levels a side, in [-1, 1].

    +1 when only bids are there, NaN when neither side has any (or `levels` < 1).

    Sources
    -------
    Cao, Hansch, Wang (2009), "The information content of an open limit-order book", J. Futures Markets 29(1).
    """
    bids = np.float64(_top_size(sides, pool, bid_row, levels))
    asks = np.float64(_top_size(sides, pool, bid_row + 1, levels))
    if bids + asks == 0.0:
        return np.nan
    return (bids - asks) / (bids + asks)


@kernel
def _top_size(sides: Any, pool: I64, row: Int, levels: Int) -> Int:
    total = np.int64(0)
    key = sides[row]["best"]
    for _ in range(levels):
        if key == NO_KEY:
            break
        total += side_size(sides, pool, row, key)
        key = side_next(sides, pool, row, key)
    return total


@kernel
def depth_within(sides: Any, pool: I64, row: Int, ticks: Int) -> Int:
    """Lots of one side (row `row`) at most `ticks` ticks away from its best price; 0 for an empty side."""
    total = np.int64(0)
    best = sides[row]["best"]
    key = best
    while key != NO_KEY and best - key <= ticks:
        total += side_size(sides, pool, row, key)
        key = side_next(sides, pool, row, key)
    return total


@kernel
def vwap_to_size(sides: Any, pool: I64, row: Int, wanted: Int) -> Float:
    """Average price, ticks, of taking `wanted` lots from one side (row `row`, an even row is a bid).

    NaN when the side shows less than that, or `wanted` < 1. The cost is summed in integers as the distance from the best
    price, so that only the last division rounds.
    """
    best = sides[row]["best"]
    if wanted < 1 or best == NO_KEY:
        return np.nan
    away = np.int64(0)
    left = wanted
    key = best
    while left > 0 and key != NO_KEY:
        size = min(side_size(sides, pool, row, key), left)
        away += (best - key) * size
        left -= size
        key = side_next(sides, pool, row, key)
    if left > 0:
        return np.nan
    average = best - away / wanted
    return average if row % 2 == 0 else -average
