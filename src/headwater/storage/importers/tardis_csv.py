"""CSV of Tardis.dev: incremental book, book snapshots, trades, quotes, derivative ticker, liquidations.

Times are UTC microseconds, ``local_timestamp`` is that of Tardis' own receivers. Rows of one venue message
share both times. An incremental book begins anew wherever rows with ``is_snapshot`` follow rows without.
Trades and liquidations have the same columns: liquidations are those whose ids are all empty, or whose file
is named so.

Sources
-------
Tardis.dev documentation, "Downloadable CSV files: data types".
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.compressed import read_head
from headwater.storage.data_grid import DataGrid
from headwater.storage.decimal_bytes import Ints
from headwater.storage.frames.book_stream import NOTES_MAX, note_limited
from headwater.storage.frames.exact import US, fine_units, rate_units
from headwater.storage.importers._csv_columns import (
    INTEGER,
    TEXT,
    Bools,
    Columns,
    EventColumns,
    changes,
    ends_of,
    read_columns,
    whole_messages,
)
from headwater.storage.receive_clock import ReceiveClock

_START: Final = b"exchange,symbol,timestamp,local_timestamp,"
_SNAPSHOT_LEVEL: Final = re.compile(r"(asks|bids)\[(\d+)\]\.price")
_BASE: Final = {"exchange": TEXT, "symbol": TEXT, "timestamp": INTEGER, "local_timestamp": INTEGER}
_BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)

_SPOT: Final = {"binance": "BINANCE", "bybit-spot": "BYBIT", "coinbase": "COINBASE", "kraken": "KRAKEN"}
_PERPETUAL: Final = {"binance-futures": "BINANCE", "binance-delivery": "BINANCE", "bybit": "BYBIT"}
_OTHER: Final = {
    "okex": "OKX",
    "okex-swap": "OKX",
    "okex-futures": "OKX",
    "okex-options": "OKX",
    "cryptofacilities": "KRAKENF",
    "deribit": "DERIBIT",
    "bitstamp": "BITSTAMP",
    "bitfinex": "BITFINEX",
    "hyperliquid": "HYPERLIQUID",
}


def instrument_id(exchange: str, symbol: str) -> str:
    """Our name of an instrument: ``binance-futures``, ``BTCUSDT`` is ``BTCUSDT-PERP.BINANCE``."""
    symbol = symbol.upper()
    if exchange in _SPOT:
        return f"{symbol.replace('/', '')}.{_SPOT[exchange]}"
    if exchange in _PERPETUAL:
        name, _, expiry = symbol.partition("_")
        dated = expiry.isdigit() or "-" in symbol
        return f"{symbol if dated else name + '-PERP'}.{_PERPETUAL[exchange]}"
    if exchange == "hyperliquid":
        return f"{symbol}-PERP.HYPERLIQUID"
    return f"{symbol.replace('/', '')}.{_OTHER.get(exchange, exchange.upper().replace('-', '_'))}"


class TardisCsv:
    """All data types of Tardis that the tape has a place for; one or several symbols a file."""

    name = "tardis-csv"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The header line."""
        return head.startswith(_START)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file, which is that of ``local_timestamp``."""
        table = _table_of(path, read_head(path))
        clock = ReceiveClock()
        last = 0
        pieces = read_columns(path, context, {**_BASE, **table.columns})
        for piece in whole_messages(pieces, *table.message):
            received = piece.integers("local_timestamp")
            backward = int(np.count_nonzero(np.diff(received, prepend=last) < 0))
            last = int(received[-1])
            parts = _by_instrument(piece, context)
            batches = [
                batch for name, part in parts if len((batch := table.batch(part, name, context)).events)
            ]
            clock.correct([batch.events for batch in batches])
            for batch in batches:
                findings = context.findings_of(batch.instrument)
                findings.clock, findings.latency_usable = clock.words, clock.latency_usable
                findings.backward_clock += backward
                findings.conflated = table.conflated
                yield batch


def _by_instrument(piece: Columns, context: ImportContext) -> Iterator[tuple[str, Columns]]:
    exchanges, symbols = piece.words("exchange"), piece.words("symbol")
    for exchange, symbol in dict.fromkeys(zip(exchanges, symbols, strict=True)):
        rows = (exchanges == exchange) & (symbols == symbol)
        named = context.instrument or instrument_id(str(exchange), str(symbol))
        yield named, piece if rows.all() else piece.at(np.flatnonzero(rows))


def _texts(*names: str) -> Mapping[str, pa.DataType]:
    return MappingProxyType(dict.fromkeys(names, TEXT))


class _Table(ABC):
    """One data type: its columns, and its events."""

    columns: Mapping[str, pa.DataType] = MappingProxyType({})
    message: tuple[str, ...] = ("local_timestamp", "timestamp")
    conflated = ""
    book_levels = 0

    def __init__(self) -> None:
        self._grids: dict[str, DataGrid] = {}

    @abstractmethod
    def batch(self, piece: Columns, instrument: str, context: ImportContext) -> Batch:
        """One batch of one instrument."""

    def _grid(self, instrument: str, context: ImportContext) -> DataGrid:
        if instrument not in self._grids:
            note = context.findings_of(instrument).notes.append
            self._grids[instrument] = DataGrid(instrument, context.grid, note)
        return self._grids[instrument]

    @staticmethod
    def _times(piece: Columns) -> tuple[Ints, Ints]:
        return piece.integers("local_timestamp") * US, piece.integers("timestamp") * US


class _PricedTable(_Table):
    """A data type whose rows lie on the instrument's grid."""

    def batch(self, piece: Columns, instrument: str, context: ImportContext) -> Batch:
        """One batch of one instrument."""
        events = self._events(piece, instrument, context)
        return events.batch(instrument, self._grid(instrument, context), self.book_levels)

    @abstractmethod
    def _events(self, piece: Columns, instrument: str, context: ImportContext) -> EventColumns: ...


