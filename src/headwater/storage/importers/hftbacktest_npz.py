"""Event arrays of hftbacktest (``.npz`` or ``.npy``, version 2): normalised depth and trades of one
instrument.

A row of hftbacktest may be seen by one side of the simulation alone, where local and venue order contradict
each other; it keeps that side's flag here. The array knows no messages: consecutive depth rows with the
same two times count as one message, every trade as its own. Prices and sizes are doubles that were written
from decimals; the decimal is recovered exactly: the shortest one whose nearest double is the stored one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.compressed import chunks
from headwater.storage.data_grid import DataGrid
from headwater.storage.event_rows import ROWS_MAX
from headwater.storage.receive_clock import ReceiveClock

_MAGIC: Final = b"\x93NUMPY"
_FIELDS: Final = ("ev", "exch_ts", "local_ts", "px", "qty")
_DECIMALS_MAX: Final = 12

_KIND_BITS: Final = 0xFF
_AT_VENUE: Final = 1 << 31
_AT_LOCAL: Final = 1 << 30
_BUY: Final = 1 << 29
_SELL: Final = 1 << 28

_KINDS: Final = {
    1: EventKind.BOOK_DELTA,
    2: EventKind.TRADE,
    3: EventKind.BOOK_CLEAR,
    4: EventKind.BOOK_SNAPSHOT,
    5: EventKind.QUOTE,
}

Rows = npt.NDArray[Any]


class HftbacktestNpz:
    """The normalised format of hftbacktest 2; the user names the instrument, the array does not tell."""

    name = "hftbacktest-npz"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """A NumPy array whose records have hftbacktest's fields."""
        return head.startswith(_MAGIC) and all(f"'{field}'".encode() in head[:4096] for field in _FIELDS)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the array."""
        if context.instrument is None:
            raise ImportRefusedError(
                f"{path}: an hftbacktest array does not say which instrument it holds; "
                "name it with --instrument, e.g. --instrument BTCUSDT-PERP.BINANCE"
            )
        findings = context.findings_of(context.instrument)
        grid = DataGrid(context.instrument, context.grid, findings.notes.append)
        clock = ReceiveClock()
        first_row = 0
        for rows in _pieces(path, context):
            batch = _batch(path, first_row, rows, context.instrument, grid)
            clock.correct([batch.events])
            findings.clock, findings.latency_usable = clock.words, clock.latency_usable
            first_row += len(rows)
            yield batch


def _pieces(path: Path, context: ImportContext) -> Iterator[Rows]:
    """The array in pieces that end at the end of a message, of about half a million rows."""
    stream = chunks(path, context.progress)
    dtype, rest, expected = _header(path, stream)
    total = 0
    for more in _joined(stream, ROWS_MAX * dtype.itemsize):
        whole = rest + more
        rows = np.frombuffer(whole, dtype=dtype, count=len(whole) // dtype.itemsize)
        cut = _last_message_start(rows)
        total += cut
        yield rows[:cut]
        rest = whole[cut * dtype.itemsize :]
    total += len(rest) // dtype.itemsize
    if total != expected or len(rest) % dtype.itemsize:
        raise ImportRefusedError(
            f"{path}: expected {expected} rows, found {total}: the array is cut short; fetch the file again"
        )
    if rest:
        yield np.frombuffer(rest, dtype=dtype)


def _joined(stream: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The stream in pieces of at least `size` bytes; what is left at the end is the last."""
    held: list[bytes] = []
    held_size = 0
    for chunk in stream:
        held.append(chunk)
        held_size += len(chunk)
        if held_size >= size:
            yield b"".join(held)
            held, held_size = [], 0
    if held:
        yield b"".join(held)


def _header(path: Path, stream: Iterator[bytes]) -> tuple[np.dtype[Any], bytes, int]:
    """(record type, bytes behind the header, number of rows) of a ``.npy`` file of version 1, 2 or 3."""
    text = next(stream)
    width = 2 if text[6] == 1 else 4
    start = 8 + width
    length = int.from_bytes(text[8:start], "little")
    try:
        header = ast.literal_eval(text[start : start + length].decode("latin1"))
        dtype = np.dtype(header["descr"])
        (rows,) = header["shape"]
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise ImportRefusedError(
            f"{path}: expected the header of a one-dimensional array of records, found "
            f"{text[start : start + 60]!r}; save it again with numpy.savez"
        ) from error
    return dtype, text[start + length :], int(rows)


def _last_message_start(rows: Rows) -> int:
    """Row at which the last message begins, or the end when all rows are one message."""
    ends = np.flatnonzero(_ends_message(rows)[:-1])
    return int(ends[-1]) + 1 if len(ends) else len(rows)


