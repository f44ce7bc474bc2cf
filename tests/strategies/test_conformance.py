"""What every shipped strategy keeps to; a new file in the folder is tested without being named here."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from headwater.backtest.run import AnyStrategy
from headwater.domain.event import EventKind
from headwater.domain.order import OrderLogEvent
from headwater.kernels.kernel import JIT_DISABLED
from headwater.strategies.compiled import CompiledStrategy
from headwater.strategies.load import declared_parameters, load_strategy
from headwater.strategies.parameter import Parameter
from headwater.strategies.shipped import shipped
from headwater.strategies.strategy import Strategy
from headwater.tape.generated import generated_market
from headwater.tape.replay import Replay
from tests.strategies.runs import LOT, TICK, run, submitted, tape_of

NAMES = sorted(shipped())
SECONDS_A_BAR = 10**9
REQUESTS_AT_A_WAKE_MAX = 256
LIVELY: dict[str, dict[str, object]] = {
    "imbalance_taker": {"enter": 0.3},
    "avellaneda_stoikov": {"warmup": 2},
}
"""Parameters with which a short tape is enough for a strategy to act."""


def lively(name: str) -> AnyStrategy:
    """The strategy, with bars of a second: a minute of market is then enough."""
    strategy = load_strategy(name)
    if isinstance(strategy, CompiledStrategy) and strategy.bars_ns:
        return replace(strategy, bars_ns=SECONDS_A_BAR)
    return strategy


@cache
def market() -> Replay:
    """About a minute; a few seconds where kernels are interpreted."""
    return tape_of(generated_market(2_500 if JIT_DISABLED else 40_000, seed=3).events)


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_hypothesis_edge_failure_and_sources(name: str) -> None:
    text = importlib.import_module(f"headwater.strategies.{name}").__doc__ or ""
    assert [part for part in ("Hypothesis", "Edge", "Fails", "Sources") if f"\n{part}\n" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_typed_with_ranges_around_their_defaults(name: str) -> None:
    declared = declared_parameters(load_strategy(name))
    assert "size" in declared
    for parameter in declared.values():
        assert isinstance(parameter, Parameter)
        assert parameter.low <= parameter.default <= parameter.high


@pytest.mark.parametrize("name", NAMES)
def test_the_same_tape_gives_the_same_state(name: str) -> None:
    results = [run(lively(name), market(), **LIVELY.get(name, {})) for _ in range(2)]
    assert results[0].state_hash == results[1].state_hash
    assert JIT_DISABLED or len(submitted(results[0])) > 0


@pytest.mark.parametrize("name", NAMES)
def test_orders_lie_on_the_venues_grid_when_the_tapes_is_finer(name: str) -> None:
    events = market().local.copy()
    in_ticks = ~np.isin(events["kind"], [EventKind.MARK_PRICE, EventKind.FUNDING, EventKind.BOOK_CLEAR])
    events["price"][in_ticks] = events["price"][in_ticks] * 10 + 3
    events["size"][in_ticks] = events["size"][in_ticks] * 10
    finer = tape_of(events, tick=TICK / 10, lot=LOT / 10)
    asked = submitted(run(lively(name), finer, **LIVELY.get(name, {})))
    limited = asked[asked["kind"] == 1]
    assert not np.any(limited["price"] % 10)
    assert not np.any(asked["size"] % 10)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_before_there_are_two_sides(name: str) -> None:
    events = market().local
    bids = events[(events["side"] >= 0) & (events["kind"] != EventKind.TRADE)]
    assert len(submitted(run(lively(name), tape_of(bids)))) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_wake_asks_a_bounded_number_of_requests(name: str) -> None:
    orders = run(lively(name), market(), **LIVELY.get(name, {})).orders
    requests = orders[
        np.isin(orders["event"], [OrderLogEvent.SUBMIT, OrderLogEvent.CANCEL, OrderLogEvent.AMEND])
    ]
    _, counts = np.unique(requests["ts"], return_counts=True)
    assert counts.max(initial=0) <= REQUESTS_AT_A_WAKE_MAX


@pytest.mark.parametrize("name", NAMES)
def test_on_spot_nothing_is_sold_that_is_not_held(name: str) -> None:
    spot = tape_of(
        market().local[market().local["kind"] < EventKind.FUNDING],
        "BTCUSDT.BINANCE",
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
    )
    result = run(lively(name), spot, **LIVELY.get(name, {}))
    position = np.cumsum(result.fills["side"].astype(np.int64) * result.fills["size"])
    assert position.min(initial=0) >= 0


def python_strategies() -> list[str]:
    return [name for name in NAMES if not isinstance(load_strategy(name), CompiledStrategy)]


@pytest.mark.parametrize("name", python_strategies())
def test_a_strategy_that_is_restored_mid_stream_goes_on_as_if_nothing_had_happened(name: str) -> None:
    whole = load_strategy(name)
    assert isinstance(whole, type)
    assert run(whole, market()).state_hash == run(interrupted(whole, after=9), market()).state_hash


def interrupted(strategy: type[Strategy], after: int) -> type[Strategy]:
    """The strategy, but replaced by a copy with its saved state (through JSON) at its timer number `after`."""

    class Interrupted(strategy):  # type: ignore[misc, valid-type]
        def __init__(self, **parameters: object) -> None:
            self.calls, self.given = 0, parameters
            super().__init__(**parameters)

        def on_timer(self, view: Any) -> None:
            self.calls += 1
            if self.calls == after:
                saved = json.loads(json.dumps(self.save_state()))
                for name in self.saved:
                    delattr(self, name)
                self.on_start()
                self.load_state(saved)
            super().on_timer(view)

    return Interrupted
