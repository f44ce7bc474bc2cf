"""Prices as ranks: the indices of an array that holds one size a price."""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.tape.order import I64

_SPAN_PER_PRICE_MAX: Final = 8


def price_ranks(prices: I64) -> tuple[I64, I64]:
    """Ascending prices, and the index of each of `prices` among them.

    Where the prices lie close together every tick between them gets a rank, which saves sorting them; where
    they are scattered only those that occur.
    """
    if not len(prices):
        return prices, prices
    lowest, highest = int(prices.min()), int(prices.max())
    if highest - lowest < _SPAN_PER_PRICE_MAX * len(prices):
        return np.arange(lowest, highest + 1), prices - lowest
    found, ranks = np.unique(prices, return_inverse=True)
    return found, ranks
