"""The scripts behind the Makefile do what they say."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from headwater.storage.catalog import Catalog
from headwater.tape.dataset import DatasetInfo
from scripts import coverage_limits, demo, reference_pages
from tests.house.sources import package_sources


def coverage_report(folder: Path, lines: int, branches: int) -> Path:
    totals = {
        "covered_lines": lines,
        "num_statements": 100,
        "covered_branches": branches,
        "num_branches": 100,
    }
    path = folder / "coverage.json"
    path.write_text(json.dumps({"totals": totals}))
    return path


@pytest.mark.parametrize(("lines", "branches", "expected"), [(95, 90, 0), (94, 100, 1), (100, 89, 1)])
def test_lines_and_branches_are_held_to_their_limits_apart(
    tmp_path: Path, lines: int, branches: int, expected: int
) -> None:
    assert coverage_limits.main(coverage_report(tmp_path, lines, branches)) == expected


def test_all_of_nothing_is_covered() -> None:
    assert coverage_limits.percent(0, 0) == 100.0


def test_every_public_module_has_its_place_in_the_reference() -> None:
    listed = {module for modules in reference_pages.rooms().values() for module in modules}
    public = [source for source in package_sources() if not source.path.stem.startswith("_")]
    assert {source.path.stem for source in public} <= {module.rpartition(".")[2] for module in listed}


def dataset(group: str, rows: int) -> DatasetInfo:
    return DatasetInfo(
        instrument="BTCUSDT-PERP.BYBIT",
        group=group,
        rows=rows,
        ts_min=0,
        ts_max=1,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        rules_source="",
        parts=1,
        sources=(),
    )


def test_the_demo_takes_the_most_telling_data_and_of_that_the_largest() -> None:
    candidates = [
        dataset("bars-1m", 900),
        dataset("book-50", 10),
        dataset("book-200", 20),
        dataset("trades", 99),
    ]
    chosen, strategy = demo.choose(candidates)
    assert (chosen.group, strategy) == ("book-200", "grid_maker")
    assert demo.choose([dataset("bars-1m", 900)])[1] == "ema_cross"


def test_the_demo_refuses_data_without_prices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        demo.choose([dataset("funding", 900)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: expected a book")


@pytest.mark.compiled
def test_the_generated_market_is_trusted_from_its_first_message(tmp_path: Path) -> None:
    market = tmp_path / "market.npz"
    demo.generated_market(market, rows=5_000, seed=7)
    demo.step(
        "tape",
        "import",
        str(market),
        "--catalog",
        str(tmp_path / "tape"),
        "--instrument",
        "BTCUSDT-PERP.BYBIT",
    )
    catalog = Catalog(tmp_path / "tape")
    assert [(each.group, catalog.certify(each).trusted) for each in catalog.datasets()] == [
        ("book", True),
        ("trades", True),
    ]


def test_a_step_that_fails_ends_the_demo_with_its_code() -> None:
    with pytest.raises(SystemExit) as ended:
        demo.step("tape", "list", "--catalog", "there is no such catalog")
    assert ended.value.code == 2
