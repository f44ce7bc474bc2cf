"""Frames of Kraken spot, WebSocket v1: ``book``, ``trade``, and the rules of AssetPairs.

Book messages are not numbered; they carry a CRC32 of the ten best levels of each side, which is verified
after every message: the first that does not agree proves that one was lost. A stream of N levels does not
say when a level falls out of the N: the reader must drop it, so an explicit removal is written for it.

Sources
-------
Kraken WebSocket API v1, "Book" and "Calculate Book Checksum".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import msgspec

from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE
from headwater.storage.frames.book_stream import BookStream
from headwater.storage.frames.checked_book import BookSide, Level
from headwater.storage.frames.exact import SECOND
from headwater.storage.frames.left_out import LeftOut

CHECKED_LEVELS: Final = 10

decode_message: Final[Callable[[str | bytes], Any]] = msgspec.json.Decoder().decode


def instrument_id(pair: str) -> str:
    """``XBTUSD.KRAKEN`` for the pair ``XBT/USD``."""
    return f"{pair.replace('/', '')}.KRAKEN"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    depth: int
    bids: BookSide
    asks: BookSide


class KrakenFrames:
    """Turns frames into events, by pair and connection.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[tuple[str, str], _Book] = {}
        self._left_out = LeftOut()

    def on_connect(self, conn: str, address: str) -> None:  # noqa: ARG002
        """The books of a new connection begin with a snapshot."""
        for key in [key for key in self._books if key[0] == conn]:
            del self._books[key]

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of AssetPairs: decimals of price and size."""
        if "AssetPairs" not in url:
            return
        for pair in decode_message(body)["result"].values():
            if "wsname" in pair:
                tick, lot = f"1e-{pair['pair_decimals']}", f"1e-{pair['lot_decimals']}"
                self._rows.learn_grid(instrument_id(pair["wsname"]), tick, lot)

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame: [id, one or two payloads, channel, pair]; anything else is a notice."""
        message = decode_message(body)
        if not isinstance(message, list):
            return
        *payloads, channel, pair = message[1:]
        if channel.startswith("book-"):
            self._on_book(line, ts_local, conn, pair, int(channel[5:]), payloads)
        elif channel == "trade":
            self._on_trades(line, ts_local, pair, payloads[0])
        else:
            self._left_out.add(channel)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(book.stream.findings for book in self._books.values())

    def _on_book(
        self, line: int, ts_local: int, conn: str, pair: str, depth: int, payloads: list[dict[str, Any]]
    ) -> None:
        book = self._books.get((conn, pair))
        if book is None:
            instrument = instrument_id(pair)
            stream = BookStream(self._rows.of(instrument, depth), self._rows.findings_of(instrument))
            book = _Book(stream, depth, BookSide(1, depth), BookSide(-1, depth))
            self._books[conn, pair] = book
        merged = {name: value for payload in payloads for name, value in payload.items()}
        if "as" in merged or "bs" in merged:
            self._on_snapshot(line, ts_local, book, merged)
        else:
            self._on_change(line, ts_local, book, merged)

    @staticmethod
    def _on_snapshot(line: int, ts_local: int, book: _Book, data: dict[str, Any]) -> None:
        bids, asks = data.get("bs", []), data.get("as", [])
        book.bids, book.asks = BookSide(1, book.depth), BookSide(-1, book.depth)
        for side, levels in ((book.bids, bids), (book.asks, asks)):
            for price, size, *_ in levels:
                side.apply(price, size)
        book.stream.snapshot(line, ts_local, _time(bids + asks), _text(bids), _text(asks))

    @staticmethod
    def _on_change(line: int, ts_local: int, book: _Book, data: dict[str, Any]) -> None:
        bids, asks = data.get("b", []), data.get("a", [])
        ts_venue = _time(bids + asks)
        for side, levels in ((book.bids, bids), (book.asks, asks)):
            for price, size, *_ in levels:
                side.apply(price, size)
            levels += [[price, "0"] for price in side.evict()]
        if book.stream.trusted and "c" in data and checksum(book.bids, book.asks) != int(data["c"]):
            why = "the checksum of the best levels does not agree"
            book.stream.gap(line, ts_local, ts_venue, 1, why, counted=False)
        book.stream.delta(line, ts_local, ts_venue, _text(bids), _text(asks))

    def _on_trades(self, line: int, ts_local: int, pair: str, trades: list[list[str]]) -> None:
        rows = self._rows.of(instrument_id(pair))
        rows.line = line
        for price, size, time, side, *_ in trades:
            word = BUY_TRADE if side == "b" else SELL_TRADE
            rows.level(word, ts_local, _seconds_ns(time), price.encode(), size.encode())
            rows.end()


def checksum(bids: BookSide, asks: BookSide) -> int:
    """CRC32 of the digits of the ten best asks and bids, without point and leading zeros."""
    levels: list[Level] = asks.best(CHECKED_LEVELS) + bids.best(CHECKED_LEVELS)
    digits = "".join(text.replace(".", "").lstrip("0") for level in levels for text in level)
    return crc32(digits.encode())


def _time(levels: list[list[str]]) -> int:
    """The newest time of the levels; a level that was evicted has none."""
    return max((_seconds_ns(level[2]) for level in levels if len(level) > 2), default=0)


def _seconds_ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * SECOND + int(fraction[:9].ljust(9, "0") or 0)


def _text(levels: list[list[str]]) -> bytes:
    return ("[" + ",".join([f'["{level[0]}","{level[1]}"]' for level in levels]) + "]").encode()
