"""What crosses on the way: requests take 2 ms, reports 1 ms, and the market does not wait."""

from __future__ import annotations

from headwater.domain.intent import RequestKind
from headwater.domain.order import TimeInForce
from headwater.domain.view import WakeKind
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import FillSeen, View
from tests.simulation.scripted import MS, Scripted, amend, at, cancel, contract, new, play, scripted
from tests.simulation.story import book, level, lines, story, tape, trade

BOOK = book(
    0,
    """
    bid | price | ask
        |   102 |   7
        |   101 |   5
      5 |    99 |
    """,
)


def test_a_fill_while_the_cancel_is_in_flight_wins() -> None:
    result = play(tape(BOOK, trade(11, -1, 9, 99)), [new(1, 1, 2, 100), cancel(10, 0)])
    assert story(result) == lines(
        """
        4.0  #0  new
        12.0  #0  fill 2 @ 100 maker, filled
        13.0  #0  filled: order not found
        """
    )


def test_a_part_fill_while_the_cancel_is_in_flight_leaves_the_rest_to_it() -> None:
    result = play(tape(BOOK, trade(11, -1, 1, 99)), [new(1, 1, 2, 100), cancel(10, 0)])
    assert story(result) == lines(
        """
        4.0  #0  new
        12.0  #0  fill 1 @ 100 maker, partially filled
        13.0  #0  canceled: by user
        """
    )


def test_a_cancel_that_overtakes_nothing_arrives_behind_its_order() -> None:
    """Sent before the order was acknowledged: it is still in flight when the acknowledgement comes."""
    result = play(tape(BOOK), [new(1, 1, 2, 100), cancel(2, 0), cancel(4, 0), cancel(5, 0)])
    assert story(result) == lines(
        """
        4.0  #0  new
        5.0  #0  canceled: by user
        """
    )


def test_a_forgotten_cancel_never_hits_the_next_order() -> None:
    """The record of an order is used again only when nothing about it is in flight any more."""
    script = [
        new(1, 1, 2, 100),
        cancel(2, 0),
        cancel(4, 0),
        new(5, 1, 1, 98),
        new(6, 1, 1, 97),
        cancel(12, 2),
    ]
    assert story(play(tape(BOOK), script)) == lines(
        """
        4.0  #0  new
        5.0  #0  canceled: by user
        8.0  #1  new
        9.0  #2  new
        15.0  #2  canceled: by user
        """
    )


def test_a_cancel_of_an_order_that_was_refused_is_refused_too() -> None:
    script = [new(1, 1, 2, 101, post_only=True), cancel(2, 0), new(10, 1, 1, 98), new(10, 1, 1, 97)]
    assert story(play(tape(BOOK), script)) == lines(
        """
        4.0  #0  expired: post only would take
        5.0  #0  expired: order not found
        13.0  #1  new
        13.0  #2  new
        """
    )


def test_an_amendment_finds_its_order_filled() -> None:
    result = play(tape(BOOK, trade(11, -1, 9, 99)), [new(1, 1, 2, 100), amend(10, 0, 98, 3)])
    assert story(result) == lines(
        """
        4.0  #0  new
        12.0  #0  fill 2 @ 100 maker, filled
        13.0  #0  filled: order not found
        """
    )


def test_a_cancel_sent_behind_an_amendment_ends_the_amended_order() -> None:
    result = play(tape(BOOK), [new(1, 1, 2, 100), amend(10, 0, 98, 3), cancel(11, 0)])
    assert story(result) == lines(
        """
        4.0  #0  new
        13.0  #0  new
        14.0  #0  canceled: by user
        """
    )
    assert result.orders["price"][-1] == 98
    assert result.orders["size"][-1] == 3


