"""Fee tiers with a dictionary of days and no ring."""

from __future__ import annotations

from collections import Counter

DAY_NS = 86_400_000_000_000


class RollingFees:
    """Judges the tier at the first fill of a UTC day, on the 30 days before it."""

    def __init__(self, tiers: list[tuple[int, int, int]]) -> None:
        self.tiers = tiers
        self.volumes: Counter[int] = Counter()

    def rates(self, ts: int, value: int) -> tuple[int, int]:
        """Maker and taker rate of a fill of `value`, which then counts."""
        day = ts // DAY_NS
        before = sum(volume for at, volume in self.volumes.items() if day - 30 <= at < day)
        self.volumes[day] += value
        reached = [tier for tier in self.tiers if tier[0] <= before]
        return reached[-1][1], reached[-1][2]
