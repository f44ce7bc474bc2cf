"""Mark-outs: how far the mid went, seen from the side of each fill, some time after it.

For fill j on side s with mid m_0 when the trader heard of it and mid m_h at time t + h,

    mark-out, bps   = s * (m_h / m_0 - 1) * 1e4
    mark-out, money = s * size * (v(m_h) - v(m_0))

A negative mark-out is adverse selection: the market moved against the fill. Together with the spread captured
at the fill it gives the realised spread, what was left of the edge after h.

m_h is the price of the sample nearest to t + h, if that sample is at most h / 4 away; otherwise the samples
are too sparse there (or the run has ended) and the mark-out is NaN. The share of fills that could be judged
is stated.

Sources
-------
Huang and Stoll (1996), Dealer versus auction markets, J. Financial Economics 41(3) (realised spread).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.fill_values import HORIZONS_NS, FillValues
from headwater.reports.valuation import F64, Records

GROUPS: Final = ("all", "maker", "taker")

_SUMS: Final = 7  # fills, judged, money, captured, value, sum of bps, sum of squared bps


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOut:
    """Mark-outs of one group of fills at one horizon.

    Attributes
    ----------
    horizon_ns : time after the fill
    group : "all", "maker" or "taker"
    fills : fills in the group
    judged : fills whose mid is known at both ends
    mean_bps : mean over judged fills, weighted by value; NaN when none was judged
    standard_error_bps : of the unweighted mean, taking fills as independent; NaN below 2
    realised_bps : mean over judged fills of mid change plus spread captured at the fill, weighted by value
    money : sum over judged fills, settle currency; NaN when none was judged
    """

    horizon_ns: int
    group: str
    fills: int
    judged: int
    mean_bps: float
    standard_error_bps: float
    realised_bps: float
    money: float


@kernel
def sum_mark_outs(rows: Records, later: F64, later_lot: F64, account: int, out: F64) -> None:
    """Sums of the mark-outs of one account at one horizon.

    Parameters
    ----------
    rows : (n,) FILL_VALUE_DTYPE
    later, later_lot : (n,) quote, and settle currency per lot; NaN where unknown
    out : (14,) seven sums for makers, then for takers, 0 at the start
    """
    for i in range(len(rows)):
        if rows[i]["account"] != account:
            continue
        base = 0 if rows[i]["is_maker"] == 1 else _SUMS
        out[base] += 1.0
        mid = rows[i]["mid"]
        if np.isnan(mid) or np.isnan(later[i]):
            continue
        signed = rows[i]["signed"]
        bps = np.sign(signed) * (later[i] / mid - 1.0) * 1e4
        out[base + 1] += 1.0
        out[base + 2] += signed * (later_lot[i] - rows[i]["lot_at_mid"])
        out[base + 3] += rows[i]["cash"] + signed * rows[i]["lot_at_mid"]
        out[base + 4] += abs(signed * rows[i]["lot_at_mid"])
        out[base + 5] += bps
        out[base + 6] += bps * bps


def mark_outs(values: FillValues, account: int) -> list[MarkOut]:
    """Mark-outs of the fills of `account`, per horizon and group."""
    found = []
    for horizon, later, later_lot in zip(HORIZONS_NS, values.later, values.later_lot, strict=True):
        sums = np.zeros(2 * _SUMS)
        sum_mark_outs(values.rows, later, later_lot, account, sums)
        maker, taker = sums[:_SUMS], sums[_SUMS:]
        for group, part in zip(GROUPS, (maker + taker, maker, taker), strict=True):
            found.append(_summarise(horizon, group, part))
    return found


def _summarise(horizon_ns: int, group: str, sums: F64) -> MarkOut:
    fills, judged, money, captured, value, bps, squared = (float(part) for part in sums)
    variance = (squared - bps * bps / judged) / (judged - 1.0) if judged > 1.0 else np.nan
    return MarkOut(
        horizon_ns=horizon_ns,
        group=group,
        fills=int(fills),
        judged=int(judged),
        mean_bps=money / value * 1e4 if value > 0.0 else np.nan,
        standard_error_bps=float(np.sqrt(max(variance, 0.0) / judged)) if judged > 1.0 else np.nan,
        realised_bps=(money + captured) / value * 1e4 if value > 0.0 else np.nan,
        money=money if judged else np.nan,
    )
