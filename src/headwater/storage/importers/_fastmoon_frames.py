"""Frames in a fastmoon recording: what each one is, and which venue's reader takes it."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import EventRows
from headwater.storage.frames import binance, bybit, deribit, okx
from headwater.storage.frames.binance import BinanceFrames, Funding, OpenInterest
from headwater.storage.frames.book_stream import note_limited
from headwater.storage.frames.bybit import BybitFrames
from headwater.storage.frames.coinbase import CoinbaseFrames
from headwater.storage.frames.deribit import DeribitFrames
from headwater.storage.frames.okx import OkxFrames


class FrameKind(Enum):
    """What a frame is about."""

    BOOK = "order books"
    TRADE = "trades"
    LIQUIDATION = "liquidations"
    RATE = "funding or open interest"
    NOTICE = "notices"
    OTHER = "something else"


_TOPICS: Final = {
    "orderbook": FrameKind.BOOK,
    "publicTrade": FrameKind.TRADE,
    "liquidation": FrameKind.LIQUIDATION,
    "tickers": FrameKind.RATE,
    "depthUpdate": FrameKind.BOOK,
    "trade": FrameKind.TRADE,
    "aggTrade": FrameKind.TRADE,
    "forceOrder": FrameKind.LIQUIDATION,
    "books": FrameKind.BOOK,
    "trades": FrameKind.TRADE,
    "open-interest": FrameKind.RATE,
    "funding-rate": FrameKind.RATE,
    "liquidation-orders": FrameKind.LIQUIDATION,
    "l2_data": FrameKind.BOOK,
    "market_trades": FrameKind.TRADE,
    "subscriptions": FrameKind.NOTICE,
    "heartbeats": FrameKind.NOTICE,
    "book": FrameKind.BOOK,
    "ticker": FrameKind.RATE,
}
"""First word of a topic, event or channel, of any venue."""


class Argument(msgspec.Struct, gc=False):
    """``arg`` of OKX, ``params`` of Deribit."""

    channel: str = ""
    instId: str = ""  # noqa: N815


class ForceOrder(msgspec.Struct, gc=False):
    """``o`` of a Binance liquidation."""

    s: str = ""


class Answer(msgspec.Struct, gc=False):
    """A REST answer of Bybit, wrapped once more by some versions of the recorder."""

    result: msgspec.Raw = msgspec.Raw(b"{}")


class AnswerResult(msgspec.Struct, gc=False):
    """``result`` of an answer that holds a book."""

    s: str = ""
    u: int = 0


class Peek(msgspec.Struct, gc=False):
    """As much of a frame as it takes to know what it is."""

    topic: str = ""
    e: str = ""
    s: str = ""
    symbol: str = ""
    E: int = 0
    ts: int = 0
    o: ForceOrder | None = None
    arg: Argument | None = None
    channel: str = ""
    params: Argument | None = None
    jsonrpc: str = ""
    lastUpdateId: int = -1  # noqa: N815
    openInterest: str = ""  # noqa: N815
    pricebook: msgspec.Raw | None = None
    result: msgspec.Raw = msgspec.Raw(b"{}")
    response: Answer | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    testnet: bool = False
    funding: bool = False

    @classmethod
    def of_list(cls, text: msgspec.Raw) -> Peek:
        """A REST answer of Binance that is a list: settlements of funding, or ratios."""
        return cls(funding=b'"fundingRate"' in bytes(text)[:200])

    @property
    def word(self) -> str:
        """The topic, event or channel, up to the first dot."""
        argument = self.arg or self.params
        return (self.topic or self.e or (argument.channel if argument else "") or self.channel).partition(
            "."
        )[0]

    @property
    def answered_book(self) -> msgspec.Raw | None:
        """``result`` of a REST answer that holds a book."""
        result = self.response.result if self.response else self.result
        if bytes(result)[:1] != b"{" or b'"u"' not in bytes(result):
            return None
        return result

    @property
    def kind(self) -> FrameKind:
        """What the frame is about."""
        if self.word:
            return _TOPICS.get(self.word, FrameKind.OTHER)
        if self.lastUpdateId >= 0 or self.pricebook is not None or self.answered_book is not None:
            return FrameKind.BOOK
        if self.openInterest or self.funding:
            return FrameKind.RATE
        return FrameKind.NOTICE

    @property
    def time_ms(self) -> int:
        """The venue's time of a liquidation, ms."""
        if self.arg is not None:
            details = decode_okx_details(self.data)
            return int(details[0].details[0].ts) if details and details[0].details else 0
        return self.E or self.ts

    def instrument(self, market: str) -> str:
        """Id of the instrument, "" when the frame does not say."""
        if self.topic:
            return bybit.instrument_id(market, self.topic.rsplit(".", 1)[-1])
        if self.answered_book is not None:
            return bybit.instrument_id(market, decode_answered(self.answered_book).s)
        if self.arg is not None and self.arg.instId:
            return okx.instrument_id(self.arg.instId)
        if self.params is not None:
            return deribit.instrument_id(self.params.channel.split(".")[1])
        symbol = self.s or self.symbol or (self.o.s if self.o else "")
        return binance.instrument_id(_BINANCE_MARKETS.get(market, "spot"), symbol) if symbol else ""


