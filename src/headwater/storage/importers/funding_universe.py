"""Funding history of many symbols in one Parquet table: timestamp (ms), symbol, funding_rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._settlements import Settlements, funding_batches
from headwater.storage.importers._table import (
    by_key,
    column_names,
    floats,
    is_binary_table,
    read_binary,
    rows_of,
)

FIELDS: Final = ("timestamp", "symbol", "funding_rate")


class UniverseFunding:
    """Binance's field names; symbols are taken for USD-M perpetuals unless the user says otherwise."""

    name = "universe-funding"

    def recognises(self, path: Path, head: bytes) -> bool:
        return is_binary_table(head) and set(FIELDS) == set(column_names(path, head))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_binary(path, FIELDS)
        context.progress(path.stat().st_size)
        parts = by_key(path, frame, "symbol")
        ids = {symbol: f"{symbol}-PERP.BINANCE" for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            if context.instrument is None:
                context.findings_of(instrument).notes.append(
                    "the file names the symbol but no venue: taken for a Binance USD-M perpetual"
                )
            part = parts[symbol]
            settlements = Settlements(
                rows=rows_of(part),
                ts=epoch_ns(path, part, "timestamp"),
                rate=floats(path, part, "funding_rate"),
            )
            yield from funding_batches(path, instrument, settlements, context, "funding_rate")


IMPORTER: Final[Importer] = UniverseFunding()
