"""Candles as freqtrade keeps them: Feather, Parquet or JSON with date, open, high, low, close, volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.compressed import read_head
from headwater.storage.importers import _freqtrade
from headwater.storage.importers._bars import Candles, bar_batches
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instrument, told_instruments
from headwater.storage.importers._table import by_key, column_names, floats, is_binary_table, rows_of

_PRICES: Final = frozenset(("open", "high", "low", "close"))


class FreqtradeCandles:
    """One instrument, named by the user, unless a column ``symbol`` names several.

    A Parquet or Feather table with ``date`` and some of the prices is taken too, to be refused with the name
    of the missing column.
    """

    name = "freqtrade-candles"

    def recognises(self, path: Path, head: bytes) -> bool:
        content = _freqtrade.content_of(path, head)
        return content is _freqtrade.Content.CANDLES or (content is None and _lacks_columns(path, head))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = _freqtrade.read(path, read_head(path))
        context.progress(path.stat().st_size)
        if _freqtrade.SYMBOL not in frame.columns:
            instrument = told_instrument(path, context, "BTCUSDT.BINANCE")
            yield from bar_batches(path, instrument, candles_of(path, frame), context)
            return
        parts = by_key(path, frame, _freqtrade.SYMBOL)
        ids = {symbol: _freqtrade.perpetual_id(symbol) for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            yield from bar_batches(path, instrument, candles_of(path, parts[symbol]), context)


def _lacks_columns(path: Path, head: bytes) -> bool:
    names = set(column_names(path, head)) if is_binary_table(head) else set()
    return "date" in names and len(names & _PRICES) >= 2


def candles_of(path: Path, frame: pl.DataFrame) -> Candles:
    """The columns of `frame`, checked cell by cell."""
    return Candles(
        rows=rows_of(frame),
        ts_open=epoch_ns(path, frame, "date"),
        open=floats(path, frame, "open"),
        high=floats(path, frame, "high"),
        low=floats(path, frame, "low"),
        close=floats(path, frame, "close"),
        volume=floats(path, frame, "volume"),
        trades=np.zeros(frame.height, np.int64),
    )


IMPORTER: Final[Importer] = FreqtradeCandles()
