"""A book for data that has none: one level on each side at the only price known, of unlimited size."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.book.side import NO_KEY, side_clear, side_update
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.state import I64

UNLIMITED_LOTS: Final = 2**40


@kernel
def show_price(sides: Any, pool: I64, bid_row: Int, price: Int) -> None:
    """Make `price` ticks both the best bid (row `bid_row`) and the best ask (the next row)."""
    for row in range(2):
        key = np.int64(1 - 2 * row) * price
        if sides[bid_row + row]["best"] != key:
            side_clear(sides, pool, bid_row + row, np.int64(NO_KEY))
            side_update(sides, pool, bid_row + row, key, np.int64(UNLIMITED_LOTS))
