"""Bit scans, compiled and not, against the binary digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernels.bits import WORD_BITS, highest_bit, lowest_bit
from headwater.kernels.kernel import kernel

masks = st.integers(-(2**63), 2**63 - 1).filter(bool) | st.integers(0, 62).map(lambda bit: 1 << bit)


@kernel(cached=False)
def lowest(word: Any) -> Any:
    return lowest_bit(word)


@kernel(cached=False)
def highest(word: Any) -> Any:
    return highest_bit(word)


@given(masks)
def test_the_set_bits_at_both_ends_are_found(mask: int) -> None:
    digits = f"{mask % 2**64:0{WORD_BITS}b}"
    ends = len(digits) - 1 - digits.rindex("1"), len(digits) - 1 - digits.index("1")
    assert (lowest_bit(mask), highest_bit(mask)) == ends
    assert (int(lowest(np.int64(mask))), int(highest(np.int64(mask)))) == ends
