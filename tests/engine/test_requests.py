"""From intents to requests, and from reports back to what the trader knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headwater.domain.event import NO_PRICE
from headwater.domain.intent import INTENT_DTYPE, RequestKind
from headwater.domain.order import OrderKind, OrderStatus
from headwater.domain.view import VIEW_DTYPE, WakeKind
from headwater.engine.intents import send_intents
from headwater.engine.reports import apply_report
from headwater.simulation.kinds import FaultKind, ReportKind
from headwater.simulation.state import MESSAGE_DTYPE, NO_HANDLE, Sim
from tests.simulation.small import small_sim

NOW = 1_723_118_400_000_000_000


def quiet_sim(ring: int = 256) -> Sim:
    sim = small_sim(log=64, fills=8, latencies=64, ring=ring)
    sim.clock[0]["now"] = NOW
    sim.venues[0]["entry_ns"] = 7
    return sim


def intent(action: RequestKind, **fields: int) -> Any:
    row = np.zeros(1, INTENT_DTYPE)
    row["action"], row["kind"], row["side"], row["size"] = action, OrderKind.LIMIT, 1, 5
    row["price"], row["trigger"], row["order"] = 99, NO_PRICE, -1
    for name, value in fields.items():
        row[name] = value
    return row


def send(sim: Sim, action: RequestKind = RequestKind.NEW, **fields: int) -> bool:
    return bool(send_intents(sim, intent(action, **fields), np.int64(1)))


def requests(sim: Sim) -> list[Any]:
    return [sim.requests[at] for at in range(int(sim.clock[0]["request_tail"]))]


def report(handle: int, kind: ReportKind, status: OrderStatus, **fields: int) -> Any:
    row = np.zeros(1, MESSAGE_DTYPE)
    row["order"], row["kind"], row["status"], row["ts"], row["ts_venue"] = (
        handle,
        kind,
        status,
        NOW + 9,
        NOW + 7,
    )
    for name, value in fields.items():
        row[name] = value
    return row[0]


def hear(sim: Sim, handle: int, kind: ReportKind, status: OrderStatus, **fields: int) -> WakeKind:
    view = np.zeros(1, VIEW_DTYPE)[0]
    return WakeKind(int(apply_report(sim, report(handle, kind, status, **fields), view)))


def free_records(sim: Sim) -> list[int]:
    found, handle = [], int(sim.clock[0]["free_order"])
    while handle != NO_HANDLE:
        assert handle not in found, "a record was given back twice"
        found.append(handle)
        handle = int(sim.orders[handle]["next"])
    return found


def test_a_new_order_is_open_pending_and_on_its_way() -> None:
    sim = quiet_sim()
    assert send(sim)
    (request,) = requests(sim)
    assert (request["kind"], request["ts"], request["ts_sent"], request["order"]) == (1, NOW + 7, NOW, 0)
    order = sim.orders[0]
    assert (order["l_status"], order["l_pending"], order["number"]) == (OrderStatus.PENDING_NEW, 1, 0)
    assert sim.instruments[0]["l_working"] == 1
    assert sim.clock[0]["open_count"] == 1


def test_numbers_rise_and_are_never_used_again() -> None:
    sim = quiet_sim()
    send(sim)
    hear(sim, 0, ReportKind.ACK, OrderStatus.REJECTED, answers=RequestKind.NEW)
    assert len(free_records(sim)) == len(sim.orders)
    send(sim)
    assert (sim.orders[0]["number"], sim.clock[0]["next_number"]) == (1, 2)


@pytest.mark.parametrize(
    ("fields", "fault", "value"),
    [
        ({"size": 0}, FaultKind.BAD_SIZE, 0),
        ({"price": 0}, FaultKind.BAD_PRICE, 0),
        ({"kind": 9}, FaultKind.BAD_KIND, 9),
        ({"instrument": 5}, FaultKind.BAD_INSTRUMENT, -1),
        ({"instrument": -1}, FaultKind.BAD_INSTRUMENT, -1),
    ],
)
def test_an_impossible_intent_says_which_and_why(
    fields: dict[str, int], fault: FaultKind, value: int
) -> None:
    sim = quiet_sim()
    outbox = np.zeros(2, INTENT_DTYPE)
    outbox[:1], outbox[1:] = intent(RequestKind.NEW), intent(RequestKind.NEW, **fields)
    assert not send_intents(sim, outbox, np.int64(2))
    clock = sim.clock[0]
    assert (clock["fault"], clock["fault_value"], clock["fault_intent"]) == (fault, value, 1)
    assert clock["fault_instrument"] == fields.get("instrument", 0)
    assert clock["requests_sent"] == 1


@pytest.mark.parametrize("handle", [-1, 64, 3])
def test_changing_an_order_that_does_not_exist_is_a_fault(handle: int) -> None:
    sim = quiet_sim()
    sim.orders["number"] = NO_HANDLE
    assert not send(sim, RequestKind.CANCEL, order=handle)
    assert sim.clock[0]["fault"] == FaultKind.UNKNOWN_ORDER


def test_a_full_ring_of_requests_is_a_fault() -> None:
    sim = quiet_sim(ring=4)
    assert all(send(sim) for _ in range(3))
    assert not send(sim)
    assert sim.clock[0]["fault"] == FaultKind.RING_FULL


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"size": 0}, FaultKind.BAD_SIZE),
        ({"price": 0}, FaultKind.BAD_PRICE),
        ({"price": 99}, FaultKind.OFF_GRID),
        ({"price": 98, "size": 4}, FaultKind.OFF_GRID),
    ],
)
def test_an_impossible_amendment_is_a_fault(fields: dict[str, int], fault: FaultKind) -> None:
    sim = quiet_sim()
    sim.instruments["price_step"] = 2
    sim.instruments["size_step"] = 3
    assert send(sim, price=98, size=3)
    hear(sim, 0, ReportKind.ACK, OrderStatus.NEW, answers=RequestKind.NEW)
    assert not send(sim, RequestKind.AMEND, order=0, **{"size": 3, **fields})
    assert sim.clock[0]["fault"] == fault


def test_a_market_order_has_no_price_to_amend() -> None:
    sim = quiet_sim()
    send(sim, kind=OrderKind.MARKET, price=NO_PRICE)
    hear(sim, 0, ReportKind.ACK, OrderStatus.NEW, answers=RequestKind.NEW)
    assert not send(sim, RequestKind.AMEND, order=0)
    assert sim.clock[0]["fault"] == FaultKind.BAD_PRICE


def test_an_order_that_is_over_is_left_alone() -> None:
    sim = quiet_sim()
    send(sim)
    send(sim, RequestKind.CANCEL, order=0)
    hear(sim, 0, ReportKind.ACK, OrderStatus.REJECTED, answers=RequestKind.NEW)
    assert send(sim, RequestKind.AMEND, order=0)
    assert sim.clock[0]["requests_sent"] == 2


def test_the_record_of_an_order_waits_for_the_answer_that_is_still_to_come() -> None:
    sim = quiet_sim()
    send(sim)
    hear(sim, 0, ReportKind.ACK, OrderStatus.NEW, answers=RequestKind.NEW)
    send(sim, RequestKind.CANCEL, order=0)
    hear(sim, 0, ReportKind.ACK, OrderStatus.EXPIRED)
    assert 0 not in free_records(sim)
    assert sim.clock[0]["open_count"] == 0
    hear(sim, 0, ReportKind.CANCEL_REJECT, OrderStatus.EXPIRED, answers=RequestKind.CANCEL)
    assert 0 in free_records(sim)
    assert sim.instruments[0]["l_working"] == 0


def test_the_last_open_order_takes_the_place_of_one_that_leaves() -> None:
    sim = quiet_sim()
    for _ in range(3):
        send(sim)
    hear(sim, 0, ReportKind.ACK, OrderStatus.REJECTED, answers=RequestKind.NEW)
    count = int(sim.clock[0]["open_count"])
    assert sorted(sim.open_orders[:count].tolist()) == [1, 2]
    assert all(sim.open_orders[sim.orders[handle]["open_at"]] == handle for handle in (1, 2))


@pytest.mark.parametrize(("leg", "legs"), [(0, (0, 0)), (1, (4, 0)), (2, (0, -4))])
def test_a_fill_moves_position_and_money(leg: int, legs: tuple[int, int]) -> None:
    sim = quiet_sim()
    send(sim)
    wake = hear(
        sim, 0, ReportKind.FILL, OrderStatus.PARTIALLY_FILLED,
        side=1, size=4, price=99, cash=-396, fee=2, position_side=leg, filled=4, answers=RequestKind.NEW,
    )  # fmt: skip
    ins = sim.instruments[0]
    assert wake == WakeKind.FILL | WakeKind.REPORT
    assert (ins["l_position"], ins["l_cash"], ins["l_fee"]) == (4, -396, 2)
    assert (ins["l_long"], ins["l_short"]) == legs
    assert sim.orders[0]["l_filled"] == 4
    assert sim.clock[0]["fill_count"] == 1


def test_funding_belongs_to_no_order() -> None:
    sim = quiet_sim()
    assert hear(sim, -1, ReportKind.FUNDING, OrderStatus.NONE, cash=-7) == WakeKind.REPORT
    assert sim.instruments[0]["l_funding"] == -7


def test_orders_are_logged_only_when_asked() -> None:
    sim = quiet_sim()
    send(sim)
    assert sim.clock[0]["log_count"] == 0
    sim.clock[0]["log_orders"] = 1
    send(sim)
    assert sim.clock[0]["log_count"] == 1
