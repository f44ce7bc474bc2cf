"""Two run folders side by side: what was asked, what was read, what came out, and the first fill that
differs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headwater.domain.errors import ConfigurationError
from headwater.reports import wording
from headwater.reports.manifest import RUN_FORMAT_VERSION
from headwater.reports.write import MANIFEST_NAME

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Group
    from rich.table import Table

FILLS_NAME: Final = "fills.parquet"

COMPARED: Final = (
    "ts_venue",
    "ts_local",
    "instrument",
    "side",
    "is_maker",
    "price_ticks",
    "size_lots",
    "fee_units",
)
"""Columns that make two fills the same fill."""

ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One entry that is not the same in both runs.

    Attributes
    ----------
    section : "run", "data", "statistics" or "outcome"
    name : the entry, nested names joined with dots
    first, second : as they stand in the two manifests, ``ABSENT`` when one has no such entry
    unit : of a statistic, as in :class:`~headwater.reports.figures.Figure`
    """

    section: str
    name: str
    first: Any
    second: Any
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two runs.

    Attributes
    ----------
    folders : the two run folders
    same_state : both state hashes are equal (and there)
    differences : all differing entries
    fill_counts : fills of each run
    first_fill : row number of the first fill that differs, None when all fills are equal
    fills : the two differing fills as name -> value, None where a run has no such row
    """

    folders: tuple[Path, Path]
    same_state: bool
    differences: tuple[Difference, ...]
    fill_counts: tuple[int, int]
    first_fill: int | None
    fills: tuple[dict[str, Any] | None, dict[str, Any] | None]

    @property
    def verdict(self) -> str:
        """One sentence: whether the runs are the same, and if not, since when."""
        if self.first_fill is None and self.same_state and not self.differences:
            return "The runs are the same: equal manifests, fills and state hash."
        if self.first_fill is None and self.same_state:
            return "Same outcome: all fills and the state hash are equal; the entries above differ."
        if self.first_fill is None:
            return f"All {self.fill_counts[0]:,} fills are equal; the runs differ elsewhere."
        return f"The runs part at fill {self.first_fill:,} (counted from 0)."


def compare(first: Path, second: Path) -> Comparison:
    """Compare two run folders.

    Raises
    ------
    ConfigurationError
        A folder is missing, is no run folder, is damaged, or was written by a newer version.
    """
    manifests = read_manifest(first), read_manifest(second)
    fills = _read_fills(first), _read_fills(second)
    row = _first_difference(*fills)
    hashes = [manifest.get("state_hash") for manifest in manifests]
    return Comparison(
        folders=(first, second),
        same_state=bool(hashes[0]) and hashes[0] == hashes[1],
        differences=tuple(_differences(*manifests)),
        fill_counts=(len(fills[0]), len(fills[1])),
        first_fill=row,
        fills=(_fill_at(fills[0], row), _fill_at(fills[1], row)),
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder; errors as in :func:`compare`."""
    path = Path(folder) / MANIFEST_NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(
            f"{folder}: expected a run folder with {MANIFEST_NAME}, found none; "
            f"name a folder that `headwater backtest --out` wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: expected JSON, found {error}; run the back-test again") from None
    _check_format(path, manifest)
    return dict(manifest)


