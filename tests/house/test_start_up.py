"""What starts, starts light: judged by what was imported, never by the clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = frozenset(
    {"numpy", "numba", "polars", "pyarrow", "duckdb", "pydantic", "plotly", "msgspec", "pandas"}
)
LISTED = "; import json, sys; print(json.dumps(sorted(sys.modules)))"


def modules_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after `code`."""
    done = subprocess.run([sys.executable, "-c", code + LISTED], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_loads_no_library() -> None:
    assert modules_after("import headwater") & (HEAVY | {"typer", "rich"}) == set()


@pytest.mark.parametrize("line", [["--help"], ["--version"]])
def test_the_command_line_answers_without_the_heavy_libraries(line: list[str]) -> None:
    assert modules_after(f"from headwater.cli.app import run; run({line!r})") & HEAVY == set()


def test_a_command_is_imported_only_when_it_is_called() -> None:
    code = "from headwater.cli.app import run; run(['--help'])"
    listed = "; import sys; print(*(name for name in sys.modules if name.startswith('headwater.cli.')))"
    done = subprocess.run([sys.executable, "-c", code + listed], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["headwater.cli.app"]
