"""Daily series about Bitcoin and Ethereum in CSV: ``date`` and one or two columns, known by their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, Findings, ImportContext, Importer
from headwater.storage.importers._clock import DAY_NS, text_ns
from headwater.storage.importers._metrics import metric_batch, note_absent_days
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._order import in_order, listed, many
from headwater.storage.importers._table import (
    F64,
    I64,
    column_names,
    floats,
    note_open_end,
    read_text,
    rows_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is known of one column.

    Attributes
    ----------
    instrument : id; its name says the unit
    unit : what one unit of the METRIC is in units of the column
    known_after_days : full days after the end of a value's day until it is surely published
    weekdays_only : no value at weekends
    many_a_day : the source writes several values a day without their times
    """

    instrument: str
    unit: float = 1.0
    known_after_days: int = 0
    weekdays_only: bool = False
    many_a_day: bool = False


# ETF flows of a day are published over the night and corrected until the next evening in New York.
SERIES: Final = {
    "difficulty": Series(instrument="BTC-DIFFICULTY-M.ONCHAIN", unit=1e6),
    "hashrate": Series(instrument="BTC-HASHRATE.ONCHAIN"),
    "fng": Series(instrument="FGI.ALTERNATIVE"),
    "funding_mean": Series(instrument="BTCUSDT-FUNDING-MEAN-PPM.BINANCE", unit=1e-6),
    "funding_abs": Series(instrument="BTCUSDT-FUNDING-ABS-PPM.BINANCE", unit=1e-6),
    "btc_etf_net_flow_usd_mn": Series(
        instrument="BTC-ETF-FLOW-USDM.ONCHAIN", known_after_days=1, weekdays_only=True
    ),
    "eth_etf_net_flow_usd_mn": Series(
        instrument="ETH-ETF-FLOW-USDM.ONCHAIN", known_after_days=1, weekdays_only=True
    ),
    "stablecoin_mcap_usd": Series(instrument="STABLECOIN-MCAP-USDM.ONCHAIN", unit=1e6),
    "btc_realized_cap_usd": Series(instrument="BTC-REALIZED-CAP-USDM.ONCHAIN", unit=1e6, many_a_day=True),
    "eth_realized_cap_usd": Series(instrument="ETH-REALIZED-CAP-USDM.ONCHAIN", unit=1e6, many_a_day=True),
}


class DailySeries:
    """One METRIC instrument a column; a value is known when its day is over, ETF flows a day later."""

    name = "daily-series"

    def recognises(self, path: Path, head: bytes) -> bool:
        names = column_names(path, head)
        return len(names) > 1 and names[0] == "date" and set(names[1:]) <= set(SERIES)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        days = text_ns(path, frame, "date", "%Y-%m-%d %H:%M:%S", suffix=" 00:00:00")
        fields = [name for name in frame.columns if name in SERIES]
        found = {name: SERIES[name].instrument for name in fields if not _is_empty(frame[name])}
        if not found:
            raise ImportRefusedError(
                f"{path}: expected values in {', '.join(fields)}, found none; fetch it again"
            )
        empty = [name for name in fields if name not in found]
        for name, instrument in told_instruments(path, context, found).items():
            findings = context.findings_of(instrument)
            note_open_end(path, findings)
            findings.notes.extend(
                f"column '{other}' has no values: nothing imported from it" for other in empty
            )
            yield self._series(path, frame, name, instrument, days, context)

    def _series(
        self, path: Path, frame: pl.DataFrame, name: str, instrument: str, days: I64, context: ImportContext
    ) -> Batch:
        series = SERIES[name]
        findings = context.findings_of(instrument)
        values = floats(path, frame, name)
        rows = rows_of(frame)
        if series.many_a_day:
            refuse_backward(path, rows, days)
            note_many_a_day(findings, days, values)
            kept = np.arange(len(days))
        else:
            kept = in_order(path, findings, rows, days, (values,))
        findings.clock = (
            f"absent: a value of day D is taken as known at 00:00 UTC of D + {1 + series.known_after_days}"
        )
        note_absent_days(findings, days[kept], weekdays_only=series.weekdays_only)
        note_zeros(findings, rows[kept], values[kept], series)
        over = days[kept] + DAY_NS
        known = over + series.known_after_days * DAY_NS
        return metric_batch(path, instrument, over, known, _in_unit(values[kept], series.unit), context)


def _is_empty(column: pl.Series) -> bool:
    return bool((column.is_null() | (column == "")).all())


def _in_unit(values: F64, unit: float) -> F64:
    """Division by a unit above 1, multiplication by the inverse of one below: nearest to the decimal."""
    return values / unit if unit >= 1.0 else values * (1.0 / unit)


def refuse_backward(path: Path, rows: I64, days: I64) -> None:
    """Several values a day may stand in any order within it, but days do not run back."""
    back = np.diff(days) < 0
    if back.any():
        at = int(np.argmax(back)) + 1
        raise ImportRefusedError(
            f"{path}: row {rows[at]}: expected days that do not run back, found one before that of row "
            f"{rows[at - 1]} ({int(back.sum())} steps back); sort the file by its field 'date'"
        )


def note_many_a_day(findings: Findings, days: I64, values: F64) -> None:
    """Values that share a day: their order within it is unknown, all are kept, the last row stands."""
    shared = days[1:] == days[:-1]
    if not shared.any():
        return
    equal = int(np.count_nonzero(shared & (values[1:] == values[:-1])))
    counts = np.unique(days, return_counts=True)[1]
    findings.notes.append(
        f"{int(shared.sum())} values of a day that has another (up to {int(counts.max())} a day, {equal} of "
        "them repeat the row before): their order within the day is not in the file; all kept, the last row "
        "stands"
    )


def note_zeros(findings: Findings, rows: I64, values: F64, series: Series) -> None:
    """Zero where the quantity cannot be 0: nothing was measured."""
    zero = values == 0
    if zero.any() and not series.weekdays_only and "FUNDING" not in series.instrument:
        findings.notes.append(f"{many(int(zero.sum()), 'value')} of 0 (rows {listed(rows[zero])}): kept")


IMPORTER: Final[Importer] = DailySeries()
