"""Fees in money units, by integers alone.

One function serves people, the ledger and compiled code (``kernel(fee_units)``): only ``+ - * //`` on
integers that stay within int64.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

RATE_E8: Final = 100_000_000
"""Rates count in units of 1e-8: 0.00055 is 55,000."""


def fee_units(notional_units: int, rate_e8: int) -> int:
    """Fee of a fill in money units: ``notional * rate``, half away from zero.

    Parameters
    ----------
    notional_units : worth of the fill, money units, >= 0
    rate_e8 : fraction of the notional in units of 1e-8, at most 1e8 in size; negative = rebate

    Returns
    -------
    > 0 to pay, < 0 to receive.

    Notes
    -----
    With ``notional = q * 1e8 + r`` the fee is ``q * rate + round(r * rate / 1e8)``. The first product is at
    most the notional, the second below 1e16: nothing overflows.
    """
    rate = rate_e8 if rate_e8 >= 0 else -rate_e8
    whole = notional_units // 100_000_000
    rest = notional_units - whole * 100_000_000
    fee = whole * rate + (rest * rate + 50_000_000) // 100_000_000
    return fee if rate_e8 >= 0 else -fee


def to_rate_e8(rate: Decimal) -> int:
    """A fee rate in units of 1e-8; ValueError when it has more than eight decimals."""
    ratio = Fraction(rate) * RATE_E8
    if ratio.denominator != 1:
        raise ValueError(f"expected a rate with at most eight decimals, was {rate}")
    return ratio.numerator
