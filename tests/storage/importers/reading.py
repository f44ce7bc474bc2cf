"""Reading a foreign file in a test, and playing the events that came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from headwater.domain.event import NO_PRICE, EventFlag, EventKind
from headwater.ports.importer import Batch, Findings, GridLookup, ImportContext
from headwater.storage.importers import recognise
from tests.oracle.plain_book import PlainBook

BOOK_KINDS = (EventKind.BOOK_CLEAR, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_DELTA)


@dataclass
class Read:
    """What one file gave."""

    batches: list[Batch]
    findings: dict[str, Findings]

    def counts(self, instrument: str | None = None) -> dict[EventKind, int]:
        """Events by kind."""
        kinds = [one.events["kind"] for one in self.batches if instrument in (None, one.instrument)]
        values, counts = np.unique(np.concatenate(kinds), return_counts=True)
        return {EventKind(int(value)): int(count) for value, count in zip(values, counts, strict=True)}

    @property
    def only(self) -> Findings:
        """The findings of the only instrument."""
        (findings,) = self.findings.values()
        return findings


def no_rules(instrument: str, ts: int) -> None:
    """A rulebook that knows nothing."""


def read(
    path: Path,
    instrument: str | None = None,
    *,
    grid: GridLookup = no_rules,
    carried: dict[str, int] | None = None,
) -> Read:
    """Import one file by what is in it."""
    context = ImportContext(
        instrument=instrument,
        grid=grid,
        progress=lambda bytes_done: None,  # noqa: ARG005
        carried={} if carried is None else carried,
    )
    batches = list(recognise(path).batches(path, context))
    for batch in batches:
        check_shape(batch)
    return Read(batches, context.findings)


def check_shape(batch: Batch) -> None:
    """Rules that every batch keeps: whole messages, both sides named, times that do not fall."""
    events = batch.events
    assert len(events) > 0
    assert len(events) <= 1_000_000
    assert events["flags"][-1] & EventFlag.LAST_IN_MESSAGE
    assert (events["flags"] & (EventFlag.AT_VENUE | EventFlag.AT_LOCAL)).all()
    assert (events["ts_local"] > 0).all()
    assert batch.tick_size > 0
    assert batch.lot_size > 0


def book_states(batches: list[Batch]) -> Iterator[tuple[int, PlainBook]]:
    """(ts_venue, the same book object) after every message that touches the book."""
    book = PlainBook()
    touched = False
    for batch in batches:
        for event in batch.events:
            kind = int(event["kind"])
            if kind in BOOK_KINDS:
                touched = True
                _apply(book, batch, event, kind)
            if touched and int(event["flags"]) & EventFlag.LAST_IN_MESSAGE:
                touched = False
                yield int(event["ts_venue"]), book


def _apply(book: PlainBook, batch: Batch, event: np.void, kind: int) -> None:
    if kind == EventKind.BOOK_CLEAR:
        assert int(event["price"]) == NO_PRICE
        book.replace([], [])
        return
    side = book.bids if int(event["side"]) > 0 else book.asks
    price, size = int(event["price"]) * batch.tick_size, int(event["size"]) * batch.lot_size
    if size:
        side[Decimal(price)] = Decimal(size)
    else:
        side.pop(Decimal(price), None)
