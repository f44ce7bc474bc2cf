"""Port: a reader of one foreign file format.

An importer turns one file into batches of tape events and says in plain words what it met on the way. It writes
nothing: the catalog takes the batches and commits them together, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from headwater.domain.event import Events


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events of one instrument on one grid, in the order in which they arrived.

    Attributes
    ----------
    instrument : id such as ``BTCUSDT-PERP.BINANCE``
    events : (n,) EVENT_DTYPE; ``instrument`` and ``arrival`` are set later by the catalog
    tick_size, lot_size : the grid that ``price`` and ``size`` count in; powers of ten or any exact decimal
    rules_source : where the grid came from: "venue", "rulebook:<file>", "inferred", "file"
    book_levels : depth of the book stream (50, 200, ...), so that streams of several depths of one book are kept
        apart; 0 when the whole book is published, or there is no book
    """

    instrument: str
    events: Events
    tick_size: Decimal
    lot_size: Decimal
    rules_source: str
    book_levels: int = 0


@dataclass(slots=True, kw_only=True)
class Findings:
    """What an importer saw in one file, per instrument where it can tell; becomes part of the quality certificate.

    Attributes
    ----------
    lost_messages : venue messages proven missing by their sequence numbers
    sequence_gaps : number of holes
    duplicates : records dropped because they repeat an earlier one
    backward_clock : records whose receive time runs backwards within one connection
    conflated : the stream is throttled by design (e.g. "depth@1000ms"): why, or ""
    clock : how the receive clock was treated: "as recorded", "shifted by +1.271 s: ...", "absent"
    latency_usable : feed latency may be taken from the file
    notes : defects in plain words, one sentence each ("zero-volume bars 2025-01-29 01:25 to 01:30: venue halt")
    """

    lost_messages: int = 0
    sequence_gaps: int = 0
    duplicates: int = 0
    backward_clock: int = 0
    conflated: str = ""
    clock: str = "as recorded"
    latency_usable: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ImportContext:
    """What the user said about the file and what the importer answers.

    Attributes
    ----------
    instrument : id given by the user with ``--instrument``, or None to take it from the file
    grid : (instrument id, UTC ns) -> (tick_size, lot_size, source) by the rules in force then, or None if unknown
    findings : one entry per instrument id, filled while reading
    progress : called with the number of bytes of the file consumed so far
    carried : what one file of a command leaves to the next, by stream: the last sequence number, so that contiguous
        files continue one book; pass the same dict with every file of the command, in time order
    """

    instrument: str | None
    grid: GridLookup
    progress: Progress
    findings: dict[str, Findings] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)

    def findings_of(self, instrument: str) -> Findings:
        """The findings of `instrument`, created at first use."""
        return self.findings.setdefault(instrument, Findings())


class GridLookup(Protocol):
    """Rules in force, reduced to the grid."""

    def __call__(self, instrument: str, ts: int) -> tuple[Decimal, Decimal, str] | None: ...


class Progress(Protocol):
    """Receives the bytes consumed so far; cheap, may be called often."""

    def __call__(self, bytes_done: int) -> None: ...


class Importer(Protocol):
    """One foreign format. Batches come in arrival order per instrument; instruments may interleave.

    Raises ``headwater.domain.errors.ImportRefusedError`` with file, row or byte, field, what was expected and found,
    and what to do, when the file cannot be believed.
    """

    name: str
    """Short name of the format, e.g. ``binance-raw``; unique."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether this looks like our format, from the decompressed first 64 KiB (never from the name alone)."""
        ...

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Read `path`; bounded memory: no batch above about a million events."""
        ...
