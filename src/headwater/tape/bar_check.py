"""Candles: holes, repetitions, impossible bars, absurd prices, halts.

A bar's prices are absurd when its whole range lies more than half above or below the ranges of the bars on
both sides. A crash and its recovery pass this test, however deep: the bar begins where the one before it
ended.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.event import Events
from headwater.tape.certificate import Finding, Severity
from headwater.tape.grouping import bar_intervals
from headwater.tape.order import I64
from headwater.tape.show_time import show_duration, show_time
from headwater.tape.trade_check import ABSURD_RATIO, MAD_TO_SIGMA

JUMP_Z_MIN: Final = 20.0
JUMP_RETURN_MIN: Final = 0.05
_OPEN_GAP: Final = 0.001
_SHOWN: Final = 3
_WEEK_NS: Final = 7 * 86_400 * 10**9

Mask: TypeAlias = npt.NDArray[np.bool_]


class BarCheck:
    """The bars of one dataset; five numbers a bar are kept until the end.

    Parameters
    ----------
    holes_explained : whoever read the file found its absent bars to be no loss (a venue that prints no bar
        without a trade); they are then noted and do not fail
    """

    def __init__(self, *, holes_explained: bool) -> None:
        self._holes_explained = holes_explained
        self._chunks: list[I64] = []
        self._length_ns = 0

    def update(self, events: Events) -> None:
        """Take the next chunk, of whole bars."""
        first, second, third = events[0::3], events[1::3], events[2::3]
        if not len(third):
            return
        self._length_ns = self._length_ns or int(bar_intervals(events[:3])[0])
        prices = first["price"], second["price"], second["size"], third["price"]
        self._chunks.append(np.stack((first["ts_venue"], *prices, third["size"])))

    def findings(self) -> list[Finding]:
        """Everything that is wrong or remarkable, in the order of the module's title."""
        if not self._chunks:
            return []
        table = np.concatenate(self._chunks, axis=1)
        self._chunks = [table]
        start, opened, high, low, close, volume = table
        return [
            *self._holes(start),
            *self._disorder(start),
            *_phase(start, self._length_ns),
            *_impossible(start, opened, high, low, close, volume),
            *_absurd(start, high, low),
            *_jumps(start, close),
            *_idle(start, volume),
            *_open_gaps(opened, close),
        ]

    def measures(self) -> dict[str, Any]:
        """Number and length of the bars."""
        return {
            "bars": sum(chunk.shape[1] for chunk in self._chunks),
            "bar_length_s": self._length_ns / 1e9,
        }

    def _holes(self, start: I64) -> list[Finding]:
        absent = np.diff(start) // self._length_ns - 1
        holes = np.flatnonzero(absent > 0)
        if not len(holes):
            return []
        missing = int(absent[holes].sum())
        longest = holes[np.argsort(-absent[holes], kind="stable")][:_SHOWN]
        shown = ", ".join(
            f"{show_duration(int(absent[i]) * self._length_ns)} "
            f"from {show_time(int(start[i]) + self._length_ns)}"
            for i in longest
        )
        words = f"{missing} bars are absent in {len(holes)} holes, the longest {shown}"
        if self._holes_explained:
            words += "; the venue prints no bar without a trade"
        severity = Severity.WARN if self._holes_explained else Severity.FAIL
        return [Finding(check="missing bars", severity=severity, count=missing, words=words)]

    def _disorder(self, start: I64) -> list[Finding]:
        step = np.diff(start)
        findings = []
        repeated = np.flatnonzero(step == 0)
        if len(repeated):
            words = f"{len(repeated)} bars begin when the bar before them does, {_first(start, repeated)}"
            findings.append(
                Finding(check="duplicates", severity=Severity.FAIL, count=len(repeated), words=words)
            )
        back = np.flatnonzero((step < self._length_ns) & (step != 0))
        if len(back):
            words = f"{len(back)} bars begin before the bar before them is over, {_first(start, back + 1)}"
            findings.append(
                Finding(check="overlapping bars", severity=Severity.FAIL, count=len(back), words=words)
            )
        return findings


