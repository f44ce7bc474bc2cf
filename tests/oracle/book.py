"""One side of a book, and two of them, as dicts; what is derived from them in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class PlainSide:
    """Sizes by key; the larger key is the better price."""

    sizes: dict[int, int] = field(default_factory=dict)

    def update(self, key: int, size: int) -> int:
        """Set a level and return what it was."""
        before = self.sizes.pop(key, 0)
        if size > 0:
            self.sizes[key] = size
        return before

    def clear(self, bound: int | None) -> None:
        """Remove the levels at or above `bound`, or all."""
        self.sizes = {key: size for key, size in self.sizes.items() if bound is not None and key < bound}

    def keys(self) -> list[int]:
        """Best first."""
        return sorted(self.sizes, reverse=True)


@dataclass
class PlainBook:
    """Sizes by price of bids (+1) and asks (-1)."""

    levels: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, -1: {}})

    def best_first(self, side: int) -> list[tuple[int, int]]:
        """(price, size) from the touch outwards."""
        return sorted(self.levels[side].items(), reverse=side > 0)

    def is_two_sided(self) -> bool:
        return bool(self.levels[1] and self.levels[-1])

    def mid(self) -> Fraction | None:
        if not self.is_two_sided():
            return None
        return Fraction(max(self.levels[1]) + min(self.levels[-1]), 2)

    def weighted_mid(self) -> Fraction | None:
        if not self.is_two_sided():
            return None
        (bid, bid_size), (ask, ask_size) = self.best_first(1)[0], self.best_first(-1)[0]
        return Fraction(bid * ask_size + ask * bid_size, bid_size + ask_size)

    def imbalance(self, levels: int) -> Fraction | None:
        bids, asks = (sum(size for _, size in self.best_first(side)[:levels]) for side in (1, -1))
        return Fraction(bids - asks, bids + asks) if bids + asks else None

    def depth_within(self, side: int, ticks: int) -> int:
        rows = self.best_first(side)
        return sum(size for price, size in rows if abs(price - rows[0][0]) <= ticks)

    def vwap_to_size(self, side: int, wanted: int) -> Fraction | None:
        """What taking `wanted` from `side` costs on average."""
        cost, left = 0, wanted
        for price, size in self.best_first(side):
            part = min(size, left)
            cost, left = cost + price * part, left - part
        return Fraction(cost, wanted) if left == 0 else None
