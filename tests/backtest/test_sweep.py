"""A sweep is many back-tests: each row says what a run of its own would have said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings
from headwater.backtest.sweep import SWEEP_DTYPE, sweep
from headwater.domain.errors import ConfigurationError
from headwater.domain.instrument import Instrument
from headwater.domain.order import OrderLogEvent
from headwater.storage.rules_files import load_rulebook
from headwater.strategies.compiled import CompiledStrategy
from headwater.strategies.load import load_strategy
from headwater.tape.generated import generated_market
from headwater.tape.replay import Replay
from headwater.tape.replay_of import replay_of

ROWS = 600
SETS: list[dict[str, object]] = [
    {"half_spread": distance, "interval": 1, "levels": levels} for distance in (0, 2, 9) for levels in (1, 3)
]
SETTINGS = BacktestSettings(rate_limits=False, maker_fee=Decimal("0.0001"), taker_fee=Decimal("0.0005"))


def market() -> tuple[Replay, Instrument]:
    made = generated_market(ROWS, seed=3)
    return replay_of(made.events, [made.instrument]), load_rulebook().instrument(made.instrument.id)


def grid_maker() -> CompiledStrategy:
    strategy = load_strategy("grid_maker")
    assert isinstance(strategy, CompiledStrategy)
    return strategy


def check_row(row: Any, alone: BacktestResult) -> None:
    """Counts and position are equal; the fee is, but for the last bits of a double."""
    scale = alone.instruments[0].money_scale
    events = alone.orders["event"]
    lots = int((alone.fills["size"] * alone.fills["side"].astype(np.int64)).sum())
    asked = np.isin(events, [OrderLogEvent.SUBMIT, OrderLogEvent.CANCEL, OrderLogEvent.AMEND])
    assert row["fills"] == len(alone.fills)
    assert row["requests"] == np.count_nonzero(asked)
    assert row["position"] == pytest.approx(lots * float(alone.instruments[0].replay.lot_size))
    assert row["fee"] == pytest.approx(int(alone.fills["fee"].sum()) / scale)


def test_every_row_is_what_a_run_alone_gives_whatever_came_before_it() -> None:
    replay, instrument = market()
    rows = sweep(grid_maker(), replay, [instrument], SETTINGS, SETS)
    for row, parameters in zip(rows, SETS, strict=True):
        check_row(row, run_backtest(grid_maker(), replay, [instrument], SETTINGS, parameters=parameters))
    assert rows["fills"].max() > 0
    assert np.array_equal(sweep(grid_maker(), replay, [instrument], SETTINGS, SETS[::-1]), rows[::-1])


def test_progress_is_told_after_each_set() -> None:
    replay, instrument = market()
    told: list[tuple[int, int]] = []
    sweep(
        grid_maker(),
        replay,
        [instrument],
        SETTINGS,
        SETS[:3],
        progress=lambda *counts: told.append((counts[0], counts[1])),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_sweep_over_nothing_is_empty() -> None:
    replay, instrument = market()
    rows = sweep(grid_maker(), replay, [instrument], SETTINGS, [])
    assert (len(rows), rows.dtype) == (0, SWEEP_DTYPE)


def test_profits_of_several_currencies_are_not_added() -> None:
    replay, instrument = market()
    other = replace(instrument, settle="USDC")
    with pytest.raises(ConfigurationError, match="must settle in one currency"):
        sweep(grid_maker(), replay, [instrument, other], SETTINGS, SETS)
