"""Series of numbers about the market -> METRIC events.

A METRIC holds units of 1e-8, so that values up to 9.2e10 fit; larger ones are kept in thousands, millions
or so on, and the instrument's name says in what.

A daily value is known when its day is over, at 00:00 UTC of the next day, or later where its publication is
later: that may be up to a day after it could really be read, and is never before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.importers._bars import WHOLE_MESSAGE
from headwater.storage.importers._clock import DAY_NS, show
from headwater.storage.importers._decimal import scaled
from headwater.storage.importers._grid import grid_of
from headwater.storage.importers._order import many
from headwater.storage.importers._table import F64, I64

METRIC_SCALE: Final = 10**8
_ROUNDING_MAX: Final = 1e-9


def metric_batch(
    path: Path, instrument: str, ts_venue: I64, ts_local: I64, values: F64, context: ImportContext
) -> Batch:
    """One METRIC for each value.

    Parameters
    ----------
    ts_venue : (n,) UTC ns, the end of what the value is about
    ts_local : (n,) UTC ns, when it was known
    values : (n,) in the unit that the instrument's name says
    """
    findings = context.findings_of(instrument)
    events = np.zeros(len(values), EVENT_DTYPE)
    events["ts_venue"], events["ts_local"] = ts_venue, ts_local
    try:
        events["price"], _ = scaled(values, METRIC_SCALE)
    except OverflowError as error:
        raise ImportRefusedError(f"{path}: {instrument}: {error}; divide the column by a thousand") from error
    moved = np.abs(events["price"] / METRIC_SCALE - values) > _ROUNDING_MAX * np.abs(values)
    if moved.any():
        findings.notes.append(
            f"{int(moved.sum())} of {len(values)} values rounded, too small for units of 1e-8"
        )
    findings.latency_usable = False
    events["kind"], events["flags"] = EventKind.METRIC, WHOLE_MESSAGE
    tick, lot, source = grid_of(context, instrument, int(ts_venue[0]))
    return Batch(instrument=instrument, events=events, tick_size=tick, lot_size=lot, rules_source=source)


def note_absent_days(findings: Findings, days: I64, *, weekdays_only: bool = False) -> None:
    """Days without a value (rising `days`, UTC ns), for series that have one a day."""
    numbers = np.unique(days // DAY_NS)
    every = np.arange(numbers[0], numbers[-1] + 1)
    if weekdays_only:
        every = every[(every + 3) % 7 < 5]  # 1970-01-01 was a Thursday
    absent = np.setdiff1d(every, numbers)
    if len(absent):
        first = show(int(absent[0]) * DAY_NS).split(" ")[0]
        what = many(len(absent), "weekday" if weekdays_only else "day")
        why = ": exchange holidays, or lost" if weekdays_only else ""
        findings.notes.append(f"{what} without a value, first {first}{why}")
