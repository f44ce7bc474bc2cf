"""A histogram in logarithmic bins: quantiles of a stream of any length in fixed memory."""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.tape.order import I64

BINS_PER_OCTAVE: Final = 8
BINS: Final = 64 * BINS_PER_OCTAVE


@kernel
def log_bin(value: float) -> int:
    """Bin of a value: 0 below 2, then eight bins an octave (9 % wide), the last for everything beyond
    2**64."""
    if value < 2.0:
        return 0
    return min(int(np.log2(value) * BINS_PER_OCTAVE), BINS - 1)


def quantile(histogram: I64, share: float) -> float:
    """Upper edge of the bin in which `share` of the counts is reached; NaN when the histogram is empty."""
    total = int(histogram.sum())
    if total == 0:
        return float("nan")
    number = int(np.searchsorted(np.cumsum(histogram), share * total))
    return float(2.0 ** ((number + 1) / BINS_PER_OCTAVE))


def count_above(histogram: I64, value: float) -> int:
    """Counts in the bins above that of `value`."""
    return int(histogram[log_bin(value) + 1 :].sum())
