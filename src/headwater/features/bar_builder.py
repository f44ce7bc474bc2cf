"""Bars from trades for Python: one trade at a time, or many at once, with the same result."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.bar import BAR_DTYPE, BAR_STATE_DTYPE, BarKind
from headwater.features.bars import bar_step, fold_bars
from headwater.features.imbalance import SPAN_DEFAULT, THRESHOLD_MAX

I64: TypeAlias = npt.NDArray[np.int64]

Bars: TypeAlias = npt.NDArray[Any]
"""Array of BAR_DTYPE, shape (n,)."""

_BARS_AT_ONCE: Final = 4096


class BarBuilder:
    """Folds trades into bars.

    Parameters
    ----------
    kind : what a bar counts
    threshold : ns (time bars), trades (tick), lots (volume), ticks * lots (dollar); of imbalance bars the
    number of
        trades in the first bar
    span : bars in the average of an imbalance bar's expectations

    Raises
    ------
    ValueError
        The threshold or the span is not positive, or the threshold of an imbalance bar exceeds 65,536.

    Notes
    -----
    Warm-up: an imbalance bar knows what to expect after the first bar. Turnover must stay below 2**63 ticks *
    lots a bar. The whole state is :attr:`state`: copy it to save it, and give it back to go on.
    """

    def __init__(self, kind: BarKind, threshold: int, span: int = SPAN_DEFAULT) -> None:
        if threshold <= 0 or span <= 0:
            raise ValueError(f"threshold and span must be positive, not {threshold} and {span}")
        if kind >= BarKind.TICK_IMBALANCE and threshold > THRESHOLD_MAX:
            raise ValueError(f"an imbalance bar begins with at most {THRESHOLD_MAX} trades, not {threshold}")
        self.state = np.zeros(1, BAR_STATE_DTYPE)
        self.state["kind"], self.state["threshold"], self.state["span"] = kind, threshold, span
        self._bar = np.zeros(1, BAR_DTYPE)

    def update(self, ts: int, price: int, size: int, side: int) -> bool:
        """Fold one trade; True when :attr:`bar` is a new complete bar."""
        return bool(bar_step(self.state, 0, ts, price, size, side, self._bar))

    def extend(self, ts: I64, price: I64, size: I64, side: npt.NDArray[Any]) -> Bars:
        """Fold many trades and return the bars that they completed, in order."""
        sides = np.ascontiguousarray(side, dtype=np.int64)
        parts: list[Bars] = []
        at = 0
        while at < len(ts):
            room = np.zeros(_BARS_AT_ONCE, BAR_DTYPE)
            at, count = fold_bars(self.state, 0, ts, price, size, sides, at, self._bar, room)
            parts.append(room[:count])
        return np.concatenate(parts) if parts else np.zeros(0, BAR_DTYPE)

    @property
    def bar(self) -> Any:
        """The last complete bar (BAR_DTYPE); all zero before the first."""
        return self._bar[0].copy()

    @property
    def open_bar(self) -> Any | None:
        """The bar that is not complete yet, or None when no trade is in it."""
        return self.state["bar"][0].copy() if self.state["counted"][0] else None
