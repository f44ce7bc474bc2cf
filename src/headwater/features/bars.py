"""Bars from trades, folded one trade at a time: by time, trades, volume, turnover, or imbalance of the two
sides.

A bar closes *before* the trade that no longer belongs to it (time bars) or *with* the trade that fills it
(all others). A time bar ends at a multiple of its interval since the epoch and is reported with the first
trade at or after its end: a minute without trades has no bar.

The batch of bars of a series is the fold of :func:`bar_step` over it, so that online and batch agree by
construction.

Sources
-------
Lopez de Prado (2018), Advances in Financial Machine Learning, section 2.3: tick, volume, dollar and imbalance
bars; how this departs from it for imbalance bars is said in ``features/imbalance.py``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.bar import BarKind
from headwater.features.imbalance import add_to_imbalance, expect_from_bar, imbalance_reached
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int

_TIME: Final = int(BarKind.TIME)
_TICK: Final = int(BarKind.TICK)
_VOLUME: Final = int(BarKind.VOLUME)
_TICK_IMBALANCE: Final = int(BarKind.TICK_IMBALANCE)


@kernel
def bar_step(states: Any, i: Int, ts: Int, price: Int, size: Int, side: Int, bars: Any) -> Bool:
    """Fold one trade into state `i`; True when ``bars[i]`` holds a bar that is now complete.

    Parameters
    ----------
    states : (n,) BAR_STATE_DTYPE
    ts : UTC ns, not decreasing
    price, size : ticks, lots > 0
    side : aggressor, +1 buy, -1 sell, 0 unknown
    bars : (n,) BAR_DTYPE, written when a bar completes
    """
    state = states[i]
    bar = state["bar"]
    if state["kind"] == _TIME:
        closed = state["counted"] > 0 and ts >= bar["ts_close"]
        if closed:
            bars[i] = bar
            state["counted"] = 0
        _add(state, ts, price, size, side)
        return closed
    _add(state, ts, price, size, side)
    if state["kind"] >= _TICK_IMBALANCE:
        add_to_imbalance(state, price, size, side)
        if not imbalance_reached(state):
            return False
        expect_from_bar(state)
    elif _amount(state) < state["threshold"]:
        return False
    bars[i] = bar
    state["counted"] = 0
    return True


@kernel
def fold_bars(
    states: Any, i: Int, ts: Any, price: Any, size: Any, side: Any, first: Int, bars: Any, out: Any
) -> tuple[Int, Int]:
    """Fold trades from `first` on until they or the room for bars run out.

    Parameters
    ----------
    states, bars : (n,) as for :func:`bar_step`
    ts, price, size, side : (m,) one trade each
    out : (k,) BAR_DTYPE, the complete bars in order

    Returns
    -------
    The first trade that was not folded, and the number of bars in `out`.
    """
    count = 0
    at = first
    while at < len(ts) and count < len(out):
        if bar_step(states, i, ts[at], price[at], size[at], side[at], bars):
            out[count] = bars[i]
            count += 1
        at += 1
    return at, count


@kernel
def _amount(state: Any) -> Int:
    kind = state["kind"]
    if kind == _TICK:
        return state["bar"]["trades"]
    return state["bar"]["volume"] if kind == _VOLUME else state["bar"]["turnover"]


@kernel
def _add(state: Any, ts: Int, price: Int, size: Int, side: Int) -> None:
    bar = state["bar"]
    if state["counted"] == 0:
        _start(state, bar, ts, price)
    if state["kind"] != _TIME:
        bar["ts_close"] = ts
    bar["high"] = max(bar["high"], price)
    bar["low"] = min(bar["low"], price)
    bar["close"] = price
    bar["volume"] += size
    bar["buy_volume"] += size if side > 0 else np.int64(0)
    bar["turnover"] += price * size
    bar["trades"] += 1
    state["counted"] += 1


@kernel
def _start(state: Any, bar: Any, ts: Int, price: Int) -> None:
    bar["ts_open"] = ts
    if state["kind"] == _TIME:
        bar["ts_open"] = ts - ts % state["threshold"]
        bar["ts_close"] = bar["ts_open"] + state["threshold"]
    bar["open"] = price
    bar["high"] = price
    bar["low"] = price
    bar["volume"] = 0
    bar["buy_volume"] = 0
    bar["turnover"] = 0
    bar["trades"] = 0
