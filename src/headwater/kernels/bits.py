"""Bit scans over 64-bit masks, as single machine instructions when compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.cpython.unsafe.numbers import leading_zeros as _leading_zeros
from numba.cpython.unsafe.numbers import trailing_zeros as _trailing_zeros
from numba.extending import overload

from headwater.kernels.scalar import Int

WORD_BITS = 64


def lowest_bit(word: Int) -> int:
    """Index of the lowest set bit of a non-zero 64-bit mask."""
    value = int(word) & 0xFFFF_FFFF_FFFF_FFFF
    return (value & -value).bit_length() - 1


def highest_bit(word: Int) -> int:
    """Index of the highest set bit of a non-zero 64-bit mask."""
    return (int(word) & 0xFFFF_FFFF_FFFF_FFFF).bit_length() - 1


# Numba compares the parameters of an overload and of its implementation, annotations included.
@overload(lowest_bit)
def _compile_lowest_bit(word: Any) -> Any:
    def implementation(word: Any) -> Any:
        return np.int64(_trailing_zeros(np.uint64(word)))

    return implementation if isinstance(word, types.Integer) else None


@overload(highest_bit)
def _compile_highest_bit(word: Any) -> Any:
    def implementation(word: Any) -> Any:
        return np.int64(63) - np.int64(_leading_zeros(np.uint64(word)))

    return implementation if isinstance(word, types.Integer) else None
