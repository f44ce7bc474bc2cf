"""Frames of Binance: market data of spot, USD-M and COIN-M as the venue sends it.

Trades say ``m``: the buyer was the maker, so the seller was the aggressor. Futures trades say ``X``: what
is not MARKET printed outside the book. ``bookTicker`` is a stream of its own, faster than the depth diffs;
it becomes QUOTE events and never touches the book, which the diffs alone describe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import msgspec

from headwater.domain.event import EventKind, PrintClass
from headwater.ports.importer import Findings
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.event_rows import QUOTE_PAIR, EventRows, code
from headwater.storage.frames.binance_book import BinanceBook, Diff, Snapshot
from headwater.storage.frames.binance_scan import (
    EVENTS,
    FIELDS,
    LAST_UPDATE,
    TRADE_KINDS,
    WIDTH,
    scan_binance,
)
from headwater.storage.frames.book_stream import BookStream, note_limited
from headwater.storage.frames.exact import FUNDING, MS, OPEN_INTEREST, fine_units, rate_units
from headwater.storage.hot_frames import FrameTable, Scratch, Streams, new_spans
from headwater.storage.receive_clock import NO_TIME

_ABSENT: Final = msgspec.Raw(b"")
_EMPTY: Final = msgspec.Raw(b"[]")

_PACE: Final = re.compile(r"@depth@(\d+)ms")
PACED_DIFFS: Final = 21
THROTTLED_MS: Final = 90
"""Diffs at least this far apart, as a rule, are gathered by the venue before it pushes them."""

_PRINT_CLASSES: Final = {
    "MARKET": PrintClass.NORMAL,
    "INSURANCE_FUND": PrintClass.INSURANCE,
    "ADL": PrintClass.ADL,
}
_TRADE: Final = {
    (maker_buyer, print_class): code(EventKind.TRADE, -1 if maker_buyer else 1, print_class)
    for maker_buyer in (False, True)
    for print_class in PrintClass
}


class ForceOrder(msgspec.Struct, gc=False):
    """``o`` of a forceOrder message: the liquidating order; ``p`` is its limit, the bankruptcy price."""

    s: str
    S: str
    q: msgspec.Raw
    p: msgspec.Raw
    T: int


class Payload(msgspec.Struct, gc=False):
    """The fields of all messages that are read here; what a message does not have keeps its default."""

    e: str = ""
    E: int = NO_TIME
    T: int = NO_TIME
    s: str = ""
    U: int = -1
    u: int = -1
    pu: int = -1
    b: msgspec.Raw = _EMPTY
    a: msgspec.Raw = _EMPTY
    B: msgspec.Raw = _ABSENT
    A: msgspec.Raw = _ABSENT
    t: int = -1
    p: msgspec.Raw = _ABSENT
    q: msgspec.Raw = _ABSENT
    m: bool = False
    X: str = "MARKET"
    o: ForceOrder | None = None
    lastUpdateId: int = -1  # noqa: N815  (the venue's name)
    bids: msgspec.Raw = _EMPTY
    asks: msgspec.Raw = _EMPTY


class Frame(Payload, gc=False):
    """A message, bare or wrapped as ``{"stream": ..., "data": ...}``."""

    stream: str = ""
    data: Payload | None = None


class OpenInterest(msgspec.Struct, gc=False):
    """A REST answer of ``openInterest``."""

    symbol: str
    openInterest: str  # noqa: N815
    time: int


class Funding(msgspec.Struct, gc=False):
    """One element of a REST answer of ``fundingRate``."""

    symbol: str
    fundingTime: int  # noqa: N815
    fundingRate: str  # noqa: N815


decode_frame: Final = msgspec.json.Decoder(Frame).decode


def instrument_id(market: str, symbol: str) -> str:
    """``BTCUSDT.BINANCE`` (spot), ``BTCUSDT-PERP.BINANCE`` (usdm), ``BTCUSD-PERP.BINANCE`` (coinm)."""
    if market == "spot":
        return f"{symbol}.BINANCE"
    name, _, expiry = symbol.upper().partition("_")
    return f"{name}_{expiry}.BINANCE" if expiry.isdigit() else f"{name}-PERP.BINANCE"


@dataclass(slots=True)
class _Symbol:
    rows: EventRows
    findings: Findings
    book: BinanceBook
    row: int
    """Of the numbers that the scanner knows."""
    trade_ids: dict[str, int] = field(default_factory=dict)
    trade_stream: str = ""
    funded: int = 0
    paced: bool = False
    """Whether the interval between diffs is known."""
    first_times: list[int] = field(default_factory=list)


class BinanceFrames:
    """Turns frames into events, by symbol.

    Parameters
    ----------
    market : ``spot``, ``usdm`` or ``coinm``
    rows : of the file
    carried : ``u`` of the last diff by instrument, from the files before this one in the same command;
        updated
    """

    def __init__(self, market: str, rows: CaptureRows, carried: dict[str, int]) -> None:
        self._market = market
        self._rows = rows
        self._carried = carried
        self._symbols: dict[str, _Symbol] = {}
        self._left_out: dict[str, int] = {}
        self._streams = Streams(WIDTH)
        self._spans = new_spans(FIELDS)
        self._scratch = Scratch()
        self._handlers: dict[str, Callable[[int, int, Payload], None]] = {
            "depthUpdate": self._on_depth,
            "trade": self._on_trade,
            "aggTrade": self._on_trade,
            "bookTicker": self._on_quote,
            "forceOrder": self._on_liquidation,
        }

    def on_frame(self, line: int, ts_local: int, body: bytes | str) -> None:
        """One frame of the stream, or a REST snapshot recorded among the frames."""
        frame = decode_frame(body)
        payload = frame if frame.data is None else frame.data
        handler = self._handlers.get(payload.e)
        if handler is not None:
            handler(line, ts_local, payload)
            if payload.U >= 0 and not self._symbols[payload.s].paced:
                self._note_pace(self._symbols[payload.s], payload, frame.stream)
        elif payload.lastUpdateId >= 0:
            self.on_snapshot(line, ts_local, payload, "")
        elif payload.B and payload.A:
            self._on_quote(line, ts_local, payload)
        else:
            name = payload.e or "unnamed"
            self._left_out[name] = self._left_out.get(name, 0) + 1

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read frames as long as they only continue what is known; the first that does not, or `behind`."""
        self._scratch.make_room_for(table, frame, behind, self._rows.log)
        self._tell_scanner()
        frame = scan_binance(
            table.text,
            table.starts,
            table.stops,
            table.ts_local,
            table.lines,
            frame,
            behind,
            FIELDS.text,
            FIELDS.bounds,
            *self._spans,
            EVENTS.text,
            EVENTS.bounds,
            self._streams.names.text,
            self._streams.names.bounds,
            self._streams.state,
            self._scratch.segments,
            self._scratch.text,
            self._scratch.counts,
        )
        self._scratch.hand_over(self._rows.log)
        self._learn_from_scanner()
        return frame

    def _tell_scanner(self) -> None:
        for state in self._symbols.values():
            last = state.book.last if state.book.continues and state.paced else None
            self._streams.state[state.row + LAST_UPDATE : state.row + WIDTH] = (
                -1 if last is None else last,
                TRADE_KINDS.get(state.trade_stream, 0),
                state.trade_ids.get(state.trade_stream, 0),
                0,
            )

    def _learn_from_scanner(self) -> None:
        for state in self._symbols.values():
            numbers = self._streams.state[state.row + LAST_UPDATE : state.row + WIDTH]
            last, trade_kind, trade_id, ts_last = numbers.tolist()
            if ts_last:
                state.rows.last_ts_local = ts_last
            if last >= 0:
                state.book.last = last
            if trade_kind:
                state.trade_ids[state.trade_stream] = trade_id

    def on_snapshot(self, line: int, ts_local: int, payload: Payload, symbol: str) -> None:
        """A REST snapshot; without a symbol it is of the only one of the file."""
        state = self._symbol(symbol) if symbol else self._only_symbol()
        if state is None:
            self._left_out["snapshot of an unknown symbol"] = 1
            return
        ts_venue = (payload.T if payload.T > 0 else payload.E) * MS
        state.book.on_snapshot(
            Snapshot(line, ts_local, ts_venue, payload.lastUpdateId, payload.bids, payload.asks)
        )

    def name_symbol(self, symbol: str) -> None:
        """Announce a symbol before its first message, so that a snapshot without a name finds it."""
        self._symbol(symbol)

    def finish(self) -> None:
        """The file ends: write what waits, hand on the sequence numbers, say what was left out."""
        for state in self._symbols.values():
            state.book.finish()
            if state.book.last is not None:
                self._carried[state.rows.instrument] = state.book.last
            for name, count in sorted(self._left_out.items()):
                note_limited(state.findings, f"{count} messages left out: {name}")

    def _symbol(self, symbol: str) -> _Symbol:
        state = self._symbols.get(symbol)
        if state is None:
            instrument = instrument_id(self._market, symbol)
            rows, findings = self._rows.of(instrument), self._rows.findings_of(instrument)
            book = BinanceBook(BookStream(rows, findings), self._carried.get(rows.instrument))
            row = self._streams.row("", symbol, rows.stream)
            state = self._symbols[symbol] = _Symbol(rows, findings, book, row)
        return state

    def _note_pace(self, state: _Symbol, payload: Payload, stream: str) -> None:
        """How often diffs are pushed: by the name of the stream, or by the first twenty of them."""
        state.first_times.append(payload.E)
        named = _PACE.search(stream)
        if named is None and len(state.first_times) < PACED_DIFFS:
            return
        steps = sorted(b - a for a, b in pairwise(state.first_times))
        pace_ms = int(named[1]) if named else steps[len(steps) // 2]
        state.paced = True
        if pace_ms >= THROTTLED_MS:
            state.findings.conflated = f"depth diffs are pushed every {round(pace_ms, -2)} ms"

    def _only_symbol(self) -> _Symbol | None:
        return next(iter(self._symbols.values())) if len(self._symbols) == 1 else None

    def _on_depth(self, line: int, ts_local: int, payload: Payload) -> None:
        ts_venue = (payload.T if payload.T > 0 else payload.E) * MS
        self._symbol(payload.s).book.on_diff(
            Diff(line, ts_local, ts_venue, payload.U, payload.u, payload.pu, payload.b, payload.a)
        )

    def _on_trade(self, line: int, ts_local: int, payload: Payload) -> None:
        state = self._symbol(payload.s)
        print_class = _PRINT_CLASSES.get(payload.X)
        if print_class is None or not self._is_next_trade(line, payload, state):
            return
        text = b"[[%b,%b]]" % (payload.p, payload.q)
        state.rows.message(line, _TRADE[payload.m, print_class], ts_local, payload.T * MS, text)

    def _is_next_trade(self, line: int, payload: Payload, state: _Symbol) -> bool:
        """Ids rise by one; the same prints may come as trades and as aggregates: the first stream is kept."""
        if state.trade_stream != payload.e:
            if state.trade_stream:
                name = f"{payload.e} (the same prints as {state.trade_stream})"
                self._left_out[name] = self._left_out.get(name, 0) + 1
                return False
            state.trade_stream = payload.e
        number = payload.t if payload.e == "trade" else int(bytes(payload.a))
        last = state.trade_ids.get(payload.e)
        if last is not None and number <= last:
            state.findings.duplicates += 1
            note_limited(
                state.findings, f"line {line}: trade {number} repeats or comes out of order, left out"
            )
            return False
        if last is not None and number > last + 1:
            state.findings.sequence_gaps += 1
            state.findings.lost_messages += number - last - 1
            note_limited(
                state.findings, f"line {line}: {number - last - 1} trades are missing before {number}"
            )
        state.trade_ids[payload.e] = number
        return True

    def _on_liquidation(self, line: int, ts_local: int, payload: Payload) -> None:
        order = payload.o
        if order is None:
            return
        rows = self._symbol(order.s).rows
        rows.line = line
        word = code(EventKind.LIQUIDATION, 1 if order.S == "BUY" else -1)
        rows.level(word, ts_local, order.T * MS, order.p, order.q)
        rows.end()

    def on_open_interest(self, line: int, ts_local: int, answer: OpenInterest) -> None:
        """A polled open interest; COIN-M counts contracts, which are no amount of base coin."""
        if self._market == "coinm":
            self._left_out["open interest in contracts"] = (
                self._left_out.get("open interest in contracts", 0) + 1
            )
            return
        rows = self._symbol(answer.symbol).rows
        rows.line = line
        rows.value(OPEN_INTEREST, ts_local, answer.time * MS, 0, fine_units(answer.openInterest))
        rows.end()

    def on_funding(self, line: int, ts_local: int, answers: list[Funding]) -> None:
        """Polled settlements: each is written when it is seen first."""
        for answer in answers:
            state = self._symbol(answer.symbol)
            if answer.fundingTime <= state.funded:
                continue
            state.funded = answer.fundingTime
            state.rows.line = line
            rate = rate_units(answer.fundingRate)
            state.rows.value(FUNDING, ts_local, answer.fundingTime * MS, rate, 0)
            state.rows.end()

    def _on_quote(self, line: int, ts_local: int, payload: Payload) -> None:
        text = b"[[%b,%b],[%b,%b]]" % (payload.b, payload.B, payload.a, payload.A)
        self._symbol(payload.s).rows.message(line, QUOTE_PAIR, ts_local, payload.T * MS, text)
