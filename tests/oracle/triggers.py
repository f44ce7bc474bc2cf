"""When a waiting order fires, told price by price."""

from __future__ import annotations

from dataclasses import dataclass

STOPS = ("STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP")


@dataclass
class Waiting:
    """A conditional order; `trigger` is the activation price of a trailing stop, None when it has none.

    `trigger`, `distance` and prices are in the same unit.
    """

    kind: str
    side: int
    trigger: int | None
    distance: int = 0
    level: int | None = None

    def __post_init__(self) -> None:
        if self.kind != "TRAILING_STOP":
            self.level = self.trigger

    @property
    def direction(self) -> int:
        return self.side if self.kind in STOPS else -self.side

    def meets(self, price: int) -> bool:
        """Whether `price` fires the order; if not, a trailing stop follows it."""
        if self.level is not None and (price - self.level) * self.direction >= 0:
            return True
        if self.kind == "TRAILING_STOP":
            self.follow(price)
        return False

    def follow(self, price: int) -> None:
        if self.level is None and self.trigger is not None and (price - self.trigger) * self.side > 0:
            return
        levels = [price + self.side * self.distance, *([] if self.level is None else [self.level])]
        self.level = min(levels) if self.side > 0 else max(levels)
