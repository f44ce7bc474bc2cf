"""The workloads: what is done to which data, by whom."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

FOLDER: Final = Path(__file__).resolve().parent
DATA: Final = FOLDER / ".data"
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Data:
    """Generated columns, kept on disk so that every side reads the same file.

    Attributes
    ----------
    generator : module in ``benchmarks.workloads`` and function in it: ``ticks:trades``
    count : rows, or whatever the generator counts
    """

    generator: str
    count: int

    suffix: ClassVar[str] = ".npz"

    def path(self) -> Path:
        """The file, made at first use; whole or absent, never half-written."""
        target = DATA / f"{self.generator.replace(':', '-')}-{self.count}-{SEED}{self.suffix}"
        if not target.exists():
            DATA.mkdir(exist_ok=True)
            unfinished = target.with_suffix(".unfinished" + self.suffix)
            self.write(unfinished)
            unfinished.rename(target)
        return target

    def generate(self) -> Callable[..., Any]:
        """The generator itself."""
        module, _, name = self.generator.partition(":")
        generate: Callable[..., Any] = getattr(import_module(f"benchmarks.workloads.{module}"), name)
        return generate

    def write(self, path: Path) -> None:
        """Make the columns and save them."""
        np.savez(path, allow_pickle=False, **self.generate()(self.count, SEED))


class FileData(Data):
    """A file that its generator writes itself."""

    def write(self, path: Path) -> None:
        """Let the generator write it."""
        self.generate()(path, self.count, SEED)


class TextData(FileData):
    """A text file that its generator writes itself."""

    suffix: ClassVar[str] = ".txt"


@dataclass(frozen=True, slots=True)
class SideSpec:
    """A command that serves one side; see ``benchmarks.worker``.

    Attributes
    ----------
    environment : "" for Headwater's own, else the name of the peer whose environment it needs
    module : run with ``python -m``, the data file as its second argument
    arguments : mode first
    """

    environment: str
    module: str
    arguments: tuple[str, ...]

    def python(self) -> Path:
        """Interpreter of the environment; it may not be installed."""
        if not self.environment:
            return Path(sys.executable)
        folder = Path(os.environ.get("HEADWATER_PEERS", FOLDER / "peers"))
        return folder / f".env-{self.environment}" / "bin" / "python"

    def command(self, data: Path) -> list[str]:
        """The whole command line."""
        mode, *others = self.arguments
        return [str(self.python()), "-m", self.module, mode, str(data), *others]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One line of the result.

    Attributes
    ----------
    name, title : short, and what is done in words
    unit : what `data.count` (or `size`) counts
    ours, peers : the sides
    compared : figures of the checks on which both sides must agree, with the relative difference allowed
    size : what the rate is computed from where it is not the number of rows
    size_from : figure of our check that says the size where only the work itself can tell
    """

    name: str
    title: str
    unit: str
    data: Data
    ours: SideSpec
    peers: tuple[SideSpec, ...] = ()
    compared: dict[str, float] | None = None
    size: int = 0
    size_from: str = ""


def _peer(environment: str, module: str, *arguments: str) -> SideSpec:
    return SideSpec(environment, f"benchmarks.peers.{module}", arguments)


def _ours(module: str, *arguments: str) -> SideSpec:
    return SideSpec("", f"benchmarks.ours.{module}", arguments)


def _importing(environment: str, module: str) -> SideSpec:
    return SideSpec(environment, "benchmarks.start_up", ("import", module))


BOOK: Final = Data("order_book_stream:order_book_stream", 5_000_000)
QUOTES: Final = Data("ticks:best_quotes", 1_000_000)
TRADES: Final = Data("ticks:trades", 1_000_000)
YEAR: Final = Data("minute_bars:minute_bars", 525_600)
BARS: Final = Data("minute_bars:minute_bars", 100_000)
EXACT: Final = 0.0
ROUNDED: Final = 1e-3
FLOATING: Final = 1e-9
GRID: Final = {
    "submits": EXACT,
    "cancels": EXACT,
    "trades": EXACT,
    "position": FLOATING,
    "balance": FLOATING,
    "fee": FLOATING,
}

