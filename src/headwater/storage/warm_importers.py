"""Compile the kernels of the importers before the first import needs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headwater.ports.importer import ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.checked_levels import CheckedBooks
from headwater.storage.data_grid import DataGrid
from headwater.storage.decimal_bytes import as_bytes, fill_units, greatest_common_divisor, scan_column
from headwater.storage.event_rows import BID_DELTA, EventRows
from headwater.storage.frames.binance import BinanceFrames
from headwater.storage.frames.bybit import BybitFrames
from headwater.storage.frames.contract import Frames
from headwater.storage.frames.kraken import KrakenFrames
from headwater.storage.frames.kraken_futures import KrakenFuturesFrames
from headwater.storage.frames.okx import OkxFrames
from headwater.storage.hot_frames import FrameTable
from headwater.storage.stamped_lines import StampedLines


def warm_importers() -> None:
    """Run each kernel once, on one level and one field."""
    rows = EventRows("WARM.UP", "nowhere", DataGrid("WARM.UP", _no_rules, list[str]().append))
    rows.levels(BID_DELTA, 1, 1, b'[["1.5","2"]]')
    rows.end()
    rows.take()
    ones = np.ones(1, np.int64)
    zeros = np.zeros(1, np.int64)
    scan_column(as_bytes(b"1.5"), zeros, np.full(1, 3), ones, zeros)
    fill_units(ones, zeros, 1, zeros)
    greatest_common_divisor(ones)
    _warm_frames()


def _warm_frames() -> None:
    """The scanners of frames: on none, which compiles them all the same."""
    context = ImportContext(instrument=None, grid=_no_rules, progress=_no_progress)
    rows = CaptureRows(Path("nowhere"), context)
    zero = np.empty(0, np.int64)
    none = FrameTable(np.empty(0, np.uint8), zero, zero, zero, zero)
    venues: list[BinanceFrames | Frames] = [BinanceFrames("spot", rows, {}), BybitFrames(rows)]
    venues += [KrakenFrames(rows), KrakenFuturesFrames(rows), OkxFrames(rows)]
    for frames in venues:
        frames.run(none, 0, 0)
    checked = CheckedBooks()
    checked.set_levels(2 * checked.of("book"), b'[["1","2"]]')
    StampedLines(Path("nowhere"), _no_frame).read(b"1 {}\n")


def _no_progress(bytes_done: int) -> None:
    """Nobody watches."""


def _no_frame(line: int, ts_local: int, body: bytes) -> None:
    """No frame is read."""


def _no_rules(instrument: str, ts: int) -> None:
    """No rules for what is no instrument."""
