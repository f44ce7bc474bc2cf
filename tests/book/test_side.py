"""One side of a book against a dict.

Windows of 64 cells and overflows of 64 make every path short: levels leave the window and come back, the window
re-centres, runs of the hash wrap around. Prices jump near and far; the two must agree on every level after every step.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headwater.book.side import (
    NO_KEY,
    allocate_sides,
    pool_size,
    side_clear,
    side_next,
    side_size,
    side_update,
)
from tests.oracle.book import PlainSide

FAR_CAPACITY = 64
FAR_LIMIT = FAR_CAPACITY * 7 // 8

near = st.integers(-100, 100)
far = st.integers(-5_000, 5_000)
keys = st.one_of(near, near, far, st.sampled_from([-(2**40), -(2**32), 2**31, 2**40]))
sizes = st.one_of(st.just(0), st.integers(1, 2**40))


def walk(sides: Any, pool: Any, row: int) -> list[int]:
    """All keys, best first, as ``side_next`` finds them."""
    found = []
    key = int(sides[row]["best"])
    while key != NO_KEY:
        found.append(key)
        key = int(side_next(sides, pool, row, np.int64(key)))
    return found


class SideMachine(RuleBasedStateMachine):
    """Row 1 of three sides: its neighbours in the pool must stay untouched."""

    @initialize(centre=st.sampled_from([0, 1_000_000, -1_000_000]), window=st.sampled_from([64, 128]))
    def start(self, centre: int, window: int) -> None:
        self.centre = centre
        self.sides, self.pool = allocate_sides(3, window, FAR_CAPACITY)
        self.plain = PlainSide()

    @rule(key=keys, size=sizes)
    def update(self, key: int, size: int) -> None:
        key += self.centre
        if size and key not in self.plain.sizes and len(self.plain.sizes) >= FAR_LIMIT:
            return  # the overflow may be full: another test
        before = side_update(self.sides, self.pool, 1, np.int64(key), np.int64(size))
        assert before == self.plain.update(key, size)

    @rule(data=st.data())
    def remove_one_that_is_there(self, data: st.DataObject) -> None:
        if self.plain.sizes:
            key = data.draw(st.sampled_from(sorted(self.plain.sizes)))
            assert side_update(self.sides, self.pool, 1, np.int64(key), np.int64(0)) == self.plain.update(
                key, 0
            )

    @rule()
    def remove_the_best(self) -> None:
        if self.plain.sizes:
            best = max(self.plain.sizes)
            assert side_update(self.sides, self.pool, 1, np.int64(best), np.int64(0)) == self.plain.update(
                best, 0
            )

    @rule(bound=st.one_of(st.none(), keys))
    def clear(self, bound: int | None) -> None:
        at = None if bound is None else self.centre + bound
        side_clear(self.sides, self.pool, 1, np.int64(NO_KEY if at is None else at))
        self.plain.clear(at)

    @rule(key=keys)
    def ask_for_one(self, key: int) -> None:
        key += self.centre
        assert side_size(self.sides, self.pool, 1, np.int64(key)) == self.plain.sizes.get(key, 0)
        below = [other for other in self.plain.sizes if other < key]
        assert side_next(self.sides, self.pool, 1, np.int64(key)) == (max(below) if below else NO_KEY)

    @invariant()
    def both_hold_the_same_levels(self) -> None:
        side = self.sides[1]
        expected = self.plain.keys()
        assert walk(self.sides, self.pool, 1) == expected
        assert side["levels"] == len(expected)
        assert side["lost"] == 0
        for key in expected:
            assert side_size(self.sides, self.pool, 1, np.int64(key)) == self.plain.sizes[key]

    @invariant()
    def far_levels_lie_below_the_window(self) -> None:
        side = self.sides[1]
        at, count = int(side["far_keys_at"]), int(side["far_capacity"])
        used = self.pool[at + count : at + 2 * count] > 0
        assert int(used.sum()) == side["far_count"]
        assert not used.any() or self.pool[at : at + count][used].max() < side["base"]

    @invariant()
    def the_bits_say_which_cells_are_used(self) -> None:
        side = self.sides[1]
        window = int(side["window"])
        cells = self.pool[side["sizes_at"] : side["sizes_at"] + window] > 0
        words = self.pool[side["occupied_at"] : side["occupied_at"] + window // 64]
        bits = [bool((int(words[cell // 64]) >> (cell % 64)) & 1) for cell in range(window)]
        assert bits == cells.tolist()

    @invariant()
    def the_neighbours_are_untouched(self) -> None:
        each = pool_size(int(self.sides[1]["window"]), FAR_CAPACITY)
        assert not self.pool[:each].any()
        assert not self.pool[2 * each :].any()


TestSide = SideMachine.TestCase


@given(rising=st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_a_rising_market_leaves_its_old_levels_behind_the_window(rising: list[int]) -> None:
    sides, pool = allocate_sides(1, 64, 64)
    key, seen = 0, []
    for step in rising:
        key += step
        seen.append(key)
        side_update(sides, pool, 0, np.int64(key), np.int64(step))
    assert walk(sides, pool, 0) == seen[::-1]


def test_a_level_that_the_overflow_cannot_hold_is_counted_as_lost() -> None:
    sides, pool = allocate_sides(1, 64, 64)
    side_update(sides, pool, 0, np.int64(10_000), np.int64(1))
    for far_away in range(FAR_LIMIT + 3):
        side_update(sides, pool, 0, np.int64(far_away), np.int64(1))
    assert sides[0]["lost"] == 3
    assert sides[0]["levels"] == 1 + FAR_LIMIT


def test_a_level_of_the_overflow_can_change_when_the_overflow_is_full() -> None:
    sides, pool = allocate_sides(1, 64, 64)
    side_update(sides, pool, 0, np.int64(10_000), np.int64(1))
    for far_away in range(FAR_LIMIT):
        side_update(sides, pool, 0, np.int64(far_away), np.int64(1))
    assert side_update(sides, pool, 0, np.int64(5), np.int64(9)) == 1
    assert side_size(sides, pool, 0, np.int64(5)) == 9


def test_a_long_seeded_walk_meets_every_path() -> None:
    """Levels come, change and go near and far, runs of the hash break up, and now and then a bound or all is cleared."""
    rng = Random(3)
    sides, pool = allocate_sides(1, 64, FAR_CAPACITY)
    plain = PlainSide()
    centre = 0
    for _ in range(3_000):
        centre += rng.choice([-1, 0, 0, 0, 1]) * rng.choice([1, 1, 40])
        key = centre + rng.choice([rng.randint(-20, 20), rng.randint(-900, 5)])
        size = rng.randint(1, 9) if len(plain.sizes) < 50 and rng.random() < 0.6 else 0
        if plain.sizes and rng.random() < 0.3:
            key = rng.choice(sorted(plain.sizes))
        if rng.random() < 0.01:
            bound = rng.choice([None, key])
            side_clear(sides, pool, 0, np.int64(NO_KEY if bound is None else bound))
            plain.clear(bound)
        assert side_update(sides, pool, 0, np.int64(key), np.int64(size)) == plain.update(key, size)
        assert walk(sides, pool, 0) == plain.keys()
        assert side_size(sides, pool, 0, np.int64(key)) == size


def test_an_empty_side_has_no_best_level_and_no_next_one() -> None:
    sides, pool = allocate_sides(1, 64, 64)
    assert sides[0]["best"] == NO_KEY
    assert side_next(sides, pool, 0, np.int64(0)) == NO_KEY
    assert side_size(sides, pool, 0, np.int64(0)) == 0
    side_clear(sides, pool, 0, np.int64(NO_KEY))
    assert side_update(sides, pool, 0, np.int64(7), np.int64(0)) == 0
    assert sides[0]["levels"] == 0


@pytest.mark.parametrize(("window", "far_capacity"), [(63, 64), (96, 64), (64, 32), (64, 100), (0, 64)])
def test_sizes_that_are_no_power_of_two_are_refused(window: int, far_capacity: int) -> None:
    with pytest.raises(ValueError, match="power of two of at least 64"):
        allocate_sides(1, window, far_capacity)
