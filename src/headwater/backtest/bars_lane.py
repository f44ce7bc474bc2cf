"""Bars alone, and nothing of ours at the venue: the shortest way from one close to the next.

A bar that meets no order changes nothing but the last price, at the trader and at the venue alike. So while a tape holds the
bars of one instrument and no order is alive, the lane shows the strategy one close after the other and writes the state once,
when it leaves: what the general loop would have left, event for event.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import EventFlag, EventKind
from headwater.domain.view import Reads, WakeKind
from headwater.engine.samples import samples_before
from headwater.engine.view import show_grid
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import PriceSource
from headwater.simulation.state import Sim

_BAR_OPEN = int(EventKind.BAR_OPEN)
_BAR_CLOSE = int(EventKind.BAR_CLOSE)
_BOTH_SIDES = int(EventFlag.AT_LOCAL | EventFlag.AT_VENUE)
_W_BAR = int(WakeKind.BAR)
_W_EVENT = int(WakeKind.EVENT)
_READS_BAR = int(Reads.BAR)
_READS_REST = int(Reads.MARKET | Reads.ORDERS)
_BARS = int(PriceSource.BARS)


@kernel
def bars_lane_open(sim: Sim, reads: Int) -> Bool:
    """Whether the lane can be taken: one instrument with bars alone, both sides at one bar, a strategy that reads bars.

    The venue may have seen the bar open, which for it is at the instant at which the trader heard the one before close.
    """
    clock = sim.clock[0]
    mask = clock["wake_mask"]
    return (
        len(sim.instruments) == 1
        and clock["one_order"] != 0
        and 0 <= clock["venue_row"] - clock["local_row"] <= 1
        and sim.instruments[0]["source"] == _BARS
        and (mask & _W_BAR) != 0
        and (mask & _W_EVENT) == 0
        and (reads & _READS_REST) == 0
    )


@kernel
def is_bar(events: Any, row: Int) -> Bool:
    """Whether the three records of a bar that both sides see start at `row`; the caller checks that they are there."""
    close = events[row + 2]
    return (
        events[row]["kind"] == _BAR_OPEN
        and close["kind"] == _BAR_CLOSE
        and (close["flags"] & _BOTH_SIDES) == _BOTH_SIDES
    )


@kernel
def run_bars(
    sim: Sim, events: Any, desk: Any, desk_address: Int, strategy: Any, row_end: Int, reads: Int
) -> Bool:
    """Bar by bar to the next timer, to `row_end`, to anything that is no bar, or until the strategy asks (True)."""
    clock = sim.clock[0]
    ins = sim.instruments[0]
    shown = desk.shown[0]
    until = clock["next_timer"]
    next_sample = clock["next_sample"]
    start = clock["local_row"]
    row = start
    _enter(sim, shown)
    asks = False
    while row + 2 < row_end and not asks and is_bar(events, row):
        close = events[row + 2]
        ts = close["ts_local"]
        if ts > until:
            break
        if ts > next_sample:
            if not samples_before(sim, shown, ts):
                break
            next_sample = clock["next_sample"]
        if (reads & _READS_BAR) != 0:
            _show_bar(events, row, shown)
        price = close["price"]
        ins["l_last"] = price
        shown["now"] = ts
        shown["bid"] = price
        shown["ask"] = price
        shown["bar_close"] = price
        shown["intent_count"] = 0
        strategy(desk_address)
        asks = shown["intent_count"] > 0
        row += 3
    if row > start:
        _leave(sim, events, start, row)
    return asks


@kernel
def _enter(sim: Sim, shown: Any) -> None:
    show_grid(sim, 0, shown)
    shown["instrument"] = 0
    shown["wake"] = _W_BAR
    ins = sim.instruments[0]
    shown["position"] = ins["l_position"]
    shown["cash"] = ins["l_cash"]
    shown["fee"] = ins["l_fee"]
    shown["order_count"] = 0


@kernel
def _show_bar(events: Any, row: Int, shown: Any) -> None:
    shown["bar_start"] = events[row]["ts_venue"]
    shown["bar_open"] = events[row]["price"]
    shown["bar_high"] = events[row + 1]["price"]
    shown["bar_low"] = events[row + 1]["size"]
    shown["bar_volume"] = events[row + 2]["size"]


@kernel
def _leave(sim: Sim, events: Any, start: Int, row: Int) -> None:
    """Write what both sides know after the last bar of the lane, which ends before `row`."""
    clock = sim.clock[0]
    ins = sim.instruments[0]
    opening = events[row - 3]
    extremes = events[row - 2]
    close = events[row - 1]
    clock["now"] = close["ts_local"]
    clock["wake_instrument"] = 0
    clock["local_events"] += row - start
    clock["venue_events"] += row - clock["venue_row"]
    clock["local_row"] = row
    clock["venue_row"] = row
    clock["wakes"] += (row - start) // np.int64(3)
    ins["l_bar_start"] = opening["ts_venue"]
    ins["l_bar_open"] = opening["price"]
    ins["l_bar_high"] = extremes["price"]
    ins["l_bar_low"] = extremes["size"]
    ins["v_bar_start"] = opening["ts_venue"]
    ins["v_bar_open"] = opening["price"]
    ins["v_bar_high"] = extremes["price"]
    ins["v_bar_low"] = extremes["size"]
    ins["l_bar_close"] = close["price"]
    ins["l_bar_volume"] = close["size"]
    ins["v_bar_ts"] = close["ts_venue"]
    ins["v_last"] = close["price"]
