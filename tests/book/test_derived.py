"""What is read off a book, against exact fractions over dicts."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.book.derived import depth_within, imbalance, microprice, mid, vwap_to_size
from headwater.book.side import allocate_sides, side_update
from tests.oracle.book import PlainBook

ROW = 2  # the bids are the third side of four


@st.composite
def books(draw: st.DrawFn) -> PlainBook:
    """Not crossed; a side may be empty, some levels lie far away."""
    away = st.one_of(st.integers(1, 20), st.integers(1, 2_000))
    level = st.dictionaries(away, st.integers(1, 10**9), max_size=12)
    centre = draw(st.sampled_from([3_000, 600_000, 10**9]))
    book = PlainBook()
    for side in (1, -1):
        book.levels[side] = {centre - side * step: size for step, size in draw(level).items()}
    return book


def compiled(book: PlainBook) -> tuple[Any, Any]:
    sides, pool = allocate_sides(4, 64, 64)
    for at, side in enumerate((1, -1)):
        for price, size in book.levels[side].items():
            side_update(sides, pool, ROW + at, np.int64(price * side), np.int64(size))
    return sides, pool


def agree(found: float, expected: Fraction | None) -> None:
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-12)


@given(book=books())
def test_the_mid_lies_halfway_between_the_best_prices(book: PlainBook) -> None:
    sides, _ = compiled(book)
    agree(mid(sides, ROW), book.mid())


@given(book=books())
def test_the_microprice_weighs_each_best_price_with_the_other_sides_size(book: PlainBook) -> None:
    sides, pool = compiled(book)
    found = microprice(sides, pool, ROW)
    agree(found, book.weighted_mid())
    if book.is_two_sided():
        assert max(book.levels[1]) <= found <= min(book.levels[-1])


@given(book=books(), levels=st.integers(0, 15))
def test_the_imbalance_compares_the_sizes_of_the_best_levels(book: PlainBook, levels: int) -> None:
    sides, pool = compiled(book)
    found = imbalance(sides, pool, ROW, np.int64(levels))
    agree(found, book.imbalance(levels))
    assert math.isnan(found) or -1.0 <= found <= 1.0


@given(book=books(), ticks=st.integers(0, 3_000))
def test_the_depth_within_some_ticks_sums_what_is_near_the_touch(book: PlainBook, ticks: int) -> None:
    sides, pool = compiled(book)
    for at, side in enumerate((1, -1)):
        assert depth_within(sides, pool, ROW + at, np.int64(ticks)) == book.depth_within(side, ticks)


@given(book=books(), wanted=st.one_of(st.integers(0, 50), st.integers(0, 3 * 10**9)))
def test_taking_a_size_costs_what_walking_the_levels_costs(book: PlainBook, wanted: int) -> None:
    sides, pool = compiled(book)
    for at, side in enumerate((1, -1)):
        expected = book.vwap_to_size(side, wanted) if wanted and book.levels[side] else None
        agree(vwap_to_size(sides, pool, ROW + at, np.int64(wanted)), expected)


@pytest.mark.parametrize("wanted", [6, 10**9])
def test_more_than_the_book_shows_has_no_price(wanted: int) -> None:
    sides, pool = compiled(PlainBook({1: {99: 5}, -1: {}}))
    assert vwap_to_size(sides, pool, ROW, np.int64(5)) == 99.0
    assert math.isnan(vwap_to_size(sides, pool, ROW, np.int64(wanted)))
