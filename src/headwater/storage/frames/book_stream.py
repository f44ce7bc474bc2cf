"""One recorded book stream on its way to the tape: snapshots, deltas, and the holes between them."""

from __future__ import annotations

from typing import Any, Final

from headwater.domain.event import NO_PRICE
from headwater.ports.importer import Findings
from headwater.storage.event_rows import (
    ASK_DELTA,
    ASK_SNAPSHOT,
    BID_DELTA,
    BID_SNAPSHOT,
    CLEAR,
    GAP,
    EventRows,
)

NOTES_MAX: Final = 100


def note_limited(findings: Findings, sentence: str) -> None:
    """Add a note, up to a hundred; the counts of the findings tell of the rest."""
    if len(findings.notes) < NOTES_MAX:
        findings.notes.append(sentence)


def note_repeated(findings: Findings, line: int, what: str) -> None:
    """Count a record that was there before and is left out."""
    findings.duplicates += 1
    note_limited(findings, f"line {line}: a repeated {what} was left out")


class BookStream:
    """Writes the messages of one book; a delta before the first snapshot begins with a GAP.

    Parameters
    ----------
    rows, findings : where events and defects go
    """

    def __init__(self, rows: EventRows, findings: Findings) -> None:
        self.rows = rows
        rows.has_book = True
        self.findings = findings
        self.started = False
        """Whether anything was written."""
        self.trusted = False
        """Whether there was a snapshot, and no hole since."""

    def snapshot(self, line: int, ts_local: int, ts_venue: int, bids: Any, asks: Any) -> None:
        """The whole book anew."""
        rows = self.rows
        rows.line = line
        rows.value(CLEAR, ts_local, ts_venue, NO_PRICE, 0)
        rows.levels(BID_SNAPSHOT, ts_local, ts_venue, bids)
        rows.levels(ASK_SNAPSHOT, ts_local, ts_venue, asks)
        rows.end()
        self.started = self.trusted = True

    def delta(self, line: int, ts_local: int, ts_venue: int, bids: Any, asks: Any) -> None:
        """Levels that changed."""
        if not self.started:
            self.unknown(line, ts_local, ts_venue, "the book begins with changes, no snapshot precedes them")
        rows = self.rows
        rows.line = line
        rows.levels(BID_DELTA, ts_local, ts_venue, bids)
        rows.levels(ASK_DELTA, ts_local, ts_venue, asks)
        rows.end()

    def gap(
        self, line: int, ts_local: int, ts_venue: int, lost: int, why: str, *, counted: bool = True
    ) -> None:
        """Messages are missing: `lost` of them, or at least that many when they cannot be `counted`."""
        self.findings.sequence_gaps += 1
        self.findings.lost_messages += lost
        how_many = f"{lost} book messages are" if counted else "at least one book message is"
        note_limited(self.findings, f"line {line}: {how_many} missing: {why}")
        self._write_gap(line, ts_local, ts_venue, lost if counted else 0)

    def unknown(self, line: int, ts_local: int, ts_venue: int, why: str) -> None:
        """The book is not known from here on to the next snapshot, though no message is proven missing."""
        note_limited(self.findings, f"line {line}: {why}")
        self._write_gap(line, ts_local, ts_venue, 0)

    def repeated(self, line: int, what: str = "book message") -> None:
        """A message that was there before, left out."""
        note_repeated(self.findings, line, what)

    def _write_gap(self, line: int, ts_local: int, ts_venue: int, lost: int) -> None:
        self.rows.line = line
        self.rows.value(GAP, ts_local, ts_venue, 0, lost)
        self.rows.end()
        self.started = True
        self.trusted = False
