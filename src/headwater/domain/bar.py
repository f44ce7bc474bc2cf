"""Bars made from trades: what they count, what they hold, and the state that trades are folded into."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np


class BarKind(IntEnum):
    """What a bar counts."""

    TIME = 0
    TICK = 1
    VOLUME = 2
    DOLLAR = 3
    TICK_IMBALANCE = 4
    VOLUME_IMBALANCE = 5


BAR_DTYPE: Final = np.dtype(
    [
        ("ts_open", "i8"),  # time bars: start of the interval; others: first trade; UTC ns
        ("ts_close", "i8"),  # time bars: end of the interval; others: last trade
        ("open", "i8"),  # ticks
        ("high", "i8"),
        ("low", "i8"),
        ("close", "i8"),
        ("volume", "i8"),  # lots
        ("buy_volume", "i8"),  # lots, aggressor buys
        ("turnover", "i8"),  # ticks * lots
        ("trades", "i8"),
    ],
    align=True,
)

BAR_STATE_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # BarKind
        ("threshold", "i8"),  # ns, trades, lots, or ticks * lots, by kind; imbalance bars: trades at first
        ("counted", "i8"),  # trades in the bar so far, 0 = none open
        ("bar", BAR_DTYPE),
        # imbalance bars alone, see features/imbalance.py
        ("span", "i8"),  # bars in the average of the expectations; 0 = the default
        ("imbalance", "i8"),  # signed sum of the open bar: trades or lots
        ("weight", "i8"),  # the same sum without signs
        ("expected_trades", "i8"),  # trades in a bar, in 1/256; 0 = nothing expected yet
        ("expected_imbalance", "i8"),  # signed, a trade, in 1/256
        ("expected_weight", "i8"),  # a trade, in 1/256
        ("last_price", "i8"),  # ticks, of the trade before; 0 = none
        ("last_side", "i8"),  # side given to it
    ],
    align=True,
)
"""What trades are folded into; all zero but kind and threshold at first."""
