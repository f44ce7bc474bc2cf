"""The receive clock of one file: judged once, on the first batches, and then treated alike to the end."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EventKind, Events
from headwater.tape.clock import correct_clock

NO_TIME: Final = 0
"""``ts_venue`` of a message that carries no time of the venue."""

BASE_LATENCY_NS: Final = 0
"""No file says what its fastest message took: a corrected clock makes it 0, and latencies are relative."""


class ReceiveClock:
    """Corrects ``ts_local`` of a file's events, in place.

    The first call decides, for a file of ordinary size on all of its events. Later calls shift by the same
    amount, because one shift keeps the order of the file, and say how far they disagree.
    """

    def __init__(self) -> None:
        self.words = "as recorded"
        self.latency_usable = True
        self._shift_ns: int | None = None
        self._floor_ns = 0

    @property
    def decided(self) -> bool:
        """Whether the shift is known."""
        return self._shift_ns is not None

    def correct(self, batches: list[Events]) -> None:
        """Shift `batches`, and give what has no venue time the time at which it was received."""
        decided = self._shift_ns is not None
        if self._shift_ns is None:
            self._shift_ns = self._decide(batches)
        for events in batches:
            events["ts_local"] += self._shift_ns
            if decided:
                self._compare(events)
            absent = events["ts_venue"] == NO_TIME
            events["ts_venue"][absent] = events["ts_local"][absent]

    def _decide(self, batches: list[Events]) -> int:
        timed = [events[_is_timed(events)] for events in batches]
        ts_local = np.concatenate([events["ts_local"] for events in timed])
        ts_venue = np.concatenate([events["ts_venue"] for events in timed])
        if len(ts_local) == 0:
            self.words, self.latency_usable = "absent: no venue times in the file", False
            return 0
        if len(batches) > 1:  # several instruments: back into the order of arrival
            order = np.argsort(ts_local, kind="stable")
            ts_local, ts_venue = ts_local[order], ts_venue[order]
        corrected, self.words, self.latency_usable = correct_clock(ts_local, ts_venue, BASE_LATENCY_NS)
        return int(corrected[0] - ts_local[0])

    def _compare(self, events: Events) -> None:
        """A later message that was received before it was sent says that the shift is too small."""
        timed = events[_is_timed(events)]
        floor_ns = int((timed["ts_local"] - timed["ts_venue"]).min(initial=0))
        if floor_ns < self._floor_ns:
            self._floor_ns = floor_ns
            self.words = (
                f"{self.words.partition('; later')[0]}; later in the file {-floor_ns / 1e9:.6f} s more"
            )


def _is_timed(events: Events) -> npt.NDArray[np.bool_]:
    """Rows whose venue time says when the venue sent them; that of a funding rate lies in the future."""
    return np.asarray((events["ts_venue"] != NO_TIME) & (events["kind"] != EventKind.FUNDING))
