"""The loop with a Python strategy outside: one call of compiled code from a wake to the next."""

from __future__ import annotations

from numba import types

from headwater.backtest.loop import advance
from headwater.backtest.tape_pools import tape_at
from headwater.engine.intents import send_intents
from headwater.engine.view import show_bar, show_grid, show_orders, show_rest
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.kinds import Stop
from headwater.simulation.state import sim_at
from headwater.strategies.desk import desk_at

_S_WAKE = int(Stop.WAKE)
_S_FAULT = int(Stop.FAULT)


@kernel(signature=types.int64(types.int64, types.int64, types.int64, types.int64))
def step(sim_address: Int, tape_address: Int, desk_address: Int, row_end: Int) -> Int:
    """Send what the strategy asked at the last wake and run to the next, or to about the trader's event `row_end`; a Stop.

    At a wake the desk's view and orders are up to date and its outbox is empty.
    """
    sim = sim_at(sim_address)
    tape = tape_at(tape_address)
    desk = desk_at(desk_address)
    view = desk.shown[0]
    if view["intent_count"] > 0:
        count = view["intent_count"]
        view["intent_count"] = 0
        if not send_intents(sim, desk.outbox, count):
            return _S_FAULT
    stop = advance(sim, tape.local, tape.venue, view, row_end - sim.clock[0]["local_row"])
    if stop == _S_WAKE:
        i = sim.clock[0]["wake_instrument"]
        show_grid(sim, i, view)
        show_bar(sim, i, view)
        show_rest(sim, i, view)
        show_orders(sim, view, desk.orders)
    return stop
