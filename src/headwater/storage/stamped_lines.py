"""Recordings of ``<receive time, ns> <frame>`` a line: the lines, and what their clock and their end tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import ImportContext


class StampedLines:
    """Splits blocks of lines and hands them on.

    Parameters
    ----------
    path : for messages
    on_frame : (line, receive time in UTC ns, frame)
    """

    def __init__(self, path: Path, on_frame: Callable[[int, int, bytes], None]) -> None:
        self._path = path
        self._on_frame = on_frame
        self._line = 0
        self._last = 0
        self._backward = 0
        self._cut = 0

    def read(self, block: bytes) -> None:
        """One block, which ends at a line end unless it is the last."""
        on_frame, last, line = self._on_frame, self._last, self._line
        for text in block.split(b"\n"):
            if not text:
                continue
            line += 1
            stamp, _, body = text.partition(b" ")
            try:
                ts_local = int(stamp)
                if ts_local < last:
                    self._backward += 1
                last = ts_local
                on_frame(line, ts_local, body)
            except (ValueError, msgspec.MsgspecError) as error:
                self._malformed(line, text, block, error)
        self._last, self._line = last, line

    def report(self, context: ImportContext) -> None:
        """Tell the findings of the file what the lines showed."""
        for findings in context.findings.values():
            findings.backward_clock += self._backward
            if self._cut:
                findings.lost_messages += 1
                findings.notes.append(f"line {self._cut}: the last line is cut short and was left out")

    def _malformed(self, line: int, text: bytes, block: bytes, error: Exception) -> None:
        # A recorder may be stopped while it writes: only the last line may be cut, and then it has no end.
        if block.endswith(b"\n") or not block.endswith(text):
            raise ImportRefusedError(
                f"{self._path}: line {line}: expected a receive time in ns and a frame, found "
                f"{text[:40]!r} ({error}); remove or correct that line"
            ) from error
        self._cut = line
