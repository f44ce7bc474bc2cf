"""vectorbt with its Rust engine: averages that cross over a year of bars, and a sweep of a thousand pairs.

usage: python -m benchmarks.peers.vectorbt_bars {bars|bars-stats|sweep} DATA.npz
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from benchmarks.worker import Turn, serve, stopwatch

FEE = 0.0005
PAIRS = [(fast, slow) for fast in range(4, 29) for slow in range(30, 110, 2)]
PAIRS_AT_ONCE = 10
"""Columns a portfolio: more need more memory and are not faster."""


def cross_portfolio(close: pd.Series) -> vbt.Portfolio:
    """Long one unit while the fast average is not below the slow one, else short one unit, from bar 20 on."""
    fast = vbt.MA.run(close, 10, ewm=True).ma
    slow = vbt.MA.run(close, 20, ewm=True).ma
    return vbt.Portfolio.from_signals(
        close,
        entries=(fast >= slow) & slow.notna(),
        short_entries=(fast < slow) & slow.notna(),
        size=1.0,
        size_type="amount",
        fees=FEE,
        init_cash=10_000_000,
        freq="1min",
        upon_opposite_entry="reverse",
    )


def cross_once(close: pd.Series, with_stats: bool) -> dict[str, float]:
    """One back-test, with or without a report's statistics."""
    portfolio = cross_portfolio(close)
    figures = {"trades": int(portfolio.trades.count()), "equity": float(portfolio.final_value())}
    if with_stats:
        portfolio.stats()
    return figures


def sweep(close: pd.Series) -> dict[str, float]:
    """All pairs, summed up."""
    trades, returns = sweep_each(close)
    return {"pairs": len(PAIRS), "trades": int(trades.sum()), "return_sum": float(returns.sum())}


def sweep_each(close: pd.Series) -> tuple[Any, Any]:
    """Long with all cash while the fast average is not below the slow one, else out: trades and return of each pair."""
    windows = sorted({window for pair in PAIRS for window in pair})
    column = {window: number for number, window in enumerate(windows)}
    averages = vbt.MA.run(close, windows, ewm=True).ma.to_numpy()
    returns, trades = [], []
    for first in range(0, len(PAIRS), PAIRS_AT_ONCE):
        chunk = PAIRS[first : first + PAIRS_AT_ONCE]
        slow = averages[:, [column[pair[1]] for pair in chunk]]
        is_long = (averages[:, [column[pair[0]] for pair in chunk]] >= slow) & ~np.isnan(slow)
        portfolio = vbt.Portfolio.from_signals(
            close,
            entries=pd.DataFrame(is_long, index=close.index),
            exits=pd.DataFrame(~is_long, index=close.index),
            fees=FEE,
            init_cash=1e6,
            freq="1min",
        )
        returns.append(portfolio.total_return().to_numpy())
        trades.append(portfolio.trades.count().to_numpy())
    return np.concatenate(trades), np.concatenate(returns)


def one_turn(mode: str, close: pd.Series) -> Turn:
    """The whole of one back-test or sweep, indicators included."""
    if mode == "sweep":
        return stopwatch(lambda: sweep(close))
    return stopwatch(lambda: cross_once(close, with_stats=mode == "bars-stats"))


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["bars", "bars-stats", "sweep"])
    parser.add_argument("data")
    given = parser.parse_args()
    columns: Any = np.load(given.data)
    close = pd.Series(columns["close"], index=pd.to_datetime(columns["ts"]))
    serve("vectorbt-rust", ["vectorbt", "vectorbt-rust"], lambda: one_turn(given.mode, close))


if __name__ == "__main__":
    main()
