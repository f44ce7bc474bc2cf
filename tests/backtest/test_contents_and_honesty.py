"""What a tape holds, and what is said of what it does not hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from headwater.backtest.contents import Contents, contents
from headwater.domain.event import EventKind, Events
from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.instrument import Instrument, InstrumentKind
from headwater.domain.rules import Rules
from headwater.simulation.kinds import MarginMode, PriceSource
from headwater.tape.replay import Replay, ReplayInstrument
from tests.simulation.scripted import at, contract, margin_tiers, play, replay
from tests.simulation.story import book, fact, mark, tape, trade
from tests.tape.events import bar, message
from tests.tape.events import tape as joined

BOOK = book(0, "  5 |    99 |\n     |   101 |   5")
QUOTES = message(at(0), (EventKind.QUOTE, 1, 99, 5), (EventKind.QUOTE, -1, 101, 5))
SPOT = Instrument(
    id=InstrumentId("XUSDT.BYBIT"),
    venue="BYBIT",
    symbol="XUSDT",
    kind=InstrumentKind.SPOT,
    base="X",
    quote="USDT",
    settle="USDT",
    rules=(Rules(valid_from=UnixNanos(0), tick_size=Decimal(1), lot_size=Decimal(1), source="test"),),
)


def said(events: Events, traded: Instrument | None = None, **given: Any) -> str:
    return " ".join(play(events, [], traded or contract(), **given).not_modelled)


@pytest.mark.parametrize(
    ("kinds", "source"),
    [
        ({EventKind.BOOK_DELTA, EventKind.QUOTE, EventKind.TRADE}, PriceSource.BOOK),
        ({EventKind.BOOK_SNAPSHOT}, PriceSource.BOOK),
        ({EventKind.QUOTE, EventKind.TRADE}, PriceSource.QUOTES),
        ({EventKind.TRADE, EventKind.BAR_CLOSE}, PriceSource.TRADES),
        ({EventKind.BAR_CLOSE}, PriceSource.BARS),
    ],
)
def test_the_best_source_of_prices_is_used(kinds: set[EventKind], source: PriceSource) -> None:
    assert Contents(dict.fromkeys(kinds, 1)).source is source


def test_events_are_counted_by_instrument_and_kind() -> None:
    parts = [joined(BOOK, trade(1, 1, 1, 101)), joined(trade(1, 1, 1, 101), trade(2, 1, 1, 101))]
    found = contents(replay(parts, contract("BYBIT", "X"), contract("BYBIT", "Y")))
    assert found[0].counts == {EventKind.BOOK_CLEAR: 1, EventKind.BOOK_SNAPSHOT: 2, EventKind.TRADE: 1}
    assert found[1].counts == {EventKind.TRADE: 2}
    assert not found[1].has(EventKind.BOOK_CLEAR)


CASES: dict[str, tuple[Events, dict[str, Any], str]] = {
    "a perpetual without marks": (tape(BOOK), {}, "no mark price on the tape, so liquidation, funding"),
    "a perpetual with marks and without funding": (
        tape(BOOK, mark(1, 100)),
        {},
        "no funding settlement was crossed",
    ),
    "a book without trades": (tape(BOOK), {}, "resting orders fill only when the book crosses them"),
    "a book": (tape(BOOK, trade(1, 1, 1, 101)), {}, "own orders do not move the recorded market"),
    "quotes": (joined(QUOTES, fact(5, EventKind.OPEN_INTEREST)), {}, "best quotes alone"),
    "prints": (joined(trade(0, 1, 1, 100), trade(5, 1, 1, 100)), {}, "prints alone: no book"),
    "bars": (joined(bar(at(0), 10**7, (1, 2, 1, 2))), {}, "bars alone: inside a bar"),
    "no margin": (tape(BOOK), {"margin_mode": MarginMode.NONE}, "margin was switched off"),
    "no tiers": (tape(BOOK), {"margin_mode": MarginMode.CROSS}, "no margin tiers are known"),
    "compatibility": (tape(BOOK), {"no_partial_fill": True}, "fills are whole and taking leaves no trace"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_could_not_be_modelled_is_said(name: str) -> None:
    events, given, words = CASES[name]
    assert words in said(events, **given)


def test_what_could_be_modelled_is_not_excused() -> None:
    complete = tape(BOOK, mark(1, 100), trade(2, 1, 1, 101), fact(3, EventKind.FUNDING, 10**8, 28_800))
    traded = contract("BYBIT", margin_tiers=margin_tiers())
    sentences = play(complete, [], traded, margin_mode=MarginMode.CROSS).not_modelled
    assert len(sentences) == 2, "how much data, and that the market does not react"


def test_spot_needs_no_mark_price() -> None:
    assert "mark price" not in said(tape(BOOK), SPOT)


def test_a_clock_that_could_not_be_used_is_said() -> None:
    from headwater.backtest.run import run_backtest
    from tests.simulation.scripted import scripted, settings, small_arrays

    made = replay(tape(BOOK), contract())
    seen = ReplayInstrument(id=contract().id, tick_size=Decimal(1), lot_size=Decimal(1), latency_usable=False)
    unusable = Replay(local=made.local, venue=made.venue, instruments=(seen,))
    with small_arrays():
        result = run_backtest(scripted([]), unusable, [contract()], settings())
    assert any("receive" in sentence and "not usable" in sentence for sentence in result.not_modelled)


@pytest.mark.parametrize(
    ("end", "words"),
    [(90_000, "90 seconds"), (300_000, "5.0 minutes"), (7_200_000, "2.0 hours"), (259_200_000, "3.0 days")],
)
def test_the_first_sentence_says_on_how_much_data_the_run_stands(end: int, words: str) -> None:
    from headwater.backtest.honesty import not_modelled
    from headwater.backtest.settings import BacktestSettings

    assert not_modelled([], BacktestSettings(), end * 10**6)[0] == f"The run stands on {words} of data."
