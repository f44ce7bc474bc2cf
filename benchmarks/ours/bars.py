"""Headwater on minute bars: averages that cross over a year, and a sweep of a thousand pairs.

usage: python -m benchmarks.ours.bars {bars|bars-stats|sweep} DATA.npz

Both run through the engine and the simulated exchange like any other back-test: a market order is sent at the
end of a bar, arrives at once and fills at the close, as the peers assume.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from benchmarks.worker import Turn, serve, stopwatch
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.backtest.sweep import sweep
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.domain.instrument import Instrument
from headwater.domain.view import Reads, WakeKind
from headwater.reports.statistics import statistics
from headwater.simulation.kinds import MarginMode
from headwater.storage.rules_files import load_rulebook
from headwater.strategies.compiled import compiled
from headwater.strategies.ema_cross import ema_cross
from headwater.strategies.intents import market
from headwater.strategies.parameter import Parameter
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of

INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
TICK_SIZE: Final = Decimal("0.1")
LOT_SIZE: Final = Decimal("0.001")
FINE_LOT_SIZE: Final = Decimal("0.00000001")
"""The peers of the sweep buy fractions of a coin; a hundred-millionth is as close as money can see."""
MINUTE_NS: Final = 60_000_000_000
NEVER_NS: Final = 10**18
FEE: Final = Decimal("0.0005")
CASH_CROSS: Final = 10_000_000
CASH_SWEEP: Final = 1_000_000
PAIRS: Final = [(fast, slow) for fast in range(4, 29) for slow in range(30, 110, 2)]


@compiled(
    wakes=WakeKind.BAR,
    parameters={
        "fast": Parameter(10, 1, 1_000),
        "slow": Parameter(20, 1, 1_000),
        "cash": Parameter(1.0, 0.0, 1e18),
        "unit_value": Parameter(1.0, 0.0, 1e18),
        "fee": Parameter(0.0, 0.0, 0.01),
    },
    memory=5,
    reads=Reads(0),
)
def cross_long(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """All cash in the coin while the fast average is not below the slow one, else none.

    ``cash`` and ``unit_value`` (of a lot at a tick) are in money units.
    """
    close = view["bid"] * 0.1
    if memory[0] == 0.0:
        memory[1] = close
        memory[2] = close
        memory[3] = 2.0 / (params[0] + 1.0)
        memory[4] = 2.0 / (params[1] + 1.0)
    memory[0] += 1.0
    memory[1] += memory[3] * (close - memory[1])
    memory[2] += memory[4] * (close - memory[2])
    if memory[0] < params[1]:
        return
    if memory[1] >= memory[2]:
        if view["position"] == 0:
            cash = params[2] + view["cash"] - view["fee"]
            lots = np.int64(cash / (view["bid"] * params[3] * (1.0 + params[4])))
            market(view, outbox, np.int64(1), lots, np.int64(0))
    elif view["position"] > 0:
        market(view, outbox, np.int64(-1), np.int64(view["position"]), np.int64(0))


def load_replay(path: str, lot_size: Decimal) -> Replay:
    """The bars as a tape in memory: three records each, known when the bar is over."""
    columns = np.load(path)
    bars = len(columns["ts"])
    events: Events = np.zeros((bars, 3), EVENT_DTYPE)
    end = columns["ts"] + MINUTE_NS
    events["ts_local"] = end[:, None]
    events["ts_venue"] = np.stack([columns["ts"], end, end], axis=1)
    events["kind"] = (EventKind.BAR_OPEN, EventKind.BAR_RANGE, EventKind.BAR_CLOSE)
    events["flags"] = EventFlag.AT_VENUE | EventFlag.AT_LOCAL
    events["flags"][:, 2] |= np.uint8(EventFlag.LAST_IN_MESSAGE)
    events["price"] = np.stack([_ticks(columns[name]) for name in ("open", "high", "close")], axis=1)
    events["size"][:, 1] = _ticks(columns["low"])
    events["size"][:, 2] = np.rint(columns["volume"] / float(lot_size)).astype(np.int64)
    described = ReplayInstrument(id=INSTRUMENT, tick_size=TICK_SIZE, lot_size=lot_size)
    return replay_of(events.reshape(-1), [described])


def _ticks(prices: Any) -> Any:
    return np.rint(prices / float(TICK_SIZE)).astype(np.int64)


def instrument(lot_size: Decimal) -> Instrument:
    """The shipped contract on a grid that holds the peer's sizes."""
    shipped = load_rulebook().instrument(INSTRUMENT)
    rules = replace(
        shipped.rules[-1], lot_size=lot_size, data_lot_size=None, valid_from=shipped.rules[0].valid_from
    )
    return replace(shipped, rules=(rules,))


