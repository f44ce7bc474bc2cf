"""Seeded best quotes and trades of one instrument, tick 0.1, lot 0.001."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

START_NS: Final = 1_700_000_000_000_000_000
QUOTE_SPACING_NS: Final = 200_000_000
TRADE_SPACING_NS: Final = 2.592e9


def best_quotes(count: int, seed: int = 7) -> dict[str, npt.NDArray[Any]]:
    """Best bid and offer every 200 ms, one tick apart, the bid walking by a tick or standing still.

    Returns ------- Columns of shape (count,): ``ts`` (UTC ns), ``bid``, ``ask`` (quote currency),
    ``bid_size``, ``ask_size`` (base).
    """
    random = np.random.default_rng(seed)
    bid = np.round(60000 + np.cumsum(random.choice([-0.1, 0, 0.1], count)), 1)
    return {
        "ts": START_NS + np.arange(count) * QUOTE_SPACING_NS,
        "bid": bid,
        "ask": bid + 0.1,
        "bid_size": np.round(random.uniform(0.1, 5, count), 3),
        "ask_size": np.round(random.uniform(0.1, 5, count), 3),
    }


def trades(count: int, seed: int = 7) -> dict[str, npt.NDArray[Any]]:
    """Trades 2.6 s apart on average (a million fill 30 days), the price a geometric random walk.

    Returns
    -------
    Columns of shape (count,): ``ts`` (UTC ns), ``price``, ``size``, ``buyer_is_maker`` (bool).
    """
    random = np.random.default_rng(seed)
    price = np.round(60000 * np.exp(np.cumsum(random.normal(0, 2e-5, count))), 1)
    size = np.round(random.uniform(0.001, 1, count), 3)
    buyer_is_maker = random.random(count) < 0.5
    ts = START_NS + np.cumsum(random.exponential(TRADE_SPACING_NS, count)).astype("i8")
    return {"ts": ts, "price": price, "size": size, "buyer_is_maker": buyer_is_maker}
