"""When messages came: holes in time, clocks that run back, streams that are throttled.

Whether a silence is a hole is judged by the stream itself: longer than ten times the silence that all but one
in a thousand messages (at least ten) keep, thirty times the median, and 5 s. It is a warning, since a venue
may be silent; lost messages are proven by sequence numbers alone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.event import EventFlag, Events
from headwater.kernels.kernel import kernel
from headwater.tape.certificate import Finding, Severity
from headwater.tape.log_histogram import BINS, BINS_PER_OCTAVE, log_bin, quantile
from headwater.tape.order import I64
from headwater.tape.show_time import show_duration, show_time

GAP_NS_MIN: Final = 5_000_000_000
BACKWARD_NS_FAIL: Final = 1_000_000_000
_HOLES_KEPT: Final = 256
_HOLES_SHOWN: Final = 3
_MESSAGES_MIN: Final = 100
_UNUSUAL_MIN: Final = 10
_THROTTLE_NS_MIN: Final = 40_000_000
_THROTTLE_SHARE_MIN: Final = 0.8

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_LOCAL, _VENUE, _MESSAGES, _BACKWARD, _BACKWARD_WORST, _BACKWARD_AT, _VENUE_BACKWARD = range(7)
_STATE: Final = 7


@kernel
def timing_step(
    events: Events, state: I64, local_bins: I64, venue_bins: I64, hole_ns: I64, hole_at: I64
) -> None:
    """Take the message times of `events` into the state.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE in arrival order
    state : (7,) last ts_local and ts_venue; counts of messages, of steps back, the worst, where; of the
        venue's
    local_bins, venue_bins : log histograms of the steps forward, ns
    hole_ns, hole_at : (k,) the longest steps forward, ns, unsorted, and the ts_local at which each began
    """
    shortest = int(np.argmin(hole_ns))
    for i in range(len(events)):
        if not events[i]["flags"] & _LAST:
            continue
        local, venue = events[i]["ts_local"], events[i]["ts_venue"]
        if state[_MESSAGES] > 0:
            step = local - state[_LOCAL]
            if step < 0:
                state[_BACKWARD] += 1
                if -step > state[_BACKWARD_WORST]:
                    state[_BACKWARD_WORST] = -step
                    state[_BACKWARD_AT] = local
            else:
                local_bins[log_bin(float(step))] += 1
            if step > hole_ns[shortest]:
                hole_ns[shortest] = step
                hole_at[shortest] = state[_LOCAL]
                shortest = int(np.argmin(hole_ns))
            if venue < state[_VENUE]:
                state[_VENUE_BACKWARD] += 1
            elif venue > state[_VENUE]:
                venue_bins[log_bin(float(venue - state[_VENUE]))] += 1
        state[_LOCAL], state[_VENUE] = local, venue
        state[_MESSAGES] += 1


class TimingCheck:
    """Times of one dataset, chunk by chunk.

    Parameters
    ----------
    is_steady : the stream publishes as long as the venue trades (books, quotes); silences of others are notes
    """

    def __init__(self, *, is_steady: bool) -> None:
        self._is_steady = is_steady
        self._state = np.zeros(_STATE, np.int64)
        self._local_bins = np.zeros(BINS, np.int64)
        self._venue_bins = np.zeros(BINS, np.int64)
        self._hole_ns = np.zeros(_HOLES_KEPT, np.int64)
        self._hole_at = np.zeros(_HOLES_KEPT, np.int64)

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        timing_step(events, self._state, self._local_bins, self._venue_bins, self._hole_ns, self._hole_at)

    def findings(self) -> list[Finding]:
        """Holes in time, steps back, throttling."""
        return [*self._holes(), *self._backward(), *self._throttled()]

    def measures(self) -> dict[str, Any]:
        """Messages, their usual distance, and what counts as a hole."""
        measures: dict[str, Any] = {"messages": int(self._state[_MESSAGES])}
        if measures["messages"] > 1:
            measures["message_interval_ms_p50"] = round(quantile(self._local_bins, 0.5) / 1e6, 3)
            measures["gap_threshold_s"] = round(self._threshold_ns() / 1e9, 3)
            measures["longest_silence_s"] = round(int(self._hole_ns.max()) / 1e9, 3)
        return measures

    def _threshold_ns(self) -> float:
        usual_share = min(0.999, max(0.5, 1 - _UNUSUAL_MIN / int(self._state[_MESSAGES])))
        p50, usual = quantile(self._local_bins, 0.5), quantile(self._local_bins, usual_share)
        return max(GAP_NS_MIN, 30 * p50, 10 * usual)

    def _holes(self) -> list[Finding]:
        if self._state[_MESSAGES] < _MESSAGES_MIN:
            return []
        threshold = self._threshold_ns()
        order = np.argsort(-self._hole_ns, kind="stable")
        order = order[self._hole_ns[order] > threshold]
        if not len(order):
            return []
        shown = ", ".join(
            f"{show_duration(int(self._hole_ns[i]))} from {show_time(int(self._hole_at[i]))}"
            for i in order[:_HOLES_SHOWN]
        )
        more = "at least " if len(order) == _HOLES_KEPT else ""
        words = f"{more}{len(order)} silences longer than {show_duration(threshold)}, the longest {shown}"
        severity = Severity.WARN if self._is_steady else Severity.NOTE
        return [Finding(check="gaps in time", severity=severity, count=len(order), words=words)]

    def _backward(self) -> list[Finding]:
        findings = []
        count, worst = int(self._state[_BACKWARD]), int(self._state[_BACKWARD_WORST])
        if count:
            words = (
                f"the receive clock steps back {count} times, by up to {show_duration(worst)} "
                f"at {show_time(int(self._state[_BACKWARD_AT]))}"
            )
            severity = Severity.FAIL if worst > BACKWARD_NS_FAIL else Severity.WARN
            findings.append(Finding(check="backward clock", severity=severity, count=count, words=words))
        if count := int(self._state[_VENUE_BACKWARD]):
            words = f"{count} messages carry an earlier venue time than the message before them"
            findings.append(Finding(check="venue order", severity=Severity.NOTE, count=count, words=words))
        return findings

    def _throttled(self) -> list[Finding]:
        if not self._is_steady or self._state[_MESSAGES] < _MESSAGES_MIN:
            return []
        total = int(self._venue_bins.sum())
        middle = int(np.searchsorted(np.cumsum(self._venue_bins), total / 2))
        share = self._venue_bins[max(0, middle - 1) : middle + 2].sum() / max(total, 1)
        interval_ns = 2.0 ** ((middle + 0.5) / BINS_PER_OCTAVE)
        if interval_ns < _THROTTLE_NS_MIN or share < _THROTTLE_SHARE_MIN:
            return []
        words = (
            f"conflated: {share:.0%} of the messages come about {show_duration(interval_ns)} after the one "
            "before, so changes in between are not seen one by one"
        )
        return [Finding(check="conflation", severity=Severity.NOTE, count=total, words=words)]
