"""The real Binance captures of August 2024, and the grid that is run on each.

Sizes and spacing are scaled to the instrument, so that the grid trades often without leaving the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from headwater.domain.errors import HeadwaterError
from headwater.storage.catalog import Catalog
from headwater.storage.import_job import import_file
from headwater.storage.rules_files import load_rulebook
from headwater.tape.replay import Replay
from tests.truth.grid import Grid


@dataclass(frozen=True, slots=True)
class Capture:
    """Contiguous files of one instrument, by their path in the folder of the real data."""

    instrument: str
    files: tuple[str, ...]
    grid: Grid


CAPTURES: Final = (
    Capture(
        "BTCUSDT-PERP.BINANCE",
        ("l2/binance_usdm_btcusdt_20240808.gz",),
        Grid(tick_size=0.1, lot_size=0.001, interval=2, half_spread=4, size=0.1, position_max=5.0),
    ),
    Capture(
        "ETHUSDT-PERP.BINANCE",
        ("l2/binance_usdm_ethusdt_20240808.gz",),
        Grid(tick_size=0.01, lot_size=0.001, interval=2, half_spread=4, size=1.0, position_max=50.0),
    ),
    Capture(
        "BTCUSDT.BINANCE",
        ("l2/binance_spot_btcusdt_20240808.gz", "l2/binance_spot_btcusdt_20240809.gz"),
        Grid(tick_size=0.01, lot_size=0.000001, interval=50, half_spread=100, size=0.01, position_max=0.5),
    ),
    Capture(
        "ETHUSDT.BINANCE",
        ("l2/binance_spot_ethusdt_20240808.gz", "l2/binance_spot_ethusdt_20240809.gz"),
        Grid(tick_size=0.01, lot_size=0.00001, interval=2, half_spread=4, size=0.1, position_max=5.0),
    ),
)


def _rules(instrument: str, ts: int) -> tuple[Decimal, Decimal, str] | None:
    """Tick and lot size by the shipped rules."""
    return load_rulebook().grid(instrument, ts)


def _unwatched(bytes_done: int) -> None:
    """Nobody looks at the progress."""


def import_array(array: Path, capture: Capture, folder: Path) -> Replay:
    """The peer's own array through our importer and our catalog."""
    catalog = Catalog(folder / "catalog", create=True)
    report = import_file(catalog, array, instrument=capture.instrument, grid=_rules, progress=_unwatched)
    if not report.rows:
        raise HeadwaterError(f"{array}: expected events, found none")
    return catalog.open([capture.instrument])
