"""Compile the kernels of the importers before the first import needs them."""

from __future__ import annotations

import numpy as np

from headwater.storage.data_grid import DataGrid
from headwater.storage.decimal_bytes import as_bytes, fill_units, greatest_common_divisor, scan_column
from headwater.storage.event_rows import BID_DELTA, EventRows


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


def _no_rules(instrument: str, ts: int) -> None:
    """No rules for what is no instrument."""
