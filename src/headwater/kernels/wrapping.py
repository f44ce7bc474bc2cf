"""Unsigned arithmetic modulo 2**64: what compiled code does silently, and NumPy's scalars only with a warning."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba.core import types
from numba.extending import overload

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


def wrapping_add(left: Any, right: Any) -> Any:
    """``(left + right) mod 2**64`` as uint64; negative numbers count in two's complement."""
    return np.uint64((int(left) + int(right)) & _MASK)


def wrapping_multiply(left: Any, right: Any) -> Any:
    """``(left * right) mod 2**64`` as uint64; negative numbers count in two's complement."""
    return np.uint64((int(left) * int(right)) & _MASK)


# Numba compares the parameters of an overload and of its implementation, annotations included.
@overload(wrapping_add)
def _compile_wrapping_add(left: Any, right: Any) -> Any:
    def implementation(left: Any, right: Any) -> Any:
        return np.uint64(left) + np.uint64(right)

    return implementation if _are_integers(left, right) else None


@overload(wrapping_multiply)
def _compile_wrapping_multiply(left: Any, right: Any) -> Any:
    def implementation(left: Any, right: Any) -> Any:
        return np.uint64(left) * np.uint64(right)

    return implementation if _are_integers(left, right) else None


def _are_integers(left: Any, right: Any) -> bool:
    return isinstance(left, types.Integer) and isinstance(right, types.Integer)