def test_a_refused_amendment_does_not_answer_the_cancel_behind_it() -> None:
    script = [new(1, 1, 8, 101), amend(10, 0, 101, 5), cancel(11, 0), cancel(13, 0), new(20, 1, 1, 98)]
    assert story(play(tape(BOOK), script)) == lines(
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  partially filled
        13.0  #0  partially filled: amend below filled
        14.0  #0  canceled: by user
        23.0  #1  new
        """
    )


def test_a_second_amendment_waits_for_the_first() -> None:
    result = play(tape(BOOK), [new(1, 1, 2, 100), amend(10, 0, 98, 3), amend(11, 0, 97, 4)])
    assert len(story(result)) == 2
    assert result.orders["price"][-1] == 98


def test_an_amended_order_that_fills_at_once_gives_its_record_back() -> None:
    """64 records are enough for 200 orders of which each is amended into a fill."""
    script = []
    for turn in range(200):
        script += [new(10 * turn + 1, 1, 1, 100), amend(10 * turn + 6, turn, 101, 1)]
    messages = [BOOK] + [level(10 * turn + 2, -1, 101, 5) for turn in range(200)]
    result = play(tape(*messages, end=2_100), script, rate_limits=False)
    assert len(result.fills) == 200
    assert result.samples[-1]["working"] == 0


def test_the_queue_is_joined_when_the_request_arrives_not_when_it_was_sent() -> None:
    """Level 99 grows while the order is on its way: it stands behind all of it."""
    result = play(
        tape(BOOK, level(2, 1, 99, 9), trade(10, -1, 9, 99), trade(12, -1, 1, 99)), [new(1, 1, 1, 99)]
    )
    assert story(result) == lines(
        """
        4.0  #0  new
        13.0  #0  fill 1 @ 99 maker, filled
        """
    )


def test_data_of_an_instant_comes_before_the_requests_of_that_instant() -> None:
    """The ask leaves in the same millisecond in which the order arrives."""
    result = play(tape(BOOK, level(3, -1, 101, 0)), [new(1, 1, 1, 101)])
    assert story(result) == ["4.0  #0  new"]


def test_every_request_is_answered_once_in_the_latencies() -> None:
    script = [new(1, 1, 8, 102), new(2, 1, 2, 100), cancel(10, 1), new(11, 1, 1, 100), amend(20, 2, 99, 1)]
    result = play(tape(BOOK, trade(30, -1, 9, 98)), script)
    assert len(result.latencies) == len(script)
    assert set(result.latencies["entry_ns"]) == {2 * MS}
    assert set(result.latencies["response_ns"]) == {MS}
    assert result.latencies["ts"].tolist() == [ask.at for ask in script]


def test_a_cancel_before_the_acknowledgement_measures_its_own_way_alone() -> None:
    result = play(tape(BOOK), [new(1, 1, 2, 100), cancel(2, 0)])
    assert result.latencies["ts"].tolist() == [at(1), at(2)]
    assert result.latencies["entry_ns"].tolist() == [2 * MS, 2 * MS]


def test_a_strategy_woken_by_a_fill_acts_at_that_instant() -> None:
    class Hedger(Scripted):
        script = scripted([new(1, 1, 2, 100)]).script  # type: ignore[attr-defined]

        def on_fill(self, view: View, fill: FillSeen) -> None:
            if fill.side > 0:
                view.sell(1, time_in_force=TimeInForce.IOC, price=99)

    result = play(tape(BOOK, trade(11, -1, 9, 99)), [], strategy=Hedger)
    assert story(result) == lines(
        """
        4.0  #0  new
        12.0  #0  fill 2 @ 100 maker, filled
        15.0  #1  fill 1 @ 99 taker, filled
        """
    )
    assert Hedger.wakes() == WakeKind.TIMER | WakeKind.FILL


def test_a_timer_of_a_run_that_never_asks_ends_with_the_tape() -> None:
    result = play(tape(BOOK, end=20), [])
    assert result.complete
    assert result.manifest["wakes"] <= 21


def test_a_pending_request_is_shown() -> None:
    seen: list[tuple[int, RequestKind]] = []

    class Watcher(Scripted):
        script = scripted([new(1, 1, 2, 100), cancel(10, 0)]).script  # type: ignore[attr-defined]

        def on_timer(self, view: View) -> None:
            seen.extend((round((view.now - at(0)) / MS), order.pending) for order in view.orders)
            super().on_timer(view)

    play(tape(BOOK), [], strategy=Watcher)
    assert [when for when, pending in seen if pending is RequestKind.NEW] == [2, 3]
    assert [when for when, pending in seen if pending is RequestKind.CANCEL] == [11, 12]


def test_binance_ends_an_order_that_is_amended_to_less_than_is_filled() -> None:
    script = [new(1, 1, 8, 101), amend(10, 0, 101, 5)]
    assert story(play(tape(BOOK), script, contract("BINANCE"))) == lines(
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  partially filled
        13.0  #0  canceled: amend below filled
        """
    )


class Quiet(Strategy):
    """Watches prints alone."""

    def on_trade(self, view: View, trade: object) -> None:  # noqa: ARG002
        assert view.last > 0


def test_a_strategy_without_a_timer_sees_the_whole_tape() -> None:
    result = play(tape(BOOK, trade(5, 1, 1, 101), trade(6, 1, 1, 101)), [], strategy=Quiet)
    assert result.manifest["wakes"] == 2
