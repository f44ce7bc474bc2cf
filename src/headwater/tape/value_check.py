"""Slow streams of single values: funding, mark and index price, open interest, liquidations."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.event import RATE_SCALE, Events
from headwater.tape.certificate import Finding, Severity
from headwater.tape.order import I64
from headwater.tape.show_time import show_duration, show_time
from headwater.tape.trade_check import ABSURD_RATIO

RATE_MAX: Final = RATE_SCALE // 20
"""5 % an interval: no venue's cap is as high."""

_SECOND_NS: Final = 10**9
_HOLE_FACTOR: Final = 1.5
_KEPT_MAX: Final = 5_000_000


class ValueCheck:
    """One of these groups, chunk by chunk; up to five million values are kept until the end.

    Parameters
    ----------
    family : ``funding``, ``mark``, ``index``, ``open_interest`` or ``liquidations``
    holes_explained : as for bars
    """

    def __init__(self, family: str, *, holes_explained: bool) -> None:
        self._family = family
        self._holes_explained = holes_explained
        self._chunks: list[I64] = []
        self._kept = 0

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        if self._kept < _KEPT_MAX:
            self._chunks.append(
                np.stack([events["ts_venue"], events["price"], events["size"], events["ts_local"]])
            )
            self._kept += len(events)

    def findings(self) -> list[Finding]:
        """What is wrong with the values, by family."""
        if not self._chunks:
            return []
        ts, price, size, ts_local = np.concatenate(self._chunks, axis=1)
        if self._family == "funding":
            return [*_rates(ts, price), *self._settlements(ts, size, ts_local)]
        if self._family == "open_interest":
            return _impossible(ts, size < 0, "a negative open interest")
        if self._family == "liquidations":
            return _impossible(ts, (price <= 0) | (size <= 0), "a price or size of zero or less")
        return [*_impossible(ts, price <= 0, "a price of zero or less"), *_spikes(ts, price)]

    def measures(self) -> dict[str, Any]:
        """Number of values."""
        return {"values": self._kept}

    # A rate that is known before its settlement may change until then: the same settlement, learned later.
    def _settlements(self, ts: I64, interval_s: I64, ts_local: I64) -> list[Finding]:
        findings = []
        step = np.diff(ts)
        repeated = np.flatnonzero((step < 0) | ((step == 0) & (np.diff(ts_local) <= 0)))
        if len(repeated):
            words = f"{len(repeated)} settlements do not follow the one before, {_first(ts, repeated + 1)}"
            findings.append(
                Finding(check="duplicates", severity=Severity.FAIL, count=len(repeated), words=words)
            )
        longest_ns = np.maximum(interval_s[1:], interval_s[:-1]) * _SECOND_NS
        holes = np.flatnonzero((step > _HOLE_FACTOR * longest_ns) & (longest_ns > 0))
        if len(holes):
            words = (
                f"{len(holes)} holes between settlements, "
                f"the longest {show_duration(int(step[holes].max()))}, {_first(ts, holes)}"
            )
            severity = Severity.WARN if self._holes_explained else Severity.FAIL
            findings.append(
                Finding(check="missing settlements", severity=severity, count=len(holes), words=words)
            )
        changes = np.flatnonzero(np.diff(interval_s)) + 1
        if len(changes):
            words = f"the funding interval changes {len(changes)} times, {_first(ts, changes)}"
            findings.append(
                Finding(check="funding interval", severity=Severity.NOTE, count=len(changes), words=words)
            )
        return findings


def _rates(ts: I64, rate: I64) -> list[Finding]:
    rows = np.flatnonzero(np.abs(rate) > RATE_MAX)
    if not len(rows):
        return []
    words = (
        f"{len(rows)} funding rates are beyond {RATE_MAX / RATE_SCALE:.0%} an interval, {_first(ts, rows)}"
    )
    return [Finding(check="absurd rates", severity=Severity.WARN, count=len(rows), words=words)]


def _impossible(ts: I64, wrong: I64, what: str) -> list[Finding]:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    words = f"{len(rows)} records have {what}, {_first(ts, rows)}"
    return [Finding(check="impossible values", severity=Severity.FAIL, count=len(rows), words=words)]


def _spikes(ts: I64, price: I64) -> list[Finding]:
    if len(price) < 3:
        return []
    value = price.astype(np.float64)
    above = value[1:-1] > ABSURD_RATIO * np.maximum(value[:-2], value[2:])
    below = ABSURD_RATIO * value[1:-1] < np.minimum(value[:-2], value[2:])
    rows = np.flatnonzero(above | below) + 1
    if not len(rows):
        return []
    words = (
        f"{len(rows)} values lie more than a factor {ABSURD_RATIO} off both neighbours, {_first(ts, rows)}"
    )
    return [Finding(check="absurd prices", severity=Severity.FAIL, count=len(rows), words=words)]


def _first(ts: I64, rows: I64) -> str:
    return f"first at {show_time(int(ts[rows[0]]))}"
