"""Small back-tests of one strategy on one instrument."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from headwater.backtest.result import BacktestResult
from headwater.backtest.run import AnyStrategy, run_backtest
from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import Events
from headwater.domain.order import OrderLogEvent
from headwater.storage.rules_files import load_rulebook
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of

PERPETUAL = "BTCUSDT-PERP.BINANCE"
SPOT = "BTCUSDT.BINANCE"
TICK = Decimal("0.1")
LOT = Decimal("0.001")


def tape_of(
    events: Events, instrument: str = PERPETUAL, *, tick: Decimal = TICK, lot: Decimal = LOT
) -> Replay:
    """The events as a tape of `instrument` on this grid."""
    return replay_of(events, [ReplayInstrument(id=instrument, tick_size=tick, lot_size=lot)])


def run(
    strategy: AnyStrategy, replay: Replay, settings: BacktestSettings | None = None, /, **parameters: object
) -> BacktestResult:
    """Run `strategy` by the venue's rules."""
    instruments = [load_rulebook().instrument(each.id) for each in replay.instruments]
    return run_backtest(strategy, replay, instruments, settings or BacktestSettings(), parameters=parameters)


def submitted(result: BacktestResult) -> Any:
    """The rows of the order log in which something was asked for."""
    return result.orders[result.orders["event"] == OrderLogEvent.SUBMIT]
