"""Figures in the README are measured, not typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import figures

MEASUREMENT: dict[str, Any] = {
    "conditions": {
        "at": "2026-01-02T03:04:05+00:00",
        "processor": "A processor",
        "cores": 2,
        "system": "Linux 6 x86_64",
        "python": "3.11.9",
        "versions": {"headwater": "0.1.0"},
        "commit": "0123456789ab",
    },
    "workloads": [
        {
            "name": "feed",
            "title": "events read",
            "unit": "events",
            "size": 5_000_000,
            "sides": [
                {"name": "headwater", "per_second": 41_260_000.0},
                {"name": "one", "per_second": 9_000_000.0},
                {"name": "other", "per_second": 900.0},
            ],
            "ratios": {
                "one": {"min": 4.0, "median": 4.58, "max": 5.0},
                "other": {"min": 1.0, "median": 2.0, "max": 3.0},
            },
        },
        {
            "name": "import",
            "title": "from disk to disk",
            "unit": "rows",
            "size": 1_000,
            "sides": [{"name": "headwater", "per_second": 1_234.4}],
            "ratios": {},
        },
        {
            "name": "help",
            "title": "the whole process",
            "unit": "starts",
            "size": 1,
            "sides": [{"name": "headwater", "per_second": 8.0, "median_seconds": 0.125}],
            "ratios": {},
        },
    ],
    "failures": [],
}


def test_the_figures_of_the_readme_are_those_that_were_published() -> None:
    shown = figures.figures_of(figures.PAGE.read_text())
    if figures.PUBLISHED.exists():
        assert shown == figures.rendered(json.loads(figures.PUBLISHED.read_text()))
    else:
        assert shown == figures.NONE_YET


def test_every_peer_has_its_row_and_its_ratio() -> None:
    rows = figures.rendered(MEASUREMENT).splitlines()[2:6]
    assert rows == [
        "| `feed`: events read | 41.3 M events/s | one | 9.0 M events/s | 4.6 x (4.0 to 5.0) |",
        "|  |  | other | 900 events/s | 2.0 x (1.0 to 3.0) |",
        "| `import`: from disk to disk | 1,234 rows/s |  |  |  |",
        "| `help`: the whole process | 0.125 s |  |  |  |",
    ]


def test_the_conditions_stand_below_the_figures() -> None:
    assert "A processor, 2 cores" in figures.rendered(MEASUREMENT).splitlines()[-1]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with marks, and a measurement."""
    monkeypatch.setattr(figures, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(figures, "PUBLISHED", tmp_path / "published.json")
    figures.PAGE.write_text(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n")
    return tmp_path


def test_publishing_replaces_what_stood_between_the_marks(repository: Path) -> None:
    latest = repository / "latest.json"
    latest.write_text(json.dumps(MEASUREMENT))
    assert figures.main(latest) == 0
    page = figures.PAGE.read_text()
    assert figures.figures_of(page) == figures.rendered(MEASUREMENT)
    assert (page.startswith("before\n"), page.endswith("\nafter\n")) == (True, True)
    assert json.loads(figures.PUBLISHED.read_text()) == MEASUREMENT


def test_a_measurement_with_failures_is_not_published(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latest = repository / "latest.json"
    latest.write_text(json.dumps({**MEASUREMENT, "failures": [{"name": "grid", "error": "checks differ"}]}))
    assert figures.main(latest) == 1
    assert "grid" in capsys.readouterr().err
    assert figures.figures_of(figures.PAGE.read_text()) == "old"
