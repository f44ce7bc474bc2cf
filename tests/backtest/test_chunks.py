"""A run is handed back every so many events, to be watched and interrupted. Where that happens must not be seen."""

from __future__ import annotations

import pytest

from headwater.backtest import run as backtest
from headwater.backtest.settings import BacktestSettings
from headwater.domain.order import OrderLogEvent, OrderStatus
from headwater.kernels.kernel import JIT_DISABLED
from headwater.simulation.kinds import MarginMode
from headwater.strategies.grid_maker import grid_maker
from headwater.strategies.load import load_strategy
from headwater.tape.generated import generated_market
from tests.strategies.runs import run, tape_of
from tests.tape.events import NOON, delta, snapshot, tape

STEP = 100_000_000
FREE = BacktestSettings(venue_checks=False, rate_limits=False, margin_mode=MarginMode.NONE)
ROWS = 2_500 if JIT_DISABLED else 40_000


@pytest.mark.parametrize("name", ["grid_maker", "avellaneda_stoikov"])
@pytest.mark.parametrize("chunk_rows", [1, 77, 1_009])
def test_the_outcome_does_not_hang_on_the_chunks(
    name: str, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = tape_of(generated_market(ROWS, seed=3).events)
    whole = run(load_strategy(name), replay).state_hash
    monkeypatch.setattr(backtest._CompiledDriver, "chunk_rows", chunk_rows)
    monkeypatch.setattr(backtest._PythonDriver, "chunk_rows", chunk_rows)
    assert run(load_strategy(name), replay).state_hash == whole


def test_the_queue_ahead_is_what_stood_there_when_the_order_joined() -> None:
    """The level shrinks after the order joined it and before the trader hears of that: 5 ms there, 5 ms back."""
    shrinking = tape(
        snapshot(NOON, [(500_000, 1_000)], [(500_001, 1_000)]),
        delta(NOON + STEP + 6_000_000, (1, 500_000, 400), (-1, 500_001, 400)),
        delta(NOON + 2 * STEP, (1, 499_999, 400)),
    )
    result = run(grid_maker, tape_of(shrinking), FREE, levels=1, half_spread=0, interval=1)
    rests = result.orders[
        (result.orders["event"] == OrderLogEvent.REPORT) & (result.orders["status"] == OrderStatus.NEW)
    ]
    assert list(rests["queue_ahead"]) == [1.0, 1.0]
