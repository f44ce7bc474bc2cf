"""No stale machine code runs: whatever a kernel depends on, a change to it compiles the kernel anew.

Method: a copy of the package with two probe kernels, run in processes of their own on one cache folder. Each
process prints the probe's result and how often the disk cache served it.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.kernels.kernel import _imports
from tests.house.sources import PACKAGE, Source, package_sources

pytestmark = pytest.mark.compiled

CALLEE = """
from headwater.kernels.kernel import kernel
STEP = 3

@kernel
def tripled(value):
    return value * STEP
"""

CALLER = """
from headwater.kernels.kernel import kernel
from headwater.kernels.probe_callee import tripled

@kernel
def probe(values, index):
    return tripled(values[index])
"""

RUN = """
import json, sys
import numpy as np
from headwater.kernels.probe import probe
try:
    result = int(probe(np.arange(4), int(sys.argv[1])))
except IndexError:
    result = "refused"
print(json.dumps({"result": result, "from_disk": sum(probe.stats.cache_hits.values())}))
"""


class Probe:
    """A copy of the package that can be edited and run."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "src" / "headwater"
        self.cache = folder / "cache"
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.write("kernels/probe_callee.py", CALLEE)
        self.write("kernels/probe.py", CALLER)

    def write(self, name: str, text: str) -> None:
        (self.package / name).write_text(text)

    def run(self, index: int = 2, **flags: str) -> dict[str, Any]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        environment = inherited | {
            "PYTHONPATH": str(self.package.parent),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python's own cache cannot tell edits of one second apart
            "HEADWATER_CACHE_DIR": str(self.cache),
            "HEADWATER_BOUNDSCHECK": "0",
            "NUMBA_DISABLE_JIT": "0",
        }
        command = [sys.executable, "-c", RUN, str(index)]
        done = subprocess.run(command, env=environment | flags, capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.mark.parametrize("source", package_sources(), ids=lambda each: str(each.path.relative_to(PACKAGE)))
def test_every_import_of_a_source_counts_for_its_kernels(source: Source) -> None:
    """The decorator reads imports with a regular expression; the syntax tree is its slow twin."""
    assert set(imported_files(source)) <= _imports(source.path, PACKAGE)


def imported_files(source: Source) -> Iterator[Path]:
    """Files of the package that the syntax tree imports, at any depth of the source."""
    for node in ast.walk(source.tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            room, *parts = name.split(".")
            base = PACKAGE.joinpath(*parts)
            if room == "headwater" and parts and base.with_suffix(".py").is_file():
                yield base.with_suffix(".py")


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path)


def test_an_unchanged_kernel_comes_from_disk(probe: Probe) -> None:
    assert probe.run() == {"result": 6, "from_disk": 0}
    assert probe.run() == {"result": 6, "from_disk": 1}


def test_a_changed_constant_of_a_callee_in_another_file_compiles_the_caller_anew(probe: Probe) -> None:
    probe.run()
    probe.write("kernels/probe_callee.py", CALLEE.replace("STEP = 3", "STEP = 5"))
    assert probe.run() == {"result": 10, "from_disk": 0}


def test_a_changed_body_of_a_callee_in_another_file_compiles_the_caller_anew(probe: Probe) -> None:
    probe.run()
    probe.write("kernels/probe_callee.py", CALLEE.replace("value * STEP", "value - STEP"))
    assert probe.run() == {"result": -1, "from_disk": 0}


def test_going_back_to_the_old_source_finds_the_old_code(probe: Probe) -> None:
    probe.run()
    probe.write("kernels/probe_callee.py", CALLEE.replace("STEP = 3", "STEP = 5"))
    probe.run()
    probe.write("kernels/probe_callee.py", CALLEE)
    assert probe.run() == {"result": 6, "from_disk": 1}


def test_a_bounds_checked_run_never_loads_unchecked_code(probe: Probe) -> None:
    probe.run()
    assert probe.run(index=9, HEADWATER_BOUNDSCHECK="1")["result"] == "refused"


def test_an_unchecked_run_never_loads_checked_code(probe: Probe) -> None:
    probe.run(HEADWATER_BOUNDSCHECK="1")
    assert probe.run() == {"result": 6, "from_disk": 0}
