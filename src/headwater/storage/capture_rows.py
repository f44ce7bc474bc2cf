"""Events of all instruments of one captured file, on their way into batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.data_grid import DataGrid
from headwater.storage.event_rows import ROWS_MAX, EventRows
from headwater.storage.receive_clock import ReceiveClock


class CaptureRows:
    """One :class:`EventRows` per instrument, drained together so that one clock correction serves the whole
    file.

    Parameters
    ----------
    path : the file, for messages
    context : names the instrument, knows the rules, keeps the findings
    """

    def __init__(self, path: Path, context: ImportContext) -> None:
        self.path = path
        self._context = context
        self._rows: dict[str, EventRows] = {}
        self._clock = ReceiveClock()

    def of(self, instrument: str) -> EventRows:
        """The rows of `instrument`; the user's ``--instrument`` names the only one of a file.

        Raises
        ------
        ImportRefusedError
            the user named one instrument and the file holds several
        """
        if instrument not in self._rows:
            self._rows[instrument] = self._new_rows(instrument)
        return self._rows[instrument]

    def findings_of(self, instrument: str) -> Findings:
        """The findings of `instrument`, under the name that the user gave it."""
        return self._context.findings_of(self._context.instrument or instrument)

    def ready(self) -> Iterator[Batch]:
        """Batches, if enough has been collected to make some."""
        if sum(rows.rows_at_most for rows in self._rows.values()) > ROWS_MAX:
            yield from self.drain()

    def drain(self) -> Iterator[Batch]:
        """Batches of everything that has been collected."""
        batches = [batch for rows in self._rows.values() if (batch := rows.take()) is not None]
        if not batches:
            return
        self._clock.correct([batch.events for batch in batches])
        for batch in batches:
            findings = self._context.findings_of(batch.instrument)
            findings.clock = self._clock.words
            findings.latency_usable = self._clock.latency_usable
        yield from batches

    def _new_rows(self, instrument: str) -> EventRows:
        named = self._context.instrument
        if named is not None and self._rows:
            raise ImportRefusedError(
                f"{self.path}: --instrument {named} names one instrument, but the file holds "
                f"{next(iter(self._rows))} and {instrument}; leave the option out"
            )
        name = named or instrument
        note = self._context.findings_of(name).notes.append
        return EventRows(name, str(self.path), DataGrid(name, self._context.grid, note))
