"""Funding: exact amounts, and that what one side pays the other receives."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.event import NO_PRICE, RATE_SCALE
from headwater.simulation.funding import funding_received, settle_funding
from headwater.simulation.kinds import ContractKind, ReportKind
from headwater.simulation.money import fine_notional
from headwater.simulation.state import Sim
from tests.oracle.position import half_up
from tests.simulation.small import FINE, hold, reports, small_sim

TS = 1_700_000_000_000_000_000

rates = st.integers(-RATE_SCALE // 100, RATE_SCALE // 100)
marks = st.integers(20 * FINE, 10**6 * FINE)
lots = st.integers(1, 10**9)
kinds = st.sampled_from([ContractKind.LINEAR, ContractKind.INVERSE])


def instrument(kind: ContractKind, mark: int) -> Sim:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["contract"] = kind
    ins["inverse_value"] = 10**9
    ins["v_mark"] = mark
    return sim


@given(kind=kinds, mark=marks, size=lots, rate=rates)
def test_a_long_pays_its_value_at_the_mark_times_the_rate(
    kind: ContractKind, mark: int, size: int, rate: int
) -> None:
    sim = instrument(kind, mark)
    hold(sim, 0, 1, size, 1)
    value = int(fine_notional(sim.instruments[0], mark, size))
    paid = half_up(Fraction(value * abs(rate), RATE_SCALE))
    assert settle_funding(sim, 0, rate, TS)
    assert sim.accounts[0]["funding"] == sim.accounts[0]["wallet"] == (-paid if rate > 0 else paid)


@given(kind=kinds, mark=marks, size=lots, rate=rates)
def test_a_short_receives_what_a_long_of_the_same_size_pays(
    kind: ContractKind, mark: int, size: int, rate: int
) -> None:
    received = 0
    for leg in (1, -1):
        sim = instrument(kind, mark)
        hold(sim, 0, leg, size, 1)
        received += funding_received(sim.instruments[0], rate)
    assert received == 0


@given(mark=marks, long=lots, short=lots, rate=rates)
def test_hedged_legs_pay_each_other(mark: int, long: int, short: int, rate: int) -> None:
    both, alone = instrument(ContractKind.LINEAR, mark), 0
    hold(both, 0, 1, long, 1)
    hold(both, 0, -1, short, 1)
    for leg, size in ((1, long), (-1, short)):
        sim = instrument(ContractKind.LINEAR, mark)
        hold(sim, 0, leg, size, 1)
        alone += funding_received(sim.instruments[0], rate)
    assert funding_received(both.instruments[0], rate) == alone


def test_the_trader_is_told() -> None:
    sim = instrument(ContractKind.LINEAR, 100 * FINE)
    hold(sim, 0, -1, 1_000_000, 1)
    sim.accounts[0]["wallet"] = 5
    assert settle_funding(sim, 0, 100_000_000, TS)  # 1 basis point of 100,000,000
    (report,) = reports(sim)
    assert (report["kind"], report["cash"], report["size"]) == (ReportKind.FUNDING, 10_000, 0)
    assert (report["order"], report["ts_venue"]) == (-1, TS)
    assert sim.accounts[0]["wallet"] == 10_005


def test_without_a_mark_price_nothing_is_settled_whatever_the_last_price() -> None:
    sim = instrument(ContractKind.LINEAR, NO_PRICE)
    sim.instruments["v_last"] = 100
    hold(sim, 0, 1, 1_000, 100_000)
    assert not settle_funding(sim, 0, 100_000_000, TS)
    assert reports(sim) == []
    assert sim.accounts[0]["wallet"] == 0


@pytest.mark.parametrize("kind", [ContractKind.SPOT, ContractKind.LINEAR])
def test_coins_and_empty_positions_pay_no_funding(kind: ContractKind) -> None:
    sim = instrument(kind, NO_PRICE)
    hold(sim, 0, 1, 1_000 if kind == ContractKind.SPOT else 0, 0)
    assert settle_funding(sim, 0, 100_000_000, TS)
    assert reports(sim) == []
