"""Returns of an equity curve at a stated interval, and the ratios built on them.

Crypto markets do not close: a year has 365 days of 24 hours, and a ratio per interval is annualised with the
square root of the number of intervals in such a year. Intervals are whole (aligned to multiples of themselves
in UTC); the fragments before the first and after the last boundary are left out, since a short period would
bias the variance.

An account that starts without money, or loses all of it, has no returns; the ratios are then taken from
changes of money, and the volatility is NaN. Without money at the start, total return and CAGR are NaN, too.

Sources
-------
Sharpe (1994), The Sharpe Ratio, J. Portfolio Management 21(1); Lo (2002), The Statistics of Sharpe Ratios,
Financial Analysts Journal 58(4), eq. 9 (standard error); Sortino and van der Meer (1991), J. Portfolio
Management 17(4); Keating and Shadwick (2002), A Universal Performance Measure (omega).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.equity import EquityCurve
from headwater.reports.valuation import F64, I64

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
YEAR_NS: Final = 365 * DAY_NS

INTERVALS_NS: Final = (DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS)
"""Intervals to choose from, the longest first."""

INTERVALS_MIN: Final = 30
"""Fewest returns that the automatic choice of an interval accepts: below, a variance is a guess."""

CAGR_SPAN_NS_MIN: Final = 30 * DAY_NS
"""Shortest span that a yearly growth rate is stated for: below, it extrapolates more than twelvefold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Returns per interval and what follows from them; ratios are annualised with 365 days.

    Attributes
    ----------
    interval_ns : length of one interval
    per_interval : (n,) simple returns, or changes of money when `of_money`
    of_money : the equity is not above zero at the start and at every boundary, so that there are no returns
    total : final equity / initial equity - 1; NaN when the account starts without money
    cagr : compound annual growth rate; NaN when the span is under 30 days or the account was ruined
    volatility : annualised standard deviation (n - 1) of returns; NaN below 2 returns or when `of_money`
    sharpe : mean / standard deviation, annualised, risk-free rate 0; NaN below 2 returns or without variance
    sharpe_standard_error : of `sharpe` for independent returns; NaN with it
    sortino : mean / root mean square of the negative returns, annualised; NaN without a negative return
    omega : sum of gains / sum of losses at threshold 0; NaN without a loss
    """

    interval_ns: int
    per_interval: F64
    of_money: bool
    total: float
    cagr: float
    volatility: float
    sharpe: float
    sharpe_standard_error: float
    sortino: float
    omega: float


def interval_for(span_ns: int) -> int:
    """The longest of a day, an hour, a minute, a second that gives at least 30 returns over `span_ns`."""
    fitting = (interval for interval in INTERVALS_NS if span_ns >= INTERVALS_MIN * interval)
    return next(fitting, SECOND_NS)


@kernel
def sample_equity(ts: I64, equity: F64, first: int, interval_ns: int, out: F64) -> None:
    """Equity in force at ``first + j * interval_ns`` for each j of `out`: the last point at or before it.

    `first` must not lie before ``ts[0]``; `ts` ascending.
    """
    i = 0
    for j in range(len(out)):
        boundary = first + j * interval_ns
        while i + 1 < len(ts) and ts[i + 1] <= boundary:
            i += 1
        out[j] = equity[i]


@kernel
def moments(values: F64, out: F64) -> None:
    """Sums over `values` (n,): `out` (5,) receives mean, sum of squared deviations, sum of squared negatives,
    sum of positives, sum of negatives (as a positive number)."""
    total = 0.0
    gains = 0.0
    losses = 0.0
    squared_losses = 0.0
    for value in values:
        total += value
        if value > 0.0:
            gains += value
        else:
            losses -= value
            squared_losses += value * value
    mean = total / len(values)
    deviation = 0.0
    for value in values:
        deviation += (value - mean) * (value - mean)
    out[0] = mean
    out[1] = deviation
    out[2] = squared_losses
    out[3] = gains
    out[4] = losses


def equity_at_boundaries(curve: EquityCurve, interval_ns: int) -> F64:
    """Equity at the whole multiples of `interval_ns` within the curve; empty without any."""
    if not len(curve.ts):
        return np.empty(0)
    first = -(-int(curve.ts[0]) // interval_ns) * interval_ns
    count = max(0, (int(curve.ts[-1]) - first) // interval_ns + 1)
    out = np.empty(count)
    if 16 * count < len(curve.ts):  # few boundaries: a search each is cheaper than a walk
        boundaries = first + interval_ns * np.arange(count)
        return curve.equity[np.searchsorted(curve.ts, boundaries, side="right") - 1]
    sample_equity(curve.ts, curve.equity, first, interval_ns, out)
    return out


def returns(curve: EquityCurve, interval_ns: int | None = None) -> Returns:
    """Returns of `curve` at `interval_ns`, or at the interval of :func:`interval_for`."""
    chosen_ns = interval_for(curve.span_ns) if interval_ns is None else interval_ns
    if chosen_ns <= 0:
        raise ValueError(f"interval_ns: expected a positive number of nanoseconds, found {chosen_ns}")
    levels = equity_at_boundaries(curve, chosen_ns)
    of_money = not (curve.initial > 0.0 and (not len(levels) or float(levels.min()) > 0.0))
    changes = np.diff(levels)
    per_interval = changes if of_money else changes / levels[:-1]
    return _describe(per_interval, curve, chosen_ns, of_money)


def _describe(per_interval: F64, curve: EquityCurve, interval_ns: int, of_money: bool) -> Returns:
    yearly = YEAR_NS / interval_ns
    volatility, sharpe, error, sortino, omega = _ratios(per_interval, yearly)
    total = curve.final / curve.initial - 1.0 if curve.initial > 0.0 else np.nan
    return Returns(
        interval_ns=interval_ns,
        per_interval=per_interval,
        of_money=of_money,
        total=total,
        cagr=_cagr(total, curve.span_ns),
        volatility=np.nan if of_money else volatility,
        sharpe=sharpe,
        sharpe_standard_error=error,
        sortino=sortino,
        omega=omega,
    )


def _cagr(total: float, span_ns: int) -> float:
    if np.isnan(total) or total <= -1.0 or span_ns < CAGR_SPAN_NS_MIN:
        return np.nan
    return float((1.0 + total) ** (YEAR_NS / span_ns) - 1.0)


def _ratios(values: F64, yearly: float) -> tuple[float, float, float, float, float]:
    count = len(values)
    if count < 2:
        return (np.nan,) * 5
    out = np.empty(5)
    moments(values, out)
    mean, squared, squared_losses, gains, losses = (float(value) for value in out)
    deviation = np.sqrt(squared / (count - 1))
    # Equal returns leave a variance of rounding errors: nothing to divide by.
    varies = deviation > 1e-12 * abs(mean)
    per_interval = mean / deviation if varies else np.nan
    error = np.sqrt((1.0 + 0.5 * per_interval**2) / count)
    downside = np.sqrt(squared_losses / count)
    return (
        float(deviation * np.sqrt(yearly)),
        float(per_interval * np.sqrt(yearly)),
        float(error * np.sqrt(yearly)),
        float(mean / downside * np.sqrt(yearly)) if downside > 0.0 else np.nan,
        gains / losses if losses > 0.0 else np.nan,
    )
