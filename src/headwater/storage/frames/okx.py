"""Frames of OKX v5: ``books``, ``trades``, ``liquidation-orders``, and the rules of instruments.

A book message carries ``prevSeqId`` and ``seqId``, which must join (since 2023), and a CRC32 of the 25 best
levels of each side (until 2025): where there are numbers they are the proof, elsewhere the checksum is
verified after every message. Sizes are in base coin for spot and in contracts for everything else.

Sources
-------
OKX API v5, "Order book channel": sequence id, checksum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from headwater.domain.event import EventKind
from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.checked_levels import CRC_TABLE, CheckedBooks, okx_crc
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE, code
from headwater.storage.frames.book_stream import BookStream, note_repeated
from headwater.storage.frames.exact import FUNDING, MS, OPEN_INTEREST, fine_units, rate_units
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.frames.okx_scan import (
    BOOK,
    CHANNELS,
    CHECKED_LEVELS,
    FIELDS,
    LAST,
    STARTED,
    WIDTH,
    WORDS,
    scan_okx,
)
from headwater.storage.hot_frames import FrameTable, Scratch, Streams, new_spans

MISMATCH: Final = "the checksum of the best levels does not agree"
DEPTHS: Final = {"books": 400, "books5": 5, "bbo-tbt": 1, "books50-l2-tbt": 50, "books-l2-tbt": 400}
"""Levels of each book channel."""

TRADE_IDS_MAX: Final = 65_536

Levels = list[tuple[str, ...]]


class Argument(msgspec.Struct, gc=False):
    """``arg`` of a message."""

    channel: str = ""
    instId: str = ""  # noqa: N815  (the venue's name)


class BookData(msgspec.Struct, gc=False):
    """One element of ``data`` of a book message."""

    asks: Levels
    bids: Levels
    ts: str
    checksum: int | None = None
    prevSeqId: int | None = None  # noqa: N815
    seqId: int | None = None  # noqa: N815


class TradeData(msgspec.Struct, gc=False):
    """One element of ``data`` of a trades message."""

    instId: str  # noqa: N815
    tradeId: str  # noqa: N815
    px: msgspec.Raw
    sz: msgspec.Raw
    side: str
    ts: str


class LiquidationDetail(msgspec.Struct, gc=False):
    """One liquidation; ``side`` is that of the liquidating order, ``bkPx`` the bankruptcy price."""

    bkPx: msgspec.Raw  # noqa: N815
    sz: msgspec.Raw
    side: str
    ts: str


class LiquidationData(msgspec.Struct, gc=False):
    """One element of ``data`` of a liquidations message."""

    instId: str  # noqa: N815
    details: list[LiquidationDetail]


class OpenInterestData(msgspec.Struct, gc=False):
    """One element of ``data`` of an open-interest message; ``oiCcy`` is in base coin."""

    instId: str  # noqa: N815
    oiCcy: str  # noqa: N815
    ts: str


class FundingData(msgspec.Struct, gc=False):
    """One element of ``data`` of a funding-rate message."""

    instId: str  # noqa: N815
    fundingRate: str  # noqa: N815
    fundingTime: str  # noqa: N815
    nextFundingTime: str = ""  # noqa: N815


class Message(msgspec.Struct, gc=False):
    """Every message of a stream."""

    arg: Argument | None = None
    action: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


decode_message: Final = msgspec.json.Decoder(Message).decode
decode_books: Final = msgspec.json.Decoder(list[BookData]).decode
decode_trades: Final = msgspec.json.Decoder(list[TradeData]).decode
decode_open_interest: Final = msgspec.json.Decoder(list[OpenInterestData]).decode
decode_funding: Final = msgspec.json.Decoder(list[FundingData]).decode
decode_liquidations: Final = msgspec.json.Decoder(list[LiquidationData]).decode
decode_instruments: Final = msgspec.json.Decoder(dict[str, Any]).decode

_LIQUIDATION: Final = {"buy": code(EventKind.LIQUIDATION, 1), "sell": code(EventKind.LIQUIDATION, -1)}


def instrument_id(symbol: str) -> str:
    """``BTC-USDT.OKX``, ``BTC-USDT-SWAP.OKX``: the venue's own name."""
    return f"{symbol}.OKX"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    channel: int
    number: int
    """Of the checked books."""
    row: int
    """Of the numbers that the scanner knows."""
    last: int = -1


