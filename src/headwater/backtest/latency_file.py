"""Measured order latency, read from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ConfigurationError

COLUMNS: Final = ("ts", "entry_ns", "response_ns")


def read_latency_file(path: Path) -> npt.NDArray[np.int64]:
    """A series for ``LatencySettings``: shape (n, 3), int64, ascending in ts.

    Parameters
    ----------
    path : CSV or Parquet with the columns ``ts`` (UTC ns), ``entry_ns`` and ``response_ns``, whole numbers

    Raises
    ------
    ConfigurationError : missing, unreadable, a column missing or not whole, negative, or times that run
        backwards
    """
    import polars as pl

    if not path.is_file():
        raise ConfigurationError(f"{path}: expected a file of measured latencies, found none; check the path")
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
        whole = table.select(pl.col(name).cast(pl.Int64, strict=True) for name in COLUMNS)
    except (pl.exceptions.PolarsError, OSError) as error:
        cause = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{path}: expected columns {', '.join(COLUMNS)} of whole numbers, found: {cause}"
        ) from error
    if whole.is_empty() or sum(whole.null_count().row(0)):
        raise ConfigurationError(
            f"{path}: expected at least one row and no empty cell, found {len(whole)} rows; correct the file"
        )
    return _checked(path, np.ascontiguousarray(whole.to_numpy(), np.int64))


def _checked(path: Path, series: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    backward = np.flatnonzero(np.diff(series[:, 0]) < 0)
    negative = np.flatnonzero((series[:, 1:] < 0).any(axis=1))
    for rows, words in ((backward + 1, "ts runs backwards"), (negative, "a latency is negative")):
        if len(rows):
            raise ConfigurationError(f"{path}, row {int(rows[0]) + 1}: {words}; correct the file")
    return series
