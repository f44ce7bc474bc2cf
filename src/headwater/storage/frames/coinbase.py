"""Frames of Coinbase Advanced Trade: ``l2_data`` and ``market_trades``, and the rules of products.

``sequence_num`` rises by one with every message of a connection, whatever its channel: a hole says how many
messages are missing, but not of which product, so every book of the connection becomes untrusted. ``side``
of a trade is that of the maker. The trades of a snapshot happened before the capture began and are left
out.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE
from headwater.storage.frames.book_stream import BookStream, note_repeated
from headwater.storage.frames.exact import iso_ns
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable

_TAKER: Final = {"BUY": SELL_TRADE, "SELL": BUY_TRADE}


class Level(msgspec.Struct, gc=False):
    """One element of ``updates``."""

    side: str
    price_level: str
    new_quantity: str


class Trade(msgspec.Struct, gc=False):
    """One element of ``trades``."""

    product_id: str
    trade_id: str
    price: msgspec.Raw
    size: msgspec.Raw
    time: str
    side: str


class Event(msgspec.Struct, gc=False):
    """One element of ``events``, of either channel."""

    type: str = ""
    product_id: str = ""
    updates: list[Level] = []
    trades: list[Trade] = []


class Message(msgspec.Struct, gc=False):
    """Every message."""

    channel: str = ""
    timestamp: str = ""
    sequence_num: int = -1
    events: msgspec.Raw = msgspec.Raw(b"[]")


class RestLevel(msgspec.Struct, gc=False):
    """One level of a REST answer."""

    price: str
    size: str


class PriceBook(msgspec.Struct, gc=False):
    """``pricebook`` of a REST answer."""

    product_id: str
    time: str
    bids: list[RestLevel]
    asks: list[RestLevel]


class Answer(msgspec.Struct, gc=False):
    """The REST answer with a book."""

    pricebook: PriceBook


decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_message: Final = msgspec.json.Decoder(Message).decode
decode_events: Final = msgspec.json.Decoder(list[Event]).decode


class CoinbaseFrames:
    """Turns frames into events, by product.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[tuple[str, str], BookStream] = {}
        self._sequence: dict[str, int] = {}
        self._last_trade: dict[str, int] = {}
        self._left_out = LeftOut()

    def on_connect(self, conn: str, address: str) -> None:  # noqa: ARG002
        """The numbers of a new connection begin anew."""
        self._sequence.pop(conn, None)

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of products: tick and lot size."""
        if "/products" not in url:
            return
        for item in msgspec.json.decode(body)["products"]:
            self._rows.learn_grid(
                f"{item['product_id']}.COINBASE", item["quote_increment"], item["base_increment"]
            )

    def run(self, table: FrameTable, frame: int, behind: int) -> int:  # noqa: ARG002
        """Every frame is read by itself."""
        return frame

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame; its number is checked whatever its channel."""
        message = decode_message(body)
        if message.sequence_num < 0 or not self._is_next(line, ts_local, conn, message):
            return
        if message.channel == "l2_data":
            for event in decode_events(message.events):
                self._on_book(line, ts_local, conn, iso_ns(message.timestamp), event)
        elif message.channel == "market_trades":
            for event in decode_events(message.events):
                self._on_trades(line, ts_local, event)
        elif message.channel not in ("heartbeats", "subscriptions"):
            self._left_out.add(message.channel)

    def on_book_answer(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """A snapshot asked for by REST (``product_book``)."""
        data = decode_answer(body).pricebook
        book = self._book(conn, data.product_id)
        bids, asks = (_rest_text(levels) for levels in (data.bids, data.asks))
        book.snapshot(line, ts_local, iso_ns(data.time), bids, asks)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(book.findings for book in self._books.values())

    def _is_next(self, line: int, ts_local: int, conn: str, message: Message) -> bool:
        last = self._sequence.get(conn)
        books = [book for (of_conn, _), book in self._books.items() if of_conn == conn]
        if last is not None and message.sequence_num <= last:
            for book in books[:1]:
                book.repeated(line, "message")
            return False
        self._sequence[conn] = message.sequence_num
        if last is not None and message.sequence_num > last + 1:
            why = f"sequence_num went from {last} to {message.sequence_num}, of any channel of the connection"
            for book in books:
                book.gap(line, ts_local, iso_ns(message.timestamp), message.sequence_num - last - 1, why)
        return True

    def _on_book(self, line: int, ts_local: int, conn: str, ts_venue: int, event: Event) -> None:
        book = self._book(conn, event.product_id)
        bids = _text([level for level in event.updates if level.side == "bid"])
        asks = _text([level for level in event.updates if level.side != "bid"])
        write = book.snapshot if event.type == "snapshot" else book.delta
        write(line, ts_local, ts_venue, bids, asks)

    def _book(self, conn: str, product: str) -> BookStream:
        book = self._books.get((conn, product))
        if book is None:
            instrument = f"{product}.COINBASE"
            book = BookStream(self._rows.of(instrument, 0), self._rows.findings_of(instrument))
            self._books[conn, product] = book
        return book

    def _on_trades(self, line: int, ts_local: int, event: Event) -> None:
        if event.type == "snapshot":
            self._left_out.add("market_trades snapshot (printed before the capture)")
            return
        for trade in reversed(event.trades):  # newest first
            instrument = f"{trade.product_id}.COINBASE"
            rows, number = self._rows.of(instrument), int(trade.trade_id)
            rows.line = line
            if number <= self._last_trade.get(instrument, -1):
                note_repeated(self._rows.findings_of(instrument), line, "trade")
                continue
            self._last_trade[instrument] = number
            rows.level(_TAKER[trade.side], ts_local, iso_ns(trade.time), trade.price, trade.size)
            rows.end()


def _text(levels: list[Level]) -> bytes:
    return ("[" + ",".join([f'["{one.price_level}","{one.new_quantity}"]' for one in levels]) + "]").encode()


def _rest_text(levels: list[RestLevel]) -> bytes:
    return ("[" + ",".join([f'["{one.price}","{one.size}"]' for one in levels]) + "]").encode()
