"""A capture that a test writes itself, frame by frame, and what was read of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headwater.domain.event import EventKind
from tests.storage.importers.reading import Read, read

T0_S = 1_700_000_000
T0_MS = T0_S * 1_000

CLEAR, SNAPSHOT, DELTA = EventKind.BOOK_CLEAR, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_DELTA
TRADE, GAP = EventKind.TRADE, EventKind.GAP


class Capture:
    """A cryptofeed capture that is being written: frames on one connection, a millisecond apart."""

    def __init__(self, venue: str, address: str = "wss://venue") -> None:
        self.lines: list[dict[str, Any]] = [{"t": "header", "format": 2, "exchange": venue, "config": {}}]
        self.address = address
        self.connect()

    def _add(self, **record: Any) -> Capture:
        self.lines.append({"ts": T0_S + 1 + len(self.lines) / 1_000, **record})
        return self

    def connect(self) -> Capture:
        """The connection is opened (anew)."""
        return self._add(t="connect", conn="ws", addr=self.address)

    def answer(self, url: str, body: Any) -> Capture:
        """A REST answer."""
        return self._add(t="http", conn="http", url=f"https://venue/{url}", data=json.dumps(body))

    def frame(self, body: Any) -> Capture:
        """A frame of the stream."""
        return self._add(t="recv", conn="ws", data=json.dumps(body))

    def read(self, folder: Path) -> Read:
        """Write the file and import it."""
        path = folder / "capture.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        return read(path)


def told(result: Read) -> list[tuple[EventKind, int, float, float]]:
    """(kind, side, price, size) of every event, in units."""
    return [
        (
            EventKind(int(event["kind"])),
            int(event["side"]),
            float(int(event["price"]) * batch.tick_size) if event["kind"] not in (CLEAR, GAP) else 0.0,
            float(int(event["size"]) * batch.lot_size) if event["kind"] != GAP else float(event["size"]),
        )
        for batch in result.batches
        for event in batch.events
    ]


def kinds(result: Read) -> list[EventKind]:
    """Kind of every event."""
    return [row[0] for row in told(result)]


def notes(result: Read) -> str:
    """All notes of all instruments."""
    return "\n".join(note for found in result.findings.values() for note in found.notes)
