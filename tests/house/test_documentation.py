"""What the documentation shows works: its code runs, page by page, in an empty folder.

A fence marked ``python`` is executed, all of a page in one namespace; with ``title="name.py"`` it is saved
under that name instead. In a fence marked ``console`` the lines after ``$`` are run and must succeed,
unless the block says ``exit=N``. A fence marked ``text`` is only shown. There are no other fences.

A page that starts from data says so in a comment, ``needs: file.npz`` or ``needs: tape``: it is given a short
generated market, as a file or as a catalog.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.catalogue import WORKLOADS
from headwater.cli import backtest
from headwater.cli.app import run
from scripts.demo import generated_market
from tests.house.sources import REPOSITORY

pytestmark = pytest.mark.compiled

RUNS = re.compile(r"^ *```(python|console)", re.MULTILINE)
NEEDS = re.compile(r"<!-- needs: (\S+) -->")
MARKET_ROWS = 50_000
INSTRUMENT = "BTCUSDT-PERP.BINANCE"
PAGES = sorted([*(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")])
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the attributes after it, and what it says."""

    language: str
    attributes: str
    body: str
    line: int

    def attribute(self, name: str) -> str | None:
        """Value of ``name="value"`` or ``name=value``, None when absent."""
        found = re.search(rf'\b{name}="?([^"\s}}]+)"?', self.attributes)
        return found.group(1) if found else None


def blocks(page: Path) -> list[Block]:
    """Fenced blocks of a page, in order."""
    text = page.read_text()
    found = []
    for match in FENCE.finditer(text):
        language, _, attributes = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, attributes, match["body"], line))
    return found


def test_every_workload_is_explained() -> None:
    page = (REPOSITORY / "docs" / "benchmarks.md").read_text()
    assert [workload.name for workload in WORKLOADS if f"`{workload.name}`" not in page] == []


def test_every_option_of_a_backtest_is_explained() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "run-a-backtest.md").read_text()
    parameters = typer.main.get_command(backtest.app).params
    named = {option for each in parameters for option in each.opts if option.startswith("--")}
    named -= {"--install-completion", "--show-completion"}
    assert len(named) > 10
    assert sorted(option for option in named if option not in page) == []


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated market, `market.npz`, and with the same as a catalog, `tape`."""
    folder = tmp_path_factory.mktemp("given")
    market, tape = str(folder / "market.npz"), str(folder / "tape")
    generated_market(Path(market), MARKET_ROWS, seed=7)
    assert run(["tape", "import", market, "--catalog", tape, "--instrument", INSTRUMENT]) == 0
    return folder


def page_id(page: Path) -> str:
    """Path below the repository."""
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_says_whether_it_runs(page: Path) -> None:
    unmarked = [block.line for block in blocks(page) if block.language not in ("python", "console", "text")]
    assert unmarked == []


@pytest.mark.parametrize("page", [page for page in PAGES if RUNS.search(page.read_text())], ids=page_id)
def test_the_code_of_a_page_runs(
    page: Path, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for needed in NEEDS.findall(page.read_text()):
        provide(Path(needed), given)
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        run_block(block, page, namespace)


def provide(needed: Path, given: Path) -> None:
    """Put what a page needs into the current folder: the market as a file of any name, or its catalog."""
    needed.parent.mkdir(parents=True, exist_ok=True)
    if needed.suffix == ".npz":
        shutil.copy(given / "market.npz", needed)
    else:
        shutil.copytree(given / "tape", needed)


def run_block(block: Block, page: Path, namespace: dict[str, Any]) -> None:
    """Execute, save or only show one block, in the current folder."""
    title = block.attribute("title")
    if block.language == "python" and title:
        Path(title).write_text(block.body)
        exec(compile(block.body, title, "exec"), {"__name__": Path(title).stem})
    elif block.language == "python":
        code = compile("\n" * block.line + block.body, str(page), "exec")
        exec(code, namespace)
    elif block.language == "console":
        run_commands(block)


def run_commands(block: Block) -> None:
    """Run the lines after ``$``: all must succeed, but the last ends with the exit code that the block
    states.
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": "110"}
    lines = [line[2:] for line in block.body.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
    codes = [0] * (len(lines) - 1) + [int(block.attribute("exit") or 0)]
    for line, expected in zip(lines, codes, strict=True):
        done = subprocess.run(shlex.split(line), env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