def settings(cash: int) -> BacktestSettings:
    """What the peers assume too: no latency, no slippage, no margin, fills at the close."""
    return BacktestSettings(
        latency=LatencySettings(entry_ns=0, response_ns=0),
        rate_limits=False,
        venue_checks=False,
        maker_fee=FEE,
        taker_fee=FEE,
        initial_cash=Decimal(cash),
        margin_mode=MarginMode.NONE,
        bar_slippage=Decimal(0),
        bar_fill_at_close=True,
        log_orders=False,
    )


def cross(replay: Replay, traded: Instrument, with_stats: bool = True) -> BacktestResult:
    """The shipped strategy, always in the market with one coin; an equity curve only for who computes statistics of it."""
    assumed = settings(CASH_CROSS)
    chosen = assumed if with_stats else replace(assumed, sample_ns=NEVER_NS)
    return run_backtest(ema_cross, replay, [traded], chosen, parameters={"size": 1})


def cross_once(replay: Replay, traded: Instrument, with_stats: bool) -> dict[str, float]:
    """One back-test, with or without what a report computes of it."""
    result = cross(replay, traded, with_stats)
    if with_stats:
        statistics(result)
    return {"trades": round_trips(result), "equity": equity(result)}


def round_trips(result: BacktestResult) -> int:
    """Positions taken, the one that is still open included: each fill of an always-invested strategy opens one."""
    return len(result.fills)


def equity(result: BacktestResult) -> float:
    """Cash, less fees, and what the position is worth at the last price."""
    last = result.samples[-1]
    scale = result.instruments[0].money_scale
    unit = scale * float(TICK_SIZE) * float(result.instruments[0].replay.lot_size)
    worth = int(last["position"]) * int(last["bid"]) * round(unit)
    return (
        float(next(iter(result.initial_cash.values())))
        + (int(last["cash"]) - int(last["fee"]) + worth) / scale
    )


def sweep_pairs(replay: Replay, traded: Instrument) -> dict[str, float]:
    """Every pair, one back-test each."""
    fixed = {"cash": CASH_SWEEP * 1e9, "unit_value": 1.0, "fee": float(FEE)}
    pairs = [{"fast": fast, "slow": slow, **fixed} for fast, slow in PAIRS]
    found = sweep(cross_long, replay, [traded], settings(CASH_SWEEP), pairs)
    return {
        "pairs": len(found),
        "trades": int(np.sum((found["fills"] + 1) // 2)),  # the position that is still open included
        "return_sum": float(np.sum(found["profit"])) / CASH_SWEEP,
    }


def one_turn(mode: str, replay: Replay, traded: Instrument) -> Turn:
    """The whole of one back-test or sweep, indicators included."""
    if mode == "sweep":
        return stopwatch(lambda: sweep_pairs(replay, traded))
    return stopwatch(lambda: cross_once(replay, traded, with_stats=mode == "bars-stats"))


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["bars", "bars-stats", "sweep"])
    parser.add_argument("data")
    given = parser.parse_args()
    lot_size = FINE_LOT_SIZE if given.mode == "sweep" else LOT_SIZE
    replay, traded = load_replay(given.data, lot_size), instrument(lot_size)
    serve("headwater", ["headwater", "numba"], lambda: one_turn(given.mode, replay, traded))


if __name__ == "__main__":
    main()
