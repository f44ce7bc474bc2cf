"""The obvious version of features/indicators/ema.py."""

from __future__ import annotations

from math import isnan, nan


def ema(values: list[float], span: int) -> list[float]:
    """The average after each value; NaN until `span` values that are numbers were seen."""
    alpha = 2.0 / (span + 1.0)
    out: list[float] = []
    seen: list[float] = []
    average = nan
    for value in values:
        if not isnan(value):
            average = average + alpha * (value - average) if seen else value
            seen.append(value)
        out.append(average if len(seen) >= span else nan)
    return out
