"""Events of all instruments of one captured file, on their way into batches."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.data_grid import DataGrid
from headwater.storage.event_rows import ROWS_MAX, EventRows, SegmentLog
from headwater.storage.receive_clock import ReceiveClock

HELD_ROWS_MAX: Final = 4_000_000
"""Rows held back until the receive clock is judged: a smaller file is judged as a whole (224 MB)."""


class CaptureRows:
    """One :class:`EventRows` per instrument and depth; one clock correction serves them all.

    Parameters
    ----------
    path : the file, for messages
    context : names the instrument, knows the rules, keeps the findings
    """

    def __init__(self, path: Path, context: ImportContext) -> None:
        self.path = path
        self.context = context
        self.log = SegmentLog()
        """Where all rows of the file are collected."""
        self._rows: dict[tuple[str, int], EventRows] = {}
        self._instruments: set[str] = set()
        self._venue_grids: dict[str, tuple[Decimal, Decimal, str]] = {}
        self._clock = ReceiveClock()
        self._held: list[Batch] = []

    def of(self, instrument: str, book_levels: int | None = None) -> EventRows:
        """The rows of `instrument`; the user's ``--instrument`` names the only one of a file.

        Parameters
        ----------
        instrument : id as the file has it
        book_levels : depth of the book stream, 0 for a whole book; None for what is not a book, which goes
            with the first stream of the instrument

        Raises
        ------
        ImportRefusedError
            the user named one instrument and the file holds several
        """
        known = [depth for name, depth in self._rows if name == instrument]
        if book_levels is None:
            book_levels = known[0] if known else 0
        elif book_levels not in known and known == [0] and not self._rows[instrument, 0].has_book:
            rows = self._rows[instrument, book_levels] = self._rows.pop((instrument, 0))
            rows.book_levels = book_levels
        if (instrument, book_levels) not in self._rows:
            self._rows[instrument, book_levels] = self._new_rows(instrument, book_levels)
        return self._rows[instrument, book_levels]

    def findings_of(self, instrument: str) -> Findings:
        """The findings of `instrument`, under the name that the user gave it."""
        return self.context.findings_of(self.context.instrument or instrument)

    def learn_grid(self, instrument: str, tick_size: str | Decimal, lot_size: str | Decimal) -> None:
        """The venue's own rules, recorded in the file: they go before the rulebook."""
        self._venue_grids[instrument] = Decimal(tick_size), Decimal(lot_size), "venue"

    def ready(self) -> Iterator[Batch]:
        """Batches, if enough has been collected to make some and the clock can be judged."""
        if self.log.rows_at_most > ROWS_MAX:
            self._take()
        if self._clock.decided or sum(len(batch.events) for batch in self._held) > HELD_ROWS_MAX:
            yield from self._released()

    def drain(self) -> Iterator[Batch]:
        """Batches of everything that has been collected."""
        self._take()
        yield from self._released()

    def _take(self) -> None:
        cut = self.log.cut()
        self._held += [batch for rows in self._rows.values() if (batch := rows.batch(cut)) is not None]

    def _released(self) -> Iterator[Batch]:
        batches, self._held = self._held, []
        if not batches:
            return
        self._clock.correct([batch.events for batch in batches])
        for batch in batches:
            findings = self.context.findings_of(batch.instrument)
            findings.clock = self._clock.words
            findings.latency_usable = self._clock.latency_usable
        yield from batches

    def _new_rows(self, instrument: str, book_levels: int) -> EventRows:
        self._instruments.add(instrument)
        named = self.context.instrument
        if named is not None and len(self._instruments) > 1:
            raise ImportRefusedError(
                f"{self.path}: --instrument {named} names one instrument, but the file holds "
                f"{' and '.join(sorted(self._instruments))}; leave the option out"
            )
        name = named or instrument
        note = self.context.findings_of(name).notes.append

        return EventRows(name, str(self.path), DataGrid(instrument, self._grid, note), book_levels, self.log)

    def _grid(self, instrument: str, ts: int) -> tuple[Decimal, Decimal, str] | None:
        learned = self._venue_grids.get(instrument)
        return learned or self.context.grid(self.context.instrument or instrument, ts)


def named_or(context: ImportContext, instrument: str) -> str:
    """What the user calls the only instrument of the file, or what the file calls it."""
    return context.instrument or instrument
