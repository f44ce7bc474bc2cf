"""Candles of many Binance symbols in one Parquet table, under the names of Binance's own REST answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import Candles, Habits, bar_batches, commonest
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import (
    by_key,
    column_names,
    floats,
    integers,
    is_binary_table,
    read_binary,
    rows_of,
)

FIELDS: Final = (
    "symbol",
    "timestamp",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "trades",
    "close_time",
)


class BinanceUniverseCandles:
    """One bar for each symbol and interval; ``timestamp`` and ``close_time`` in ms, volume in base currency.

    The file names symbols but no market: they are taken for USD-M perpetuals unless the user says otherwise,
    e.g. ``--instrument '*.BINANCE'``. Quote volume is not kept.
    """

    name = "binance-universe-candles"

    def recognises(self, path: Path, head: bytes) -> bool:
        return is_binary_table(head) and set(FIELDS) <= set(column_names(path, head))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_binary(path, FIELDS)
        context.progress(path.stat().st_size)
        parts = by_key(path, frame, "symbol")
        length_ns = _length_ns(path, frame)
        ids = {symbol: f"{symbol}-PERP.BINANCE" for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            if context.instrument is None:
                context.findings_of(instrument).notes.append(
                    "the file names the symbol but no market: taken for a Binance USD-M perpetual"
                )
            candles = candles_of(path, parts[symbol])
            yield from bar_batches(path, instrument, candles, context, Habits(length_ns=length_ns))
        note_survivors(context, len(ids))


def _length_ns(path: Path, frame: pl.DataFrame) -> int:
    """The commonest step within the symbols; of single bars the time to their last millisecond."""
    ts = epoch_ns(path, frame, "timestamp")
    steps = np.diff(ts)[(frame["symbol"][1:] == frame["symbol"][:-1]).to_numpy()]
    if len(steps):
        return commonest(steps)
    return commonest(epoch_ns(path, frame, "close_time") - ts) + 10**6


def note_survivors(context: ImportContext, symbols: int) -> None:
    """A table of a universe holds only what was still listed when it was fetched."""
    if symbols < 2:
        return
    for findings in context.findings.values():
        findings.notes.append(
            f"one of {symbols} symbols of a universe fetched later: delisted ones are absent (survivorship "
            "bias)"
        )


def candles_of(path: Path, frame: pl.DataFrame) -> Candles:
    """The columns of `frame`, checked cell by cell."""
    return Candles(
        rows=rows_of(frame),
        ts_open=epoch_ns(path, frame, "timestamp"),
        open=floats(path, frame, "open"),
        high=floats(path, frame, "high"),
        low=floats(path, frame, "low"),
        close=floats(path, frame, "close"),
        volume=floats(path, frame, "volume"),
        trades=integers(path, frame, "trades"),
    )


IMPORTER: Final[Importer] = BinanceUniverseCandles()
