"""Venues that the data shows only in part: best quotes alone, prints alone."""

from __future__ import annotations

from decimal import Decimal

from headwater.domain.event import EventKind, Events
from headwater.domain.rules import FeeTier
from headwater.simulation.kinds import MarginMode
from tests.simulation.scripted import at, contract, margin_tiers, new, play
from tests.simulation.story import fact, lines, story, trade
from tests.tape.events import message, tape


def quotes(milliseconds: float, bid: tuple[int, int], ask: tuple[int, int]) -> Events:
    """Best bid and ask: (price, size) each."""
    return message(at(milliseconds), (EventKind.QUOTE, 1, *bid), (EventKind.QUOTE, -1, *ask))


END = fact(100, EventKind.OPEN_INTEREST)


def test_a_market_order_takes_no_more_than_the_quote_shows() -> None:
    events = tape(quotes(0, (99, 5), (101, 5)), END)
    assert story(play(events, [new(1, 1, 8)])) == lines(
        """
        4.0  #0  fill 5 @ 101 taker, partially filled
        4.0  #0  canceled: no liquidity
        """
    )


def test_a_quote_that_crosses_a_resting_order_fills_it() -> None:
    events = tape(quotes(0, (99, 5), (101, 5)), quotes(10, (97, 5), (98, 2)), END)
    assert story(play(events, [new(1, 1, 3, 99)])) == lines(
        """
        4.0  #0  new
        11.0  #0  fill 2 @ 99 maker, partially filled
        """
    )


def test_the_size_of_a_quote_is_the_queue_at_its_price() -> None:
    prints = [trade(10, -1, 3, 99), trade(14, -1, 1, 99)]
    events = tape(
        quotes(0, (99, 5), (101, 5)),
        prints[0],
        quotes(12, (99, 1), (101, 5)),
        prints[1],
        trade(16, -1, 1, 99),
        END,
    )
    assert story(play(events, [new(1, 1, 3, 99)])) == lines(
        """
        4.0  #0  new
        17.0  #0  fill 1 @ 99 maker, partially filled
        """
    )


def test_with_prints_alone_takers_pay_the_assumed_half_spread() -> None:
    events = tape(trade(0, 1, 1, 100), trade(50, 1, 1, 110), END)
    result = play(events, [new(1, 1, 8), new(60, -1, 8)], bar_slippage=Decimal("0.01"))
    assert story(result) == lines(
        """
        4.0  #0  fill 8 @ 101 taker, filled
        63.0  #1  fill 8 @ 108 taker, filled
        """
    )


def test_with_prints_alone_margin_is_asked_at_the_last_price() -> None:
    """Not at the price at which something was last executed: 10 x 100 carried 100 of margin, 10 x 200 want 200."""
    free = (FeeTier(volume_30d=Decimal(0), maker=Decimal(0), taker=Decimal(0)),)
    traded = contract(margin_tiers=margin_tiers(), fee_tiers=free)
    events = tape(trade(0, 1, 1, 100), trade(50, 1, 1, 200), END)
    script = [new(1, 1, 10), new(10, -1, 10), new(60, 1, 10)]
    given = {"initial_cash": Decimal(150), "margin_mode": MarginMode.CROSS, "bar_slippage": Decimal(0)}
    assert story(play(events, script, traded, **given))[-1] == "63.0  #2  rejected: insufficient margin"


def test_prints_through_the_price_fill_resting_orders() -> None:
    events = tape(trade(0, 1, 1, 100), trade(50, -1, 4, 97), END)
    assert story(play(events, [new(1, 1, 3, 98)]))[-1] == "51.0  #0  fill 3 @ 98 maker, filled"
