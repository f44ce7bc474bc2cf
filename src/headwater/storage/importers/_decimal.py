"""Floats that were decimals -> exact integers, and the grid that they count in.

A float that was read from (or written as) a decimal of at most 15 digits is the nearest float to exactly one
such decimal. ``rint(x * 10**p) / 10**p == x`` is that test, vectorised: integers below 2**53 and powers of
ten up to 10**22 are exact in a float and IEEE division rounds correctly, so the quotient is the nearest float
to the decimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from headwater.storage.importers._table import F64, I64, Mask

PLACES_MAX: Final = 12
_UNITS_MAX: Final = 2**62
_FLOAT_NOISE: Final = 4.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimals:
    """Decimal numbers of one number of places.

    Attributes
    ----------
    units : (n,) value * 10**places
    places : digits behind the point, the fewest that serve all values
    rounded : how many values were not such decimals (float noise, or more digits than fit) and were rounded
    """

    units: I64
    places: int
    rounded: int

    @property
    def step(self) -> Decimal:
        """The value of one unit."""
        return Decimal(f"{Decimal(1).scaleb(-self.places):f}")  # 0.00000001, never 1E-8


def decimals(values: F64) -> Decimals:
    """The decimals that `values` were written as; finite values only.

    At most :data:`PLACES_MAX` places, fewer where the largest value would not fit an int64.
    """
    places = min(_places_needed(values), _places_that_fit(values))
    factor = 10.0**places
    units = np.rint(values * factor)
    back = units / factor
    rounded = int(np.count_nonzero(back != values))
    whole = units.astype(np.int64)
    large = np.abs(units) >= 2.0**53
    if large.any():  # the product is no longer exact: go by the decimal text, number by number
        whole[large] = [
            int(Decimal(repr(float(x))).scaleb(places).to_integral_value()) for x in values[large]
        ]
    return Decimals(units=whole, places=places, rounded=rounded)


def _places_needed(values: F64) -> int:
    rest = values
    for places in range(PLACES_MAX):
        factor = 10.0**places
        error = np.abs(np.rint(rest * factor) / factor - rest)
        rest = rest[error > _FLOAT_NOISE * np.abs(rest)]
        if not rest.size:
            return places
    return PLACES_MAX


def _places_that_fit(values: F64) -> int:
    largest = float(np.max(np.abs(values), initial=0.0))
    places = PLACES_MAX
    while places > 0 and largest * 10.0**places >= _UNITS_MAX:
        places -= 1
    return places


def on_grid(numbers: Decimals, step: Decimal) -> tuple[I64, Mask]:
    """Counts of `step` in each number, and where the number is not a whole count (the count is then floored).

    Raises
    ------
    OverflowError
        The counts do not fit an int64.
    """
    sign, digits, exponent = step.as_tuple()
    if sign or not isinstance(exponent, int) or step == 0:
        raise ValueError(f"a grid step is positive and finite, not {step}")
    places = max(numbers.places, -exponent)
    raised = 10 ** (places - numbers.places)
    largest = int(np.max(np.abs(numbers.units), initial=0))
    if largest * raised >= _UNITS_MAX:
        raise OverflowError(f"{largest * raised} counts of 1e-{places} do not fit an int64")
    divisor = int("".join(map(str, digits))) * 10 ** (places + exponent)
    if divisor >= _UNITS_MAX:
        return np.zeros_like(numbers.units), numbers.units != 0
    counts, rest = np.divmod(numbers.units * np.int64(raised), np.int64(divisor))
    return counts, rest != 0


def scaled(values: F64, scale: int) -> tuple[I64, int]:
    """Exact integers ``value * scale`` (a power of ten), and how many had to be rounded to fit that scale.

    Raises
    ------
    OverflowError
        A value does not fit an int64 at that scale.
    """
    if float(np.max(np.abs(values), initial=0.0)) * scale >= _UNITS_MAX:
        raise OverflowError(f"a value exceeds {_UNITS_MAX // scale}, the most that a scale of {scale} holds")
    numbers = decimals(values)
    shift = len(str(scale)) - 1 - numbers.places
    if shift >= 0:
        return numbers.units * np.int64(10**shift), numbers.rounded
    divisor = np.int64(10**-shift)
    half = divisor // 2
    whole = (numbers.units + half) // divisor
    return whole, int(np.count_nonzero(whole * divisor != numbers.units))
