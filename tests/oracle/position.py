"""Two legs in exact integers of any size, as a bookkeeper would keep them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


def half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass
class Legs:
    """Lots and entry values of the long (+1) and the short (-1) leg of a contract of unit worth `unit`."""

    is_inverse: bool
    unit: int
    lots: dict[int, int] = field(default_factory=lambda: {1: 0, -1: 0})
    entry: dict[int, int] = field(default_factory=lambda: {1: 0, -1: 0})

    def value(self, price: int, size: int) -> int:
        return half_up(Fraction(self.unit * size, price)) if self.is_inverse else self.unit * size * price

    def fill(self, side: int, price: int, size: int, hedged_leg: int = 0) -> int:
        """Apply a fill and return what it realises; `hedged_leg` names the leg in hedge mode."""
        may_close = hedged_leg in (0, -side)
        closing = min(size, self.lots[-side]) if may_close else 0
        realised, value = 0, self.value(price, size)
        if closing:
            part = self.entry[-side] * closing // self.lots[-side]
            worth = self.value(price, closing)
            gain = (worth - part) * -side
            realised = -gain if self.is_inverse else gain
            self.lots[-side] -= closing
            self.entry[-side] -= part
            value -= worth
        if size > closing:
            self.lots[side] += size - closing
            self.entry[side] += value
        return realised
