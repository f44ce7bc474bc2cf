"""Port of this room: what reads the recorded frames of one venue."""

from __future__ import annotations

from typing import Protocol

from headwater.storage.hot_frames import FrameTable


class Frames(Protocol):
    """Turns the frames of one venue into events.

    Frames of one connection come in the order in which they were received; those of several are merged by
    time. ``line`` is the line of the file, for messages; ``ts_local`` the receive time, UTC ns.
    """

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Read frames from `frame` on by a kernel; the first that is left to :meth:`on_frame`, or `behind`."""
        ...

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:
        """One frame of a stream."""
        ...

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:
        """One REST answer."""
        ...

    def on_connect(self, conn: str, address: str) -> None:
        """A connection was opened: its books begin anew."""
        ...

    def finish(self) -> None:
        """The file ends: write what waits, say what was left out."""
        ...
