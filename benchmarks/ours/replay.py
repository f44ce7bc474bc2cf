"""Headwater on the order-book stream: read the touch every 100 ms or at every event, or make a market.

usage: python -m benchmarks.ours.replay {elapse|feed|grid} DATA.npz [--queue risk]

The exchange side is on, in the compatibility mode of hftbacktest: the same fills, so the same work.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any, Final

import numpy as np

from benchmarks.worker import Turn, serve, stopwatch
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import Run, _CompiledDriver
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind, Events
from headwater.domain.view import Reads, WakeKind
from headwater.kernels.kernel import kernel
from headwater.simulation.kinds import MarginMode, QueueModel
from headwater.storage.rules_files import load_rulebook
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import POST_ONLY, cancel, limit
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of

INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
TICK_SIZE: Final = Decimal("0.1")
LOT_SIZE: Final = Decimal("0.001")
ORDERS_A_SIDE: Final = 10
SIZE_LOTS: Final = 100
POSITION_MAX: Final = 5.0
FILL: Final = int(WakeKind.FILL)
TIMER: Final = int(WakeKind.TIMER)
QUEUES: Final = {"risk": QueueModel.RISK_AVERSE, "power": QueueModel.POWER, "log": QueueModel.LOG}


@compiled(wakes=WakeKind.EVENT, memory=3, reads=Reads(0))
def read_every_event(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Add best bid and offer, in ticks; one that is absent counts nought."""
    touch = np.int64(0)
    if view["bid"] != NO_PRICE:
        touch += view["bid"]
    if view["ask"] != NO_PRICE:
        touch += view["ask"]
    memory[0] += 1.0
    memory[1] += touch
    memory[2] = touch


