"""A stretch of time cut out of a replay, along message boundaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headwater.domain.event import EventFlag, Events
from headwater.tape.replay import Replay

_LAST = int(EventFlag.LAST_IN_MESSAGE)
_SCAN_ROWS = 256


def window(replay: Replay, start: int | None, end: int | None) -> Replay:
    """The messages of `replay` with a time in [`start`, `end`): ``ts_local`` for one side, ``ts_venue`` for
    the other.

    When one order serves both sides, the trader's times cut it.
    """
    first, last = _rows_between(replay.local, start, end, "ts_local")
    local = replay.local[first:last]
    if replay.venue is replay.local:
        return replace(replay, local=local, venue=local, release=_shifted(replay, first, first))
    venue_first, venue_last = _rows_between(replay.venue, start, end, "ts_venue")
    venue = replay.venue[venue_first:venue_last]
    return replace(replay, local=local, venue=venue, release=_shifted(replay, first, venue_first))


def _shifted(replay: Replay, local_first: int, venue_first: int) -> Callable[[int, int], None]:
    return lambda local_rows, venue_rows: replay.release(local_first + local_rows, venue_first + venue_rows)


def _rows_between(events: Events, start: int | None, end: int | None, stamp: str) -> tuple[int, int]:
    first = 0 if start is None else first_row_at(events, start, stamp)
    last = len(events) if end is None else first_row_at(events, end, stamp)
    return first, max(first, last)


def first_row_at(events: Events, ts: int, stamp: str) -> int:
    """First row of the first message whose last record has `stamp` at or after `ts`; binary search over
    messages."""
    low, high = 0, len(events)
    while low < high:
        message_end = _message_end(events, (low + high) // 2)
        if int(events[message_end - 1][stamp]) < ts:
            low = message_end
        else:
            high = _message_begin(events, (low + high) // 2)
    return low


def _message_end(events: Events, row: int) -> int:
    """One past the last record of the message that holds `row`."""
    for start in range(row, len(events), _SCAN_ROWS):
        is_last = (events["flags"][start : start + _SCAN_ROWS] & _LAST) != 0
        if is_last.any():
            return start + int(np.argmax(is_last)) + 1
    return len(events)


def _message_begin(events: Events, row: int) -> int:
    """First record of the message that holds `row`."""
    for stop in range(row, 0, -_SCAN_ROWS):
        is_last = (events["flags"][max(0, stop - _SCAN_ROWS) : stop] & _LAST) != 0
        if is_last.any():
            return stop - int(np.argmax(is_last[::-1]))
    return 0
