"""NautilusTrader with a Python strategy: read each quote, or trades -> one-minute bars -> averages that
cross.

usage: python -m benchmarks.peers.nautilus_ticks {quotes|trades} DATA.npz

The engine is made anew and its data added before each turn; only its run is timed. Logging is bypassed.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.examples.strategies.ema_cross import EMACross, EMACrossConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import BarType, QuoteTick
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import QuoteTickDataWrangler, TradeTickDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from benchmarks.worker import Turn, serve, stopwatch

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
BINANCE = Venue("BINANCE")
BAR_TYPE = BarType.from_str(f"{INSTRUMENT.id}-1-MINUTE-LAST-INTERNAL")


class QuoteReaderConfig(StrategyConfig, frozen=True):
    """No parameters."""


class QuoteReader(Strategy):
    """Reads bid and ask of every quote and adds them up, in ticks."""

    def __init__(self, config: QuoteReaderConfig) -> None:
        super().__init__(config)
        self.count = 0
        self.total = 0

    def on_start(self) -> None:
        """Ask for the quotes."""
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Read both prices as the integers that they are inside."""
        self.count += 1
        self.total += tick.bid_price.raw + tick.ask_price.raw


def load(mode: str, path: str) -> Any:
    """The data as the peer's own objects."""
    columns = np.load(path)
    times = pd.to_datetime(columns["ts"], utc=True)
    if mode == "quotes":
        names = {"bid_price": "bid", "ask_price": "ask", "bid_size": "bid_size", "ask_size": "ask_size"}
        frame = pd.DataFrame({theirs: columns[ours] for theirs, ours in names.items()}, index=times)
        return QuoteTickDataWrangler(INSTRUMENT).process(frame)
    names = {"price": "price", "quantity": "size", "buyer_maker": "buyer_is_maker"}
    frame = pd.DataFrame({theirs: columns[ours] for theirs, ours in names.items()}, index=times)
    frame["trade_id"] = np.arange(len(frame))
    return TradeTickDataWrangler(INSTRUMENT).process(frame)


def new_strategy(mode: str) -> Any:
    """The reader, or the averages of their own example (10 and 20 bars, 0.1 each way)."""
    if mode == "quotes":
        return QuoteReader(QuoteReaderConfig())
    return EMACross(
        EMACrossConfig(
            instrument_id=INSTRUMENT.id,
            bar_type=BAR_TYPE,
            trade_size=Decimal("0.1"),
            fast_ema_period=10,
            slow_ema_period=20,
            request_bars=False,
            subscribe_trade_ticks=False,
        )
    )


def one_turn(mode: str, data: Any) -> Turn:
    """A fresh engine, run to its end."""
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True))
    )
    engine.add_venue(
        BINANCE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(10_000_000, USDT)],
        book_type=BookType.L1_MBP,
        trade_execution=mode == "trades",
    )
    engine.add_instrument(INSTRUMENT)
    strategy = new_strategy(mode)
    engine.add_strategy(strategy)
    engine.add_data(data)
    seconds, _ = stopwatch(engine.run)
    check = quotes_check(strategy) if mode == "quotes" else trades_check(engine, strategy)
    engine.dispose()
    return seconds, check


def quotes_check(strategy: QuoteReader) -> dict[str, Any]:
    """Number of quotes and sum of both prices in ticks of 0.1."""
    raw_per_tick = INSTRUMENT.price_increment.raw
    return {"quotes": strategy.count, "touch_sum": strategy.total // raw_per_tick}


def trades_check(engine: BacktestEngine, strategy: EMACross) -> dict[str, Any]:
    """Bars seen (the cache keeps but the last ten thousand), orders sent, and the balance."""
    balance = engine.cache.account_for_venue(BINANCE).balance_total(USDT)
    return {
        "bars": strategy.slow_ema.count,
        "orders": len(engine.cache.orders()),
        "balance": float(balance.as_double()),
    }


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["quotes", "trades"])
    parser.add_argument("data")
    given = parser.parse_args()
    data = load(given.mode, given.data)
    serve("nautilus_trader", ["nautilus_trader"], lambda: one_turn(given.mode, data))


if __name__ == "__main__":
    main()
