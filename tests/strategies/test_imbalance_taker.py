"""``imbalance_taker`` takes the thin side, and leaves when the lean is gone or time is up."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.backtest.settings import BacktestSettings
from headwater.domain.event import Events
from headwater.domain.order import OrderFlag, OrderKind, TimeInForce
from headwater.simulation.kinds import MarginMode
from headwater.strategies.imbalance_taker import imbalance_taker
from tests.strategies.runs import SPOT, run, submitted, tape_of
from tests.tape.events import NOON, delta, gap, snapshot, tape

SECOND = 10**9
FREE = BacktestSettings(venue_checks=False, rate_limits=False, margin_mode=MarginMode.NONE)
GIVEN: dict[str, object] = {"levels": 2, "enter": 0.5, "leave": 0.0, "hold_ms": 3_000, "pause_ms": 100}


def book(ts: int, bids: int, asks: int) -> Events:
    """Two levels a side with these sizes in all."""
    return snapshot(
        ts,
        [(500_000, bids // 2), (499_999, bids - bids // 2)],
        [(500_001, asks // 2), (500_002, asks - asks // 2)],
    )


def still(start: int, seconds: int) -> list[Events]:
    """A far level that changes every second."""
    return [delta(start + at * SECOND, (1, 499_900, 1 + at)) for at in range(1, seconds + 1)]


@pytest.mark.parametrize(("bids", "asks", "side"), [(900, 100, 1), (100, 900, -1)])
def test_it_takes_the_thin_side_at_its_price_and_never_rests(bids: int, asks: int, side: int) -> None:
    asked = submitted(
        run(imbalance_taker, tape_of(tape(book(NOON, bids, asks), *still(NOON, 1))), FREE, **GIVEN)
    )
    first = asked[0]
    assert (first["side"], first["kind"], first["time_in_force"]) == (side, OrderKind.LIMIT, TimeInForce.IOC)
    assert first["price"] == (500_001 if side > 0 else 500_000)


@pytest.mark.parametrize(("bids", "asks"), [(740, 260), (500, 500), (260, 740)])
def test_a_small_lean_is_left_alone(bids: int, asks: int) -> None:
    replay = tape_of(tape(book(NOON, bids, asks), *still(NOON, 2)))
    assert len(submitted(run(imbalance_taker, replay, FREE, **GIVEN))) == 0


def test_it_leaves_when_the_lean_is_gone() -> None:
    replay = tape_of(
        tape(
            book(NOON, 900, 100),
            *still(NOON, 1),
            book(NOON + 2 * SECOND, 400, 600),
            *still(NOON + 2 * SECOND, 1),
        )
    )
    asked = submitted(run(imbalance_taker, replay, FREE, **GIVEN))
    assert [int(side) for side in asked["side"]] == [1, -1]
    assert (asked["kind"][1], asked["flags"][1]) == (OrderKind.MARKET, OrderFlag.REDUCE_ONLY)


def test_it_leaves_when_time_is_up() -> None:
    replay = tape_of(tape(book(NOON, 900, 100), *still(NOON, 6)))
    result = run(imbalance_taker, replay, FREE, **GIVEN)
    asked = submitted(result)
    assert asked["side"][0] == 1
    out = asked[asked["side"] == -1]
    assert (out["ts"][0] - NOON) // SECOND == 3  # since the wake that asked


def test_a_book_that_is_not_trusted_is_not_believed() -> None:
    replay = tape_of(tape(book(NOON, 500, 500), gap(NOON + 1, 3), delta(NOON + 2, (1, 500_000, 9_000))))
    assert len(submitted(run(imbalance_taker, replay, FREE, **GIVEN))) == 0


def test_on_spot_it_does_not_sell_what_it_has_not() -> None:
    replay = tape_of(tape(book(NOON, 100, 900), *still(NOON, 2)), SPOT)
    assert len(submitted(run(imbalance_taker, replay, FREE, **GIVEN))) == 0


def test_between_two_orders_lies_the_pause() -> None:
    replay = tape_of(
        tape(book(NOON, 900, 0 + 100), *(delta(NOON + at * 10**7, (1, 499_900, at)) for at in range(1, 300)))
    )
    asked = submitted(run(imbalance_taker, replay, FREE, **(GIVEN | {"leave": 1.0, "pause_ms": 500})))
    assert len(asked) > 2
    assert np.diff(asked["ts"]).min() >= 500_000_000
