"""Fewer points, same picture: of each stretch of time the lowest and the highest value.

A line of a million points drawn 1,200 pixels wide shows in every pixel column the range of what fell into it.
The span is cut into equal buckets of time; of each, the rows of its minimum and maximum are kept, and the
first and the last row of all. Peaks and troughs survive exactly; nothing is averaged.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.valuation import F64, I64

BUCKETS: Final = 1_200
"""Buckets of a chart: about one for each pixel column of a desk's screen."""


@kernel
def pick_extremes(ts: I64, values: F64, buckets: int, rows: I64) -> int:
    """Rows of the extremes per bucket; return how many were written.

    Parameters
    ----------
    ts : (n,) ascending, n > 0
    values : (n,) NaN rows are never chosen as extremes
    buckets : number of equal stretches of time
    rows : (2 * buckets + 2,) receives ascending row numbers
    """
    start = ts[0]
    width = (ts[len(ts) - 1] - start) // buckets + 1
    count = 1
    rows[0] = 0
    i = 0
    while i < len(ts):
        bucket = (ts[i] - start) // width
        lowest = -1
        highest = -1
        while i < len(ts) and (ts[i] - start) // width == bucket:
            if not np.isnan(values[i]):
                if lowest < 0 or values[i] < values[lowest]:
                    lowest = i
                if highest < 0 or values[i] > values[highest]:
                    highest = i
            i += 1
        count = _append(rows, count, min(lowest, highest))
        count = _append(rows, count, max(lowest, highest))
    return _append(rows, count, len(ts) - 1)


@kernel
def _append(rows: I64, count: int, row: int) -> int:
    if row > rows[count - 1]:
        rows[count] = row
        return count + 1
    return count


def extremes(ts: I64, values: F64, buckets: int = BUCKETS) -> I64:
    """Rows to draw, ascending: all of them when there are no more than two per bucket."""
    if len(ts) <= 2 * buckets + 2:
        return np.arange(len(ts))
    rows = np.empty(2 * buckets + 2, np.int64)
    return rows[: pick_extremes(ts, values, buckets, rows)]