decode_peek: Final = msgspec.json.Decoder(Peek).decode
decode_answered: Final = msgspec.json.Decoder(AnswerResult).decode
decode_okx_details: Final = msgspec.json.Decoder(list[okx.LiquidationData]).decode
decode_payload: Final = msgspec.json.Decoder(binance.Payload).decode
decode_open_interest: Final = msgspec.json.Decoder(OpenInterest).decode
decode_funding: Final = msgspec.json.Decoder(list[Funding]).decode

_BINANCE_MARKETS: Final = {"spot": "spot", "linear": "usdm", "inverse": "coinm"}


class MemberRows(CaptureRows):
    """The rows of the whole archive, with findings of one member alone.

    Parameters
    ----------
    shared : where the events go
    findings : of the member, by instrument
    """

    def __init__(self, shared: CaptureRows, findings: dict[str, Findings]) -> None:
        super().__init__(shared.path, shared.context)
        self._shared = shared
        self._member_findings = findings

    def of(self, instrument: str, book_levels: int | None = None) -> EventRows:
        """Rows of the archive."""
        return self._shared.of(instrument, book_levels)

    def findings_of(self, instrument: str) -> Findings:
        """Findings of the member."""
        return self._member_findings.setdefault(self.context.instrument or instrument, Findings())


class MemberFrames:
    """Hands the frames of one member to the reader of their venue.

    Parameters
    ----------
    shared : rows of the archive
    name : of the member; its frames are one connection
    market : ``spot``, ``linear`` or ``inverse``; "" when unknown
    findings : of the member, by instrument
    """

    def __init__(self, shared: CaptureRows, name: str, market: str, findings: dict[str, Findings]) -> None:
        self._conn = name
        self._market = market
        self._findings = findings
        rows = MemberRows(shared, findings)
        self._bybit = BybitFrames(rows, market)
        self._binance = BinanceFrames(_BINANCE_MARKETS.get(market, "spot"), rows, {})
        self._okx = OkxFrames(rows)
        self._coinbase = CoinbaseFrames(rows)
        self._deribit = DeribitFrames(rows)
        self._left_out: dict[FrameKind, int] = {}

    def on_record(self, line: int, ts_local: int, peek: Peek, data: msgspec.Raw) -> None:
        """One record that is of the member's kind."""
        if peek.topic:
            self._known_market()
            self._bybit.on_frame(line, ts_local, self._conn, data)
        elif peek.answered_book is not None:
            self._known_market()
            self._bybit.on_book_answer(line, ts_local, self._conn, b'{"result":%b}' % peek.answered_book)
        elif peek.arg is not None:
            self._okx.on_frame(line, ts_local, self._conn, data)
        elif peek.params is not None:
            self._deribit.on_frame(line, ts_local, self._conn, data)
        elif peek.pricebook is not None:
            self._coinbase.on_book_answer(line, ts_local, self._conn, data)
        elif peek.channel:
            self._coinbase.on_frame(line, ts_local, self._conn, data)
        else:
            self._on_binance(line, ts_local, peek, data)

    def interrupt(self, line: int, ts_local: int, why: str) -> None:
        """The recording paused."""
        if self._bybit.interrupt(line, ts_local, self._conn, why):
            return
        for findings in self._findings.values():
            note_limited(findings, f"line {line}: {why}")

    def leave_out(self, kind: FrameKind) -> None:
        """Count a frame that is not of the member's kind."""
        self._left_out[kind] = self._left_out.get(kind, 0) + 1

    def finish(self) -> None:
        """The recording ends."""
        for frames in (self._bybit, self._binance, self._okx, self._coinbase, self._deribit):
            frames.finish()
        for findings in self._findings.values():
            for kind, count in self._left_out.items():
                note_limited(
                    findings, f"{count} records of {kind.value} left out: they belong to another file"
                )

    def _known_market(self) -> None:
        if not self._market:
            raise ImportRefusedError(
                f"{self._conn}: Bybit frames do not say whether they are of spot or of a contract; "
                "name the instrument with --instrument, e.g. BTCUSDT-PERP.BYBIT"
            )

    def _on_binance(self, line: int, ts_local: int, peek: Peek, data: msgspec.Raw) -> None:
        if peek.funding:
            self._binance.on_funding(line, ts_local, decode_funding(data))
        elif peek.openInterest:
            self._binance.on_open_interest(line, ts_local, decode_open_interest(data))
        elif peek.lastUpdateId >= 0:
            symbol = peek.symbol or self._conn.rpartition("/")[2].split("_")[1].upper()
            self._binance.on_snapshot(line, ts_local, decode_payload(data), symbol)
        elif peek.e:
            self._binance.on_frame(line, ts_local, data)
