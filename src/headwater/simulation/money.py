"""Notional and fees in integer money units. No floats: a back-test's cash is exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.simulation.kinds import ContractKind

_INVERSE = int(ContractKind.INVERSE)
_E8 = 100_000_000


@kernel
def notional(ins: Any, price: int, size: int) -> int:
    """Value of `size` lots at `price` ticks in money units of the settle currency, >= 0.

    Inverse contracts are worth ``size / price`` coins; the quotient is rounded half up to one money unit.
    """
    if ins["contract"] == _INVERSE:
        return (2 * size * ins["inverse_value"] + price) // (2 * price)
    return price * size * ins["unit_value"]


@kernel
def fee_units(value: int, rate_e8: int) -> int:
    """``value * rate_e8 / 1e8`` rounded half away from zero, without leaving 64 bits; ``value >= 0``."""
    whole = value // _E8
    rest = value - whole * _E8
    product = rest * rate_e8
    if product >= 0:
        return whole * rate_e8 + (product + _E8 // 2) // _E8
    return whole * rate_e8 - (-product + _E8 // 2) // _E8


@kernel
def cash_change(ins: Any, side: int, value: int) -> int:
    """Cash that a fill moves: a linear buy pays its value; an inverse buy is paid in the coin it shorts."""
    if ins["contract"] == _INVERSE:
        return np.int64(side) * value
    return -np.int64(side) * value