class _Incremental(_PricedTable):
    columns = _texts("is_snapshot", "side", "price", "amount")
    message = ("local_timestamp", "timestamp", "is_snapshot")

    def __init__(self) -> None:
        super().__init__()
        self._in_snapshot: dict[str, bool] = {}

    def _events(self, piece: Columns, instrument: str, context: ImportContext) -> EventColumns:
        is_snapshot = piece.is_word("is_snapshot", "true")
        before = np.insert(is_snapshot[:-1], 0, self._in_snapshot.get(instrument, False))
        if instrument not in self._in_snapshot and not is_snapshot[0]:
            note = "the book begins with changes, no snapshot precedes them"
            context.findings_of(instrument).notes.append(note)
        self._in_snapshot[instrument] = bool(is_snapshot[-1])
        begins = changes(piece, *self.message)
        ts_local, ts_venue = self._times(piece)
        events = EventColumns(
            kinds=np.where(is_snapshot, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_DELTA).astype(np.uint8),
            sides=_sides(piece, "bid", "ask"),
            ts_local=ts_local,
            ts_venue=ts_venue,
            prices=piece.units("price"),
            sizes=piece.units("amount"),
            ends=ends_of(begins),
        )
        return events.with_clears(np.flatnonzero(is_snapshot & ~before))


class _Prints(_PricedTable):
    columns = _texts("id", "side", "price", "amount")

    def __init__(self, kind: EventKind) -> None:
        super().__init__()
        self._kind = kind
        self._last_id: dict[str, str] = {}

    def _events(self, piece: Columns, instrument: str, context: ImportContext) -> EventColumns:
        ids = np.insert(piece.words("id"), 0, self._last_id.get(instrument, ""))
        self._last_id[instrument] = str(ids[-1])
        repeats = np.asarray((ids[1:] == ids[:-1]) & (ids[1:] != ""), dtype=np.bool_)
        findings = context.findings_of(instrument)
        _note_repeats(findings, piece, repeats)
        if str(piece.table.column("exchange")[0]).startswith("binance"):
            _note_missing(findings, piece, ids)
        ts_local, ts_venue = self._times(piece)
        events = EventColumns(
            kinds=np.full(len(piece), self._kind, np.uint8),
            sides=_sides(piece, "buy", "sell"),
            ts_local=ts_local,
            ts_venue=ts_venue,
            prices=piece.units("price"),
            sizes=piece.units("amount"),
            ends=np.ones(len(piece), np.bool_),
        )
        return events.at(~repeats)


