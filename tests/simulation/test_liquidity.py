"""Whose liquidity is whose: what is taken stays taken, and nobody fills more than was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.event import PrintClass
from headwater.simulation.kinds import ImpactModel, QueueModel
from tests.simulation.scripted import MS, amend, at, contract, new, play
from tests.simulation.story import book, level, lines, story, tape, trade
from tests.tape.events import delta

BOOK = book(
    0,
    """
    bid | price | ask
        |   102 |   7
        |   101 |   5
      5 |    99 |
      7 |    98 |
    """,
)


def test_what_was_taken_stays_taken() -> None:
    assert story(play(tape(BOOK), [new(1, 1, 4), new(10, 1, 4)])) == lines(
        """
        4.0  #0  fill 4 @ 101 taker, filled
        13.0  #1  fill 1 @ 101 taker, partially filled
        13.0  #1  fill 3 @ 102 taker, filled
        """
    )


def test_the_next_update_of_a_level_brings_back_what_was_taken_there_and_nowhere_else() -> None:
    result = play(tape(BOOK, level(8, -1, 101, 2)), [new(1, 1, 12, 102), new(10, 1, 4, 102)])
    assert story(result)[-2:] == lines(
        """
        13.0  #1  fill 2 @ 101 taker, partially filled
        13.0  #1  partially filled
        """
    )


def test_in_compatibility_mode_taking_leaves_no_trace_and_fills_are_whole() -> None:
    result = play(tape(BOOK), [new(1, 1, 40), new(10, 1, 40, 102)], no_partial_fill=True)
    assert story(result) == lines(
        """
        4.0  #0  fill 40 @ 101 taker, filled
        13.0  #1  fill 40 @ 101 taker, filled
        """
    )


def test_an_order_is_filled_behind_the_queue_in_front_of_it() -> None:
    prints = [trade(10, -1, 3, 99), trade(12, -1, 3, 99), trade(14, -1, 3, 99)]
    assert story(play(tape(BOOK, *prints), [new(1, 1, 3, 99)])) == lines(
        """
        4.0  #0  new
        13.0  #0  fill 1 @ 99 maker, partially filled
        15.0  #0  fill 2 @ 99 maker, filled
        """
    )


def test_a_print_through_the_price_fills_whatever_the_queue() -> None:
    assert story(play(tape(BOOK, trade(10, -1, 2, 98)), [new(1, 1, 3, 99)])) == lines(
        """
        4.0  #0  new
        11.0  #0  fill 2 @ 99 maker, partially filled
        """
    )


def test_in_compatibility_mode_a_print_of_one_lot_fills_the_whole_order() -> None:
    result = play(tape(BOOK, trade(10, -1, 1, 98)), [new(1, 1, 30, 99)], no_partial_fill=True)
    assert story(result)[-1] == "11.0  #0  fill 30 @ 99 maker, filled"


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    prices=st.lists(st.sampled_from([98, 99, 100]), min_size=4, max_size=4),
    printed=st.integers(1, 12),
    price=st.sampled_from([97, 98, 99, 100]),
)
def test_own_passive_fills_of_a_print_never_exceed_it(
    sizes: list[int], prices: list[int], printed: int, price: int
) -> None:
    script = [new(1, 1, size, at_price) for size, at_price in zip(sizes, prices, strict=False)]
    result = play(tape(BOOK, trade(20, -1, printed, price)), script)
    fills = result.fills[result.fills["ts_venue"] == at(20)]
    assert fills["size"].sum() <= printed
    assert (fills["price"] >= price).all()
    # best price first: an order fills only when all better ones are done
    for fill in fills:
        better = [k for k, ask in enumerate(script) if ask.price is not None and ask.price > fill["price"]]
        for number in better:
            done = result.fills["size"][result.fills["order"] == number].sum()
            assert done == script[number].size


@pytest.mark.parametrize("what", [PrintClass.RPI, PrintClass.BLOCK, PrintClass.ADL, PrintClass.INSURANCE])
def test_a_print_that_did_not_meet_the_book_moves_no_queue(what: PrintClass) -> None:
    prints = [trade(10, -1, 100, 98, what), trade(12, -1, 100, 99, what)]
    assert story(play(tape(BOOK, *prints), [new(1, 1, 3, 99)])) == ["4.0  #0  new"]


def test_a_liquidation_print_moves_the_queue_like_any_other() -> None:
    printed = trade(10, -1, 6, 99, PrintClass.LIQUIDATION)
    assert story(play(tape(BOOK, printed), [new(1, 1, 3, 99)]))[-1] == (
        "11.0  #0  fill 1 @ 99 maker, partially filled"
    )


def test_a_print_of_an_unknown_aggressor_moves_no_queue() -> None:
    assert story(play(tape(BOOK, trade(10, 0, 100, 98)), [new(1, 1, 3, 99)])) == ["4.0  #0  new"]


def test_a_level_that_crosses_a_resting_order_fills_it_at_its_own_price_and_is_used_up() -> None:
    result = play(tape(BOOK, level(10, -1, 98, 2)), [new(1, 1, 3, 100), new(20, 1, 1, 98)])
    assert story(result) == lines(
        """
        4.0  #0  new
        11.0  #0  fill 2 @ 100 maker, partially filled
        23.0  #1  new
        """
    )


def test_crossing_is_judged_when_the_message_is_complete() -> None:
    """An ask that appears and disappears within one message never was."""
    flicker = delta(at(10), (-1, 98, 2), (-1, 98, 0))
    assert story(play(tape(BOOK, flicker), [new(1, 1, 3, 100)])) == ["4.0  #0  new"]
    whole = play(tape(BOOK, flicker), [new(1, 1, 3, 100)], no_partial_fill=True)
    assert story(whole)[-1] == "11.0  #0  fill 3 @ 100 maker, filled"


@pytest.mark.parametrize(
    ("model", "lots"), [(QueueModel.RISK_AVERSE, 11), (QueueModel.POWER, 7), (QueueModel.LOG, 7)]
)
def test_the_models_differ_in_where_a_cancellation_happened(model: QueueModel, lots: int) -> None:
    """10 in front, 10 more join behind, then 8 leave: how much must be traded until the order is reached?"""
    messages = [level(0.5, 1, 99, 10), level(10, 1, 99, 20), level(12, 1, 99, 12)]
    prints = [trade(20 + k, -1, 1, 99) for k in range(15)]
    result = play(tape(BOOK, *messages, *prints), [new(1, 1, 1, 99)], queue_model=model)
    assert (int(result.fills["ts_venue"][0]) - at(20)) // MS + 1 == lots


def test_bybit_keeps_the_place_of_a_smaller_order_and_binance_does_not() -> None:
    messages = [level(8, 1, 99, 9), trade(20, -1, 6, 99)]
    script = [new(1, 1, 3, 99), amend(10, 0, 99, 2)]
    assert story(play(tape(BOOK, *messages), script))[-1] == "21.0  #0  fill 1 @ 99 maker, partially filled"
    told = story(play(tape(BOOK, *messages), script, contract("BINANCE")))
    assert told == ["4.0  #0  new", "13.0  #0  new"]


def test_a_larger_order_loses_its_place() -> None:
    messages = [level(8, 1, 99, 9), trade(20, -1, 9, 99), trade(22, -1, 1, 99)]
    told = story(play(tape(BOOK, *messages), [new(1, 1, 3, 99), amend(10, 0, 99, 4)]))
    assert told == ["4.0  #0  new", "13.0  #0  new", "23.0  #0  fill 1 @ 99 maker, partially filled"]


def test_impact_makes_taking_worse_but_never_beyond_a_limit() -> None:
    models = {"impact_model": ImpactModel.LINEAR, "impact_a": 0.5}
    assert story(play(tape(BOOK), [new(1, 1, 4)], **models)) == ["4.0  #0  fill 4 @ 103 taker, filled"]
    assert story(play(tape(BOOK), [new(1, 1, 4, 102)], **models)) == ["4.0  #0  fill 4 @ 102 taker, filled"]
