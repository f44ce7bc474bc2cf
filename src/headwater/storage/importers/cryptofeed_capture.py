"""Captures of cryptofeed (``.jsonl``, format 2): connections, frames and REST answers of one venue, as
received.

The file writes one connection behind the other, so time runs within a connection, not through the file. All
records are read and merged by receive time, each connection in its own order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks, read_head
from headwater.storage.frames.binance_capture import BinanceCapture
from headwater.storage.frames.bitstamp import BitstampFrames
from headwater.storage.frames.bybit import BybitFrames
from headwater.storage.frames.coinbase import CoinbaseFrames
from headwater.storage.frames.contract import Frames
from headwater.storage.frames.deribit import DeribitFrames
from headwater.storage.frames.kraken import KrakenFrames
from headwater.storage.frames.kraken_futures import KrakenFuturesFrames
from headwater.storage.frames.okx import OkxFrames

_HEADER: Final = re.compile(rb'\{"t":\s*"header",\s*"format":\s*(\d+),\s*"exchange":\s*"(\w+)"')
_FORMAT: Final = 2

CAPTURE_BYTES_MAX: Final = 2 << 30
"""A capture is held in memory while it is merged; a larger one has to be split by time first."""

VENUES: Final[dict[str, Callable[[CaptureRows], Frames]]] = {
    "BINANCE": lambda rows: BinanceCapture("spot", rows),
    "BINANCE_FUTURES": lambda rows: BinanceCapture("usdm", rows),
    "BINANCE_DELIVERY": lambda rows: BinanceCapture("coinm", rows),
    "BITSTAMP": BitstampFrames,
    "BYBIT": BybitFrames,
    "COINBASE": CoinbaseFrames,
    "DERIBIT": DeribitFrames,
    "KRAKEN": KrakenFrames,
    "KRAKEN_FUTURES": KrakenFuturesFrames,
    "OKX": OkxFrames,
}


class Record(msgspec.Struct, gc=False):
    """One line of a capture; `line` and `ts_local` (UTC ns, never falling in a connection) are set here."""

    t: str
    conn: str = ""
    ts: float = 0.0
    data: str = ""
    url: str = ""
    addr: str = ""
    line: int = 0
    ts_local: int = 0


decode_record: Final = msgspec.json.Decoder(Record).decode


class CryptofeedCapture:
    """Raw frames of one venue as cryptofeed stores them."""

    name = "cryptofeed-capture"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The header line."""
        return _HEADER.match(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events of all instruments, merged by receive time."""
        rows = CaptureRows(path, context)
        frames = _frames_of(path, rows)
        reader = _Reader(path)
        records = [record for block in line_blocks(path, context.progress) for record in reader.read(block)]
        records.sort(key=lambda record: record.ts_local)
        for number, record in enumerate(records):
            _hand_over(path, record, frames)
            if number % 4096 == 0:
                yield from rows.ready()
        frames.finish()
        yield from rows.drain()
        reader.report(context)


def _frames_of(path: Path, rows: CaptureRows) -> Frames:
    match = _HEADER.match(read_head(path))
    assert match is not None
    version, exchange = int(match[1]), match[2].decode()
    if version != _FORMAT:
        raise ImportRefusedError(
            f"{path}: expected a cryptofeed capture of format {_FORMAT}, found format {version}; convert it"
        )
    if exchange not in VENUES:
        known = ", ".join(VENUES)
        raise ImportRefusedError(
            f"{path}: expected a capture of {known}, found {exchange}; it cannot be read"
        )
    return VENUES[exchange](rows)


def _hand_over(path: Path, record: Record, frames: Frames) -> None:
    try:
        if record.t == "recv":
            frames.on_frame(record.line, record.ts_local, record.conn, record.data)
        elif record.t == "http":
            frames.on_answer(record.line, record.ts_local, record.url, record.data)
        elif record.t == "connect":
            frames.on_connect(record.conn, record.addr)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise ImportRefusedError(
            f"{path}: line {record.line}: expected a frame of the venue, found {record.data[:60]!r} "
            f"({type(error).__name__}: {error}); remove or correct that line"
        ) from error


class _Reader:
    """Decodes lines, and watches the receive clock of each connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._bytes = 0
        self._last: dict[str, int] = {}
        self._backward = 0
        self._cut = 0

    def read(self, block: bytes) -> Iterator[Record]:
        self._bytes += len(block)
        if self._bytes > CAPTURE_BYTES_MAX:
            raise ImportRefusedError(
                f"{self._path}: expected at most {CAPTURE_BYTES_MAX >> 30} GiB of text, found more; "
                "split the capture by time"
            )
        for text in block.split(b"\n"):
            if not text:
                continue
            self._line += 1
            try:
                yield self._timed(decode_record(text))
            except msgspec.MsgspecError as error:
                self._malformed(text, block, error)

    def _timed(self, record: Record) -> Record:
        # The double in the file resolves about 0.2 us; finer digits would be invented.
        ts_local = round(record.ts * 1e9)
        last = self._last.get(record.conn, 0)
        if ts_local < last:
            self._backward += 1
        record.line = self._line
        record.ts_local = self._last[record.conn] = max(ts_local, last)
        return record

    def _malformed(self, text: bytes, block: bytes, error: Exception) -> None:
        if block.endswith(b"\n") or not block.endswith(text):
            raise ImportRefusedError(
                f"{self._path}: line {self._line}: expected a record of a capture, found {text[:40]!r} "
                f"({error}); remove or correct that line"
            ) from error
        self._cut = self._line

    def report(self, context: ImportContext) -> None:
        for findings in context.findings.values():
            findings.backward_clock += self._backward
            if self._cut:
                findings.lost_messages += 1
                findings.notes.append(f"line {self._cut}: the last line is cut short and was left out")


IMPORTER: Final = CryptofeedCapture()
