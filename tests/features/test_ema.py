"""The exponential moving average: twin, warm-up, NaN rule, no look-ahead, snapshot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.features.indicators.ema import Ema
from tests.oracle.ema import ema

VALUES = st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(float("nan"))), max_size=60)
SPANS = st.integers(1, 30)


@given(values=VALUES, span=SPANS)
def test_kernel_and_twin_agree_to_the_bit(values: list[float], span: int) -> None:
    np.testing.assert_array_equal(Ema(span).extend(np.array(values)), np.array(ema(values, span)))


@given(values=VALUES, span=SPANS)
def test_one_at_a_time_equals_all_at_once(values: list[float], span: int) -> None:
    online = Ema(span)
    np.testing.assert_array_equal(
        [online.update(value) for value in values], Ema(span).extend(np.array(values))
    )


@given(values=VALUES, span=SPANS, at=st.integers(0, 60))
def test_the_future_changes_nothing_and_a_saved_state_goes_on(
    values: list[float], span: int, at: int
) -> None:
    whole = Ema(span).extend(np.array(values))
    before, after = Ema(span), Ema(span)
    np.testing.assert_array_equal(before.extend(np.array(values[:at])), whole[:at])
    after.state[:] = before.state
    np.testing.assert_array_equal(after.extend(np.array(values[at:])), whole[at:])


@given(span=SPANS)
def test_there_is_no_average_before_the_warmup(span: int) -> None:
    average = Ema(span)
    out = average.extend(np.arange(50.0))
    assert np.isnan(out[: average.warmup - 1]).all()
    assert not np.isnan(out[average.warmup - 1 :]).any()
    assert average.value == out[-1]
    assert np.isnan(Ema(span).value)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), span=SPANS)
def test_an_average_lies_within_what_it_averages(values: list[float], span: int) -> None:
    out = Ema(span).extend(np.array(values))
    known = out[~np.isnan(out)]
    assert (known >= min(values) - 1e-6).all()
    assert (known <= max(values) + 1e-6).all()


def test_a_constant_stays_itself_and_a_span_of_one_follows() -> None:
    assert Ema(5).extend(np.full(9, 3.25))[4:].tolist() == [3.25] * 5
    assert Ema(1).extend(np.array([1.0, 4.0, 2.0])).tolist() == [1.0, 4.0, 2.0]


def test_a_span_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="span must be positive, not 0"):
        Ema(0)
