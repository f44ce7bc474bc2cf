"""Order latency in plain Python: the random numbers by big integers, the series by search from the start."""

from __future__ import annotations

import math
from dataclasses import dataclass

WORD = 2**64


@dataclass
class SplitMix:
    """SplitMix64 and Box-Muller."""

    state: int

    def uniform(self) -> float:
        self.state = (self.state + 0x9E3779B97F4A7C15) % WORD
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
        z ^= z >> 31
        return ((z >> 11) + 1) / 2**53

    def normal(self) -> float:
        radius = math.sqrt(-2.0 * math.log(self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())


@dataclass
class Bursts:
    """An Ornstein-Uhlenbeck process of unit variance, asked at instants that never make it go back."""

    random: SplitMix
    memory_ns: float
    state: float = 0.0
    ts: int = 0

    def at(self, ts: int) -> float:
        elapsed = max(ts - self.ts, 0)
        kept = math.exp(-elapsed / self.memory_ns) if self.memory_ns else 0.0
        self.state = kept * self.state + math.sqrt(1.0 - kept**2) * self.random.normal()
        self.ts = max(self.ts, ts)
        return self.state


def row_in_force(series: list[tuple[int, int, int]], ts: int) -> tuple[int, int, int]:
    """The last row at or before `ts`, else the first."""
    return next((row for row in reversed(series) if row[0] <= ts), series[0])
