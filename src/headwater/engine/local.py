"""``local_step``: the trader's side of one market event. The same function in back-test, paper and live.

Returns what the event means to a strategy, as :class:`WakeKind` bits; the caller wakes it if it subscribed to one of them.
BBO and crossing are judged at the last record of a message only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import NO_KEY, side_clear, side_update
from headwater.domain.event import NO_PRICE, EventFlag, EventKind
from headwater.domain.view import WakeKind
from headwater.features.bars import bar_step
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.kinds import PriceSource
from headwater.simulation.state import Sim

_DELTA = int(EventKind.BOOK_DELTA)
_SNAPSHOT = int(EventKind.BOOK_SNAPSHOT)
_CLEAR = int(EventKind.BOOK_CLEAR)
_TRADE = int(EventKind.TRADE)
_QUOTE = int(EventKind.QUOTE)
_BAR_OPEN = int(EventKind.BAR_OPEN)
_BAR_RANGE = int(EventKind.BAR_RANGE)
_BAR_CLOSE = int(EventKind.BAR_CLOSE)
_FUNDING = int(EventKind.FUNDING)
_MARK_PRICE = int(EventKind.MARK_PRICE)
_INDEX_PRICE = int(EventKind.INDEX_PRICE)
_GAP = int(EventKind.GAP)
_LAST_IN_MESSAGE = int(EventFlag.LAST_IN_MESSAGE)
_W_BOOK = int(WakeKind.BOOK)
_W_BBO = int(WakeKind.BBO)
_W_TRADE = int(WakeKind.TRADE)
_W_BAR = int(WakeKind.BAR)
_W_EVENT = int(WakeKind.EVENT)
_QUOTES = int(PriceSource.QUOTES)


@kernel
def local_step(sim: Sim, event: Any) -> Int:
    """Let the trader learn of one event; returns WakeKind bits (EVENT alone inside a message)."""
    kind = event["kind"]
    i = np.int64(event["instrument"])
    if kind == _DELTA or kind == _SNAPSHOT:
        side = np.int64(event["side"])
        row = 4 * i + (1 - side) // 2
        side_update(sim.sides, sim.levels, row, event["price"] * side, event["size"])
    elif kind == _TRADE:
        return _on_trade(sim, i, event) | _W_EVENT
    else:
        wake = _on_other(sim, i, event)
        if wake != _W_BOOK:
            return wake | _W_EVENT
    if (event["flags"] & _LAST_IN_MESSAGE) == 0:
        return np.int64(_W_EVENT)
    return _book_wake(sim, i)


@kernel
def _book_wake(sim: Sim, i: Int) -> Int:
    """A message is complete: did the best prices change since a strategy last heard of them?"""
    ins = sim.instruments[i]
    bid = sim.sides[4 * i]["best"]
    ask = sim.sides[4 * i + 1]["best"]
    wake = np.int64(_W_BOOK | _W_EVENT)
    if bid != ins["l_bid_seen"] or ask != ins["l_ask_seen"]:
        ins["l_bid_seen"] = bid
        ins["l_ask_seen"] = ask
        wake |= _W_BBO
    return wake


@kernel
def _on_trade(sim: Sim, i: Int, event: Any) -> Int:
    ins = sim.instruments[i]
    ins["l_last"] = event["price"]
    ins["l_last_size"] = event["size"]
    ins["l_last_side"] = event["side"]
    wake = np.int64(_W_TRADE)
    if ins["bar_builder"] >= 0 and bar_step(
        sim.bar_states,
        ins["bar_builder"],
        event["ts_venue"],
        event["price"],
        event["size"],
        event["side"],
        sim.bars,
    ):
        _take_built_bar(sim, ins)
        wake |= _W_BAR
    return wake


@kernel
def _take_built_bar(sim: Sim, ins: Any) -> None:
    bar = sim.bars[ins["bar_builder"]]
    ins["l_bar_start"] = bar["ts_open"]
    ins["l_bar_open"] = bar["open"]
    ins["l_bar_high"] = bar["high"]
    ins["l_bar_low"] = bar["low"]
    ins["l_bar_close"] = bar["close"]
    ins["l_bar_volume"] = bar["volume"]


@kernel
def _on_other(sim: Sim, i: Int, event: Any) -> Int:
    """Returns W_BOOK when the book changed, W_BAR when a bar is complete, else 0."""
    ins = sim.instruments[i]
    kind = event["kind"]
    if kind == _BAR_CLOSE:
        ins["l_bar_close"] = event["price"]
        ins["l_bar_volume"] = event["size"]
        ins["l_last"] = event["price"]
        return np.int64(_W_BAR)
    if kind == _BAR_OPEN:
        ins["l_bar_start"] = event["ts_venue"]
        ins["l_bar_open"] = event["price"]
    elif kind == _BAR_RANGE:
        ins["l_bar_high"] = event["price"]
        ins["l_bar_low"] = event["size"]
    elif kind == _QUOTE:
        return _on_quote(sim, ins, i, event)
    elif kind == _CLEAR:
        return _on_clear(sim, ins, i, event)
    else:
        _on_reference(ins, event)
    return np.int64(0)


@kernel
def _on_quote(sim: Sim, ins: Any, i: Int, event: Any) -> Int:
    """Best prices alone; where there is a book, its deltas say more and quotes are passed over."""
    if ins["source"] != _QUOTES:
        return np.int64(0)
    side = np.int64(event["side"])
    row = 4 * i + (1 - side) // 2
    side_clear(sim.sides, sim.levels, row, np.int64(NO_KEY))
    side_update(sim.sides, sim.levels, row, event["price"] * side, event["size"])
    return np.int64(_W_BOOK)


@kernel
def _on_clear(sim: Sim, ins: Any, i: Int, event: Any) -> Int:
    for side in (1, -1):
        if event["side"] == 0 or event["side"] == side:
            bound = np.int64(NO_KEY) if event["price"] == NO_PRICE else event["price"] * side
            side_clear(sim.sides, sim.levels, 4 * i + (1 - side) // 2, bound)
    ins["l_trusted"] = 1
    return np.int64(_W_BOOK)


@kernel
def _on_reference(ins: Any, event: Any) -> None:
    kind = event["kind"]
    if kind == _MARK_PRICE:
        ins["l_mark"] = event["price"]
    elif kind == _INDEX_PRICE:
        ins["l_index"] = event["price"]
    elif kind == _FUNDING:
        ins["l_funding_rate"] = event["price"]
    elif kind == _GAP:
        ins["l_trusted"] = 0
