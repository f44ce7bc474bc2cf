"""Arithmetic modulo 2**64, and the random numbers that stand on it: the same compiled and not."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernels.kernel import kernel
from headwater.kernels.random import mix, next_normal, next_uniform
from headwater.kernels.wrapping import wrapping_add, wrapping_multiply

words = st.integers(-(2**63), 2**63 - 1)


@kernel(cached=False)
def add(left: Any, right: Any) -> Any:
    return wrapping_add(left, right)


@kernel(cached=False)
def multiply(left: Any, right: Any) -> Any:
    return wrapping_multiply(left, right)


@given(left=words, right=words)
def test_sums_and_products_wrap_at_64_bits(left: int, right: int) -> None:
    assert int(add(np.int64(left), np.int64(right))) == (left + right) % 2**64
    assert int(multiply(np.int64(left), np.int64(right))) == (left * right) % 2**64


def test_the_generator_gives_the_published_numbers() -> None:
    state = np.zeros(1, [("random", "u8")])
    state["random"] = 1234567
    found = []
    for _ in range(3):
        next_uniform(state[0])
        found.append(int(mix(state["random"][0])))
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_uniform_numbers_lie_above_zero_and_at_most_one_and_normals_have_unit_spread() -> None:
    state = np.zeros(1, [("random", "u8")])
    uniforms = np.array([next_uniform(state[0]) for _ in range(2_000)])
    assert uniforms.min() > 0.0
    assert uniforms.max() <= 1.0
    normals = np.array([next_normal(state[0]) for _ in range(2_000)])
    assert abs(normals.mean()) < 0.1
    assert abs(normals.std() - 1.0) < 0.1
