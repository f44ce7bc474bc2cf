"""``headwater warmup``: compile every kernel now, with a progress bar."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

WarmJobs: TypeAlias = Sequence[tuple[str, Callable[[], object]]]
"""Name of what is compiled, and the call that compiles it."""

DAYS_UNUSED_MAX: Final = 14

app = typer.Typer()


@app.command()
def warmup(
    prune: Annotated[
        bool, typer.Option(help=f"Also delete kernels of other versions, unused for {DAYS_UNUSED_MAX} days.")
    ] = False,
) -> None:
    """Compile everything now, so that nothing has to wait for it later.

    Compiled kernels stay on disk until a source file, a library or the processor changes; when nothing has
    changed this takes a second.
    """
    from headwater.bootstrap import warm_jobs
    from headwater.kernels.kernel import JIT_DISABLED

    if JIT_DISABLED:
        typer.echo("Nothing to compile: NUMBA_DISABLE_JIT is set.")
        return
    started = time.perf_counter()
    jobs = warm_jobs()
    _run(jobs)
    typer.echo(f"Warm: {len(jobs)} jobs in {time.perf_counter() - started:.1f} s, kept in {caches_folder()}")
    if prune:
        for folder in unused_caches(caches_folder(), keep=current_caches(), now=time.time()):
            shutil.rmtree(folder)
            typer.echo(f"Deleted {folder}")


def caches_folder() -> Path:
    """Where the compiled kernels of all versions are, one folder for each source file and version."""
    from headwater.kernels.kernel import cache_root

    return cache_root() / "kernels"


def current_caches() -> frozenset[Path]:
    """Folders of the kernels that belong to the sources as they are now."""
    import headwater
    from headwater.kernels.kernel import kernel_cache_dir

    package = Path(headwater.__file__).parent
    sources = (path for path in package.rglob("*.py") if "@kernel" in path.read_text())
    return frozenset(kernel_cache_dir(path) for path in sources)


def _run(jobs: WarmJobs) -> None:
    """Run every job, showing its name, the share done and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Compiling"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(jobs))
        for name, compile_it in jobs:
            progress.update(task, description=name)
            compile_it()
            progress.advance(task)
        progress.update(task, description="")


def unused_caches(root: Path, keep: frozenset[Path], now: float) -> list[Path]:
    """Kernel caches under `root` that are not in `keep` and were last written over two weeks before `now`."""
    seconds_max = DAYS_UNUSED_MAX * 86_400
    return [
        folder
        for folder in sorted(root.glob("*"))
        if folder not in keep and now - folder.stat().st_mtime > seconds_max
    ]
