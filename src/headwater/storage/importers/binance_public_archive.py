"""Binance's public archive (``data.binance.vision``): ``trades``, ``aggTrades`` and ``bookTicker``, zipped
CSV.

Files have a header or none, by market and year, and times in milliseconds, or in microseconds (spot since
2025): the number of columns tells the table, the size of the number tells the unit. The symbol is not in
the file: the user names it. Trade ids rise by one, so missing and repeated trades are found. ``bookDepth``
holds totals within percent bands, not levels, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.compressed import read_head
from headwater.storage.data_grid import DataGrid
from headwater.storage.importers._csv_columns import (
    INTEGER,
    TEXT,
    Bools,
    Columns,
    EventColumns,
    ends_of,
    read_columns,
)

_ID: Final = rb"\d{1,15}"
_NUMBER: Final = rb"\d+(?:\.\d+)?"
_TIME: Final = rb"\d{13,16}"
_FLAG: Final = rb"(?:true|false|True|False)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One table of the archive.

    Attributes
    ----------
    row : what a line of it looks like
    header : what its header begins with, where it has one
    columns : our names of all columns; "" for the last one where only spot has it
    """

    row: re.Pattern[bytes]
    header: re.Pattern[bytes]
    columns: tuple[str, ...]


def _row(*fields: bytes) -> re.Pattern[bytes]:
    return re.compile(b",".join(fields) + rb"(?:," + _FLAG + rb")?\r?\n")


_TABLES: Final = {
    "trades": _Table(
        row=_row(_ID, _NUMBER, _NUMBER, _NUMBER, _TIME, _FLAG),
        header=re.compile(rb"id,price,qty,quote_?qty,time,is_?buyer_?maker", re.IGNORECASE),
        columns=("id", "price", "size", "quote", "time", "is_maker", "best"),
    ),
    "aggTrades": _Table(
        row=_row(_ID, _NUMBER, _NUMBER, _ID, _ID, _TIME, _FLAG),
        header=re.compile(rb"agg_?trade_?id,price,quantity,", re.IGNORECASE),
        columns=("id", "price", "size", "first", "last", "time", "is_maker", "best"),
    ),
    "bookTicker": _Table(
        row=re.compile(b",".join((_ID, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _TIME, _TIME)) + rb"\r?\n"),
        header=re.compile(rb"update_id,best_bid_price,best_bid_qty,"),
        columns=("id", "bid_price", "bid_size", "ask_price", "ask_size", "time", "event_time"),
    ),
}
_BOOK_DEPTH: Final = b"timestamp,percentage,depth,notional"
_NO_CLOCK: Final = "absent: the archive has no receive times; ts_local is the venue's time"


