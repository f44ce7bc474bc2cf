"""8-hour candles and funding of Binance, Bybit and OKX side by side, in Europe/London local time.

The column ``time`` reads 00/08/16 in winter and 01/09/17 in summer, with steps of 7 and 9 hours where the
clocks change. Read as UTC, half of the year would be an hour late. It is converted by the rules of
Europe/London; of the hour that occurs twice in October the first is meant, since the rows go on in steps of
eight hours.

Neither Bybit nor OKX offers 8-hour candles: theirs were put together from two of 4 hours, and the pairs
begin four hours before the time they are labelled with. The file proves it against Binance's rows, see
:func:`labelled_late`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import Candles, Habits, bar_batches
from headwater.storage.importers._clock import HOUR_NS, text_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._settlements import Settlements, funding_batches
from headwater.storage.importers._table import (
    I64,
    first_line,
    floats,
    floats_or_nan,
    read_text,
    refuse_first,
    rows_of,
)
from headwater.storage.importers._text_candles import candles_of

_HEADER: Final = "time,exchange,crypto,pair,contract,open,high,low,close,volume,funding rate"
_LONDON: Final = ZoneInfo("Europe/London")
_PATTERN: Final = "%Y-%m-%d %H:%M:%S"
_LENGTH_NS: Final = 8 * HOUR_NS
_LABEL_LATE_NS: Final = 4 * HOUR_NS
_COIN_MARGINED: Final = "USDCM"
_KEY: Final = ("exchange", "pair", "contract")
_SAME_INSTANT_MAX: Final = 1e-3
_INSIDE_MIN: Final = 0.9


class LondonCandles:
    """Eighteen instruments: spot, USDT perpetuals and coin-margined perpetuals, these two with funding."""

    name = "london-8h-candles-funding"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        ts = text_ns(path, frame, "time", _PATTERN)
        local = bool((ts % _LENGTH_NS).any())  # in UTC every bar begins at 00, 08 or 16
        frame = frame.with_columns(pl.Series("utc", london_to_utc_ns(path, frame) if local else ts))
        for name in _KEY:
            refuse_first(path, frame, name, frame[name].is_null().to_numpy(), "a name")
        parts = frame.partition_by(*_KEY, maintain_order=True, as_dict=True)
        keys = {"/".join(map(str, key)): key for key in parts}
        ids = {name: instrument_id(path, *map(str, key)) for name, key in keys.items()}
        for name, instrument in told_instruments(path, context, ids).items():
            part = parts[keys[name]]
            if local:
                context.findings_of(instrument).notes.append(
                    "times are Europe/London local time, an hour ahead of UTC in summer: converted to UTC"
                )
            yield from self._instrument(path, instrument, part, _reference(parts, part), context)

    def _instrument(
        self,
        path: Path,
        instrument: str,
        part: pl.DataFrame,
        reference: pl.DataFrame | None,
        context: ImportContext,
    ) -> Iterator[Batch]:
        findings = context.findings_of(instrument)
        ts = part["utc"].to_numpy()
        candles = _candles(path, part)
        late = reference is not None and labelled_late(candles, _candles(path, reference))
        if late:
            candles = candles_of(path, part, ts - _LABEL_LATE_NS)
            findings.notes.append(
                "bars are labelled 4 h late: their opens lie in Binance's bar before the label, their closes "
                "in the one at the label; moved back by 4 h, funding stays"
            )
        coin_margined = str(part["pair"][0]).endswith(_COIN_MARGINED)
        if coin_margined:
            findings.notes.append("volume is in base coin, not in contracts")
        habits = Habits(
            length_ns=_LENGTH_NS,
            phase_ns=int(late) * _LABEL_LATE_NS,
            volume_in_lots=not coin_margined,
        )
        yield from bar_batches(path, instrument, candles, context, habits)
        yield from _funding(path, instrument, part, ts, context)


def _candles(path: Path, part: pl.DataFrame) -> Candles:
    return candles_of(path, part, part["utc"].to_numpy())


def _funding(
    path: Path, instrument: str, part: pl.DataFrame, ts: I64, context: ImportContext
) -> Iterator[Batch]:
    rate = floats_or_nan(path, part, "funding rate")
    known = np.isfinite(rate)
    if not known.any():
        return  # spot
    if not known.all():
        floats(path, part, "funding rate")  # refuses the first empty cell
    settlements = Settlements(rows=rows_of(part), ts=ts, rate=rate)
    clock = context.findings_of(instrument).clock
    yield from funding_batches(path, instrument, settlements, context, "funding rate")
    context.findings_of(instrument).clock = f"{clock}; funding {context.findings_of(instrument).clock}"


def london_to_utc_ns(path: Path, frame: pl.DataFrame) -> I64:
    """The column ``time``, converted.

    Raises
    ------
    ImportRefusedError
        A time that London's clocks skipped, in which case the times are not London's.
    """
    local = frame["time"].str.to_datetime(_PATTERN, time_unit="us")
    utc = local.dt.replace_time_zone(_LONDON.key, ambiguous="earliest", non_existent="null")
    skipped = utc.is_null().to_numpy()
    if skipped.any():
        at = int(np.argmax(skipped))
        raise ImportRefusedError(
            f"{path}: row {frame['row'][at]}, field 'time': expected Europe/London local time, found "
            f"{frame['time'][at]}, which its clocks skipped; check the time zone"
        )
    return utc.dt.epoch("us").to_numpy() * np.int64(1000)


def instrument_id(path: Path, exchange: str, pair: str, contract: str) -> str:
    """``BTC/USDT`` spot, ``BTCUSDT`` perpetual, ``BTCUSDCM`` coin-margined perpetual -> id."""
    venue = exchange.upper()
    if contract == "spot":
        return f"{pair.replace('/', '')}.{venue}"
    if contract != "perpetual":
        raise ImportRefusedError(
            f"{path}: field 'contract': expected spot or perpetual, found '{contract}'; rename it"
        )
    return f"{pair.removesuffix('CM') if pair.endswith(_COIN_MARGINED) else pair}-PERP.{venue}"


def _reference(parts: dict[tuple[object, ...], pl.DataFrame], part: pl.DataFrame) -> pl.DataFrame | None:
    """Binance's rows of the same pair, against which another venue's labels can be checked."""
    exchange, pair, contract = (part[name][0] for name in _KEY)
    return None if exchange == "binance" else parts.get(("binance", pair, contract))


def labelled_late(candles: Candles, reference: Candles) -> bool:
    """Whether bars begin between the label before theirs and their own, by the prices of another venue.

    Two venues of one coin trade within a tenth of a per cent. If the opens under one label differ by more
    (median), while nine in ten opens lie in the reference's bar before that label and nine in ten closes in
    its bar at the label, then the bars begin inside the bar before. Put together from 4-hour candles they
    can only begin four hours early.
    """
    ts, mine, other = np.intersect1d(candles.ts_open, reference.ts_open, return_indices=True)
    chained = np.flatnonzero(np.diff(ts) == _LENGTH_NS) + 1
    if len(chained) < 30:
        return False
    here, there, before = mine[chained], other[chained], other[chained - 1]
    apart = np.abs(candles.open[here] / reference.open[there] - 1.0)
    slack = _SAME_INSTANT_MAX * reference.close[there]
    inside_before = _inside(candles.open[here], reference.low[before] - slack, reference.high[before] + slack)
    inside_at = _inside(candles.close[here], reference.low[there] - slack, reference.high[there] + slack)
    return bool(np.median(apart) > _SAME_INSTANT_MAX and min(inside_before, inside_at) > _INSIDE_MIN)


def _inside(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    return float(np.mean((values >= low) & (values <= high)))


IMPORTER: Final[Importer] = LondonCandles()
