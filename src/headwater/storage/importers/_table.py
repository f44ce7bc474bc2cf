"""Foreign tables (Parquet, Feather, CSV, freqtrade JSON) as frames, or a one-line refusal that says which
cell is wrong.

Every frame carries the column :data:`ROW`: the number of the record in the file, counted from 1 without
header lines, so that whatever is said later about a record can be looked up in the file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from os import SEEK_END
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Findings
from headwater.storage.compressed import read_all

I64: TypeAlias = npt.NDArray[np.int64]
F64: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

ROW: Final = "row"

_LARGEST: Final = 1e18  # an int64 holds it
_PACKED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"
_FREQTRADE_JSON_FIELDS: Final = ("date", "open", "high", "low", "close", "volume")


def is_binary_table(head: bytes) -> bool:
    """Whether the file is Parquet or Feather (Arrow IPC)."""
    return head.startswith((_PARQUET, _ARROW))


def column_names(path: Path, head: bytes) -> tuple[str, ...]:
    """Names of the columns of a Parquet, Feather or comma-separated file, or () when it is none of them.

    Raises
    ------
    ImportRefusedError
        A Parquet or Feather file without its end, where the names are kept.
    """
    if head.startswith(_PARQUET):
        return tuple(_opened(path, lambda file: pq.read_schema(file).names))
    if head.startswith(_ARROW):
        return tuple(_opened(path, lambda file: list(pl.read_ipc_schema(file))))
    line = first_line(head)
    return tuple(name.strip().strip('"') for name in line.split(",")) if line else ()


def first_line(head: bytes) -> str:
    """The first line of text that is not a ``#`` comment, or "" when the file is not text."""
    for line in head[:8192].splitlines():
        if line.startswith(b"#"):
            continue
        try:
            return line.decode("utf-8-sig")
        except UnicodeDecodeError:
            return ""
    return ""


def read_binary(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A whole Parquet or Feather file (or some columns of it), with row numbers."""
    return _numbered(path, _opened(path, lambda file: _read_binary(file, columns)))


def _read_binary(file: io.BytesIO, columns: Sequence[str] | None) -> pl.DataFrame:
    wanted = list(columns) if columns is not None else None
    if bytes(file.getbuffer()[:4]) == _PARQUET:
        return pl.read_parquet(file, columns=wanted)
    return pl.read_ipc(file, columns=wanted)


def _opened(path: Path, read: Callable[[io.BytesIO], Any]) -> Any:
    """Apply `read` to the decompressed file; whatever the reader raises means that the file is damaged."""
    body = io.BytesIO(read_all(path))
    try:
        return read(body)
    except Exception as error:
        raise ImportRefusedError(
            f"{path}: expected a whole Parquet or Feather file, found one that cannot be decoded "
            f"({_one_line(error)}); fetch it again"
        ) from error


def read_freqtrade_json(path: Path) -> pl.DataFrame:
    """Candles as freqtrade keeps them in JSON: a list of [open time ms, open, high, low, close, volume]."""
    try:
        rows = json.loads(read_all(path))
        frame = pl.DataFrame(rows, schema=list(_FREQTRADE_JSON_FIELDS), orient="row", strict=False)
    except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
        raise ImportRefusedError(
            f"{path}: expected a JSON list of [ms, open, high, low, close, volume], found "
            f"{_one_line(error)}; download it again"
        ) from error
    return _numbered(path, frame)


def read_text(
    path: Path, *, separator: str = ",", lines_skipped: int = 0, header: bool = True
) -> pl.DataFrame:
    """A delimited text file, every cell a string, ``#`` lines left out, with row numbers."""
    return parse_text(path, read_all(path), separator=separator, lines_skipped=lines_skipped, header=header)


def note_open_end(path: Path, findings: Findings) -> None:
    """Say when plain text stops within a line: cut there, its last number would be wrong and still a number.

    Packed files need no such check, their own ends are checked.
    """
    with path.open("rb") as file:
        packed = file.read(4).startswith(_PACKED)
        file.seek(-1, SEEK_END)
        if not packed and file.read(1) != b"\n":
            findings.notes.append("the last line has no line end: the file may have been cut within it")


def parse_text(
    path: Path,
    text: bytes,
    *,
    separator: str = ",",
    lines_skipped: int = 0,
    header: bool = True,
    first_row: int = 1,
) -> pl.DataFrame:
    """Like :func:`read_text`, of text already in memory whose first record has the number `first_row`."""
    try:
        frame = pl.read_csv(
            io.BytesIO(text),
            separator=separator,
            skip_lines=lines_skipped,
            has_header=header,
            comment_prefix="#",
            infer_schema=False,
        )
    except pl.exceptions.NoDataError as error:
        raise ImportRefusedError(f"{path}: expected records, found none; fetch it again") from error
    except pl.exceptions.PolarsError as error:
        raise ImportRefusedError(
            f"{path}: expected fields separated by '{separator}', found {_one_line(error)}; mend or cut that "
            "line"
        ) from error
    return _numbered(path, frame, first_row)


def _numbered(path: Path, frame: pl.DataFrame, first_row: int = 1) -> pl.DataFrame:
    if not frame.height:
        raise ImportRefusedError(f"{path}: expected records, found none; fetch it again")
    return numbered(frame, first_row)


def numbered(frame: pl.DataFrame, first_row: int = 1) -> pl.DataFrame:
    """`frame` with its record numbers."""
    return frame.with_columns(pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64).alias(ROW))


