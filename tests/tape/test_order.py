"""Orders, replays in memory, clocks, grids and groups."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import HeadwaterError
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind, Events
from headwater.tape.clock import correct_clock
from headwater.tape.common_grid import common_step, rescale
from headwater.tape.grouping import by_group, storable
from headwater.tape.kind_group import (
    book_levels,
    deepest_book,
    family_of,
    interval_label,
    interval_ns_of,
    matches,
)
from headwater.tape.replay import ReplayInstrument
from headwater.tape.replay_of import replay_of
from headwater.tape.show_time import show_duration, show_time
from tests.oracle.tape_twins import messages
from tests.tape.events import BOTH, LAST, NOON, bar, message, tape, trade
from tests.tape.strategies import records

ANY = (EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK_DELTA, EventKind.MARK_PRICE)


def described(count: int = 1) -> list[ReplayInstrument]:
    return [
        ReplayInstrument(id=f"A{number}.B", tick_size=Decimal(1), lot_size=Decimal(1))
        for number in range(count)
    ]


class TestReplayOf:
    """Replays made in memory."""

    def test_the_venue_lived_by_its_own_times_with_messages_whole(self) -> None:
        late = message(NOON + 9, (EventKind.TRADE, 1, 1, 1), (EventKind.TRADE, 1, 2, 1), ts_venue=NOON + 5)
        early = message(NOON + 9, (EventKind.TRADE, 1, 3, 1), ts_venue=NOON + 4)
        replay = replay_of(tape(late, early), described())
        assert replay.local["price"].tolist() == [1, 2, 3]
        assert replay.venue["price"].tolist() == [3, 1, 2]
        assert replay.venue.dtype is EVENT_DTYPE

    def test_one_array_serves_both_sides_when_it_can(self) -> None:
        replay = replay_of(tape(bar(NOON, 60, (1, 2, 1, 2)), bar(NOON + 60, 60, (2, 2, 1, 1))), described())
        assert replay.venue is replay.local

    def test_arrays_are_numbered_and_merged_by_time(self) -> None:
        replay = replay_of([tape(trade(NOON, 1), trade(NOON + 2, 2)), trade(NOON + 1, 3)], described(2))
        assert replay.local["price"].tolist() == [1, 3, 2]
        assert replay.local["instrument"].tolist() == [0, 1, 0]
        assert sorted(replay.local["arrival"].tolist()) == [0, 1, 2]

    def test_the_input_is_never_changed(self) -> None:
        events = trade(NOON, 1)
        replay_of(events, described()).local["price"] = 9
        assert events["price"].tolist() == [1]
        assert events["flags"].tolist() == [LAST]

    def test_records_of_one_side_stay_of_one_side(self) -> None:
        events = tape(trade(NOON, 1), trade(NOON, 2))
        events["flags"][0] |= EventFlag.AT_LOCAL
        replay = replay_of(events, described())
        assert replay.local["flags"].tolist() == [LAST | EventFlag.AT_LOCAL, LAST | BOTH]

    def test_an_empty_tape_is_a_replay_of_nothing(self) -> None:
        assert len(replay_of(tape(), described()).venue) == 0

    def test_numbers_without_an_instrument_are_a_programming_error(self) -> None:
        with pytest.raises(ValueError, match="expected one array for each of 2 instruments, found 1"):
            replay_of([trade(NOON, 1)], described(2))
        events = trade(NOON, 1)
        events["instrument"] = 1
        with pytest.raises(ValueError, match="expected instrument numbers below 1, found 1"):
            replay_of(events, described())

    def test_releasing_memory_does_nothing(self) -> None:
        replay_of(trade(NOON, 1), described()).release(1, 1)

    @given(records(ANY, jitter=5))
    def test_both_orders_hold_the_same_messages(self, events: Events) -> None:
        replay = replay_of(events, described())
        assert sorted(_arrivals(replay.local)) == sorted(_arrivals(replay.venue))
        assert (np.diff([int(m[-1]["ts_venue"]) for m in messages(replay.venue)]) >= 0).all()
        assert (np.diff([int(m[-1]["ts_local"]) for m in messages(replay.local)]) >= 0).all()


def _arrivals(events: Events) -> list[list[int]]:
    return [[int(row["arrival"]) for row in one] for one in messages(events)]


class TestClock:
    """A receive clock that is behind is shifted, once and for all."""

    def latencies(self, *milliseconds: float) -> tuple[np.ndarray, np.ndarray]:
        sent = NOON + np.arange(len(milliseconds)) * 10**9
        return sent + (np.array(milliseconds) * 10**6).astype(np.int64), sent

    def test_a_sound_clock_is_left_alone(self) -> None:
        local, venue = self.latencies(3, 4, 90, 3, 5)
        corrected, words, usable = correct_clock(local, venue, 0)
        assert corrected is local
        assert (words, usable) == ("as recorded", True)

    def test_a_clock_behind_is_shifted_until_the_fastest_message_took_the_base_latency(self) -> None:
        local, venue = self.latencies(-1270, -1268, -1200, -1271)
        corrected, words, usable = correct_clock(local, venue, 2_000_000)
        assert ((corrected - venue) // 10**6).tolist() == [3, 5, 73, 2]
        assert words == "shifted by +1.273 s: the receive clock was 1.271 s behind the venue's"
        assert usable

    def test_one_wrong_stamp_does_not_decide(self) -> None:
        local, venue = self.latencies(*([5, 6, 7] * 300), -900_000, *([5, 6, 7] * 300))
        _, words, usable = correct_clock(local, venue, 0)
        assert (words, usable) == ("as recorded", True)

    def test_a_clock_that_wanders_measures_nothing(self) -> None:
        local, venue = self.latencies(*range(-2000, 0, 10))
        _, words, usable = correct_clock(local, venue, 0)
        assert "it wanders by" in words
        assert not usable

    def test_stamps_of_a_delayed_copy_measure_nothing(self) -> None:
        _, words, usable = correct_clock(*self.latencies(60_000, 60_001, 60_003), 0)
        assert "the fastest message took 60.000 s: latency not usable" in words
        assert not usable

    def test_equal_times_are_no_clock(self) -> None:
        _, words, usable = correct_clock(*self.latencies(0, 0, 0), 0)
        assert words.startswith("absent")
        assert not usable
        assert not correct_clock(np.empty(0, np.int64), np.empty(0, np.int64), 0)[2]

    def test_wrong_arguments_are_programming_errors(self) -> None:
        local, venue = self.latencies(1, 2)
        with pytest.raises(ValueError, match="base latency"):
            correct_clock(local, venue, -1)
        with pytest.raises(ValueError, match="as many local as venue times"):
            correct_clock(local[:1], venue, 0)

    @given(st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=80), st.integers(0, 10**7))
    def test_the_order_and_the_distances_never_change(self, latencies: list[int], base: int) -> None:
        local, venue = self.latencies(*latencies)
        corrected, words, _ = correct_clock(local, venue, base)
        assert np.diff(corrected).tolist() == np.diff(local).tolist()
        assert ("shifted" in words) == (int(corrected[0]) != int(local[0]))


class TestCommonGrid:
    """One grid for parts on several."""

    @pytest.mark.parametrize(
        ("steps", "common"),
        [
            (["0.5", "0.2"], "0.1"),
            (["5", "2.5"], "2.5"),
            (["1e-8", "1"], "1e-8"),
            (["3"], "3"),
            (["6", "4"], "2"),
        ],
    )
    def test_every_step_is_a_whole_multiple_of_the_common_one(self, steps: list[str], common: str) -> None:
        assert common_step(map(Decimal, steps)) == Decimal(common)

    def test_steps_of_zero_are_a_programming_error(self) -> None:
        with pytest.raises(ValueError, match="above zero"):
            common_step([Decimal(0)])

    def test_what_would_not_fit_is_refused(self) -> None:
        with pytest.raises(HeadwaterError, match="to refine a grid 100 times"):
            rescale(trade(NOON, 2**60), 100, 1)
        with pytest.raises(HeadwaterError, match="to refine a grid 100 times"):
            rescale(trade(NOON, 1, 2**60), 1, 100)

    def test_the_absence_of_a_price_and_fine_prices_are_left_alone(self) -> None:
        events = message(
            NOON,
            (EventKind.BOOK_CLEAR, 0, NO_PRICE, 0),
            (EventKind.MARK_PRICE, 0, 7, 0),
            (EventKind.FUNDING, 0, 7, 28_800),
            (EventKind.BAR_OPEN, 0, 7, 12),
        )
        rescale(events, 10, 10)
        assert events["price"].tolist() == [NO_PRICE, 7, 7, 70]
        assert events["size"].tolist() == [0, 0, 28_800, 12]


class TestGroups:
    """Kinds that are stored together."""

    def test_names_carry_interval_and_depth(self) -> None:
        assert [interval_label(s * 10**9) for s in (60, 300, 28_800, 86_400, 7)] == [
            "1m",
            "5m",
            "8h",
            "1d",
            "7s",
        ]
        assert interval_label(250) == "250ns"
        assert interval_ns_of("bars-5m") == 300 * 10**9
        assert interval_ns_of("bars-250ns") == 250
        assert book_levels("book-50") == 50
        assert book_levels("book") == 0
        assert family_of("bars-1m") == "bars"

    def test_the_whole_book_is_deeper_than_any_depth(self) -> None:
        assert deepest_book(["book-50", "trades", "book-200"]) == "book-200"
        assert deepest_book(["book-1000", "book"]) == "book"
        assert deepest_book(["trades"]) is None

    def test_groups_are_asked_for_by_name_or_family(self) -> None:
        assert matches("book-50", None)
        assert matches("book-50", ["book"])
        assert not matches("book-50", ["book-200", "trades"])

    @given(records(ANY))
    def test_splitting_keeps_every_record_once_and_every_group_in_whole_messages(
        self, events: Events
    ) -> None:
        stored = storable(events)
        groups = dict(by_group(stored))
        assert sorted(np.concatenate(list(groups.values()))["arrival"].tolist()) == list(range(len(events)))
        for rows in groups.values():
            assert rows["flags"][-1] & LAST
            assert (np.diff(rows["arrival"]) > 0).all()

    def test_depth_names_the_book(self) -> None:
        events = storable(message(NOON, (EventKind.BOOK_DELTA, 1, 5, 5)))
        assert [name for name, _ in by_group(events, 50)] == ["book-50"]


def test_times_read_like_times() -> None:
    assert show_time(NOON) == "2024-08-08 12:00:00"
    assert show_time(NOON + 15_120_000_000) == "2024-08-08 12:00:15.120"
    assert [show_duration(ns) for ns in (12, 1_500, 84_000_000, 90_000_000_000, 86_400_000_000_000)] == [
        "12 ns",
        "1.5 us",
        "84 ms",
        "1.5 min",
        "1 d",
    ]
