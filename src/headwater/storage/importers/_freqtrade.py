"""What freqtrade writes under one schema (date, open, high, low, close, volume), told apart by the values.

Candles, mark-price candles (volume empty or 0) and funding rates (the rate in ``open``, the rest 0) look
alike but for their numbers. Feather, Parquet and JSON files are read; ``date`` is the opening time, UTC.
"""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Final

import polars as pl

from headwater.storage.importers._table import (
    column_names,
    is_binary_table,
    read_binary,
    read_freqtrade_json,
    require,
)

FIELDS: Final = ("date", "open", "high", "low", "close", "volume")
SYMBOL: Final = "symbol"

_NUMBER: Final = rb"\s*-?[0-9.eE+-]+\s*"
_JSON: Final = re.compile(
    rb"\s*\[\s*\[\s*\d{12,13}(?:\.0)?\s*," + _NUMBER + (rb",(?:null|" + _NUMBER + rb")") * 4 + rb"\]"
)


class Content(Enum):
    """What the numbers of a file are."""

    CANDLES = "candles"
    MARK = "mark prices"
    FUNDING = "funding rates"


def content_of(path: Path, head: bytes) -> Content | None:
    """What this file holds, or None when it is not of this schema."""
    if _JSON.match(head):
        return _content(read_freqtrade_json(path))
    if not is_binary_table(head) or not set(FIELDS) <= set(column_names(path, head)):
        return None
    return _content(read_binary(path, [*FIELDS[2:]]))


def _content(frame: pl.DataFrame) -> Content:
    blank = {name: _is_blank(frame[name]) for name in FIELDS[2:]}
    if all(blank.values()):
        return Content.FUNDING
    return Content.MARK if blank["volume"] else Content.CANDLES


def _is_blank(column: pl.Series) -> bool:
    """Whether a column has nothing in it but nulls, NaNs and zeros."""
    if not column.dtype.is_numeric():
        return column.null_count() == len(column)
    return not (column.cast(pl.Float64).fill_nan(None).fill_null(0.0) != 0.0).any()


def read(path: Path, head: bytes) -> pl.DataFrame:
    """The table, with row numbers and with ``symbol`` where it has one."""
    if not is_binary_table(head):
        return read_freqtrade_json(path)
    names = column_names(path, head)
    require(path, names, FIELDS)
    return read_binary(path, [name for name in names if name in (*FIELDS, SYMBOL)])


def perpetual_id(symbol: str, venue: str = "BINANCE") -> str:
    """``BTC_USDT_USDT`` and ``BTC/USDT:USDT`` (base, quote, settlement) -> ``BTCUSDT-PERP.BINANCE``."""
    parts = re.split(r"[_/:]", symbol)
    settled = len(parts) == 3
    name = "".join(parts[:2]) if settled else "".join(parts)
    return f"{name}-PERP.{venue}" if settled else f"{name}.{venue}"
