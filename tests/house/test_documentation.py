"""What the documentation shows works: its code runs, page by page, in an empty folder.

A fence marked ``python`` is executed, all of a page in one namespace; with ``title="name.py"`` it is saved
under that name instead. In a fence marked ``console`` the lines after ``$`` are run and must succeed,
unless the block says ``exit=N``. A fence marked ``text`` is only shown. There are no other fences.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.demo import generated_market
from tests.house.sources import REPOSITORY

pytestmark = pytest.mark.compiled

RUNS = re.compile(r"^ *```(python|console)", re.MULTILINE)
NEEDS = re.compile(r"<!-- needs: (\S+) -->")
MARKET_ROWS = 50_000
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


def page_id(page: Path) -> str:
    """Path below the repository."""
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_says_whether_it_runs(page: Path) -> None:
    unmarked = [block.line for block in blocks(page) if block.language not in ("python", "console", "text")]
    assert unmarked == []


@pytest.mark.parametrize("page", [page for page in PAGES if RUNS.search(page.read_text())], ids=page_id)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for needed in NEEDS.findall(page.read_text()):
        provide(Path(needed))
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        run_block(block, page, namespace)


def provide(needed: Path) -> None:
    """Put what a page needs into the current folder: the market of `make demo`, a short piece of it."""
    assert needed.name == "market.npz", f"no page can be given {needed}"
    needed.parent.mkdir(parents=True, exist_ok=True)
    generated_market(needed, MARKET_ROWS, seed=7)


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
