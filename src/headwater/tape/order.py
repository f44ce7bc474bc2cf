"""The two orders of a tape: as the trader learned, and as it happened at the venue.

Both are orders of *messages*: the records of one venue message stay together, in the order in which they were
sent. A message is placed by the time of its last record; for a bar, whose first record carries the bar's
start, that is the end of the bar, before which nobody could have known it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EventFlag, Events
from headwater.kernels.kernel import kernel

I64: TypeAlias = npt.NDArray[np.int64]
Permutation: TypeAlias = npt.NDArray[np.intp]

_LAST = int(EventFlag.LAST_IN_MESSAGE)


@kernel
def message_times(events: Events, at_venue: bool, out: I64) -> None:
    """Write, for each record, the time of the last record of its message.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE, messages contiguous; records after the last complete message keep their own
        time
    at_venue : take ``ts_venue``, else ``ts_local``
    out : (n,) UTC ns
    """
    time = np.int64(0)
    in_message = False
    for i in range(len(events) - 1, -1, -1):
        own = events[i]["ts_venue"] if at_venue else events[i]["ts_local"]
        if events[i]["flags"] & _LAST:
            time = own
            in_message = True
        out[i] = time if in_message else own


@kernel
def forward_times(times: I64, start: int) -> int:
    """Raise each time, in place, to the greatest before it: a clock that steps back must not reorder a
    stream.

    Returns the number of times that were raised. `start` is the greatest time before ``times[0]``.
    """
    greatest = np.int64(start)
    raised = 0
    for i in range(len(times)):
        if times[i] < greatest:
            times[i] = greatest
            raised += 1
        else:
            greatest = times[i]
    return raised


def order_by(keys: I64, arrival: npt.NDArray[Any]) -> Permutation | None:
    """Permutation that sorts by (`keys`, `arrival`), or None when they are in that order already."""
    step = np.diff(keys)
    if np.all((step > 0) | ((step == 0) & (np.diff(arrival) >= 0))):
        return None
    return np.lexsort((arrival, keys))


def venue_order(events: Events) -> Permutation | None:
    """Permutation to the venue's order, or None when `events` are in it; messages must be contiguous."""
    return _message_order(events, at_venue=True)


def local_order(events: Events) -> Permutation | None:
    """Permutation to the trader's order, or None when `events` are in it; messages must be contiguous."""
    return _message_order(events, at_venue=False)


def _message_order(events: Events, *, at_venue: bool) -> Permutation | None:
    keys = np.empty(len(events), np.int64)
    message_times(events, at_venue, keys)
    return order_by(keys, events["arrival"])
