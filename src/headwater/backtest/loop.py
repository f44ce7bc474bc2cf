"""The loop that merges the four timelines: data and orders, at the trader and at the venue.

The two sides meet only through messages that take time, so each can run ahead of the other as far as no message can reach
it. That keeps the inner loops long and tight:

1. The *horizon* is the next instant at which the trader could act: its next timer, its next market event if it is woken by
   market events.
2. The venue runs to the horizon. If it sends a report that wakes the trader, the horizon moves back to its arrival.
3. The trader learns of everything up to the horizon, data before reports at the same instant.
4. The strategy is woken, its intents become requests, which reach the venue later than now.

A venue at which nothing of ours rests, waits, is held or is on its way is left behind and catches up in one piece: what
it does meanwhile cannot be seen from here.

At the same instant the order is: trader's data, trader's reports, venue's data, venue's requests.
"""

from __future__ import annotations

from typing import Any

from headwater.backtest.venue_timeline import advance_venue, next_venue_ts
from headwater.domain.view import WakeKind
from headwater.engine.engine import NO_ROOM, announce, learn, logs_full, next_local_ts
from headwater.engine.samples import take_samples
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import Stop
from headwater.simulation.state import FAR_FUTURE, Sim

_W_TIMER = int(WakeKind.TIMER)
_DATA_WAKES = int(WakeKind.BOOK | WakeKind.BBO | WakeKind.TRADE | WakeKind.BAR | WakeKind.EVENT)
_S_END = int(Stop.END)
_S_WAKE = int(Stop.WAKE)
_S_CHUNK = int(Stop.CHUNK)
_S_LOG_FULL = int(Stop.LOG_FULL)
_S_FAULT = int(Stop.FAULT)


@kernel
def advance(sim: Sim, local: Any, venue: Any, view: Any, row_budget: Int) -> Int:
    """Run to the next wake; returns a :class:`Stop`.

    Parameters
    ----------
    local, venue : EVENT_DTYPE, the two orders of the tape
    view : VIEW_DTYPE record, filled with the market at the wake
    row_budget : hand back after about so many of the trader's events, so that a run can be watched and interrupted
    """
    clock = sim.clock[0]
    row_end = min(clock["local_row"] + row_budget, len(local))
    while True:
        if clock["fault"] != 0:
            return _S_FAULT
        if logs_full(sim):
            return _S_LOG_FULL
        next_local = next_local_ts(clock, local)
        if next_local == FAR_FUTURE and _only_the_venue_is_left(sim, venue):
            return _S_END
        target = min(clock["next_timer"], clock["next_sample"])
        if row_end < len(local):
            target = min(target, local[row_end]["ts_local"])
        target = min(target, FAR_FUTURE - 1)
        if not _venue_is_idle(clock):
            if (clock["wake_mask"] & _DATA_WAKES) != 0:
                target = min(target, next_local)
            clock["horizon"] = target
            advance_venue(sim, venue)
            target = clock["horizon"]
        wake = learn(sim, local, target, view)
        if wake == NO_ROOM:
            return _S_LOG_FULL
        if wake != 0:
            announce(sim, wake, view)
            return _S_WAKE
        if target >= clock["next_sample"]:
            clock["now"] = target
            take_samples(sim, view)
        if target >= clock["next_timer"]:
            if _nothing_follows(sim, local, venue):
                clock["next_timer"] = FAR_FUTURE
                continue
            clock["now"] = target
            clock["next_timer"] += clock["timer_ns"]
            announce(sim, _W_TIMER, view)
            return _S_WAKE
        if clock["local_row"] >= row_end and row_end < len(local):
            return _S_CHUNK


@kernel
def _venue_is_idle(clock: Any) -> Bool:
    return (
        clock["venue_open"] == 0 and clock["request_head"] == clock["request_tail"] and clock["exposed"] == 0
    )


@kernel
def is_quiet(clock: Any) -> Bool:
    """Nothing of ours is at the venue, and no message is on its way in either direction."""
    return (
        clock["venue_open"] == 0
        and clock["request_head"] == clock["request_tail"]
        and clock["report_head"] == clock["report_tail"]
        and clock["exposed"] == 0
        and clock["sample_ns"] >= 0
        and clock["fault"] == 0
    )


@kernel
def _nothing_follows(sim: Sim, local: Any, venue: Any) -> Bool:
    """Whether both tapes are read to the end and what is on its way was sent after it.

    A strategy that asks at every timer would otherwise keep a run alive for ever.
    """
    clock = sim.clock[0]
    return (
        _sent_later(sim.requests, clock["request_head"], clock["request_tail"], clock["tape_end"])
        and _sent_later(sim.reports, clock["report_head"], clock["report_tail"], clock["tape_end"])
        and next_local_ts(clock, local) == FAR_FUTURE
        and _next_venue_ts_after(sim, venue, clock["horizon"]) == FAR_FUTURE
    )


@kernel
def _sent_later(ring: Any, head: Int, tail: Int, ts: Int) -> Bool:
    return head == tail or ring[head & (len(ring) - 1)]["ts_sent"] > ts


@kernel
def _next_venue_ts_after(sim: Sim, venue: Any, ts: Int) -> Int:
    """The venue's next event after `ts`; a venue that was left behind catches up first."""
    clock = sim.clock[0]
    clock["horizon"] = ts
    advance_venue(sim, venue)
    return next_venue_ts(clock, venue)


@kernel
def _only_the_venue_is_left(sim: Sim, venue: Any) -> Bool:
    """The trader has read all: let the venue come to the next timer, and see whether anything is left to happen."""
    clock = sim.clock[0]
    if clock["report_head"] != clock["report_tail"]:
        return False
    clock["horizon"] = min(clock["next_timer"], FAR_FUTURE - 1)
    advance_venue(sim, venue)
    return (
        clock["request_head"] == clock["request_tail"]
        and clock["report_head"] == clock["report_tail"]
        and next_venue_ts(clock, venue) == FAR_FUTURE
    )
