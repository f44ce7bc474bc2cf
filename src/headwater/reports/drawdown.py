"""Drawdown: how far below its own peak the equity fell, and for how long it stayed below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.equity import EquityCurve
from headwater.reports.valuation import F64, I64


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest and the longest drawdown; they need not be the same one.

    Attributes
    ----------
    money : deepest fall below the running peak, settle currency, >= 0
    share : deepest fall as a share of the peak it fell from; NaN when no peak was above zero
    duration_ns : longest time from a peak until equity is back at it, or until the end
    recovered : whether the equity ended at its peak
    """

    money: float
    share: float
    duration_ns: int
    recovered: bool


@kernel
def scan_drawdown(ts: I64, equity: F64, initial: float, out: F64) -> int:
    """Scan a curve; `out` (3,) receives money, share (NaN if no positive peak) and 1.0 if it ended at the
    peak.

    The peak starts at `initial`, at the time of the first point: money lost before the first sample counts.

    Returns
    -------
    Longest time under water in ns.
    """
    peak = initial
    peak_ts = ts[0]
    deepest = 0.0
    share = np.nan
    longest = 0
    for i in range(len(ts)):
        longest = max(longest, ts[i] - peak_ts)
        if equity[i] >= peak:
            peak = equity[i]
            peak_ts = ts[i]
        below = peak - equity[i]
        deepest = max(deepest, below)
        if peak > 0.0 and not below <= share * peak:
            share = below / peak
    out[0] = deepest
    out[1] = share
    out[2] = 1.0 if equity[len(ts) - 1] >= peak else 0.0
    return longest


def drawdown(curve: EquityCurve) -> Drawdown:
    """Deepest and longest drawdown of `curve`; all zero without points."""
    if not len(curve.ts):
        return Drawdown(money=0.0, share=np.nan, duration_ns=0, recovered=True)
    out = np.empty(3)
    longest = scan_drawdown(curve.ts, curve.equity, curve.initial, out)
    return Drawdown(
        money=float(out[0]), share=float(out[1]), duration_ns=int(longest), recovered=bool(out[2] == 1.0)
    )


def under_water(equity: F64, initial: float) -> F64:
    """Equity minus its running peak, (n,) settle currency, <= 0."""
    return equity - np.maximum(np.maximum.accumulate(equity), initial) if len(equity) else equity
