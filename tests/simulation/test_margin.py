"""Margin: tiers, balances and what an account affords, against Decimal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.book.side import NO_KEY
from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderFlag, OrderKind, PositionSide, TriggerBy
from headwater.simulation.kinds import ContractKind, MarginMode
from headwater.simulation.margin import (
    affords,
    initial_margin,
    maintenance_margin,
    margin_balance,
    order_value,
    purse,
)
from headwater.simulation.state import Sim
from headwater.simulation.triggers import await_trigger
from tests.oracle.margin import Tier, initial, maintenance, table
from tests.simulation.accounts import CAP, SCHEDULE, TAKER, Case, cases
from tests.simulation.small import FINE, hold, rest_order, small_sim, write_order

leverages = st.sampled_from([0, 100, 250, 300, 1_000, 5_000, 12_500])
values = st.integers(0, 100 * CAP)


@given(value=values, leverage=leverages)
def test_margins_follow_the_tiers(value: int, leverage: int) -> None:
    sim = small_sim(tables=table(SCHEDULE))
    ins = sim.instruments[0]
    ins["margin_tiers_at"] = 0
    assert initial_margin(ins, sim.tables, leverage, value) == initial(SCHEDULE, leverage, value)
    assert maintenance_margin(ins, sim.tables, value) == maintenance(SCHEDULE, value)


@given(value=values, more=st.integers(0, CAP), leverage=leverages)
def test_a_larger_position_never_needs_less(value: int, more: int, leverage: int) -> None:
    sim = small_sim(tables=table(SCHEDULE))
    ins = sim.instruments[0]
    ins["margin_tiers_at"] = 0
    least, more_needed = (
        (
            maintenance_margin(ins, sim.tables, worth),
            initial_margin(ins, sim.tables, leverage, worth),
        )
        for worth in (value, value + more)
    )
    assert least[0] <= more_needed[0]
    assert least[1] <= more_needed[1]
    assert least[0] <= least[1] <= value, "maintenance below initial margin below the value"


@pytest.mark.parametrize("tier", SCHEDULE[:-1])
def test_maintenance_margin_does_not_jump_at_the_end_of_a_tier(tier: Tier) -> None:
    sim = small_sim(tables=table(SCHEDULE))
    ins = sim.instruments[0]
    ins["margin_tiers_at"] = 0
    below, above = (maintenance_margin(ins, sim.tables, tier.cap + by) for by in (0, 1))
    assert 0 <= above - below <= 1


def test_without_tiers_the_leverage_alone_decides() -> None:
    sim = small_sim()
    ins = sim.instruments[0]
    assert initial_margin(ins, sim.tables, 1_000, 500) == 50
    assert initial_margin(ins, sim.tables, 0, 500) == 500
    assert maintenance_margin(ins, sim.tables, 500) == 0


@given(case=cases())
def test_the_balance_is_the_wallet_and_what_the_marks_say(case: Case) -> None:
    sim = case.sim()
    assert margin_balance(sim, 0) == case.account.margin_balance()
    assert purse(sim, 0) == (case.account.margin_balance() if case.account.is_cross else case.account.wallet)


@given(case=cases(), data=st.data())
def test_an_account_affords_what_its_margin_covers(case: Case, data: st.DataObject) -> None:
    sim = case.sim()
    sim.sides["best"] = NO_KEY  # nothing to take: an order is worth its limit
    at = data.draw(st.integers(0, len(case.account.books) - 1))
    side = data.draw(st.sampled_from([1, -1]))
    around = int(case.account.books[at].mark or 1_000)
    price = max(around + data.draw(st.integers(-30, 30)), 1)
    lots = data.draw(st.integers(1, 5 * CAP // price))
    order = write_order(sim, 60, at, side, price, lots)
    assert affords(sim, order) == case.account.affords(at, side, price, lots, TAKER)


def cross_account(wallet: int, leverage_e2: int = 1_000, **fields: int) -> Sim:
    sim = small_sim(2, tables=table(SCHEDULE))
    sim.instruments["margin_tiers_at"] = 0
    sim.instruments["v_mark"] = 100 * FINE
    for name, value in fields.items():
        sim.instruments[name] = value
    sim.accounts[0]["margin_mode"] = MarginMode.CROSS
    sim.accounts[0]["wallet"] = wallet
    sim.accounts[0]["leverage"] = leverage_e2
    return sim


def test_nobody_asks_without_a_margin_mode() -> None:
    sim = cross_account(0)
    sim.accounts[0]["margin_mode"] = MarginMode.NONE
    assert affords(sim, write_order(sim, 0, 0, 1, 100, 10**6))


def test_initial_margin_and_taker_fee_must_be_there() -> None:
    order = {"i": 0, "side": 1, "price": 100, "size": 1_000}
    for wallet, enough in ((10_055, True), (10_054, False)):
        sim = cross_account(wallet, taker_e8=55_000)
        assert affords(sim, write_order(sim, 0, **order)) == enough


def test_an_order_that_closes_needs_no_margin_of_its_own() -> None:
    sim = cross_account(10_000)
    hold(sim, 0, 1, 1_000, 100_000)
    assert affords(sim, write_order(sim, 0, 0, -1, 100, 1_000))
    assert affords(sim, write_order(sim, 0, 0, -1, 100, 2_000)), "turned around, it is as large as before"
    assert not affords(sim, write_order(sim, 0, 0, -1, 100, 2_001))
    assert not affords(sim, write_order(sim, 0, 0, 1, 100, 1))


def test_an_account_that_is_short_of_margin_can_still_close() -> None:
    sim = cross_account(9_000, taker_e8=55_000)  # the position alone needs 10,000
    hold(sim, 0, 1, 1_000, 100_000)
    assert affords(sim, write_order(sim, 0, 0, -1, 100, 1_000))
    assert not affords(sim, write_order(sim, 0, 0, 1, 100, 1))
    assert not affords(sim, write_order(sim, 0, 1, 1, 100, 1)), "nor elsewhere"


def test_both_legs_need_margin_in_hedge_mode() -> None:
    sim = cross_account(10_000, hedge_mode=1)
    hold(sim, 0, 1, 1_000, 100_000)
    opening = {"position_side": PositionSide.SHORT}
    assert not affords(sim, write_order(sim, 0, 0, -1, 100, 1, **opening))
    closing = {"position_side": PositionSide.LONG}
    assert affords(sim, write_order(sim, 0, 0, -1, 100, 1_000, **closing))


def test_orders_of_other_instruments_and_waiting_stops_hold_margin() -> None:
    sim = cross_account(20_000)
    rest_order(sim, 0, 1, 1, 100, 1_000)
    stop = write_order(sim, 1, 0, 1, NO_PRICE, 900, kind=OrderKind.STOP_MARKET, trigger=100)
    await_trigger(sim, 1, 0)
    assert stop["v_status"]
    assert affords(sim, write_order(sim, 2, 0, 1, 100, 100))
    assert not affords(sim, write_order(sim, 2, 0, 1, 100, 101))


def test_reduce_only_orders_need_nothing() -> None:
    sim = cross_account(0)
    rest_order(sim, 1, 0, 1, 100, 10**6, flags=OrderFlag.REDUCE_ONLY)
    assert affords(sim, write_order(sim, 0, 0, 1, 100, 10**6, flags=OrderFlag.REDUCE_ONLY))


def test_a_position_may_not_grow_beyond_the_last_tier_but_may_shrink() -> None:
    sim = cross_account(10**12)
    hold(sim, 0, 1, 30 * CAP // 100, 30 * CAP)
    assert not affords(sim, write_order(sim, 0, 0, 1, 100, 1))
    assert affords(sim, write_order(sim, 0, 0, -1, 100, 30 * CAP // 100))


def test_the_loss_of_one_instrument_is_missing_for_another_only_in_cross() -> None:
    for mode, enough in ((MarginMode.CROSS, False), (MarginMode.ISOLATED, True)):
        sim = cross_account(20_000)
        sim.accounts[0]["margin_mode"] = mode
        hold(sim, 1, 1, 1_000, 100_000)
        sim.instruments[1]["v_mark"] = 99 * FINE
        assert affords(sim, write_order(sim, 0, 0, 1, 100, 1_000)) == enough


def test_a_position_without_a_mark_price_counts_at_entry_and_never_at_the_last_price() -> None:
    sim = cross_account(10_000, v_mark=NO_PRICE, v_last=50)
    hold(sim, 0, 1, 1_000, 100_000)
    assert margin_balance(sim, 0) == 10_000


def test_a_market_order_is_worth_the_touch_and_a_low_sell_limit_too() -> None:
    sim = cross_account(0, v_last=120)
    assert order_value(sim, write_order(sim, 0, 0, 1, NO_PRICE, 10)) == 1_200
    assert order_value(sim, write_order(sim, 0, 0, -1, 1, 10)) == 1_200
    assert order_value(sim, write_order(sim, 0, 0, -1, 130, 10)) == 1_300
    assert order_value(sim, write_order(sim, 0, 0, 1, 1, 10)) == 10


@pytest.mark.parametrize(("by", "trigger"), [(TriggerBy.LAST, 90), (TriggerBy.MARK, 90 * FINE)])
def test_a_stop_order_is_worth_its_trigger(by: TriggerBy, trigger: int) -> None:
    sim = cross_account(0)
    stop = write_order(
        sim, 0, 0, -1, NO_PRICE, 10, kind=OrderKind.STOP_MARKET, trigger=trigger, trigger_by=by
    )
    assert order_value(sim, stop) == 900


def test_an_order_on_a_market_that_has_no_price_yet_is_worth_nothing() -> None:
    sim = cross_account(0)
    assert order_value(sim, write_order(sim, 0, 0, 1, NO_PRICE, 10)) == 0


def spot_account(wallet: int) -> Sim:
    sim = cross_account(wallet, contract=ContractKind.SPOT, margin_tiers_at=-1, taker_e8=100_000)
    sim.instruments["v_mark"] = NO_PRICE
    return sim


def test_spot_buys_are_paid_in_full_from_what_coins_have_left() -> None:
    sim = spot_account(20_000 + 10_010 + 5_005)
    hold(sim, 0, 1, 200, 20_000)
    rest_order(sim, 0, 1, 1, 100, 50)
    assert affords(sim, write_order(sim, 1, 0, 1, 100, 100))
    sim.accounts[0]["wallet"] -= 1
    assert not affords(sim, write_order(sim, 1, 0, 1, 100, 100))


def test_spot_sells_need_the_coins() -> None:
    sim = spot_account(0)
    hold(sim, 0, 1, 200, 20_000)
    rest_order(sim, 0, 0, -1, 100, 50)
    for handle, side in ((2, -1), (3, 1)):
        write_order(sim, handle, 0, side, NO_PRICE, 10, kind=OrderKind.STOP_MARKET, trigger=90)
        await_trigger(sim, handle, 0)
    assert affords(sim, write_order(sim, 1, 0, -1, 100, 140))
    assert not affords(sim, write_order(sim, 1, 0, -1, 100, 141))


def test_margins_of_the_largest_position_that_int64_holds_do_not_wrap() -> None:
    largest = 2**62
    schedule = [Tier(largest, Decimal("0.5"), Decimal("0.25"), 0)]
    sim = small_sim(tables=table(schedule))
    ins = sim.instruments[0]
    ins["margin_tiers_at"] = 0
    assert initial_margin(ins, sim.tables, 100, largest) == largest
    assert initial_margin(ins, sim.tables, 0, largest) == largest // 2
    assert maintenance_margin(ins, sim.tables, largest) == largest // 4