def _check_format(path: Path, manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != "headwater-run":
        raise ConfigurationError(
            f"{path}: expected format 'headwater-run', found another file; name a run folder"
        )
    version = manifest.get("format_version")
    if not isinstance(version, int) or version > RUN_FORMAT_VERSION:
        raise ConfigurationError(
            f"{path}: format_version: expected at most {RUN_FORMAT_VERSION}, found {version}; "
            f"update headwater, or run the back-test again with this version"
        )


def _read_fills(folder: Path) -> pl.DataFrame:
    import polars as pl

    path = Path(folder) / FILLS_NAME
    try:
        return pl.read_parquet(path, columns=list(COMPARED)).cast({pl.Categorical: pl.String})
    except (OSError, pl.exceptions.PolarsError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigurationError(
            f"{path}: expected the fills of a run, found: {words}; run it again"
        ) from None


def _first_difference(first: pl.DataFrame, second: pl.DataFrame) -> int | None:
    both = min(len(first), len(second))
    unequal = (first.head(both) != second.head(both)).select(any=_any_column()).to_series()
    row = unequal.arg_max() if both and unequal.any() else None
    if row is not None:
        return row
    return both if len(first) != len(second) else None


def _any_column() -> Any:
    import polars as pl

    return pl.any_horizontal(pl.all())


def _fill_at(fills: pl.DataFrame, row: int | None) -> dict[str, Any] | None:
    return fills.row(row, named=True) if row is not None and row < len(fills) else None


def _differences(first: dict[str, Any], second: dict[str, Any]) -> list[Difference]:
    sections = {
        "run": ("run", "initial_cash"),  # not the command: it names the folder
        "data": ("instruments",),
        "outcome": ("complete", "not_modelled", "state_hash"),
    }
    found = []
    for section, entries in sections.items():
        for entry in entries:
            name = "" if entry == "run" else entry
            found += _unequal(section, name, first.get(entry), second.get(entry))
    return found + _unequal_statistics(first.get("statistics", {}), second.get("statistics", {}))


def _unequal(section: str, name: str, first: Any, second: Any) -> list[Difference]:
    if isinstance(first, list) and isinstance(second, list):
        first, second = ({str(row): value for row, value in enumerate(values)} for values in (first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        found = []
        for key in _keys(first, second):
            inner = f"{name}.{key}" if name else key
            found += _unequal(section, inner, first.get(key, ABSENT), second.get(key, ABSENT))
        return found
    if first == second:
        return []
    return [Difference(section=section, name=name, first=first, second=second)]


def _keys(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    return [*first, *(key for key in second if key not in first)]


def _unequal_statistics(first: dict[str, Any], second: dict[str, Any]) -> list[Difference]:
    found = []
    for key in _keys(first, second):
        one, other = first.get(key, {}), second.get(key, {})
        unit = one.get("unit") or other.get("unit") or ""
        values = one.get("value", ABSENT), other.get("value", ABSENT)
        if values[0] != values[1]:
            difference = Difference(
                section="statistics", name=key, first=values[0], second=values[1], unit=unit
            )
            found.append(difference)
    return found


def comparison_table(comparison: Comparison) -> Group:
    """The comparison as something that ``rich`` prints."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2))
    table.add_column("", style="dim")
    for folder in ("entry", *(str(folder) for folder in comparison.folders)):
        table.add_column(folder, overflow="fold")
    table.add_column("change", justify="right")
    for row in comparison.differences:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    _add_fills(table, comparison)
    return Group(table, Text(comparison.verdict, style="bold"))


def _cells(row: Difference) -> tuple[str, str, str, str, str]:
    return row.section, row.name, _shown(row.first, row.unit), _shown(row.second, row.unit), _change(row)


def _shown(value: Any, unit: str) -> str:
    if value is None:
        return wording.NOTHING
    return wording.in_unit(value, unit) if unit and isinstance(value, float | int) else str(value)


def _change(row: Difference) -> str:
    if not row.unit or not (isinstance(row.first, float | int) and isinstance(row.second, float | int)):
        return ""
    return wording.in_unit(row.second - row.first, row.unit, signed=True)


def _add_fills(table: Table, comparison: Comparison) -> None:
    if comparison.first_fill is None:
        return
    first, second = comparison.fills
    for name in COMPARED:
        cells = [ABSENT if fill is None else str(fill[name]) for fill in (first, second)]
        mark = "" if cells[0] == cells[1] else "differs"
        table.add_row(f"fill {comparison.first_fill}", name, *cells, mark)
