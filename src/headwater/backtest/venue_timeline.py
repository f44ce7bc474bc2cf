"""The venue's timeline: market events and requests in the order in which they reach it."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import EventFlag
from headwater.domain.view import WakeKind
from headwater.engine.engine import hear, logs_full
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.exchange import exchange_step
from headwater.simulation.requests import expire_due, receive_request
from headwater.simulation.rings import ring_first_ts
from headwater.simulation.state import FAR_FUTURE, Sim

_AT_VENUE = int(EventFlag.AT_VENUE)
_REPORT_WAKES = int(WakeKind.FILL | WakeKind.REPORT)


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
    if first > now or (clock["wake_mask"] & _REPORT_WAKES) != 0 or logs_full(sim):
        return
    if row < len(local) and local[row]["ts_local"] <= now:
        return
    clock["horizon"] = now
    advance_venue(sim, venue)
    while ring_first_ts(sim.reports, clock["report_head"], clock["report_tail"]) <= now:
        hear(sim, view)


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
def next_venue_ts(clock: Any, venue: Any) -> Int:
    """When the next market event happens at the venue, ``FAR_FUTURE`` at the end of the tape."""
    row = clock["venue_row"]
    while row < len(venue) and (venue[row]["flags"] & _AT_VENUE) == 0:
        row += 1
    clock["venue_row"] = row
    return venue[row]["ts_venue"] if row < len(venue) else np.int64(FAR_FUTURE)
