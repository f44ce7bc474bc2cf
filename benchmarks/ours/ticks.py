"""Headwater with a Python strategy: bid and ask read at each quote, and trades to minute bars to a crossing.

usage: python -m benchmarks.ours.ticks {quotes|trades} DATA.npz
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any, ClassVar, Final

import numpy as np

from benchmarks.worker import Turn, serve, stopwatch
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.domain.instrument import Instrument
from headwater.simulation.kinds import MarginMode
from headwater.storage.rules_files import load_rulebook
from headwater.strategies.parameter import param
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import Bar, View
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of

INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
TICK_SIZE: Final = Decimal("0.1")
LOT_SIZE: Final = Decimal("0.001")
BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)
LAST: Final = int(EventFlag.LAST_IN_MESSAGE)


class QuoteReader(Strategy):
    """Reads both best prices at each quote and adds them; the peer does the same with its integers."""

    last: ClassVar[QuoteReader]

    def on_start(self) -> None:
        """Nothing was read yet."""
        self.count = 0
        self.total = 0
        QuoteReader.last = self

    def on_book(self, view: View) -> None:
        """A quote."""
        self.count += 1
        self.total += view.bid_ticks + view.ask_ticks


class Cross(Strategy):
    """The peer's own example: minute bars made from trades, averages of 10 and 20, a tenth of a coin each way."""

    bars = "1m"
    fast: int = param(10, low=1, high=1_000)
    slow: int = param(20, low=1, high=1_000)

    last: ClassVar[Cross]

    def on_start(self) -> None:
        """Averages of nothing."""
        self.fast_weight, self.slow_weight = 2.0 / (self.fast + 1.0), 2.0 / (self.slow + 1.0)
        self.fast_average = self.slow_average = 0.0
        self.bar_count = 0
        Cross.last = self

    def on_bar(self, view: View, bar: Bar) -> None:
        """Long while the fast average is not below the slow one, else short."""
        close = bar.close
        if self.bar_count == 0:
            self.fast_average = self.slow_average = close
        self.fast_average += self.fast_weight * (close - self.fast_average)
        self.slow_average += self.slow_weight * (close - self.slow_average)
        self.bar_count += 1
        if self.bar_count >= self.slow:
            view.target("0.1" if self.fast_average >= self.slow_average else "-0.1")


def quote_replay(columns: Any) -> Replay:
    """Each quote is a message of two records."""
    events: Events = np.zeros((len(columns["ts"]), 2), EVENT_DTYPE)
    events["ts_local"] = events["ts_venue"] = columns["ts"][:, None]
    events["kind"] = EventKind.QUOTE
    events["side"] = (1, -1)
    for at, name in enumerate(("bid", "ask")):
        events["price"][:, at] = _steps(columns[name], TICK_SIZE)
        events["size"][:, at] = _steps(columns[f"{name}_size"], LOT_SIZE)
    events["flags"] = (BOTH_SIDES, BOTH_SIDES | LAST)
    return _replay(events.reshape(-1))


def trade_replay(columns: Any) -> Replay:
    """Each trade is a message."""
    events: Events = np.zeros(len(columns["ts"]), EVENT_DTYPE)
    events["ts_local"] = events["ts_venue"] = columns["ts"]
    events["kind"] = EventKind.TRADE
    events["side"] = np.where(columns["buyer_is_maker"], -1, 1)
    events["price"] = _steps(columns["price"], TICK_SIZE)
    events["size"] = _steps(columns["size"], LOT_SIZE)
    events["flags"] = BOTH_SIDES | LAST
    return _replay(events)


def _steps(values: Any, step: Decimal) -> Any:
    return np.rint(values / float(step)).astype(np.int64)


def _replay(events: Events) -> Replay:
    return replay_of(events, [ReplayInstrument(id=INSTRUMENT, tick_size=TICK_SIZE, lot_size=LOT_SIZE)])


def settings() -> BacktestSettings:
    """As the peer's engine is set up: orders arrive at once, no limits of the venue, no margin."""
    return BacktestSettings(
        latency=LatencySettings(entry_ns=0, response_ns=0),
        rate_limits=False,
        venue_checks=False,
        margin_mode=MarginMode.NONE,
        initial_cash=Decimal(10_000_000),
    )


def one_turn(mode: str, replay: Replay, traded: Instrument) -> Turn:
    """The whole of one back-test."""
    strategy = QuoteReader if mode == "quotes" else Cross
    seconds, result = stopwatch(lambda: run_backtest(strategy, replay, [traded], settings()))
    return seconds, quotes_check() if mode == "quotes" else trades_check(result)


def quotes_check() -> dict[str, Any]:
    """Number of quotes and sum of both prices in ticks."""
    return {"quotes": QuoteReader.last.count, "touch_sum": QuoteReader.last.total}


def trades_check(result: BacktestResult) -> dict[str, Any]:
    """Bars made, and orders filled."""
    return {"bars": Cross.last.bar_count, "fills": len(result.fills)}


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["quotes", "trades"])
    parser.add_argument("data")
    given = parser.parse_args()
    columns = np.load(given.data)
    replay = quote_replay(columns) if given.mode == "quotes" else trade_replay(columns)
    traded = load_rulebook().instrument(INSTRUMENT)
    serve("headwater", ["headwater", "numba"], lambda: one_turn(given.mode, replay, traded))


if __name__ == "__main__":
    main()
