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

import numpy as np

from headwater.domain.event import EventFlag
from headwater.domain.view import WakeKind
from headwater.engine.local import local_step
from headwater.engine.reports import apply_report
from headwater.engine.view import show_market
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.exchange import exchange_step
from headwater.simulation.kinds import Stop
from headwater.simulation.requests import expire_due, receive_request
from headwater.simulation.rings import ring_first_ts
from headwater.simulation.state import FAR_FUTURE, Sim

_AT_LOCAL = int(EventFlag.AT_LOCAL)
_AT_VENUE = int(EventFlag.AT_VENUE)
_W_TIMER = int(WakeKind.TIMER)
_DATA_WAKES = int(WakeKind.BOOK | WakeKind.BBO | WakeKind.TRADE | WakeKind.BAR | WakeKind.EVENT)
_REPORT_WAKES = int(WakeKind.FILL | WakeKind.REPORT)
_S_END = int(Stop.END)
_S_WAKE = int(Stop.WAKE)
_S_CHUNK = int(Stop.CHUNK)
_S_LOG_FULL = int(Stop.LOG_FULL)
_S_FAULT = int(Stop.FAULT)
_LOG_MARGIN = 8_192
"""Rows kept free in every log: twice what the largest outbox can write at one wake."""
_NO_ROOM = -1


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
        if _logs_full(sim):
            return _S_LOG_FULL
        next_local = _next_local_ts(clock, local)
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
        wake = _learn(sim, local, target, view)
        if wake == _NO_ROOM:
            return _S_LOG_FULL
        if wake != 0:
            return _wake(sim, clock, wake, view)
        if target >= clock["next_sample"]:
            clock["now"] = target
            take_samples(sim, view)
        if target >= clock["next_timer"] and not _nothing_follows(sim, local, venue):
            clock["now"] = target
            clock["next_timer"] += clock["timer_ns"]
            return _wake(sim, clock, _W_TIMER, view)
        if clock["local_row"] >= row_end and row_end < len(local):
            return _S_CHUNK


@kernel
def _next_local_ts(clock: Any, local: Any) -> Int:
    row = clock["local_row"]
    while row < len(local) and (local[row]["flags"] & _AT_LOCAL) == 0:
        row += 1
    clock["local_row"] = row
    return local[row]["ts_local"] if row < len(local) else np.int64(FAR_FUTURE)


@kernel
def _next_venue_ts(clock: Any, venue: Any) -> Int:
    row = clock["venue_row"]
    while row < len(venue) and (venue[row]["flags"] & _AT_VENUE) == 0:
        row += 1
    clock["venue_row"] = row
    return venue[row]["ts_venue"] if row < len(venue) else np.int64(FAR_FUTURE)


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
    """Whether both tapes are read to the end and no message is on its way."""
    clock = sim.clock[0]
    return (
        clock["request_head"] == clock["request_tail"]
        and clock["report_head"] == clock["report_tail"]
        and _next_local_ts(clock, local) == FAR_FUTURE
        and _next_venue_ts_after(sim, venue, clock["horizon"]) == FAR_FUTURE
    )


@kernel
def _next_venue_ts_after(sim: Sim, venue: Any, ts: Int) -> Int:
    """The venue's next event after `ts`; a venue that was left behind catches up first."""
    clock = sim.clock[0]
    clock["horizon"] = ts
    advance_venue(sim, venue)
    return _next_venue_ts(clock, venue)


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
        and _next_venue_ts(clock, venue) == FAR_FUTURE
    )


@kernel
def advance_venue(sim: Sim, venue: Any) -> None:
    """Let the venue live through its own timeline up to the horizon, which its reports may bring nearer."""
    clock = sim.clock[0]
    while True:
        due = min(
            ring_first_ts(sim.requests, clock["request_head"], clock["request_tail"]), clock["next_expiry"]
        )
        _venue_data(sim, venue, due)
        if due > clock["horizon"]:
            return
        clock["venue_now"] = due
        if clock["next_expiry"] <= due:
            expire_due(sim, due)
        else:
            request = sim.requests[clock["request_head"] & (len(sim.requests) - 1)]
            clock["request_head"] += 1
            receive_request(sim, request, due)


@kernel
def catch_up(sim: Sim, venue: Any) -> None:
    """Bring a venue that was left behind to the trader's now."""
    clock = sim.clock[0]
    clock["horizon"] = clock["now"]
    advance_venue(sim, venue)


