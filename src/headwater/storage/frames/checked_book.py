"""A book kept only to compute the venue's checksum over its best levels, as the venue wrote them."""

from __future__ import annotations

from bisect import bisect_left, insort

Level = tuple[str, str]
"""Price and size, as text."""


class BookSide:
    """One side, best level first.

    Parameters
    ----------
    side : +1 bids, -1 asks
    depth : levels that the stream covers; 0 for all
    """

    def __init__(self, side: int, depth: int = 0) -> None:
        self._side = side
        self._depth = depth
        # Doubles order the levels and find them again; no price is computed from them.
        self._keys: list[float] = []
        self._levels: dict[float, Level] = {}

    def apply(self, price: str, size: str) -> None:
        """Set a level, or remove it when the size is zero."""
        key = -self._side * float(price)
        if float(size) == 0.0:
            if self._levels.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
            return
        if key not in self._levels:
            insort(self._keys, key)
        self._levels[key] = price, size

    def evict(self) -> list[str]:
        """Drop the levels beyond the depth; their prices."""
        if not self._depth:
            return []
        beyond = self._keys[self._depth :]
        del self._keys[self._depth :]
        return [self._levels.pop(key)[0] for key in beyond]

    def best(self, count: int) -> list[Level]:
        """Up to `count` levels, best first."""
        return [self._levels[key] for key in self._keys[:count]]
