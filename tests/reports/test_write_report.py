"""The run folder is whole or not there; runs are compared entry by entry and fill by fill."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from headwater.backtest.result import BacktestResult
from headwater.domain.errors import ConfigurationError
from headwater.reports import write
from headwater.reports.compare import compare, comparison_table
from headwater.reports.manifest import RUN_FORMAT_VERSION, plain
from headwater.reports.statistics import statistics
from headwater.reports.summary import summary
from headwater.reports.write import MANIFEST_NAME, REPORT_NAME, TABLE_NAMES, check_target, write_report
from tests.reports.random_runs import INVERSE, LINEAR
from tests.reports.synthetic_run import START_TS, Books, instrument, market_maker_run, result_of

NAMES = sorted([REPORT_NAME, MANIFEST_NAME, *TABLE_NAMES])


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return market_maker_run(steps=600)


@pytest.fixture
def run(tmp_path: Path, result: BacktestResult) -> Path:
    return write_report(result, tmp_path / "run", command="headwater backtest grid_maker")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rendered(table: Any) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_run_folder_holds_report_tables_and_manifest(run: Path) -> None:
    assert names(run) == NAMES
    assert names(run.parent) == ["run"]


def test_tables_carry_exact_integers_beside_readable_values(run: Path, result: BacktestResult) -> None:
    fills = pl.read_parquet(run / "fills.parquet")
    assert fills["price_ticks"].to_list() == result.fills["price"].tolist()
    assert fills["cash_units"].to_list() == result.fills["cash"].tolist()
    assert fills["price"][0] == pytest.approx(result.fills["price"][0] * 0.1)
    assert fills["ts_local"].dt.epoch("ns").to_list() == result.fills["ts_local"].tolist()
    assert set(fills["side"].cast(pl.String)) == {"buy", "sell"}
    orders = pl.read_parquet(run / "orders.parquet")
    assert len(orders) == len(result.orders)
    assert orders["trigger_ticks"].null_count() == len(orders)
    assert orders["queue_ahead"].is_nan().sum() == 0
    equity = pl.read_parquet(run / "equity.parquet")
    assert equity["equity"][-1] == pytest.approx(statistics(result).accounts[0].curve.final)
    trades = pl.read_parquet(run / "trades.parquet")
    assert len(trades) == len(statistics(result).round_trips)


def test_the_manifest_is_the_same_on_every_machine(tmp_path: Path, run: Path) -> None:
    other = market_maker_run(steps=600)
    other.manifest["timing"] = {"run_seconds": 1234.5}
    again = write_report(other, tmp_path / "again", command="headwater backtest grid_maker")
    for name in NAMES:
        assert (run / name).read_bytes() == (again / name).read_bytes()
    manifest = json.loads((run / MANIFEST_NAME).read_text())
    assert manifest["state_hash"] == "9f31c2a76be04d18"
    assert manifest["run"]["seed"] == 7
    assert "timing" not in manifest["run"]
    assert manifest["instruments"][0]["certificate"]["verdict"] == "trusted"
    assert manifest["statistics"]["USDT.cagr"] == {"value": None, "unit": "share"}


def test_the_manifest_takes_any_plain_or_foreign_value() -> None:
    found = plain({"a": np.int64(3), "b": np.float64("nan"), "c": (Decimal("0.10"), None, True), 4: "x"})
    assert found == {"a": 3, "b": None, "c": ["0.10", None, True], "4": "x"}


def test_an_earlier_run_folder_is_replaced(run: Path, result: BacktestResult) -> None:
    (run / "stray.txt").write_text("old")
    write_report(replace(result, state_hash="newer"), run)
    assert names(run) == NAMES
    assert json.loads((run / MANIFEST_NAME).read_text())["state_hash"] == "newer"
    assert names(run.parent) == ["run"]


def test_an_empty_folder_is_taken(tmp_path: Path, result: BacktestResult) -> None:
    (tmp_path / "out").mkdir()
    assert names(write_report(result, tmp_path / "out")) == NAMES


def test_a_folder_with_other_content_is_refused_and_untouched(tmp_path: Path, result: BacktestResult) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.tex").write_text("precious")
    with pytest.raises(ConfigurationError, match="found a folder with other content; choose another --out"):
        write_report(result, target)
    assert names(target) == ["chapter.tex"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConfigurationError, match="found a file or a link"):
        check_target(tmp_path / "out")


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_while_writing_leaves_what_was_there(
    tmp_path: Path, result: BacktestResult, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    target = tmp_path / "run"
    if existing:
        write_report(result, target)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "_take_name", full)
    with pytest.raises(ConfigurationError, match=r"could not be written \(No space left on device\)"):
        write_report(replace(result, state_hash="never"), target)
    assert names(tmp_path) == (["run"] if existing else [])
    if existing:
        assert "never" not in (target / MANIFEST_NAME).read_text()


def test_a_failed_rename_gives_the_earlier_run_its_name_back(
    run: Path, result: BacktestResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.startswith(".run.") and Path(target) == run:
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        write_report(result, run)
    assert names(run) == NAMES
    assert names(run.parent) == ["run"]


def test_an_empty_run_is_written_too(tmp_path: Path) -> None:
    run = write_report(result_of([Books(instrument())]), tmp_path / "empty")
    assert len(pl.read_parquet(run / "trades.parquet")) == 0
    assert len(pl.read_parquet(run / "equity.parquet")) == 0


def test_the_summary_shows_result_speed_hash_and_gaps(result: BacktestResult) -> None:
    text = rendered(summary(result, statistics(result)))
    for words in (
        "grid_maker on BTCUSDT-PERP.BINANCE", "Net profit", "Sharpe", "Mark-out 10 s", "P&L fee", "Refused",
        "29,965,218 events/s", "9f31c2a76be04d18", "No mark price in the data",
    ):  # fmt: skip
        assert words in text
    assert "Interrupted" not in text


def test_the_summary_of_an_interrupted_run_without_data_is_honest() -> None:
    result = result_of([Books(instrument())], complete=False, state_hash="")
    text = rendered(summary(result, statistics(result)))
    assert "Interrupted" in text
    assert "not enough data" in text
    assert "events/s" not in text


def test_the_summary_shows_every_account() -> None:
    books = [Books(LINEAR), Books(INVERSE, number=1)]
    for book in books:
        book.fill(START_TS, 1, 100_000, 10, bid=99_999, ask=100_001)
    text = rendered(summary(found := result_of(books), statistics(found)))
    assert text.count("Net profit") == 2


def test_equal_runs_compare_as_the_same_whatever_their_folders(
    tmp_path: Path, run: Path, result: BacktestResult
) -> None:
    found = compare(run, write_report(result, tmp_path / "b", command="headwater backtest --out b"))
    assert found.verdict == "The runs are the same: equal manifests, fills and state hash."
    assert "same" in rendered(comparison_table(found))


def test_the_first_differing_fill_is_named(tmp_path: Path, run: Path, result: BacktestResult) -> None:
    fills = result.fills.copy()
    fills["price"][5] += 1
    other = write_report(replace(result, fills=fills, state_hash="other"), tmp_path / "other")
    found = compare(run, other)
    assert found.first_fill == 5
    assert found.verdict == "The runs part at fill 5 (counted from 0)."
    text = rendered(comparison_table(found))
    assert "price_ticks" in text
    assert "differs" in text
    assert any(row.name == "state_hash" for row in found.differences)


def test_a_missing_fill_is_the_first_difference(tmp_path: Path, run: Path, result: BacktestResult) -> None:
    other = write_report(replace(result, fills=result.fills[:-1]), tmp_path / "other")
    found = compare(run, other)
    assert found.first_fill == len(result.fills) - 1
    assert found.fills[1] is None
    assert "absent" in rendered(comparison_table(found))


def test_parameters_data_and_statistics_are_compared(
    tmp_path: Path, run: Path, result: BacktestResult
) -> None:
    manifest = {**result.manifest, "parameters": {"levels": 12, "interval_ms": 100, "extra": [1, 2]}}
    other = write_report(
        replace(result, manifest=manifest, initial_cash={"USDT": "20000"}), tmp_path / "other"
    )
    found = compare(run, other)
    rows = {row.name: row for row in found.differences}
    assert (rows["parameters.levels"].first, rows["parameters.levels"].second) == (10, 12)
    assert rows["parameters.grid"].second == "absent"
    assert rows["parameters.extra"].first == "absent"
    assert rows["USDT.initial_equity"].unit == "USDT"
    assert found.verdict.startswith("Same outcome: all fills and the state hash are equal")
    assert "+10,000.00 USDT" in rendered(comparison_table(found))


def test_a_figure_that_one_run_does_not_know_has_no_change(tmp_path: Path, run: Path) -> None:
    other = write_report(result_of([Books(instrument())]), tmp_path / "other")
    found = compare(run, other)
    row = next(row for row in found.differences if row.name == "USDT.hit_rate")
    assert row.second is None
    assert "n/a" in rendered(comparison_table(found))
    assert found.first_fill == 0


def test_equal_fills_with_another_state_are_told_apart(
    tmp_path: Path, run: Path, result: BacktestResult
) -> None:
    other = write_report(replace(result, state_hash="else"), tmp_path / "other")
    assert "fills are equal; the runs differ elsewhere." in compare(run, other).verdict


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path, run: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a run folder with manifest\.json, found none"):
        compare(run, tmp_path / "absent")
    with pytest.raises(ConfigurationError, match="expected a run folder"):
        compare(run / REPORT_NAME, run)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected JSON"),
        ("[]", "expected format 'headwater-run'"),
        ('{"format": "other"}', "expected format 'headwater-run'"),
        (
            json.dumps({"format": "headwater-run", "format_version": RUN_FORMAT_VERSION + 1}),
            f"expected at most {RUN_FORMAT_VERSION}, found {RUN_FORMAT_VERSION + 1}; update headwater",
        ),
    ],
)
def test_a_damaged_or_newer_manifest_is_refused_by_name(run: Path, text: str, words: str) -> None:
    (run / MANIFEST_NAME).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        compare(run, run)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_fills_are_refused_in_one_line(run: Path) -> None:
    (run / "fills.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigurationError, match=r"fills\.parquet: expected the fills of a run") as caught:
        compare(run, run)
    assert "\n" not in str(caught.value)
