"""The loop with a compiled strategy inside: no Python between a wake and the orders that it leads to."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from headwater.backtest.bars_lane import bars_lane_open, run_bars
from headwater.backtest.loop import advance, is_quiet
from headwater.backtest.tape_pools import tape_at
from headwater.backtest.venue_timeline import catch_up, settle
from headwater.domain.event import EventFlag
from headwater.domain.view import Reads
from headwater.engine.intents import send_intents
from headwater.engine.local import local_step
from headwater.engine.samples import samples_before, take_samples
from headwater.engine.view import show_bar, show_depth, show_grid, show_market, show_orders, show_rest
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import FaultKind, Stop
from headwater.simulation.state import Sim, sim_at
from headwater.strategies.compiled import SIGNATURE
from headwater.strategies.desk import desk_at

_QUIET_ROWS = 2_048
"""The venue catches up while the events that the trader has read are still in the cache."""
_BAR = int(Reads.BAR)
_MARKET = int(Reads.MARKET)
_ORDERS = int(Reads.ORDERS)
_AT_LOCAL = int(EventFlag.AT_LOCAL)
_S_WAKE = int(Stop.WAKE)
_S_CHUNK = int(Stop.CHUNK)
_S_FAULT = int(Stop.FAULT)
_F_TOO_MANY_INTENTS = int(FaultKind.TOO_MANY_INTENTS)

_RUN: Final = types.int64(
    types.int64, types.int64, types.int64, types.FunctionType(SIGNATURE), types.int64, types.int64
)


@kernel
def _send(sim: Sim, outbox: Any, view: Any) -> Bool:
    if view["intent_count"] > view["intents_max"]:
        clock = sim.clock[0]
        clock["fault"] = _F_TOO_MANY_INTENTS
        clock["fault_value"] = view["intent_count"]
        return False
    return send_intents(sim, outbox, view["intent_count"])


@kernel
def _ask(
    sim: Sim,
    desk: Any,
    desk_address: Int,
    strategy: Any,
    reads: Int,
) -> Bool:
    """Show the strategy what it reads, call it, and say whether it asks for anything."""
    shown = desk.shown[0]
    i = sim.clock[0]["wake_instrument"]
    show_grid(sim, i, shown)
    if (reads & _BAR) != 0:
        show_bar(sim, i, shown)
    if (reads & _MARKET) != 0:
        show_rest(sim, i, shown)
    if (reads & _ORDERS) != 0:
        show_orders(sim, shown, desk.orders)
    if shown["depth_levels"] > 0:
        show_depth(sim, i, shown["depth_levels"], desk.depth)
    shown["intent_count"] = 0
    strategy(desk_address)
    return shown["intent_count"] > 0


@kernel
def _run_quiet(
    sim: Sim,
    local: Any,
    desk: Any,
    desk_address: Int,
    strategy: Any,
    row_end: Int,
    reads: Int,
) -> Bool:
    """While nothing of ours is at the venue or on its way, the trader's events are all that can wake the strategy.

    Runs to the next timer, to `row_end`, until the log of samples is full, or until the strategy asks for something (True).
    """
    clock = sim.clock[0]
    shown = desk.shown[0]
    until = clock["next_timer"]
    mask = clock["wake_mask"]
    row = clock["local_row"]
    start = row
    wakes = np.int64(0)
    asks = False
    while row < row_end and not asks:
        event = local[row]
        ts = event["ts_local"]
        if ts > until or (ts > clock["next_sample"] and not samples_before(sim, shown, ts)):
            break
        row += 1
        if (event["flags"] & _AT_LOCAL) != 0:
            wake = local_step(sim, event) & mask
            if wake != 0:
                wakes += 1
                i = np.int64(event["instrument"])
                clock["now"] = ts
                clock["wake_instrument"] = i
                shown["wake"] = wake
                show_market(sim, i, shown)
                asks = _ask(sim, desk, desk_address, strategy, reads)
    clock["local_row"] = row
    clock["local_events"] += row - start
    clock["wakes"] += wakes
    return asks


@kernel(signature=_RUN)
def run_compiled(
    sim_address: Int, tape_address: Int, desk_address: Int, strategy: Any, row_budget: Int, reads: Int
) -> Int:
    """Run until the tape ends, the budget of the trader's events is spent, a log is full, or a fault; a Stop."""
    sim = sim_at(sim_address)
    tape = tape_at(tape_address)
    desk = desk_at(desk_address)
    local = tape.local
    venue = tape.venue
    clock = sim.clock[0]
    shown = desk.shown[0]
    budget_end = clock["local_row"] + row_budget
    while True:
        asks = False
        if is_quiet(clock):
            if shown["depth_levels"] == 0 and bars_lane_open(sim, reads):
                asks = run_bars(sim, local, desk, desk_address, strategy, min(budget_end, len(local)), reads)
            row_end = min(min(budget_end, len(local)), clock["local_row"] + _QUIET_ROWS)
            if not asks:
                asks = _run_quiet(sim, local, desk, desk_address, strategy, row_end, reads)
                catch_up(sim, venue)
            if not asks and clock["local_row"] == row_end and row_end < min(budget_end, len(local)):
                continue
        if not asks:
            stop = advance(sim, local, venue, shown, max(budget_end - clock["local_row"], 1))
            if stop != _S_WAKE:
                return stop
            asks = _ask(sim, desk, desk_address, strategy, reads)
        if asks:
            if not _send(sim, desk.outbox, shown):
                return _S_FAULT
            settle(sim, local, venue, shown)
        if clock["sample_ns"] < 0:
            take_samples(sim, shown)
        if clock["local_row"] >= budget_end:
            return _S_CHUNK
