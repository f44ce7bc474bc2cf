"""Depth diffs of Binance flattened to CSV: one row a level, above it thirty ``#`` lines of the recorder's
own checks.

The venue's sequence numbers are in every row and are checked as in any other recording; the quality header
is not evidence and is not read. There is no snapshot in such a file, so the book begins with a GAP.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.domain.event import EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.capture_rows import named_or
from headwater.storage.compressed import read_head
from headwater.storage.decimal_bytes import Ints
from headwater.storage.frames.binance import instrument_id
from headwater.storage.frames.book_stream import note_limited
from headwater.storage.importers._csv_columns import (
    INTEGER,
    TEXT,
    Bools,
    Columns,
    EventColumns,
    changes,
    ends_of,
    grid_of,
    lines_before_data,
    read_columns,
    whole_messages,
)
from headwater.storage.receive_clock import ReceiveClock

_FUTURES: Final = "FinalUpdateIdInLastStream"
_NEEDED: Final = (b"TimestampOfReceive", b"FirstUpdateId", b"FinalUpdateId", b"IsAsk", b"Quantity")
_MS_LIMIT: Final = 10**14
"""A receive time at or above this is in microseconds (spot), below in milliseconds (futures)."""


class BinanceDiffCsv:
    """``depthUpdate`` of spot and futures as rows of levels."""

    name = "binance-diff-csv"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The header line, behind the comments."""
        header = head.split(b"\n")[lines_before_data(head)] if head else b""
        return all(name in header for name in _NEEDED)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file."""
        head = read_head(path)
        skip = lines_before_data(head)
        header = head.split(b"\n")[skip].decode().strip()
        diffs = _Diffs(context, is_futures=_FUTURES in header, has_trade_time="TransactionTime" in header)
        pieces = read_columns(path, context, diffs.columns, skip_lines=skip)
        for piece in whole_messages(pieces, "FinalUpdateId", "FirstUpdateId"):
            yield diffs.batch(piece)


class _Diffs:
    def __init__(self, context: ImportContext, *, is_futures: bool, has_trade_time: bool) -> None:
        self._context = context
        self._is_futures = is_futures
        self._time = "TransactionTime" if has_trade_time else "EventTime"
        integers = ["TimestampOfReceive", self._time, "FirstUpdateId", "FinalUpdateId", "IsAsk"]
        integers += [_FUTURES] if is_futures else []
        self.columns = dict.fromkeys(integers, INTEGER) | dict.fromkeys(("Symbol", "Price", "Quantity"), TEXT)
        self._clock = ReceiveClock()
        self._last: int | None = None
        self._last_received = 0

    def batch(self, piece: Columns) -> Batch:
        begins = _begins(piece)
        instrument = named_or(self._context, self._instrument(piece))
        findings = self._context.findings_of(instrument)
        kept, gaps = self._checked(piece, np.flatnonzero(begins), findings)
        events = self._events(piece, begins).at(kept)
        batch = _with_gaps(events, gaps[kept]).batch(instrument, grid_of(instrument, self._context))
        self._clock.correct([batch.events])
        findings.clock, findings.latency_usable = self._clock.words, self._clock.latency_usable
        return batch

    def _instrument(self, piece: Columns) -> str:
        return instrument_id("usdm" if self._is_futures else "spot", str(piece.table.column("Symbol")[0]))

    def _events(self, piece: Columns, begins: Bools) -> EventColumns:
        received = piece.integers("TimestampOfReceive")
        scale = 1_000 if int(received[0]) >= _MS_LIMIT else 1_000_000
        return EventColumns(
            kinds=np.full(len(piece), EventKind.BOOK_DELTA, np.uint8),
            sides=np.where(piece.integers("IsAsk") == 1, -1, 1).astype(np.int8),
            ts_local=received * scale,
            ts_venue=piece.integers(self._time) * 1_000_000,
            prices=piece.units("Price"),
            sizes=piece.units("Quantity"),
            ends=ends_of(begins),
        )

    def _checked(self, piece: Columns, starts: Ints, findings: Findings) -> tuple[Bools, Bools]:
        """(rows to keep, rows before which a GAP belongs), both (n,) of bool."""
        first, last = piece.integers("FirstUpdateId"), piece.integers("FinalUpdateId")
        previous = piece.integers(_FUTURES) if self._is_futures else first - 1
        received = piece.integers("TimestampOfReceive")
        kept, gaps = np.ones(len(piece), np.bool_), np.zeros(len(piece), np.bool_)
        stops = np.append(starts[1:], len(piece))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            line = piece.first_line + start
            if int(received[start]) < self._last_received:
                findings.backward_clock += 1
            self._last_received = int(received[start])
            if self._last is None:
                note_limited(findings, "no snapshot in the file: the book is not to be trusted")
                gaps[start] = True
            elif int(last[start]) <= self._last:
                findings.duplicates += 1
                note_limited(findings, f"line {line}: a diff that repeats or comes out of order was left out")
                kept[start:stop] = False
                continue
            elif int(previous[start]) != self._last:
                findings.sequence_gaps += 1
                findings.lost_messages += 1
                found = int(previous[start])
                why = f"expected to follow {self._last}, found {found}"
                note_limited(findings, f"line {line}: at least one depth message is missing: {why}")
                gaps[start] = True
            self._last = int(last[start])
        return kept, gaps


def _begins(piece: Columns) -> Bools:
    """Where a diff begins: its numbers change, or its first level comes again, which no diff does."""
    begins = changes(piece, "FinalUpdateId", "FirstUpdateId")
    start = np.maximum.accumulate(np.where(begins, np.arange(len(piece)), 0))
    sides, prices = piece.integers("IsAsk"), piece.units("Price")[0]
    return np.asarray(begins | ((sides == sides[start]) & (prices == prices[start])))


def _with_gaps(events: EventColumns, gaps: Bools) -> EventColumns:
    """The events with a GAP record before each marked row."""
    before = np.flatnonzero(gaps)
    return EventColumns(
        kinds=np.insert(events.kinds, before, np.uint8(EventKind.GAP)),
        sides=np.insert(events.sides, before, np.int8(0)),
        ts_local=np.insert(events.ts_local, before, events.ts_local[before]),
        ts_venue=np.insert(events.ts_venue, before, events.ts_venue[before]),
        prices=(np.insert(events.prices[0], before, 0), events.prices[1]),
        sizes=(np.insert(events.sizes[0], before, 0), events.sizes[1]),
        ends=np.insert(events.ends, before, True),
    )


IMPORTER: Final = BinanceDiffCsv()
