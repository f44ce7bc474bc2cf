"""Klines of Binance's public archive: twelve columns, with or without a header, ms or (since 2025) us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.compressed import read_head
from headwater.storage.importers._bars import Habits, bar_batches, commonest
from headwater.storage.importers._clock import HOUR_NS, SECOND_NS, epoch_ns
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import first_line, note_open_end, read_text
from headwater.storage.importers._text_candles import candles_of

FIELDS: Final = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
_HEADER: Final = "open_time,open,high,low,close,volume,close_time,"
_RECORD: Final = re.compile(r"\d{13,16}(?:,[0-9.eE+-]+){5},\d{13,16}(?:,[0-9.eE+-]+){5}")


class BinanceArchiveKlines:
    """One instrument, named by the user; volume in base currency. Quote and taker volumes are not kept."""

    name = "binance-archive-klines"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        line = first_line(head)
        return line.startswith(_HEADER) or _RECORD.fullmatch(line) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        instrument = told_instrument(path, context, "BTCUSDT-PERP.BINANCE")
        frame = self._read(path)
        note_open_end(path, context.findings_of(instrument))
        context.progress(path.stat().st_size)
        ts_open = epoch_ns(path, frame, "open_time")
        length_ns = _length_ns(path, frame)
        candles = candles_of(path, frame, ts_open, trades="count")
        counts = frame["open_time"].cast(pl.Int64)
        if counts.min() < 10**14 <= counts.max():  # type: ignore[operator]
            context.findings_of(instrument).notes.append(
                "times change from milliseconds to microseconds: read as such"
            )
        yield from bar_batches(path, instrument, candles, context, Habits(length_ns=length_ns))

    def _read(self, path: Path) -> pl.DataFrame:
        header = first_line(read_head(path, 4096)).startswith(_HEADER)
        frame = read_text(path, header=header)
        return frame if header else frame.rename(dict(zip(frame.columns, FIELDS, strict=False)))


def _length_ns(path: Path, frame: pl.DataFrame) -> int:
    """Close time is the last millisecond (microsecond) of the bar, so the length is the next whole second."""
    shown = commonest(epoch_ns(path, frame, "close_time") - epoch_ns(path, frame, "open_time"))
    length_ns = -(-shown // SECOND_NS) * SECOND_NS
    assert 0 < length_ns <= 31 * 24 * HOUR_NS
    return length_ns


IMPORTER: Final[Importer] = BinanceArchiveKlines()