def _ends_message(rows: Rows) -> npt.NDArray[np.bool_]:
    """Whether each row is the last of its message; the last row of the array always is."""
    is_trade = rows["ev"] & _KIND_BITS == 2
    ends = np.ones(len(rows), dtype=np.bool_)
    ends[:-1] = (
        is_trade[1:]
        | is_trade[:-1]
        | (rows["exch_ts"][1:] != rows["exch_ts"][:-1])
        | (rows["local_ts"][1:] != rows["local_ts"][:-1])
        | ((rows["ev"][1:] ^ rows["ev"][:-1]) & (_AT_VENUE | _AT_LOCAL) != 0)
    )
    return ends


def _batch(path: Path, first_row: int, rows: Rows, instrument: str, grid: DataGrid) -> Batch:
    kinds = _event_kinds(path, first_row, rows)
    is_clear = kinds == EventKind.BOOK_CLEAR
    buys, sells = rows["ev"] & _BUY != 0, rows["ev"] & _SELL != 0
    unbounded = is_clear & ((buys == sells) | ~np.isfinite(rows["px"]))
    prices, price_decimals = _units(path, first_row, rows["px"], "px", ignore=unbounded)
    sizes, size_decimals = _units(path, first_row, rows["qty"], "qty", ignore=is_clear)
    span = int(rows["local_ts"].min()), int(rows["local_ts"].max())
    chosen = grid.choose(span, (prices[~is_clear], price_decimals), (sizes, size_decimals))
    steps = chosen.units(price_decimals, size_decimals)
    events = np.zeros(len(rows), dtype=EVENT_DTYPE)
    events["ts_local"], events["ts_venue"] = rows["local_ts"], rows["exch_ts"]
    events["price"] = np.where(unbounded, NO_PRICE, prices * steps.price_factor // steps.tick)
    events["size"] = np.where(is_clear, 0, sizes * steps.size_factor // steps.lot)
    events["kind"] = kinds
    events["side"] = buys.astype(np.int8) - sells.astype(np.int8)
    events["flags"] = _flags(rows)
    return Batch(
        instrument=instrument,
        events=events,
        tick_size=chosen.tick_size,
        lot_size=chosen.lot_size,
        rules_source=chosen.source,
    )


def _event_kinds(path: Path, first_row: int, rows: Rows) -> npt.NDArray[np.uint8]:
    table = np.zeros(_KIND_BITS + 1, dtype=np.uint8)
    for theirs, ours in _KINDS.items():
        table[theirs] = ours
    kinds = table[(rows["ev"] & _KIND_BITS).astype(np.intp)]
    if not kinds.all():
        row = int(np.flatnonzero(kinds == 0)[0])
        raise ImportRefusedError(
            f"{path}: row {first_row + row}, field ev: expected depth, trade, clear, snapshot, BBO (1..5), "
            f"found {int(rows['ev'][row]) & _KIND_BITS}; order-by-order data is not read, make L2 of it first"
        )
    return kinds


def _flags(rows: Rows) -> npt.NDArray[np.uint8]:
    flags = _ends_message(rows) * np.uint8(EventFlag.LAST_IN_MESSAGE)
    flags |= (rows["ev"] & _AT_VENUE != 0) * np.uint8(EventFlag.AT_VENUE)
    flags |= (rows["ev"] & _AT_LOCAL != 0) * np.uint8(EventFlag.AT_LOCAL)
    return flags.astype(np.uint8)


def _units(
    path: Path, first_row: int, values: Rows, field: str, ignore: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], int]:
    """Doubles as (integers, decimals): the fewest decimals whose nearest doubles are all the stored ones."""
    values = np.where(ignore, 0.0, values)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        row = int(bad.argmax())
        raise ImportRefusedError(
            f"{path}: row {first_row + row}, field {field}: expected a finite value >= 0, found "
            f"{values[row]}; remove or correct that row"
        )
    for decimals in range(_DECIMALS_MAX + 1):
        scaled = np.rint(values * 10.0**decimals)
        if (np.abs(scaled) < 2**53).all() and (scaled / 10.0**decimals == values).all():
            return scaled.astype(np.int64), decimals
    row = int(np.flatnonzero(np.rint(values * 1e8) / 1e8 != values)[0])
    raise ImportRefusedError(
        f"{path}: row {first_row + row}, field {field}: {values[row]!r} is not the double of a decimal of at "
        f"most {_DECIMALS_MAX} places; round the array to the instrument's grid first"
    )


IMPORTER: Final = HftbacktestNpz()
