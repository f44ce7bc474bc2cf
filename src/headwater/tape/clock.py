"""The receive clock against the venue's: judge it, shift it when it is behind, say when latency means
nothing.

A message cannot be received before it was sent. Where ``ts_local - ts_venue`` is negative the two clocks
disagree, and by how much is known only up to the fastest message: after the shift the fastest message took
the base latency, and every other latency is relative to it (Moon, Skelly and Towsley 1999, INFOCOM, estimate
skew from the same lower envelope). Order between messages is never changed: one shift serves the whole
stream.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

I64: TypeAlias = npt.NDArray[np.int64]

BLOCKS_MAX: Final = 64
DRIFT_NS_MAX: Final = 100_000_000
"""A clock whose fastest messages wander by more than 100 ms within one stream measures nothing."""

FLOOR_NS_MAX: Final = 5_000_000_000
"""No feed's fastest message takes 5 s: such stamps are of a delayed copy, or of another clock."""

_OUTLIER_MADS: Final = 6.0
_OUTLIER_NS_MIN: Final = 50_000_000


def correct_clock(ts_local: I64, ts_venue: I64, base_latency_ns: int) -> tuple[I64, str, bool]:
    """Shift a receive clock that is behind the venue's.

    The stream is cut into up to 64 blocks of equal count, and the fastest message of each gives the block's
    floor. Floors more than 6 median absolute deviations (at least 50 ms) from their median are outliers:
    wrong stamps. A negative lowest remaining floor is lifted to `base_latency_ns` by adding one number to all
    times.

    Parameters
    ----------
    ts_local, ts_venue : (n,) UTC ns, in order of arrival
    base_latency_ns : what the fastest message is taken to have needed, >= 0

    Returns
    -------
    ts_local : (n,) corrected; the same values when nothing was to correct
    words : what was done, for the certificate
    usable : whether ``ts_local - ts_venue`` is now a latency to model with
    """
    if base_latency_ns < 0:
        raise ValueError(f"expected a base latency of at least 0 ns, found {base_latency_ns}")
    if len(ts_local) != len(ts_venue):
        raise ValueError(f"expected as many local as venue times, found {len(ts_local)} and {len(ts_venue)}")
    if len(ts_local) == 0:
        return ts_local, "absent: no times to compare", False
    latency = ts_local - ts_venue
    if not latency.any():
        return ts_local, "absent: receive and venue times are the same", False
    floors = _inliers(_block_floors(latency))
    floor, drift = int(floors.min()), int(floors.max() - floors.min())
    if floor >= 0:
        return ts_local, *_judged("as recorded", floor, drift)
    shift = base_latency_ns - floor
    words = f"shifted by +{_seconds(shift)}: the receive clock was {_seconds(-floor)} behind the venue's"
    return ts_local + shift, *_judged(words, base_latency_ns, drift)


def _block_floors(latency: I64) -> I64:
    starts = np.linspace(0, len(latency), min(BLOCKS_MAX, len(latency)), endpoint=False).astype(np.intp)
    return np.asarray(np.minimum.reduceat(latency, starts))


def _inliers(floors: I64) -> I64:
    distance = np.abs(floors - np.median(floors))
    limit = max(_OUTLIER_MADS * float(np.median(distance)), _OUTLIER_NS_MIN)
    return floors[distance <= limit]


def _judged(words: str, floor: int, drift: int) -> tuple[str, bool]:
    if floor > FLOOR_NS_MAX:
        return f"{words}; the fastest message took {_seconds(floor)}: latency not usable", False
    if drift > DRIFT_NS_MAX:
        return f"{words}; it wanders by {_seconds(drift)}: latency not usable", False
    return words, True


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / 1e9:.3f} s"
