"""What a run measures of itself: positions and money at sampling instants, and latencies of requests."""

from __future__ import annotations

from typing import Final

import numpy as np

SAMPLE_DTYPE: Final = np.dtype(
    [
        ("ts", "i8"),  # UTC ns at the trader
        ("instrument", "u4"),
        ("position", "i8"),  # lots, signed, as the trader knows it
        ("bid", "i8"),  # ticks, NO_PRICE if none
        ("ask", "i8"),
        ("mark", "i8"),  # units of 1e-8 quote, NO_PRICE if the data has none
        ("cash", "i8"),  # money units, cumulative over fills, without fees and funding
        ("fee", "i8"),  # money units, cumulative, > 0 paid
        ("funding", "i8"),  # money units, cumulative, > 0 received
        ("working", "u4"),  # resting orders
    ],
    align=True,
)
"""One row per instrument and sampling instant (and at every fill)."""

LATENCY_DTYPE: Final = np.dtype(
    [("ts", "i8"), ("entry_ns", "i8"), ("response_ns", "i8")],
    align=True,
)
"""One row per order request that the venue answered."""
