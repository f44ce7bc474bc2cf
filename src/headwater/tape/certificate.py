"""The quality certificate of a dataset: what was checked, what was found, and whether the data can be
believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

CERTIFICATE_VERSION: Final = 1


class Severity(StrEnum):
    """What a finding means for the verdict."""

    FAIL = "fail"
    """Data is lost, false or contradicts itself: not trusted."""
    WARN = "warn"
    """A defect that was mended or confined, or that a reader should weigh."""
    NOTE = "note"
    """A fact about the market or the recording; no defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    check : what was looked for, e.g. "sequence gaps"
    severity : its weight
    count : how many
    words : one sentence, with times in UTC
    """

    check: str
    severity: Severity
    count: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The verdict on one dataset.

    Attributes
    ----------
    instrument, group : the dataset
    rows, ts_min, ts_max : its size; UTC ns of the first and last ``ts_local``
    trusted : no finding fails
    findings : gravest first
    measures : numbers by name: ``book_trusted_share``, ``messages``, ``gap_threshold_s``, ...
    content : hash over the parts that were read
    """

    instrument: str
    group: str
    rows: int
    ts_min: int
    ts_max: int
    findings: tuple[Finding, ...]
    measures: dict[str, Any] = field(default_factory=dict)
    content: str = ""
    version: int = CERTIFICATE_VERSION

    @property
    def trusted(self) -> bool:
        """Whether nothing found speaks against the data."""
        return all(finding.severity is not Severity.FAIL for finding in self.findings)

    @property
    def reasons(self) -> list[str]:
        """Why it is not trusted: the words of all findings that fail."""
        return [finding.words for finding in self.findings if finding.severity is Severity.FAIL]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for :attr:`ReplayInstrument.certificate`."""
        return {**asdict(self), "trusted": self.trusted, "reasons": self.reasons}
