"""Order latency as it was lived: request to venue, and venue back to trader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.reports.valuation import F64, Records

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyStatistics:
    """Percentiles of the latency of answered requests, ns; NaN without any.

    Attributes
    ----------
    count : requests that were answered
    entry_ns, response_ns, round_trip_ns : at PERCENTILES, the last being the maximum
    """

    count: int
    entry_ns: tuple[float, ...]
    response_ns: tuple[float, ...]
    round_trip_ns: tuple[float, ...]


def latency_statistics(latencies: Records) -> LatencyStatistics:
    """Percentiles of `latencies`, (n,) LATENCY_DTYPE."""
    entry = latencies["entry_ns"].astype(np.float64)
    response = latencies["response_ns"].astype(np.float64)
    return LatencyStatistics(
        count=len(latencies),
        entry_ns=percentiles(entry),
        response_ns=percentiles(response),
        round_trip_ns=percentiles(entry + response),
    )


def percentiles(values: F64, at: tuple[float, ...] = PERCENTILES) -> tuple[float, ...]:
    """Values at or above the given percentage of the sample (no interpolation: each one really occurred)."""
    if not len(values):
        return (np.nan,) * len(at)
    ranks = [max(0, int(np.ceil(percent / 100.0 * len(values))) - 1) for percent in at]
    ordered = np.sort(values)
    return tuple(float(ordered[rank]) for rank in ranks)