@compiled(timer="100ms", memory=2, reads=Reads(0))
def read_every_step(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Add best bid and offer, in quote currency."""
    memory[0] += 1.0
    memory[1] += view["bid"] * 0.1 + view["ask"] * 0.1


@kernel
def _quote(view: Any, orders: Any, memory: Any, outbox: Any, position: float) -> None:
    """Prices are computed in floating point as the peer does: at the edge of a tick its rounding decides."""
    memory[0] += 1.0
    middle = (view["bid"] * 0.1 + view["ask"] * 0.1) / 2.0
    bid = np.int64(np.round(np.floor((middle - 0.2) / 0.1) * 0.1 / 0.1))
    ask = np.int64(np.round(np.ceil((middle + 0.2) / 0.1) * 0.1 / 0.1))
    bids = ORDERS_A_SIDE if position < POSITION_MAX else 0
    asks = ORDERS_A_SIDE if position > -POSITION_MAX else 0
    present_bids = np.int64(0)
    present_asks = np.int64(0)
    for row in range(view["order_count"]):
        order = orders[row]
        below = bid - order["price"]
        above = order["price"] - ask
        # The peer names an order by its tick alone: one of either side keeps its price taken.
        if 0 <= below < bids:
            present_bids |= np.int64(1) << below
        if 0 <= above < asks:
            present_asks |= np.int64(1) << above
        is_wanted = 0 <= below < bids if order["side"] > 0 else 0 <= above < asks
        if not is_wanted and order["pending"] == 0:
            cancel(view, outbox, order["handle"])
            memory[2] += 1.0
    for away in range(bids):
        if present_bids & (np.int64(1) << away) == 0:
            limit(view, outbox, 1, bid - away, SIZE_LOTS, POST_ONLY)
            memory[1] += 1.0
    for away in range(asks):
        if present_asks & (np.int64(1) << away) == 0:
            limit(view, outbox, -1, ask + away, SIZE_LOTS, POST_ONLY)
            memory[1] += 1.0


@compiled(timer="100ms", memory=3, reads=Reads.ORDERS)
def make_market(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Ten orders a side, a tick apart, two ticks from the middle, re-set every 100 ms; the position counts in lots."""
    _quote(view, orders, memory, outbox, view["position"] * 0.001)


@compiled(timer="100ms", wakes=WakeKind.FILL, memory=4, reads=Reads.ORDERS)
def make_market_in_doubles(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """The same with the position as the peer has it, a sum of doubles: 50 sales of 0.1 are not quite 5.0, and at the
    greatest position that decides. It is woken at each fill to add it up."""
    if view["wake"] & FILL:
        memory[3] += view["fill_side"] * (view["fill_size"] * 0.001)
    if view["wake"] & TIMER:
        _quote(view, orders, memory, outbox, memory[3])


STRATEGIES: Final = {
    "feed": read_every_event,
    "elapse": read_every_step,
    "grid": make_market,
    "grid-doubles": make_market_in_doubles,
}


def load_replay(path: str) -> Replay:
    """The stream as a tape in memory; each row is a message."""
    columns = np.load(path)
    events: Events = np.zeros(len(columns["kind"]), EVENT_DTYPE)
    for name in ("ts_local", "ts_venue", "price", "size", "side"):
        events[name] = columns[name]
    events["kind"] = np.where(columns["kind"] == 1, EventKind.BOOK_DELTA, EventKind.TRADE)
    events["flags"] = EventFlag.LAST_IN_MESSAGE | EventFlag.AT_VENUE | EventFlag.AT_LOCAL
    described = ReplayInstrument(id=INSTRUMENT, tick_size=TICK_SIZE, lot_size=LOT_SIZE)
    return replay_of(events, [described])


def settings(queue: str, sampled: bool) -> BacktestSettings:
    """What the peer assumes too; `sampled`: the account is recorded at each wake, as theirs is."""
    return BacktestSettings(
        latency=LatencySettings(entry_ns=5_000_000, response_ns=5_000_000),
        queue_model=QUEUES[queue],
        queue_power=2.0,
        no_partial_fill=True,
        rate_limits=False,
        venue_checks=False,
        maker_fee=Decimal("-0.00005"),
        taker_fee=Decimal("0.0007"),
        margin_mode=MarginMode.NONE,
        sample_ns=-1 if sampled else 0,
        log_orders=False,
        timer_from_start=True,
    )


def one_turn(mode: str, replay: Replay, queue: str) -> Turn:
    """A fresh back-test, run to its end; making it is not timed."""
    instrument = load_rulebook().instrument(INSTRUMENT)
    run = Run(STRATEGIES[mode], replay, [instrument], settings(queue, sampled=mode.startswith("grid")), {})
    assert isinstance(run.driver, _CompiledDriver)
    seconds, result = stopwatch(lambda: run.run(None))
    memory = run.driver._desk.memory
    if mode.startswith("grid"):
        return seconds, grid_check(memory, result)
    if mode == "elapse":
        return seconds, {"steps": int(memory[0]), "touch_sum": float(memory[1])}
    # The peer's loop ends at the last event without reading it.
    return seconds, {"steps": int(memory[0]) - 1, "touch_sum": int(memory[1] - memory[2])}


def grid_check(memory: Any, result: BacktestResult) -> dict[str, float]:
    """Requests, fills and money."""
    scale = result.instruments[0].money_scale
    fills = result.fills
    return {
        "steps": int(memory[0]),
        "submits": int(memory[1]),
        "cancels": int(memory[2]),
        "trades": len(fills),
        "position": float((fills["side"] * fills["size"]).sum() * LOT_SIZE.__float__()),
        "balance": float(fills["cash"].sum() / scale),
        "fee": float(fills["fee"].sum() / scale),
    }


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=list(STRATEGIES))
    parser.add_argument("data")
    parser.add_argument("--queue", choices=list(QUEUES), default="risk")
    given = parser.parse_args()
    replay = load_replay(given.data)
    serve("headwater", ["headwater", "numba"], lambda: one_turn(given.mode, replay, given.queue))


if __name__ == "__main__":
    main()
