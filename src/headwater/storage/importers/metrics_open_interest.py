"""Open interest of many Binance symbols in one Parquet table, with its value in USDT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.domain.event import EVENT_DTYPE, EventKind
from headwater.ports.importer import Batch, Findings, ImportContext, Importer
from headwater.storage.importers._bars import WHOLE_MESSAGE, commonest
from headwater.storage.importers._clock import epoch_ns, show, show_span
from headwater.storage.importers._decimal import scaled
from headwater.storage.importers._grid import grid_of
from headwater.storage.importers._metrics import METRIC_SCALE, metric_batch
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._order import in_order, many
from headwater.storage.importers._table import (
    F64,
    I64,
    by_key,
    column_names,
    floats,
    is_binary_table,
    read_binary,
    refuse_first,
    rows_of,
)

FIELDS: Final = ("timestamp", "symbol", "sum_open_interest", "sum_open_interest_value")
_LARGEST: Final = 2**62 // METRIC_SCALE


class BinanceOpenInterest:
    """OPEN_INTEREST in base coin for each symbol, and its value as the METRIC
    ``BTCUSDT-PERP-OI-USDT.BINANCE``.

    When the venue published a value is not in the file: it is taken as known at its own time. An open
    interest above 4.6e10 coins does not fit a record; of such a symbol the value alone is kept.
    """

    name = "binance-open-interest"

    def recognises(self, path: Path, head: bytes) -> bool:
        return is_binary_table(head) and set(FIELDS) == set(column_names(path, head))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_binary(path, FIELDS)
        context.progress(path.stat().st_size)
        parts = by_key(path, frame, "symbol")
        ids = {symbol: f"{symbol}-PERP.BINANCE" for symbol in parts}
        chosen = told_instruments(path, context, ids)
        steps = np.concatenate([np.diff(epoch_ns(path, parts[symbol], "timestamp")) for symbol in chosen])
        length_ns = commonest(steps) if len(steps) else 0
        for symbol, instrument in chosen.items():
            yield from self._symbol(path, instrument, parts[symbol], length_ns, context)

    def _symbol(
        self, path: Path, instrument: str, part: pl.DataFrame, length_ns: int, context: ImportContext
    ) -> Iterator[Batch]:
        findings = context.findings_of(instrument)
        ts = epoch_ns(path, part, "timestamp")
        coins, value = (_positive(path, part, name) for name in FIELDS[2:])
        kept = in_order(path, findings, rows_of(part), ts, (coins, value))
        ts, coins, value = ts[kept], coins[kept], value[kept]
        findings.latency_usable = False
        findings.clock = "absent: open interest is taken as known at its own time"
        note_holes(findings, ts, length_ns)
        if coins.max() < _LARGEST:
            yield _open_interest(instrument, ts, coins, context)
        else:
            findings.notes.append(
                f"open interest reaches {coins.max():.0f} coins, more than a record holds: left out"
            )
        stem, _, venue = instrument.rpartition(".")
        worth = f"{stem}-OI-USDT.{venue}"
        context.findings_of(worth).clock = findings.clock
        yield metric_batch(path, worth, ts, ts, value, context)


def _positive(path: Path, part: pl.DataFrame, name: str) -> F64:
    values = floats(path, part, name)
    refuse_first(path, part, name, values < 0, "a number of at least 0")
    return values


def note_holes(findings: Findings, ts: I64, length_ns: int) -> None:
    """Values absent from a series with a fixed step."""
    absent = np.diff(ts) // length_ns - 1 if length_ns else np.zeros(0, np.int64)
    holes = np.flatnonzero(absent > 0)
    if len(holes):
        findings.sequence_gaps += len(holes)
        findings.lost_messages += int(absent[holes].sum())
        findings.notes.append(
            f"{many(int(absent[holes].sum()), 'value')} absent of one every {show_span(length_ns)}, first "
            f"after {show(int(ts[holes[0]]))}"
        )


def _open_interest(instrument: str, ts: I64, coins: F64, context: ImportContext) -> Batch:
    events = np.zeros(len(ts), EVENT_DTYPE)
    events["ts_venue"] = events["ts_local"] = ts
    events["size"], rounded = scaled(coins, METRIC_SCALE)
    if rounded:
        context.findings_of(instrument).notes.append(
            f"{rounded} values have more than 8 decimals and were rounded"
        )
    events["kind"], events["flags"] = EventKind.OPEN_INTEREST, WHOLE_MESSAGE
    tick, lot, source = grid_of(context, instrument, int(ts[0]))
    return Batch(instrument=instrument, events=events, tick_size=tick, lot_size=lot, rules_source=source)


IMPORTER: Final[Importer] = BinanceOpenInterest()
