"""What a file says that the tape has no place for: counted, and told once at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from headwater.ports.importer import Findings
from headwater.storage.frames.book_stream import note_limited


class LeftOut:
    """Counts the messages that are not imported, by name."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One more message of this name."""
        self._counts[name] += 1

    def report(self, findings: Iterable[Findings]) -> None:
        """Tell of all of them, in the findings of each instrument of the file."""
        for finding in findings:
            for name, count in sorted(self._counts.items()):
                note_limited(finding, f"{count} messages of the file left out: {name}")
