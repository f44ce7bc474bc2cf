"""Binance order book of one symbol: joining diffs to a REST snapshot, and proving that none is missing.

The venue's own rule. Spot: drop diffs with ``u <= lastUpdateId``; the first applied has
``U <= lastUpdateId + 1 <= u``, every next one ``U == previous u + 1``. Futures: drop ``u < lastUpdateId``;
the first applied has ``U <= lastUpdateId <= u``, every next one ``pu == previous u``. A snapshot that
arrives in the middle of the diffs is joined to those that arrived before it: until then there is no book,
so these are kept, and take effect when the snapshot does.

Sources
-------
Binance API documentation, "How to manage a local order book correctly" (spot and USD-M futures).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from headwater.storage.frames.book_stream import BookStream, note_limited
from headwater.storage.receive_clock import NO_TIME

PENDING_MAX: Final = 10_000
"""Diffs kept while a snapshot is awaited: at 100 ms between diffs, 1,000 s."""


@dataclass(slots=True)
class Diff:
    """One ``depthUpdate``; `previous` is ``pu``, or -1 where the venue sends none (spot)."""

    line: int
    ts_local: int
    ts_venue: int
    first: int
    last: int
    previous: int
    bids: Any
    asks: Any


@dataclass(slots=True)
class Snapshot:
    """One REST answer; `ts_venue` is NO_TIME where the venue sends none (spot)."""

    line: int
    ts_local: int
    ts_venue: int
    last: int
    bids: Any
    asks: Any


class BinanceBook:
    """Feeds one symbol's book messages to `stream` in the order in which they may be applied.

    Parameters
    ----------
    stream : where the messages and the holes between them go
    carried : ``u`` of the last diff of the file that came before, or None; it counts only if the first diff
        here follows it
    """

    def __init__(self, stream: BookStream, carried: int | None = None) -> None:
        self._stream = stream
        self._carried = carried
        self.last: int | None = None
        """``u`` of the last diff that was written, None before there is a book."""
        self._hole = (0, 0)
        self._waiting: Snapshot | None = None
        self._pending: deque[Diff] = deque(maxlen=PENDING_MAX)

    @property
    def continues(self) -> bool:
        """Whether a diff that follows the last one can only be written, with nothing else to judge."""
        return (
            self.last is not None and self._waiting is None and self._carried is None and self._stream.trusted
        )

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A full book; ignored when the book at hand is sound and newer."""
        if self._stream.trusted and self.last is not None and snapshot.last <= self.last:
            self._note(f"line {snapshot.line}: a snapshot older than the book was left out")
            return
        if self._waiting is not None:
            self._write_waiting()
        self._waiting = snapshot
        self._join(snapshot.ts_local)

    def on_diff(self, diff: Diff) -> None:
        """A change; kept back while there is no book, judged by its sequence numbers otherwise."""
        if self._carried is not None:
            self._continue_file_before(diff, self._carried)
        if self._waiting is not None or not self._stream.trusted:
            self._pending.append(diff)
        if self._waiting is not None:
            self._join(diff.ts_local)
        elif self.last is None:
            if len(self._pending) == PENDING_MAX:
                self._begin_without_snapshot()
        else:
            self._follow(diff)

    def _continue_file_before(self, diff: Diff, carried: int) -> None:
        self._carried = None
        if _follows(diff, carried):
            self.last = carried
            self._stream.started = self._stream.trusted = True

    def finish(self) -> None:
        """The file ends: write what still waits."""
        if self._waiting is not None:
            self._write_waiting()
        elif self.last is None and self._pending:
            self._begin_without_snapshot()

    def _write_waiting(self) -> None:
        """A snapshot that no diff followed stands for itself; it is known now, when that is clear."""
        snapshot, self._waiting = self._waiting, None
        assert snapshot is not None
        now = max(snapshot.ts_local, self._stream.rows.last_ts_local)
        self._write_snapshot(snapshot, now, snapshot.ts_venue)

    def _join(self, now: int) -> None:
        """Write the waiting snapshot and the diffs behind it, as soon as there is one behind it."""
        snapshot = self._waiting
        assert snapshot is not None
        stale_time = NO_TIME
        while self._pending and self._precedes(self._pending[0], snapshot):
            stale_time = self._pending.popleft().ts_venue
        if not self._pending:
            return
        first = self._pending[0]
        ts_venue = snapshot.ts_venue or stale_time or first.ts_venue
        self._write_snapshot(snapshot, now, min(ts_venue, first.ts_venue))
        self._waiting = None
        reaches = snapshot.last + (first.previous < 0)
        if first.first > reaches:
            self._gap(
                first, now, f"the snapshot ends at {snapshot.last}, the next diff begins at {first.first}"
            )
        for diff in self._pending:
            self._write_next(diff, now)
        self._pending.clear()

    @staticmethod
    def _precedes(diff: Diff, snapshot: Snapshot) -> bool:
        return diff.last < snapshot.last + (diff.previous < 0)

    def _write_next(self, diff: Diff, now: int) -> None:
        if self.last is None:
            self._write(diff, now)
        else:
            self._follow(diff, now)

    def _follow(self, diff: Diff, now: int | None = None) -> None:
        assert self.last is not None
        ts_local = diff.ts_local if now is None else now
        if diff.last <= self.last:
            self._repeated(diff)
            return
        if not _follows(diff, self.last):
            self._hole = (self.last, diff.first)
            self._gap(diff, ts_local, f"expected to continue {self.last}, found {diff.first}..{diff.last}")
        self._write(diff, ts_local)

    def _repeated(self, diff: Diff) -> None:
        if self._hole[0] < diff.last < self._hole[1]:
            self._note(f"line {diff.line}: a diff arrived out of order and was left out")
        else:
            self._stream.repeated(diff.line, "diff")

    def _gap(self, diff: Diff, ts_local: int, why: str) -> None:
        # How many diffs are missing is not known: update ids count changes, not messages. At least one is.
        self._stream.gap(diff.line, ts_local, diff.ts_venue, 1, why, counted=False)

    def _write(self, diff: Diff, ts_local: int) -> None:
        self._stream.delta(diff.line, ts_local, diff.ts_venue, diff.bids, diff.asks)
        self.last = diff.last

    def _write_snapshot(self, snapshot: Snapshot, ts_local: int, ts_venue: int) -> None:
        self._stream.snapshot(snapshot.line, ts_local, ts_venue, snapshot.bids, snapshot.asks)
        self.last = None

    def _begin_without_snapshot(self) -> None:
        first = self._pending[0]
        self._stream.unknown(
            first.line,
            first.ts_local,
            first.ts_venue,
            "no snapshot in the file, so the book is not to be trusted; "
            "import it in one command behind the file that it continues",
        )
        for diff in self._pending:
            self._write_next(diff, diff.ts_local)
        self._pending.clear()

    def _note(self, sentence: str) -> None:
        note_limited(self._stream.findings, sentence)


def _follows(diff: Diff, last: int) -> bool:
    """Whether `diff` is the next one behind update id `last`."""
    return diff.first == last + 1 if diff.previous < 0 else diff.previous == last
