"""What a fill does to the account, and what the trader is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.intent import RequestKind
from headwater.domain.order import FillKind, OrderStatus, PositionSide, Reason
from headwater.domain.view import WakeKind
from headwater.simulation.kinds import ContractKind, ReportKind
from headwater.simulation.report import end_order, fill_order, forced_fill
from headwater.simulation.state import FAR_FUTURE, NO_HANDLE, Sim
from tests.oracle.position import Legs
from tests.simulation.small import reports, small_sim, write_order

TS = 1_700_000_000_000_000_000

fills = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 10**6), st.integers(1, 10**6), st.booleans()),
    min_size=1,
    max_size=20,
)


def venue(is_inverse: bool) -> Sim:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["contract"] = ContractKind.INVERSE if is_inverse else ContractKind.LINEAR
    ins["inverse_value"] = 10**9
    ins["maker_e8"], ins["taker_e8"] = -5_000, 55_000
    sim.accounts[0]["wallet"] = 10**6
    return sim


@given(is_inverse=st.booleans(), fills=fills, forced=st.booleans())
def test_the_wallet_moves_by_what_is_realised_less_the_fee(
    is_inverse: bool, fills: list[tuple[int, int, int, bool]], forced: bool
) -> None:
    sim, twin, wallet = venue(is_inverse), Legs(is_inverse, 10**9 if is_inverse else 1), 10**6
    for side, price, size, is_maker in fills:
        if forced:
            forced_fill(sim, 0, side, 0, price, size, TS)
        else:
            write_order(sim, 0, 0, side, price, size)
            fill_order(sim, 0, price, size, TS, is_maker, 0)
        wallet += twin.fill(side, price, size) - int(reports(sim)[-1]["fee"])
        assert sim.accounts[0]["wallet"] == wallet


@given(is_inverse=st.booleans(), fills=fills)
def test_what_the_trader_is_told_adds_up_to_what_the_venue_holds(
    is_inverse: bool, fills: list[tuple[int, int, int, bool]]
) -> None:
    sim = venue(is_inverse)
    for side, price, size, is_maker in fills:
        write_order(sim, 0, 0, side, price, size)
        fill_order(sim, 0, price, size, TS, is_maker, 0)
    told = reports(sim)
    ins = sim.instruments[0]
    assert sum(int(row["side"]) * int(row["size"]) for row in told) == ins["v_long"] - ins["v_short"]
    flows = sum(int(row["cash"]) - int(row["fee"]) for row in told)
    tied = int(ins["v_long_value"] - ins["v_short_value"]) * (-1 if is_inverse else 1)
    assert sim.accounts[0]["wallet"] == 10**6 + flows + tied


@pytest.mark.parametrize(("size", "status"), [(4, OrderStatus.PARTIALLY_FILLED), (10, OrderStatus.FILLED)])
def test_a_fill_reports_its_order(size: int, status: OrderStatus) -> None:
    sim = venue(False)
    order = write_order(sim, 3, 0, -1, 100_000, 10, number=77)
    fill_order(sim, 3, 100_000, size, TS, True, 0)
    (report,) = reports(sim)
    assert (report["kind"], report["order"], report["number"]) == (ReportKind.FILL, 3, 77)
    assert (report["status"], report["filled"]) == (status, size)
    assert (report["price"], report["size"], report["side"]) == (100_000, size, -1)
    assert (report["cash"], report["fee"]) == (100_000 * size, -5 * size)
    assert (report["is_maker"], report["fill_kind"], report["ts_venue"]) == (1, FillKind.TRADE, TS)
    assert order["v_filled"] == size


def test_a_liquidation_belongs_to_no_order() -> None:
    sim = venue(False)
    sim.instruments["hedge_mode"] = 1
    forced_fill(sim, 0, 1, PositionSide.LONG, 100_000, 4, TS)
    (report,) = reports(sim)
    assert (report["kind"], report["order"], report["number"]) == (ReportKind.FILL, NO_HANDLE, -1)
    assert (report["side"], report["position_side"]) == (1, PositionSide.LONG)
    assert (report["cash"], report["fee"], report["is_maker"]) == (-400_000, 220, 0)
    assert report["fill_kind"] == FillKind.LIQUIDATION


def test_reports_of_a_venue_arrive_in_the_order_in_which_it_acted() -> None:
    sim = venue(False)
    sim.venues[0]["response_ns"] = 1_000
    write_order(sim, 0, 0, 1, 100, 10)
    fill_order(sim, 0, 100, 1, TS, True, 0)
    sim.venues[0]["response_ns"] = 1
    fill_order(sim, 0, 100, 1, TS + 10, True, 0)
    assert [int(row["ts"]) for row in reports(sim)] == [TS + 1_000, TS + 1_000]
    assert [int(row["filled"]) for row in reports(sim)] == [1, 2]


@pytest.mark.parametrize(
    ("mask", "horizon"), [(0, FAR_FUTURE - 1), (WakeKind.FILL, TS + 1_000), (WakeKind.REPORT, TS + 1_000)]
)
def test_the_venue_waits_for_a_trader_who_wants_to_hear_of_fills(mask: int, horizon: int) -> None:
    sim = venue(False)
    sim.venues[0]["response_ns"] = 1_000
    sim.clock[0]["wake_mask"] = mask
    forced_fill(sim, 0, 1, PositionSide.BOTH, 100, 1, TS)
    assert sim.clock[0]["horizon"] == horizon


def test_what_marks_and_funding_can_move_is_counted() -> None:
    sim = venue(False)
    sim.instruments["has_mark"] = 1
    for side, exposed in ((1, 1), (1, 1), (-1, 1), (-1, 0)):
        forced_fill(sim, 0, side, PositionSide.BOTH, 100, 1, TS)
        assert sim.clock[0]["exposed"] == exposed


def test_an_order_that_ends_says_why() -> None:
    sim = venue(False)
    write_order(sim, 0, 0, 1, 100, 10)
    end_order(sim, 0, OrderStatus.REJECTED, Reason.PRICE_BAND, TS)
    (report,) = reports(sim)
    assert (report["kind"], report["status"], report["reason"]) == (
        ReportKind.ACK,
        OrderStatus.REJECTED,
        Reason.PRICE_BAND,
    )
    assert sim.clock[0]["rejects"] == 1


def test_the_first_report_alone_answers_the_request_that_led_to_it() -> None:
    sim = venue(False)
    write_order(sim, 3, 0, -1, 100_000, 10)
    sim.clock[0]["answering"] = RequestKind.NEW
    sim.clock[0]["answering_sent"] = 5
    fill_order(sim, 3, 100_000, 4, TS, False, 0)
    fill_order(sim, 3, 100_000, 6, TS, False, 0)
    assert [(row["answers"], row["ts_sent"]) for row in reports(sim)] == [(RequestKind.NEW, 5), (0, 0)]
