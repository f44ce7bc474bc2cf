"""Merge sorted streams of events of any length, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EVENT_DTYPE, EventFlag, Events
from headwater.tape.order import I64, forward_times, message_times, order_by
from headwater.tape.records import copied, gathered, joined

Keyed: TypeAlias = tuple[Events, I64]
"""Events and the key of each, not decreasing; both of shape (n,)."""

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


class _Head:
    """The part of a stream that has been read and not yet given out."""

    def __init__(self, stream: Iterator[Keyed]) -> None:
        self._stream = stream
        self.rows = np.empty(0, EVENT_DTYPE)
        self.keys = np.empty(0, np.int64)
        self.is_exhausted = False

    def read_past(self, key: int | None) -> None:
        """Read until the last key is above `key` (None: until there is one) or the stream ends."""
        rows, keys = [self.rows], [self.keys]
        while not self.is_exhausted and (len(keys[-1]) == 0 or (key is not None and keys[-1][-1] <= key)):
            chunk = next(self._stream, None)
            if chunk is None:
                self.is_exhausted = True
            else:
                rows.append(chunk[0])
                keys.append(chunk[1])
        if len(rows) > 1:
            kept = slice(0 if len(keys[0]) else 1, None)
            self.rows = rows[-1] if len(rows[kept]) == 1 else joined(rows[kept])
            self.keys = keys[-1] if len(keys[kept]) == 1 else np.concatenate(keys[kept])

    def take(self) -> Keyed:
        """Remove and return everything that has been read."""
        taken = self.rows, self.keys
        self.rows, self.keys = self.rows[:0], self.keys[:0]
        return taken

    def take_up_to(self, key: int) -> Keyed:
        """Remove and return what has a key of at most `key`."""
        count = int(np.searchsorted(self.keys, key, side="right"))
        taken = self.rows[:count], self.keys[:count]
        self.rows, self.keys = self.rows[count:], self.keys[count:]
        return taken


def merged(streams: Iterable[Iterator[Keyed]]) -> Iterator[Keyed]:
    """Merge by (key, arrival).

    Each round gives out everything up to the smallest last key among the chunks at hand: no stream can still
    bring something smaller. Memory: one chunk of each stream, and what shares one key.
    """
    heads = [_Head(stream) for stream in streams]
    while True:
        for head in heads:
            head.read_past(None)
        heads = [head for head in heads if len(head.keys)]
        if not heads:
            return
        if len(heads) == 1:
            yield heads[0].take()
            continue
        horizon = min(int(head.keys[-1]) for head in heads)
        for head in heads:
            if head.keys[-1] == horizon:
                head.read_past(horizon)
        taken = [head.take_up_to(horizon) for head in heads]
        yield _sorted([rows for rows, _ in taken], np.concatenate([keys for _, keys in taken]))


def _sorted(pieces: list[Events], keys: I64) -> Keyed:
    rows = pieces[0] if len(pieces) == 1 else joined(pieces)
    order = order_by(keys, rows["arrival"])
    if order is None:
        return rows, keys
    return gathered(rows, order), keys[order]


def whole_messages(chunks: Iterable[Events]) -> Iterator[Events]:
    """The same events, cut only where a message ends."""
    rest = np.empty(0, EVENT_DTYPE)
    for chunk in chunks:
        rows = joined([rest, chunk]) if len(rest) else chunk
        end = last_message_end(rows["flags"])
        if end:
            yield rows[:end]
        rest = copied(rows[end:])
    if len(rest):
        yield rest


def last_message_end(flags: npt.NDArray[np.uint8]) -> int:
    """Number of leading records that make whole messages."""
    backwards = (flags[::-1] & _LAST) != 0
    return len(flags) - int(backwards.argmax()) if backwards.any() else 0


def local_stream(chunks: Iterable[Events]) -> Iterator[Keyed]:
    """Key one stream in arrival order by the trader's time.

    A message counts from its last record, and time never runs backwards within a stream: where the receive
    clock stepped back, the record is moved up to the greatest time before it, since its place in the stream
    is certain and its stamp is not. The moved times are written into the events. Records that the venue alone
    acts on keep their place and move no other: the trader never receives them.
    """
    greatest = -(2**63)
    for rows in whole_messages(chunks):
        keys = np.empty(len(rows), np.int64)
        message_times(rows, False, keys)
        greatest = max(greatest, int(keys.min()))
        keys[(rows["flags"] & _SIDES) == EventFlag.AT_VENUE] = greatest
        forward_times(keys, greatest)
        greatest = int(keys[-1])
        rows["ts_local"] = keys
        yield rows, keys


def within(stream: Iterator[Keyed], start: int | None, end: int | None) -> Iterator[Keyed]:
    """What of a stream has a key in [`start`, `end`); None for no bound."""
    for rows, keys in stream:
        first = 0 if start is None else int(np.searchsorted(keys, start))
        last = len(keys) if end is None else int(np.searchsorted(keys, end))
        if first < last:
            yield rows[first:last], keys[first:last]
