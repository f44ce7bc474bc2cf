"""Moving event records as blocks of bytes.

NumPy copies a structured array field by field. Seen as plain 48-byte blocks the same records move ten times
as fast (a million joined in 3 ms against 28, gathered in 4 against 65), and the result keeps
:data:`EVENT_DTYPE` itself, which matters: an equal but distinct dtype costs 6 us a kernel call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EVENT_DTYPE, Events

_BLOCK: Final = np.dtype(f"V{EVENT_DTYPE.itemsize}")


def copied(events: Events) -> Events:
    """A copy of `events`."""
    rows = np.empty(len(events), EVENT_DTYPE)
    rows.view(_BLOCK)[:] = events.view(_BLOCK)
    return rows


def joined(pieces: Sequence[Events]) -> Events:
    """All `pieces`, one behind the other."""
    rows = np.empty(sum(map(len, pieces)), EVENT_DTYPE)
    if pieces:
        np.concatenate([piece.view(_BLOCK) for piece in pieces], out=rows.view(_BLOCK))
    return rows


def gathered(events: Events, order: npt.NDArray[Any]) -> Events:
    """The records at the positions `order`, each from 0 to n - 1; positions beyond are those of the ends."""
    rows = np.empty(len(order), EVENT_DTYPE)
    if len(order):
        np.take(events.view(_BLOCK), order, out=rows.view(_BLOCK), mode="clip")
    return rows


def chosen(events: Events, mask: npt.NDArray[np.bool_]) -> Events:
    """The records where `mask` is true."""
    return gathered(events, np.flatnonzero(mask))
