"""Liquidation, against plain Python step by step, and what must hold whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.book.side import side_size, side_update
from headwater.domain.event import NO_PRICE
from headwater.domain.order import FillKind, OrderStatus, PositionSide, Reason
from headwater.simulation.kinds import ContractKind, MarginMode, ReportKind
from headwater.simulation.liquidation import (
    account_maintenance,
    balance_behind,
    bankruptcy_price,
    left_over,
    leg_maintenance,
    on_mark,
)
from headwater.simulation.margin import leg_size, leg_value, margin_balance
from headwater.simulation.state import NO_HANDLE, Sim
from headwater.simulation.take import venue_side
from tests.oracle.margin import table
from tests.simulation.accounts import (
    CAP,
    SCHEDULE,
    Case,
    cases,
    lots_and_entries,
    twin_lots_and_entries,
)
from tests.simulation.small import FINE, hold, reports, rest_order, small_sim

TS = 1_700_000_000_000_000_000


def forced(sim: Sim) -> list[Any]:
    return [report for report in reports(sim) if report["kind"] == ReportKind.FILL]


@given(case=cases(), data=st.data())
def test_liquidation_goes_step_by_step(case: Case, data: st.DataObject) -> None:
    sim, twin = case.sim(), case.twin()
    at = data.draw(st.integers(0, len(case.account.books) - 1))
    on_mark(sim, at, TS)
    if case.account.books[at].mark is not None:
        twin.judge(at)
    fills = [tuple(int(row[name]) for name in ("instrument", "side", "price", "size")) for row in forced(sim)]
    assert fills == twin.fills
    assert lots_and_entries(sim) == twin_lots_and_entries(twin.account)
    row = sim.accounts[0]
    assert (row["wallet"], row["liquidations"], row["bankrupt"]) == (
        twin.account.wallet,
        bool(twin.fills),
        twin.is_bankrupt,
    )


@given(case=cases(), data=st.data())
def test_no_position_that_can_be_judged_is_left_without_its_margin(case: Case, data: st.DataObject) -> None:
    sim = case.sim()
    at = data.draw(st.integers(0, len(case.account.books) - 1))
    on_mark(sim, at, TS)
    if sim.instruments[at]["v_mark"] == NO_PRICE:
        assert forced(sim) == []
    elif case.account.is_cross:
        judged = [i for i in range(len(sim.instruments)) if sim.instruments[i]["v_mark"] != NO_PRICE]
        held = [i for i in judged if sim.instruments[i]["v_long"] or sim.instruments[i]["v_short"]]
        assert not held or margin_balance(sim, 0) > account_maintenance(sim, 0)
    else:
        for leg, name in ((1, "v_long"), (-1, "v_short")):
            if sim.instruments[at][name]:
                assert balance_behind(sim, at, leg) > leg_maintenance(sim, at, leg)


@given(case=cases(), data=st.data())
def test_forced_fills_keep_the_books(case: Case, data: st.DataObject) -> None:
    """Wallet, entry values, cash and fees agree; no leg grows; nothing of the trader's is named."""
    sim = case.sim()
    before, wallet = lots_and_entries(sim), int(sim.accounts[0]["wallet"])
    on_mark(sim, data.draw(st.integers(0, len(before) - 1)), TS)
    after = lots_and_entries(sim)
    tied = sum(new[2] - new[3] - old[2] + old[3] for old, new in zip(before, after, strict=True))
    flows = sum(int(row["cash"]) - int(row["fee"]) for row in forced(sim))
    assert int(sim.accounts[0]["wallet"]) == wallet + flows + tied
    assert all(new[leg] <= old[leg] for old, new in zip(before, after, strict=True) for leg in (0, 1))
    for row in forced(sim):
        assert (row["order"], row["number"], row["fill_kind"]) == (NO_HANDLE, -1, FillKind.LIQUIDATION)


@given(case=cases())
def test_judging_again_changes_nothing(case: Case) -> None:
    sim = case.sim()
    on_mark(sim, 0, TS)
    state, sent = lots_and_entries(sim), len(reports(sim))
    on_mark(sim, 0, TS + 1)
    assert lots_and_entries(sim) == state
    assert len(reports(sim)) == sent


