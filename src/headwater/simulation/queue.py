"""Queue position: how much size stands ahead of an own order at its price.

L2 data does not say where in the level a cancellation happened, so the place in the queue is an estimate:

* RISK_AVERSE: only trades at the price move the order forward; cancellations are all behind it, until the
  level itself becomes smaller than what was thought to be ahead.
* POWER, LOG: a decrease of the level that trades do not explain happened behind the order with probability
  ``f(back) / (f(back) + f(front))``, with ``f(x) = x ** power`` or ``f(x) = log(1 + x)``, x in units of size.

Trades arrive before the depth update that contains them, so the traded size since the last update is
subtracted from the decrease: one trade must not move an order forward twice.

Sizes here are floats in units of the instrument (not lots): LOG is not scale-free, and published results of
these models are in units.

Sources: E. Rigtorp (2013), "Estimating order queue position", rigtorp.se; answers to question 3782 on
quant.stackexchange.com; names and the netting of trades as in hftbacktest, with which compatibility is
tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float, Int
from headwater.simulation.kinds import QueueModel

_RISK_AVERSE = int(QueueModel.RISK_AVERSE)
_POWER = int(QueueModel.POWER)


@kernel
def queue_join(order: Any, level_units: Float) -> None:
    """A new order goes behind all that is displayed at its price."""
    order["v_front"] = level_units
    order["v_traded"] = 0.0


@kernel
def queue_trade(order: Any, traded_units: Float) -> None:
    """A trade at the order's price eats from the front."""
    order["v_front"] -= traded_units
    order["v_traded"] += traded_units


@kernel
def queue_depth(model: Int, power: Float, order: Any, before_units: Float, after_units: Float) -> None:
    """The level at the order's price went from `before_units` to `after_units`."""
    if model == _RISK_AVERSE:
        order["v_front"] = min(order["v_front"], after_units)
        return
    decrease = before_units - after_units - order["v_traded"]
    order["v_traded"] = 0.0
    front = order["v_front"]
    if decrease >= 0.0:
        back = before_units - front
        behind = _share_behind(model, power, front, back)
        front = front - (1.0 - behind) * decrease + min(back - behind * decrease, 0.0)
    # With nothing in front and nothing behind, or a front far past its level, the share is not a number: fmin then
    # takes what is left of the level. Nothing else is clamped: the peers' figures are reproduced to the last fill.
    order["v_front"] = np.fmin(front, after_units)


@kernel
def _share_behind(model: Int, power: Float, front: Float, back: Float) -> Float:
    if model == _POWER:
        weight_back = back**power
        weight_front = front**power
    else:
        weight_back = np.log(1.0 + back)
        weight_front = np.log(1.0 + front)
    share = weight_back / (weight_back + weight_front)
    return 1.0 if np.isinf(share) else share


@kernel
def queue_reached(order: Any, lot_size: Float) -> Int:
    """Lots by which trades went past the order's place, to be filled now. Resets the place to the front."""
    past = -order["v_front"] / lot_size
    if not past >= 0.5:
        return np.int64(0)
    order["v_front"] = 0.0
    return np.int64(np.floor(past + 0.5))
