"""The tape: import a file of each format, read an hour out of a large catalog, replay a long one.

usage: python -m benchmarks.ours.tape {import|query|replay} DATA [--rows N]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from benchmarks.worker import Turn, percentiles, serve, stopwatch
from benchmarks.workloads.order_book_stream import START_NS
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind
from headwater.domain.view import Reads, WakeKind
from headwater.ports.importer import Batch
from headwater.simulation.kinds import MarginMode
from headwater.storage.catalog import Catalog
from headwater.storage.import_job import import_file
from headwater.storage.rules_files import Rulebook, load_rulebook
from headwater.strategies.compiled import compiled

INSTRUMENT: Final = "BTCUSDT-PERP.BYBIT"
HOUR_NS: Final = 3_600_000_000_000
BATCH_ROWS: Final = 1_000_000
BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL | EventFlag.LAST_IN_MESSAGE)
QUERIES: Final = 200
TIMES_SLOWER: Final = 10
"""The catalog's market moves at a tenth of the stream's pace: 50 records a second, 100 M in 23 days."""
SEED: Final = 7


@cache
def _rulebook() -> Rulebook:
    return load_rulebook()


def grid(instrument: str, ts: int) -> tuple[Decimal, Decimal, str] | None:
    """Tick and lot size by the shipped rules."""
    return _rulebook().grid(instrument, ts)


def unwatched(bytes_done: int) -> None:
    """Nobody looks at the progress."""


def import_turn(path: Path) -> Turn:
    """Import the file into an empty catalog; making and removing it is not timed."""
    folder = Path(tempfile.mkdtemp(prefix="headwater-bench-"))
    try:
        catalog = Catalog(folder / "catalog", create=True)
        seconds, report = stopwatch(
            lambda: import_file(catalog, path, instrument=INSTRUMENT, grid=grid, progress=unwatched)
        )
        return seconds, {"rows": report.rows}
    finally:
        shutil.rmtree(folder)


def large_catalog(source: Path, rows: int) -> Catalog:
    """A catalog of `rows` book events, the stream repeated end to end; made once and kept beside the data."""
    folder = source.with_suffix(".catalog")
    with suppress(Exception):
        catalog = Catalog(folder)
        if sum(dataset.rows for dataset in catalog.datasets()) >= rows:
            return catalog
    shutil.rmtree(folder, ignore_errors=True)
    catalog = Catalog(folder, create=True)
    catalog.write(batches(source, rows), source="generated")
    return catalog


def batches(source: Path, rows: int) -> Iterator[Batch]:
    """The stream, repeated end to end until there are `rows`."""
    columns = np.load(source)
    kinds = np.array([0, EventKind.BOOK_DELTA, EventKind.TRADE], np.uint8)
    events = np.zeros(len(columns["kind"]), EVENT_DTYPE)
    for name in ("ts_local", "ts_venue", "price", "size", "side"):
        events[name] = columns[name]
    for name in ("ts_local", "ts_venue"):
        events[name] = START_NS + (events[name] - START_NS) * TIMES_SLOWER
    events["kind"] = kinds[columns["kind"]]
    events["flags"] = BOTH_SIDES
    span_ns = int(events["ts_local"][-1] - events["ts_local"][0]) + HOUR_NS // 3600
    for first in range(0, rows, BATCH_ROWS):
        at = first % len(events)
        batch = events[at : at + BATCH_ROWS].copy()
        for name in ("ts_local", "ts_venue"):
            batch[name] += span_ns * (first // len(events))
        yield Batch(
            instrument=INSTRUMENT,
            events=batch,
            tick_size=Decimal("0.1"),
            lot_size=Decimal("0.001"),
            rules_source="generated",
        )


class HourQueries:
    """Random hours of a large catalog."""

    def __init__(self, catalog: Catalog) -> None:
        (self.catalog, self.random) = (catalog, Random(SEED))
        datasets = catalog.datasets()
        self.first = min(dataset.ts_min for dataset in datasets)
        self.last = max(dataset.ts_max for dataset in datasets) - HOUR_NS

    def one(self) -> Any:
        """All events of one hour."""
        start = self.random.randrange(self.first, self.last)
        return self.catalog.query(INSTRUMENT, start, start + HOUR_NS)

    def turn(self) -> Turn:
        """One query."""
        seconds, events = stopwatch(self.one)
        return seconds, {"rows": len(events)}

    def latency_ns(self) -> dict[str, float]:
        """Percentiles over many queries."""
        durations = []
        for _ in range(QUERIES):
            started = time.perf_counter_ns()
            self.one()
            durations.append(time.perf_counter_ns() - started)
        return percentiles(durations)


@compiled(wakes=WakeKind.EVENT, memory=1, reads=Reads(0))
def count_events(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Woken at each event."""
    memory[0] += 1.0


def replay_turn(folder: Path) -> Turn:
    """Replay all of a catalog, its cache mapped."""
    traded = _rulebook().instrument(INSTRUMENT)
    chosen = BacktestSettings(margin_mode=MarginMode.NONE)

    def work() -> BacktestResult:
        return run_backtest(count_events, Catalog(folder).open([INSTRUMENT]), [traded], chosen)

    seconds, result = stopwatch(work)
    return seconds, {"rows": result.manifest["events"]}


def serve_replay(source: Path, rows: int) -> None:
    """Another process makes the catalog, so that the memory seen is that of replays."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-", dir=source.parent) as name:
        folder = Path(name) / "catalog"
        making = [sys.executable, "-m", "benchmarks.ours.tape", "make", str(source)]
        subprocess.run([*making, "--rows", str(rows), "--into", str(folder)], check=True)
        serve("headwater", ["headwater", "pyarrow"], lambda: replay_turn(folder))


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["import", "query", "replay", "make"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000, help="size of the catalog")
    parser.add_argument("--into", type=Path, help="folder of the catalog to make")
    given = parser.parse_args()
    if given.mode == "make":
        Catalog(given.into, create=True).write(batches(given.data, given.rows), source="generated")
        return
    if given.mode == "replay":
        serve_replay(given.data, given.rows)
        return
    if given.mode == "import":
        serve("headwater", ["headwater", "polars", "pyarrow"], lambda: import_turn(given.data))
        return
    queries = HourQueries(large_catalog(given.data, given.rows))
    serve("headwater", ["headwater", "polars", "pyarrow"], queries.turn, queries.latency_ns)


if __name__ == "__main__":
    main()
