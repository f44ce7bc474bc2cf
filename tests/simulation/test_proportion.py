"""Proportions up to the edge of 64 bits, against Python's integers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.proportion import nearest_proportion, proportion
from tests.oracle.position import half_up

wholes = st.one_of(st.integers(1, 2**62 - 1), st.integers(1, 10**10), st.integers(2**61, 2**62 - 1))


@given(value=st.integers(0, 2**62), whole=wholes, share=st.integers(0, 2**62))
def test_a_proportion_is_exact_and_rounded_down(value: int, whole: int, share: int) -> None:
    part = share % (whole + 1)
    assert proportion(value, part, whole) == value * part // whole


@given(value=st.integers(0, 2**62), whole=wholes, share=st.integers(0, 2**62))
def test_the_nearest_proportion_rounds_half_up(value: int, whole: int, share: int) -> None:
    part = share % (whole + 1)
    assert nearest_proportion(value, part, whole) == half_up(Fraction(value * part, whole))


@given(value=st.integers(0, 10**9), part=st.integers(0, 10**9), whole=st.integers(1, 10**9))
def test_a_part_may_exceed_the_whole_where_the_result_fits(value: int, part: int, whole: int) -> None:
    assert proportion(value, part, whole) == value * part // whole
