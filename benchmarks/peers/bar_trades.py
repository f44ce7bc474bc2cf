"""Trades of a peer on the minute bars, written down for comparison with ours.

usage: python -m benchmarks.peers.bar_trades {backtesting|vectorbt|vectorbt-sweep} DATA.npz OUT.npz

Crossing of two averages, always in the market. Columns of ``trades``: bar of entry, bar of exit (-1: still open),
size (negative: sold), price of entry and of exit; ``equity``: at the end. For the sweep of pairs, ``trades`` holds
the number of trades of each pair, ``equity`` its return.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd

OPEN = -1
CASH = 10_000_000


def of_backtesting(columns: Any) -> tuple[Any, float]:
    """backtesting.py; it tells of closed trades alone."""
    import backtesting
    from backtesting import Backtest

    from benchmarks.peers.backtesting_bars import FEE, Cross

    warnings.simplefilter("ignore")
    backtesting.backtesting._tqdm = lambda bars, **_: bars
    names = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(
        {name.capitalize(): columns[name] for name in names}, index=pd.to_datetime(columns["ts"])
    )
    figures = Backtest(
        frame, Cross, cash=CASH, commission=FEE, trade_on_close=True, exclusive_orders=True
    ).run()
    found = figures["_trades"]
    names = ["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice"]
    return found[names].to_numpy(np.float64), float(figures["Equity Final [$]"])


def of_vectorbt(columns: Any) -> tuple[Any, float]:
    """vectorbt; the last trade is still open."""
    from benchmarks.peers.vectorbt_bars import cross_portfolio

    portfolio = cross_portfolio(pd.Series(columns["close"], index=pd.to_datetime(columns["ts"])))
    found = portfolio.trades.records
    is_open = found["status"] == 0
    side = np.where(found["direction"] == 0, 1.0, -1.0)
    table = np.column_stack(
        [
            found["entry_idx"],
            np.where(is_open, OPEN, found["exit_idx"]),
            side * found["size"],
            found["entry_price"],
            found["exit_price"],
        ]
    )
    return table, float(portfolio.final_value())


def of_vectorbt_sweep(columns: Any) -> tuple[Any, Any]:
    """vectorbt, pair by pair."""
    from benchmarks.peers.vectorbt_bars import sweep_each

    return sweep_each(pd.Series(columns["close"], index=pd.to_datetime(columns["ts"])))


PEERS = {"backtesting": of_backtesting, "vectorbt": of_vectorbt, "vectorbt-sweep": of_vectorbt_sweep}


def main() -> None:
    """Run one peer."""
    peer, data, out = sys.argv[1:]
    trades, equity = PEERS[peer](np.load(data))
    np.savez(out, trades=trades, equity=equity)


if __name__ == "__main__":
    main()
