"""Positions at the venue: every fill against plain bookkeeping, and that money is neither made nor lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.kinds import ContractKind
from headwater.simulation.money import cash_change, notional
from headwater.simulation.position import move_position
from tests.oracle.position import Legs
from tests.simulation.small import small_sim

fills = st.lists(
    st.tuples(
        st.sampled_from([1, -1]), st.integers(1, 10**6), st.integers(1, 10**10), st.sampled_from([1, -1])
    ),
    min_size=1,
    max_size=25,
)


def contract(is_inverse: bool, unit: int) -> Any:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["contract"] = ContractKind.INVERSE if is_inverse else ContractKind.LINEAR
    ins["unit_value"] = ins["inverse_value"] = unit
    return ins


def state(ins: Any) -> tuple[dict[int, int], dict[int, int]]:
    lots = {1: int(ins["v_long"]), -1: int(ins["v_short"])}
    return lots, {1: int(ins["v_long_value"]), -1: int(ins["v_short_value"])}


@given(is_inverse=st.booleans(), fills=fills)
def test_fills_move_a_position_as_a_bookkeeper_would(is_inverse: bool, fills: list[tuple[int, ...]]) -> None:
    ins, twin = contract(is_inverse, 7), Legs(is_inverse, 7)
    for side, price, size, _ in fills:
        assert move_position(ins, side, 0, price, size) == twin.fill(side, price, size)
        assert state(ins) == (twin.lots, twin.entry)
        assert min(twin.lots.values()) == 0, "one-way: never two legs"


@given(is_inverse=st.booleans(), fills=fills)
def test_in_hedge_mode_only_the_named_leg_moves(is_inverse: bool, fills: list[tuple[int, ...]]) -> None:
    ins, twin = contract(is_inverse, 7), Legs(is_inverse, 7)
    for side, price, size, leg in fills:
        name = 1 if leg > 0 else 2
        opens = side == leg
        within = size if opens else min(size, twin.lots[leg])
        if within:
            assert move_position(ins, side, name, price, within) == twin.fill(side, price, within, leg)
            assert state(ins) == (twin.lots, twin.entry)


@given(is_inverse=st.booleans(), fills=fills, last=st.integers(1, 10**6))
def test_what_a_round_trip_realises_is_the_cash_that_moved(
    is_inverse: bool, fills: list[tuple[int, ...]], last: int
) -> None:
    ins = contract(is_inverse, 3)
    realised = cash = 0

    def fill(side: int, price: int, size: int) -> None:
        nonlocal realised, cash
        realised += move_position(ins, side, 0, price, size)
        cash += cash_change(ins, side, notional(ins, price, size))

    for side, price, size, _ in fills:
        fill(side, price, size)
    net = int(ins["v_long"] - ins["v_short"])
    if net:
        fill(-1 if net > 0 else 1, last, abs(net))
    assert state(ins) == ({1: 0, -1: 0}, {1: 0, -1: 0})
    assert realised == cash


def test_billions_of_lots_do_not_wrap() -> None:
    ins = contract(False, 1)
    size = 4 * 10**9  # 40,000 USDT of a coin at 1e-5, in lots of one coin
    move_position(ins, 1, 0, 1_000_000_003, size)
    assert move_position(ins, -1, 0, 1_000_000_004, size - 1) == size - 1
    assert state(ins) == ({1: 1, -1: 0}, {1: 1_000_000_003, -1: 0})
