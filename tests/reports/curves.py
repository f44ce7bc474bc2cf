"""An equity curve from a list of levels."""

from __future__ import annotations

import math

import numpy as np

from headwater.reports.equity import EquityCurve


def curve(levels: list[float], initial: float, step: int = 10) -> EquityCurve:
    """`levels` at `step` ns from 0."""
    return EquityCurve(
        ts=step * np.arange(len(levels)),
        equity=np.array(levels, np.float64),
        gross=np.zeros(len(levels)),
        initial=initial,
        unvalued=0,
        held_share=math.nan,
        gross_mean=math.nan,
        gross_max=0.0,
    )
