"""Plain candles in CSV: one time column, open, high, low, close, volume, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import bar_batches
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import first_line, note_open_end, read_text, require
from headwater.storage.importers._text_candles import PRICES, candles_of, in_base_currency, time_ns

_TIMES: Final = ("timestamp", "date", "time", "datetime", "open_time")
_FIELDS: Final = frozenset((*_TIMES, *PRICES, "volume"))


class PlainCsvCandles:
    """One instrument, named by the user; the time is the opening of the bar, UTC, as text or a count since
    1970.

    Candles of FTX count their volume in USD; of all other venues the volume is taken for base currency. A
    file without one of the columns is taken too, to be refused with its name.
    """

    name = "csv-candles"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        names = _names(first_line(head))
        enough = len(names & frozenset(PRICES)) >= 2 and bool(names & frozenset(_TIMES))
        return enough and names <= _FIELDS

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        frame = frame.rename({name: name.strip().lower() for name in frame.columns})
        require(path, frame.columns, (*PRICES, "volume"))
        instrument = told_instrument(path, context, "BTCUSDT.BINANCE")
        field = next(name for name in _TIMES if name in frame.columns)
        candles = candles_of(path, frame, time_ns(path, frame, field))
        if instrument.endswith(".FTX"):
            candles = in_base_currency(context, instrument, candles, "USD")
        note_open_end(path, context.findings_of(instrument))
        yield from bar_batches(path, instrument, candles, context)


def _names(line: str) -> frozenset[str]:
    return frozenset(name.strip().strip('"').lower() for name in line.split(","))


IMPORTER: Final[Importer] = PlainCsvCandles()
