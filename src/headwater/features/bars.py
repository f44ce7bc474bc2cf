"""Bars from trades: by time, by number of trades, by volume, by turnover, folded one trade at a time.

A bar closes *before* the trade that no longer belongs to it (time bars) or *with* the trade that fills it
(tick, volume and dollar bars). A time bar ends at a multiple of its interval since the epoch and is reported
with the first trade at or after its end: a minute without trades has no bar.

The batch of bars of a series is the fold of :func:`bar_step` over it, so that online and batch agree by
construction.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.bar import BarKind
from headwater.kernels.kernel import kernel


_TIME: Final = int(BarKind.TIME)
_TICK: Final = int(BarKind.TICK)
_VOLUME: Final = int(BarKind.VOLUME)


@kernel
def bar_step(states: Any, i: int, ts: int, price: int, size: int, side: int, bars: Any) -> bool:
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
    if _amount(state) < state["threshold"]:
        return False
    bars[i] = bar
    state["counted"] = 0
    return True


@kernel
def _amount(state: Any) -> int:
    kind = state["kind"]
    if kind == _TICK:
        return state["bar"]["trades"]
    return state["bar"]["volume"] if kind == _VOLUME else state["bar"]["turnover"]


@kernel
def _add(state: Any, ts: int, price: int, size: int, side: int) -> None:
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
def _start(state: Any, bar: Any, ts: int, price: int) -> None:
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
