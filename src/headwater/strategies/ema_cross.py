"""Two exponential averages of the close that cross.

Hypothesis
    Prices that moved keep moving for a while: whoever needs to trade much spreads it over time, and
    others follow.
Edge
    Being on the side of the faster average while a trend lasts; few large gains pay for many small losses.
Fails
    In ranges, where every cross comes back; and wherever fees and half the spread, paid twice a round
    trip, are larger than what a bar moves. On one-minute bars that is nearly everywhere.
Sources
    W. Brock, J. Lakonishok, B. LeBaron (1992), *Simple technical trading rules and the stochastic
    properties of stock returns*, Journal of Finance 47(5); R. Sullivan, A. Timmermann, H. White (1999),
    *Data-snooping, technical trading rule performance, and the bootstrap*, Journal of Finance 54(5),
    which finds that little of it survives the search.

::

    m_1 = close_1,   m_t = m_(t-1) + alpha (close_t - m_(t-1)),   alpha = 2 / (n + 1)

From bar `slow` on: long `size` when the fast average is at or above the slow one, else short `size` (or
flat, with ``long_only=1`` and wherever nothing can be sold short).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.view import Reads
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import lots, target
from headwater.strategies.parameter import Parameter, size_parameter


@compiled(
    bars="1m",
    parameters={
        "fast": Parameter(10, 1, 10_000),
        "slow": Parameter(20, 1, 10_000),
        "size": size_parameter(0.01),
        "long_only": Parameter(0, 0, 1),
    },
    memory=5,
    reads=Reads(0),
)
def ema_cross(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:
    """Long while the fast average of the close is above the slow one, short (or flat) below."""
    close = np.float64(view["bar_close"])
    if memory[0] == 0.0:
        memory[1] = close
        memory[2] = close
        memory[3] = 2.0 / (params[0] + 1.0)
        memory[4] = 2.0 / (params[1] + 1.0)
    else:
        memory[1] += memory[3] * (close - memory[1])
        memory[2] += memory[4] * (close - memory[2])
    memory[0] += 1.0
    if memory[0] < params[1] or view["order_count"] > 0:
        return
    size = lots(view, params[2])
    if memory[1] >= memory[2]:
        target(view, outbox, size)
    elif params[3] == 0.0 and view["can_short"] != 0:
        target(view, outbox, -size)
    else:
        target(view, outbox, np.int64(0))
