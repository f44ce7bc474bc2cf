"""The lists of own resting orders, against a sorted Python list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.resting import list_head, may_rest_at, rest, unrest
from tests.simulation.small import handles, small_sim, write_order

steps = st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 200), st.integers(0, 9)), max_size=40)


@given(steps=steps)
def test_own_orders_stand_best_price_first_then_first_come(steps: list[tuple[int, int, int]]) -> None:
    sim = small_sim()
    ins = sim.instruments[0]
    resting: list[tuple[int, int, int]] = []  # side, price, handle: in the order in which they came
    for handle, (side, price, leaver) in enumerate(steps):
        write_order(sim, handle, 0, side, price, 1)
        rest(ins, sim.orders, handle)
        resting.append((side, price, handle))
        if leaver < len(resting) and leaver % 2:
            unrest(ins, sim.orders, resting.pop(leaver)[2])
        for each in (1, -1):
            expected = sorted((row for row in resting if row[0] == each), key=lambda row: -row[0] * row[1])
            assert handles(sim, list_head(ins, each)) == [row[2] for row in expected]
            occupied = {row[1] for row in expected}
            assert all(may_rest_at(ins, each, price) for price in occupied), "never misses an order"
            assert all(
                may_rest_at(ins, each, price) == any((price - at) % 64 == 0 for at in occupied)
                for price in range(1, 130)
            )
