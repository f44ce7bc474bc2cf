"""Frames of Kraken Futures, WebSocket v1: ``book``, ``trade``, ``ticker``, and the rules of instruments.

Each book message changes one level and carries ``seq``, which rises by one per product: a hole says exactly
how many are missing. Sizes are contracts (one US dollar each, of inverse products).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from headwater.domain.event import EventKind, PrintClass
from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import code
from headwater.storage.frames.book_stream import BookStream, note_limited, note_repeated
from headwater.storage.frames.exact import MS
from headwater.storage.frames.kraken_futures_scan import (
    FIELDS,
    LAST,
    WIDTH,
    WORDS,
    scan_kraken_futures,
)
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable, Scratch, Streams, new_spans

_EMPTY: Final = msgspec.Raw(b"[]")
_CLASSES: Final = {
    "fill": PrintClass.NORMAL,
    "liquidation": PrintClass.LIQUIDATION,
    "termination": PrintClass.ADL,
    "block": PrintClass.BLOCK,
    "assignment": PrintClass.INSURANCE,
}


class Level(msgspec.Struct, gc=False):
    """One level of a snapshot."""

    price: msgspec.Raw
    qty: msgspec.Raw


class Message(msgspec.Struct, gc=False):
    """Every message; what one does not have keeps its default."""

    feed: str = ""
    product_id: str = ""
    event: str = ""
    side: str = ""
    type: str = ""
    seq: int = -1
    timestamp: int = 0
    time: msgspec.Raw = _EMPTY
    price: msgspec.Raw = _EMPTY
    qty: msgspec.Raw = _EMPTY
    bids: list[Level] = []
    asks: list[Level] = []


decode_message: Final = msgspec.json.Decoder(Message).decode


def instrument_id(symbol: str) -> str:
    """``PI_ETHUSD.KRAKENF``: the venue's own name."""
    return f"{symbol.upper()}.KRAKENF"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    streams: Streams
    row: int

    @property
    def last(self) -> int:
        """``seq`` of the last message, -1 before there is one; the scanner counts on with it."""
        return int(self.streams.state[self.row + LAST])

    @last.setter
    def last(self, sequence: int) -> None:
        self.streams.state[self.row + LAST] = sequence


class KrakenFuturesFrames:
    """Turns frames into events, by product and connection.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[tuple[str, str], _Book] = {}
        self._last_trade: dict[str, int] = {}
        self._findings: dict[str, Findings] = {}
        self._left_out = LeftOut()
        self._streams = Streams(WIDTH)
        self._spans = new_spans(FIELDS)
        self._scratch = Scratch()

    def on_connect(self, conn: str, address: str) -> None:  # noqa: ARG002
        """The books of a new connection begin with a snapshot."""
        for key in [key for key in self._books if key[0] == conn]:
            self._books.pop(key).last = -1

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of instruments: tick size and contract."""
        if not url.partition("?")[0].endswith("/instruments"):
            return
        for item in msgspec.json.decode(body)["instruments"]:
            if item.get("tickSize") and item.get("contractSize"):
                self._rows.learn_grid(instrument_id(item["symbol"]), str(item["tickSize"]), "1")

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read frames as long as they only continue their books; the first that does not, or `behind`."""
        self._streams.conn_numbers = table.conn_numbers
        self._scratch.make_room_for(table, frame, behind, self._rows.log)
        frame = scan_kraken_futures(
            table.text,
            table.starts,
            table.stops,
            table.ts_local,
            table.lines,
            table.conns,
            frame,
            behind,
            FIELDS.text,
            FIELDS.bounds,
            *self._spans,
            WORDS.text,
            WORDS.bounds,
            self._streams.names.text,
            self._streams.names.bounds,
            self._streams.state,
            self._scratch.segments,
            self._scratch.text,
            self._scratch.counts,
        )
        self._scratch.hand_over(self._rows.log)
        return frame

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame; ``feed`` says what it is, notices have an ``event``."""
        message = decode_message(body)
        if message.event or not message.feed:
            return
        if message.feed == "book":
            self._on_change(line, ts_local, self._book(conn, message.product_id), message)
        elif message.feed == "book_snapshot":
            self._on_snapshot(line, ts_local, self._book(conn, message.product_id), message)
        elif message.feed == "trade":
            self._on_trade(line, ts_local, message)
        else:
            self._left_out.add(message.feed)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(self._findings.values())

    def _findings_of(self, instrument: str) -> Findings:
        return self._findings.setdefault(instrument, self._rows.findings_of(instrument))

    def _book(self, conn: str, product: str) -> _Book:
        book = self._books.get((conn, product))
        if book is None:
            instrument = instrument_id(product)
            stream = BookStream(self._rows.of(instrument, 0), self._findings_of(instrument))
            row = self._streams.row(conn, product, stream.rows.stream)
            book = self._books[conn, product] = _Book(stream, self._streams, row)
            book.last = -1
        return book

    @staticmethod
    def _on_snapshot(line: int, ts_local: int, book: _Book, message: Message) -> None:
        bids, asks = _text(message.bids), _text(message.asks)
        book.stream.snapshot(line, ts_local, message.timestamp * MS, bids, asks)
        book.last = message.seq

    @staticmethod
    def _on_change(line: int, ts_local: int, book: _Book, message: Message) -> None:
        stream, ts_venue = book.stream, message.timestamp * MS
        if stream.started and message.seq <= book.last:
            stream.repeated(line, "book message, or one that arrived out of order,")
            return
        if stream.started and message.seq > book.last + 1:
            why = f"seq went from {book.last} to {message.seq}"
            stream.gap(line, ts_local, ts_venue, message.seq - book.last - 1, why)
        book.last = message.seq
        text = b"[[%b,%b]]" % (message.price, message.qty)
        bids, asks = (text, b"[]") if message.side == "buy" else (b"[]", text)
        stream.delta(line, ts_local, ts_venue, bids, asks)

    def _on_trade(self, line: int, ts_local: int, message: Message) -> None:
        instrument = instrument_id(message.product_id)
        rows, findings = self._rows.of(instrument), self._findings_of(instrument)
        rows.line = line
        last = self._last_trade.get(instrument)
        if last is not None and message.seq <= last:
            note_repeated(findings, line, "trade")
            return
        if last is not None and message.seq > last + 1:
            findings.sequence_gaps += 1
            findings.lost_messages += message.seq - last - 1
            note_limited(findings, f"line {line}: {message.seq - last - 1} trades are missing")
        self._last_trade[instrument] = message.seq
        side = 1 if message.side == "buy" else -1
        word = code(EventKind.TRADE, side, _CLASSES.get(message.type, PrintClass.NORMAL))
        rows.level(word, ts_local, int(bytes(message.time)) * MS, message.price, message.qty)
        rows.end()


def _text(levels: list[Level]) -> bytes:
    return b"[" + b",".join([b"[%b,%b]" % (level.price, level.qty) for level in levels]) + b"]"
