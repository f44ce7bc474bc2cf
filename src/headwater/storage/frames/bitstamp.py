"""Frames of Bitstamp: ``diff_order_book``, ``order_book`` and ``live_trades``, and REST snapshots.

Diffs carry no sequence number, only a time in microseconds: a missing one cannot be proven. The REST
snapshot of ``order_book`` is joined by time: diffs at or before its ``microtimestamp`` are part of it,
later ones follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE
from headwater.storage.frames.book_stream import BookStream, note_limited, note_repeated
from headwater.storage.frames.exact import US
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable

_EMPTY: Final = msgspec.Raw(b"[]")
PENDING_MAX: Final = 10_000
"""Diffs kept while a snapshot is awaited."""


class Data(msgspec.Struct, gc=False):
    """``data`` of a message, of any channel, or a REST snapshot."""

    microtimestamp: str = ""
    bids: msgspec.Raw = _EMPTY
    asks: msgspec.Raw = _EMPTY
    id: int = -1
    price_str: msgspec.Raw = _EMPTY
    amount_str: msgspec.Raw = _EMPTY
    type: int = 0


class Message(msgspec.Struct, gc=False):
    """Every message of a stream."""

    event: str = ""
    channel: str = ""
    data: Data | None = None


decode_message: Final = msgspec.json.Decoder(Message).decode
decode_data: Final = msgspec.json.Decoder(Data).decode


def instrument_id(symbol: str) -> str:
    """``ETHUSD.BITSTAMP``."""
    return f"{symbol.upper()}.BITSTAMP"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    last: int = 0
    joined: bool = False
    pending: list[tuple[int, int, Data]] = field(default_factory=list)


class BitstampFrames:
    """Turns frames into events, by pair.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[str, _Book] = {}
        self._last_trade: dict[str, int] = {}
        self._left_out = LeftOut()

    def on_connect(self, conn: str, address: str) -> None:
        """Nothing is numbered by connection."""

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:
        """A snapshot, or the decimals of trading-pairs-info."""
        path = url.partition("?")[0].rstrip("/")
        if path.endswith("trading-pairs-info"):
            for item in msgspec.json.decode(body):
                tick, lot = (f"1e-{item[name]}" for name in ("counter_decimals", "base_decimals"))
                self._rows.learn_grid(instrument_id(item["url_symbol"]), tick, lot)
        elif "/order_book/" in path:
            self._on_snapshot(line, ts_local, path.rsplit("/", 1)[-1], decode_data(body))

    def run(self, table: FrameTable, frame: int, behind: int) -> int:  # noqa: ARG002
        """Every frame is read by itself."""
        return frame

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:  # noqa: ARG002
        """One frame; the channel ends in the pair."""
        message = decode_message(body)
        if message.event not in ("data", "trade") or message.data is None:
            return
        name, _, symbol = message.channel.rpartition("_")
        if name == "diff_order_book":
            self._on_diff(line, ts_local, self._book(symbol), message.data)
        elif name == "order_book":
            self._on_snapshot(line, ts_local, symbol, message.data)
        elif name == "live_trades":
            self._on_trade(line, ts_local, symbol, message.data)
        else:
            self._left_out.add(name)

    def finish(self) -> None:
        """Write what waits for a snapshot that never came, and tell what was left out."""
        for book in self._books.values():
            for line, ts_local, data in book.pending:
                self._write(line, ts_local, book, data)
        self._left_out.report(book.stream.findings for book in self._books.values())

    def _book(self, symbol: str) -> _Book:
        book = self._books.get(symbol)
        if book is None:
            instrument = instrument_id(symbol)
            stream = BookStream(self._rows.of(instrument, 0), self._rows.findings_of(instrument))
            note_limited(stream.findings, "the venue numbers no book message: a missing one cannot be proven")
            book = self._books[symbol] = _Book(stream)
        return book

    def _on_diff(self, line: int, ts_local: int, book: _Book, data: Data) -> None:
        time = int(data.microtimestamp)
        if not book.stream.started and len(book.pending) < PENDING_MAX:
            book.pending.append((line, ts_local, data))
        elif time <= book.last and not book.joined:
            return  # part of the snapshot
        elif time < book.last:
            book.stream.findings.backward_clock += 1
            note_limited(book.stream.findings, f"line {line}: a diff older than the book was left out")
        elif time == book.last:
            book.stream.repeated(line)
        else:
            self._write(line, ts_local, book, data)

    def _on_snapshot(self, line: int, ts_local: int, symbol: str, data: Data) -> None:
        book = self._book(symbol)
        time = int(data.microtimestamp)
        book.stream.snapshot(line, ts_local, time * US, data.bids, data.asks)
        book.last, book.joined = time, False
        for held_line, _, held in book.pending:
            if int(held.microtimestamp) > time:
                self._write(held_line, ts_local, book, held)
        book.pending.clear()

    @staticmethod
    def _write(line: int, ts_local: int, book: _Book, data: Data) -> None:
        time = int(data.microtimestamp)
        book.stream.delta(line, ts_local, time * US, data.bids, data.asks)
        book.last, book.joined = time, True

    def _on_trade(self, line: int, ts_local: int, symbol: str, data: Data) -> None:
        instrument = instrument_id(symbol)
        rows = self._rows.of(instrument)
        rows.line = line
        if data.id <= self._last_trade.get(symbol, -1):
            note_repeated(self._rows.findings_of(instrument), line, "trade")
            return
        self._last_trade[symbol] = data.id
        word = BUY_TRADE if data.type == 0 else SELL_TRADE
        rows.level(word, ts_local, int(data.microtimestamp) * US, data.price_str, data.amount_str)
        rows.end()
