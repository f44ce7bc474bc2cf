"""Price impact of own taking beyond what the recorded book shows, in ticks, always against the taker.

The book already makes a taker pay the levels that it eats. These models add what the recorded book cannot
know: that other participants would have moved away. ``a`` and ``b`` are the settings' numbers, size in
units of the instrument:

* LINEAR: ``a * size`` ticks (Kyle 1985, lambda = a).
* SQUARE_ROOT: ``a * sqrt(size)`` ticks (Barra; Almgren et al. 2005 find an exponent near 0.6).
* ALMGREN_CHRISS: ``a + b * size`` ticks: fixed cost plus temporary impact linear in size (Almgren, Chriss
  2001, eq. 7).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float, Int
from headwater.simulation.kinds import ImpactModel

_NONE = int(ImpactModel.NONE)
_LINEAR = int(ImpactModel.LINEAR)
_SQUARE_ROOT = int(ImpactModel.SQUARE_ROOT)
_E8 = 100_000_000


@kernel
def with_impact(ins: Any, side: Int, price: Int, taken: Int) -> Int:
    """`price` ticks made worse by the impact of `taken` lots so far, with bars alone by the half spread too."""
    if ins["impact_model"] == _NONE and ins["slippage_e8"] == 0:
        return price
    half_spread = (price * ins["slippage_e8"] + _E8 - 1) // _E8
    return max(price + np.int64(side) * (half_spread + np.int64(_impact_ticks(ins, taken))), np.int64(1))


@kernel
def _impact_ticks(ins: Any, taken: Int) -> Float:
    model = ins["impact_model"]
    size = taken / ins["lots_per_unit"]
    if model == _LINEAR:
        return np.ceil(ins["impact_a"] * size)
    if model == _SQUARE_ROOT:
        return np.ceil(ins["impact_a"] * np.sqrt(size))
    if model == _NONE:
        return 0.0
    return np.ceil(ins["impact_a"] + ins["impact_b"] * size)
