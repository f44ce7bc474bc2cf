"""backtesting.py: averages that cross over a year of bars.

usage: python -m benchmarks.peers.backtesting_bars bars DATA.npz
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from benchmarks.worker import serve, stopwatch

FEE = 0.0005
WARM_UP_BARS = 20


def exponential_average(values: Any, window: int) -> pd.Series:
    """Average with alpha = 2 / (window + 1), from the first value on."""
    return pd.Series(values).ewm(span=window, adjust=False).mean()


class Cross(Strategy):
    """Long one unit while the fast average is not below the slow one, else short one unit."""

    def init(self) -> None:
        """Both averages."""
        self.fast = self.I(exponential_average, self.data.Close, 10)
        self.slow = self.I(exponential_average, self.data.Close, 20)

    def next(self) -> None:
        """Always in the market, from bar 20 on."""
        if len(self.data) < WARM_UP_BARS:
            return
        if self.fast[-1] >= self.slow[-1]:
            if not self.position.is_long:
                self.buy(size=1)
        elif not self.position.is_short:
            self.sell(size=1)


def backtest(frame: pd.DataFrame) -> dict[str, float]:
    """One run, filled at the close of the bar that decides."""
    figures = Backtest(
        frame, Cross, cash=10_000_000, commission=FEE, trade_on_close=True, exclusive_orders=True
    ).run()
    return {"trades": int(figures["# Trades"]), "equity": float(figures["Equity Final [$]"])}


def main() -> None:
    """Serve the one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["bars"])
    parser.add_argument("data")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    backtesting.backtesting._tqdm = lambda bars, **_: bars
    columns: Any = np.load(given.data)
    names = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(
        {name.capitalize(): columns[name] for name in names}, index=pd.to_datetime(columns["ts"])
    )
    serve("backtesting.py", ["backtesting"], lambda: stopwatch(lambda: backtest(frame)))


if __name__ == "__main__":
    main()
