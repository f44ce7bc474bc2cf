"""The book as it stood at an instant, as a snapshot: so that a replay can begin in the middle of the
deltas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind, Events
from headwater.storage.merge import last_message_end, whole_messages
from headwater.storage.parquet import clear_row_groups, part_rows
from headwater.tape.book_check import BookCheck
from headwater.tape.common_grid import rescale
from headwater.tape.sides import trader_records

_BOTH_SIDES = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


ScaledPart: TypeAlias = tuple[Path, int, int]
"""A part, and what to multiply its ticks and lots by."""


def book_before(parts: Sequence[ScaledPart], ts: int) -> Events:
    """Snapshot of the book after all messages with a ``ts_local`` below `ts`.

    Parameters
    ----------
    parts : book parts of one instrument, in the order of time
    ts : UTC ns

    Returns
    -------
    One message: BOOK_CLEAR of both sides, then BOOK_SNAPSHOT a level, bids first, best first. ``ts_local`` is
    `ts` and ``ts_venue`` that of the last message applied, so that the snapshot precedes what was still on
    its way. Arrival numbers are below zero: nobody sent it. Empty when the book was not to be trusted then.

    Only what follows the last BOOK_CLEAR is read; row group statistics say where it can be.
    """
    for first_part in range(len(parts) - 1, -1, -1):
        for first_group in reversed(clear_row_groups(parts[first_part][0], ts)):
            check, ts_venue = _applied(parts[first_part:], first_group, ts)
            if check.is_trusted:
                return _snapshot(check, ts, ts_venue)
    return np.empty(0, EVENT_DTYPE)


def _applied(parts: Sequence[ScaledPart], first_group: int, ts: int) -> tuple[BookCheck, int]:
    check, ts_venue = BookCheck(), 0
    for rows in whole_messages(_rows(parts, first_group, ts)):
        late = np.flatnonzero(rows["ts_local"] >= ts)
        known = rows[: int(late[0])] if len(late) else rows
        known = known[: last_message_end(known["flags"])]
        if len(known):
            check.update(trader_records(known))
            ts_venue = int(known["ts_venue"][-1])
        if len(late):
            break
    return check, ts_venue


def _rows(parts: Sequence[ScaledPart], first_group: int, ts: int) -> Iterator[Events]:
    for number, (path, tick_factor, lot_factor) in enumerate(parts):
        for rows in part_rows(path, end=ts, first_group=0 if number else first_group):
            rescale(rows, tick_factor, lot_factor)
            yield rows


def _snapshot(check: BookCheck, ts: int, ts_venue: int) -> Events:
    bids, asks = check.levels()
    events = np.zeros(1 + bids.shape[1] + asks.shape[1], EVENT_DTYPE)
    events["ts_local"], events["ts_venue"] = ts, ts_venue
    events["kind"], events["flags"] = EventKind.BOOK_SNAPSHOT, _BOTH_SIDES
    events["arrival"] = np.arange(-len(events), 0)
    events[0]["kind"], events[0]["price"] = EventKind.BOOK_CLEAR, NO_PRICE
    bid_rows, ask_rows = events[1 : 1 + bids.shape[1]], events[1 + bids.shape[1] :]
    bid_rows["price"], bid_rows["size"], bid_rows["side"] = bids[0], bids[1], 1
    ask_rows["price"], ask_rows["size"], ask_rows["side"] = asks[0], asks[1], -1
    events["flags"][-1] |= int(EventFlag.LAST_IN_MESSAGE)
    return events