class BinancePublicArchive:
    """Trades, aggregate trades and best quotes."""

    name = "binance-public-archive"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """A header of the archive, or a first line that only one of its tables can have."""
        return head.startswith(_BOOK_DEPTH) or _table_name(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file; ``ts_local`` is the venue's time."""
        head = read_head(path)
        name = _table_name(head)
        if name is None:
            raise ImportRefusedError(
                f"{path}: bookDepth holds totals in percent bands, not price levels; import bookTicker, or "
                "a recording of the depth stream instead"
            )
        if context.instrument is None:
            raise ImportRefusedError(
                f"{path}: a file of the Binance archive does not say its instrument; name it with "
                "--instrument, e.g. --instrument BTCUSDT.BINANCE or BTCUSDT-PERP.BINANCE"
            )
        reader = _Reader(name, context.instrument, context)
        names, skip = _layout(name, head)
        for piece in read_columns(path, context, reader.types, skip_lines=skip, names=names):
            yield reader.batch(piece)


def _table_name(head: bytes) -> str | None:
    for name, table in _TABLES.items():
        if table.header.match(head) or table.row.match(head):
            return name
    return None


def _layout(name: str, head: bytes) -> tuple[tuple[str, ...], int]:
    """Our column names, and how many lines of header to skip."""
    table = _TABLES[name]
    first = head.split(b"\n", 1)[0]
    return table.columns[: first.count(b",") + 1], 1 if table.header.match(head) else 0


class _Reader:
    def __init__(self, name: str, instrument: str, context: ImportContext) -> None:
        self._name = name
        self._instrument = instrument
        self._findings = context.findings_of(instrument)
        self._findings.clock, self._findings.latency_usable = _NO_CLOCK, False
        self._grid = DataGrid(instrument, context.grid, self._findings.notes.append)
        self._last_id: int | None = None
        self._last_time = 0
        decimals = (
            ("bid_price", "bid_size", "ask_price", "ask_size") if name == "bookTicker" else ("price", "size")
        )
        self.types = {"id": INTEGER, "time": INTEGER, **dict.fromkeys(decimals, TEXT)}
        if name != "bookTicker":
            self.types["is_maker"] = TEXT

    def batch(self, piece: Columns) -> Batch:
        times = _nanoseconds(piece.integers("time"))
        self._findings.backward_clock += int((np.diff(times, prepend=self._last_time) < 0).sum())
        self._last_time = int(times[-1])
        if self._name == "bookTicker":
            return _quotes(piece, times).batch(self._instrument, self._grid)
        kept = self._checked_ids(piece)
        return _trades(piece, times).at(kept).batch(self._instrument, self._grid)

    def _checked_ids(self, piece: Columns) -> Bools:
        """Which rows to keep: those that do not repeat the one before."""
        ids = piece.integers("id")
        previous = ids[0] - 1 if self._last_id is None else self._last_id
        self._last_id = int(ids[-1])
        steps = np.diff(ids, prepend=previous)
        _note_steps(self._findings, piece, ids, steps)
        return np.asarray(steps != 0)


def _note_steps(
    findings: Findings, piece: Columns, ids: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]
) -> None:
    findings.sequence_gaps += int((steps > 1).sum())
    findings.lost_messages += int((steps[steps > 1] - 1).sum())
    findings.duplicates += int((steps == 0).sum())
    odd = np.flatnonzero(steps != 1)
    for row in odd[:20].tolist():
        step = int(steps[row])
        what = (
            f"{step - 1} trades are missing before"
            if step > 1
            else "out of order:"
            if step
            else "a repeat of"
        )
        findings.notes.append(f"line {piece.line(row)}: {what} trade {ids[row]}")


def _trades(piece: Columns, times: npt.NDArray[np.int64]) -> EventColumns:
    seller_took = piece.is_word("is_maker", "true", "True")
    return EventColumns(
        kinds=np.full(len(piece), EventKind.TRADE, np.uint8),
        sides=np.where(seller_took, -1, 1).astype(np.int8),
        ts_local=times,
        ts_venue=times,
        prices=piece.units("price"),
        sizes=piece.units("size"),
        ends=np.ones(len(piece), np.bool_),
    )


def _quotes(piece: Columns, times: npt.NDArray[np.int64]) -> EventColumns:
    twice = np.repeat(times, 2)
    return EventColumns(
        kinds=np.full(2 * len(piece), EventKind.QUOTE, np.uint8),
        sides=np.tile(np.array([1, -1], np.int8), len(piece)),
        ts_local=twice,
        ts_venue=twice,
        prices=_in_turn(piece.units("bid_price"), piece.units("ask_price")),
        sizes=_in_turn(piece.units("bid_size"), piece.units("ask_size")),
        ends=ends_of(np.tile(np.array([True, False]), len(piece))),
    )


def _in_turn(
    bids: tuple[npt.NDArray[np.int64], int], asks: tuple[npt.NDArray[np.int64], int]
) -> tuple[npt.NDArray[np.int64], int]:
    decimals = max(bids[1], asks[1])
    scaled = [units * 10 ** (decimals - own) for units, own in (bids, asks)]
    return np.stack(scaled, axis=1).ravel(), decimals


def _nanoseconds(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Milliseconds below 10**14, microseconds from there on; a file may hold both."""
    return np.where(times < 10**14, times * 1_000_000, times * 1_000)


IMPORTER: Final = BinancePublicArchive()