class _Quotes(_PricedTable):
    columns = _texts("ask_amount", "ask_price", "bid_price", "bid_amount")

    _SIDES: Final = (("bid_price", "bid_amount", 1), ("ask_price", "ask_amount", -1))

    def _events(self, piece: Columns, instrument: str, context: ImportContext) -> EventColumns:  # noqa: ARG002
        return _sided(piece, self._times(piece), EventKind.QUOTE, self._SIDES)


class _BookSnapshots(_PricedTable):
    def __init__(self, header: str) -> None:
        super().__init__()
        found = {(side, int(rank)) for side, rank in _SNAPSHOT_LEVEL.findall(header)}
        self.book_levels = 1 + max(rank for _, rank in found)
        self._levels = [
            (f"{side}[{rank}].price", f"{side}[{rank}].amount", 1 if side == "bids" else -1)
            for side, rank in sorted(found, key=lambda one: (one[0] == "asks", one[1]))
        ]
        self.columns = _texts(*(name for price, amount, _ in self._levels for name in (price, amount)))
        self.conflated = (
            f"pictures of the {self.book_levels} best levels; what happened between is not in the data"
        )

    def _events(self, piece: Columns, instrument: str, context: ImportContext) -> EventColumns:  # noqa: ARG002
        events = _sided(piece, self._times(piece), EventKind.BOOK_SNAPSHOT, self._levels)
        begins = np.insert(events.ends[:-1], 0, True)
        return events.with_clears(np.flatnonzero(begins))


class _DerivativeTicker(_Table):
    columns = _texts("funding_timestamp", "funding_rate", "open_interest", "index_price", "mark_price")

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[str, ...]] = {}

    def batch(self, piece: Columns, instrument: str, context: ImportContext) -> Batch:
        """Rates and prices, each where it changed; none of them is on the grid of the book."""
        span = int(piece.integers("local_timestamp")[0]) * US
        empty = np.zeros(0, np.int64), 0
        chosen = self._grid(instrument, context).choose((span, span), empty, empty)
        return Batch(
            instrument=instrument,
            events=self._values(piece, instrument),
            tick_size=chosen.tick_size,
            lot_size=chosen.lot_size,
            rules_source=chosen.source,
        )

    def _values(self, piece: Columns, instrument: str) -> Events:
        local, venue = self._times(piece)
        columns = {name: piece.words(name) for name in self.columns}
        rows: list[tuple[int, int, int, int, int]] = []
        for row in range(len(piece)):
            field = {name: str(values[row]) for name, values in columns.items()}
            times = int(local[row]), int(venue[row])
            if self._changed(instrument, "mark", (field["mark_price"],)):
                rows.append((*times, fine_units(field["mark_price"]), 0, EventKind.MARK_PRICE))
            if self._changed(instrument, "index", (field["index_price"],)):
                rows.append((*times, fine_units(field["index_price"]), 0, EventKind.INDEX_PRICE))
            if self._changed(instrument, "interest", (field["open_interest"],)):
                rows.append((*times, 0, fine_units(field["open_interest"]), EventKind.OPEN_INTEREST))
            if self._changed(instrument, "funding", (field["funding_rate"], field["funding_timestamp"])):
                settles = int(field["funding_timestamp"]) * US
                rows.append((times[0], settles, rate_units(field["funding_rate"]), 0, EventKind.FUNDING))
        return _value_events(rows)

    def _changed(self, instrument: str, name: str, values: tuple[str, ...]) -> bool:
        if "" in values or self._seen.get((instrument, name)) == values:
            return False
        self._seen[instrument, name] = values
        return True


def _value_events(rows: list[tuple[int, int, int, int, int]]) -> Events:
    events = np.zeros(len(rows), dtype=EVENT_DTYPE)
    for position, name in enumerate(("ts_local", "ts_venue", "price", "size", "kind")):
        events[name] = [row[position] for row in rows]
    events["flags"] = _BOTH_SIDES
    if len(rows):
        ends = ends_of(np.insert(events["ts_local"][1:] != events["ts_local"][:-1], 0, True))
        events["flags"] |= ends * np.uint8(EventFlag.LAST_IN_MESSAGE)
    return events


