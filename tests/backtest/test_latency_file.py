"""Measured latencies are read whole or refused with the row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from headwater.backtest.latency_file import read_latency_file
from headwater.domain.errors import ConfigurationError

ROWS = {"ts": [1, 1, 5], "entry_ns": [10, 20, 30], "response_ns": [11, 21, 31]}


def test_csv_and_parquet_read_alike(tmp_path: Path) -> None:
    table = pl.DataFrame(ROWS)
    table.write_csv(tmp_path / "a.csv")
    table.write_parquet(tmp_path / "a.parquet")
    expected = [[1, 10, 11], [1, 20, 21], [5, 30, 31]]
    assert read_latency_file(tmp_path / "a.csv").tolist() == expected
    assert read_latency_file(tmp_path / "a.parquet").tolist() == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ts": [1, 0, 5]}, "row 2: ts runs backwards"),
        ({"entry_ns": [1, 2, -3]}, "row 3: a latency is negative"),
        ({"response_ns": [1, None, 3]}, "no empty cell"),
        ({"entry_ns": ["a", "b", "c"]}, "expected columns ts, entry_ns, response_ns of whole numbers"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, list[object]], words: str) -> None:
    path = tmp_path / "a.csv"
    pl.DataFrame({**ROWS, **change}, strict=False).write_csv(path)
    with pytest.raises(ConfigurationError, match=words) as refused:
        read_latency_file(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("text", ["", "ts,entry_ns\n1,2\n", "ts,entry_ns,response_ns\n"])
def test_a_file_that_lacks_what_is_needed_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="expected"):
        read_latency_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a file of measured latencies, found none"):
        read_latency_file(tmp_path / "none.csv")
