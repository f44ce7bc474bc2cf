"""Benford's law on sizes: how often each leading digit occurs, against log10(1 + 1/d).

Sizes of many makers over orders of magnitude come close to it; generated or quantised sizes do not. It proves
nothing, and is reported as information alone.

Sources
-------
Benford (1938), Proc. Am. Phil. Soc. 78; conformity by mean absolute deviation: Nigrini (2012), table 7.1.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.tape.order import I64

_EXPECTED: Final = np.log10(1 + 1 / np.arange(1, 10))
_CONFORMITY: Final = ((0.006, "close"), (0.012, "acceptable"), (0.015, "marginal"))
_SIZES_MIN: Final = 1_000


@kernel
def leading_digit(value: int) -> int:
    """First decimal digit of a value above 0."""
    while value >= 10:
        value //= 10
    return value


def benford(digits: I64) -> dict[str, Any]:
    """Measures of a count of leading digits; `digits` has shape (10,), its first entry is not used."""
    counts = digits[1:]
    total = int(counts.sum())
    if total < _SIZES_MIN:
        return {}
    deviation = float(np.abs(counts / total - _EXPECTED).mean())
    conformity = next((word for limit, word in _CONFORMITY if deviation <= limit), "none")
    return {"benford_mean_absolute_deviation": round(deviation, 5), "benford_conformity": conformity}
