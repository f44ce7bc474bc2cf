"""Recordings of ``<receive time, ns> <frame>`` a line: the lines, and what their clock and their end tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from headwater.domain.errors import ImportRefusedError
from headwater.kernels.kernel import kernel
from headwater.ports.importer import ImportContext
from headwater.storage.decimal_bytes import Bytes, Ints, as_bytes, byte_at
from headwater.storage.hot_frames import FrameTable

_NEWLINE: Final = 10
_SPACE: Final = 32
_ZERO: Final = 48
_NINE: Final = 57

STAMP_MAX: Final = 9_000_000_000_000_000_000
"""Receive time (2255) up to which a line is split by the kernel."""


@kernel
def line_end(text: Bytes, at: int) -> int:
    """Position of the next line end, or the length of the text."""
    while at < len(text) and byte_at(text, at) != _NEWLINE:
        at += 1
    return at


@kernel
def split_stamped(
    text: Bytes, at: int, clock: Ints, starts: Ints, stops: Ints, ts_local: Ints, lines: Ints
) -> tuple[int, int]:
    """Lines ``<receive time> <frame>`` from `at` on, as (how many, position behind them).

    It ends at the first line that is not of plain digits, one space and a frame, or has no end.

    Parameters
    ----------
    clock : (3,) lines so far, the last receive time, how often one was below the one before; updated
    starts, stops, ts_local, lines : a row for each line, filled here
    """
    count = 0
    while at < len(text):
        first = at
        stamp = 0
        while at < len(text) and _ZERO <= byte_at(text, at) <= _NINE and stamp < STAMP_MAX // 10:
            stamp = stamp * 10 + (byte_at(text, at) - _ZERO)
            at += 1
        stop = line_end(text, at)
        if stop == first:  # an empty line
            at = stop + 1
            continue
        if at == first or stop == len(text) or byte_at(text, at) != _SPACE:
            return count, first
        clock[0] += 1
        clock[2] += 1 if stamp < clock[1] else 0
        clock[1] = stamp
        starts[count] = at + 1
        stops[count] = stop
        ts_local[count] = stamp
        lines[count] = clock[0]
        count += 1
        at = stop + 1
    return count, len(text)


def _no_runs(table: FrameTable, frame: int, behind: int) -> int:  # noqa: ARG001  (every frame by itself)
    return frame


class StampedLines:
    """Splits blocks of lines and hands them on.

    Parameters
    ----------
    path : for messages
    on_frame : (line, receive time in UTC ns, frame)
    run : (table, frame, behind) -> the first frame that is to go to `on_frame`, those before are done
    """

    def __init__(
        self,
        path: Path,
        on_frame: Callable[[int, int, bytes], None],
        run: Callable[[FrameTable, int, int], int] = _no_runs,
    ) -> None:
        self._path = path
        self._on_frame = on_frame
        self._run = run
        self._clock = np.zeros(3, np.int64)  # line, last receive time, backward steps
        self._cut = 0

    def read(self, block: bytes) -> None:
        """One block, which ends at a line end unless it is the last."""
        text = as_bytes(block)
        columns = [np.empty(np.count_nonzero(text == _NEWLINE), np.int64) for _ in range(4)]
        at = 0
        while at < len(text):
            count, at = split_stamped(text, at, self._clock, *columns)
            starts, stops, ts_local, lines = (column[:count] for column in columns)
            self._read_table(block, FrameTable(text, starts, stops, ts_local, lines))
            if at < len(text):
                at = self._read_odd_line(block, at)

    def _read_table(self, block: bytes, table: FrameTable) -> None:
        count = len(table.starts)
        frame = 0
        while (frame := self._run(table, frame, count)) < count:
            start, stop = int(table.starts[frame]), int(table.stops[frame])
            line = int(table.lines[frame])
            try:
                self._on_frame(line, int(table.ts_local[frame]), block[start:stop])
            except (ValueError, msgspec.MsgspecError) as error:
                self._malformed(line, block[block.rfind(b"\n", 0, start) + 1 : stop], block, error)
            frame += 1

    def _read_odd_line(self, block: bytes, at: int) -> int:
        """A line that is not of the plain form, or the last one without its end; the position behind it."""
        text, newline, _ = block[at:].partition(b"\n")
        self._clock[0] += 1
        line = int(self._clock[0])
        stamp, _, body = text.partition(b" ")
        try:
            ts_local = int(stamp)
            self._clock[2] += ts_local < self._clock[1]
            self._clock[1] = ts_local
            self._on_frame(line, ts_local, body)
        except (ValueError, OverflowError, msgspec.MsgspecError) as error:
            self._malformed(line, text, block, error)
        return at + len(text) + len(newline)

    def report(self, context: ImportContext) -> None:
        """Tell the findings of the file what the lines showed."""
        for findings in context.findings.values():
            findings.backward_clock += int(self._clock[2])
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
