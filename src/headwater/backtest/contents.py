"""What a tape holds of each instrument, as far as it decides what can be modelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.domain.event import EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.simulation.kinds import PriceSource
from headwater.simulation.state import I64
from headwater.tape.replay import Replay

_KINDS = 32
_CHUNK_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Contents:
    """Number of events of one instrument by kind."""

    counts: dict[EventKind, int]

    def has(self, kind: EventKind) -> bool:
        """Whether the tape holds at least one event of this kind."""
        return self.counts.get(kind, 0) > 0

    @property
    def source(self) -> PriceSource:
        """The best of what is there: a book, else best quotes, else prints, else bars."""
        if self.has(EventKind.BOOK_DELTA) or self.has(EventKind.BOOK_SNAPSHOT):
            return PriceSource.BOOK
        if self.has(EventKind.QUOTE):
            return PriceSource.QUOTES
        return PriceSource.TRADES if self.has(EventKind.TRADE) else PriceSource.BARS


def contents(replay: Replay) -> list[Contents]:
    """Count the events of each instrument of `replay`: one pass over the tape, whose pages are given back on the way."""
    counts = np.zeros(len(replay.instruments) * _KINDS, np.int64)
    for start in range(0, len(replay.local), _CHUNK_ROWS):
        rows = replay.local[start : start + _CHUNK_ROWS]
        count_kinds(rows, counts)
        replay.release(start + len(rows), start + len(rows))
    table = counts.reshape(len(replay.instruments), _KINDS)
    return [Contents({kind: int(row[kind]) for kind in EventKind if row[kind]}) for row in table]


@kernel
def count_kinds(events: Events, counts: I64) -> None:
    """Add to ``counts[32 * instrument + kind]`` one for each event."""
    for row in range(len(events)):
        event = events[row]
        counts[np.int64(event["instrument"]) * 32 + np.int64(event["kind"])] += 1
