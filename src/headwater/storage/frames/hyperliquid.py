"""Frames of Hyperliquid: ``l2Book`` and ``trades``.

``l2Book`` is a picture of the 20 best levels of each side, pushed about twice a second whatever happened
between: conflated by design, with nothing that could prove a picture missing. A subscription answers with
the newest trades, which happened before: prints older than the recording are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import BUY_TRADE, SELL_TRADE
from headwater.storage.frames.book_stream import BookStream, note_limited, note_repeated
from headwater.storage.frames.exact import MS
from headwater.storage.frames.left_out import LeftOut

BOOK_LEVELS: Final = 20
TRADE_IDS_MAX: Final = 65_536
STALE_NS: Final = 10_000_000_000
"""A print more than 10 s older than the first frame came with the subscription."""

CONFLATED: Final = (
    "pictures of the 20 best levels about every 0.5 s; what happened between is not in the data"
)


class Level(msgspec.Struct, gc=False):
    """One level."""

    px: str
    sz: str


class BookData(msgspec.Struct, gc=False):
    """``data`` of an l2Book message."""

    coin: str
    time: int
    levels: tuple[list[Level], list[Level]]


class TradeData(msgspec.Struct, gc=False):
    """One element of ``data`` of a trades message; ``side`` is B or A (the aggressor bought or sold)."""

    coin: str
    side: str
    px: msgspec.Raw
    sz: msgspec.Raw
    time: int
    tid: int


class Message(msgspec.Struct, gc=False):
    """Every message."""

    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


decode_message: Final = msgspec.json.Decoder(Message).decode
decode_book: Final = msgspec.json.Decoder(BookData).decode
decode_trades: Final = msgspec.json.Decoder(list[TradeData]).decode


def instrument_id(coin: str) -> str:
    """``BTC-PERP.HYPERLIQUID``; spot pairs keep their name."""
    return f"{coin.replace('/', '-') if '/' in coin or coin.startswith('@') else coin + '-PERP'}.HYPERLIQUID"


@dataclass(slots=True)
class _Coin:
    book: BookStream
    last: int = 0
    trade_ids: dict[int, None] = field(default_factory=dict)


class HyperliquidFrames:
    """Turns frames into events, by coin.

    Parameters
    ----------
    rows : of the file
    """

    def __init__(self, rows: CaptureRows) -> None:
        self._rows = rows
        self._coins: dict[str, _Coin] = {}
        self._first = 0
        self._left_out = LeftOut()

    def on_frame(self, line: int, ts_local: int, body: str | bytes) -> None:
        """One frame of a stream."""
        self._first = self._first or ts_local
        message = decode_message(body)
        if message.channel == "l2Book":
            self._on_book(line, ts_local, decode_book(message.data))
        elif message.channel == "trades":
            self._on_trades(line, ts_local, message.data)
        elif message.channel not in ("subscriptionResponse", "pong"):
            self._left_out.add(message.channel)

    def finish(self) -> None:
        """Tell what was left out."""
        self._left_out.report(coin.book.findings for coin in self._coins.values())

    def _coin(self, name: str) -> _Coin:
        coin = self._coins.get(name)
        if coin is None:
            instrument = instrument_id(name)
            findings: Findings = self._rows.findings_of(instrument)
            coin = self._coins[name] = _Coin(BookStream(self._rows.of(instrument, BOOK_LEVELS), findings))
        return coin

    def _on_book(self, line: int, ts_local: int, data: BookData) -> None:
        coin = self._coin(data.coin)
        coin.book.findings.conflated = CONFLATED
        if data.time < coin.last:
            coin.book.findings.backward_clock += 1
            note_limited(coin.book.findings, f"line {line}: a book older than the one before was left out")
            return
        coin.last = data.time
        bids, asks = (_text(levels) for levels in data.levels)
        coin.book.snapshot(line, ts_local, data.time * MS, bids, asks)

    def _on_trades(self, line: int, ts_local: int, text: msgspec.Raw) -> None:
        for trade in sorted(decode_trades(text), key=lambda one: one.time):
            if trade.time * MS < self._first - STALE_NS:
                self._left_out.add("trades that printed before the recording began")
                continue
            coin = self._coin(trade.coin)
            if trade.tid in coin.trade_ids:
                note_repeated(coin.book.findings, line, "trade")
                continue
            coin.trade_ids[trade.tid] = None
            if len(coin.trade_ids) > TRADE_IDS_MAX:
                del coin.trade_ids[next(iter(coin.trade_ids))]
            rows = coin.book.rows
            rows.line = line
            word = BUY_TRADE if trade.side == "B" else SELL_TRADE
            rows.level(word, ts_local, trade.time * MS, trade.px, trade.sz)
            rows.end()


def _text(levels: list[Level]) -> bytes:
    return ("[" + ",".join([f'["{level.px}","{level.sz}"]' for level in levels]) + "]").encode()
