"""CSV of market data: columns in pieces of bounded size, prices and sizes as text until they are integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as pacsv

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.compressed import ByteStream
from headwater.storage.data_grid import DataGrid
from headwater.storage.decimal_bytes import Ints, decimals_needed, fill_units, scan_column

BLOCK_BYTES: Final = 8 << 20
ROWS_MAX: Final = 500_000

INTEGER: Final = pa.int64()
TEXT: Final = pa.string()

_BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Some rows of a file.

    Attributes
    ----------
    path : the file, for messages
    first_line : line of the first row in the file, counted from 1
    table : the rows
    places : (n,) place of each row behind `first_line`, when they are not all of them
    """

    path: Path
    first_line: int
    table: pa.RecordBatch
    places: Ints | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def integers(self, name: str) -> Ints:
        """A column of integers, (n,); an empty field is refused."""
        column = self.table.column(name)
        if column.null_count:
            self.refuse(
                int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))), name, "an integer", "nothing"
            )
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)

    def words(self, name: str) -> npt.NDArray[Any]:
        """A column of text, (n,) of str."""
        return np.asarray(self.table.column(name).to_numpy(zero_copy_only=False))

    def is_word(self, name: str, *words: str) -> Bools:
        """Where a column of text is one of `words`, (n,)."""
        column = self.table.column(name)
        found = pa.compute.is_in(column, value_set=pa.array(list(words), type=column.type))
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)

    def units(self, name: str, ignore: Bools | None = None) -> tuple[Ints, int]:
        """A column of decimals as (integers (n,), decimals); negative or malformed ones are refused.

        Rows to `ignore` are 0 in the result, whatever they hold.
        """
        text, starts, stops = _text_of(self.table.column(name))
        kept = np.flatnonzero(~ignore) if ignore is not None else np.arange(len(self))
        mantissas, exponents = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int64)
        bad = scan_column(text, starts[kept], stops[kept], mantissas, exponents)
        if bad < 0:
            bad = int(np.argmax(mantissas < 0)) if (mantissas < 0).any() else -1
        decimals = decimals_needed(exponents) if bad < 0 else 0
        units = np.zeros(len(kept), np.int64)
        if bad < 0:
            bad = fill_units(mantissas, exponents, decimals, units)
        if bad >= 0:
            row = int(kept[bad])
            shown = text[starts[row] : stops[row]].tobytes().decode("utf-8", "replace")
            self.refuse(row, name, "a decimal >= 0 of at most 18 digits", shown)
        every = np.zeros(len(self), np.int64)
        every[kept] = units
        return every, decimals

    def at(self, rows: Ints) -> Columns:
        """Some of the rows."""
        taken = self.table.take(pa.array(rows))
        return Columns(path=self.path, first_line=self.first_line, table=taken, places=rows)

    def line(self, row: int) -> int:
        """Line of the file that a row stands in."""
        return self.first_line + (row if self.places is None else int(self.places[row]))

    def refuse(self, row: int, name: str, expected: str, found: str) -> None:
        """Raise for one field."""
        raise ImportRefusedError(
            f"{self.path}: line {self.line(row)}, field {name}: expected {expected}, found {found!r}; "
            "remove or correct that line"
        )


def read_columns(
    path: Path,
    context: ImportContext,
    columns: Mapping[str, pa.DataType],
    *,
    skip_lines: int = 0,
    names: Sequence[str] | None = None,
) -> Iterator[Columns]:
    """The wanted columns of a CSV file in pieces of about 8 MiB of text.

    Parameters
    ----------
    columns : wanted columns and their types
    skip_lines : lines before the header (or before the data, when there is no header)
    names : of all columns, when the file has no header

    Raises
    ------
    ImportRefusedError : the file is cut short, or a row has too few fields or one of another type
    """
    stream = pa.PythonFile(ByteStream(path, context.progress), mode="r")
    line = skip_lines + (1 if names is not None else 2)
    try:
        reader = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, skip_rows=skip_lines, column_names=names
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict(columns), include_columns=list(columns), strings_can_be_null=False
            ),
        )
        for table in reader:
            for start in range(0, table.num_rows, ROWS_MAX):
                piece = table.slice(start, ROWS_MAX)
                yield Columns(path=path, first_line=line + start, table=piece)
            line += table.num_rows
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ImportRefusedError(
            f"{path}: at or after line {line}: expected the columns {', '.join(columns)}, found: "
            f"{str(error).splitlines()[0]}; remove or correct that line"
        ) from error


def whole_messages(pieces: Iterator[Columns], *keys: str) -> Iterator[Columns]:
    """The same rows, cut where the value of `keys` changes, so that no message is torn between two pieces."""
    held: Columns | None = None
    for piece in pieces:
        if held is None:
            held = piece
            continue
        cut = _last_change(held, keys)
        if cut:
            yield Columns(path=held.path, first_line=held.first_line, table=held.table.slice(0, cut))
        tables = [held.table.slice(cut), piece.table]
        joined = pa.Table.from_batches(tables).combine_chunks().to_batches()[0]
        held = Columns(path=held.path, first_line=held.first_line + cut, table=joined)
    if held is not None and len(held):
        yield held


