"""The report's plain words: each shortcoming of the data or the settings is one sentence, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from headwater.backtest.contents import Contents
from headwater.backtest.honesty import not_modelled
from headwater.backtest.prepare import Traded
from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import EventKind
from headwater.domain.venue_behaviour import behaviour_of
from headwater.simulation.kinds import MarginMode
from headwater.storage.rules_files import load_rulebook
from headwater.tape.replay import ReplayInstrument

MINUTE_NS = 60_000_000_000
WHOLE = (EventKind.BOOK_DELTA, EventKind.TRADE, EventKind.MARK_PRICE, EventKind.FUNDING)
PERPETUAL, SPOT = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"


def traded(name: str, *kinds: EventKind, latency_usable: bool = True) -> Traded:
    """An instrument whose tape holds one event of each of these kinds."""
    instrument = load_rulebook().instrument(name)
    seen = ReplayInstrument(
        id=name, tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), latency_usable=latency_usable
    )
    behaviour = behaviour_of(instrument.venue, instrument.kind)
    return Traded(seen, instrument, Contents(dict.fromkeys(kinds, 1)), behaviour, 10**8)


def said(each: Traded, settings: BacktestSettings = BacktestSettings(), fundings_missed: int = 0) -> str:  # noqa: B008
    return "\n".join(not_modelled([each], settings, 90 * MINUTE_NS, fundings_missed))


def test_of_a_whole_tape_only_its_span_and_its_stillness_are_said() -> None:
    assert said(traded(PERPETUAL, *WHOLE)).splitlines() == [
        "The run stands on 90.0 minutes of data.",
        f"{PERPETUAL}: own orders do not move the recorded market beyond the liquidity that they take.",
    ]


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ((EventKind.BOOK_DELTA,), "no trades on the tape"),
        ((EventKind.QUOTE,), "best quotes alone"),
        ((EventKind.TRADE,), "queues are unknown"),
        ((EventKind.BAR_CLOSE,), "bars alone"),
    ],
)
def test_thin_data_is_named(kinds: tuple[EventKind, ...], words: str) -> None:
    assert words in said(traded(SPOT, *kinds))


def test_without_a_mark_price_a_derivative_is_not_liquidated_and_coins_need_none() -> None:
    kinds = EventKind.BOOK_DELTA, EventKind.TRADE
    assert "no mark price on the tape, so liquidation, funding" in said(traded(PERPETUAL, *kinds))
    assert "mark price" not in said(traded(SPOT, *kinds))


def test_a_perpetual_without_settlements_says_so() -> None:
    assert "no funding settlement was crossed" in said(traded(PERPETUAL, *WHOLE[:3]))


def test_settlements_that_could_not_be_made_are_counted() -> None:
    assert "3 funding settlements were crossed" in said(traded(PERPETUAL, *WHOLE), fundings_missed=3)


def test_data_without_receive_times_does_not_claim_a_latency_model() -> None:
    told = said(traded(PERPETUAL, *WHOLE, latency_usable=False))
    assert "how late the data reached the trader was not modelled" in told


def test_what_the_settings_switch_off_is_said() -> None:
    settings = BacktestSettings(margin_mode=MarginMode.NONE, no_partial_fill=True)
    told = said(traded(PERPETUAL, *WHOLE), settings)
    assert "margin was switched off" in told
    assert "compatibility mode" in told


def test_unknown_margin_tiers_are_said() -> None:
    known = traded(PERPETUAL, *WHOLE)
    rules = tuple(replace(each, margin_tiers=()) for each in known.instrument.rules)
    unknown = replace(known, instrument=replace(known.instrument, rules=rules))
    assert "no margin tiers are known" in said(unknown)


@pytest.mark.parametrize(
    ("span_ns", "words"),
    [
        (MINUTE_NS, "60 seconds"),
        (2 * MINUTE_NS, "2.0 minutes"),
        (180 * MINUTE_NS, "3.0 hours"),
        (2 * 24 * 60 * MINUTE_NS, "2.0 days"),
    ],
)
def test_the_span_is_said_in_the_unit_that_people_use(span_ns: int, words: str) -> None:
    assert not_modelled([], BacktestSettings(), span_ns) == [f"The run stands on {words} of data."]
