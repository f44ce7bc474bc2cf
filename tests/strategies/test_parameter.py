"""Parameters take what fits and say in one line what they want."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ConfigurationError, OffGridError
from headwater.strategies.interval import parse_interval
from headwater.strategies.parameter import (
    Parameter,
    check_sizes,
    param,
    resolve,
    size_param,
    size_parameter,
)


@given(st.integers(-1_000, 1_000))
def test_whole_numbers_in_range_are_taken_as_number_and_as_text(number: int) -> None:
    parameter = Parameter(0, -1_000, 1_000)
    assert parameter.parse("n", number) == parameter.parse("n", str(number)) == number
    assert isinstance(parameter.parse("n", str(number)), int)


@given(st.floats(-1e6, 1e6))
def test_numbers_in_range_are_taken_exactly(number: float) -> None:
    assert Parameter(0.0, -1e6, 1e6).parse("x", repr(number)) == number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("11", r"parameter n must lie in \[1, 10\], was 11"),
        ("1.5", "parameter n must be a whole number, was '1.5'"),
        ("many", "parameter n must be a whole number, was 'many'"),
        ("nan", "parameter n must be a whole number"),
        ("inf", "parameter n must be a whole number"),
        (True, "parameter n must be a whole number, was True"),
        (None, "parameter n must be a whole number, was None"),
    ],
)
def test_what_does_not_fit_is_refused(value: object, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Parameter(5, 1, 10).parse("n", value)


def test_a_default_outside_its_range_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match=r"default must lie in \[1, 2\], was 3"):
        param(3, low=1, high=2)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    declared = {"fast": Parameter(10, 1, 100), "slow": Parameter(20, 1, 100)}
    with pytest.raises(ConfigurationError, match="ema has no parameter 'fats'; it has: fast, slow"):
        resolve(declared, {"fats": 3}, "ema")
    assert resolve(declared, {"slow": "30"}, "ema") == {"fast": 10, "slow": 30}


def test_a_size_off_the_venues_grid_is_refused_with_its_neighbours() -> None:
    declared = {"levels": Parameter(3, 1, 9), "size": size_parameter(0.015)}
    check_sizes(declared, {"levels": 3, "size": 0.015}, "A.B", Decimal("0.005"))
    with pytest.raises(
        OffGridError, match=r"size must be a multiple of 0.01 for A.B, was 0.015; the nearest are 0.01"
    ):
        check_sizes(declared, {"levels": 3, "size": 0.015}, "A.B", Decimal("0.01"))
    with pytest.raises(OffGridError, match=r"was 0.015; the smallest is 1"):
        check_sizes(declared, {"levels": 3, "size": 0.015}, "A.B", Decimal(1))


def test_sizes_are_declared_alike_in_both_kinds_of_strategy() -> None:
    declared: object = size_param(0.5)
    assert declared == size_parameter(0.5)
    assert size_parameter(0.5).is_size


@pytest.mark.parametrize(
    ("text", "ns"),
    [("100ms", 10**8), ("1s", 10**9), ("1.5 h", 5_400 * 10**9), ("1d", 86_400 * 10**9), ("7ns", 7)],
)
def test_intervals_read_as_people_write_them(text: str, ns: int) -> None:
    assert parse_interval(text) == ns


@pytest.mark.parametrize("text", ["", "0s", "1", "ms", "-1s", "1 fortnight"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="an interval reads like 100ms"):
        parse_interval(text)
