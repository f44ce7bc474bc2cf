"""Certify a dataset: run every check that fits its kind over its events, and weigh what its importers met.

A defect is named by whoever can prove it: lost messages by the importer, which saw the sequence numbers; a
crossed book, a repeated bar or an absurd price by the events themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, Protocol

from headwater.domain.event import Events
from headwater.ports.importer import Findings
from headwater.tape.bar_check import BarCheck
from headwater.tape.book_check import BookCheck
from headwater.tape.certificate import Certificate, Finding, Severity
from headwater.tape.dataset import DatasetInfo, SourceInfo
from headwater.tape.kind_group import family_of
from headwater.tape.quote_check import QuoteCheck
from headwater.tape.show_time import show_duration, show_time
from headwater.tape.sides import trader_records
from headwater.tape.timing_check import TimingCheck
from headwater.tape.trade_check import TradeCheck
from headwater.tape.value_check import ValueCheck

_STEADY: Final = ("book", "quotes")

_OVERLAP_NS_MIN: Final = 1_000_000_000
_OVERLAP_SHARE_MIN: Final = 0.01
_HOLES: Final = {"sequence gaps", "missing bars", "missing settlements"}
"""Checks that name lost records themselves: the importer's count would name them twice."""

_ORDER: Final = (Severity.FAIL, Severity.WARN, Severity.NOTE)


class Check(Protocol):
    """One check, fed chunk by chunk."""

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        ...

    def findings(self) -> list[Finding]:
        """What was found, after the last chunk."""
        ...

    def measures(self) -> dict[str, Any]:
        """Numbers by name, after the findings."""
        ...


class Certifier:
    """Builds a certificate chunk by chunk, in memory that does not grow with the tape.

    Parameters
    ----------
    info : the dataset, with the findings of its importers
    """

    def __init__(self, info: DatasetInfo) -> None:
        self._info = info
        self._checks = _checks(info)
        self._rows = 0

    def update(self, events: Events) -> None:
        """Take the next events of the dataset, in arrival order, cut where a message ends.

        What a recording holds for the venue's side alone is a second copy and is passed over.
        """
        self._rows += len(events)
        seen = trader_records(events)
        for check in self._checks:
            check.update(seen)

    def certificate(self, content: str = "", more_measures: Mapping[str, Any] | None = None) -> Certificate:
        """The verdict; `content` is the hash of what was read, `more_measures` were taken elsewhere."""
        found = [finding for check in self._checks for finding in check.findings()]
        found += _from_importers(self._info, found)
        found += _overlaps(self._info.sources)
        if not self._rows:
            found.append(
                Finding(check="empty", severity=Severity.FAIL, count=1, words="the dataset has no events")
            )
        measures: dict[str, Any] = {}
        for check in self._checks:
            measures |= check.measures()
        measures |= more_measures or {}
        return Certificate(
            instrument=self._info.instrument,
            group=self._info.group,
            rows=self._rows,
            ts_min=self._info.ts_min,
            ts_max=self._info.ts_max,
            findings=tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity))),
            measures=measures,
            content=content,
        )


def certify(events: Events, info: DatasetInfo) -> Certificate:
    """Certify events that are in memory: (n,) of one dataset, in arrival order."""
    certifier = Certifier(info)
    if len(events):
        certifier.update(events)
    return certifier.certificate()


def _checks(info: DatasetInfo) -> list[Check]:
    family = family_of(info.group)
    holes_explained = _holes_explained(info)
    timing = TimingCheck(is_steady=family in _STEADY)
    if family == "book":
        return [timing, BookCheck()]
    if family == "trades":
        return [timing, TradeCheck()]
    if family == "quotes":
        return [timing, QuoteCheck()]
    if family == "bars":
        return [BarCheck(holes_explained=holes_explained)]
    if family in ("status", "metric"):
        return [timing]
    return [timing, ValueCheck(family, holes_explained=holes_explained)]


# One source alone, whose importer looked for lost records and found none. Between two sources nobody looked.
def _holes_explained(info: DatasetInfo) -> bool:
    if len(info.sources) != 1 or not info.sources[0].importer:
        return False
    return info.sources[0].findings.sequence_gaps == 0


def _from_importers(info: DatasetInfo, found: list[Finding]) -> Iterator[Finding]:
    seen = {finding.check for finding in found}
    for source in info.sources:
        yield from _from_importer(source, seen, is_answerable=_is_answerable(info.group, source.groups))


# Importers count losses by instrument: they are those of its book where there is one, else of its trades.
def _is_answerable(group: str, groups: tuple[str, ...]) -> bool:
    for family in ("book", "trades"):
        if any(family_of(other) == family for other in groups):
            return family_of(group) == family
    return True


def _from_importer(source: SourceInfo, seen: set[str], *, is_answerable: bool) -> Iterator[Finding]:
    findings = source.findings
    if is_answerable:
        yield from _losses(source.name, findings, seen)
    if is_answerable and findings.conflated and "conflation" not in seen:
        yield Finding(
            check="conflation",
            severity=Severity.NOTE,
            count=1,
            words=f"{source.name}: conflated by design: {findings.conflated}",
        )
    if findings.clock not in ("", "as recorded"):
        yield Finding(
            check="clock", severity=Severity.NOTE, count=1, words=f"{source.name}: clock {findings.clock}"
        )
    for note in findings.notes:
        words = f"{source.name}: {note}"
        yield Finding(check="importer's note", severity=Severity.NOTE, count=1, words=words)


def _losses(name: str, findings: Findings, seen: set[str]) -> Iterator[Finding]:
    if (findings.sequence_gaps or findings.lost_messages) and not seen & _HOLES:
        words = f"{name}: {findings.lost_messages} messages lost in {findings.sequence_gaps} gaps"
        count = max(findings.sequence_gaps, findings.lost_messages)
        yield Finding(check="sequence gaps", severity=Severity.FAIL, count=count, words=words)
    if findings.duplicates:
        words = f"{name}: {findings.duplicates} records repeat an earlier one and were dropped"
        yield Finding(check="duplicates", severity=Severity.WARN, count=findings.duplicates, words=words)
    if findings.backward_clock and "backward clock" not in seen:
        words = f"{name}: {findings.backward_clock} receive times run backwards"
        yield Finding(
            check="backward clock", severity=Severity.WARN, count=findings.backward_clock, words=words
        )


def _overlaps(sources: tuple[SourceInfo, ...]) -> Iterator[Finding]:
    ordered = sorted(sources, key=lambda source: source.ts_min)
    for before, after in pairwise(ordered):
        overlap_ns = min(before.ts_max, after.ts_max) - after.ts_min
        shorter_ns = min(before.ts_max - before.ts_min, after.ts_max - after.ts_min)
        if overlap_ns > max(_OVERLAP_NS_MIN, _OVERLAP_SHARE_MIN * shorter_ns):
            words = (
                f"{before.name} and {after.name} overlap for {show_duration(overlap_ns)} from "
                f"{show_time(after.ts_min)}: events are there twice; keep one of them"
            )
            yield Finding(check="overlapping sources", severity=Severity.FAIL, count=1, words=words)
