"""Mark-price candles as freqtrade keeps them (volume empty or 0) -> MARK_PRICE events.

The tape has no mark bars: what a candle proves is the mark price at its end, its close. That becomes one
event at the end of the bar; the high and the low happened at times that the file does not tell, and are
left out, which the findings say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.domain.event import EVENT_DTYPE, FINE_PRICE_SCALE, EventKind, Events
from headwater.ports.importer import Batch, Findings, ImportContext, Importer
from headwater.storage.compressed import read_head
from headwater.storage.importers import _freqtrade
from headwater.storage.importers._bars import WHOLE_MESSAGE, Candles, Habits, tidy
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._decimal import scaled
from headwater.storage.importers._grid import grid_of
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import floats, rows_of


class FreqtradeMarkPrices:
    """One instrument, named by the user: the one whose positions are marked."""

    name = "freqtrade-mark-prices"

    def recognises(self, path: Path, head: bytes) -> bool:
        return _freqtrade.content_of(path, head) is _freqtrade.Content.MARK

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        instrument = told_instrument(path, context, "BTCUSDT-PERP.BYBIT")
        frame = _freqtrade.read(path, read_head(path))
        context.progress(path.stat().st_size)
        nothing = np.ones(frame.height)  # marks have no volume; a 0 would read as a halt
        candles = Candles(
            rows=rows_of(frame),
            ts_open=epoch_ns(path, frame, "date"),
            open=floats(path, frame, "open"),
            high=floats(path, frame, "high"),
            low=floats(path, frame, "low"),
            close=floats(path, frame, "close"),
            volume=nothing,
            trades=nothing.astype(np.int64),
        )
        candles, length_ns = tidy(path, instrument, candles, context, Habits())
        findings = context.findings_of(instrument)
        findings.notes.append(
            "mark prices are known at the end of each bar alone: high and low have no time, left out"
        )
        events = mark_events(findings, candles, length_ns)
        tick, lot, source = grid_of(context, instrument, int(candles.ts_open[0]))
        yield Batch(instrument=instrument, events=events, tick_size=tick, lot_size=lot, rules_source=source)


def mark_events(findings: Findings, candles: Candles, length_ns: int) -> Events:
    """One MARK_PRICE at the end of each bar."""
    events = np.zeros(len(candles.rows), EVENT_DTYPE)
    events["ts_venue"] = events["ts_local"] = candles.ts_open + length_ns
    events["price"], rounded = scaled(candles.close, FINE_PRICE_SCALE)
    if rounded:
        findings.notes.append(f"{rounded} mark prices have more than 8 decimals and were rounded")
    events["kind"], events["flags"] = EventKind.MARK_PRICE, WHOLE_MESSAGE
    return events


IMPORTER: Final[Importer] = FreqtradeMarkPrices()
