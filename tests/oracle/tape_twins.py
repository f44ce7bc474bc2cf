"""Slow twins of the tape's kernels: the obvious version of each, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy.typing as npt

from headwater.domain.event import NO_PRICE, EventFlag, EventKind

Row: TypeAlias = Any
"""One record of EVENT_DTYPE."""

Rows: TypeAlias = Sequence[Row] | npt.NDArray[Any]

COUNTED: Final = (
    "messages", "trusted_ns", "total_ns", "crossed", "crossed_ns", "locked", "clears", "gaps", "lost",
    "bad_price", "bad_size", "repeated",
)  # fmt: skip


def is_last(row: Row) -> bool:
    return bool(row["flags"] & EventFlag.LAST_IN_MESSAGE)


def messages(rows: Rows) -> list[list[Row]]:
    """Records by message; what follows the last complete message is one message a record."""
    found: list[list[Row]] = []
    current: list[Row] = []
    for row in rows:
        current.append(row)
        if is_last(row):
            found.append(current)
            current = []
    return found + [[row] for row in current]


def message_times(rows: Rows, stamp: str) -> list[int]:
    return [int(message[-1][stamp]) for message in messages(rows) for _ in message]


def forward_times(times: Sequence[int], start: int) -> list[int]:
    return [max(start, *times[: i + 1]) for i in range(len(times))]


def log_bin(value: float) -> int:
    edges = [2.0 ** (k / 8) for k in range(8, 512)]
    return 0 if value < 2 else 7 + sum(value >= edge for edge in edges)


def leading_digit(value: int) -> int:
    return int(str(value)[0])


@dataclass
class Timing:
    """Steps between messages."""

    messages: int = 0
    backward: int = 0
    backward_worst: int = 0
    venue_backward: int = 0
    steps: list[int] = field(default_factory=list)


def timing(rows: Rows) -> Timing:
    ends = [row for row in rows if is_last(row)]
    found = Timing(messages=len(ends))
    for before, row in pairwise(ends):
        step = int(row["ts_local"]) - int(before["ts_local"])
        if step < 0:
            found.backward += 1
            found.backward_worst = max(found.backward_worst, -step)
        else:
            found.steps.append(step)
        found.venue_backward += int(row["ts_venue"]) < int(before["ts_venue"])
    return found


@dataclass
class Book:
    """Two dictionaries of levels, and what a certificate wants to know."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    trusted: dict[int, bool] = field(default_factory=lambda: {1: False, -1: False})
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def apply(self, row: Row) -> None:
        price, size, side = int(row["price"]), int(row["size"]), int(row["side"])
        kind = row["kind"]
        if kind in (EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT):
            if size < 0:
                self.counters["bad_size"] += 1
            elif price <= 0:
                self.counters["bad_price"] += 1
            else:
                levels = self.bids if side > 0 else self.asks
                levels[price] = size
                if size == 0:
                    del levels[price]
        elif kind == EventKind.BOOK_CLEAR:
            self.counters["clears"] += 1
            self.clear(side, price)
        elif kind == EventKind.GAP:
            self.counters["gaps"] += 1
            self.counters["lost"] += size
            self.trusted = {1: False, -1: False}

    def clear(self, side: int, bound: int) -> None:
        if side >= 0:
            self.bids = {p: s for p, s in self.bids.items() if bound != NO_PRICE and p < bound}
            self.trusted[1] = True
        if side <= 0:
            self.asks = {p: s for p, s in self.asks.items() if bound != NO_PRICE and p > bound}
            self.trusted[-1] = True

    def is_trusted(self) -> bool:
        return all(self.trusted.values())

    def is_crossed(self) -> bool:
        return self.is_two_sided() and max(self.bids) > min(self.asks)

    def is_locked(self) -> bool:
        return self.is_two_sided() and max(self.bids) == min(self.asks)

    def is_two_sided(self) -> bool:
        return self.is_trusted() and bool(self.bids) and bool(self.asks)


def book(rows: Rows) -> Book:
    """Run a book over the records of the book group; all messages are complete."""
    state = Book()
    clock, previous = None, None
    for message in messages(rows):
        ts = int(message[0]["ts_local"])
        if clock is not None and ts > clock:
            state.counters["total_ns"] += ts - clock
            state.counters["trusted_ns"] += (ts - clock) * state.is_trusted()
            state.counters["crossed_ns"] += (ts - clock) * state.is_crossed()
        clock = ts if clock is None else max(clock, ts)
        for row in message:
            state.apply(row)
        state.counters["messages"] += 1
        state.counters["crossed"] += state.is_crossed()
        state.counters["locked"] += state.is_locked()
        state.counters["repeated"] += previous is not None and _same(previous, message)
        previous = message
    return state


