"""A market made up from a seed: for demonstrations and for warming up, where no recording is at hand.

Orders without intelligence in the manner of Cont, Stoikov and Talreja (2010), *A stochastic model for
order book dynamics*, Operations Research 58(3): limit orders, market orders and cancellations arrive at
random, near the touch more often than far from it. A slow pressure (an autoregression) makes one side
more active for a while, so that prices wander. Trades print before the update that shows them, as venues
publish them.

It has a book, trades, a mark price every second and one funding settlement when it is long enough. It has
no informed traders and no other market makers: what a strategy earns on it means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EVENT_DTYPE, NO_PRICE, RATE_SCALE, EventFlag, EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.kernels.random import next_normal, next_uniform
from headwater.kernels.scalar import Float, Int
from headwater.tape.replay import ReplayInstrument

INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
TICK_SIZE: Final = Decimal("0.1")
LOT_SIZE: Final = Decimal("0.001")
START_NS: Final = 1_736_177_400_000_000_000
"""2025-01-06T15:30:00Z, half an hour before a funding settlement."""

FUNDING_NS: Final = START_NS + 1_800_000_000_000
FUNDING_RATE: Final = RATE_SCALE // 10_000
FUNDING_INTERVAL_S: Final = 28_800
EVENT_GAP_NS: Final = 2_000_000.0
"""Mean time between two things that happen."""

LEVELS: Final = 200
WINDOW_TICKS: Final = 1 << 17
FIRST_TICK: Final = 1_000_000 - WINDOW_TICKS // 2
_MIDDLE: Final = WINDOW_TICKS // 2
_MARK_NS: Final = 1_000_000_000
_FINE_PER_TICK: Final = 10_000_000
_ROWS_A_STEP: Final = 2 * LEVELS + 16

_DELTA = int(EventKind.BOOK_DELTA)
_SNAPSHOT = int(EventKind.BOOK_SNAPSHOT)
_CLEAR = int(EventKind.BOOK_CLEAR)
_TRADE = int(EventKind.TRADE)
_MARK = int(EventKind.MARK_PRICE)
_FUNDING = int(EventKind.FUNDING)
_BOTH = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)
_LAST = int(EventFlag.LAST_IN_MESSAGE)

_MARKET_DTYPE: Final = np.dtype(
    [
        ("random", "u8"),
        ("now", "i8"),  # UTC ns at the venue
        ("latency", "i8"),  # ns, of what is published now
        ("seen", "i8"),  # UTC ns of the last record at the trader
        ("pressure", "f8"),  # of buyers, about standard normal
        ("next_mark", "i8"),  # UTC ns
        ("bid", "i8"),  # index of the best price in the window
        ("ask", "i8"),
        ("rows", "i8"),  # written so far
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedMarket:
    """Events in arrival order, and the instrument that they are of."""

    events: Events
    instrument: ReplayInstrument


def generated_market(rows: int, seed: int) -> GeneratedMarket:
    """A market of about `rows` records (at least its opening book); equal arguments give equal markets."""
    market: npt.NDArray[Any] = np.zeros(1, _MARKET_DTYPE)
    market["random"] = np.uint64(seed % 2**64)
    market["now"] = market["seen"] = START_NS
    market["next_mark"] = START_NS
    market["bid"], market["ask"] = _MIDDLE - 1, _MIDDLE
    events: Events = np.zeros(rows + 2 * _ROWS_A_STEP, EVENT_DTYPE)
    _generate(market, np.zeros(2 * WINDOW_TICKS, np.int64), events, rows)
    described = ReplayInstrument(id=INSTRUMENT, tick_size=TICK_SIZE, lot_size=LOT_SIZE)
    return GeneratedMarket(events=events[: int(market["rows"][0])], instrument=described)


@kernel
def _generate(markets: Any, sizes: Any, out: Any, rows: Int) -> None:
    market = markets[0]
    _open(market, sizes, out)
    while market["rows"] < rows:
        _advance(market, out)
        chance = next_uniform(market)
        if chance < 0.10:
            _market_order(market, sizes, out)
        elif chance < 0.55:
            _limit_order(market, sizes, out)
        else:
            _cancellation(market, sizes, out)


@kernel
def _exponential(market: Any, mean: Float) -> Int:
    return np.int64(-mean * np.log(next_uniform(market)))


@kernel
def _record(market: Any, out: Any, kind: Int, side: Int, price: Int, size: Int, flags: Int) -> None:
    """Publish one record; what was published earlier is seen earlier."""
    market["seen"] = max(market["seen"], market["now"] + market["latency"])
    event = out[market["rows"]]
    market["rows"] += 1
    event["ts_venue"] = market["now"]
    event["ts_local"] = market["seen"]
    event["kind"] = kind
    event["side"] = side
    event["price"] = price
    event["size"] = size
    event["flags"] = _BOTH | flags


@kernel
def _open(market: Any, sizes: Any, out: Any) -> None:
    """A whole book in one message."""
    _record(market, out, _CLEAR, np.int64(0), np.int64(NO_PRICE), np.int64(0), np.int64(0))
    for level in range(2 * LEVELS):
        side = np.int64(1 - 2 * (level % 2))
        index = _MIDDLE - 1 - level // 2 if side > 0 else _MIDDLE + level // 2
        size = 1 + _exponential(market, 1_500.0)
        sizes[_slot(side, index)] = size
        flags = np.int64(_LAST if level == 2 * LEVELS - 1 else 0)
        _record(market, out, _SNAPSHOT, side, FIRST_TICK + index, size, flags)


@kernel
def _slot(side: Int, index: Int) -> Int:
    return index if side > 0 else WINDOW_TICKS + index


@kernel
def _advance(market: Any, out: Any) -> None:
    """Let time pass, and publish the mark price and the funding that fall due."""
    after = market["now"] + 1 + _exponential(market, EVENT_GAP_NS)
    market["latency"] = 4_000_000 + _exponential(market, 1_000_000.0)
    if market["now"] < FUNDING_NS <= after:
        market["now"] = FUNDING_NS
        rate, interval_s = np.int64(FUNDING_RATE), np.int64(FUNDING_INTERVAL_S)
        _record(market, out, _FUNDING, np.int64(0), rate, interval_s, np.int64(_LAST))
    market["now"] = after
    if after >= market["next_mark"]:
        market["next_mark"] += _MARK_NS
        twice_middle = market["bid"] + market["ask"] + 2 * FIRST_TICK
        fine = twice_middle * (_FINE_PER_TICK // 2)
        _record(market, out, _MARK, np.int64(0), fine, np.int64(0), np.int64(_LAST))
    market["pressure"] = 0.9998 * market["pressure"] + 0.02 * next_normal(market)
    if market["bid"] < 2 * LEVELS:
        market["pressure"] = 2.0
    elif market["ask"] > WINDOW_TICKS - 2 * LEVELS:
        market["pressure"] = -2.0


@kernel
def _side(market: Any) -> Int:
    """Buyers are the more likely the greater the pressure."""
    share = 0.5 + 0.2 * np.tanh(market["pressure"])
    return np.int64(1) if next_uniform(market) < share else np.int64(-1)


@kernel
def _market_order(market: Any, sizes: Any, out: Any) -> None:
    """Take from the touch, level by level: prints first, then the book in one message."""
    side = _side(market)
    left = 1 + _exponential(market, 400.0)
    first = market["ask"] if side > 0 else market["bid"]
    index = first
    while left > 0:
        slot = _slot(-side, index)
        taken = min(left, sizes[slot])
        if taken > 0:
            sizes[slot] -= taken
            left -= taken
            _record(market, out, _TRADE, side, FIRST_TICK + index, taken, np.int64(_LAST))
        if left > 0:
            index += side
            _refill(sizes, -side, index)
    for each in range(first, index + side, side):
        flags = np.int64(_LAST if each == index else 0)
        _record(market, out, _DELTA, -side, FIRST_TICK + each, sizes[_slot(-side, each)], flags)
    _set_touch(market, sizes, -side)


@kernel
def _refill(sizes: Any, side: Int, index: Int) -> None:
    """The edge of the window always has something to take: prices turn before it."""
    if index <= LEVELS or index >= WINDOW_TICKS - LEVELS:
        sizes[_slot(side, index)] += 1_000


@kernel
def _set_touch(market: Any, sizes: Any, side: Int) -> None:
    """Move the best price of `side` outwards to the first level that has something."""
    index = market["bid"] if side > 0 else market["ask"]
    while sizes[_slot(side, index)] == 0:
        index -= side
    if side > 0:
        market["bid"] = index
    else:
        market["ask"] = index


@kernel
def _distance(market: Any) -> Int:
    """Levels from the touch: mostly a few, sometimes anywhere."""
    if next_uniform(market) < 0.9:
        return min(_exponential(market, 8.0), np.int64(LEVELS - 1))
    return np.int64(LEVELS * (1.0 - next_uniform(market)))


@kernel
def _limit_order(market: Any, sizes: Any, out: Any) -> None:
    """Add to a level at or behind the touch, or better the touch where there is room."""
    side = _side(market)
    best = market["bid"] if side > 0 else market["ask"]
    spread = market["ask"] - market["bid"]
    index = best - side * _distance(market)
    if spread > 1 and next_uniform(market) < 0.5:
        index = best + side * (1 + _exponential(market, 1.0) % (spread - 1))
    slot = _slot(side, index)
    sizes[slot] += 1 + _exponential(market, 800.0)
    if (index - best) * side > 0:
        if side > 0:
            market["bid"] = index
        else:
            market["ask"] = index
    _record(market, out, _DELTA, side, FIRST_TICK + index, sizes[slot], np.int64(_LAST))


@kernel
def _cancellation(market: Any, sizes: Any, out: Any) -> None:
    """Take back part of a level, or all of it; sellers cancel when buyers press."""
    side = _side(market)
    best = market["bid"] if side < 0 else market["ask"]
    side = -side
    index = best - side * _distance(market)
    slot = _slot(side, index)
    if sizes[slot] == 0:
        return
    whole = next_uniform(market) < 0.4
    sizes[slot] = 0 if whole else np.int64(sizes[slot] * (1.0 - next_uniform(market)))
    _record(market, out, _DELTA, side, FIRST_TICK + index, sizes[slot], np.int64(_LAST))
    _set_touch(market, sizes, side)
