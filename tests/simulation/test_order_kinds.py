"""Each kind of order and each time in force, told as a story; requests take 2 ms, reports 1 ms."""

from __future__ import annotations

import pytest

from headwater.domain.event import EventKind
from headwater.domain.order import OrderKind, TimeInForce, TriggerBy
from tests.oracle.exchange import Ask
from tests.simulation.scripted import amend, at, cancel, contract, new, play, position
from tests.simulation.story import book, fact, lines, mark, story, tape, trade

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
BINANCE = contract("BINANCE")

CASES = {
    "a market order walks the book": (
        [new(1, 1, 8)],
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  fill 3 @ 102 taker, filled
        """,
    ),
    "a market order ends where the liquidity ends": (
        [new(1, -1, 20)],
        """
        4.0  #0  fill 5 @ 99 taker, partially filled
        4.0  #0  fill 7 @ 98 taker, partially filled
        4.0  #0  canceled: no liquidity
        """,
    ),
    "a limit order that does not cross rests": (
        [new(1, 1, 8, 100)],
        "4.0  #0  new",
    ),
    "a limit order takes what it may and rests with what is left": (
        [new(1, 1, 8, 101)],
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  partially filled
        """,
    ),
    "an IOC order takes what it may and ends": (
        [new(1, 1, 8, 101, force=TimeInForce.IOC)],
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  expired: immediate or cancel
        """,
    ),
    "an IOC order that meets nothing ends": (
        [new(1, 1, 8, 100, force=TimeInForce.IOC)],
        "4.0  #0  expired: immediate or cancel",
    ),
    "a FOK order that can be filled whole is": (
        [new(1, 1, 12, 102, force=TimeInForce.FOK)],
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  fill 7 @ 102 taker, filled
        """,
    ),
    "a FOK order that can't be filled whole takes nothing": (
        [new(1, 1, 13, 102, force=TimeInForce.FOK)],
        "4.0  #0  expired: fill or kill",
    ),
    "a post-only order that would take is refused and not re-priced": (
        [new(1, 1, 1, 101, post_only=True)],
        "4.0  #0  expired: post only would take",
    ),
    "a post-only order that would rest rests": (
        [new(1, 1, 1, 100, post_only=True)],
        "4.0  #0  new",
    ),
    "a cancelled order is gone": (
        [new(1, 1, 1, 100), cancel(10, 0)],
        """
        4.0  #0  new
        13.0  #0  canceled: by user
        """,
    ),
    "an amendment that crosses takes": (
        [new(1, 1, 3, 100), amend(10, 0, 101, 3)],
        """
        4.0  #0  new
        13.0  #0  fill 3 @ 101 taker, filled
        """,
    ),
    "an amendment to less than is filled is refused": (
        [new(1, 1, 8, 101), amend(10, 0, 101, 5)],
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  partially filled
        13.0  #0  partially filled: amend below filled
        """,
    ),
    "an order that is asked for twice to go is cancelled once": (
        [new(1, 1, 1, 100), cancel(10, 0), cancel(11, 0)],
        """
        4.0  #0  new
        13.0  #0  canceled: by user
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_order_against_a_still_book(name: str) -> None:
    script, expected = CASES[name]
    assert story(play(tape(BOOK), script)) == lines(expected)


LAST = trade(0.5, 1, 1, 100)
CONDITIONAL = {
    "a buy stop fires when the price rises to its trigger": (
        [new(1, 1, 2, kind=OrderKind.STOP_MARKET, trigger=103)],
        [trade(10, 1, 1, 102), trade(12, 1, 1, 103)],
        """
        4.0  #0  untriggered
        13.0  #0  fill 2 @ 101 taker, filled
        """,
    ),
    "a sell stop fires when the price falls to its trigger": (
        [new(1, -1, 2, kind=OrderKind.STOP_MARKET, trigger=97)],
        [trade(10, -1, 1, 96)],
        """
        4.0  #0  untriggered
        11.0  #0  fill 2 @ 99 taker, filled
        """,
    ),
    "a stop limit rests when its limit is not reached": (
        [new(1, 1, 2, 100, kind=OrderKind.STOP_LIMIT, trigger=103)],
        [trade(12, 1, 1, 103)],
        """
        4.0  #0  untriggered
        13.0  #0  new
        """,
    ),
    "a buy take-profit fires when the price falls": (
        [new(1, 1, 2, kind=OrderKind.TAKE_PROFIT_MARKET, trigger=97)],
        [trade(10, -1, 1, 98), trade(12, -1, 1, 97)],
        """
        4.0  #0  untriggered
        13.0  #0  fill 2 @ 101 taker, filled
        """,
    ),
    "a take-profit limit rests at its limit": (
        [new(1, -1, 2, 104, kind=OrderKind.TAKE_PROFIT_LIMIT, trigger=103)],
        [trade(10, 1, 1, 103)],
        """
        4.0  #0  untriggered
        11.0  #0  new
        """,
    ),
    "a trailing stop follows the best price and not back": (
        [new(1, -1, 2, kind=OrderKind.TRAILING_STOP, trail=3)],
        [trade(10, 1, 1, 105), trade(12, -1, 1, 103), trade(14, -1, 1, 102)],
        """
        4.0  #0  untriggered
        15.0  #0  fill 2 @ 99 taker, filled
        """,
    ),
    "a trailing stop waits for its activation price": (
        [new(1, -1, 2, kind=OrderKind.TRAILING_STOP, trail=3, trigger=106)],
        [trade(10, 1, 1, 105), trade(12, -1, 1, 101), trade(14, 1, 1, 106), trade(16, -1, 1, 103)],
        """
        4.0  #0  untriggered
        17.0  #0  fill 2 @ 99 taker, filled
        """,
    ),
    "a stop beyond its trigger already is refused": (
        [new(1, 1, 2, kind=OrderKind.STOP_MARKET, trigger=100)],
        [],
        "4.0  #0  rejected: trigger would fire",
    ),
    "a stop can be cancelled while it waits": (
        [new(1, 1, 2, kind=OrderKind.STOP_MARKET, trigger=103), cancel(6, 0)],
        [trade(12, 1, 1, 103)],
        """
        4.0  #0  untriggered
        9.0  #0  canceled: by user
        """,
    ),
    "a stop can't be amended while it waits": (
        [new(1, 1, 2, 100, kind=OrderKind.STOP_LIMIT, trigger=103), amend(6, 0, 101, 2)],
        [],
        """
        4.0  #0  untriggered
        9.0  #0  untriggered: order not found
        """,
    ),
    "a stop does not fire while trading is halted": (
        [new(1, 1, 2, kind=OrderKind.STOP_MARKET, trigger=103)],
        [
            fact(10, EventKind.STATUS, 0, 2),
            trade(11, 1, 1, 103),
            fact(14, EventKind.STATUS, 0, 1),
            trade(15, 1, 1, 103),
        ],
        """
        4.0  #0  untriggered
        16.0  #0  fill 2 @ 101 taker, filled
        """,
    ),
}


@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_conditional_order(name: str) -> None:
    script, prints, expected = CONDITIONAL[name]
    assert story(play(tape(BOOK, LAST, *prints), script)) == lines(expected)


@pytest.mark.parametrize(
    ("source", "kind"), [(TriggerBy.MARK, EventKind.MARK_PRICE), (TriggerBy.INDEX, EventKind.INDEX_PRICE)]
)
def test_a_stop_by_mark_or_index_does_not_look_at_trades(source: TriggerBy, kind: EventKind) -> None:
    first, later = fact(0.2, kind, 100 * 10**8), fact(20, kind, 103 * 10**8)
    script = [new(1, 1, 2, kind=OrderKind.STOP_MARKET, trigger=103 * 10**8, trigger_by=source)]
    told = story(play(tape(BOOK, first, LAST, trade(10, 1, 1, 110), later), script))
    assert told == lines(
        """
        4.0  #0  untriggered
        21.0  #0  fill 2 @ 101 taker, filled
        """
    )


GTD = {"force": TimeInForce.GTD, "expire": at(20)}
DATES: dict[str, tuple[list[Ask], str]] = {
    "a good-till-date order ends at its date": (
        [new(1, 1, 2, 98, **GTD)],
        """
        4.0  #0  new
        21.0  #0  expired: gtd expired
        """,
    ),
    "it ends while it waits for its trigger too": (
        [new(1, 1, 2, 98, kind=OrderKind.STOP_LIMIT, trigger=105, **GTD)],
        """
        4.0  #0  untriggered
        21.0  #0  expired: gtd expired
        """,
    ),
    "one that arrives after its date is refused": (
        [new(19, 1, 2, 98, **GTD)],
        "22.0  #0  rejected: gtd expired",
    ),
    "one whose cancel is on its way when it ends is heard of twice and freed once": (
        [new(1, 1, 2, 98, **GTD), cancel(19, 0), new(30, 1, 1, 97), new(30, 1, 1, 96), cancel(40, 1)],
        """
        4.0  #0  new
        21.0  #0  expired: gtd expired
        22.0  #0  expired: order not found
        33.0  #1  new
        33.0  #2  new
        43.0  #1  canceled: by user
        """,
    ),
}


@pytest.mark.parametrize("name", DATES)
def test_a_date_is_kept(name: str) -> None:
    script, expected = DATES[name]
    assert story(play(tape(BOOK, LAST), script, BINANCE)) == lines(expected)


def test_a_market_order_stops_at_its_protective_price() -> None:
    """Bybit: an immediate-or-cancel limit 2 % from the touch."""
    deep = book(
        0,
        """
        bid | price | ask
            |  1021 |   5
            |  1020 |   5
            |  1000 |   5
          5 |   999 |
        """,
    )
    assert story(play(tape(deep), [new(1, 1, 20)])) == lines(
        """
        4.0  #0  fill 5 @ 1000 taker, partially filled
        4.0  #0  fill 5 @ 1020 taker, partially filled
        4.0  #0  canceled: protective price
        """
    )


def test_a_position_is_what_the_fills_add_up_to() -> None:
    result = play(tape(BOOK, mark(0.5, 100)), [new(1, 1, 8), new(5, -1, 3), new(9, -1, 9)])
    assert position(result) == -4
    assert result.samples[-1]["position"] == -4
