"""Funding rates as freqtrade keeps them: the candle schema with the rate in ``open``.

Freqtrade calls the file of an 8-hour instrument "1h-funding_rate": the interval is taken from the times.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.compressed import read_head
from headwater.storage.importers import _freqtrade
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instrument, told_instruments
from headwater.storage.importers._settlements import Settlements, funding_batches
from headwater.storage.importers._table import by_key, floats, rows_of


class FreqtradeFunding:
    """One instrument, named by the user, or several of a column ``symbol`` (taken for Binance USD-M)."""

    name = "freqtrade-funding"

    def recognises(self, path: Path, head: bytes) -> bool:
        return _freqtrade.content_of(path, head) is _freqtrade.Content.FUNDING

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = _freqtrade.read(path, read_head(path))
        context.progress(path.stat().st_size)
        if _freqtrade.SYMBOL not in frame.columns:
            instrument = told_instrument(path, context, "BTCUSDT-PERP.BYBIT")
            yield from funding_batches(path, instrument, _settlements(path, frame), context, "open")
            return
        parts = by_key(path, frame, _freqtrade.SYMBOL)
        ids = {symbol: _freqtrade.perpetual_id(symbol) for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            if context.instrument is None:
                context.findings_of(instrument).notes.append(
                    "the file names the symbol but no venue: taken for a Binance USD-M perpetual"
                )
            yield from funding_batches(path, instrument, _settlements(path, parts[symbol]), context, "open")


def _settlements(path: Path, frame: pl.DataFrame) -> Settlements:
    return Settlements(
        rows=rows_of(frame), ts=epoch_ns(path, frame, "date"), rate=floats(path, frame, "open")
    )


IMPORTER: Final[Importer] = FreqtradeFunding()
