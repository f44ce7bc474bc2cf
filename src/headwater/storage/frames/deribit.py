"""Frames of Deribit: ``book``, ``trades`` and ``ticker`` of perpetuals, futures and options.

A book change names the change before it (``prev_change_id``): they must join. How many are missing in a
hole is not known. Sizes are in the units of the message: US dollars of inverse perpetuals and futures, base
coin of options.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from headwater.domain.event import EventKind, PrintClass
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import code
from headwater.storage.frames.book_stream import BookStream, note_limited, note_repeated
from headwater.storage.frames.exact import INDEX_PRICE, MARK_PRICE, MS, OPEN_INTEREST, fine_units
from headwater.storage.frames.left_out import LeftOut
from headwater.storage.hot_frames import FrameTable

_EMPTY: Final = msgspec.Raw(b"[]")


class BookData(msgspec.Struct, gc=False):
    """``data`` of a book message; a level is [new | change | delete, price, amount]."""

    instrument_name: str
    timestamp: int
    change_id: int
    type: str = "change"
    prev_change_id: int = -1
    bids: list[tuple[str, msgspec.Raw, msgspec.Raw]] = []
    asks: list[tuple[str, msgspec.Raw, msgspec.Raw]] = []


class TradeData(msgspec.Struct, gc=False):
    """One element of ``data`` of a trades message."""

    instrument_name: str
    timestamp: int
    trade_seq: int
    price: msgspec.Raw
    amount: msgspec.Raw
    direction: str
    liquidation: str = ""
    block_trade_id: str = ""


class TickerData(msgspec.Struct, gc=False):
    """``data`` of a ticker message."""

    instrument_name: str
    timestamp: int
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    open_interest: Decimal | None = None


class Params(msgspec.Struct, gc=False):
    """``params`` of a notification."""

    channel: str = ""
    data: msgspec.Raw = _EMPTY


class Message(msgspec.Struct, gc=False):
    """A notification, or an answer without params."""

    params: Params | None = None


decode_message: Final = msgspec.json.Decoder(Message).decode
decode_book: Final = msgspec.json.Decoder(BookData).decode
decode_trades: Final = msgspec.json.Decoder(list[TradeData]).decode
decode_ticker: Final = msgspec.json.Decoder(TickerData).decode


def instrument_id(symbol: str) -> str:
    """``BTC-PERPETUAL.DERIBIT``: the venue's own name."""
    return f"{symbol}.DERIBIT"


@dataclass(slots=True)
class _Book:
    stream: BookStream
    last: int = -1


class DeribitFrames:
    """Turns frames into events, by instrument.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._books: dict[tuple[str, str], _Book] = {}
        self._last_trade: dict[str, int] = {}
        self._ticker: dict[tuple[str, str], Any] = {}
        self._left_out = LeftOut()
        self._handlers = {"book": self._on_book, "trades": self._on_trades, "ticker": self._on_ticker}

    def on_connect(self, conn: str, address: str) -> None:
        """Change ids are the instrument's, not the connection's: nothing begins anew."""

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:  # noqa: ARG002
        """The rules of get_instruments: tick size, and the smallest amount."""
        if "get_instruments" not in url:
            return
        for item in msgspec.json.decode(body).get("result", []):
            self._rows.learn_grid(
                instrument_id(item["instrument_name"]),
                str(item["tick_size"]),
                str(item.get("min_trade_amount") or item["contract_size"]),
            )

    def run(self, table: FrameTable, frame: int, behind: int) -> int:  # noqa: ARG002
        """Every frame is read by itself."""
        return frame

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame; the first word of the channel says what it is."""
        message = decode_message(body)
        if message.params is None or not message.params.channel:
            return
        name = message.params.channel.partition(".")[0]
        handler = self._handlers.get(name)
        if handler is None:
            self._left_out.add(name)
        else:
            handler(line, ts_local, conn, message.params)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(book.stream.findings for book in self._books.values())

    def _on_book(self, line: int, ts_local: int, conn: str, params: Params) -> None:
        data = decode_book(params.data)
        book = self._books.get((conn, params.channel))
        if book is None:
            instrument = instrument_id(data.instrument_name)
            stream = BookStream(self._rows.of(instrument, 0), self._rows.findings_of(instrument))
            book = self._books[conn, params.channel] = _Book(stream)
        ts_venue = data.timestamp * MS
        bids, asks = _text(data.bids), _text(data.asks)
        if data.type == "snapshot" or data.prev_change_id < 0:
            book.stream.snapshot(line, ts_local, ts_venue, bids, asks)
        else:
            if data.change_id <= book.last:
                book.stream.repeated(line)
                return
            if book.stream.started and data.prev_change_id != book.last:
                why = f"expected to follow {book.last}, found {data.prev_change_id}"
                book.stream.gap(line, ts_local, ts_venue, 1, why, counted=False)
            book.stream.delta(line, ts_local, ts_venue, bids, asks)
        book.last = data.change_id

    def _on_trades(self, line: int, ts_local: int, conn: str, params: Params) -> None:  # noqa: ARG002
        for trade in decode_trades(params.data):
            instrument = instrument_id(trade.instrument_name)
            rows, findings = self._rows.of(instrument), self._rows.findings_of(instrument)
            rows.line = line
            last = self._last_trade.get(instrument)
            if last is not None and trade.trade_seq <= last:
                note_repeated(findings, line, "trade")
                continue
            if last is not None and trade.trade_seq > last + 1:
                findings.sequence_gaps += 1
                findings.lost_messages += trade.trade_seq - last - 1
                note_limited(findings, f"line {line}: {trade.trade_seq - last - 1} trades are missing")
            self._last_trade[instrument] = trade.trade_seq
            word = code(EventKind.TRADE, 1 if trade.direction == "buy" else -1, _print_class(trade))
            rows.level(word, ts_local, trade.timestamp * MS, trade.price, trade.amount)
            rows.end()

    def _on_ticker(self, line: int, ts_local: int, conn: str, params: Params) -> None:  # noqa: ARG002
        data = decode_ticker(params.data)
        rows = self._rows.of(instrument_id(data.instrument_name))
        rows.line = line
        ts_venue = data.timestamp * MS
        if data.mark_price is not None and self._changed(data, "mark_price"):
            rows.value(MARK_PRICE, ts_local, ts_venue, fine_units(data.mark_price), 0)
        if data.index_price is not None and self._changed(data, "index_price"):
            rows.value(INDEX_PRICE, ts_local, ts_venue, fine_units(data.index_price), 0)
        # Only options count open interest in base coin; inverse contracts count dollars.
        is_option = data.instrument_name.endswith(("-C", "-P"))
        if is_option and data.open_interest is not None and self._changed(data, "open_interest"):
            rows.value(OPEN_INTEREST, ts_local, ts_venue, 0, fine_units(data.open_interest))
        rows.end()

    def _changed(self, data: TickerData, field: str) -> bool:
        key, value = (data.instrument_name, field), getattr(data, field)
        if self._ticker.get(key) == value:
            return False
        self._ticker[key] = value
        return True


def _print_class(trade: TradeData) -> PrintClass:
    if trade.block_trade_id:
        return PrintClass.BLOCK
    return PrintClass.LIQUIDATION if trade.liquidation else PrintClass.NORMAL


def _text(levels: list[tuple[str, msgspec.Raw, msgspec.Raw]]) -> bytes:
    texts = [b"[%b,%b]" % (price, b"0" if action == "delete" else amount) for action, price, amount in levels]
    return b"[" + b",".join(texts) + b"]"
