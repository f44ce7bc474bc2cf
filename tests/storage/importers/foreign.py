"""Reads foreign files the way the catalog does, and damages them the way the world does."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.ports.importer import Batch, Findings, GridLookup, ImportContext
from headwater.storage.importers import recognise


def no_rules(instrument: str, ts: int) -> tuple[Decimal, Decimal, str] | None:
    """Nothing is known of any instrument."""
    del instrument, ts
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came out of one file."""

    format: str
    batches: list[Batch]
    findings: dict[str, Findings] = field(default_factory=dict)

    def events(self, instrument: str | None = None) -> Events:
        """All events (of one instrument), in order."""
        parts = [batch.events for batch in self.batches if instrument in (None, batch.instrument)]
        return np.concatenate(parts) if parts else np.zeros(0, EVENT_DTYPE)

    def only(self) -> Findings:
        """The findings of a file of one instrument."""
        (findings,) = self.findings.values()
        return findings

    def notes(self) -> str:
        """All notes as one text."""
        return "\n".join(note for findings in self.findings.values() for note in findings.notes)


def read(path: Path, instrument: str | None = None, grid: GridLookup = no_rules) -> Reading:
    """Recognise and read a file, checking what holds for every importer."""
    context = ImportContext(instrument=instrument, grid=grid, progress=lambda _: None)
    importer = recognise(path)
    batches = list(importer.batches(path, context))
    for batch in batches:
        assert batch.events.dtype == EVENT_DTYPE
        assert 0 < len(batch.events) <= 1_000_000
        assert batch.tick_size > 0
        assert batch.lot_size > 0
        assert batch.events["flags"][-1] & EventFlag.LAST_IN_MESSAGE
        assert (batch.events["ts_local"] >= batch.events["ts_venue"]).all()
        assert (np.diff(batch.events["ts_local"]) >= 0).all()
    return Reading(format=importer.name, batches=batches, findings=context.findings)


def bars(reading: Reading, instrument: str | None = None) -> pl.DataFrame:
    """Bars as decimals in a frame: ts_open, ts_close, open, high, low, close, volume, trades."""
    frames = []
    for batch in reading.batches:
        events = batch.events
        if instrument not in (None, batch.instrument) or events["kind"][0] != EventKind.BAR_OPEN:
            continue
        first, second, third = events[0::3], events[1::3], events[2::3]
        assert (first["kind"] == EventKind.BAR_OPEN).all()
        assert (second["kind"] == EventKind.BAR_RANGE).all()
        assert (third["kind"] == EventKind.BAR_CLOSE).all()
        tick, lot = float(batch.tick_size), float(batch.lot_size)
        frames.append(
            pl.DataFrame(
                {
                    "ts_open": first["ts_venue"],
                    "ts_close": third["ts_local"],
                    "open": first["price"] * tick,
                    "high": second["price"] * tick,
                    "low": second["size"] * tick,
                    "close": third["price"] * tick,
                    "volume": third["size"] * lot,
                    "trades": first["size"],
                }
            )
        )
    return pl.concat(frames)


Rows = pl.DataFrame | list[str]
Damage = Callable[[Rows], Rows]


def damaged(path: Path, target: Path, damage: Damage, header_lines: int = 1) -> Path:
    """A copy of `path` at `target` (a name that says nothing) with its records damaged."""
    if path.suffix == ".parquet":
        rows = damage(pl.read_parquet(path))
        assert isinstance(rows, pl.DataFrame)
        rows.write_parquet(target)
        return target
    body = path.read_bytes()
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    lines = text.decode().splitlines(keepends=True)
    records = damage(lines[header_lines:])
    assert isinstance(records, list)
    target.write_text("".join([*lines[:header_lines], *records]), newline="")
    return target


def pick(rows: Rows, order: Sequence[int]) -> Rows:
    """The rows at these positions."""
    return rows[list(order)] if isinstance(rows, pl.DataFrame) else [rows[i] for i in order]


def drop(at: int, count: int = 1) -> Damage:
    """Leave out `count` rows from `at` on."""
    return lambda rows: pick(rows, [i for i in range(len(rows)) if not at <= i < at + count])


def repeat(at: int) -> Damage:
    """Write the row at `at` twice."""
    return lambda rows: pick(rows, [*range(at + 1), *range(at, len(rows))])


def swap(at: int) -> Damage:
    """Exchange the row at `at` and the next."""
    return lambda rows: pick(rows, [*range(at), at + 1, at, *range(at + 2, len(rows))])


def cut(at: int) -> Damage:
    """Keep only the first `at` rows."""
    return lambda rows: pick(rows, range(at))
