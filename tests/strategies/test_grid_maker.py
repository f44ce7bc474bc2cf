"""``grid_maker`` keeps a grid around the middle: where the orders stand, and which of them move."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.result import BacktestResult
from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import EventKind, Events
from headwater.domain.order import OrderFlag, OrderLogEvent
from headwater.simulation.kinds import MarginMode
from headwater.strategies.grid_maker import grid_maker
from tests.strategies.runs import SPOT, run, submitted, tape_of
from tests.tape.events import NOON, delta, message, snapshot, tape, trade

STEP = 100_000_000
FREE = BacktestSettings(venue_checks=False, rate_limits=False, margin_mode=MarginMode.NONE)


def quiet_book(bid: int, ask: int, steps: int = 3) -> Events:
    """A book of one level a side that nothing happens to."""
    last = message(NOON + steps * STEP + 1, (EventKind.MARK_PRICE, 0, 10**8, 0))
    return tape(snapshot(NOON, [(bid, 1_000)], [(ask, 1_000)]), last)


def prices(result: BacktestResult, side: int) -> list[int]:
    asked = submitted(result)
    return [int(price) for price in asked["price"][asked["side"] == side]]


@given(
    st.integers(500_000, 500_050),
    st.integers(1, 40),
    st.integers(1, 10),
    st.integers(0, 30),
    st.integers(1, 7),
)
def test_the_grid_lies_on_multiples_of_the_interval_outside_the_half_spread(
    bid: int, spread: int, levels: int, half_spread: int, interval: int
) -> None:
    given_values = {"levels": levels, "half_spread": half_spread, "interval": interval}
    replay = tape_of(quiet_book(bid, bid + spread))
    result = run(grid_maker, replay, FREE, max_position=1_000, **given_values)
    middle = bid + Fraction(spread, 2)
    first_bid = floor((middle - half_spread) / interval) * interval
    first_ask = ceil((middle + half_spread) / interval) * interval
    assert prices(result, 1)[:levels] == [first_bid - interval * at for at in range(levels)]
    assert prices(result, -1)[:levels] == [first_ask + interval * at for at in range(levels)]


def test_all_orders_are_post_only() -> None:
    asked = submitted(run(grid_maker, tape_of(quiet_book(500_000, 500_001)), FREE))
    assert len(asked) == 10
    assert np.all(asked["flags"] == OrderFlag.POST_ONLY)


def test_orders_that_still_stand_on_the_grid_keep_their_place() -> None:
    moved = tape(
        snapshot(NOON, [(500_000, 1_000), (499_990, 1_000)], [(500_010, 1_000), (500_020, 1_000)]),
        delta(NOON + STEP + 50_000_000, (-1, 500_010, 0), (1, 500_010, 1_000)),
        message(NOON + 3 * STEP, (EventKind.MARK_PRICE, 0, 10**8, 0)),
    )
    result = run(grid_maker, tape_of(moved), FREE, levels=3, half_spread=10, interval=10)
    cancelled = result.orders[result.orders["event"] == OrderLogEvent.CANCEL]
    assert prices(result, 1) == [499_990, 499_980, 499_970, 500_000]
    assert prices(result, -1) == [500_020, 500_030, 500_040, 500_050]
    assert sorted(cancelled["price"]) == [499_970, 500_020]


def test_a_side_is_withdrawn_while_the_position_is_at_its_limit() -> None:
    filled = tape(
        snapshot(NOON, [(500_000, 1_000)], [(500_010, 1_000)]),
        trade(NOON + 2 * STEP - 1, 499_000, 1_000, side=-1),
        message(NOON + 5 * STEP, (EventKind.MARK_PRICE, 0, 10**8, 0)),
    )
    result = run(grid_maker, tape_of(filled), FREE, levels=2, half_spread=10, max_position=0.02)
    assert [int(side) for side in result.fills["side"]] == [1, 1]
    assert len(prices(result, 1)) == 2


def test_on_spot_no_more_is_offered_than_is_held() -> None:
    result = run(grid_maker, tape_of(quiet_book(500_000, 500_001), SPOT), levels=2)
    assert len(prices(result, 1)) == 2
    assert prices(result, -1) == []
