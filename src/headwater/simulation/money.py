"""Notional and fees in integer money units. No floats: a back-test's cash is exact.

The arithmetic is the domain's, compiled: people, the ledger and the simulated venue round alike. int64
wraps silently; ``domain/money.py`` proves before a run that ``ticks_max * lots_max * unit`` (inverse:
``lots_max * unit``) fits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.fees import fee_units as domain_fee_units
from headwater.domain.money import inverse_value, linear_value
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.kinds import ContractKind
from headwater.simulation.proportion import nearest_proportion

_INVERSE = int(ContractKind.INVERSE)

fee_units = kernel(domain_fee_units)
_linear_value = kernel(linear_value)
_inverse_value = kernel(inverse_value)


@kernel
def notional(ins: Any, price: Int, size: Int) -> Int:
    """Value of `size` lots at `price` ticks in money units of the settle currency, >= 0.

    Inverse contracts are worth ``size / price`` coins; the quotient is rounded half up to one money unit.
    """
    if ins["contract"] == _INVERSE:
        return _inverse_value(price, size, ins["inverse_value"])
    return _linear_value(price, size, ins["unit_value"])


@kernel
def fine_notional(ins: Any, fine_price: Int, size: Int) -> Int:
    """Value of `size` lots at a mark or index price (units of 1e-8 quote), rounded half up to one money unit.

    Equals :func:`notional` where the price is a whole number of ticks. An inverse price must be below 2**62
    and at least one tick.
    """
    fine_per_tick = ins["fine_per_tick"]
    if ins["contract"] == _INVERSE:
        return nearest_proportion(size * ins["inverse_value"], fine_per_tick, fine_price)
    of_one_tick = size * ins["unit_value"]
    ticks = fine_price // fine_per_tick
    rest = fine_price - ticks * fine_per_tick
    return of_one_tick * ticks + nearest_proportion(of_one_tick, rest, fine_per_tick)


@kernel
def cash_change(ins: Any, side: Int, value: Int) -> Int:
    """Cash that a fill moves: a linear buy pays its value; an inverse buy is paid in the coin it shorts."""
    if ins["contract"] == _INVERSE:
        return np.int64(side) * value
    return -np.int64(side) * value
