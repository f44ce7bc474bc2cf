"""Times as foreign files write them -> UTC nanoseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.domain.errors import ImportRefusedError
from headwater.storage.importers._table import I64, ROW, integers, refuse_first

SECOND_NS: Final = 10**9
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 3_600 * SECOND_NS
DAY_NS: Final = 86_400 * SECOND_NS

_EARLIEST_NS: Final = 1_230_768_000 * SECOND_NS  # 2009-01-01: nothing here is older than the first block
_LATEST_NS: Final = 4_102_444_800 * SECOND_NS  # 2100-01-01

# Counts since 1970 between 2001 and 2286 in each unit do not overlap.
_UNITS: Final = ((10**11, SECOND_NS), (10**14, 10**6), (10**17, 10**3))


def epoch_ns(path: Path, frame: pl.DataFrame, field: str) -> I64:
    """A column of datetimes, or of counts since 1970 in s, ms, us or ns, the unit judged number by number.

    Binance's archives change from milliseconds to microseconds with 2025; one file may hold both.
    """
    column = frame[field]
    if isinstance(column.dtype, pl.Datetime):
        refuse_first(path, frame, field, column.is_null().to_numpy(), "a time")
        ts = column.dt.epoch("ns").to_numpy()
    elif column.dtype == pl.Date:
        refuse_first(path, frame, field, column.is_null().to_numpy(), "a date")
        ts = column.cast(pl.Datetime("ns")).dt.epoch("ns").to_numpy()
    else:
        ts = counts_to_ns(integers(path, frame, field))
    refuse_impossible(path, frame, field, ts)
    return ts


def counts_to_ns(counts: I64) -> I64:
    """Counts since 1970 in s, ms, us or ns -> ns, the unit judged number by number."""
    scale = np.ones(len(counts), np.int64)
    below = 0
    for limit, factor in _UNITS:
        scale[(counts >= below) & (counts < limit)] = factor
        below = limit
    return counts * scale


def text_ns(path: Path, frame: pl.DataFrame, field: str, pattern: str, *, suffix: str = "") -> I64:
    """A column of UTC times written by `pattern` (chrono's notation), after `suffix` is put behind each."""
    text = frame[field]
    parsed = (text + suffix).str.to_datetime(pattern, time_unit="ns", time_zone=None, strict=False)
    if isinstance(parsed.dtype, pl.Datetime) and parsed.dtype.time_zone is not None:
        parsed = parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    refuse_first(path, frame, field, parsed.is_null().to_numpy(), f"a time like {pattern}")
    ts = parsed.dt.epoch("ns").to_numpy()
    refuse_impossible(path, frame, field, ts)
    return ts


def refuse_impossible(path: Path, frame: pl.DataFrame, field: str, ts: I64) -> None:
    """Refuse times before 2009 or after 2100: the unit is not what it seems."""
    bad = (ts < _EARLIEST_NS) | (ts > _LATEST_NS)
    if bad.any():
        at = int(np.argmax(bad))
        raise ImportRefusedError(
            f"{path}: row {frame[ROW][at]}, field '{field}': expected a time between 2009 and 2100, found "
            f"{frame[field][at]} ({show(int(ts[at]))}); correct its unit ({int(bad.sum())} such)"
        )


def show(ts: int) -> str:
    """A time for people: ``2025-01-29 01:25``, with seconds only where there are any."""
    text = str(np.datetime64(ts, "ns").astype("datetime64[ms]")).replace("T", " ")
    return (
        text.removesuffix(".000").removesuffix(":00")
        if text.endswith(":00.000")
        else text.removesuffix(".000")
    )


def show_span(duration_ns: int) -> str:
    """A duration for people: ``5 min``, ``8 h``, ``1 d``, ``37 s``, ``12 ms``."""
    for unit_ns, name in ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"), (10**6, "ms")):
        if duration_ns >= unit_ns and duration_ns % unit_ns == 0:
            return f"{duration_ns // unit_ns} {name}"
    return f"{duration_ns} ns" if duration_ns < SECOND_NS else f"{duration_ns / SECOND_NS:.3f} s"
