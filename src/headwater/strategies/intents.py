"""How a compiled strategy asks: each function writes one intent into the outbox. An outbox that is full is a fault."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderFlag, OrderKind, TimeInForce
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int

POST_ONLY = int(OrderFlag.POST_ONLY)
REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)
_NEW = int(RequestKind.NEW)
_CANCEL = int(RequestKind.CANCEL)
_AMEND = int(RequestKind.AMEND)
_MARKET = int(OrderKind.MARKET)
_LIMIT = int(OrderKind.LIMIT)
_GTC = int(TimeInForce.GTC)
_IOC = int(TimeInForce.IOC)


@kernel
def lots(view: Any, size: float) -> Int:
    """A size as people write it, in units of the waking instrument, as lots of the tape."""
    return np.int64(np.round(size * view["lots_per_unit"]))


@kernel
def limit(view: Any, outbox: Any, side: Int, price: Int, size: Int, flags: Int) -> None:
    """A good-till-cancelled limit order of the waking instrument: `price` ticks, `size` lots, OrderFlag bits."""
    if view["intent_count"] < view["intents_max"]:
        _write(view, outbox[view["intent_count"]], _LIMIT, side, price, size, flags, _GTC)
    view["intent_count"] += 1


@kernel
def take(view: Any, outbox: Any, side: Int, price: Int, size: Int, flags: Int) -> None:
    """A limit order that takes what stands at `price` ticks or better, at most `size` lots, and never rests."""
    if view["intent_count"] < view["intents_max"]:
        _write(view, outbox[view["intent_count"]], _LIMIT, side, price, size, flags, _IOC)
    view["intent_count"] += 1


@kernel
def market(view: Any, outbox: Any, side: Int, size: Int, flags: Int) -> None:
    """A market order of the waking instrument, `size` lots."""
    if view["intent_count"] < view["intents_max"]:
        _write(view, outbox[view["intent_count"]], _MARKET, side, np.int64(NO_PRICE), size, flags, _GTC)
    view["intent_count"] += 1


@kernel
def target(view: Any, outbox: Any, position: Int) -> None:
    """A market order that takes the position from what it is to `position` lots, if they differ."""
    change = position - view["position"]
    if change > 0:
        market(view, outbox, np.int64(1), change, np.int64(0))
    elif change < 0:
        market(view, outbox, np.int64(-1), -change, np.int64(0))


@kernel
def cancel(view: Any, outbox: Any, handle: Int) -> None:
    """Cancel the order ``orders[row]["handle"]``."""
    if view["intent_count"] < view["intents_max"]:
        intent = outbox[view["intent_count"]]
        intent["action"] = _CANCEL
        intent["order"] = handle
        intent["instrument"] = view["instrument"]
    view["intent_count"] += 1


@kernel
def amend(view: Any, outbox: Any, handle: Int, price: Int, size: Int) -> None:
    """Change price and total size of a limit order."""
    if view["intent_count"] < view["intents_max"]:
        intent = outbox[view["intent_count"]]
        intent["action"] = _AMEND
        intent["order"] = handle
        intent["instrument"] = view["instrument"]
        intent["price"] = price
        intent["size"] = size
    view["intent_count"] += 1


@kernel
def _write(
    view: Any, intent: Any, kind: Int, side: Int, price: Int, size: Int, flags: Int, time_in_force: Int
) -> None:
    intent["action"] = _NEW
    intent["kind"] = kind
    intent["side"] = side
    intent["time_in_force"] = time_in_force
    intent["flags"] = flags
    intent["trigger_by"] = 0
    intent["position_side"] = 0
    intent["instrument"] = view["instrument"]
    intent["order"] = -1
    intent["price"] = price
    intent["size"] = size
    intent["trigger"] = NO_PRICE
    intent["trail"] = 0
    intent["expire"] = 0
