"""Records of a time series in the order of their times.

The rule, for every format: two different records for one time are refused; an exact repetition is dropped and
counted; a file that is newest first is turned round; a format that is known to be written newest first and
patched is sorted; any other step back in time is refused, because then it is open which times are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Findings
from headwater.storage.importers._clock import show
from headwater.storage.importers._table import F64, I64, Mask


def in_order(
    path: Path,
    findings: Findings,
    rows: I64,
    ts: I64,
    values: Sequence[F64 | I64],
    *,
    newest_first: bool = False,
) -> I64:
    """Positions of the records to keep, oldest first and each time once.

    Parameters
    ----------
    rows, ts : (n,) record numbers in the file; times, UTC ns
    values : what two records must share to be the same record
    newest_first : the format is written newest first; records out of that order are sorted and noted

    Raises
    ------
    ImportRefusedError
        Times run back, or two different records bear one time.
    """
    kept = np.arange(len(ts))
    steps = np.diff(ts)
    back = steps < 0
    if newest_first or (back.any() and not (steps > 0).any()):
        kept = _turned(findings, rows, ts)
    elif back.any():
        at = int(np.argmax(back)) + 1
        raise ImportRefusedError(
            f"{path}: row {rows[at]}: expected times that rise, found {show(int(ts[at]))} after "
            f"{show(int(ts[at - 1]))} of row {rows[at - 1]} ({int(back.sum())} steps back); sort the file by "
            "its time field, or fetch it again"
        )
    if np.all(np.diff(ts[kept])):
        return kept
    return kept[~_repeated(path, findings, rows[kept], ts[kept], [column[kept] for column in values])]


def _turned(findings: Findings, rows: I64, ts: I64) -> I64:
    """Newest first -> oldest first; what is out of that order is sorted in and noted."""
    kept = np.arange(len(ts))[::-1]
    forward = np.flatnonzero(np.diff(ts) > 0) + 1
    note = "rows are newest first: turned round"
    if len(forward):
        kept = kept[np.argsort(ts[kept], kind="stable")]
        findings.backward_clock += len(forward)
        note += (
            f"; {many(len(forward), 'row')} out of that order (rows {listed(rows[forward])}): sorted by time"
        )
    findings.notes.append(note)
    return kept


def _repeated(path: Path, findings: Findings, rows: I64, ts: I64, values: Sequence[F64 | I64]) -> Mask:
    """Which records repeat the one before them."""
    repeated = np.zeros(len(ts), np.bool_)
    repeated[1:] = ts[1:] == ts[:-1]
    same = np.ones(len(ts) - 1, np.bool_)
    for column in values:
        same &= (column[1:] == column[:-1]) | ((column[1:] != column[1:]) & (column[:-1] != column[:-1]))
    conflict = repeated[1:] & ~same
    if conflict.any():
        at = int(np.argmax(conflict)) + 1
        raise ImportRefusedError(
            f"{path}: rows {rows[at - 1]} and {rows[at]}: expected one record for {show(int(ts[at]))}, found "
            f"two different ones ({int(conflict.sum())} such pairs); remove the wrong one"
        )
    count = int(repeated.sum())
    findings.duplicates += count
    findings.notes.append(
        f"{many(count, 'row')} dropped for repeating the row before (rows {listed(rows[repeated])})"
    )
    return repeated


def listed(numbers: I64, most: int = 6) -> str:
    """Row numbers for a message: the first few of them."""
    shown = ", ".join(str(number) for number in numbers[:most].tolist())
    return f"{shown}, ..." if len(numbers) > most else shown


def listed_names(names: Sequence[str], most: int = 6) -> str:
    """Names for a message: the first few of them."""
    shown = ", ".join(names[:most])
    return f"{shown}, ..." if len(names) > most else shown


def many(count: int, noun: str) -> str:
    """``1 bar``, ``2 bars``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
