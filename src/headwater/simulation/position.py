"""The venue's own account of a position: lots, entry value and what closing realises."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.kinds import ContractKind
from headwater.simulation.money import notional
from headwater.simulation.proportion import proportion

_INVERSE = int(ContractKind.INVERSE)
_LONG = 1
_SHORT = 2


@kernel
def closable(ins: Any, side: Int, position_side: Int) -> Int:
    """Lots that an order of `side` could close now."""
    if position_side == _LONG:
        return ins["v_long"] if side < 0 else np.int64(0)
    if position_side == _SHORT:
        return ins["v_short"] if side > 0 else np.int64(0)
    return ins["v_short"] if side > 0 else ins["v_long"]


@kernel
def move_position(ins: Any, side: Int, position_side: Int, price: Int, size: Int) -> Int:
    """Apply a fill and return what it realises, in money units, without fees.

    In one-way mode a fill closes the opposite leg first and opens with the rest; in hedge mode the leg is
    named. The two parts are together worth what the whole fill is: an inverse fill is rounded once.
    """
    value = notional(ins, price, size)
    closing = min(size, closable(ins, side, position_side))
    realised = np.int64(0)
    if closing > 0:
        closed_value = value if closing == size else notional(ins, price, closing)
        realised = _close(ins, -side, closing, closed_value)
        value -= closed_value
    if size > closing:
        _open(ins, side, size - closing, value)
    return realised


@kernel
def _open(ins: Any, side: Int, size: Int, value: Int) -> None:
    if side > 0:
        ins["v_long"] += size
        ins["v_long_value"] += value
    else:
        ins["v_short"] += size
        ins["v_short_value"] += value


@kernel
def _close(ins: Any, leg: Int, size: Int, value: Int) -> Int:
    if leg > 0:
        entry = proportion(ins["v_long_value"], size, ins["v_long"])
        ins["v_long"] -= size
        ins["v_long_value"] -= entry
        gain = value - entry
    else:
        entry = proportion(ins["v_short_value"], size, ins["v_short"])
        ins["v_short"] -= size
        ins["v_short_value"] -= entry
        gain = entry - value
    return -gain if ins["contract"] == _INVERSE else gain