@kernel
def settle(sim: Sim, local: Any, venue: Any, view: Any) -> None:
    """Without latency an order arrives, and its report is heard, at this very instant: see to it at once.

    Only where nothing else of the trader's comes at the same instant, and no report wakes the strategy.
    """
    clock = sim.clock[0]
    now = clock["now"]
    first = ring_first_ts(sim.requests, clock["request_head"], clock["request_tail"])
    row = clock["local_row"]
    if first > now or (clock["wake_mask"] & _REPORT_WAKES) != 0 or _logs_full(sim):
        return
    if row < len(local) and local[row]["ts_local"] <= now:
        return
    clock["horizon"] = now
    advance_venue(sim, venue)
    while ring_first_ts(sim.reports, clock["report_head"], clock["report_tail"]) <= now:
        _hear(sim, view)


@kernel
def _venue_data(sim: Sim, venue: Any, due: Int) -> None:
    """Market events up to and including `due` or the horizon, whichever comes first."""
    clock = sim.clock[0]
    row = clock["venue_row"]
    rows = len(venue)
    while row < rows:
        event = venue[row]
        ts = event["ts_venue"]
        if ts > due or ts > clock["horizon"]:
            break
        if (event["flags"] & _AT_VENUE) != 0:
            exchange_step(sim, event)
        row += 1
    clock["venue_events"] += row - clock["venue_row"]
    clock["venue_row"] = row


@kernel
def _learn(sim: Sim, local: Any, until: Int, view: Any) -> Int:
    """Let the trader learn of data and reports up to `until`, stopping at the first subscribed wake; its bits, or 0."""
    clock = sim.clock[0]
    mask = clock["wake_mask"]
    rows = len(local)
    while True:
        report_ts = ring_first_ts(sim.reports, clock["report_head"], clock["report_tail"])
        stop = min(until, report_ts)
        row = clock["local_row"]
        start = row
        wake = np.int64(0)
        while row < rows and local[row]["ts_local"] <= stop:
            event = local[row]
            row += 1
            if (event["flags"] & _AT_LOCAL) != 0:
                wake = local_step(sim, event) & mask
                if wake != 0:
                    clock["now"] = event["ts_local"]
                    clock["wake_instrument"] = event["instrument"]
                    break
        clock["local_row"] = row
        clock["local_events"] += row - start
        if wake != 0:
            return wake
        if report_ts > until:
            return np.int64(0)
        if _logs_full(sim):
            return _NO_ROOM
        wake = _hear(sim, view) & mask
        if wake != 0:
            return wake


@kernel
def _hear(sim: Sim, view: Any) -> Int:
    clock = sim.clock[0]
    report = sim.reports[clock["report_head"] & (len(sim.reports) - 1)]
    clock["report_head"] += 1
    clock["now"] = report["ts"]
    clock["wake_instrument"] = report["instrument"]
    return apply_report(sim, report, view)


@kernel
def _wake(sim: Sim, clock: Any, wake: Int, view: Any) -> Int:
    clock["wake"] = wake
    clock["wakes"] += 1
    view["wake"] = wake
    show_market(sim, clock["wake_instrument"], view)
    return _S_WAKE


@kernel
def _logs_full(sim: Sim) -> Bool:
    clock = sim.clock[0]
    return (
        clock["fill_count"] + _LOG_MARGIN > len(sim.fills)
        or clock["log_count"] + _LOG_MARGIN > len(sim.order_log)
        or clock["sample_count"] + len(sim.instruments) > len(sim.samples)
        or clock["latency_count"] + _LOG_MARGIN > len(sim.latencies)
    )


@kernel
def take_samples(sim: Sim, view: Any) -> None:
    """One row per instrument, and the next sampling instant."""
    clock = sim.clock[0]
    for i in range(len(sim.instruments)):
        ins = sim.instruments[i]
        show_market(sim, i, view)
        row = sim.samples[clock["sample_count"]]
        clock["sample_count"] += 1
        row["ts"] = clock["now"]
        row["instrument"] = i
        row["position"] = ins["l_position"]
        row["bid"] = view["bid"]
        row["ask"] = view["ask"]
        row["mark"] = ins["l_mark"]
        row["cash"] = ins["l_cash"]
        row["fee"] = ins["l_fee"]
        row["funding"] = ins["l_funding"]
        row["working"] = ins["l_working"]
    if clock["sample_ns"] > 0:
        clock["next_sample"] += (1 + (clock["now"] - clock["next_sample"]) // clock["sample_ns"]) * clock[
            "sample_ns"
        ]


@kernel
def samples_before(sim: Sim, view: Any, ts: Int) -> Bool:
    """Take the samples that are due before `ts`; False when the log has no room for them."""
    clock = sim.clock[0]
    while clock["next_sample"] < ts:
        if clock["sample_count"] + len(sim.instruments) > len(sim.samples):
            return False
        clock["now"] = clock["next_sample"]
        take_samples(sim, view)
    return True
