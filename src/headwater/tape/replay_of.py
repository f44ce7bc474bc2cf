"""Make a replay in memory, from arrays of events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headwater.domain.event import EventFlag, Events
from headwater.tape.order import Permutation, local_order, venue_order
from headwater.tape.records import copied, gathered, joined
from headwater.tape.replay import Replay, ReplayInstrument

_BOTH_SIDES = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


def replay_of(events: Events | Sequence[Events], instruments: Sequence[ReplayInstrument]) -> Replay:
    """Build a :class:`Replay` from events in memory.

    Parameters
    ----------
    events : either one array in arrival order, whose ``instrument`` numbers index `instruments`, or one array
        per instrument, numbered here. The input is copied, never changed.
    instruments : descriptions, in the order of the numbers

    Arrival numbers are given here when the input has none (all zero). Records that name no side are seen by
    both.

    Raises
    ------
    ValueError : a number of arrays other than that of the instruments, or an instrument number out of range
    """
    merged = copied(events) if isinstance(events, np.ndarray) else _numbered(events, len(instruments))
    _check_numbers(merged, len(instruments))
    if not merged["arrival"].any():
        merged["arrival"] = np.arange(len(merged))
    sideless = (merged["flags"] & _BOTH_SIDES) == 0
    merged["flags"][sideless] |= _BOTH_SIDES
    local = _arranged(merged, local_order(merged))
    return Replay(local=local, venue=_arranged(local, venue_order(local)), instruments=tuple(instruments))


def _numbered(parts: Sequence[Events], instruments: int) -> Events:
    if len(parts) != instruments:
        raise ValueError(f"expected one array for each of {instruments} instruments, found {len(parts)}")
    merged = joined(parts)
    merged["instrument"] = np.repeat(np.arange(instruments), [len(part) for part in parts])
    return merged


def _check_numbers(events: Events, instruments: int) -> None:
    greatest = int(events["instrument"].max(initial=0))
    if len(events) and greatest >= instruments:
        raise ValueError(f"expected instrument numbers below {instruments}, found {greatest}")


# The identical object when nothing moves: `replay.venue is replay.local` says that one order serves both.
def _arranged(events: Events, order: Permutation | None) -> Events:
    return events if order is None else gathered(events, order)
