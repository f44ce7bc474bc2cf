"""Split a stream of events by kind group, without tearing a message apart in the book's eyes.

A venue message may speak of several things at once (Bybit's ticker: mark, index, funding, quote). Stored by
kind group, each group's share becomes a message of its own: its last record carries LAST_IN_MESSAGE, so that
a reader of one group alone still sees where messages end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EventFlag, EventKind, Events
from headwater.tape.kind_group import FAMILIES, family_numbers, interval_label
from headwater.tape.records import chosen, copied, gathered

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)
_BAR_KINDS: Final = np.array([EventKind.BAR_OPEN, EventKind.BAR_RANGE, EventKind.BAR_CLOSE], np.uint8)
_SECOND_NS: Final = 1_000_000_000


def storable(events: Events) -> Events:
    """A copy in which each message is of one kind group, and records that name no side are seen by both.

    Parameters
    ----------
    events : (n,) in arrival order; the last record ends a message

    Raises
    ------
    ValueError : a record of unknown kind, or events that end inside a message
    """
    kinds = events["kind"]
    if int(kinds.min()) < 1 or int(kinds.max()) > max(EventKind):
        raise ValueError(
            f"expected kinds 1 to {max(EventKind)}, found {int(kinds.min())} to {int(kinds.max())}"
        )
    if not int(events["flags"][-1]) & _LAST:
        raise ValueError(
            "expected the last record of a batch to end its message, found LAST_IN_MESSAGE unset"
        )
    copy = copied(events)
    sideless = (copy["flags"] & _BOTH_SIDES) == 0
    if sideless.any():
        copy["flags"][sideless] |= _BOTH_SIDES
    return _one_group_a_message(copy)


def _one_group_a_message(events: Events) -> Events:
    family = family_numbers(events)
    is_last = (events["flags"] & _LAST) != 0
    mixed = (family[1:] != family[:-1]) & ~is_last[:-1]
    if not mixed.any():
        return events
    message = np.zeros(len(events), np.int64)
    np.cumsum(is_last[:-1], out=message[1:])
    order = np.lexsort((family, message))
    ordered = gathered(events, order)
    family, message = family[order], message[order]
    ends = np.ones(len(events), bool)
    ends[:-1] = (family[1:] != family[:-1]) | (message[1:] != message[:-1])
    ordered["flags"] = (ordered["flags"] & ~np.uint8(_LAST)) | np.where(ends, _LAST, 0).astype(np.uint8)
    return ordered


def by_group(events: Events, book_levels: int = 0) -> Iterator[tuple[str, Events]]:
    """Pairs of kind group and its records, in arrival order within each group.

    Parameters
    ----------
    events : as :func:`storable` makes them
    book_levels : depth of the book stream; 0 when the whole book is published

    Raises
    ------
    ValueError : bars that are not BAR_OPEN, BAR_RANGE, BAR_CLOSE in turn
    """
    family = family_numbers(events)
    present = np.unique(family)
    for number in present:
        rows = events if len(present) == 1 else chosen(events, family == number)
        name = FAMILIES[number]
        if name == "bars":
            yield from _bars_by_interval(rows)
        elif name == "book" and book_levels:
            yield f"book-{book_levels}", rows
        else:
            yield name, rows


def _bars_by_interval(rows: Events) -> Iterator[tuple[str, Events]]:
    if len(rows) % 3 or not np.array_equal(rows["kind"], np.tile(_BAR_KINDS, len(rows) // 3)):
        raise ValueError("expected bars as BAR_OPEN, BAR_RANGE, BAR_CLOSE in turn, found another order")
    intervals = bar_intervals(rows)
    for interval in np.unique(intervals):
        is_mine = intervals == interval
        mine = rows if is_mine.all() else chosen(rows, np.repeat(is_mine, 3))
        yield f"bars-{interval_label(int(interval))}", mine


def bar_intervals(rows: Events) -> npt.NDArray[np.int64]:
    """Length of each bar in nanoseconds; above a second to the second (59.999 s, as Binance closes a bar, is
    60 s)."""
    lengths = rows["ts_venue"][2::3] - rows["ts_venue"][0::3]
    rounded = (lengths + _SECOND_NS // 2) // _SECOND_NS * _SECOND_NS
    return np.asarray(np.where(rounded > 0, rounded, lengths))