WORKLOADS: Final = (
    Workload(
        name="feed",
        title="order-book events, best bid and offer read at each, exchange side on",
        unit="events",
        data=BOOK,
        ours=_ours("replay", "feed"),
        peers=(_peer("hftbacktest", "hftbacktest_replay", "feed"),),
        compared={"steps": EXACT, "touch_sum": EXACT},
    ),
    Workload(
        name="elapse",
        title="order-book events, best bid and offer read every 100 ms, exchange side on",
        unit="events",
        data=BOOK,
        ours=_ours("replay", "elapse"),
        peers=(_peer("hftbacktest", "hftbacktest_replay", "elapse"),),
        compared={"steps": EXACT, "touch_sum": FLOATING},
    ),
    Workload(
        name="grid",
        title="compiled market maker, 10 + 10 orders every 100 ms, risk-averse queue, position in lots",
        unit="events",
        data=BOOK,
        ours=_ours("replay", "grid", "--queue", "risk"),
        peers=(
            _peer("hftbacktest", "hftbacktest_replay", "grid", "--queue", "risk"),
            _peer("hftbacktest", "hftbacktest_replay", "grid", "--queue", "risk", "--depth", "hashmap"),
        ),
        # The peer's position is a sum of doubles, which decides one order in ten thousand otherwise.
        compared={"steps": EXACT, "submits": ROUNDED, "cancels": ROUNDED, "trades": ROUNDED},
    ),
    Workload(
        name="grid-doubles",
        title="the same with the position as a sum of doubles, woken at each fill to add it: equal to the last fill",
        unit="events",
        data=BOOK,
        ours=_ours("replay", "grid-doubles", "--queue", "risk"),
        peers=(_peer("hftbacktest", "hftbacktest_replay", "grid", "--queue", "risk"),),
        compared=GRID,
    ),
    Workload(
        name="grid-power",
        title="the same with the power-probability queue",
        unit="events",
        data=BOOK,
        ours=_ours("replay", "grid-doubles", "--queue", "power"),
        peers=(_peer("hftbacktest", "hftbacktest_replay", "grid", "--queue", "power"),),
        compared=GRID,
    ),
    Workload(
        name="quotes",
        title="Python strategy that reads bid and ask at each quote",
        unit="quotes",
        data=QUOTES,
        ours=_ours("ticks", "quotes"),
        peers=(_peer("nautilus", "nautilus_ticks", "quotes"),),
        compared={"quotes": EXACT, "touch_sum": EXACT},
    ),
    Workload(
        name="trades",
        title="trades to one-minute bars to a crossing of two averages",
        unit="trades",
        data=TRADES,
        ours=_ours("ticks", "trades"),
        peers=(_peer("nautilus", "nautilus_ticks", "trades"),),
        compared={"bars": EXACT},
    ),
    Workload(
        name="bars",
        title="a year of one-minute bars, crossing of two averages, always in the market",
        unit="bars",
        data=YEAR,
        ours=_ours("bars", "bars"),
        peers=(_peer("vectorbt", "vectorbt_bars", "bars"), _peer("backtesting", "backtesting_bars", "bars")),
        compared={"equity": FLOATING},
    ),
    Workload(
        name="bars-stats",
        title="the same with report statistics",
        unit="bars",
        data=YEAR,
        ours=_ours("bars", "bars-stats"),
        peers=(_peer("vectorbt", "vectorbt_bars", "bars-stats"),),
        compared={"equity": FLOATING},
    ),
    Workload(
        name="sweep",
        title="1,000 pairs of averages over 100,000 bars",
        unit="pairs",
        data=BARS,
        ours=_ours("bars", "sweep"),
        peers=(_peer("vectorbt", "vectorbt_bars", "sweep"),),
        compared={"pairs": EXACT, "trades": EXACT, "return_sum": FLOATING},
        size=1_000,
    ),
    *(
        Workload(
            name=f"import-{data.generator.partition(':')[2].replace('_', '-')}",
            title="order-book recording into an empty catalog, from disk to disk",
            unit="level rows",
            data=data,
            ours=_ours("tape", "import"),
            size_from="rows",
        )
        for data in (
            TextData("capture_files:bybit_archive", 100_000),
            TextData("capture_files:cryptofeed", 100_000),
            TextData("capture_files:hftbacktest_raw", 100_000),
            TextData("capture_files:tardis", 100_000),
            FileData("capture_files:hftbacktest_npz", 2_000_000),
        )
    ),
    Workload(
        name="query",
        title="all events of a random hour out of a catalog of 100 M, warm",
        unit="events",
        data=BOOK,
        ours=_ours("tape", "query"),
        size_from="rows",
    ),
    *(
        Workload(
            name=f"replay-{rows // 1_000_000}m",
            title="replay from a catalog, woken at each event; its memory does not grow with the tape",
            unit="events",
            data=BOOK,
            ours=_ours("tape", "replay", "--rows", str(rows)),
            size_from="rows",
        )
        for rows in (5_000_000, 50_000_000)
    ),
    Workload(
        name="first-event",
        title="`headwater backtest` in a fresh process, to the strategy's first event, kernels warm",
        unit="starts",
        data=BOOK,
        ours=_ours("first_event", "first"),
        size=1,
    ),
    Workload(
        name="import",
        title="importing the package in a fresh process",
        unit="imports",
        data=BARS,
        ours=_importing("", "headwater"),
        size=1,
    ),
    Workload(
        name="import-engine",
        title="importing all that a back-test needs in a fresh process",
        unit="imports",
        data=BARS,
        ours=_importing("", "headwater.backtest.run"),
        peers=(
            _importing("hftbacktest", "hftbacktest"),
            _importing("nautilus", "nautilus_trader.backtest.engine"),
            _importing("vectorbt", "vectorbt"),
            _importing("backtesting", "backtesting"),
        ),
        compared={},
        size=1,
    ),
    Workload(
        name="help",
        title="`headwater --help`, the whole process",
        unit="starts",
        data=BARS,
        ours=SideSpec("", "benchmarks.start_up", ("command", "headwater", "--help")),
        size=1,
    ),
)
