"""Frames of Bybit v5: order books, public trades, tickers and liquidations, and the rules of
instruments-info.

A book stream numbers its messages: ``u`` rises by one, so a hole says exactly how many are missing. A
snapshot replaces the book, also in mid-stream (``u == 1``: the service restarted). ``cts`` is the time of
the matching engine, ``ts`` that of the push; the first is taken where it is there. A ticker message carries
only what changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from headwater.domain.event import EventKind, PrintClass
from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import EventRows, code
from headwater.storage.frames.book_stream import BookStream, note_repeated
from headwater.storage.frames.bybit_scan import ASKED, FIELDS, LAST, WIDTH, WORDS, scan_bybit
from headwater.storage.frames.exact import (
    FUNDING,
    INDEX_PRICE,
    MARK_PRICE,
    MS,
    OPEN_INTEREST,
    fine_units,
    rate_units,
)
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable, Scratch, Streams, new_spans
from headwater.storage.receive_clock import NO_TIME

TRADE_IDS_MAX: Final = 65_536
"""Trade ids remembered to find a repeated trade; they are random, so order proves nothing."""

REST_LEVELS: Final = 200
"""Depth of the book that REST answers with at most, and of the stream that shares its update numbers."""

JOIN_DISTANCE_MAX: Final = 100_000
"""Update numbers further apart are of two numberings, not of one with that many messages missing."""

_EMPTY: Final = msgspec.Raw(b"[]")
_SIDES: Final = {"Buy": 1, "Sell": -1}
_TRADE: Final = {
    (name, print_class): code(EventKind.TRADE, side, print_class)
    for name, side in _SIDES.items()
    for print_class in PrintClass
}
# Bybit names the side of the position: a long that is liquidated is sold.
_LIQUIDATION: Final = {name: code(EventKind.LIQUIDATION, -side) for name, side in _SIDES.items()}


class Envelope(msgspec.Struct, gc=False):
    """Every public message of v5; an acknowledgement has no topic."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    data: msgspec.Raw = _EMPTY


class BookData(msgspec.Struct, gc=False):
    """``data`` of an order book message."""

    s: str
    u: int
    b: msgspec.Raw = _EMPTY
    a: msgspec.Raw = _EMPTY


class TradeData(msgspec.Struct, gc=False):
    """One element of ``data`` of a trade message."""

    T: int
    s: str
    S: str
    v: msgspec.Raw
    p: msgspec.Raw
    i: str = ""
    BT: bool = False
    RPI: bool = False


class LiquidationData(msgspec.Struct, gc=False):
    """``data`` of the newer liquidation topic (one letter) or the older (words)."""

    T: int = 0
    s: str = ""
    S: str = ""
    v: msgspec.Raw = _EMPTY
    p: msgspec.Raw = _EMPTY
    updatedTime: int = 0  # noqa: N815  (the venue's name)
    symbol: str = ""
    side: str = ""
    size: msgspec.Raw = _EMPTY
    price: msgspec.Raw = _EMPTY


class AnswerResult(msgspec.Struct, gc=False):
    """``result`` of ``/v5/market/orderbook``."""

    s: str
    u: int
    ts: int
    b: msgspec.Raw = _EMPTY
    a: msgspec.Raw = _EMPTY


class Answer(msgspec.Struct, gc=False):
    """The REST answer with a book."""

    result: AnswerResult


decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_envelope: Final = msgspec.json.Decoder(Envelope).decode
decode_book: Final = msgspec.json.Decoder(BookData).decode
decode_trades: Final = msgspec.json.Decoder(list[TradeData]).decode
decode_ticker: Final = msgspec.json.Decoder(dict[str, Any]).decode
decode_liquidations: Final = msgspec.json.Decoder(list[LiquidationData] | LiquidationData).decode


def instrument_id(category: str, symbol: str) -> str:
    """``BTCUSDT.BYBIT`` (spot), ``BTCUSDT-PERP.BYBIT`` (linear, inverse); dated futures keep their name."""
    if category == "spot" or "-" in symbol:
        return f"{symbol}.BYBIT"
    if symbol.endswith("PERP"):  # a perpetual that settles in USDC
        return f"{symbol[:-4]}USDC-PERP.BYBIT"
    return f"{symbol}-PERP.BYBIT"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    streams: Streams
    row: int

    @property
    def last(self) -> int:
        """``u`` of the last message, 0 before there is one; the scanner counts on with it."""
        return int(self.streams.state[self.row + LAST])

    @last.setter
    def last(self, update: int) -> None:
        self.streams.state[self.row + LAST] = update

    @property
    def asked(self) -> bool:
        """Whether the snapshot at hand was asked for by REST, and no delta has joined it yet."""
        return bool(self.streams.state[self.row + ASKED])

    @asked.setter
    def asked(self, asked: bool) -> None:
        self.streams.state[self.row + ASKED] = asked


