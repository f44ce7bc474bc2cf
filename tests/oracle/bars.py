"""The obvious version of features/bars.py: whole trades in lists, Python integers, one rule at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import TypeAlias

from headwater.domain.bar import BarKind

Trade: TypeAlias = tuple[int, int, int, int]
"""ts, price, size, side."""

Bar: TypeAlias = tuple[int, ...]
"""The fields of BAR_DTYPE, in order."""


def bar_of(trades: list[Trade], ts_open: int, ts_close: int) -> Bar:
    """The bar that these trades make."""
    prices = [price for _, price, _, _ in trades]
    return (
        ts_open,
        ts_close,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(size for _, _, size, _ in trades),
        sum(size for _, _, size, side in trades if side > 0),
        sum(price * size for _, price, size, _ in trades),
        len(trades),
    )


def time_bars(trades: list[Trade], interval_ns: int) -> list[Bar]:
    """Complete bars: those after which another trade came."""
    intervals: dict[int, list[Trade]] = {}
    for trade in trades:
        intervals.setdefault(trade[0] // interval_ns, []).append(trade)
    return [
        bar_of(members, number * interval_ns, (number + 1) * interval_ns)
        for number, members in sorted(intervals.items())[:-1]
    ]


def filled_bars(trades: list[Trade], kind: BarKind, threshold: int) -> list[Bar]:
    """Bars that close with the trade that brings them to the threshold."""
    measure = {
        BarKind.TICK: [1 for _ in trades],
        BarKind.VOLUME: [size for _, _, size, _ in trades],
        BarKind.DOLLAR: [price * size for _, price, size, _ in trades],
    }[kind]
    bars: list[Bar] = []
    begin = 0
    for end in range(1, len(trades) + 1):
        if sum(measure[begin:end]) >= threshold:
            bars.append(bar_of(trades[begin:end], trades[begin][0], trades[end - 1][0]))
            begin = end
    return bars


@dataclass
class Expectations:
    """What an imbalance bar expects, in 1/256; None before the first bar."""

    threshold: int
    span: int
    trades: int | None = None
    imbalance: int = 0
    weight: int = 0
    signs: list[int] = field(default_factory=list)

    def over(self, signed: list[int]) -> bool:
        """Whether a bar of these signed weights is over."""
        if self.trades is None:
            return len(signed) >= self.threshold
        usual = self.trades // 256
        return abs(sum(signed)) * 256 >= max(usual * abs(self.imbalance), self.weight * isqrt(usual))

    def learn(self, signed: list[int], weights: list[int]) -> None:
        """Move towards a closed bar."""
        imbalance = sum(signed) * 256 // len(signed)
        weight = sum(weights) * 256 // len(signed)
        if self.trades is None:
            self.trades, self.imbalance, self.weight = len(signed) * 256, imbalance, weight
            return
        self.imbalance += 2 * (imbalance - self.imbalance) // (self.span + 1)
        self.weight += 2 * (weight - self.weight) // (self.span + 1)
        most, least = self.threshold * 4 * 256, max(self.threshold * 256 // 4, 256)
        moved = self.trades + 2 * (min(len(signed) * 256, most) - self.trades) // (self.span + 1)
        self.trades = min(max(moved, least), most)


def imbalance_bars(trades: list[Trade], kind: BarKind, threshold: int, span: int) -> list[Bar]:
    """Bars that close when one side is further ahead than expected and than chance makes it."""
    expected = Expectations(threshold=threshold, span=span)
    bars: list[Bar] = []
    members: list[Trade] = []
    signed: list[int] = []
    weights: list[int] = []
    for trade, sign in zip(trades, signs(trades), strict=True):
        weight = 1 if kind == BarKind.TICK_IMBALANCE else min(trade[2], 2**36)
        members.append(trade)
        weights.append(weight)
        signed.append(sign * weight)
        if expected.over(signed):
            expected.learn(signed, weights)
            bars.append(bar_of(members, members[0][0], trade[0]))
            members, signed, weights = [], [], []
    return bars


def signs(trades: list[Trade]) -> list[int]:
    """The aggressor's side, or by the tick rule where it is unknown."""
    found: list[int] = []
    price_before: int | None = None
    for _, price, _, side in trades:
        last = found[-1] if found else 0
        if side:
            found.append(side)
        elif price_before is None or price == price_before:
            found.append(last)
        else:
            found.append(1 if price > price_before else -1)
        price_before = price
    return found


def bars_of(trades: list[Trade], kind: BarKind, threshold: int, span: int = 20) -> list[Bar]:
    """All complete bars of these trades."""
    if kind == BarKind.TIME:
        return time_bars(trades, threshold)
    if kind >= BarKind.TICK_IMBALANCE:
        return imbalance_bars(trades, kind, threshold, span)
    return filled_bars(trades, kind, threshold)
