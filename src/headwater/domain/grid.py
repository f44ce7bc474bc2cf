"""Exact conversion between decimal prices and sizes and their integer ticks and lots.

A price is ``ticks * tick_size``, a size ``lots * lot_size``; both directions are exact or an error, whatever
the context precision, because the arithmetic is done on scaled integers.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from headwater.domain.errors import OffGridError
from headwater.domain.identity import Lots, Ticks

INT64_MAX: Final = 2**63 - 1

Exact = Decimal | str | int
"""A number that has not been through binary floating point."""


def to_ticks(price: Exact, tick_size: Decimal) -> Ticks:
    """`price` as a multiple of `tick_size`.

    Raises
    ------
    OffGridError
        between two ticks (names both neighbours) or outside int64.
    ValueError, TypeError
        not a finite decimal number, or a float.
    """
    return Ticks(_steps(price, tick_size, "price", "tick"))


def to_lots(size: Exact, lot_size: Decimal) -> Lots:
    """`size` as a multiple of `lot_size`; errors as :func:`to_ticks`."""
    return Lots(_steps(size, lot_size, "size", "lot"))


def to_price(ticks: int, tick_size: Decimal) -> Decimal:
    """The price of `ticks`, exact, with the decimals of the tick size."""
    return _times(ticks, tick_size)


def to_size(lots: int, lot_size: Decimal) -> Decimal:
    """The size of `lots`, exact, with the decimals of the lot size."""
    return _times(lots, lot_size)


def is_on_grid(value: Exact, step: Decimal) -> bool:
    """Whether `value` is a whole multiple of `step`."""
    return (Fraction(exact_decimal(value)) / Fraction(positive_step(step))).denominator == 1


def neighbours(value: Exact, step: Decimal) -> tuple[Decimal, Decimal]:
    """The nearest multiples of `step` at or below and at or above `value`."""
    ratio = Fraction(exact_decimal(value)) / Fraction(positive_step(step))
    below = ratio.numerator // ratio.denominator
    return _times(below, step), _times(below + (ratio.denominator != 1), step)


def round_to_grid(value: Exact, step: Decimal) -> int:
    """Steps nearest to `value`, half away from zero; for what is shown or aimed at, never for what was
    traded."""
    ratio = abs(Fraction(exact_decimal(value)) / Fraction(positive_step(step)))
    steps = (2 * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    return -steps if exact_decimal(value) < 0 else steps


def exact_decimal(value: Exact) -> Decimal:
    """`value` as a finite Decimal; TypeError for floats, ValueError for what is not a number."""
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise TypeError(
            f"expected Decimal, str or int, was {type(value).__name__} {value!r}; floats are not exact"
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"expected a decimal number, was {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"expected a finite number, was {value!r}")
    return number


def positive_step(step: Decimal) -> Decimal:
    """`step` itself; ValueError unless it is a finite number > 0."""
    if not step.is_finite() or step <= 0:
        raise ValueError(f"a tick or lot size must be a finite number > 0, was {step}")
    return step


def _steps(value: Exact, step: Decimal, what: str, unit: str) -> int:
    ratio = Fraction(exact_decimal(value)) / Fraction(positive_step(step))
    if ratio.denominator != 1:
        below, above = neighbours(value, step)
        raise OffGridError(
            f"{what} {value} is not a multiple of the {unit} size {step}: "
            f"the nearest valid are {below} and {above}"
        )
    if abs(ratio.numerator) > INT64_MAX:
        raise OffGridError(
            f"{what} {value} is {ratio.numerator} steps of the {unit} size {step}: "
            "more than 64-bit integers hold"
        )
    return ratio.numerator


def _times(steps: int, step: Decimal) -> Decimal:
    sign, digits, exponent = positive_step(step).as_tuple()
    assert isinstance(exponent, int)
    assert sign == 0
    coefficient = steps * int("".join(map(str, digits)))
    magnitude = tuple(int(digit) for digit in str(abs(coefficient)))
    return Decimal((int(coefficient < 0), magnitude, exponent))
