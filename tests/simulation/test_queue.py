"""The queue models against their sources, step by step over random lives of a level."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.kinds import QueueModel
from headwater.simulation.queue import queue_depth, queue_join, queue_reached, queue_trade
from headwater.simulation.state import ORDER_DTYPE
from tests.oracle import queue as twin

# With the compiler off, NumPy warns of the 0 / 0 that an empty level gives; the models say what it means.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LOT = 0.001
MODELS = [("risk_averse", 0.0), ("power", 2.0), ("power", 1.0), ("power", 0.5), ("log", 0.0)]

lots = st.integers(0, 100_000)
steps = st.lists(st.tuples(st.sampled_from(["trade", "level", "ask"]), lots), max_size=30)


@pytest.mark.parametrize(("model", "power"), MODELS)
@given(first=lots, life=steps)
def test_a_place_in_the_queue_moves_as_its_source_says(
    model: str, power: float, first: int, life: list[tuple[str, int]]
) -> None:
    order = np.zeros(1, ORDER_DTYPE)[0]
    place = twin.Place()
    level = first * LOT
    queue_join(order, level)
    twin.join(place, level)
    for what, size in life:
        units = size * LOT
        if what == "trade":
            queue_trade(order, units)
            twin.trade(place, units)
        elif what == "level":
            queue_depth(int(QueueModel[model.upper()]), power, order, level, units)
            _depth(place, model, power, level, units)
            level = units
        else:
            assert queue_reached(order, LOT) == twin.reached(place, LOT)
        assert order["v_front"] == pytest.approx(place.front, rel=1e-12, abs=1e-12)


def _depth(place: twin.Place, model: str, power: float, before: float, after: float) -> None:
    if model == "risk_averse":
        twin.depth_risk_averse(place, after)
    else:
        twin.depth_by_probability(place, model, power, before, after)


@pytest.mark.parametrize(("model", "power"), MODELS)
@given(levels=st.lists(lots, min_size=2, max_size=20))
def test_the_place_is_never_behind_the_whole_level(model: str, power: float, levels: list[int]) -> None:
    order = np.zeros(1, ORDER_DTYPE)[0]
    queue_join(order, levels[0] * LOT)
    for before, after in pairwise(levels):
        queue_depth(int(QueueModel[model.upper()]), power, order, before * LOT, after * LOT)
        assert order["v_front"] <= after * LOT


def test_a_trade_moves_an_order_forward_once() -> None:
    order = np.zeros(1, ORDER_DTYPE)[0]
    queue_join(order, 10.0)
    queue_trade(order, 4.0)
    queue_depth(int(QueueModel.POWER), 2.0, order, 10.0, 6.0)  # the update that contains the trade
    assert order["v_front"] == 6.0


def test_an_empty_level_leaves_nothing_in_front() -> None:
    order = np.zeros(1, ORDER_DTYPE)[0]
    queue_join(order, 0.0)
    for model in (QueueModel.POWER, QueueModel.LOG):
        queue_depth(int(model), 2.0, order, 0.0, 0.0)
        assert order["v_front"] == 0.0
