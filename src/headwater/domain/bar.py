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
    [("kind", "i8"), ("threshold", "i8"), ("counted", "i8"), ("bar", BAR_DTYPE)], align=True
)
"""`threshold`: ns, trades, lots, or ticks * lots, by kind; `counted`: trades in the bar so far, 0 = none
open.
"""
