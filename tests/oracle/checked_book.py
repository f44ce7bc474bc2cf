"""The obvious book with a checksum: a dict of levels as the venue wrote them, and zlib."""

from __future__ import annotations

from decimal import Decimal
from zlib import crc32

Level = tuple[str, str]


class PlainSide:
    """Levels by price."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[Decimal, Level] = {}

    def apply(self, price: str, size: str) -> None:
        """Set a level, or remove it when the size is zero."""
        if Decimal(size) == 0:
            self._levels.pop(Decimal(price), None)
        else:
            self._levels[Decimal(price)] = price, size

    def best(self, count: int) -> list[Level]:
        """Up to `count` levels, best first."""
        prices = sorted(self._levels, key=lambda price: -self._sign * price)
        return [self._levels[price] for price in prices[:count]]


def kraken(bids: PlainSide, asks: PlainSide, count: int) -> int:
    """CRC32 of the digits of the best asks and bids, without point and leading zeros."""
    texts = [text for level in asks.best(count) + bids.best(count) for text in level]
    return crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())


def okx(bids: PlainSide, asks: PlainSide, count: int) -> int:
    """Signed CRC32 of ``price:size`` of the best levels, bids and asks in turn."""
    best = bids.best(count), asks.best(count)
    parts = [text for rank in range(count) for side in best if rank < len(side) for text in side[rank]]
    value = crc32(":".join(parts).encode())
    return value - (1 << 32) if value >= 1 << 31 else value