def _table_of(path: Path, head: bytes) -> _Table:
    header = head.split(b"\n", 1)[0].decode().strip()
    names = set(header.split(","))
    if "is_snapshot" in names:
        return _Incremental()
    if {"id", "side", "price", "amount"} <= names:
        rows = head.splitlines()[1:-1]
        without_id = bool(rows) and all(row.split(b",")[4] == b"" for row in rows if row.count(b",") >= 7)
        liquidations = without_id or "liquidation" in path.name
        return _Prints(EventKind.LIQUIDATION if liquidations else EventKind.TRADE)
    if {"ask_amount", "ask_price", "bid_price", "bid_amount"} <= names:
        return _Quotes()
    if _SNAPSHOT_LEVEL.search(header):
        return _BookSnapshots(header)
    if "mark_price" in names:
        return _DerivativeTicker()
    raise ImportRefusedError(
        f"{path}: expected incremental_book_L2, book_snapshot_N, trades, quotes, derivative_ticker or "
        f"liquidations of Tardis, found the columns {header}; this data type is not read"
    )


def _sides(piece: Columns, positive: str, negative: str) -> npt.NDArray[np.int8]:
    """+1 and -1 by two words; 0 for "unknown", anything else is refused."""
    bought, sold = piece.is_word("side", positive), piece.is_word("side", negative)
    known = bought | sold | piece.is_word("side", "unknown", "")
    if not known.all():
        row = int(np.argmax(~known))
        piece.refuse(row, "side", f"{positive} or {negative}", str(piece.words("side")[row]))
    return bought.astype(np.int8) - sold.astype(np.int8)


def _sided(
    piece: Columns, times: tuple[Ints, Ints], kind: EventKind, levels: Sequence[tuple[str, str, int]]
) -> EventColumns:
    """Rows of several levels each as one message of as many events; empty levels are left out."""
    present = np.stack([piece.words(price) != "" for price, _, _ in levels], axis=1).ravel()
    prices = _interleaved([piece.units(price, piece.words(price) == "") for price, _, _ in levels])
    sizes = _interleaved([piece.units(amount, piece.words(amount) == "") for _, amount, _ in levels])
    row_of = np.repeat(np.arange(len(piece)), len(levels))[present]
    ts_local, ts_venue = times
    return EventColumns(
        kinds=np.full(len(row_of), kind, np.uint8),
        sides=np.tile(np.array([side for _, _, side in levels], np.int8), len(piece))[present],
        ts_local=ts_local[row_of],
        ts_venue=ts_venue[row_of],
        prices=(prices[0][present], prices[1]),
        sizes=(sizes[0][present], sizes[1]),
        ends=ends_of(np.insert(row_of[1:] != row_of[:-1], 0, True)),
    )


def _interleaved(columns: list[tuple[Ints, int]]) -> tuple[Ints, int]:
    decimals = max(column[1] for column in columns)
    return np.stack([units * 10 ** (decimals - own) for units, own in columns], axis=1).ravel(), decimals


def _note_repeats(findings: Findings, piece: Columns, repeats: Bools) -> None:
    if repeats.any():
        count, line = int(repeats.sum()), piece.line(int(np.argmax(repeats)))
        findings.duplicates += count
        findings.notes.append(f"line {line}: {count} trades that repeat the one before were left out")


def _note_missing(findings: Findings, piece: Columns, ids: npt.NDArray[np.object_]) -> None:
    """Trade ids of Binance rise by one: what they skip is missing, what falls back is out of order.

    `ids` begins with the last one of the piece before, or an empty one.
    """
    skipped = 1 if ids[0] == "" else 0
    if not all(str(one).isdigit() for one in ids[skipped:]):
        return
    numbers = ids[skipped:].astype(np.int64)
    steps = np.diff(numbers)
    for place in np.flatnonzero((steps > 1) | (steps < 0))[:NOTES_MAX].tolist():
        line, number = piece.line(place + skipped), numbers[place + 1]
        missing = f"{steps[place] - 1} trades are missing before {number}"
        note_limited(
            findings, f"line {line}: {missing if steps[place] > 1 else f'trade {number} is out of order'}"
        )
    findings.sequence_gaps += int((steps > 1).sum())
    findings.lost_messages += int((steps[steps > 1] - 1).sum())


IMPORTER: Final = TardisCsv()
