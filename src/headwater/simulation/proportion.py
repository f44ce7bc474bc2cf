"""``value * part / whole`` whose product does not fit 64 bits.

int64 wraps silently, so a product of two large numbers must never be formed. With ``value = q * whole + r``
the quotient is ``q * part + r * part / whole``; when even ``r * part`` could be too large (a billion lots
of a coin that costs 1e-5), it is divided bit by bit, as on paper.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int

_SHORT_MAX: Final = 3_037_000_499
"""Largest integer whose square fits 63 bits."""
_TOP_BIT: Final = 61


@kernel
def proportion(value: Int, part: Int, whole: Int) -> Int:
    """``value * part / whole`` rounded down.

    ``value >= 0``, ``0 <= part``, ``0 < whole < 2**62``, and the result fits 63 bits (it does when ``part
    <= whole``).
    """
    return _divide(value, part, whole)[0]


@kernel
def nearest_proportion(value: Int, part: Int, whole: Int) -> Int:
    """``value * part / whole`` rounded half up; bounds as for :func:`proportion`."""
    quotient, remainder = _divide(value, part, whole)
    return quotient + 1 if remainder >= whole - remainder else quotient


@kernel
def _divide(value: Int, part: Int, whole: Int) -> tuple[Int, Int]:
    quotient = value // whole
    rest = value - quotient * whole
    if whole <= _SHORT_MAX and part <= _SHORT_MAX:
        product = rest * part
        return quotient * part + product // whole, product % whole
    low, remainder = _long_division(rest, part, whole)
    return quotient * part + low, remainder


@kernel
def _long_division(rest: Int, part: Int, whole: Int) -> tuple[Int, Int]:
    """Horner's rule over the bits of `part`; ``remainder < whole < 2**62`` throughout, so doubling fits."""
    quotient = np.int64(0)
    remainder = np.int64(0)
    for bit in range(_TOP_BIT, -1, -1):
        quotient += quotient
        remainder += remainder
        if remainder >= whole:
            remainder -= whole
            quotient += 1
        if (part >> bit) & 1:
            remainder += rest
            if remainder >= whole:
                remainder -= whole
                quotient += 1
    return quotient, remainder
