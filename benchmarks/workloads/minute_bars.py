"""Seeded one-minute bars: a geometric random walk from 50,000 on, four steps a bar, tick 0.1."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

START_NS: Final = 1_672_531_200_000_000_000
MINUTE_NS: Final = 60_000_000_000
STEPS_PER_BAR: Final = 4
STEP_VOLATILITY: Final = 2.5e-4


def minute_bars(count: int, seed: int = 7) -> dict[str, npt.NDArray[Any]]:
    """Make `count` bars.

    Returns ------- Columns of shape (count,): ``ts`` (start of the bar, UTC ns), ``open``, ``high``,
    ``low``, ``close`` (quote currency, on a tick of 0.1; a bar opens where the last one closed), ``volume``
    (three decimals).
    """
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.normal(0, STEP_VOLATILITY, count * STEPS_PER_BAR))
    path = np.round(50000 * np.exp(steps), 1).reshape(count, STEPS_PER_BAR)
    close = path[:, -1].copy()
    opened = np.concatenate([[50000.0], close[:-1]])
    return {
        "ts": START_NS + np.arange(count, dtype=np.int64) * MINUTE_NS,
        "open": opened,
        "high": np.maximum(path.max(axis=1), opened),
        "low": np.minimum(path.min(axis=1), opened),
        "close": close,
        "volume": np.round(random.uniform(1, 100, count), 3),
    }
