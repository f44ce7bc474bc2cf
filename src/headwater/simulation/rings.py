"""Messages in flight, as rings sorted by arrival. Ties keep the order in which they were sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.state import FAR_FUTURE


@kernel
def ring_slot(ring: Any, head: Int, tail: Int, ts: Int) -> Int:
    """Make room for a message that arrives at `ts` and return its index; the caller advances `tail` by one.

    Messages of other venues that arrive later are moved up by one: almost always there are none.
    """
    mask = len(ring) - 1
    at = tail
    while at > head and ring[(at - 1) & mask]["ts"] > ts:
        ring[at & mask] = ring[(at - 1) & mask]
        at -= 1
    return at & mask


@kernel
def ring_first_ts(ring: Any, head: Int, tail: Int) -> Int:
    """Arrival of the first message, ``FAR_FUTURE`` when there is none."""
    if head == tail:
        return np.int64(FAR_FUTURE)
    return ring[head & (len(ring) - 1)]["ts"]
