"""The loop with a compiled strategy inside: no Python between a wake and the orders that it leads to."""

from __future__ import annotations

from typing import Any, Final

from numba import from_dtype, types

from headwater.backtest.loop import advance, take_samples
from headwater.domain.event import EVENT_DTYPE
from headwater.domain.intent import INTENT_DTYPE
from headwater.domain.view import ORDER_VIEW_DTYPE, VIEW_DTYPE
from headwater.engine.intents import send_intents
from headwater.engine.view import show_depth, show_orders, show_rest
from headwater.kernels.kernel import kernel
from headwater.kernels.pools import pools_type
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import FaultKind, Stop
from headwater.simulation.state import Sim
from headwater.strategies.compiled import SIGNATURE

_S_WAKE = int(Stop.WAKE)
_S_CHUNK = int(Stop.CHUNK)
_S_FAULT = int(Stop.FAULT)
_F_TOO_MANY_INTENTS = int(FaultKind.TOO_MANY_INTENTS)

_EVENTS: Final = types.Array(from_dtype(EVENT_DTYPE), 1, "C", readonly=True)
_F64: Final = types.Array(types.float64, 1, "C")
_RUN: Final = types.int64(
    pools_type(Sim),
    _EVENTS,
    _EVENTS,
    types.Array(from_dtype(VIEW_DTYPE), 1, "C"),
    types.Array(from_dtype(ORDER_VIEW_DTYPE), 1, "C"),
    types.Array(types.int64, 1, "C"),
    _F64,
    _F64,
    types.Array(from_dtype(INTENT_DTYPE), 1, "C"),
    types.FunctionType(SIGNATURE),
    types.int64,
    types.boolean,
)


@kernel
def _send(sim: Sim, outbox: Any, view: Any) -> Bool:
    if view["intent_count"] > view["intents_max"]:
        clock = sim.clock[0]
        clock["fault"] = _F_TOO_MANY_INTENTS
        clock["fault_value"] = view["intent_count"]
        return False
    return send_intents(sim, outbox, view["intent_count"])


@kernel(signature=_RUN)
def run_compiled(
    sim: Sim,
    local: Any,
    venue: Any,
    view: Any,
    orders: Any,
    depth: Any,
    params: Any,
    memory: Any,
    outbox: Any,
    strategy: Any,
    row_budget: Int,
    touch_only: Bool,
) -> Int:
    """Run until the tape ends, the budget of the trader's events is spent, a log is full, or a fault; a Stop."""
    clock = sim.clock[0]
    budget_end = clock["local_row"] + row_budget
    shown = view[0]
    shown["intents_max"] = len(outbox)
    while True:
        stop = advance(sim, local, venue, shown, budget_end - clock["local_row"])
        if stop != _S_WAKE:
            return stop
        if not touch_only:
            show_rest(sim, clock["wake_instrument"], shown)
            show_orders(sim, shown, orders)
            if shown["depth_levels"] > 0:
                show_depth(sim, clock["wake_instrument"], shown["depth_levels"], depth)
        shown["intent_count"] = 0
        strategy(shown, orders, depth, params, memory, outbox)
        if shown["intent_count"] > 0 and not _send(sim, outbox, shown):
            return _S_FAULT
        if clock["sample_ns"] < 0:
            take_samples(sim, shown)
        if clock["local_row"] >= budget_end:
            return _S_CHUNK
