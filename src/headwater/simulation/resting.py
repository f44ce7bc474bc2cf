"""Own orders that rest at the venue: one list per side, best price first, first come first served within a
price.

Own orders are few, updates of the market are many. A mask with one bit per price modulo 64 answers "no own
order at this price" without touching the list.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.state import NO_HANDLE


@kernel
def list_head(ins: Any, side: Int) -> Int:
    """Handle of the best resting order of `side`, or ``NO_HANDLE``."""
    return ins["v_buy_head"] if side > 0 else ins["v_sell_head"]


@kernel
def may_rest_at(ins: Any, side: Int, price: Int) -> Bool:
    """False only if no own order of `side` rests at `price`."""
    mask = ins["v_buy_mask"] if side > 0 else ins["v_sell_mask"]
    return (mask >> (price & 63)) & 1 != 0


@kernel
def rest(ins: Any, orders: Any, handle: Int) -> None:
    """Insert an order behind all of its price."""
    order = orders[handle]
    side = order["side"]
    key = order["v_price"] * side
    previous = np.int64(NO_HANDLE)
    following = list_head(ins, side)
    while following != NO_HANDLE and orders[following]["v_price"] * side >= key:
        previous = following
        following = orders[following]["next"]
    order["previous"] = previous
    order["next"] = following
    if following != NO_HANDLE:
        orders[following]["previous"] = handle
    if previous != NO_HANDLE:
        orders[previous]["next"] = handle
    elif side > 0:
        ins["v_buy_head"] = handle
    else:
        ins["v_sell_head"] = handle
    bit = np.int64(1) << (order["v_price"] & 63)
    if side > 0:
        ins["v_buy_mask"] |= bit
    else:
        ins["v_sell_mask"] |= bit


@kernel
def unrest(ins: Any, orders: Any, handle: Int) -> None:
    """Take an order out of its list."""
    order = orders[handle]
    previous = order["previous"]
    following = order["next"]
    if following != NO_HANDLE:
        orders[following]["previous"] = previous
    if previous != NO_HANDLE:
        orders[previous]["next"] = following
    elif order["side"] > 0:
        ins["v_buy_head"] = following
    else:
        ins["v_sell_head"] = following
    _refresh_mask(ins, orders, order["side"])


@kernel
def relink(ins: Any, orders: Any, handle: Int) -> None:
    """Put an order back where :func:`unrest` took it from; nothing may have changed in between."""
    order = orders[handle]
    if order["next"] != NO_HANDLE:
        orders[order["next"]]["previous"] = handle
    if order["previous"] != NO_HANDLE:
        orders[order["previous"]]["next"] = handle
    elif order["side"] > 0:
        ins["v_buy_head"] = handle
    else:
        ins["v_sell_head"] = handle
    _refresh_mask(ins, orders, order["side"])


@kernel
def _refresh_mask(ins: Any, orders: Any, side: Int) -> None:
    mask = np.int64(0)
    handle = list_head(ins, side)
    while handle != NO_HANDLE:
        mask |= np.int64(1) << (orders[handle]["v_price"] & 63)
        handle = orders[handle]["next"]
    if side > 0:
        ins["v_buy_mask"] = mask
    else:
        ins["v_sell_mask"] = mask