def _phase(start: I64, length_ns: int) -> list[Finding]:
    phase = start % length_ns
    changed = np.flatnonzero(np.diff(phase)) + 1
    if len(changed):
        words = (
            f"bars of {show_duration(length_ns)} change their phase {len(changed)} times, "
            f"{_first(start, changed)}"
        )
        return [Finding(check="bar phase", severity=Severity.FAIL, count=len(changed), words=words)]
    if phase[0] and length_ns < _WEEK_NS:
        words = (
            f"every bar begins {show_duration(int(phase[0]))} after a whole multiple of "
            f"{show_duration(length_ns)} UTC: the times are shifted, or those of another zone"
        )
        return [Finding(check="bar phase", severity=Severity.WARN, count=len(start), words=words)]
    return []


def _impossible(start: I64, opened: I64, high: I64, low: I64, close: I64, volume: I64) -> list[Finding]:
    said: tuple[tuple[str, Mask], ...] = (
        ("a price of zero or less", np.minimum(np.minimum(opened, close), low) <= 0),
        ("a high below open, close or low", high < np.maximum(np.maximum(opened, close), low)),
        ("a low above open or close", low > np.minimum(opened, close)),
        ("a negative volume", volume < 0),
    )
    findings = []
    for what, wrong in said:
        if wrong.any():
            rows = np.flatnonzero(wrong)
            words = f"{len(rows)} bars have {what}, {_first(start, rows)}"
            findings.append(
                Finding(check="impossible bars", severity=Severity.FAIL, count=len(rows), words=words)
            )
    return findings


def _absurd(start: I64, high: I64, low: I64) -> list[Finding]:
    if len(start) < 3:
        return []
    above = low[1:-1] > ABSURD_RATIO * np.maximum(high[:-2], high[2:])
    below = ABSURD_RATIO * high[1:-1] < np.minimum(low[:-2], low[2:])
    rows = np.flatnonzero(above | below) + 1
    if not len(rows):
        return []
    words = (
        f"{len(rows)} bars lie wholly more than a factor {ABSURD_RATIO} off the bars before and after them, "
        f"{_first(start, rows)}"
    )
    return [Finding(check="absurd prices", severity=Severity.FAIL, count=len(rows), words=words)]


def _jumps(start: I64, close: I64) -> list[Finding]:
    if len(close) < 3 or int(close.min()) <= 0:
        return []
    returns = np.abs(np.diff(np.log(close.astype(np.float64))))
    moved = returns[returns > 0]
    if not len(moved):
        return []
    sigma = MAD_TO_SIGMA * float(np.median(moved))
    rows = np.flatnonzero(returns > max(JUMP_Z_MIN * sigma, JUMP_RETURN_MIN)) + 1
    if not len(rows):
        return []
    worst = rows[np.argsort(-returns[rows - 1], kind="stable")][:_SHOWN]
    shown = ", ".join(
        f"{close[i] / close[i - 1] - 1:+.1%} (robust z {returns[i - 1] / sigma:.0f}) "
        f"at {show_time(int(start[i]))}"
        for i in worst
    )
    words = f"{len(rows)} closes jump, the most {shown}: kept, since the bars around them agree"
    return [Finding(check="price jumps", severity=Severity.NOTE, count=len(rows), words=words)]


def _idle(start: I64, volume: I64) -> list[Finding]:
    idle = volume == 0
    if not idle.any() or idle.all():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], idle, [False])).astype(np.int8))).reshape(-1, 2)
    longest = edges[np.argsort(edges[:, 0] - edges[:, 1], kind="stable")][:_SHOWN]
    shown = ", ".join(f"{end - begin} from {show_time(int(start[begin]))}" for begin, end in longest.tolist())
    words = (
        f"{int(idle.sum())} bars without volume in {len(edges)} runs, the longest {shown}: "
        "no trade, or a halt"
    )
    return [Finding(check="idle bars", severity=Severity.NOTE, count=int(idle.sum()), words=words)]


def _open_gaps(opened: I64, close: I64) -> list[Finding]:
    if len(opened) < 2:
        return []
    gaps = int((np.abs(opened[1:] - close[:-1]) > _OPEN_GAP * np.abs(close[:-1])).sum())
    if not gaps:
        return []
    share = gaps / (len(opened) - 1)
    words = f"{gaps} opens ({share:.1%}) differ from the close before by more than {_OPEN_GAP:.1%}"
    return [Finding(check="open against close", severity=Severity.NOTE, count=gaps, words=words)]


def _first(start: I64, rows: npt.NDArray[np.intp]) -> str:
    return f"first at {show_time(int(start[rows[0]]))}"