def _same(one: list[Row], other: list[Row]) -> bool:
    names = ("price", "size", "side", "kind")
    return int(one[0]["ts_venue"]) == int(other[0]["ts_venue"]) and [
        [int(row[name]) for name in names] for row in one
    ] == [[int(row[name]) for name in names] for row in other]


@dataclass
class Trades:
    """What is said about prints."""

    trades: int = 0
    bad: int = 0
    absurd: int = 0
    twins: int = 0
    largest_return: float = 0.0
    digits: list[int] = field(default_factory=lambda: [0] * 10)


def trades(rows: Rows) -> Trades:
    found = Trades()
    prints = [row for row in rows if row["kind"] == EventKind.TRADE]
    found.trades = len(prints)
    good = [row for row in prints if row["price"] > 0 and row["size"] > 0]
    found.bad = len(prints) - len(good)
    prices = [int(row["price"]) for row in good]
    for row in good:
        found.digits[leading_digit(int(row["size"]))] += 1
    for before, price in pairwise(prices):
        found.largest_return = max(found.largest_return, abs(math.log(price / before)))
    for before, price, after in zip(prices, prices[1:], prices[2:], strict=False):
        high, low = max(before, after), min(before, after)
        found.absurd += price > 1.5 * high or 1.5 * price < low
    found.twins = _twins(rows, good)
    return found


def _twins(rows: Rows, good: Rows) -> int:
    names = ("kind", "ts_venue", "price", "size", "side")
    keys = [tuple(int(row[name]) for name in names) for row in rows]
    kept = {tuple(int(row[name]) for name in names) for row in good}
    pairs = pairwise(keys)
    return sum(one == other and other in kept for one, other in pairs)


@dataclass
class Quotes:
    """What is said about best quotes."""

    quotes: int = 0
    crossed: int = 0
    locked: int = 0
    bad: int = 0


def quotes(rows: Rows) -> Quotes:
    found = Quotes()
    best: dict[int, int | None] = {1: None, -1: None}
    for row in rows:
        if row["kind"] != EventKind.QUOTE:
            continue
        price, size, side = int(row["price"]), int(row["size"]), 1 if row["side"] > 0 else -1
        if size < 0 or (price <= 0 and price != NO_PRICE):
            found.bad += 1
            continue
        best[side] = None if price == NO_PRICE or size == 0 else price
        if not is_last(row):
            continue
        found.quotes += 1
        bid, ask = best[1], best[-1]
        if bid is not None and ask is not None:
            found.crossed += bid > ask
            found.locked += bid == ask
    return found


def depth_samples(rows: Rows, every: int) -> list[tuple[int, int, int, int, int]]:
    """(ts, bid, ask, sizes of the ten best bids and asks) after every `every`-th message; no empty sides."""
    state, found = Book(), []
    for number, message in enumerate(messages(rows), start=1):
        for row in message:
            state.apply(row)
        if number % every == 0 and state.bids and state.asks:
            bids, asks = sorted(state.bids, reverse=True), sorted(state.asks)
            bid_size = sum(state.bids[price] for price in bids[:10])
            ask_size = sum(state.asks[price] for price in asks[:10])
            found.append((int(message[-1]["ts_local"]), bids[0], asks[0], bid_size, ask_size))
    return found


def netted(rows: Rows) -> list[tuple[int, int]]:
    """For each trade (row of the message's end or -1, explained lots)."""
    book_kinds = (EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_CLEAR, EventKind.GAP)
    ends = [i for i, row in enumerate(rows) if row["kind"] in book_kinds[:3] and is_last(row)]
    published = forward_times([int(rows[i]["ts_venue"]) for i in ends], -(2**63))
    trades_ = [i for i, row in enumerate(rows) if row["kind"] == EventKind.TRADE]
    end_of = {
        i: next((e for e, ts in zip(ends, published, strict=True) if ts > int(rows[i]["ts_venue"])), -1)
        for i in trades_
    }
    explained = dict.fromkeys(trades_, 0)
    state = Book()
    book_rows = [i for i, row in enumerate(rows) if row["kind"] in book_kinds]
    message: list[int] = []
    for i in book_rows:
        message.append(i)
        if not is_last(rows[i]):
            continue
        mine = [t for t in trades_ if end_of[t] == i]
        levels = {t: (int(rows[t]["side"]), int(rows[t]["price"])) for t in mine}
        before = {level: _resting(state, *level) for level in levels.values()}
        for k in message:
            state.apply(rows[k])
        message = []
        for t in mine:
            level = levels[t]
            share = min(int(rows[t]["size"]), max(0, before[level] - _resting(state, *level)))
            explained[t] = share
            before[level] -= share
    return [(end_of[t], explained[t]) for t in trades_]


def _resting(state: Book, aggressor: int, price: int) -> int:
    return (state.asks if aggressor > 0 else state.bids).get(price, 0)
