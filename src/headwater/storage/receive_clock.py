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

    The first call decides (for files below half a million events that is the whole file); later calls shift
    by the same amount, because a clock that was wrong by seconds was wrong by seconds all along.
    """

    def __init__(self) -> None:
        self.words = "as recorded"
        self.latency_usable = True
        self._shift_ns: int | None = None

    def correct(self, batches: list[Events]) -> None:
        """Shift `batches`, and give what has no venue time the time at which it was received."""
        if self._shift_ns is None:
            self._decide(batches)
        for events in batches:
            events["ts_local"] += self._shift_ns
            absent = events["ts_venue"] == NO_TIME
            events["ts_venue"][absent] = events["ts_local"][absent]

    def _decide(self, batches: list[Events]) -> None:
        timed = [events[_is_timed(events)] for events in batches]
        ts_local = np.concatenate([events["ts_local"] for events in timed])
        ts_venue = np.concatenate([events["ts_venue"] for events in timed])
        order = np.argsort(ts_local, kind="stable")
        ts_local, ts_venue = ts_local[order], ts_venue[order]
        if len(ts_local) == 0:
            self._shift_ns, self.words, self.latency_usable = 0, "no venue times in the file", False
            return
        corrected, self.words, self.latency_usable = correct_clock(ts_local, ts_venue, BASE_LATENCY_NS)
        self._shift_ns = int(corrected[0] - ts_local[0])


def _is_timed(events: Events) -> npt.NDArray[np.bool_]:
    """Rows whose venue time says when the venue sent them; that of a funding rate lies in the future."""
    return np.asarray((events["ts_venue"] != NO_TIME) & (events["kind"] != EventKind.FUNDING))
