"""Venues behave as their descriptions say, in back-tests too."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from headwater.domain.errors import ConfigurationError, StrategyFault
from headwater.domain.event import EventKind, VenueStatus
from headwater.domain.order import OrderFlag, OrderKind, PositionSide, TimeInForce, TriggerBy
from headwater.domain.rules import PriceBand
from headwater.strategies.view import View
from tests.simulation.scripted import Scripted, amend, at, cancel, contract, new, play, reports_of
from tests.simulation.story import book, fact, lines, mark, story, tape, trade

BOOK = book(
    0,
    """
    bid | price | ask
        |   102 |  70
        |   101 |  50
     50 |    99 |
     70 |    98 |
    """,
)
BYBIT, BINANCE = contract("BYBIT"), contract("BINANCE")
GENERIC = contract("ELSEWHERE")


def test_bybit_takes_ten_requests_in_a_second_and_refuses_the_eleventh() -> None:
    script = [new(1 + k, 1, 1, 90) for k in range(9)] + [cancel(20, 0), new(30, 1, 1, 90), cancel(40, 1)]
    told = story(play(tape(BOOK), script))
    assert told[9:] == lines(
        """
        23.0  #0  canceled: by user
        33.0  #9  rejected: rate limit
        43.0  #1  new: rate limit
        """
    )


def test_the_window_rolls() -> None:
    script = [new(1 + k, 1, 1, 90) for k in range(10)] + [new(1000, 1, 1, 90), new(1001, 1, 1, 90)]
    told = story(play(tape(BOOK, end=1_100), script))
    assert told[-2:] == ["1003.0  #10  rejected: rate limit", "1004.0  #11  new"]


def test_binance_counts_no_cancels() -> None:
    script = [new(1, 1, 1, 90) for _ in range(150)] + [cancel(5 + k % 5, k) for k in range(150)]
    script += [new(20, 1, 1, 90) for _ in range(150)] + [new(30, 1, 1, 90)]
    result = play(tape(BOOK), script, BINANCE, orders_max=512, outbox_size=512)
    told = story(result)
    assert sum("rate limit" in line for line in told) == 1
    assert told[-1] == "33.0  #300  rejected: rate limit"


def test_limits_can_be_switched_off() -> None:
    script = [new(1, 1, 1, 90) for _ in range(30)]
    assert not any("rate" in line for line in story(play(tape(BOOK), script, rate_limits=False)))


def test_bybit_shrinks_a_reduce_only_order_to_the_position() -> None:
    script = [new(1, 1, 3), new(10, -1, 5, 99, reduce_only=True)]
    told = story(play(tape(BOOK), script))
    assert told[-1] == "13.0  #1  fill 3 @ 99 taker, filled"


def test_binance_rejects_a_reduce_only_order_that_is_larger_than_the_position() -> None:
    script = [new(1, 1, 3), new(10, -1, 5, 99, reduce_only=True), new(20, -1, 3, 99, reduce_only=True)]
    told = story(play(tape(BOOK), script, BINANCE))
    assert told[1:] == lines(
        """
        13.0  #1  rejected: reduce only
        23.0  #2  fill 3 @ 99 taker, filled
        """
    )


@pytest.mark.parametrize("venue", ["BYBIT", "BINANCE"])
def test_a_reduce_only_order_without_a_position_is_refused(venue: str) -> None:
    told = story(play(tape(BOOK), [new(1, -1, 5, 99, reduce_only=True)], contract(venue)))
    assert told == ["4.0  #0  rejected: reduce only"]


def test_a_resting_reduce_only_order_never_turns_the_position() -> None:
    """The position shrinks while it rests: it fills with what is left and ends."""
    script = [new(1, 1, 3), new(5, -1, 3, 103, reduce_only=True), new(10, -1, 2)]
    told = story(play(tape(BOOK, trade(20, 1, 9, 104), trade(22, 1, 9, 104)), script))
    assert told[-2:] == lines(
        """
        21.0  #1  fill 1 @ 103 maker, partially filled
        21.0  #1  canceled: reduce only
        """
    )


def test_a_triggered_reduce_only_market_order_ends_when_there_is_nothing_to_reduce() -> None:
    script = [
        new(1, 1, 3),
        new(5, -1, 3, kind=OrderKind.STOP_MARKET, trigger=90, reduce_only=True),
        new(10, -1, 3),
    ]
    for whole in (False, True):
        result = play(tape(BOOK, trade(20, -1, 9, 90)), script, no_partial_fill=whole)
        assert story(result)[-1] == "21.0  #1  canceled: reduce only"
        assert (result.fills["size"] > 0).all()


LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def test_in_hedge_mode_legs_are_held_apart() -> None:
    script = [new(1, 1, 3, leg=LONG), new(10, -1, 2, leg=SHORT), new(20, -1, 1, leg=LONG)]
    result = play(tape(BOOK), script, hedge_mode=True)
    assert story(result) == lines(
        """
        4.0  #0  fill 3 @ 101 taker, filled
        13.0  #1  fill 2 @ 99 taker, filled
        23.0  #2  fill 1 @ 99 taker, filled
        """
    )
    assert result.fills["position_side"].tolist() == [1, 2, 1]
    assert result.samples[-1]["position"] == 0


def test_in_hedge_mode_the_closing_side_of_a_leg_closes_no_more_than_it_holds() -> None:
    script = [new(1, 1, 3, leg=LONG), new(10, -1, 5, leg=LONG), new(20, 1, 1, leg=SHORT)]
    assert story(play(tape(BOOK), script, hedge_mode=True)) == lines(
        """
        4.0  #0  fill 3 @ 101 taker, filled
        13.0  #1  fill 3 @ 99 taker, filled
        23.0  #2  rejected: reduce only
        """
    )


@pytest.mark.parametrize(("hedge_mode", "leg"), [(True, PositionSide.BOTH), (False, LONG)])
def test_a_leg_belongs_to_hedge_mode_alone(hedge_mode: bool, leg: PositionSide) -> None:
    told = story(play(tape(BOOK), [new(1, 1, 3, leg=leg)], hedge_mode=hedge_mode))
    assert told == ["4.0  #0  rejected: position mode"]


def test_a_venue_without_hedge_mode_refuses_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="GENERIC has no hedge mode"):
        play(tape(BOOK), [], GENERIC, hedge_mode=True)


def test_a_halt_refuses_new_orders_and_amendments_but_not_cancels() -> None:
    halt = fact(8, EventKind.STATUS, 0, VenueStatus.HALTED)
    script = [new(1, 1, 1, 98), new(10, 1, 1, 98), amend(10, 0, 97, 1), cancel(15, 0)]
    assert story(play(tape(BOOK, halt), script)) == lines(
        """
        4.0  #0  new
        13.0  #1  rejected: not trading
        13.0  #0  new: not trading
        18.0  #0  canceled: by user
        """
    )


def test_while_a_market_takes_only_makers_others_are_refused() -> None:
    status = fact(0.5, EventKind.STATUS, 0, VenueStatus.POST_ONLY)
    script = [new(1, 1, 1, 98), new(2, 1, 1, 98, post_only=True), new(3, 1, 1)]
    assert story(play(tape(BOOK, status), script)) == lines(
        """
        4.0  #0  rejected: not trading
        5.0  #1  new
        6.0  #2  rejected: not trading
        """
    )


def test_limits_of_size_and_notional_are_those_of_the_rules() -> None:
    sizes: dict[str, Any] = {"min_size": Decimal(2), "max_size": Decimal(10), "max_market_size": Decimal(5)}
    traded = contract("BYBIT", min_notional=Decimal(300), **sizes)
    script = [
        new(1, 1, 1, 99),
        new(2, 1, 11, 99),
        new(3, 1, 6),
        new(4, 1, 3, 99),
        new(5, 1, 4, 99),
        new(6, 1, 2),
    ]
    told = story(play(tape(BOOK, trade(0.5, 1, 1, 100)), script, traded))
    assert [line.split("  ")[2] for line in told] == [
        "rejected: size limit",
        "rejected: size limit",
        "rejected: size limit",
        "rejected: min notional",
        "new",
        "rejected: min notional",
    ]
    free = story(play(tape(BOOK), script, traded, venue_checks=False))
    assert not any("rejected" in line for line in free)


def test_a_limit_price_far_on_the_aggressive_side_of_the_mark_is_refused() -> None:
    traded = contract("BYBIT", price_band=PriceBand(up=Decimal("0.03"), down=Decimal("0.02")))
    script = [new(1, 1, 1, 103), new(2, 1, 1, 104), new(3, -1, 1, 98), new(4, -1, 1, 97), new(5, 1, 1, 90)]
    told = story(play(tape(BOOK, trade(0.2, 1, 1, 200), mark(0.5, 100)), script, traded))
    assert [line.split("  ")[2] for line in told] == [
        "fill 1 @ 101 taker, filled",
        "rejected: price band",
        "fill 1 @ 99 taker, filled",
        "rejected: price band",
        "new",
    ]


def test_a_venue_has_room_for_so_many_orders() -> None:
    script = [new(1, 1, 1, 98) for _ in range(201)]
    told = story(play(tape(BOOK), script, BINANCE, orders_max=300))
    assert told[-1] == "4.0  #200  rejected: too many orders"
    assert all(line.endswith("new") for line in told[:-1])


STOP = {"kind": OrderKind.STOP_MARKET, "trigger": 103}
GTD = {"force": TimeInForce.GTD, "expire": at(50)}
BY_INDEX = {"trigger_by": TriggerBy.INDEX}
IMPOSSIBLE = {
    "a size of nothing": (BYBIT, new(1, 1, 0, 98), "0 lots; a size must be positive"),
    "a limit without a price": (BYBIT, new(1, 1, 1, kind=OrderKind.LIMIT), "a limit or trigger price"),
    "a market order with a price": (BYBIT, new(1, 1, 1, 98, kind=OrderKind.MARKET), "at 98 ticks"),
    "a price below nothing": (BYBIT, new(1, 1, 1, -5), "at -5 ticks"),
    "no side": (BYBIT, new(1, 0, 1, 98), "contradicts itself"),
    "a stop without a trigger": (BYBIT, new(1, 1, 1, kind=OrderKind.STOP_MARKET), "trigger price must be"),
    "a trailing stop without a distance": (
        BYBIT,
        new(1, 1, 1, kind=OrderKind.TRAILING_STOP),
        "trigger price",
    ),
    "a date that has passed": (BINANCE, new(1, 1, 1, 98, force=TimeInForce.GTD, expire=at(1)), "in the past"),
    "an instrument that is not there": (BYBIT, new(1, 1, 1, 98, instrument=1), "does not have"),
    "a stop by mark without marks": (BYBIT, new(1, 1, 1, trigger_by=TriggerBy.MARK, **STOP), "no mark price"),
    "a stop by index without it": (BYBIT, new(1, 1, 1, trigger_by=TriggerBy.INDEX, **STOP), "no index price"),
    "a date where there are none": (BYBIT, new(1, 1, 1, 98, **GTD), "does not offer"),
    "a trailing stop where there is none": (
        GENERIC,
        new(1, 1, 1, kind=OrderKind.TRAILING_STOP, trail=2),
        "does not offer",
    ),
    "an index that the venue does not watch": (BINANCE, new(1, 1, 1, **BY_INDEX, **STOP), "does not offer"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_is_impossible_ends_the_run_and_says_why(name: str) -> None:
    traded, ask, words = IMPOSSIBLE[name]
    with pytest.raises(StrategyFault, match=words) as fault:
        play(tape(BOOK), [ask], traded)
    message = str(fault.value)
    assert f"({at(1)} ns), event 5, " in message
    assert "2024-08-08T12:00:00Z" in message
    assert "scripted.py:" in message
    assert "\n" not in message


def test_retail_price_improvement_is_refused() -> None:
    class Retail(Scripted):
        def on_timer(self, view: View) -> None:
            view.buy(1, 98, post_only=True)
            view._outbox[0]["flags"] |= OrderFlag.RETAIL_PRICE_IMPROVEMENT

    with pytest.raises(StrategyFault, match="does not offer"):
        play(tape(BOOK), [], strategy=Retail)


def test_off_the_venues_grid_is_a_fault_for_orders_and_amendments() -> None:
    """The tape is finer than the order grid: two ticks of it to one of the venue's."""
    traded = contract("BYBIT", tick_size=Decimal(2), data_tick_size=Decimal(1), lot_size=Decimal(1))
    from headwater.backtest.run import run_backtest
    from headwater.tape.replay import ReplayInstrument
    from headwater.tape.replay_of import replay_of
    from tests.simulation.scripted import scripted, settings, small_arrays

    seen = ReplayInstrument(id=traded.id, tick_size=Decimal(1), lot_size=Decimal(1))
    for script in ([new(1, 1, 1, 97)], [new(1, 1, 1, 98), amend(10, 0, 97, 1)]):
        with (
            small_arrays(),
            pytest.raises(StrategyFault, match="at 97 ticks that is off the venue's order grid"),
        ):
            run_backtest(scripted(script), replay_of(tape(BOOK), [seen]), [traded], settings())


def test_too_many_orders_alive_is_a_fault() -> None:
    script = [new(1, 1, 1, 98) for _ in range(9)]
    with pytest.raises(StrategyFault, match="too many orders alive"):
        play(tape(BOOK), script, orders_max=8)


def test_more_intents_than_the_outbox_holds_are_a_fault() -> None:
    script = [new(1, 1, 1, 98) for _ in range(9)]
    with pytest.raises(StrategyFault, match="at most 8 orders"):
        play(tape(BOOK), script, outbox_size=8)


def test_refusals_are_on_the_record_with_their_reason() -> None:
    rows = reports_of(play(tape(BOOK), [new(1, 1, 1, 101, post_only=True)]))
    assert rows["status"].tolist() == [8]
    assert rows["reason"].tolist() == [1]
