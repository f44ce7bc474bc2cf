"""Funding, margin and liquidation through whole runs: the mark price decides, never the last price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from headwater.backtest.result import BacktestResult
from headwater.domain.event import EventKind, Events
from headwater.domain.order import FillKind
from headwater.domain.rules import FeeTier
from headwater.simulation.kinds import MarginMode
from tests.simulation.scripted import contract, margin_tiers, new, play
from tests.simulation.story import book, fact, level, lines, mark, story, tape

BOOK = book(
    0,
    """
    bid | price | ask
        |   101 | 900
    900 |    99 |
    900 |    80 |
    """,
)
FREE = (FeeTier(volume_30d=Decimal(0), maker=Decimal(0), taker=Decimal(0)),)
TRADED = contract("BYBIT", margin_tiers=margin_tiers(), fee_tiers=FREE)
RATE = 10**8  # 0.0001 in units of 1e-12


def money(result: BacktestResult, name: str) -> Decimal:
    return Decimal(int(result.samples[-1][name])) / result.instruments[0].money_scale


def funding(milliseconds: float, rate: int = RATE) -> Events:
    return fact(milliseconds, EventKind.FUNDING, rate, 8 * 3600)


def margined(events: Events, script: list[Any], **given: Any) -> BacktestResult:
    return play(events, script, TRADED, **{"margin_mode": MarginMode.CROSS, **given})


def test_a_long_pays_funding_on_its_value_at_the_mark() -> None:
    result = margined(tape(BOOK, mark(0.5, 110), funding(20)), [new(1, 1, 10)])
    assert money(result, "funding") == Decimal("-0.11")  # 10 * 110 * 0.0001
    assert not any("funding settlements were crossed" in sentence for sentence in result.not_modelled)


def test_a_short_receives_it_and_a_negative_rate_turns_it() -> None:
    assert money(margined(tape(BOOK, mark(0.5, 110), funding(20)), [new(1, -1, 10)]), "funding") == Decimal(
        "0.11"
    )
    turned = margined(tape(BOOK, mark(0.5, 110), funding(20, -RATE)), [new(1, -1, 10)])
    assert money(turned, "funding") == Decimal("-0.11")


def test_funding_before_the_position_or_after_it_costs_nothing() -> None:
    events = tape(BOOK, mark(0.5, 110), funding(2), funding(30))
    assert money(margined(events, [new(1, 1, 10), new(20, -1, 10)]), "funding") == 0


def test_funding_without_a_mark_price_is_left_out_and_said() -> None:
    result = margined(tape(BOOK, funding(20)), [new(1, 1, 10)])
    assert money(result, "funding") == 0
    assert any(sentence.startswith("1 funding settlement") for sentence in result.not_modelled)


def test_an_order_that_the_wallet_cannot_margin_is_refused() -> None:
    """10x: 1,000 coins carry 10,000; 100 lots at 101 are 10,100."""
    script = [new(1, 1, 100, 101), new(5, 1, 90, 101)]
    told = story(margined(tape(BOOK, mark(0.5, 100)), script, initial_cash=Decimal(1_000)))
    assert told == lines(
        """
        4.0  #0  rejected: insufficient margin
        8.0  #1  fill 90 @ 101 taker, filled
        """
    )


def test_leverage_bounds_the_margin_of_an_order() -> None:
    script = [new(1, 1, 90, 101)]
    told = story(
        margined(tape(BOOK, mark(0.5, 100)), script, initial_cash=Decimal(1_000), leverage=Decimal(5))
    )
    assert told == ["4.0  #0  rejected: insufficient margin"]


def test_a_falling_mark_liquidates_and_cancels_what_rests() -> None:
    """90 long from 101 with 1,000: at 95 the loss is 540 and 460 stand against 427.5; at 94 370 against 423."""
    script = [new(1, 1, 90), new(5, -1, 10, 120)]
    events = tape(BOOK, mark(0.5, 100), mark(20, 95), mark(30, 94), mark(40, 93))
    result = margined(events, script, initial_cash=Decimal(1_000))
    assert story(result) == lines(
        """
        4.0  #0  fill 90 @ 101 taker, filled
        8.0  #1  new
        31.0  #1  canceled: by liquidation
        31.0  liquidated 90 @ 90
        """
    )
    last = result.fills[-1]
    assert (last["kind"], last["order"], last["side"]) == (FillKind.LIQUIDATION, -1, -1)
    assert result.samples[-1]["position"] == 0


def test_the_last_price_liquidates_nobody() -> None:
    from tests.simulation.story import trade

    events = tape(BOOK, mark(0.5, 100), level(10, 1, 99, 0), trade(20, -1, 900, 50))
    result = margined(events, [new(1, 1, 90)], initial_cash=Decimal(1_000))
    assert result.samples[-1]["position"] == 90


def test_without_marks_nobody_is_liquidated_and_the_report_says_so() -> None:
    result = margined(tape(BOOK, level(10, 1, 99, 0)), [new(1, 1, 90)], initial_cash=Decimal(1_000))
    assert result.samples[-1]["position"] == 90
    assert any("no mark price on the tape" in sentence for sentence in result.not_modelled)


@pytest.mark.parametrize("mode", [MarginMode.CROSS, MarginMode.ISOLATED])
def test_a_loss_on_one_instrument_takes_the_other_with_it_only_in_a_cross_account(mode: MarginMode) -> None:
    instruments = [contract("BYBIT", name, margin_tiers=margin_tiers(), fee_tiers=FREE) for name in "XY"]
    script = [new(1, 1, 40), new(1, 1, 40, instrument=1)]
    parts = [
        tape(BOOK, mark(0.5, 100), mark(20, 91), mark(30, 85)),
        tape(BOOK, mark(0.5, 100)),
    ]
    result = play(parts, script, *instruments, margin_mode=mode, initial_cash=Decimal(1_000))
    gone = result.fills[result.fills["kind"] == FillKind.LIQUIDATION]
    expected = {0} if mode is MarginMode.ISOLATED else {0, 1}
    assert {int(i) for i in gone["instrument"]} <= expected
    assert 0 in gone["instrument"]


def test_fees_follow_the_maker_and_the_taker_of_each_fill() -> None:
    from tests.simulation.story import trade

    result = play(tape(BOOK, trade(20, -1, 10, 98)), [new(1, 1, 10, 101), new(5, 1, 10, 100)])
    scale = result.instruments[0].money_scale
    fees = [Decimal(int(fee)) / scale for fee in result.fills["fee"]]
    assert fees == [Decimal("0.5555"), Decimal("0.2")]
    assert [Decimal(int(cash)) / scale for cash in result.fills["cash"]] == [-1010, -1000]


def test_the_settings_fees_replace_those_of_the_rules() -> None:
    result = play(tape(BOOK), [new(1, 1, 10)], maker_fee=Decimal("-0.0001"), taker_fee=Decimal("0.001"))
    assert result.fills["fee"][0] == 101 * 10**6
