"""The loop with a compiled strategy inside: no Python between a wake and the orders that it leads to."""

from __future__ import annotations

from typing import Any

from headwater.backtest.loop import advance, take_samples
from headwater.engine.intents import send_intents
from headwater.engine.view import show_depth, show_orders, show_rest
from headwater.kernels.kernel import kernel
from headwater.simulation.kinds import Stop
from headwater.simulation.state import Sim

_S_WAKE = int(Stop.WAKE)
_S_CHUNK = int(Stop.CHUNK)
_S_FAULT = int(Stop.FAULT)


@kernel
def run_compiled(
    sim: Sim,
    local: Any,
    venue: Any,
    view: Any,
    orders: Any,
    depth: Any,
    memory: Any,
    outbox: Any,
    strategy: Any,
    row_budget: int,
) -> int:
    """Run with a compiled strategy until the tape ends, the budget is spent, a log is full, or a fault."""
    clock = sim.clock[0]
    budget_end = clock["local_row"] + row_budget
    while True:
        stop = advance(sim, local, venue, view[0], budget_end - clock["local_row"])
        if stop != _S_WAKE:
            return stop
        shown = view[0]
        show_rest(sim, clock["wake_instrument"], shown)
        show_orders(sim, shown, orders)
        if shown["depth_levels"] > 0:
            show_depth(sim, clock["wake_instrument"], shown["depth_levels"], depth)
        shown["intent_count"] = 0
        strategy(shown, orders, depth, memory, outbox)
        if shown["intent_count"] > 0 and not send_intents(sim, outbox, shown["intent_count"]):
            return _S_FAULT
        if clock["sample_ns"] < 0:
            take_samples(sim, shown)
        if clock["local_row"] >= budget_end:
            return _S_CHUNK