@given(
    is_inverse=st.booleans(),
    leg=st.sampled_from([1, -1]),
    lots=st.integers(1, 10**6),
    mark=st.integers(20 * FINE, 10**6 * FINE),
    share_e4=st.integers(-9_000, 500),
    rate=st.integers(-25_000, 100_000),
)
def test_closing_at_the_bankruptcy_price_leaves_nothing_and_owes_nothing(
    is_inverse: bool, leg: int, lots: int, mark: int, share_e4: int, rate: int
) -> None:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["contract"] = ContractKind.INVERSE if is_inverse else ContractKind.LINEAR
    ins["inverse_value"] = 10**10
    ins["v_mark"] = mark
    hold(sim, 0, leg, lots, 0)
    value = lots * 10**10 * FINE // mark if is_inverse else lots * mark // FINE
    balance = value * share_e4 // 10_000
    price = bankruptcy_price(ins, leg, balance, rate)
    left = left_over(ins, leg, price, balance, rate)
    assert left >= 0
    if is_inverse:
        one_tick = max(abs(left_over(ins, leg, max(price - leg, 1), balance, rate) - left), value // price)
        rebate = 2 * value * max(-rate, 0) // 10**8  # not counted on
        assert left <= 2 * one_tick + rebate + 6
    else:
        assert price == 1 or left_over(ins, leg, price - leg, balance, rate) < 0


def cross_account(wallet: int, **fields: int) -> Sim:
    sim = small_sim(2, tables=table(SCHEDULE), window=256)
    sim.instruments["margin_tiers_at"] = 0
    sim.instruments["v_mark"] = 100 * FINE
    for name, value in fields.items():
        sim.instruments[name] = value
    sim.accounts[0]["margin_mode"] = MarginMode.CROSS
    sim.accounts[0]["wallet"] = wallet
    return sim


def test_the_mark_decides_to_the_last_money_unit() -> None:
    for wallet, fills in ((501, 0), (500, 1)):
        sim = cross_account(wallet)
        hold(sim, 0, 1, 1_000, 100_000)
        on_mark(sim, 0, TS)
        assert len(forced(sim)) == fills
        assert sim.accounts[0]["liquidations"] == fills


def test_without_a_mark_price_nobody_is_liquidated() -> None:
    sim = cross_account(0, v_mark=NO_PRICE, v_last=1)
    hold(sim, 0, 1, 1_000, 100_000)
    on_mark(sim, 0, TS)
    assert reports(sim) == []


@pytest.mark.parametrize("exempt", ["mode", "tiers", "spot"])
def test_what_has_no_margin_is_not_liquidated(exempt: str) -> None:
    sim = cross_account(0)
    hold(sim, 0, 1, 1_000, 100_000)
    if exempt == "mode":
        sim.accounts[0]["margin_mode"] = MarginMode.NONE
    elif exempt == "tiers":
        sim.instruments["margin_tiers_at"] = -1
    else:
        sim.instruments["contract"] = ContractKind.SPOT
    on_mark(sim, 0, TS)
    assert reports(sim) == []


@pytest.mark.parametrize(("mode", "survivors"), [(MarginMode.CROSS, 0), (MarginMode.ISOLATED, 1)])
def test_orders_are_cancelled_of_the_account_or_of_the_instrument(mode: MarginMode, survivors: int) -> None:
    sim = cross_account(0)
    sim.accounts[0]["margin_mode"] = mode
    hold(sim, 0, 1, 1_000, 200_000)
    rest_order(sim, 0, 0, 1, 90, 1)
    rest_order(sim, 1, 1, -1, 110, 1)
    on_mark(sim, 0, TS)
    assert sum(int(row["v_orders"]) for row in sim.instruments) == survivors
    assert sim.orders[0]["v_status"] == OrderStatus.CANCELED
    cancelled = [row for row in reports(sim) if row["kind"] == ReportKind.ACK]
    assert {int(row["reason"]) for row in cancelled} == {Reason.BY_LIQUIDATION}
    assert len(cancelled) == 2 - survivors


def test_an_isolated_loss_stops_at_the_margin_of_its_leg() -> None:
    sim = cross_account(1_000_000)
    sim.accounts[0]["margin_mode"] = MarginMode.ISOLATED
    sim.accounts[0]["leverage"] = 1_000
    hold(sim, 0, 1, 1_000, 150_000)  # holds 15,000; the mark is 50,000 below entry
    on_mark(sim, 0, TS)
    assert 1_000_000 - 15_000 <= sim.accounts[0]["wallet"] < 1_000_000 - 15_000 + 1_000, "within a tick"
    assert not sim.accounts[0]["bankrupt"], "the insurance fund bears the rest, the wallet is not touched"


def test_a_cross_account_that_lost_more_than_it_has_is_bankrupt() -> None:
    sim = cross_account(1_000)
    hold(sim, 0, -1, 1_000, 50_000)
    on_mark(sim, 0, TS)
    assert sim.accounts[0]["bankrupt"]
    assert 0 <= sim.accounts[0]["wallet"] < 1_000


def test_another_account_is_left_alone() -> None:
    sim = small_sim(3, accounts=2, tables=table(SCHEDULE))
    sim.instruments["margin_tiers_at"] = 0
    sim.instruments["v_mark"] = 100 * FINE
    sim.instruments["account"] = [0, 1, 0]
    sim.accounts["margin_mode"] = MarginMode.CROSS
    for i in range(3):
        hold(sim, i, 1, 1_000, 100_000)
        rest_order(sim, i, i, 1, 90, 1)
    on_mark(sim, 0, TS)
    assert [row[0] for row in lots_and_entries(sim)] == [0, 1_000, 0]
    assert [int(row["v_orders"]) for row in sim.instruments] == [0, 1, 0]
    assert sim.accounts["liquidations"].tolist() == [1, 0]


@pytest.mark.parametrize(("leg", "name"), [(1, PositionSide.LONG), (-1, PositionSide.SHORT)])
def test_in_hedge_mode_the_fill_names_the_leg(leg: int, name: PositionSide) -> None:
    sim = cross_account(0, hedge_mode=1)
    hold(sim, 0, leg, 10, 1_000)
    on_mark(sim, 0, TS)
    assert [int(row["position_side"]) for row in forced(sim)] == [name]
    assert lots_and_entries(sim)[0] == (0, 0, 0, 0)


def test_compatibility_mode_reduces_at_the_best_price_and_leaves_no_trace() -> None:
    sim = cross_account(0, no_partial_fill=1)
    lots = 2 * CAP // 100
    hold(sim, 0, 1, lots, 2 * CAP)
    sim.accounts[0]["wallet"] = CAP // 100  # needs 0.5 % of the first tier and 1 % of the second
    side_update(sim.sides, sim.levels, venue_side(0, 1), 100, 1)
    on_mark(sim, 0, TS)
    assert [(int(row["price"]), int(row["size"])) for row in forced(sim)] == [(100, lots // 2)]
    assert side_size(sim.sides, sim.levels, venue_side(0, 1), 100) == 1


@given(
    is_inverse=st.booleans(),
    mode=st.sampled_from([MarginMode.CROSS, MarginMode.ISOLATED]),
    mark=st.integers(500, 2_000),
    legs=st.tuples(*(st.tuples(st.integers(0, 10**6), st.integers(900, 1_100)) for _ in range(2))),
    wallet=st.integers(0, 10**8),
)
def test_hedged_and_inverse_accounts_end_safe_or_flat(
    is_inverse: bool, mode: MarginMode, mark: int, legs: tuple[tuple[int, int], ...], wallet: int
) -> None:
    sim = cross_account(wallet, hedge_mode=1, inverse_value=10**6, v_mark=mark * FINE)
    sim.instruments["contract"] = ContractKind.INVERSE if is_inverse else ContractKind.LINEAR
    sim.accounts[0]["margin_mode"] = mode
    sim.accounts[0]["leverage"] = 500
    for leg, (size, entry) in zip((1, -1), legs, strict=True):
        hold(sim, 0, leg, size, size * 10**6 // entry if is_inverse else size * entry)
    before = lots_and_entries(sim)[0]
    in_debt = _beyond_any_price(sim)
    on_mark(sim, 0, TS)
    after = lots_and_entries(sim)[0]
    for leg, lots in ((1, after[0]), (-1, after[1])):
        needed = account_maintenance(sim, 0) if mode == MarginMode.CROSS else leg_maintenance(sim, 0, leg)
        balance = margin_balance(sim, 0) if mode == MarginMode.CROSS else balance_behind(sim, 0, leg)
        assert lots == 0 or balance > needed
    sign = -1 if is_inverse else 1
    tied = sign * (after[2] - after[3] - before[2] + before[3])
    flows = sum(int(row["cash"]) - int(row["fee"]) for row in forced(sim))
    assert int(sim.accounts[0]["wallet"]) == wallet + flows + tied
    if mode == MarginMode.CROSS:
        assert margin_balance(sim, 0) >= 0 or in_debt


def _beyond_any_price(sim: Sim) -> bool:
    """Whether a leg owes more than its whole value: then even the best price that there is leaves a debt."""
    ins = sim.instruments[0]
    best = 4 if ins["contract"] == ContractKind.INVERSE else 2 * max(ins["v_long"], ins["v_short"])
    held = [leg for leg in (1, -1) if leg_size(ins, leg)]
    return any(leg_value(ins, leg) + balance_behind(sim, 0, leg) < best for leg in held)
