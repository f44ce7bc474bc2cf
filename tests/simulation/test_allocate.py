"""A new simulation: nothing has happened, and every array is the size that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headwater.book.side import NO_KEY
from headwater.domain.event import NO_PRICE, VenueStatus
from headwater.simulation.allocate import allocate
from headwater.simulation.state import FAR_FUTURE, NO_HANDLE
from tests.simulation.small import small_sim


def test_all_orders_are_free_and_linked() -> None:
    sim = small_sim(orders=5)
    found, handle = [], int(sim.clock[0]["free_order"])
    while handle != NO_HANDLE:
        found.append(handle)
        handle = int(sim.orders[handle]["next"])
    assert found == [0, 1, 2, 3, 4]


def test_no_price_is_known_and_no_order_is_there() -> None:
    for ins in small_sim(3).instruments:
        assert {ins[name] for name in ("v_last", "v_mark", "v_index", "l_last", "l_bid_seen")} == {NO_PRICE}
        assert {ins[name] for name in ("v_buy_head", "v_sell_head", "v_trigger_head")} == {NO_HANDLE}
        assert {ins[name] for name in ("fee_tiers_at", "margin_tiers_at", "bar_builder")} == {-1}
        assert ins["status"] == VenueStatus.TRADING
        assert ins["l_trusted"]


def test_each_instrument_has_four_empty_sides() -> None:
    sim = small_sim(3)
    assert len(sim.sides) == 12
    assert set(sim.sides["best"]) == {NO_KEY}


def test_nothing_is_due() -> None:
    clock = small_sim().clock[0]
    assert {clock[name] for name in ("next_expiry", "next_timer", "next_sample")} == {FAR_FUTURE}
    assert clock["horizon"] == FAR_FUTURE - 1  # the venue may run as far as anything happens


def test_venues_draw_different_random_numbers() -> None:
    sim = allocate(1, 3, 2, orders=1, ring=1, window=64, far_capacity=64)
    assert len(np.unique(sim.venues["random"])) == len(sim.venues) == 3
    assert len(sim.accounts) == 2


@pytest.mark.parametrize(
    ("name", "count"), [("n_instruments", 0), ("orders", 0), ("ring", 0), ("n_venues", -1)]
)
def test_counts_must_be_positive(name: str, count: int) -> None:
    sizes: dict[str, Any] = {"n_instruments": 1, name: count}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, was {count}"):
        allocate(**sizes)


def test_a_ring_must_be_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="ring must be a power of two, was 12"):
        allocate(1, ring=12)
