"""Exponential moving average of a stream."""

from __future__ import annotations

from math import nan
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.kernels.kernel import kernel

F64: TypeAlias = npt.NDArray[np.float64]

EMA_STATE_DTYPE: Final = np.dtype(
    [
        ("span", "i8"),  # values in the average, > 0
        ("count", "i8"),  # values seen
        ("value", "f8"),  # the average so far, also during the warm-up
    ],
    align=True,
)
"""All zero but the span at first."""


@kernel
def ema_step(states: Any, i: int, value: float) -> float:
    """Fold one value into state `i`; the average, or NaN during the warm-up.

    ::

        m_1 = x_1
        m_t = m_{t-1} + alpha (x_t - m_{t-1})        alpha = 2 / (span + 1)

    Parameters
    ----------
    states : (n,) EMA_STATE_DTYPE
    value : NaN leaves the state as it is and returns what it returned before

    Returns
    -------
    The average once `span` values were seen, NaN before: the seed then weighs at most (1 - alpha)**(span -
    1), about 1 / e**2.
    """
    state = states[i]
    if value == value:
        if state["count"] == 0:
            state["value"] = value
        else:
            state["value"] += 2.0 / (state["span"] + 1.0) * (value - state["value"])
        state["count"] += 1
    return state["value"] if state["count"] >= state["span"] else np.nan


@kernel
def ema_fold(states: Any, i: int, values: Any, out: Any) -> None:
    """Fold many values; ``out[k]`` is what :func:`ema_step` returns for ``values[k]``."""
    for k in range(len(values)):
        out[k] = ema_step(states, i, values[k])


class Ema:
    """Exponential moving average, one value at a time or many at once.

    Parameters
    ----------
    span : number of values n of alpha = 2 / (n + 1), and the length of the warm-up

    Raises
    ------
    ValueError
        The span is not positive.
    """

    def __init__(self, span: int) -> None:
        if span <= 0:
            raise ValueError(f"span must be positive, not {span}")
        self.state = np.zeros(1, EMA_STATE_DTYPE)
        self.state["span"] = span

    @property
    def warmup(self) -> int:
        """Values after which there is an average."""
        return int(self.state["span"][0])

    @property
    def value(self) -> float:
        """The average; NaN during the warm-up."""
        state = self.state[0]
        return float(state["value"]) if state["count"] >= state["span"] else nan

    def update(self, value: float) -> float:
        """Fold one value; the average, or NaN during the warm-up."""
        return float(ema_step(self.state, 0, float(value)))

    def extend(self, values: F64) -> F64:
        """Fold many values; (n,) what :meth:`update` returns for each."""
        out = np.empty(len(values))
        ema_fold(self.state, 0, np.ascontiguousarray(values, dtype=np.float64), out)
        return out
