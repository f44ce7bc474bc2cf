"""Bitfinex candles in Parquet: ts_ms, open, close, high, low, volume. Minutes without a trade are absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import Candles, Habits, bar_batches
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import column_names, floats, is_binary_table, read_binary, rows_of

FIELDS: Final = ("ts_ms", "open", "close", "high", "low", "volume")


class BitfinexCandles:
    """The venue answers open, CLOSE, HIGH, LOW, volume; the columns are taken by name."""

    name = "bitfinex-candles"

    def recognises(self, path: Path, head: bytes) -> bool:
        return is_binary_table(head) and set(FIELDS) == set(column_names(path, head))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        instrument = told_instrument(path, context, "BTCUSD.BITFINEX")
        frame = read_binary(path, FIELDS)
        context.progress(path.stat().st_size)
        candles = Candles(
            rows=rows_of(frame),
            ts_open=epoch_ns(path, frame, "ts_ms"),
            open=floats(path, frame, "open"),
            high=floats(path, frame, "high"),
            low=floats(path, frame, "low"),
            close=floats(path, frame, "close"),
            volume=floats(path, frame, "volume"),
            trades=np.zeros(frame.height, np.int64),
        )
        yield from bar_batches(path, instrument, candles, context, Habits(idle_bars_left_out=True))


IMPORTER: Final[Importer] = BitfinexCandles()
