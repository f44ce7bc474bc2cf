"""``headwater doctor``: what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Final

import typer

PYTHON_MIN: Final = (3, 11)
DISK_FREE_MIN_BYTES: Final = 5 * 10**9
NUMBA_SUPPORTED: Final = ("Linux", "Darwin")

app = typer.Typer()


class Verdict(Enum):
    """How much a finding matters; the value is what the table shows."""

    GOOD = "ok"
    OPTIONAL = "optional"
    ATTENTION = "attention"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the examination.

    Attributes
    ----------
    topic : what was looked at
    verdict : whether it is as it should be
    found : what is there
    remedy : what to do, empty when there is nothing to do
    """

    topic: str
    verdict: Verdict
    found: str
    remedy: str = ""


@app.command()
def doctor() -> None:
    """Say what is installed, what is missing, and what to do about it.

    Exit code 0 when Headwater can run, 1 when something that it needs is broken.
    """
    findings = list(examine())
    _show(findings)
    if any(finding.verdict is Verdict.BROKEN for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Look at everything, in the order in which a person would."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _examine_system,
        _examine_libraries,
        _examine_flags,
        _examine_kernel_cache,
        _examine_disk,
        _examine_dev_data,
    )
    for check in checks:
        yield from check()


def _examine_system() -> Iterator[Finding]:
    version = platform.python_version()
    recent = sys.version_info >= PYTHON_MIN
    yield Finding(
        topic="Python",
        verdict=Verdict.GOOD if recent else Verdict.BROKEN,
        found=f"{version} ({sys.executable})",
        remedy="" if recent else "install Python 3.11 or newer, delete .venv and run `make demo` again",
    )
    supported = platform.system() in NUMBA_SUPPORTED
    yield Finding(
        topic="System",
        verdict=Verdict.GOOD if supported else Verdict.ATTENTION,
        found=f"{platform.system()} {platform.release()}, {platform.machine()}",
        remedy="" if supported else "Linux and macOS are tested; on Windows use WSL",
    )
    yield Finding(topic="Processor", verdict=Verdict.GOOD, found=f"{os.cpu_count()} x {processor_name()}")


def processor_name() -> str:
    """Model of the processor, as the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        match = re.search(r"^model name\s*:\s*(.+)$", listing.read_text(), flags=re.MULTILINE)
        if match:
            return match.group(1).strip()
    return platform.processor() or platform.machine()


def _examine_libraries() -> Iterator[Finding]:
    yield Finding(topic="headwater", verdict=Verdict.GOOD, found=metadata.version("headwater"))
    for requirement in metadata.requires("headwater") or []:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        extra = re.search(r"""extra == ['"]([^'"]+)['"]""", requirement)
        yield _examine_library(name, extra.group(1) if extra else None)


def _examine_library(name: str, extra: str | None) -> Finding:
    try:
        return Finding(topic=name, verdict=Verdict.GOOD, found=metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
    if extra is None:
        remedy = "run `make demo` again, or `pip install headwater`"
        return Finding(topic=name, verdict=Verdict.BROKEN, found="not installed", remedy=remedy)
    remedy = f"only for {extra}: `pip install 'headwater[{extra}]'`"
    return Finding(topic=name, verdict=Verdict.OPTIONAL, found="not installed", remedy=remedy)


def _examine_flags() -> Iterator[Finding]:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        yield Finding(
            topic="NUMBA_DISABLE_JIT",
            verdict=Verdict.ATTENTION,
            found="set: kernels run as plain Python, up to a thousand times slower",
            remedy="unset it, unless you are debugging a kernel",
        )
    if os.environ.get("HEADWATER_BOUNDSCHECK", "0") == "1":
        yield Finding(
            topic="HEADWATER_BOUNDSCHECK",
            verdict=Verdict.ATTENTION,
            found="set: every index is checked, which is slower",
            remedy="unset it, unless you are looking for a wrong index",
        )


def _examine_kernel_cache() -> Iterator[Finding]:
    from headwater.cli.warmup import caches_folder, current_caches

    try:
        current = current_caches()
    except ImportError as error:
        found, remedy = f"cannot load the compiler: {error}", "delete .venv and run `make demo` again"
        yield Finding(topic="Kernels", verdict=Verdict.BROKEN, found=found, remedy=remedy)
        return
    compiled = sum(1 for folder in current for _ in folder.rglob("*.nbc"))
    size = _megabytes(sum(folder_bytes(folder) for folder in current))
    yield Finding(
        topic="Kernels",
        verdict=Verdict.GOOD if compiled else Verdict.ATTENTION,
        found=f"{compiled} compiled, {size} in {caches_folder()}",
        remedy="" if compiled else "run `headwater warmup`",
    )
    older = [folder for folder in caches_folder().glob("*") if folder not in current]
    if older:
        size = _megabytes(sum(folder_bytes(folder) for folder in older))
        yield Finding(
            topic="Older kernels",
            verdict=Verdict.OPTIONAL,
            found=f"{len(older)} folders of other versions, {size}",
            remedy="`headwater warmup --prune` deletes those that are no longer used",
        )


def folder_bytes(folder: Path) -> int:
    """Size of all files under `folder`; 0 when it does not exist."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _examine_disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    enough = free >= DISK_FREE_MIN_BYTES
    yield Finding(
        topic="Free disk",
        verdict=Verdict.GOOD if enough else Verdict.ATTENTION,
        found=f"{free / 1e9:.1f} GB at {Path.cwd()}",
        remedy="" if enough else f"free {DISK_FREE_MIN_BYTES / 1e9:.0f} GB: replay caches need room",
    )


def _examine_dev_data() -> Iterator[Finding]:
    named = os.environ.get("HEADWATER_DEV_DATA")
    folder = Path(named) if named else Path.cwd().parent / "shared" / "data" / "dev"
    present = folder.is_dir()
    yield Finding(
        topic="Recordings for tests",
        verdict=Verdict.GOOD if present else Verdict.OPTIONAL,
        found=str(folder) if present else f"none at {folder}",
        remedy=""
        if present
        else "tests on real data are skipped; set HEADWATER_DEV_DATA to a folder of them",
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    colours = {
        Verdict.GOOD: "green",
        Verdict.OPTIONAL: "dim",
        Verdict.ATTENTION: "yellow",
        Verdict.BROKEN: "bold red",
    }
    table = Table(box=None, pad_edge=False)
    for heading in ("What", "Verdict", "Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        colour = colours[finding.verdict]
        verdict = f"[{colour}]{finding.verdict.value}[/]"
        table.add_row(finding.topic, verdict, escape(finding.found), escape(finding.remedy))
    Console().print(table)