class OkxFrames:
    """Turns frames into events, by channel, instrument and connection.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[tuple[str, str, str], _Book] = {}
        self._trade_ids: dict[tuple[str, str], None] = {}
        self._findings: dict[str, Findings] = {}
        self._funding: dict[str, FundingData] = {}
        self._left_out = LeftOut()
        self._checked = CheckedBooks()
        self._streams = Streams(WIDTH)
        self._spans = new_spans(FIELDS)
        self._scratch = Scratch()

    def on_connect(self, conn: str, address: str) -> None:  # noqa: ARG002
        """The books of a new connection begin with a snapshot."""
        for key in [key for key in self._books if key[0] == conn]:
            self._streams.state[self._books.pop(key).row + STARTED] = 0

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of instruments: tick and lot size."""
        if "/public/instruments" not in url:
            return
        for item in decode_instruments(body).get("data", []):
            if item["tickSz"] and item["lotSz"]:
                self._rows.learn_grid(instrument_id(item["instId"]), item["tickSz"], item["lotSz"])

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read book updates that continue their books; the first frame that does not, or `behind`."""
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
        return scan_okx(
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
        numbers = self._streams.state[book.row : book.row + WIDTH]
        numbers[BOOK:] = book.number, book.channel, book.last, book.stream.started, book.stream.trusted

    def _learn_from_scanner(self, book: _Book) -> None:
        book.last = int(self._streams.state[book.row + LAST])

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame of a stream."""
        message = decode_message(body)
        if message.arg is None:
            return
        channel = message.arg.channel
        if channel in DEPTHS:
            for data in decode_books(message.data):
                self._on_book(line, ts_local, (conn, channel, message.arg.instId), message.action, data)
        elif channel in ("trades", "trades-all"):
            self._on_trades(line, ts_local, message.data)
        elif channel == "open-interest":
            self._on_open_interest(line, ts_local, message.data)
        elif channel == "funding-rate":
            self._on_funding(line, ts_local, message.data)
        elif channel == "liquidation-orders":
            self._on_liquidations(line, ts_local, message.data)
        else:
            self._left_out.add(channel)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(self._findings.values())

    def _findings_of(self, instrument: str) -> Findings:
        return self._findings.setdefault(instrument, self._rows.findings_of(instrument))

    def _on_book(
        self, line: int, ts_local: int, key: tuple[str, str, str], action: str, data: BookData
    ) -> None:
        book = self._books.get(key)
        if book is None:
            instrument = instrument_id(key[2])
            rows = self._rows.of(instrument, DEPTHS[key[1]])
            stream = BookStream(rows, self._findings_of(instrument))
            row = self._streams.row(key[0], key[2], rows.stream, key[1])
            book = _Book(stream, CHANNELS.index(key[1]), self._checked.of(*key), row)
            self._books[key] = book
        else:
            self._learn_from_scanner(book)
        ts_venue = int(data.ts) * MS
        if action != "update":
            self._checked.clear(book.number)
            book.stream.snapshot(line, ts_local, ts_venue, _text(data.bids), _text(data.asks))
            self._apply(book, data)
        elif self._continues(line, ts_local, ts_venue, book, data):
            book.stream.delta(line, ts_local, ts_venue, _text(data.bids), _text(data.asks))
        if data.seqId is not None:
            book.last = data.seqId
        self._tell_scanner(book)

    def _continues(self, line: int, ts_local: int, ts_venue: int, book: _Book, data: BookData) -> bool:
        stream = book.stream
        if data.seqId is not None and data.prevSeqId is not None:
            if stream.started and data.seqId <= book.last and data.prevSeqId != book.last:
                stream.repeated(line)
                return False
            if stream.started and data.prevSeqId != book.last:
                why = f"expected to follow {book.last}, found {data.prevSeqId}"
                stream.gap(line, ts_local, ts_venue, 1, why, counted=False)
            return True
        self._apply(book, data)
        if stream.trusted and data.checksum is not None and self._checksum(book) != data.checksum:
            stream.gap(line, ts_local, ts_venue, 1, MISMATCH, counted=False)
        return True

    def _apply(self, book: _Book, data: BookData) -> None:
        for side, levels in enumerate((data.bids, data.asks)):
            self._checked.set_levels(2 * book.number + side, _text(levels))

    def _checksum(self, book: _Book) -> int:
        checked = self._checked
        return okx_crc(
            book.number,
            CHECKED_LEVELS,
            checked.slots,
            checked.counts,
            checked.texts,
            checked.lengths,
            CRC_TABLE,
        )

    def _on_trades(self, line: int, ts_local: int, text: msgspec.Raw) -> None:
        for trade in decode_trades(text):
            instrument = instrument_id(trade.instId)
            rows, findings = self._rows.of(instrument), self._findings_of(instrument)
            rows.line = line
            if self._is_repeated((trade.instId, trade.tradeId)):
                note_repeated(findings, line, "trade")
                continue
            word = BUY_TRADE if trade.side == "buy" else SELL_TRADE
            rows.level(word, ts_local, int(trade.ts) * MS, trade.px, trade.sz)
            rows.end()

    def _is_repeated(self, trade: tuple[str, str]) -> bool:
        if trade in self._trade_ids:
            return True
        self._trade_ids[trade] = None
        if len(self._trade_ids) > TRADE_IDS_MAX:
            del self._trade_ids[next(iter(self._trade_ids))]
        return False

    def _on_open_interest(self, line: int, ts_local: int, text: msgspec.Raw) -> None:
        for data in decode_open_interest(text):
            rows = self._rows.of(instrument_id(data.instId))
            self._findings_of(instrument_id(data.instId))
            rows.line = line
            rows.value(OPEN_INTEREST, ts_local, int(data.ts) * MS, 0, fine_units(data.oiCcy))
            rows.end()

    def _on_funding(self, line: int, ts_local: int, text: msgspec.Raw) -> None:
        for data in decode_funding(text):
            if self._funding.get(data.instId) == data:
                continue
            self._funding[data.instId] = data
            rows = self._rows.of(instrument_id(data.instId))
            self._findings_of(instrument_id(data.instId))
            rows.line = line
            interval = (int(data.nextFundingTime or data.fundingTime) - int(data.fundingTime)) // 1000
            rate = rate_units(data.fundingRate)
            rows.value(FUNDING, ts_local, int(data.fundingTime) * MS, rate, interval)
            rows.end()

    def _on_liquidations(self, line: int, ts_local: int, text: msgspec.Raw) -> None:
        for data in decode_liquidations(text):
            instrument = instrument_id(data.instId)
            rows = self._rows.of(instrument)
            self._findings_of(instrument)
            for one in data.details:
                rows.line = line
                rows.level(_LIQUIDATION[one.side], ts_local, int(one.ts) * MS, one.bkPx, one.sz)
                rows.end()


def _text(levels: Levels) -> bytes:
    return ("[" + ",".join([f'["{level[0]}","{level[1]}"]' for level in levels]) + "]").encode()
