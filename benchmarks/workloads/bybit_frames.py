"""Seeded frames of Bybit's ``orderbook.200`` stream, as the venue sends them: one snapshot, then deltas.

A delta changes some ten levels a side near the touch; when the touch moves it removes the passed level,
adds one on the other side, and keeps exactly 200 levels a side by an addition and a removal at the far
ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

LEVELS: Final = 200
FIRST_BID_TICK: Final = 600_000
FRAME_SPACING_MS: Final = 20
Level = tuple[int, str]


class _Market:
    """Both sides of the book, and how it changes from one frame to the next."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.bid = FIRST_BID_TICK
        self.bids = {self.bid - depth: self.size() for depth in range(LEVELS)}
        self.asks = {self.bid + 1 + depth: self.size() for depth in range(LEVELS)}

    def size(self) -> str:
        return f"{(1 + int(self.random.random() * 20000)) / 1000:.3f}"

    def step(self) -> tuple[int, dict[int, str], dict[int, str]]:
        """Rise of the cross sequence, and the changed levels of both sides."""
        rise = 1 + int(self.random.random() * 30)
        bid_changes: dict[int, str] = {}
        ask_changes: dict[int, str] = {}
        chance = self.random.random()
        if chance < 0.3:
            for _ in range(1 + int(self.random.random() * 3)):
                (self._rise if chance < 0.15 else self._fall)(bid_changes, ask_changes)
        self._touch_up(self.bids, bid_changes, self.bid, -1)
        self._touch_up(self.asks, ask_changes, self.bid + 1, 1)
        return rise, bid_changes, ask_changes

    def _rise(self, bid_changes: dict[int, str], ask_changes: dict[int, str]) -> None:
        self.bid += 1
        self._remove(self.asks, ask_changes, self.bid)
        self._add(self.asks, ask_changes, self.bid + LEVELS)
        self._add(self.bids, bid_changes, self.bid)
        self._remove(self.bids, bid_changes, self.bid - LEVELS)

    def _fall(self, bid_changes: dict[int, str], ask_changes: dict[int, str]) -> None:
        passed = self.bid
        self._remove(self.bids, bid_changes, passed)
        self._add(self.bids, bid_changes, passed - LEVELS)
        self._add(self.asks, ask_changes, passed)
        self._remove(self.asks, ask_changes, passed + LEVELS)
        self.bid -= 1

    def _add(self, side: dict[int, str], changes: dict[int, str], tick: int) -> None:
        side[tick] = changes[tick] = self.size()

    @staticmethod
    def _remove(side: dict[int, str], changes: dict[int, str], tick: int) -> None:
        side.pop(tick)
        changes[tick] = "0"

    def _touch_up(self, side: dict[int, str], changes: dict[int, str], touch: int, away: int) -> None:
        for _ in range(5 + int(self.random.random() * 11)):
            depth = int(self.random.expovariate(1 / 15.0))
            if depth > LEVELS - 1:
                depth = int(self.random.random() * LEVELS)
            self._add(side, changes, touch + away * depth)


def bybit_frames(count: int, seed: int = 7) -> Iterator[str]:
    """One snapshot and `count` deltas, 20 ms apart, as compact JSON."""
    market = _Market(seed)
    ts_ms, update, sequence = 1_700_000_000_000, 1000, 5_000_000
    yield _frame("snapshot", market.bids, market.asks, ts_ms, update, sequence)
    for _ in range(count):
        rise, bid_changes, ask_changes = market.step()
        ts_ms, update, sequence = ts_ms + FRAME_SPACING_MS, update + 1, sequence + rise
        yield _frame("delta", bid_changes, ask_changes, ts_ms, update, sequence)


def _frame(
    kind: str, bids: dict[int, str], asks: dict[int, str], ts_ms: int, update: int, sequence: int
) -> str:
    bid_text = _levels(sorted(bids.items(), reverse=True))
    ask_text = _levels(sorted(asks.items()))
    return (
        f'{{"topic":"orderbook.200.BTCUSDT","type":"{kind}","ts":{ts_ms},"data":{{"s":"BTCUSDT",'
        f'"b":[{bid_text}],"a":[{ask_text}],"u":{update},"seq":{sequence}}},"cts":{ts_ms - 3}}}'
    )


def _levels(levels: list[Level]) -> str:
    return ",".join(f'["{tick // 10}.{tick % 10}0","{size}"]' for tick, size in levels)
