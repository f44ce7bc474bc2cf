"""Best five levels of many Bybit perpetuals, polled by REST, as CSV without a header.

``side_changed, symbol, local ms, venue ms, "[[bids], [asks]]"``: pictures of five levels at the moment of
the poll, written when a side (or both) differs from the last poll. What happened between two polls is not
in the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks
from headwater.storage.frames.book_stream import BookStream, note_limited
from headwater.storage.frames.bybit import instrument_id
from headwater.storage.frames.exact import MS

_LINE: Final = re.compile(
    rb"(?:both|bid|ask),([A-Z0-9-]+),(\d{13})(?:\.(\d{1,6}))?\d*,(\d{13}),"
    rb"\"\[(\[.*?\]\]|\[\]), (\[.*\]\]|\[\])\]\"\r?"
)
_FIRST: Final = re.compile(rb"(?:both|bid|ask),[A-Z0-9-]+,\d{13}(?:\.\d+)?,\d{13},\"\[\[")
LEVELS: Final = 5
CONFLATED: Final = "REST polls of the five best levels; what happened between two polls is not in the data"


class BybitTop5Csv:
    """Each line is a whole book of five levels, whichever side changed."""

    name = "bybit-top5-csv"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The first line."""
        return _FIRST.match(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file, of all symbols."""
        rows = CaptureRows(path, context)
        books: dict[str, _Polled] = {}
        number = 0
        for block in line_blocks(path, context.progress):
            for line in block.split(b"\n"):
                number += 1
                if line:
                    _read(path, number, line, rows, books)
            yield from rows.ready()
        yield from rows.drain()


class _Polled:
    """The polls of one symbol."""

    def __init__(self, rows: CaptureRows, symbol: str) -> None:
        instrument = instrument_id("linear", symbol)
        findings = rows.findings_of(instrument)
        findings.conflated = CONFLATED
        self._stream = BookStream(rows.of(instrument, LEVELS), findings)
        self._last = (0, 0)

    def on_poll(self, line: int, ts_local: int, ts_venue: int, bids: bytes, asks: bytes) -> None:
        findings = self._stream.findings
        if (ts_local, ts_venue) == self._last:
            self._stream.repeated(line, "poll")
            return
        if ts_venue < self._last[1] or ts_local < self._last[0]:
            findings.backward_clock += 1
            note_limited(findings, f"line {line}: a poll older than the one before")
        self._last = ts_local, ts_venue
        self._stream.snapshot(line, ts_local, ts_venue, bids, asks)


def _read(path: Path, number: int, line: bytes, rows: CaptureRows, books: dict[str, _Polled]) -> None:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ImportRefusedError(
            f"{path}: line {number}: expected side, symbol, two times and two lists of levels, found "
            f"{line[:60]!r}; remove or correct that line"
        )
    symbol = match[1].decode()
    if symbol not in books:
        books[symbol] = _Polled(rows, symbol)
    ts_local = int(match[2]) * MS + int((match[3] or b"0").ljust(6, b"0"))
    bids, asks = (match[side].replace(b"'", b'"') for side in (5, 6))
    books[symbol].on_poll(number, ts_local, int(match[4]) * MS, bids, asks)


IMPORTER: Final = BybitTop5Csv()
