"""When an imbalance bar is over: more one-sided than expected, and than chance alone makes it.

With b_t the side of trade t, v_t its weight (1 for tick imbalance bars, its lots for volume imbalance bars)
and theta = sum of b_t v_t over the T trades of the open bar, the bar closes at the first trade with

    |theta| >= max( E[T] |E[b v]| , E[v] floor(sqrt(E[T])) )

The first term is Lopez de Prado's. Alone it fails where the market is balanced: E[b v] is then near 0 and
every trade closes a bar. The second term is what a balanced market reaches by chance in E[T] trades (the
first exit of a random walk from +-a takes a**2 steps on average), so that balanced bars keep the length they
have.

E[T], E[b v] and E[v] are exponentially weighted averages over closed bars (T, theta / T, sum of v / T) with
alpha = 2 / (span + 1). The first bar closes at `threshold` trades and seeds them. E[T] stays within a quarter
and four times `threshold`, because it feeds on itself: without bounds the bars of the book are known to run
away.

All numbers are integers; averages are in 1/256 and their steps round down, so that every machine has the same
bars. A trade of unknown side takes the tick rule: the sign of the change of price, of none the side before.

Sources
-------
Lopez de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.1, equations 2.1 to 2.3.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.bar import BarKind
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int

THRESHOLD_MAX: Final = 1 << 16
"""Most trades of a first bar: with weights up to :data:`WEIGHT_MAX` no product leaves an int64."""

WEIGHT_MAX: Final = 1 << 36
"""Lots of one trade beyond which more size does not count as more imbalance."""

SPAN_DEFAULT: Final = 20

_FINE: Final = 256
_BOUND: Final = 4
_TICK_IMBALANCE: Final = int(BarKind.TICK_IMBALANCE)


@kernel
def add_to_imbalance(state: Any, price: Int, size: Int, side: Int) -> None:
    """Count a trade, already in the bar, on its side."""
    if state["counted"] == 1:
        state["imbalance"] = 0
        state["weight"] = 0
    sign: Int = np.int64(side)
    if side == 0:
        sign = _by_tick_rule(state, price)
    weight = np.int64(1)
    if state["kind"] != _TICK_IMBALANCE:
        weight = min(np.int64(size), np.int64(WEIGHT_MAX))
    state["imbalance"] += sign * weight
    state["weight"] += weight
    state["last_price"] = price
    state["last_side"] = sign


@kernel
def _by_tick_rule(state: Any, price: Int) -> Int:
    before = state["last_price"]
    if before == 0 or price == before:
        return np.int64(state["last_side"])
    return np.int64(1) if price > before else np.int64(-1)


@kernel
def imbalance_reached(state: Any) -> Bool:
    """Whether the open bar is over."""
    if state["expected_trades"] == 0:
        return state["counted"] >= state["threshold"]
    trades = state["expected_trades"] // _FINE
    expected = trades * abs(state["expected_imbalance"])
    by_chance = state["expected_weight"] * _root(trades)
    return abs(state["imbalance"]) * _FINE >= max(expected, by_chance)


@kernel
def expect_from_bar(state: Any) -> None:
    """Move the expectations towards the bar that has just closed."""
    trades = state["counted"]
    bar_imbalance = state["imbalance"] * _FINE // trades
    bar_weight = state["weight"] * _FINE // trades
    if state["expected_trades"] == 0:
        state["expected_trades"] = trades * _FINE
        state["expected_imbalance"] = bar_imbalance
        state["expected_weight"] = bar_weight
        return
    span = state["span"] if state["span"] > 0 else np.int64(SPAN_DEFAULT)
    state["expected_imbalance"] += _towards(state["expected_imbalance"], bar_imbalance, span)
    state["expected_weight"] += _towards(state["expected_weight"], bar_weight, span)
    longest = state["threshold"] * (_BOUND * _FINE)
    shortest = max(state["threshold"] * _FINE // _BOUND, np.int64(_FINE))
    moved = state["expected_trades"] + _towards(state["expected_trades"], min(trades * _FINE, longest), span)
    state["expected_trades"] = min(max(moved, shortest), longest)


@kernel
def _towards(old: Int, new: Int, span: Int) -> Int:
    return 2 * (new - old) // (span + 1)


@kernel
def _root(value: Int) -> Int:
    return np.int64(np.sqrt(value))  # exact below 2**52: the root of a square is correctly rounded
