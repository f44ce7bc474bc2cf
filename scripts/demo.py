"""``make demo``: a market, a strategy, a report, by the same commands that anybody would type.

Without ``--tape`` a seeded market is generated; with it, a recording is imported and the strategy chosen by
what the recording holds: a market maker for a book, averages that cross for trades and candles.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.cli.app import run
from headwater.storage.catalog import Catalog
from headwater.tape.dataset import DatasetInfo
from headwater.tape.kind_group import family_of

GENERATED_ROWS: Final = 600_000
GENERATED_INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
STRATEGY_OF_FAMILY: Final = {
    "book": "grid_maker",
    "quotes": "ema_cross",
    "trades": "ema_cross",
    "bars": "ema_cross",
}
"""In the order in which they are preferred."""

# What one row means to hftbacktest, whose array format is used to hand the market over.
_DEPTH: Final = 1
_CLEAR: Final = 3
_SNAPSHOT: Final = 4
_BOTH_SIDES: Final = 1 << 31 | 1 << 30
_BUY: Final = 1 << 29
_SELL: Final = 1 << 28
ROW_DTYPE: Final = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ]
)


def generated_market(path: Path, rows: int, seed: int) -> None:
    """Write a seeded market to `path` as an hftbacktest array: a snapshot, then updates and trades."""
    from benchmarks.workloads.order_book_stream import OPENING_ROWS, order_book_stream

    stream = order_book_stream(rows, seed)
    market: npt.NDArray[Any] = np.zeros(rows, ROW_DTYPE)
    market["ev"] = stream["kind"] + np.where(stream["side"] > 0, _BUY, _SELL) + _BOTH_SIDES
    market["exch_ts"] = stream["ts_venue"]
    market["local_ts"] = stream["ts_local"]
    market["px"] = np.round(stream["price"] * 0.1, 1)
    market["qty"] = np.round(stream["size"] * 0.001, 3)
    opening = market[:OPENING_ROWS]
    opening["ev"] += _SNAPSHOT - _DEPTH
    clear: npt.NDArray[Any] = np.zeros(2, ROW_DTYPE)
    clear["ev"] = [_CLEAR + _BUY + _BOTH_SIDES, _CLEAR + _SELL + _BOTH_SIDES]
    for part in (clear, opening):  # one message
        part["exch_ts"], part["local_ts"] = opening["exch_ts"][-1], opening["local_ts"][-1]
    np.savez(path, data=np.concatenate([clear, market]))


def step(*arguments: str, accepted: tuple[int, ...] = (0,)) -> None:
    """Show a command, run it, and stop the demo when it fails."""
    print(f"\n$ headwater {shlex.join(arguments)}", flush=True)
    code = run(list(arguments))
    if code not in accepted:
        sys.exit(code)


def choose(datasets: list[DatasetInfo]) -> tuple[DatasetInfo, str]:
    """The largest dataset of the most telling kind, and the strategy for it."""
    for family, strategy in STRATEGY_OF_FAMILY.items():
        candidates = [dataset for dataset in datasets if family_of(dataset.group) == family]
        if candidates:
            return max(candidates, key=lambda dataset: dataset.rows), strategy
    print(
        "error: expected a book, quotes, trades or candles, found none of them in this file", file=sys.stderr
    )
    sys.exit(2)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tape", type=Path, help="a recording in any format that `headwater tape import` knows"
    )
    parser.add_argument("--instrument", help="what the recording holds, where it does not say")
    parser.add_argument("--seed", type=int, default=7, help="of the generated market")
    parser.add_argument("--rows", type=int, default=GENERATED_ROWS, help="of the generated market")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="what is written goes here")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Import, verify, back-test; the report is in ``demo/report``."""
    given = parse(arguments)
    catalog = given.folder / "catalog"
    shutil.rmtree(catalog, ignore_errors=True)
    given.folder.mkdir(parents=True, exist_ok=True)
    tape, instrument = given.tape, given.instrument
    if tape is None:
        tape, instrument = given.folder / "market.npz", GENERATED_INSTRUMENT
        print(f"Generating a market of {given.rows:,} events (seed {given.seed})")
        generated_market(tape, given.rows, given.seed)
    named = ["--instrument", instrument] if instrument else []
    step("tape", "import", str(tape), "--catalog", str(catalog), *named)
    step("tape", "verify", "--catalog", str(catalog), accepted=(0, 1))
    dataset, strategy = choose(Catalog(catalog).datasets())
    report = given.folder / "report"
    where = ["--catalog", str(catalog), "--instrument", dataset.instrument, "--out", str(report)]
    step("backtest", strategy, *where)


if __name__ == "__main__":
    main(sys.argv[1:])
