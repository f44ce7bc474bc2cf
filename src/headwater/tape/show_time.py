"""Times and durations, for sentences."""

from __future__ import annotations

from typing import Final

import numpy as np

_UNITS: Final = (("d", 86_400e9), ("h", 3_600e9), ("min", 60e9), ("s", 1e9), ("ms", 1e6), ("us", 1e3))


def show_time(ts: int) -> str:
    """``2024-08-08 23:54:15.120`` for UTC nanoseconds; whole seconds without the fraction."""
    text = str(np.datetime64(ts, "ns").astype("datetime64[ms]")).replace("T", " ")
    return text.removesuffix(".000")


def show_duration(duration_ns: float) -> str:
    """``1.5 h``, ``84 ms``: three digits in the largest unit that fits."""
    for unit, length in _UNITS:
        if abs(duration_ns) >= length:
            return f"{duration_ns / length:.3g} {unit}"
    return f"{duration_ns:.0f} ns"
