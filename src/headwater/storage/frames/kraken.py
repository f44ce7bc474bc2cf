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

import msgspec
import numpy as np

from headwater.storage.capture_rows import CaptureRows
from headwater.storage.checked_levels import CRC_TABLE, CheckedBooks, kraken_crc
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE
from headwater.storage.frames.book_stream import BookStream
from headwater.storage.frames.exact import SECOND
from headwater.storage.frames.kraken_scan import (
    BOOK,
    CHECKED_LEVELS,
    DEPTH,
    FIELDS,
    TRUSTED,
    WIDTH,
    WORDS,
    scan_kraken,
)
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable, Scratch, Streams, new_spans

MISMATCH: Final = "the checksum of the best levels does not agree"

decode_message: Final[Callable[[str | bytes], Any]] = msgspec.json.Decoder().decode


def instrument_id(pair: str) -> str:
    """``XBTUSD.KRAKEN`` for the pair ``XBT/USD``."""
    return f"{pair.replace('/', '')}.KRAKEN"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    depth: int
    number: int
    """Of the checked books."""
    row: int
    """Of the numbers that the scanner knows."""

    @property
    def sides(self) -> tuple[int, int]:
        """Bids and asks, among the checked sides."""
        return 2 * self.number, 2 * self.number + 1


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
        self._checked = CheckedBooks()
        self._streams = Streams(WIDTH)
        self._spans = new_spans(FIELDS)
        self._field_spans = np.zeros(2 * len(self._spans[0]), np.int64)
        self._scratch = Scratch()

    def on_connect(self, conn: str, address: str) -> None:  # noqa: ARG002
        """The books of a new connection begin with a snapshot."""
        for key in [key for key in self._books if key[0] == conn]:
            self._streams.state[self._books.pop(key).row + DEPTH] = 0

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of AssetPairs: decimals of price and size."""
        if "AssetPairs" not in url:
            return
        for pair in decode_message(body)["result"].values():
            if "wsname" in pair:
                tick, lot = f"1e-{pair['pair_decimals']}", f"1e-{pair['lot_decimals']}"
                self._rows.learn_grid(instrument_id(pair["wsname"]), tick, lot)

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read book changes whose checksum agrees; the first frame that is anything else, or `behind`."""
        self._streams.conn_numbers = table.conn_numbers
        while True:
            frame = self._scan(table, frame, behind)
            _, _, _, segments, text = self._scratch.counts.tolist()
            if segments < 0:
                self._scratch.hand_over(self._rows.log)
                return frame
            self._on_mismatch(segments, text)
            frame += 1

    def _scan(self, table: FrameTable, frame: int, behind: int) -> int:
        self._scratch.make_room_for(table, frame, behind, self._rows.log)
        return scan_kraken(
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
            self._field_spans,
            *self._spans,
            WORDS.text,
            WORDS.bounds,
            self._streams.names.text,
            self._streams.names.bounds,
            self._streams.state,
            self._checked.keys,
            self._checked.slots,
            self._checked.counts,
            self._checked.texts,
            self._checked.lengths,
            CRC_TABLE,
            self._scratch.segments,
            self._scratch.text,
            self._scratch.counts,
        )

    def _on_mismatch(self, segments: int, text: int) -> None:
        """The last frame was applied, but its checksum does not agree: the gap comes before its changes."""
        scratch, log = self._scratch, self._rows.log
        written = int(scratch.counts[0]), int(scratch.counts[1])
        scratch.hand_over_part(log, (0, 0), (segments, text))
        line, ts_local, ts_venue, stream = scratch.origin_of(segments)
        book = next(book for book in self._books.values() if book.stream.rows.stream == stream)
        book.stream.gap(line, ts_local, ts_venue, 1, MISMATCH, counted=False)
        self._tell_scanner(book)
        scratch.hand_over_part(log, (segments, text), written)

    def _tell_scanner(self, book: _Book) -> None:
        state = self._streams.state
        state[book.row + BOOK], state[book.row + TRUSTED] = book.number, book.stream.trusted
        state[book.row + DEPTH] = book.depth if book.stream.started else 0

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
            row = self._streams.row(conn, pair, stream.rows.stream)
            book = self._books[conn, pair] = _Book(stream, depth, self._checked.of(conn, pair), row)
        merged = {name: value for payload in payloads for name, value in payload.items()}
        if "as" in merged or "bs" in merged:
            self._on_snapshot(line, ts_local, book, merged)
        else:
            self._on_change(line, ts_local, book, merged)
        self._tell_scanner(book)

    def _on_snapshot(self, line: int, ts_local: int, book: _Book, data: dict[str, Any]) -> None:
        bids, asks = data.get("bs", []), data.get("as", [])
        self._checked.clear(book.number)
        texts = _text(bids), _text(asks)
        for side, text in zip(book.sides, texts, strict=True):
            self._checked.set_levels(side, text)
        book.stream.snapshot(line, ts_local, _time(bids + asks), *texts)

    def _on_change(self, line: int, ts_local: int, book: _Book, data: dict[str, Any]) -> None:
        bids, asks = data.get("b", []), data.get("a", [])
        ts_venue = _time(bids + asks)
        for side, levels in zip(book.sides, (bids, asks), strict=True):
            self._checked.set_levels(side, _text(levels))
            levels += [[price, "0"] for price in self._checked.evict(side, book.depth)]
        if book.stream.trusted and "c" in data and self._checksum(book) != int(data["c"]):
            book.stream.gap(line, ts_local, ts_venue, 1, MISMATCH, counted=False)
        book.stream.delta(line, ts_local, ts_venue, _text(bids), _text(asks))

    def _checksum(self, book: _Book) -> int:
        checked = self._checked
        return kraken_crc(
            book.number,
            CHECKED_LEVELS,
            checked.slots,
            checked.counts,
            checked.texts,
            checked.lengths,
            CRC_TABLE,
        )

    def _on_trades(self, line: int, ts_local: int, pair: str, trades: list[list[str]]) -> None:
        rows = self._rows.of(instrument_id(pair))
        rows.line = line
        for price, size, time, side, *_ in trades:
            word = BUY_TRADE if side == "b" else SELL_TRADE
            rows.level(word, ts_local, _seconds_ns(time), price.encode(), size.encode())
            rows.end()


def _time(levels: list[list[str]]) -> int:
    """The newest time of the levels; a level that was evicted has none."""
    times = [level[2] for level in levels if len(level) > 2]
    if len({len(time) for time in times}) == 1 and "".join(times).replace(".", "").isdecimal():
        return _seconds_ns(max(times))  # of one length, so that the newest is the last in order
    return max(map(_seconds_ns, times), default=0)


def _seconds_ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * SECOND + int(fraction[:9].ljust(9, "0") or 0)


def _text(levels: list[list[str]]) -> bytes:
    return ("[" + ",".join([f'["{level[0]}","{level[1]}"]' for level in levels]) + "]").encode()
