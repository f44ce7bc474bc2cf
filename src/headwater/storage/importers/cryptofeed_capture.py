"""Captures of cryptofeed (``.jsonl``, format 2): connections, frames and REST answers of one venue, as
received.

The file writes one connection behind the other, so time runs within a connection, not through the file. All
records are read and merged by receive time, each connection in its own order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks, read_head
from headwater.storage.decimal_bytes import Bytes, Ints, as_bytes
from headwater.storage.frames.binance_capture import BinanceCapture
from headwater.storage.frames.bitstamp import BitstampFrames
from headwater.storage.frames.bybit import BybitFrames
from headwater.storage.frames.coinbase import CoinbaseFrames
from headwater.storage.frames.contract import Frames
from headwater.storage.frames.deribit import DeribitFrames
from headwater.storage.frames.kraken import KrakenFrames
from headwater.storage.frames.kraken_futures import KrakenFuturesFrames
from headwater.storage.frames.okx import OkxFrames
from headwater.storage.hot_frames import FrameTable
from headwater.storage.json_scan import Names
from headwater.storage.record_lines import HEAD, hold_back, split_records

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

READY_RECORDS: Final = 4096
"""Records after which batches may be handed on."""

_NEWLINE: Final = 10


class Record(msgspec.Struct, gc=False):
    """One line of a capture."""

    t: str
    conn: str = ""
    ts: float = 0.0
    data: str = ""
    url: str = ""
    addr: str = ""


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
        for block in line_blocks(path, context.progress):
            reader.read(block)
        records = reader.records()
        count = len(records.table.starts)
        first = 0
        for behind in (*range(1, count, READY_RECORDS), count):
            _hand_over(path, records, first, behind, frames)
            first = behind
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


@dataclass(slots=True)
class _Records:
    """The records of a file by receive time: frames, and by row what is no frame (an empty one stands there)."""

    table: FrameTable
    others: dict[int, Record]
    conn_names: list[str]


def _hand_over(path: Path, records: _Records, first: int, behind: int, frames: Frames) -> None:
    row = first
    while (row := frames.run(records.table, row, behind)) < behind:
        _hand_over_one(path, records, row, frames)
        row += 1


def _hand_over_one(path: Path, records: _Records, row: int, frames: Frames) -> None:
    table, other = records.table, records.others.get(row)
    line, ts_local = int(table.lines[row]), int(table.ts_local[row])
    conn = records.conn_names[table.conns[row]]
    try:
        if other is None:
            frames.on_frame(line, ts_local, conn, table.frame(row))
        elif other.t == "http":
            frames.on_answer(line, ts_local, other.url, other.data)
        elif other.t == "connect":
            frames.on_connect(conn, other.addr)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        data = table.frame(row).decode() if other is None else other.data
        raise ImportRefusedError(
            f"{path}: line {line}: expected a frame of the venue, found {data[:60]!r} "
            f"({type(error).__name__}: {error}); remove or correct that line"
        ) from error


class _Reader:
    """Splits lines into records, and watches the receive clock of each connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._text: list[Bytes] = []
        self._text_bytes = 0
        self._columns: list[Ints] = []
        self._filled = np.zeros(3, np.int64)  # lines of the file; rows and bytes of the block
        self._conns: dict[str, int] = {}
        self._conn_words = Names()
        self._others: dict[int, Record] = {}
        self._rows = 0
        self._backward = 0
        self._cut = 0

    def read(self, block: bytes) -> None:
        """One block, which ends at a line end unless it is the last."""
        self._bytes += len(block)
        if self._bytes > CAPTURE_BYTES_MAX:
            raise ImportRefusedError(
                f"{self._path}: expected at most {CAPTURE_BYTES_MAX >> 30} GiB of text, found more; "
                "split the capture by time"
            )
        text = as_bytes(block)
        frames = np.empty(len(text), np.uint8)
        columns = np.empty((5, np.count_nonzero(text == _NEWLINE) + 1), np.int64)
        self._filled[1:] = 0
        at = 0
        while at < len(text):
            at = split_records(
                text, at, HEAD.text, HEAD.bounds, self._conn_words.text, self._conn_words.bounds,
                frames, self._filled, *columns,
            )  # fmt: skip
            if at < len(text):
                at = self._read_odd_line(block, at, frames, columns)
        rows, used = int(self._filled[1]), int(self._filled[2])
        columns[:2, :rows] += self._text_bytes
        self._text.append(frames[:used].copy())
        self._columns.append(columns[:, :rows])
        self._text_bytes += used
        self._rows += rows

    def records(self) -> _Records:
        """All records that were read, by receive time; each connection in its own order."""
        starts, stops, ts_local, conns, lines = np.concatenate(self._columns, axis=1)
        self._backward = hold_back(ts_local, conns, np.zeros(len(self._conns), np.int64))
        order = np.argsort(ts_local, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        table = FrameTable(
            text=np.concatenate(self._text),
            starts=starts[order],
            stops=stops[order],
            ts_local=ts_local[order],
            lines=lines[order],
            conns=conns[order],
            conn_numbers=self._conns,
        )
        others = {int(place[row]): record for row, record in self._others.items()}
        return _Records(table, others, list(self._conns))

    def _read_odd_line(self, block: bytes, at: int, frames: Bytes, columns: Ints) -> int:
        """A line that the kernel left; the position behind it."""
        end = block.find(b"\n", at)
        text = block[at:] if end < 0 else block[at:end]
        self._filled[0] += 1
        try:
            self._add(decode_record(text), frames, columns)
        except (msgspec.MsgspecError, ValueError) as error:
            self._malformed(text, block, error)
        return len(block) if end < 0 else end + 1

    def _add(self, record: Record, frames: Bytes, columns: Ints) -> None:
        line, row, to = (int(number) for number in self._filled)
        if record.conn not in self._conns:
            self._conns[record.conn] = len(self._conns)
            self._conn_words = Names(*self._conns)
        frame = record.data.encode() if record.t == "recv" else b""
        if record.t != "recv":
            self._others[self._rows + row] = record
        frames[to : to + len(frame)] = as_bytes(frame or b" ")[: len(frame)]
        # The double in the file resolves about 0.2 us; finer digits would be invented.
        columns[:, row] = to, to + len(frame), round(record.ts * 1e9), self._conns[record.conn], line
        self._filled[1:] = row + 1, to + len(frame)

    def _malformed(self, text: bytes, block: bytes, error: Exception) -> None:
        if block.endswith(b"\n") or not block.endswith(text):
            raise ImportRefusedError(
                f"{self._path}: line {self._filled[0]}: expected a record of a capture, found {text[:40]!r} "
                f"({error}); remove or correct that line"
            ) from error
        self._cut = int(self._filled[0])

    def report(self, context: ImportContext) -> None:
        """Tell the findings of the file what the lines showed."""
        for findings in context.findings.values():
            findings.backward_clock += self._backward
            if self._cut:
                findings.lost_messages += 1
                findings.notes.append(f"line {self._cut}: the last line is cut short and was left out")


IMPORTER: Final = CryptofeedCapture()
