"""Candles in delimited text: what the formats share."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import ImportContext
from headwater.storage.importers._bars import Candles
from headwater.storage.importers._clock import epoch_ns, text_ns
from headwater.storage.importers._table import F64, I64, floats, integers, rows_of

_LOT_UNKNOWN: Final = Decimal("0.00000001")
PRICES: Final = ("open", "high", "low", "close")

# (chrono pattern, what has to be put behind the text first): hours alone need minutes to be a time
_PATTERNS: Final = (
    ("%Y-%m-%d %H:%M:%S%.f", ""),
    ("%Y-%m-%dT%H:%M:%S%.fZ", ""),
    ("%Y-%m-%d %I-%p:%M", ":00"),
    ("%Y-%m-%d %H:%M", ""),
    ("%Y-%m-%d %H:%M:%S", " 00:00:00"),
)


def time_ns(path: Path, frame: pl.DataFrame, field: str) -> I64:
    """A column of UTC times as counts since 1970 or in one of the known notations, the same in all rows."""
    sample = frame[field].head(1)
    if sample.cast(pl.Int64, strict=False).null_count() == 0:
        return epoch_ns(path, frame, field)
    for pattern, suffix in _PATTERNS:
        if (sample + suffix).str.to_datetime(pattern, time_unit="ns", strict=False).null_count() == 0:
            return text_ns(path, frame, field, pattern, suffix=suffix)
    raise ImportRefusedError(
        f"{path}: row {rows_of(frame)[0]}, field '{field}': expected a time such as 2024-01-31 09:30:00 or "
        f"1706693400000, found '{sample[0]}'; rewrite the times"
    )


def candles_of(
    path: Path,
    frame: pl.DataFrame,
    ts_open: I64,
    *,
    volume: str = "volume",
    trades: str | None = None,
    prefix: str = "",
) -> Candles:
    """Candles from a frame of text, checked cell by cell; `prefix` stands before the names of the columns."""
    return Candles(
        rows=rows_of(frame),
        ts_open=ts_open,
        open=floats(path, frame, prefix + "open"),
        high=floats(path, frame, prefix + "high"),
        low=floats(path, frame, prefix + "low"),
        close=floats(path, frame, prefix + "close"),
        volume=floats(path, frame, prefix + volume),
        trades=np.zeros(frame.height, np.int64) if trades is None else integers(path, frame, trades),
    )


def in_base_currency(context: ImportContext, instrument: str, candles: Candles, quote: str) -> Candles:
    """Candles whose volume counts quote currency, as candles whose volume counts base currency.

    The average price of a bar is not in the file; the volume is divided by (high + low + close) / 3, which
    is wrong by no more than the bar is wide, and rounded to whole lots.
    """
    typical = (candles.high + candles.low + candles.close) / 3.0
    rule = context.grid(instrument, int(candles.ts_open[0]))
    lot = rule[1] if rule else _LOT_UNKNOWN
    lots = np.rint(candles.volume / typical / float(lot))
    volume: F64 = np.round(lots * float(lot), decimals=max(0, -int(lot.as_tuple().exponent)))
    context.findings_of(instrument).notes.append(
        f"volume is in {quote}: the base volume is estimated as volume / ((high + low + close) / 3)"
    )
    return Candles(
        rows=candles.rows,
        ts_open=candles.ts_open,
        open=candles.open,
        high=candles.high,
        low=candles.low,
        close=candles.close,
        volume=volume,
        trades=candles.trades,
    )
