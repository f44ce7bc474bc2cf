"""``make demo``: a market, a strategy, a report, by the same commands that anybody would type.

Without ``--tape`` a seeded market is generated; with it, a recording (or a folder of them) is imported and the
strategy chosen by what it holds: a market maker for a book, averages that cross for trades and candles.
"""

from __future__ import annotations

import argparse
import platform
import shlex
import shutil
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import numpy as np

from headwater.cli.app import run
from headwater.domain.event import EventKind
from headwater.domain.grid import neighbours
from headwater.ports.importer import Batch
from headwater.storage.catalog import Catalog
from headwater.storage.export import export_events
from headwater.storage.rules_files import load_rulebook
from headwater.tape import generated
from headwater.tape.dataset import DatasetInfo
from headwater.tape.kind_group import family_of

GENERATED_ROWS: Final = 1_500_000
STRATEGY_OF_FAMILY: Final = {
    "book": "grid_maker",
    "quotes": "avellaneda_stoikov",
    "trades": "ema_cross",
    "bars": "ema_cross",
}
"""In the order in which they are preferred."""

ORDER_VALUE: Final = Decimal(1_000)
"""About what one order is worth, in quote currency."""

ORDERS_HELD_MAX: Final = 10
HALF_SPREAD_BP: Final = Decimal("0.1")
FIRST_RECORDS_NS: Final = 60_000_000_000
INTERVAL_BP: Final = Decimal("0.05")


def generate(catalog: Path, rows: int, seed: int) -> str:
    """Write a seeded market into a new catalog; the id of its instrument."""
    market = generated.generated_market(rows, seed)
    seen = market.instrument
    batch = Batch(
        instrument=seen.id,
        events=market.events,
        tick_size=seen.tick_size,
        lot_size=seen.lot_size,
        rules_source="generated",
    )
    Catalog(catalog, create=True).write([batch], source=f"generated market, seed {seed}")
    return seen.id


def generated_market(path: Path, rows: int, seed: int) -> None:
    """Write book and trades of a seeded market to `path` as an hftbacktest array, to be imported again."""
    with TemporaryDirectory() as folder:
        instrument = generate(Path(folder), rows, seed)
        export_events(Catalog(folder), instrument, path, start=None, end=None, kinds=("book", "trades"))


def step(*arguments: str, accepted: tuple[int, ...] = (0,)) -> None:
    """Show a command, run it, and stop the demo when it fails."""
    print(f"\n$ headwater {shlex.join(arguments)}", flush=True)
    code = run(list(arguments))
    if code not in accepted:
        sys.exit(code)


def choose(datasets: Sequence[DatasetInfo]) -> tuple[DatasetInfo, str]:
    """The largest dataset of the most telling kind, and the strategy for it."""
    for family, strategy in STRATEGY_OF_FAMILY.items():
        candidates = [dataset for dataset in datasets if family_of(dataset.group) == family]
        if candidates:
            return max(candidates, key=lambda dataset: dataset.rows), strategy
    return _refuse("expected a book, quotes, trades or candles, found none of them in this file")


def parameters(strategy: str, price: Decimal, tick: Decimal, lot: Decimal) -> dict[str, Decimal]:
    """Orders of a fair size for any instrument, quoted near enough to be filled."""
    size = neighbours(ORDER_VALUE / price, lot)[1]
    found = {"size": size}
    if strategy == "grid_maker":
        basis_point = price / 10_000 / tick
        found["max_position"] = size * ORDERS_HELD_MAX
        found["half_spread"] = Decimal(max(2, round(HALF_SPREAD_BP * basis_point)))
        found["interval"] = Decimal(max(1, round(INTERVAL_BP * basis_point)))
    return found


def first_price(catalog: Catalog, dataset: DatasetInfo) -> Decimal:
    """A price of the beginning: the median of what the first records say."""
    kinds = [
        EventKind.BOOK_SNAPSHOT,
        EventKind.BOOK_DELTA,
        EventKind.QUOTE,
        EventKind.TRADE,
        EventKind.BAR_OPEN,
    ]
    end = min(dataset.ts_min + FIRST_RECORDS_NS, dataset.ts_max + 1)
    events = catalog.query(dataset.instrument, dataset.ts_min, end, [dataset.group])
    ticks = events["price"][np.isin(events["kind"], kinds)]
    return int(np.median(ticks)) * dataset.tick_size


def import_files(tape: Path, catalog: Path, instrument: str | None) -> None:
    """Bring in a file, or what can be understood of a folder."""
    files = sorted(path for path in tape.rglob("*") if path.is_file()) if tape.is_dir() else [tape]
    named = ["--instrument", instrument] if instrument else []
    accepted = (0, 2) if tape.is_dir() else (0,)
    step("tape", "import", *map(str, files), "--catalog", str(catalog), *named, accepted=accepted)


def backtest(catalog: Path, report: Path) -> None:
    """Choose what to run on what, and run it."""
    opened = Catalog(catalog)
    dataset, strategy = choose(opened.datasets())
    grid = (dataset.tick_size, dataset.lot_size, "data")
    rules = load_rulebook().instrument(dataset.instrument, grid=grid).rules_at(dataset.ts_min)
    price = first_price(opened, dataset)
    tick, lot = max(rules.tick_size, dataset.tick_size), max(rules.lot_size, dataset.lot_size)
    given = [
        f"--param={name}={value.normalize():f}"
        for name, value in parameters(strategy, price, tick, lot).items()
    ]
    where = ["--catalog", str(catalog), "--instrument", dataset.instrument, "--out", str(report)]
    step("backtest", strategy, *where, *given)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tape", type=Path, help="a recording in any format that `headwater tape import` knows, or a folder"
    )
    parser.add_argument("--instrument", help="what the recording holds, where it does not say")
    parser.add_argument("--seed", type=int, default=7, help="of the generated market")
    parser.add_argument("--rows", type=int, default=GENERATED_ROWS, help="of the generated market")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="what is written goes here")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Import, verify, back-test; the report is in ``demo/report``."""
    given = parse(arguments)
    catalog, report = given.folder / "catalog", given.folder / "report"
    shutil.rmtree(catalog, ignore_errors=True)
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.tape is not None:
        import_files(given.tape, catalog, given.instrument)
    else:
        print(f"Generating a market of {given.rows:,} records (seed {given.seed})", flush=True)
        instrument = generate(catalog, given.rows, given.seed)
        kinds = ["--kinds", "book,trades", "--to", str(given.folder / "market.npz")]
        step("tape", "export", "--catalog", str(catalog), "--instrument", instrument, *kinds)
    step("tape", "verify", "--catalog", str(catalog), accepted=(0, 1))
    backtest(catalog, report)
    opener = "open" if platform.system() == "Darwin" else "xdg-open"
    print(f"\nThe report is a page for the browser: {opener} {report / 'report.html'}")


def _refuse(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
