"""A position: its size, what it was entered for, and what closing it realises.

One formula serves all contracts. A unit of size is worth ``v(p)`` in settle currency at price ``p``:

- spot and linear: ``v(p) = multiplier * p``;
- inverse: ``v(p) = -multiplier / p`` (a long of dollars is a short of coins).

A position of size ``n`` entered for ``E = sum(n_i * v(p_i))`` has the profit ``n * v(p) - E`` at price ``p``.
A fill that reduces it releases the same share of ``E`` as of ``n`` (average cost): that profit is realised.
Rationals keep all of this exact; only what is paid out is rounded, by the account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction

from headwater.ledger.fill import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Open contracts (or coins) of one instrument.

    Attributes
    ----------
    multiplier : worth of one unit of size: base currency (spot, linear), quote currency (inverse)
    is_inverse : settled in the base coin
    size : signed; > 0 long
    entry_value : worth at the entry prices, settle currency, exact; 0 when flat
    realised : profit of everything closed so far, settle currency, exact, without fees and funding
    """

    multiplier: Decimal = Decimal(1)
    is_inverse: bool = False
    size: Decimal = Decimal(0)
    entry_value: Fraction = Fraction(0)
    realised: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.multiplier.is_finite() or self.multiplier <= 0:
            raise ValueError(f"Position.multiplier must be a finite number > 0, was {self.multiplier}")
        if self.size == 0 and self.entry_value != 0:
            raise ValueError(f"a flat Position has no entry_value, was {self.entry_value}")

    def unit_value(self, price: Decimal) -> Fraction:
        """``v(price)``: worth of one unit of size."""
        multiplier = Fraction(self.multiplier)
        return -multiplier / Fraction(price) if self.is_inverse else multiplier * Fraction(price)

    def apply(self, fill: Fill) -> Position:
        """The position after `fill`; what it closes moves into `realised`."""
        return self.trade(fill.signed_size, fill.price)

    def trade(self, signed_size: Decimal, price: Decimal) -> Position:
        """The position after buying (> 0) or selling (< 0) at `price`."""
        closing, opening = self.split(signed_size)
        unit = self.unit_value(price)
        released = self.entry_value * (-Fraction(closing) / Fraction(self.size)) if closing else Fraction(0)
        return replace(
            self,
            size=_exact_sum(self.size, signed_size),
            entry_value=self.entry_value - released + Fraction(opening) * unit,
            realised=self.realised - Fraction(closing) * unit - released,
        )

    def split(self, signed_size: Decimal) -> tuple[Decimal, Decimal]:
        """How much of a trade closes, and how much opens; both carry its sign."""
        if self.size == 0 or (self.size > 0) == (signed_size > 0):
            return Decimal(0), signed_size
        if abs(signed_size) <= abs(self.size):
            return signed_size, Decimal(0)
        return -self.size, _exact_sum(signed_size, self.size)

    def unrealised(self, price: Decimal) -> Fraction:
        """Profit if all of it were closed at `price`, settle currency."""
        return Fraction(self.size) * self.unit_value(price) - self.entry_value

    def total(self, price: Decimal) -> Fraction:
        """Realised and unrealised profit; does not depend on the order of the fills."""
        return self.realised + self.unrealised(price)

    @property
    def entry_price(self) -> Fraction | None:
        """Average entry price (of an inverse contract the harmonic one); None when flat."""
        if self.size == 0:
            return None
        unit = self.entry_value / Fraction(self.size)
        multiplier = Fraction(self.multiplier)
        return -multiplier / unit if self.is_inverse else unit / multiplier


def to_decimal(value: Fraction, quantum: Decimal) -> Decimal:
    """`value` rounded half away from zero to a multiple of `quantum`."""
    ratio = abs(value) / Fraction(quantum)
    steps = (2 * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    with localcontext() as context:
        context.prec = len(str(steps)) + len(quantum.as_tuple().digits) + 1
        return (-steps if value < 0 else steps) * quantum


def _exact_sum(a: Decimal, b: Decimal) -> Decimal:
    # The default context rounds to 28 digits; sums of sizes must not.
    with localcontext() as context:
        context.prec = 100
        return a + b
