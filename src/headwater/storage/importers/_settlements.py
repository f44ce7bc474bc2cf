"""Funding rates of one instrument -> FUNDING events.

A rate is final, and therefore taken as known, at its settlement. The interval is not in the files and
changes over time: it is the step from the settlement before, and of the first settlement that to the next
one. A step is a hole only if no change of interval explains it: it is longer than the intervals on both
sides of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, RATE_SCALE, EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.importers._bars import WHOLE_MESSAGE
from headwater.storage.importers._clock import HOUR_NS, MINUTE_NS, SECOND_NS, show, show_span
from headwater.storage.importers._decimal import scaled
from headwater.storage.importers._grid import grid_of
from headwater.storage.importers._order import in_order, many
from headwater.storage.importers._table import F64, I64, Mask

_RATE_MAX: Final = 0.5  # venues cap at a few per cent; above this the column is no rate
_INTERVAL_NS_MAX: Final = 8 * HOUR_NS  # of every venue that publishes here


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlements:
    """Funding rates as the file has them.

    Attributes
    ----------
    rows : (n,) record numbers in the file
    ts : (n,) UTC ns as recorded, which may be some milliseconds after the settlement
    rate : (n,) fraction of the notional per interval; positive: longs pay
    """

    rows: I64
    ts: I64
    rate: F64


def funding_batches(
    path: Path, instrument: str, settlements: Settlements, context: ImportContext, field: str
) -> Iterator[Batch]:
    """Check funding rates, note their defects and yield them."""
    findings = context.findings_of(instrument)
    refuse_absurd(path, settlements, field)
    kept = in_order(path, findings, settlements.rows, settlements.ts, (settlements.rate,))
    rows, ts, rate = settlements.rows[kept], settlements.ts[kept], settlements.rate[kept]
    due = ts // MINUTE_NS * MINUTE_NS
    findings.latency_usable = False
    findings.clock = "absent: a rate is taken as known at its settlement"
    note_jitter(findings, ts - due)
    interval = intervals_ns(path, findings, rows, due)
    note_phase(findings, due, rows)
    events = np.zeros(len(ts), EVENT_DTYPE)
    events["ts_venue"], events["ts_local"] = due, ts
    events["price"], rounded = scaled(rate, RATE_SCALE)
    if rounded:
        findings.notes.append(f"{many(rounded, 'rate')} of more than 12 decimals rounded")
    events["size"] = interval // SECOND_NS
    events["kind"], events["flags"] = EventKind.FUNDING, WHOLE_MESSAGE
    tick, lot, source = grid_of(context, instrument, int(ts[0]))
    yield Batch(instrument=instrument, events=events, tick_size=tick, lot_size=lot, rules_source=source)


def refuse_absurd(path: Path, settlements: Settlements, field: str) -> None:
    """Refuse numbers that cannot be a rate per interval."""
    bad = np.abs(settlements.rate) > _RATE_MAX
    if bad.any():
        at = int(np.argmax(bad))
        raise ImportRefusedError(
            f"{path}: row {settlements.rows[at]} ({show(int(settlements.ts[at]))}), field '{field}': "
            f"expected a rate between -{_RATE_MAX} and {_RATE_MAX}, found {settlements.rate[at]}; mend or "
            "remove the row"
        )


def note_jitter(findings: Findings, late_ns: I64) -> None:
    """Venues stamp a settlement some milliseconds after the hour."""
    worst = int(late_ns.max())
    if worst:
        findings.notes.append(
            f"{many(int(np.count_nonzero(late_ns)), 'time')} up to {show_span(worst)} after the full minute: "
            "the settlement is put at the minute, what was known keeps its time"
        )


def intervals_ns(path: Path, findings: Findings, rows: I64, due: I64) -> I64:
    """(n,) the interval that each rate is for; holes are counted and get the interval beside them."""
    steps = np.diff(due)
    if not len(steps):
        raise ImportRefusedError(
            f"{path}: expected two settlements at least, to learn their interval, found {len(due)}; fetch "
            "more of them"
        )
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        raise ImportRefusedError(
            f"{path}: rows {rows[at - 1]} and {rows[at]}: expected one settlement in a minute, found two at "
            f"{show(int(due[at]))}; remove the wrong one"
        )
    before = np.concatenate((steps[1:2], steps[:-1]))
    after = np.concatenate((steps[1:], steps[-2:-1]))
    around = np.maximum(before, after) if len(steps) > 1 else steps
    hole = (steps > around) | (steps > _INTERVAL_NS_MAX)
    usual = np.where(
        hole, np.minimum(np.minimum(before, after), _INTERVAL_NS_MAX) if len(steps) > 1 else steps, steps
    )
    note_holes(findings, due, hole, steps, usual)
    interval = np.concatenate((usual[:1], usual))
    note_changes(findings, due, interval)
    return interval


def note_holes(findings: Findings, due: I64, hole: Mask, steps: I64, usual: I64) -> None:
    """Settlements that must have been, and are not in the file."""
    holes = np.flatnonzero(hole)
    if not len(holes):
        return
    lost = int(np.sum(-(-steps[holes] // usual[holes]) - 1))
    findings.sequence_gaps += len(holes)
    findings.lost_messages += lost
    first = holes[0]
    findings.notes.append(
        f"{many(lost, 'settlement')} missing in {many(len(holes), 'hole')}, first between "
        f"{show(int(due[first]))} and {show(int(due[first + 1]))}"
    )


def note_changes(findings: Findings, due: I64, interval: I64) -> None:
    """The interval as the settlements show it, and when it changed."""
    changes = np.flatnonzero(np.diff(interval)) + 1
    first = show_span(int(interval[0]))
    if not len(changes):
        findings.clock += f"; interval {first}, from the steps between settlements"
        return
    shown = ", ".join(f"{show_span(int(interval[i]))} from {show(int(due[i]))}" for i in changes[:6])
    findings.notes.append(
        f"the funding interval changes: {first}, then {shown}{', ...' if len(changes) > 6 else ''}"
    )


def note_phase(findings: Findings, due: I64, rows: I64) -> None:
    """Venues settle on the full hour UTC."""
    off = due % HOUR_NS != 0
    if off.any():
        at = int(np.argmax(off))
        findings.notes.append(
            f"{many(int(off.sum()), 'settlement')} not on the hour (first in row {rows[at]}: "
            f"{show(int(due[at]))}): their times are shifted"
        )