def changes(columns: Columns, *keys: str) -> Bools:
    """Whether each row begins a message: any of `keys` differs from the row before, (n,)."""
    begins = np.zeros(len(columns), np.bool_)
    begins[:1] = True
    for key in keys:
        values = columns.table.column(key).to_numpy(zero_copy_only=False)
        begins[1:] |= np.asarray(values[1:] != values[:-1], dtype=np.bool_)
    return begins


def ends_of(begins: Bools) -> Bools:
    """Whether each row ends a message, from whether it begins one, (n,)."""
    return np.append(begins[1:], True)


def _last_change(piece: Columns, keys: Sequence[str]) -> int:
    begins = np.flatnonzero(changes(piece, *keys))
    return int(begins[-1]) if len(begins) else 0


@dataclass(slots=True, kw_only=True)
class EventColumns:
    """Columns of events, (n,) each, on their way to a batch; prices and sizes as (units, decimals)."""

    kinds: npt.NDArray[np.uint8]
    sides: npt.NDArray[np.int8]
    ts_local: Ints
    ts_venue: Ints
    prices: tuple[Ints, int]
    sizes: tuple[Ints, int]
    ends: Bools

    def batch(self, instrument: str, grid: DataGrid, book_levels: int = 0) -> Batch:
        """One batch, all rows on one grid; BOOK_CLEAR rows are unbounded."""
        is_clear = self.kinds == EventKind.BOOK_CLEAR
        is_level = ~is_clear & (self.kinds != EventKind.GAP)
        span = int(self.ts_local.min()), int(self.ts_local.max())
        chosen = grid.choose(
            span, (self.prices[0][is_level], self.prices[1]), (self.sizes[0][is_level], self.sizes[1])
        )
        steps = chosen.units(self.prices[1], self.sizes[1])
        events = np.zeros(len(self.kinds), dtype=EVENT_DTYPE)
        events["ts_local"], events["ts_venue"] = self.ts_local, self.ts_venue
        events["price"] = np.where(is_clear, NO_PRICE, self.prices[0] * steps.price_factor // steps.tick)
        events["size"] = np.where(is_clear, 0, self.sizes[0] * steps.size_factor // steps.lot)
        events["kind"], events["side"] = self.kinds, self.sides
        events["flags"] = _BOTH_SIDES | self.ends * np.uint8(EventFlag.LAST_IN_MESSAGE)
        return Batch(
            instrument=instrument,
            events=events,
            tick_size=chosen.tick_size,
            lot_size=chosen.lot_size,
            rules_source=chosen.source,
            book_levels=book_levels,
        )

    def at(self, order: Ints | Bools) -> EventColumns:
        """The same columns at some rows, or in another order."""
        return EventColumns(
            kinds=self.kinds[order],
            sides=self.sides[order],
            ts_local=self.ts_local[order],
            ts_venue=self.ts_venue[order],
            prices=(self.prices[0][order], self.prices[1]),
            sizes=(self.sizes[0][order], self.sizes[1]),
            ends=self.ends[order],
        )

    def with_clears(self, before: Ints) -> EventColumns:
        """The same columns with an unbounded BOOK_CLEAR of both sides before each of these rows."""
        both = (self.prices, self.sizes)
        prices, sizes = ((np.insert(units, before, 0), decimals) for units, decimals in both)
        return EventColumns(
            kinds=np.insert(self.kinds, before, np.uint8(EventKind.BOOK_CLEAR)),
            sides=np.insert(self.sides, before, np.int8(0)),
            ts_local=np.insert(self.ts_local, before, self.ts_local[before]),
            ts_venue=np.insert(self.ts_venue, before, self.ts_venue[before]),
            prices=prices,
            sizes=sizes,
            ends=np.insert(self.ends, before, False),
        )


def grid_of(instrument: str, context: ImportContext) -> DataGrid:
    """The grid chooser of one instrument of the file, under the name that the user gave it."""
    return DataGrid(instrument, context.grid, context.findings_of(instrument).notes.append)


def lines_before_data(head: bytes, mark: bytes = b"#") -> int:
    """How many lines at the beginning of the file begin with `mark`."""
    lines = head.split(b"\n")
    return next(number for number in count() if number == len(lines) or not lines[number].startswith(mark))


def decimal(units: int, decimals: int) -> Decimal:
    """Units back as a decimal, for messages."""
    return Decimal(units).scaleb(-decimals)


def _text_of(column: pa.StringArray) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """The bytes of a text column and where each field starts and stops; no copy of the text."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    text = np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return text, bounds[:-1].astype(np.int64), bounds[1:].astype(np.int64)
