"""Profit by calendar month in UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.reports.equity import EquityCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One calendar month of an account.

    Attributes
    ----------
    year, month : UTC
    profit : change of equity, settle currency
    ratio : profit / equity at the start of the month; NaN when that is not above zero
    whole : the run covers the month from its first to its last day; a fragment is marked in reports
    """

    year: int
    month: int
    profit: float
    ratio: float
    whole: bool


def months(curve: EquityCurve) -> list[Month]:
    """The months that `curve` touches, in order."""
    if not len(curve.ts):
        return []
    first = np.datetime64(int(curve.ts[0]), "ns").astype("datetime64[M]")
    last = np.datetime64(int(curve.ts[-1]), "ns").astype("datetime64[M]")
    edges = np.arange(first, last + 2).astype("datetime64[ns]").astype(np.int64)
    before = np.searchsorted(curve.ts, edges, side="left") - 1
    level = np.where(before >= 0, curve.equity[np.maximum(before, 0)], curve.initial)
    return [
        _month(
            first + row,
            curve,
            (int(edges[row]), int(edges[row + 1])),
            float(level[row]),
            float(level[row + 1]),
        )
        for row in range(len(edges) - 1)
    ]


def _month(
    label: np.datetime64, curve: EquityCurve, edge: tuple[int, int], start: float, end: float
) -> Month:
    year, month = (int(part) for part in str(label).split("-"))
    # The last sample of a month sits one sampling interval before its end.
    step = curve.span_ns // max(1, len(curve.ts) - 1)
    return Month(
        year=year,
        month=month,
        profit=end - start,
        ratio=(end - start) / start if start > 0.0 else np.nan,
        whole=bool(curve.ts[0] <= edge[0] + step and curve.ts[-1] >= edge[1] - 2 * step - 1),
    )
