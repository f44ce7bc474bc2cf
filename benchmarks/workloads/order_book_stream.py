"""A seeded stream of order-book updates and trades of one instrument (tick 0.1, lot 0.001, from 60,000.0 on).

The first 400 rows lay down 200 levels a side. After that a row is a trade with probability 2/3 unless one
is waiting to be seen in the book; each trade is followed by the update that takes its size off the touch,
so that 60 % of the rows are updates and 40 % trades. Quotes improve inside the spread, change near the
touch or far from it, and the book is never crossed. Rows follow one another after 2 ms on average, and are
seen 5 ms plus an exponential 0.3 ms later; both times rise strictly.

Randomness is SplitMix64 (Steele, Lea, Flood 2014), so that any language can make the same stream.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.kernels.kernel import kernel

Columns = dict[str, npt.NDArray[Any]]
Integers = npt.NDArray[np.int64]
Row = tuple[Any, Any, Any, Any]
"""Kind, side, tick, size: NumPy integers, in compiled code and outside it."""

DEPTH: Final = 1
TRADE: Final = 2
OPENING_ROWS: Final = 400
LEVELS: Final = 200
SPAN_TICKS: Final = 400_000
BASE_TICK: Final = 400_000
START_NS: Final = 1_700_000_000_000_000_000
LATENCY_FLOOR_NS: Final = 5_000_000

BID: Final = 0
ASK: Final = 1


@kernel(cached=False)
def _next_bits(random: npt.NDArray[np.uint64]) -> Any:
    random[0] = random[0] + np.uint64(0x9E3779B97F4A7C15)
    bits = random[0]
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@kernel(cached=False)
def _uniform(random: npt.NDArray[np.uint64]) -> Any:
    return ((_next_bits(random) >> np.uint64(11)) + np.uint64(1)) * (1.0 / 9007199254740993.0)


@kernel(cached=False)
def _below(random: npt.NDArray[np.uint64], limit: int) -> Any:
    return np.int64(_next_bits(random) % np.uint64(limit))


@kernel(cached=False)
def _is_heads(random: npt.NDArray[np.uint64]) -> Any:
    return (_next_bits(random) & np.uint64(1)) != np.uint64(0)


@kernel(cached=False)
def _opening_level(random: Any, sizes: Any, row: int) -> Row:
    """Kind, side, tick and size of one of the first rows, bids and asks in turn."""
    size = np.int64(1 + _below(random, 3000))
    if row % 2 == 0:
        tick = np.int64(199_999 - row // 2)
        sizes[BID, tick] = size
        return DEPTH, 1, tick, size
    tick = np.int64(200_000 + row // 2)
    sizes[ASK, tick] = size
    return DEPTH, -1, tick, size


@kernel(cached=False)
def _take_off(sizes: Any, touch: Any, waiting: Any) -> Row:
    """The update that shows the trade before it: the touch keeps what is left, or moves on."""
    side, tick, size = waiting[0], waiting[1], waiting[2]
    waiting[0] = 0
    book_side = BID if side == 1 else ASK
    sizes[book_side, tick] = size
    if size == 0 and tick == touch[book_side]:
        while sizes[book_side, touch[book_side]] == 0:
            touch[book_side] -= side
    return DEPTH, side, tick, size


@kernel(cached=False)
def _trade(random: Any, sizes: Any, touch: Any, waiting: Any) -> Row:
    """A trade of at most what stands at the touch; the book will show it in the next row."""
    wanted = np.int64(1 + -400.0 * np.log(_uniform(random)))
    side = 1 if _is_heads(random) else -1
    book_side = ASK if side == 1 else BID
    tick = touch[book_side]
    standing = sizes[book_side, tick]
    size = min(wanted, standing)
    waiting[0], waiting[1], waiting[2] = -side, tick, standing - size
    return TRADE, side, tick, size


@kernel(cached=False)
def _distance(random: Any) -> Any:
    """Ticks from the touch: mostly a few, sometimes anywhere in the book."""
    if _uniform(random) < 0.95:
        return min(np.int64(-6.0 * np.log(_uniform(random))), np.int64(LEVELS - 1))
    return _below(random, LEVELS)


@kernel(cached=False)
def _quote(random: Any, sizes: Any, touch: Any) -> Row:
    """A level that changes: a better price inside the spread, or a new size at or behind the touch."""
    side = np.int64(1) if _is_heads(random) else np.int64(-1)
    book_side = BID if side == 1 else ASK
    if touch[ASK] - touch[BID] > 1 and _uniform(random) < 0.6:
        tick = touch[book_side] + side
        size = np.int64(1 + _below(random, 3000))
    else:
        distance = _distance(random)
        tick = touch[book_side] - side * distance
        size = np.int64(1 + _below(random, 3000))
        if _uniform(random) < 0.15 and distance > 0:
            size = np.int64(0)
    sizes[book_side, tick] = size
    if size > 0 and (tick - touch[book_side]) * side > 0:
        touch[book_side] = tick
    return DEPTH, side, tick, size


@kernel(cached=False)
def _fill(rows: Integers, random: Any, sizes: Any, touch: Any, waiting: Any) -> None:
    """`rows`: shape (6, n): kind, side, ts_venue, ts_local, tick, size."""
    ts_venue = np.int64(START_NS)
    ts_local = ts_venue
    for row in range(rows.shape[1]):
        ts_venue += np.int64(1 + -2_000_000.0 * np.log(_uniform(random)))
        seen = ts_venue + np.int64(LATENCY_FLOOR_NS - 300_000.0 * np.log(_uniform(random)))
        ts_local = max(seen, ts_local + 1)
        if row < OPENING_ROWS:
            kind, side, tick, size = _opening_level(random, sizes, row)
        elif waiting[0] != 0:
            kind, side, tick, size = _take_off(sizes, touch, waiting)
        elif _uniform(random) < 2.0 / 3.0:
            kind, side, tick, size = _trade(random, sizes, touch, waiting)
        else:
            kind, side, tick, size = _quote(random, sizes, touch)
        rows[0, row], rows[1, row], rows[2, row], rows[3, row] = kind, side, ts_venue, ts_local
        rows[4, row], rows[5, row] = tick, size


def order_book_stream(count: int, seed: int = 7) -> Columns:
    """Make the stream.

    Returns
    -------
    Columns of shape (count,), int64: ``kind`` (DEPTH or TRADE), ``side`` (+1 bid or buyer, -1 ask or seller),
    ``ts_venue`` and ``ts_local`` (UTC ns), ``price`` (ticks of 0.1), ``size`` (lots of 0.001; 0 removes).
    """
    rows = np.empty((6, count), np.int64)
    random = np.array([seed], np.uint64)
    sizes = np.zeros((2, SPAN_TICKS), np.int64)
    touch = np.array([199_999, 200_000], np.int64)
    _fill(rows, random, sizes, touch, np.zeros(3, np.int64))
    names = ("kind", "side", "ts_venue", "ts_local", "price", "size")
    columns = dict(zip(names, rows, strict=True))
    columns["price"] = columns["price"] + BASE_TICK
    return columns
