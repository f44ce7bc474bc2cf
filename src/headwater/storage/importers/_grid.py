"""Prices and volumes of one instrument on the grid of their day, or on an inferred one where they are off
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Findings, GridLookup, ImportContext
from headwater.storage.importers._clock import DAY_NS, show
from headwater.storage.importers._decimal import Decimals, decimals, on_grid
from headwater.storage.importers._table import F64, I64

INFERRED: Final = "inferred"
_WEEK_NS: Final = 7 * DAY_NS
_ANOTHER_MARKET: Final = 0.1
_DIGITS_LOST_MAX: Final = 1e-9
NO_GRID: Final = (Decimal(1), Decimal(1), "file")
"""The grid of events that count neither ticks nor lots, when the rules are unknown: it refines no other
grid.
"""

Rule: TypeAlias = tuple[Decimal, Decimal, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gridded:
    """A run of records on one grid.

    Attributes
    ----------
    span : which records
    prices : (p, m) ticks, one line for each price field
    volume : (m,) lots
    """

    span: slice
    prices: I64
    volume: I64
    tick_size: Decimal
    lot_size: Decimal
    rules_source: str


def grid_of(context: ImportContext, instrument: str, ts: int) -> Rule:
    """The grid in force, for events that do not count in it."""
    return context.grid(instrument, ts) or NO_GRID


def rule_spans(grid: GridLookup, instrument: str, ts: I64) -> Iterator[tuple[slice, Rule | None]]:
    """Runs of records (times rising) under the same rules; a change is found to the record.

    Rules are asked for at the first record of each week, and where two weeks differ the change is bisected:
    rules that change and change back within a week are not seen.
    """
    weeks = np.flatnonzero(np.diff(ts // _WEEK_NS, prepend=np.int64(-1)))
    probes = np.unique(np.append(weeks, len(ts) - 1))
    begin, rule = 0, grid(instrument, int(ts[0]))
    for at in probes[1:].tolist():
        later = grid(instrument, int(ts[at]))
        if later == rule:
            continue
        low, high = begin, at  # the old rule holds at low, no longer at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if grid(instrument, int(ts[middle])) == rule else (low, middle)
        yield slice(begin, high), rule
        begin, rule = high, later
    yield slice(begin, len(ts)), rule


def gridded(
    path: Path,
    context: ImportContext,
    instrument: str,
    ts: I64,
    rows: I64,
    prices: F64,
    volume: F64,
    *,
    size_name: str = "volumes",
    sizes_are_lots: bool = True,
) -> Iterator[Gridded]:
    """Put prices (p, n) and volumes (n,) on the grid in force at `ts`, with a finding for what is off it.

    Volumes that do not count what the instrument's lots count (`sizes_are_lots` false) stay on an inferred
    grid.

    Raises
    ------
    ImportRefusedError
        One price is so much larger than another that no int64 holds both.
    """
    findings = context.findings_of(instrument)
    all_prices = decimals(prices.ravel())
    all_volumes = decimals(volume)
    note_rounding(findings, "prices", all_prices)
    note_rounding(findings, size_name, all_volumes)
    units = all_prices.units.reshape(prices.shape)
    _refuse_lost_digits(path, rows, prices, units, all_prices.places)
    for span, rule in rule_spans(context.grid, instrument, ts):
        at = (ts[span], rows[span])
        some_prices = Decimals(units=units[:, span], places=all_prices.places, rounded=0)
        some_volumes = Decimals(units=all_volumes.units[span], places=all_volumes.places, rounded=0)
        ticks, tick_size = _counted(findings, "prices", some_prices, rule and rule[0], at)
        lots, lot_size = _counted(
            findings, size_name, some_volumes, rule[1] if rule and sizes_are_lots else None, at
        )
        kept = rule is not None and (tick_size, lot_size) == rule[:2]
        yield Gridded(
            span=span,
            prices=ticks,
            volume=lots,
            tick_size=tick_size,
            lot_size=lot_size,
            rules_source=rule[2] if kept and rule else INFERRED,
        )


def _refuse_lost_digits(path: Path, rows: I64, prices: F64, units: I64, places: int) -> None:
    lost = np.abs(units / 10.0**places - prices) > _DIGITS_LOST_MAX * prices
    if lost.any():
        at = int(np.argmax(prices.max(axis=0)))
        raise ImportRefusedError(
            f"{path}: row {rows[at]}: expected prices of one magnitude, found {prices[:, at].max():g} beside "
            f"{prices.min():g}; mend or remove the row"
        )


def _counted(
    findings: Findings, what: str, numbers: Decimals, step: Decimal | None, at: tuple[I64, I64]
) -> tuple[I64, Decimal]:
    """Counts of the step in force, or of the inferred one when there is none or a number is off it."""
    if step is None:
        return numbers.units, numbers.step
    try:
        counts, off = on_grid(numbers, step)
    except OverflowError:
        findings.notes.append(
            f"{what} do not fit the grid in force ({step:f}): kept on the inferred step {numbers.step:f}"
        )
        return numbers.units, numbers.step
    if not off.any():
        return counts, step
    flat = np.argwhere(off)[0]
    record = int(flat[-1])
    value = Decimal(int(numbers.units[tuple(flat)])) * numbers.step
    doubt = "; is the file of another market?" if off.mean() > _ANOTHER_MARKET else ""
    findings.notes.append(
        f"{int(off.sum())} of {off.size} {what} are off the grid in force (step {step:f}; first {value:f} in "
        f"row {at[1][record]}, {show(int(at[0][record]))}): kept on the inferred step {numbers.step:f}{doubt}"
    )
    return numbers.units, numbers.step


def note_rounding(findings: Findings, what: str, numbers: Decimals) -> None:
    """Say when a number had more digits than fit."""
    if numbers.rounded:
        findings.notes.append(
            f"{numbers.rounded} {what} were not exact decimals and were rounded to {numbers.step:f}"
        )
