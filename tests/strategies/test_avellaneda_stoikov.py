"""``AvellanedaStoikov`` quotes by its two formulas, with a variance that it has learned."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import EventKind, Events
from headwater.domain.order import OrderLogEvent
from headwater.simulation.kinds import MarginMode
from headwater.strategies.avellaneda_stoikov import AvellanedaStoikov
from tests.strategies.runs import run, submitted, tape_of
from tests.tape.events import NOON, message, snapshot, tape, trade

HALF_SECOND = 500_000_000
FREE = BacktestSettings(venue_checks=False, rate_limits=False, margin_mode=MarginMode.NONE)


def swinging(steps: int, swing: int) -> Events:
    """A book whose middle jumps up and down by `swing` ticks every half second."""
    books = [
        snapshot(
            NOON + at * HALF_SECOND - (at > 0) * 100,
            [(500_000 + swing * (at % 2), 1_000)],
            [(500_002 + swing * (at % 2), 1_000)],
        )
        for at in range(steps)
    ]
    return tape(*books, message(NOON + steps * HALF_SECOND, (EventKind.MARK_PRICE, 0, 10**8, 0)))


@given(
    st.floats(100.0, 1e6),
    st.integers(-10, 10),
    st.floats(0.0, 1e4),
    st.floats(1e-4, 1.0),
    st.floats(0.01, 5.0),
)
def test_the_quotes_stand_around_the_reservation_price(
    middle: float, inventory: int, variance: float, aversion: float, decay: float
) -> None:
    strategy = AvellanedaStoikov(risk_aversion=aversion, decay=decay, horizon_s=2.0)
    strategy.variance = variance
    bid, ask = strategy.quotes(middle, inventory)
    reservation = middle - inventory * aversion * variance * 2.0
    spread = aversion * variance * 2.0 + 2.0 / aversion * log(1.0 + aversion / decay)
    assert bid <= reservation - spread / 2.0 + 1e-6
    assert ask >= reservation + spread / 2.0 - 1e-6
    assert ask - bid <= spread + 2.0 + 1e-6


@given(st.integers(1, 20), st.floats(0.1, 1e4))
def test_an_inventory_makes_the_side_that_reduces_it_the_better_price(
    inventory: int, variance: float
) -> None:
    strategy = AvellanedaStoikov()
    strategy.variance = variance
    flat, long, short = (strategy.quotes(500_000.0, q) for q in (0, inventory, -inventory))
    assert long[0] <= flat[0] <= short[0]
    assert long[1] <= flat[1] <= short[1]


def test_nothing_is_quoted_before_the_variance_is_known() -> None:
    asked = submitted(run(AvellanedaStoikov, tape_of(swinging(12, 4)), FREE, warmup=8))
    assert (asked["ts"].min() - NOON) // HALF_SECOND == 9  # the first middle gives no change


def test_the_variance_is_that_of_the_changes_a_second() -> None:
    learned = []

    class Watched(AvellanedaStoikov):
        def on_timer(self, view):  # type: ignore[no-untyped-def]
            super().on_timer(view)
            learned.append(self.variance)

    run(Watched, tape_of(swinging(30, 6)), FREE)
    assert learned[-1] == pytest.approx(6**2 / 0.5)


def test_quotes_that_are_near_enough_stay_where_they_are() -> None:
    result = run(AvellanedaStoikov, tape_of(swinging(20, 1)), FREE, warmup=2, tolerance=50)
    assert len(submitted(result)) == 2
    assert not np.any(result.orders["event"] == OrderLogEvent.CANCEL)


def test_a_full_inventory_is_added_to_no_more() -> None:
    sold_into = tape(
        swinging(8, 2)[:-1],
        *(trade(NOON + at * HALF_SECOND + 1, 480_000, 5_000, side=-1) for at in range(8, 16)),
        message(NOON + 20 * HALF_SECOND, (EventKind.MARK_PRICE, 0, 10**8, 0)),
    )
    result = run(AvellanedaStoikov, tape_of(sold_into), FREE, warmup=2, inventory_max=3)
    assert [int(side) for side in result.fills["side"]] == [1, 1, 1]
