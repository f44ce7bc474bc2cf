"""Decimals to steps and back: exact, for every grid that a venue has."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import OffGridError
from headwater.domain.grid import (
    INT64_MAX,
    is_on_grid,
    neighbours,
    round_to_grid,
    to_lots,
    to_price,
    to_size,
    to_ticks,
)

NAMED_STEPS = ["0.00000001", "5", "0.25", "0.05", "0.000001", "0.1", "1", "100", "0.125", "1E+2", "1e-17"]
steps = st.sampled_from([Decimal(step) for step in NAMED_STEPS]) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 10**6), st.integers(-12, 4)
)
counts = st.integers(-INT64_MAX, INT64_MAX)


@given(counts, steps)
def test_steps_to_decimal_and_back_is_the_identity(count: int, step: Decimal) -> None:
    assert to_ticks(to_price(count, step), step) == count
    assert to_lots(to_size(count, step), step) == count


@given(counts, steps)
def test_a_decimal_is_steps_times_step_exactly(count: int, step: Decimal) -> None:
    assert Fraction(to_price(count, step)) == count * Fraction(step)


@given(counts, steps)
def test_text_reads_like_the_decimal_it_is(count: int, step: Decimal) -> None:
    assert to_ticks(str(to_price(count, step)), step) == count


@given(counts, steps)
def test_a_short_context_changes_nothing(count: int, step: Decimal) -> None:
    with localcontext() as context:
        context.prec = 3
        assert to_ticks(to_price(count, step), step) == count


@given(st.integers(-(10**12), 10**12), steps, st.integers(1, 999))
def test_off_the_grid_names_the_nearest_valid_prices(count: int, step: Decimal, thousandths: int) -> None:
    with localcontext() as context:
        context.prec = 60
        price = count * step + step * thousandths / 1000
    below, above = to_price(count, step), to_price(count + 1, step)
    assert neighbours(price, step) == (below, above)
    assert not is_on_grid(price, step)
    with pytest.raises(OffGridError) as caught:
        to_ticks(price, step)
    assert str(caught.value).endswith(f"the nearest valid are {below} and {above}")
    assert round_to_grid(price, step) in (count, count + 1)


@given(counts, steps)
def test_on_the_grid_both_neighbours_are_the_price(count: int, step: Decimal) -> None:
    price = to_price(count, step)
    assert neighbours(price, step) == (price, price)
    assert round_to_grid(price, step) == count


def test_a_price_keeps_the_decimals_of_its_tick() -> None:
    assert str(to_price(123, Decimal("0.10"))) == "12.30"
    assert str(to_price(-3, Decimal("0.25"))) == "-0.75"
    assert to_price(2, Decimal("1E+2")) == 200


def test_half_a_step_rounds_away_from_zero() -> None:
    assert round_to_grid("0.25", Decimal("0.5")) == 1
    assert round_to_grid("-0.25", Decimal("0.5")) == -1


def test_more_than_64_bits_is_refused() -> None:
    step = Decimal("0.00000001")
    assert to_ticks(to_price(INT64_MAX, step), step) == INT64_MAX
    with pytest.raises(OffGridError, match="more than 64-bit integers hold"):
        to_ticks(to_price(INT64_MAX + 1, step), step)


def test_the_message_of_a_size_speaks_of_lots() -> None:
    with pytest.raises(
        OffGridError, match=r"size 0.0015 is not a multiple of the lot size 0.001: .*0.001 and 0.002"
    ):
        to_lots("0.0015", Decimal("0.001"))


@pytest.mark.parametrize("value", [0.1, True, None, b"1"])
def test_what_is_not_exact_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="floats are not exact"):
        to_ticks(value, Decimal("0.1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "abc", "1,5", "NaN", "Infinity", Decimal("sNaN")])
def test_what_is_not_a_number_is_a_value_error(value: str | Decimal) -> None:
    with pytest.raises(ValueError, match=r"expected a (decimal|finite) number"):
        to_ticks(value, Decimal("0.1"))


@pytest.mark.parametrize("step", ["0", "-0.1", "NaN", "Infinity"])
def test_a_step_must_be_above_zero(step: str) -> None:
    with pytest.raises(ValueError, match="must be a finite number > 0"):
        to_ticks("1", Decimal(step))
