"""A run folder: the tear sheet, the records as Parquet and the manifest, whole or not there at all.

Everything is written into a temporary folder beside the target, which then takes the target's name. The
moment at which an earlier report of the same name gives way is two renames long; a crash between them leaves
the earlier one under its temporary name, never a mixture.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headwater.domain.errors import ConfigurationError
from headwater.reports.figures import figures
from headwater.reports.manifest import run_manifest
from headwater.reports.statistics import Statistics, statistics

if TYPE_CHECKING:
    from headwater.backtest.result import BacktestResult

REPORT_NAME: Final = "report.html"
MANIFEST_NAME: Final = "manifest.json"
TABLE_NAMES: Final = ("trades.parquet", "orders.parquet", "fills.parquet", "equity.parquet")


def write_report(
    result: BacktestResult, folder: Path, *, command: str | None = None, found: Statistics | None = None
) -> Path:
    """Write the run folder `folder` and return it.

    Parameters
    ----------
    folder : a new name, an empty folder, or an earlier run folder, which is replaced
    command : the command line that made the run, kept in the manifest
    found : the statistics of `result` when the caller has them already

    Raises
    ------
    ConfigurationError
        `folder` exists and is not a run folder, or cannot be written; nothing is changed.
    """
    target = Path(folder).absolute()
    check_target(target)
    known = statistics(result) if found is None else found
    try:
        _write(target, result, known, command)
    except OSError as error:
        raise ConfigurationError(
            f"{target}: the report could not be written ({error.strerror or error}); "
            f"free some space or choose another --out; nothing was changed"
        ) from error
    return target


def _write(target: Path, result: BacktestResult, known: Statistics, command: str | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _fill(fresh, result, known, command)
        fresh.chmod(0o777 & ~_umask())
        _take_name(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def check_target(folder: Path) -> None:
    """Refuse a target that is not ours to replace; to be called before a long run, too."""
    if folder.is_dir() and not folder.is_symlink():
        if (folder / MANIFEST_NAME).is_file() and (folder / REPORT_NAME).is_file():
            return
        if not any(folder.iterdir()):
            return
        found = "a folder with other content"
    elif folder.exists() or folder.is_symlink():
        found = "a file or a link"
    else:
        return
    raise ConfigurationError(
        f"{folder}: expected a new name, an empty folder or an earlier run folder, found {found}; "
        f"choose another --out"
    )


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def _fill(folder: Path, result: BacktestResult, known: Statistics, command: str | None) -> None:
    import pyarrow.parquet as pq

    from headwater.reports import tables
    from headwater.reports.tear_sheet import tear_sheet

    made = (
        tables.trades_table(result, known),
        tables.orders_table(result, known),
        tables.fills_table(result, known),
        tables.equity_table(known),
    )
    for name, table in zip(TABLE_NAMES, made, strict=True):
        pq.write_table(table, folder / name, compression="zstd")
    manifest = run_manifest(result, figures(known), command)
    text = json.dumps(manifest, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    (folder / REPORT_NAME).write_text(tear_sheet(result, known), encoding="utf-8")


def _take_name(fresh: Path, target: Path) -> None:
    if not target.exists():
        fresh.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent)) / target.name
    target.rename(old)
    try:
        fresh.rename(target)
    except BaseException:
        old.rename(target)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
