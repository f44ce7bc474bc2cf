"""Waiting orders: which price fires which, against plain Python."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderKind, OrderStatus, TriggerBy
from headwater.simulation.kinds import ReportKind
from headwater.simulation.state import NO_HANDLE
from headwater.simulation.triggers import (
    await_trigger,
    first_fired,
    forget_trigger,
    is_waiting,
    reference_price,
    release,
    would_fire,
)
from tests.oracle.triggers import Waiting
from tests.simulation.small import FINE, handles, reports, small_sim, write_order

CONDITIONAL = [kind for kind in OrderKind if kind > OrderKind.LIMIT]
SOURCES = {TriggerBy.LAST: "v_last", TriggerBy.MARK: "v_mark", TriggerBy.INDEX: "v_index"}

prices = st.integers(50, 150)


@given(
    kind=st.sampled_from(CONDITIONAL),
    by=st.sampled_from(TriggerBy),
    side=st.sampled_from([1, -1]),
    trigger=st.one_of(st.none(), prices),
    distance=st.integers(1, 20),
    path=st.lists(prices, min_size=1, max_size=40),
)
def test_an_order_fires_at_the_price_at_which_it_should(
    kind: OrderKind, by: TriggerBy, side: int, trigger: int | None, distance: int, path: list[int]
) -> None:
    if trigger is None and kind != OrderKind.TRAILING_STOP:
        trigger = path[0]
    unit = 1 if by == TriggerBy.LAST else FINE
    sim = small_sim()
    ins = sim.instruments[0]
    at = NO_PRICE if trigger is None else trigger * unit
    fields = {"kind": kind, "trigger": at, "trigger_by": by, "trail": distance}
    order = write_order(sim, 0, 0, side, NO_PRICE, 1, **fields)
    twin = Waiting(kind.name, side, trigger, distance)
    await_trigger(sim, 0, 0)
    for price in path:
        ins[SOURCES[by]] = price * unit
        assert reference_price(ins, by) == price * unit
        fires = twin.meets(price)
        assert first_fired(sim, 0, by) == (0 if fires else NO_HANDLE)
        assert order["v_trigger"] == (NO_PRICE if twin.level is None else twin.level * unit)
        assert order["trigger"] == at, "what the trader reads stays"
        if fires:
            break


@given(
    kind=st.sampled_from(CONDITIONAL),
    side=st.sampled_from([1, -1]),
    trigger=prices,
    price=st.one_of(st.none(), prices),
)
def test_an_order_beyond_its_trigger_is_recognised_on_arrival(
    kind: OrderKind, side: int, trigger: int, price: int | None
) -> None:
    sim = small_sim()
    sim.instruments["v_last"] = NO_PRICE if price is None else price
    order = write_order(sim, 0, 0, side, NO_PRICE, 1, kind=kind, trigger=trigger)
    fires = price is not None and kind != OrderKind.TRAILING_STOP
    assert would_fire(sim.instruments[0], order) == (
        fires and Waiting(kind.name, side, trigger).meets(price or 0)
    )


@given(leave=st.permutations(range(6)))
def test_orders_wait_in_the_order_in_which_they_came_and_leave_from_anywhere(leave: list[int]) -> None:
    sim = small_sim()
    ins = sim.instruments[0]
    for handle in range(6):
        write_order(sim, handle, 0, 1, NO_PRICE, 1, kind=OrderKind.STOP_MARKET, trigger=100)
        await_trigger(sim, handle, 7)
    waiting = list(range(6))
    for handle in leave:
        assert handles(sim, ins["v_trigger_head"]) == waiting
        assert ins["v_orders"] == sim.clock[0]["venue_open"] == len(waiting)
        forget_trigger(sim, handle)
        waiting.remove(handle)
    assert ins["v_trigger_head"] == NO_HANDLE


def test_of_several_the_first_that_came_fires_first() -> None:
    sim = small_sim()
    for handle, trigger in enumerate((120, 105, 101)):
        write_order(sim, handle, 0, 1, NO_PRICE, 1, kind=OrderKind.STOP_MARKET, trigger=trigger)
        await_trigger(sim, handle, 0)
    sim.instruments["v_last"] = 110
    assert first_fired(sim, 0, TriggerBy.LAST) == 1
    release(sim, 1)
    assert sim.orders[1]["v_status"] == OrderStatus.NEW
    assert first_fired(sim, 0, TriggerBy.LAST) == 2


def test_the_trader_hears_that_an_order_waits() -> None:
    sim = small_sim()
    order = write_order(sim, 0, 0, 1, NO_PRICE, 1, kind=OrderKind.STOP_MARKET, trigger=100)
    await_trigger(sim, 0, 7)
    assert is_waiting(order)
    (report,) = reports(sim)
    assert (report["kind"], report["status"]) == (ReportKind.ACK, OrderStatus.UNTRIGGERED)


@pytest.mark.parametrize("by", TriggerBy)
def test_no_price_fires_nothing(by: TriggerBy) -> None:
    sim = small_sim()
    fields = {"kind": OrderKind.TAKE_PROFIT_MARKET, "trigger": 100, "trigger_by": by}
    write_order(sim, 0, 0, -1, NO_PRICE, 1, **fields)
    await_trigger(sim, 0, 0)
    assert first_fired(sim, 0, by) == NO_HANDLE