class BybitFrames:
    """Turns frames into events, by topic and connection.

    Parameters
    ----------
    rows : of the file
    category : ``spot``, ``linear`` or ``inverse`` of connections that do not say it in their address
    """

    def __init__(self, rows: CaptureRows, category: str = "linear") -> None:
        self._rows = rows
        self._category = category
        self._categories: dict[str, str] = {}
        self._books: dict[tuple[str, str], _Book] = {}
        self._tickers: dict[tuple[str, str], dict[str, Any]] = {}
        self._trade_ids: dict[str, None] = {}
        self._left_out = LeftOut()
        self._findings: dict[str, Findings] = {}
        self._streams = Streams(WIDTH)
        self._spans = new_spans(FIELDS)
        self._scratch = Scratch()
        self._handlers = {
            "orderbook": self._on_book,
            "publicTrade": self._on_trades,
            "tickers": self._on_ticker,
            "liquidation": self._on_liquidations,
            "allLiquidation": self._on_liquidations,
        }

    def on_connect(self, conn: str, address: str) -> None:
        """The address ends in the category; the numbers of a new connection begin anew."""
        self._categories[conn] = address.rstrip("/").rsplit("/", 1)[-1]
        for key in [key for key in self._books if key[0] == conn]:
            self._books[key].last = 0

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of instruments-info: tick and lot size."""
        if "instruments-info" not in url:
            return
        result = msgspec.json.decode(body)["result"]
        for item in result["list"]:
            lots = item["lotSizeFilter"]
            self._rows.learn_grid(
                instrument_id(result["category"], item["symbol"]),
                item["priceFilter"]["tickSize"],
                lots.get("qtyStep") or lots["basePrecision"],
            )

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read frames as long as they only continue their books; the first that does not, or `behind`."""
        self._streams.conn_numbers = table.conn_numbers
        self._scratch.make_room_for(table, frame, behind, self._rows.log)
        frame = scan_bybit(
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
        """One frame; the first word of the topic says what it is."""
        envelope = decode_envelope(body)
        handler = self._handlers.get(envelope.topic.partition(".")[0])
        if handler is not None:
            handler(line, ts_local, conn, envelope)
        elif envelope.topic:
            self._left_out.add(envelope.topic.partition(".")[0])

    def on_book_answer(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """A snapshot asked for by REST (``/v5/market/orderbook``), of the stream that `conn` records."""
        data = decode_answer(body).result
        key = conn, f"orderbook.{REST_LEVELS}.{data.s}"
        book = self._books.get(key) or self._new_book(*key, data.s, REST_LEVELS)
        book.stream.snapshot(line, ts_local, data.ts * MS, data.b, data.a)
        book.last, book.asked = data.u, True

    def interrupt(self, line: int, ts_local: int, conn: str, why: str) -> bool:
        """The recording of `conn` paused: its books, if any, are not known until the next snapshot."""
        interrupted = False
        for (of_conn, _), book in self._books.items():
            if of_conn == conn and book.stream.started:
                book.stream.unknown(line, ts_local, NO_TIME, why)
                book.last, interrupted = 0, True
        return interrupted

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(self._findings.values())

    def _rows_of(self, conn: str, symbol: str, book_levels: int | None = None) -> tuple[EventRows, Findings]:
        instrument = instrument_id(self._categories.get(conn, self._category), symbol)
        findings = self._findings.setdefault(instrument, self._rows.findings_of(instrument))
        return self._rows.of(instrument, book_levels), findings

    def _new_book(self, conn: str, topic: str, symbol: str, depth: int) -> _Book:
        stream = BookStream(*self._rows_of(conn, symbol, depth))
        row = self._streams.row(conn, topic, stream.rows.stream)
        book = self._books[conn, topic] = _Book(stream, self._streams, row)
        return book

    def _on_book(self, line: int, ts_local: int, conn: str, envelope: Envelope) -> None:
        data = decode_book(envelope.data)
        book = self._books.get((conn, envelope.topic))
        if book is None:
            depth = int(envelope.topic.split(".")[1])
            book = self._new_book(conn, envelope.topic, data.s, depth)
        ts_venue = (envelope.cts or envelope.ts) * MS
        if envelope.type == "snapshot":
            self._on_book_snapshot(line, ts_local, ts_venue, book, data)
        elif self._continues(line, ts_local, ts_venue, book, data):
            book.stream.delta(line, ts_local, ts_venue, data.b, data.a)
            book.last = data.u

    @staticmethod
    def _on_book_snapshot(line: int, ts_local: int, ts_venue: int, book: _Book, data: BookData) -> None:
        # Bybit repeats a snapshot of one level every 3 s: the same number, and nothing new.
        if data.u == book.last and book.stream.trusted:
            return
        book.stream.snapshot(line, ts_local, ts_venue, data.b, data.a)
        book.last, book.asked = data.u, False

    @staticmethod
    def _continues(line: int, ts_local: int, ts_venue: int, book: _Book, data: BookData) -> bool:
        stream = book.stream
        asked, book.asked = book.asked, False
        if asked and abs(data.u - book.last) > JOIN_DISTANCE_MAX:
            stream.unknown(line, ts_local, ts_venue, "the REST snapshot is numbered apart from the stream")
        elif asked and data.u <= book.last:
            book.asked = True  # part of the snapshot
            return False
        elif book.last == 0 and stream.started:
            stream.unknown(
                line, ts_local, ts_venue, "the connection was opened anew, and no snapshot followed"
            )
        elif stream.started and data.u <= book.last:
            what = "book message" if stream.trusted else "book message, or one that arrived out of order,"
            stream.repeated(line, what)
            return False
        elif stream.started and data.u > book.last + 1:
            lost = data.u - book.last - 1
            stream.gap(line, ts_local, ts_venue, lost, f"u went from {book.last} to {data.u}")
        return True

    def _on_trades(self, line: int, ts_local: int, conn: str, envelope: Envelope) -> None:
        for trade in decode_trades(envelope.data):
            rows, findings = self._rows_of(conn, trade.s)
            rows.line = line
            if self._is_repeated(trade.i):
                note_repeated(findings, line, "trade")
                continue
            print_class = PrintClass.BLOCK if trade.BT else PrintClass.RPI if trade.RPI else PrintClass.NORMAL
            rows.level(_TRADE[trade.S, print_class], ts_local, trade.T * MS, trade.p, trade.v)
            rows.end()

    def _is_repeated(self, trade_id: str) -> bool:
        if not trade_id:
            return False
        if trade_id in self._trade_ids:
            return True
        self._trade_ids[trade_id] = None
        if len(self._trade_ids) > TRADE_IDS_MAX:
            del self._trade_ids[next(iter(self._trade_ids))]
        return False

    def _on_ticker(self, line: int, ts_local: int, conn: str, envelope: Envelope) -> None:
        changed = decode_ticker(envelope.data)
        symbol = changed["symbol"]
        if self._categories.get(conn, self._category) == "spot":
            self._left_out.add("tickers (spot)")
            return
        state = self._tickers.setdefault((conn, symbol), {})
        changed = {name: value for name, value in changed.items() if value != "" and state.get(name) != value}
        state.update(changed)
        rows, _ = self._rows_of(conn, symbol)
        rows.line = line
        ts_venue = envelope.ts * MS
        self._on_prices(rows, ts_local, ts_venue, changed)
        if ("fundingRate" in changed or "nextFundingTime" in changed) and "nextFundingTime" in state:
            interval = int(state.get("fundingIntervalHour", 0)) * 3600
            settles = int(state["nextFundingTime"]) * MS
            rows.value(FUNDING, ts_local, settles, rate_units(state["fundingRate"]), interval)
        rows.end()

    def _on_prices(self, rows: EventRows, ts_local: int, ts_venue: int, changed: dict[str, Any]) -> None:
        if "markPrice" in changed:
            rows.value(MARK_PRICE, ts_local, ts_venue, fine_units(changed["markPrice"]), 0)
        if "indexPrice" in changed:
            rows.value(INDEX_PRICE, ts_local, ts_venue, fine_units(changed["indexPrice"]), 0)
        # Inverse contracts count their open interest in dollars: not an amount of base coin.
        if "openInterest" in changed and "USD-PERP" not in rows.instrument:
            rows.value(OPEN_INTEREST, ts_local, ts_venue, 0, fine_units(changed["openInterest"]))

    def _on_liquidations(self, line: int, ts_local: int, conn: str, envelope: Envelope) -> None:
        data = decode_liquidations(envelope.data)
        for one in data if isinstance(data, list) else [data]:
            rows, _ = self._rows_of(conn, one.s or one.symbol)
            rows.line = line
            word = _LIQUIDATION[one.S or one.side]
            ts_venue = (one.T or one.updatedTime) * MS
            if one.s:
                rows.level(word, ts_local, ts_venue, one.p, one.v)
            else:
                rows.level(word, ts_local, ts_venue, one.price, one.size)
            rows.end()
