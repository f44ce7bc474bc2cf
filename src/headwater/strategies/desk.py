"""The desk of a strategy: all that it reads and writes, as one argument."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headwater.domain.intent import INTENT_DTYPE
from headwater.domain.view import ORDER_VIEW_DTYPE, VIEW_DTYPE
from headwater.kernels.pools import Pools, pools_at


class Desk(Pools):
    """Pools that a strategy sees.

    Attributes
    ----------
    shown : (1,) VIEW_DTYPE, the view
    orders : (n,) ORDER_VIEW_DTYPE, the open orders
    depth : int64 (4 * levels,), see ``engine/view.py``
    params, memory : float64, of a compiled strategy
    outbox : (m,) INTENT_DTYPE
    """

    shown: Any
    orders: Any
    depth: npt.NDArray[np.int64]
    params: npt.NDArray[np.float64]
    memory: npt.NDArray[np.float64]
    outbox: Any

    FIELDS: ClassVar[dict[str, np.dtype[Any]]] = {
        "shown": VIEW_DTYPE,
        "orders": ORDER_VIEW_DTYPE,
        "depth": np.dtype(np.int64),
        "params": np.dtype(np.float64),
        "memory": np.dtype(np.float64),
        "outbox": INTENT_DTYPE,
    }


desk_at = pools_at(Desk)
"""From the address of a desk to the desk, inside compiled code."""


def make_desk(
    *,
    orders: int,
    outbox: int,
    depth_levels: int = 0,
    params: npt.NDArray[np.float64] | None = None,
    memory: int = 0,
) -> Desk:
    """An empty desk for `orders` open orders and `outbox` intents a wake."""
    desk = Desk(
        shown=np.zeros(1, VIEW_DTYPE),
        orders=np.zeros(orders, ORDER_VIEW_DTYPE),
        depth=np.zeros(4 * depth_levels, np.int64),
        params=np.zeros(0) if params is None else params,
        memory=np.zeros(memory),
        outbox=np.zeros(outbox, INTENT_DTYPE),
    )
    desk.shown["depth_levels"] = depth_levels
    desk.shown["grid_instrument"] = -1
    desk.shown["intents_max"] = outbox
    return desk
