"""Candles of one instrument -> bar events, with what is wrong with them.

A bar is known when it is over: all three of its records carry the end of the bar as ``ts_local``. The length
of the bars is the commonest step between their starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.importers._clock import DAY_NS, show, show_span
from headwater.storage.importers._grid import Gridded, gridded
from headwater.storage.importers._order import in_order, listed, many
from headwater.storage.importers._table import F64, I64, Mask

SEEN_BY_BOTH: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)
WHOLE_MESSAGE: Final = SEEN_BY_BOTH | int(EventFlag.LAST_IN_MESSAGE)

LEAST_PRICE: Final = 1e-12
"""The finest step that prices are kept in."""

_BARS_PER_BATCH: Final = 250_000
_WEEK_NS: Final = 7 * DAY_NS
_RUNS_SHOWN: Final = 5
_LARGE_MOVE: Final = 0.3
_LARGE_DAILY_MOVE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Candles as the file has them, oldest first or not.

    Attributes
    ----------
    rows : (n,) record numbers in the file
    ts_open : (n,) UTC ns
    open, high, low, close : (n,) quote currency
    volume : (n,) base currency
    trades : (n,) number of trades, 0 where the file does not say
    """

    rows: I64
    ts_open: I64
    open: F64
    high: F64
    low: F64
    close: F64
    volume: F64
    trades: I64

    def at(self, kept: I64) -> Candles:
        """The candles at these positions."""
        return Candles(**{name: getattr(self, name)[kept] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What is known of a format beyond its columns.

    Attributes
    ----------
    newest_first : written newest first
    idle_bars_left_out : a bar without trades is not in the file, so that an absent bar is no lost one
    length_ns : length of a bar where the file says it, else None
    volume_in_lots : volume counts what the instrument's lots count
    phase_ns : how long after a whole multiple of their length bars begin, where that is known
    """

    newest_first: bool = False
    idle_bars_left_out: bool = False
    length_ns: int | None = None
    phase_ns: int = 0
    volume_in_lots: bool = True


def bar_batches(
    path: Path, instrument: str, candles: Candles, context: ImportContext, habits: Habits | None = None
) -> Iterator[Batch]:
    """Check candles, note their defects, put them on the grid of their day and yield them as bars."""
    habits = habits or Habits()
    candles, length_ns = tidy(path, instrument, candles, context, habits)
    prices = np.stack((candles.open, candles.high, candles.low, candles.close))
    for part in gridded(
        path,
        context,
        instrument,
        candles.ts_open,
        candles.rows,
        prices,
        candles.volume,
        sizes_are_lots=habits.volume_in_lots,
    ):
        events = bar_events(candles.ts_open[part.span], length_ns, part, candles.trades[part.span])
        for begin in range(0, len(events), 3 * _BARS_PER_BATCH):
            yield Batch(
                instrument=instrument,
                events=events[begin : begin + 3 * _BARS_PER_BATCH],
                tick_size=part.tick_size,
                lot_size=part.lot_size,
                rules_source=part.rules_source,
            )


def tidy(
    path: Path, instrument: str, candles: Candles, context: ImportContext, habits: Habits
) -> tuple[Candles, int]:
    """Checked candles, oldest first, and the length of a bar in ns; defects go to the findings."""
    findings = context.findings_of(instrument)
    refuse_absurd(path, candles)
    values = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    candles = candles.at(
        in_order(path, findings, candles.rows, candles.ts_open, values, newest_first=habits.newest_first)
    )
    length_ns = bar_length_ns(path, candles.rows, candles.ts_open, habits.length_ns)
    findings.latency_usable = False
    source = "as the file says" if habits.length_ns else "their commonest step"
    findings.clock = f"absent: bars of {show_span(length_ns)} ({source}) are taken as known at their end"
    note_phase(path, findings, candles, length_ns, habits.phase_ns)
    note_holes(findings, candles.ts_open, length_ns, habits)
    note_idle(findings, candles, length_ns)
    note_stale(findings, candles)
    note_jumps(findings, candles, length_ns, habits)
    return candles, length_ns


def refuse_absurd(path: Path, candles: Candles) -> None:
    """Refuse prices that are not positive, volumes below zero, and bars whose range does not hold their
    ends.
    """
    for field in ("open", "high", "low", "close"):
        _refuse(path, candles, field, getattr(candles, field) < LEAST_PRICE, "a price above 0")
    _refuse(path, candles, "volume", candles.volume < 0, "a volume of at least 0")
    top = np.maximum(candles.open, candles.close)
    bottom = np.minimum(candles.open, candles.close)
    _refuse(path, candles, "high", candles.high < top, "a high not below open and close")
    _refuse(path, candles, "low", candles.low > bottom, "a low not above open and close")


def _refuse(path: Path, candles: Candles, field: str, bad: Mask, expected: str) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise ImportRefusedError(
            f"{path}: row {candles.rows[at]} ({show(int(candles.ts_open[at]))}), field '{field}': expected "
            f"{expected}, found {getattr(candles, field)[at]}; mend or remove the row ({int(bad.sum())} such)"
        )


def bar_length_ns(path: Path, rows: I64, ts_open: I64, known_ns: int | None) -> int:
    """The commonest step between bars, the shorter of two equally common ones, unless the length is known.

    Raises
    ------
    ImportRefusedError
        Fewer than two bars, or a bar that begins before the one before it is over.
    """
    steps = np.diff(ts_open)
    if not len(steps) and known_ns is None:
        raise ImportRefusedError(
            f"{path}: expected two bars at least, to learn their length, found {len(ts_open)}; fetch more of "
            "them"
        )
    length_ns = known_ns or commonest(steps)
    short = steps < length_ns
    if short.any():
        at = int(np.argmax(short)) + 1
        raise ImportRefusedError(
            f"{path}: row {rows[at]}: expected bars of {show_span(length_ns)}, found "
            f"{show(int(ts_open[at]))} only {show_span(int(steps[at - 1]))} after row {rows[at - 1]} "
            f"({int(short.sum())} such); correct the times"
        )
    return length_ns


def commonest(steps: I64) -> int:
    """The commonest of these numbers, the least of several equally common ones."""
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[np.argmax(counts)])


def note_phase(path: Path, findings: Findings, candles: Candles, length_ns: int, known_ns: int) -> None:
    """Bars begin at whole multiples of their length since 1970; a constant offset is noted, a changing one
    refused.
    """
    phase = candles.ts_open % length_ns
    changed = phase != phase[0]
    if changed.any():
        at = int(np.argmax(changed))
        shift = int(phase[at] - phase[at - 1])
        raise ImportRefusedError(
            f"{path}: row {candles.rows[at]}: expected bars every {show_span(length_ns)}, found "
            f"{show(int(candles.ts_open[at]))}, {show_span(abs(shift))} {'late' if shift > 0 else 'early'} "
            f"against the rows before it; correct the times from there on"
        )
    if phase[0] != known_ns and length_ns < _WEEK_NS:
        findings.notes.append(
            f"every bar begins {show_span(int(phase[0]))} after a whole multiple of {show_span(length_ns)} "
            "UTC: the times are shifted or those of another zone"
        )


def note_holes(findings: Findings, ts_open: I64, length_ns: int, habits: Habits) -> None:
    """Absent bars: lost ones, or minutes without a trade where the venue leaves those out."""
    absent = np.diff(ts_open) // length_ns - 1
    holes = np.flatnonzero(absent)
    if not len(holes):
        return
    total = int(absent.sum())
    longest = holes[np.argmax(absent[holes])]
    where = (
        f"{many(total, 'bar')} absent in {many(len(holes), 'hole')}, first from "
        f"{show(int(ts_open[holes[0]]) + length_ns)}, the longest "
        f"{show_span(int(absent[longest]) * length_ns)} from {show(int(ts_open[longest]) + length_ns)}"
    )
    if habits.idle_bars_left_out:
        findings.notes.append(f"{where}: the venue prints no bar without a trade")
        return
    findings.sequence_gaps += len(holes)
    findings.lost_messages += total
    findings.notes.append(f"{where}: missing from the file")


def note_idle(findings: Findings, candles: Candles, length_ns: int) -> None:
    """Bars without volume: a halt of the venue, or a volume that was never recorded."""
    idle = candles.volume == 0
    if not idle.any():
        return
    runs = _runs(idle)
    shown = ", ".join(
        show(int(candles.ts_open[begin]))
        if stop - begin == 1
        else f"{show(int(candles.ts_open[begin]))} to {show(int(candles.ts_open[stop - 1]))}"
        for begin, stop in runs[:_RUNS_SHOWN].tolist()
    )
    more = f" and {len(runs) - _RUNS_SHOWN} more runs" if len(runs) > _RUNS_SHOWN else ""
    findings.notes.append(
        f"{many(int(idle.sum()), 'zero-volume bar')} of {show_span(length_ns)} (starts: {shown}{more}): no "
        "trade, a venue halt or an outage"
    )


def _runs(flags: Mask) -> I64:
    """(k, 2) begin and end (excluded) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return edges.reshape(-1, 2)


def note_stale(findings: Findings, candles: Candles) -> None:
    """Neighbouring rows with the same volume and the same prices, at least three different ones."""
    by_row = np.argsort(candles.rows)
    some = candles.at(by_row)
    rich = np.zeros(len(some.rows), np.bool_)  # bars of one or two prices repeat by chance in a quiet market
    for column in (some.open, some.close):
        rich |= (column < some.high) & (column > some.low)
    same = rich[1:] & (some.volume[1:] > 0)
    for column in (some.open, some.high, some.low, some.close, some.volume):
        same &= column[1:] == column[:-1]
    if same.any():
        rows = some.rows[1:][same]
        findings.notes.append(
            f"{many(len(rows), 'bar')} with exactly the prices and the volume of the row before, under "
            f"another time (rows {listed(rows)}): one of the two is doubtful; both kept"
        )


def note_jumps(findings: Findings, candles: Candles, length_ns: int, habits: Habits) -> None:
    """Closes that moved very far: kept, since such bars are consistent in themselves, and named."""
    before, after = candles.close[:-1], candles.close[1:]
    limit = _LARGE_DAILY_MOVE if length_ns >= DAY_NS else _LARGE_MOVE
    moves = after / before - 1.0
    large = np.flatnonzero(np.abs(moves) > limit)
    if len(large):
        shown = ", ".join(
            f"{moves[i]:+.1%} at {show(int(candles.ts_open[i + 1]))}" for i in large[:_RUNS_SHOWN]
        )
        findings.notes.append(
            f"{many(len(large), 'close')} moved by more than {limit:.0%} in one bar ({shown}): kept as "
            "printed"
        )
    if habits.idle_bars_left_out and len(before):
        share = float(np.mean(candles.open[1:] != before))
        findings.notes.append(f"the open differs from the close before it in {share:.1%} of the bars")


def bar_events(ts_open: I64, length_ns: int, part: Gridded, trades: I64) -> Events:
    """Three records for each bar."""
    count = len(ts_open)
    events = np.zeros(3 * count, EVENT_DTYPE)
    events["ts_local"] = np.repeat(ts_open + length_ns, 3)
    events["ts_venue"] = events["ts_local"]
    first, second, third = events[0::3], events[1::3], events[2::3]
    first["ts_venue"] = ts_open
    first["price"], second["price"], second["size"], third["price"] = part.prices
    first["size"] = trades
    third["size"] = part.volume
    first["kind"], second["kind"], third["kind"] = (
        EventKind.BAR_OPEN,
        EventKind.BAR_RANGE,
        EventKind.BAR_CLOSE,
    )
    events["flags"] = SEEN_BY_BOTH
    third["flags"] = WHOLE_MESSAGE
    return events