def rows_of(frame: pl.DataFrame) -> I64:
    """The record numbers of `frame`."""
    return frame[ROW].to_numpy()


def by_key(path: Path, frame: pl.DataFrame, field: str) -> dict[str, pl.DataFrame]:
    """The records of each value of a text column, in the order in which the values first occur."""
    empty = (frame[field].is_null() | (frame[field].cast(pl.String) == "")).to_numpy()
    refuse_first(path, frame, field, empty, "a name")
    parts = frame.partition_by(field, maintain_order=True, as_dict=True)
    return {str(key): part for (key,), part in parts.items()}


def floats(path: Path, frame: pl.DataFrame, field: str) -> F64:
    """A column as numbers; refuses empty cells, text, NaN and infinities by row.

    The shortest decimal that reads back as the same float is the number in the file, so nothing is lost.
    """
    values = _as_float(path, frame, field)
    refuse_first(path, frame, field, ~np.isfinite(values), "a number")
    refuse_first(path, frame, field, np.abs(values) > _LARGEST, f"a number up to {_LARGEST:g}")
    return values


def floats_or_nan(path: Path, frame: pl.DataFrame, field: str) -> F64:
    """A column as numbers where an empty cell is allowed and reads as NaN."""
    return _as_float(path, frame, field)


def _as_float(path: Path, frame: pl.DataFrame, field: str) -> F64:
    column = frame[field]
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        parsed = text.cast(pl.Float64, strict=False)
        refuse_first(
            path, frame, field, (parsed.is_null() & (text != "")).fill_null(False).to_numpy(), "a number"
        )
        column = parsed
    elif not column.dtype.is_numeric():
        raise ImportRefusedError(
            f"{path}: expected numbers in field '{field}', found {column.dtype}; convert the column"
        )
    return column.cast(pl.Float64).to_numpy()


def integers(path: Path, frame: pl.DataFrame, field: str) -> I64:
    """A column of whole numbers; refuses anything else by row."""
    column = frame[field]
    if column.dtype.is_float():
        refuse_first(
            path, frame, field, (column != column.round()).fill_null(True).to_numpy(), "a whole number"
        )
    parsed = column.cast(pl.Int64, strict=False)
    refuse_first(path, frame, field, parsed.is_null().to_numpy(), "a whole number")
    return parsed.to_numpy()


def refuse_first(path: Path, frame: pl.DataFrame, field: str, bad: Mask, expected: str) -> None:
    """Refuse the file at the first record where `bad` holds."""
    if not bad.any():
        return
    at = int(np.argmax(bad))
    cell = frame[field][at]
    found = (
        "an empty cell" if cell is None or cell == "" else f"'{cell}'" if isinstance(cell, str) else f"{cell}"
    )
    raise ImportRefusedError(
        f"{path}: row {frame[ROW][at]}, field '{field}': expected {expected}, found {found}; mend or remove "
        f"the row ({int(bad.sum())} such)"
    )


def require(path: Path, found: Sequence[str], expected: Sequence[str]) -> None:
    """Refuse a table that lacks some of the `expected` columns."""
    missing = [name for name in expected if name not in found]
    if missing:
        raise ImportRefusedError(
            f"{path}: expected fields {', '.join(expected)}, found {', '.join(found)}; add or rename "
            f"{', '.join(missing)}"
        )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]
