"""Many instruments and venues at once, and what makes a run the same run."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from headwater.backtest import run as run_module
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import LatencySettings
from headwater.domain.event import EventFlag, Events
from headwater.simulation.kinds import LatencyModel
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import cancel, limit
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import View
from tests.oracle.exchange import PlainRun, Rules
from tests.simulation.scripted import (
    MS,
    Scripted,
    at,
    contract,
    fills_of,
    log_of,
    new,
    play,
    replay,
    scripted,
    settings,
    small_arrays,
)
from tests.simulation.story import book, story, tape, trade
from tests.simulation.test_exchange_twin import BINANCE, BYBIT, MAKER, TAKER, Market

BOOK = book(
    0,
    """
    bid | price | ask
        |   101 |   5
      5 |    99 |
    """,
)


@compiled(timer="5ms", memory=1)
def quoter(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:  # noqa: ARG001
    """One order a side, moved with the touch."""
    for row in range(view["order_count"]):
        if orders[row]["instrument"] == view["instrument"] and orders[row]["pending"] == 0:
            cancel(view, outbox, orders[row]["handle"])
    if view["bid"] > 0 and view["ask"] > 0:
        limit(view, outbox, np.int64(1), view["bid"], np.int64(2), np.int64(0))
        limit(view, outbox, np.int64(-1), view["ask"], np.int64(2), np.int64(0))
    memory[0] += 1.0


def random_market(seed: int = 5, messages: int = 60) -> Events:
    return Market(seed).tape(messages)


def quoted(seed: int = 1, **given: Any) -> BacktestResult:
    noisy = LatencySettings(model=LatencyModel.LOG_NORMAL, median_ns=2 * MS)
    return play(random_market(), [], strategy=quoter, seed=seed, latency=noisy, rate_limits=False, **given)


def test_the_same_run_twice_has_the_same_hash() -> None:
    first, second = quoted(), quoted()
    assert len(first.fills) > 0
    assert first.state_hash == second.state_hash
    assert len(first.state_hash) == 32
    assert log_of(first) == log_of(second)


def test_another_seed_of_the_latency_is_another_run() -> None:
    assert quoted(seed=1).state_hash != quoted(seed=2).state_hash


def test_another_setting_is_another_run() -> None:
    assert quoted().state_hash != quoted(no_partial_fill=True).state_hash


@pytest.mark.parametrize("rows", [1, 7])
def test_a_run_in_small_chunks_is_the_same_run(rows: int) -> None:
    whole = quoted()
    with patch.object(run_module._PythonDriver, "chunk_rows", rows):
        chunked = quoted()
    assert chunked.state_hash == whole.state_hash
    assert np.array_equal(chunked.samples, whole.samples)


@pytest.mark.parametrize("rows", [1, 7])
def test_a_python_strategy_in_small_chunks_is_the_same_run(rows: int) -> None:
    market = Market(8)
    script, events = market.script(25, BYBIT, has_legs=False), market.tape(40)
    whole = play(events, script)
    with patch.object(run_module._PythonDriver, "chunk_rows", rows):
        assert play(events, script).state_hash == whole.state_hash


def test_logs_that_are_emptied_often_hold_the_same() -> None:
    """The logs keep room for what two outboxes can write; beyond that these hold a few rows."""
    room = 8_192
    tiny = {"fills": room + 2, "log": room + 3, "samples": room, "latencies": room + 2}
    whole = quoted(sample_ns=5 * MS)
    noisy = LatencySettings(model=LatencyModel.LOG_NORMAL, median_ns=2 * MS)
    given = {"latency": noisy, "rate_limits": False, "sample_ns": 5 * MS}
    with small_arrays(**tiny):
        drained = run_backtest(quoter, replay(random_market(), contract()), [contract()], settings(**given))
    assert drained.state_hash == whole.state_hash
    assert np.array_equal(drained.samples, whole.samples)
    assert np.array_equal(drained.latencies, whole.latencies)


def test_an_interrupted_run_gives_what_there_is() -> None:
    done: list[tuple[int, int]] = []

    def interrupt(rows: int, total: int) -> None:
        done.append((rows, total))
        if rows >= 20:
            raise KeyboardInterrupt

    script = [new(1, 1, 2, 101), new(80, 1, 1, 99)]
    with small_arrays(), patch.object(run_module._PythonDriver, "chunk_rows", 5):
        result = run_backtest(
            scripted(script),
            replay(tape(BOOK, *(trade(10 + k, 1, 1, 101) for k in range(50))), contract()),
            [contract()],
            settings(),
            progress=interrupt,
        )
    assert not result.complete
    assert len(result.fills) == 1
    assert result.samples[-1]["position"] == 2
    assert done[-1][0] < done[-1][1]
    assert result.not_modelled[0].startswith("The run stands on 0 seconds")


def test_progress_tells_the_rows_done_of_all() -> None:
    seen: list[tuple[int, int]] = []
    with small_arrays(), patch.object(run_module._PythonDriver, "chunk_rows", 2):
        run_backtest(
            scripted([]),
            replay(tape(BOOK, trade(5, 1, 1, 101)), contract()),
            [contract()],
            settings(),
            progress=lambda rows, total: seen.append((rows, total)),
        )
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


def two_venues(**given: Any) -> tuple[BacktestResult, list[Events], list[Any], list[Any]]:
    """One script a venue, both with their own tape, together."""
    parts, scripts = [], []
    for i, venue in enumerate((BYBIT, BINANCE)):
        market = Market(20 + i)
        script = market.script(20, venue, has_legs=False)
        scripts.append([_moved(ask, i) for ask in script if ask.action == 1])
        parts.append(market.tape(40))
    instruments = [contract("BYBIT"), contract("BINANCE")]
    merged = sorted([ask for script in scripts for ask in script], key=lambda ask: (ask.at, ask.instrument))
    return play(parts, merged, *instruments, **given), parts, scripts, merged


def _moved(ask: Any, instrument: int) -> Any:
    from dataclasses import replace

    return replace(ask, instrument=instrument)


def test_venues_side_by_side_are_each_as_if_alone() -> None:
    """New orders alone: their numbers are shared, everything else is not."""
    result, parts, scripts, merged = two_venues(rate_limits=False)
    for i, venue in enumerate((BYBIT, BINANCE)):
        rules = Rules(maker=MAKER, taker=TAKER, **{**venue.rules, "rate_limit": 0})
        alone = PlainRun(parts[i], scripts[i], rules).run()
        numbers = [k for k, ask in enumerate(merged) if ask.instrument == i]
        fills = result.fills[result.fills["instrument"] == i]
        orders = result.orders[result.orders["instrument"] == i]
        assert _rows(fills, numbers) == alone.fills
        assert _rows(orders, numbers) == alone.log


def _rows(found: Any, numbers: list[int]) -> list[tuple[int, ...]]:
    """As the twin writes them, with the numbers that the orders would have had alone."""
    fake = type("Result", (), {"fills": found, "orders": found})
    is_log = "event" in (found.dtype.names or ())
    rows = log_of(fake) if is_log else fills_of(fake)  # type: ignore[arg-type]
    return [(*row[:2], numbers.index(row[2]), *row[3:]) for row in rows]


def test_reports_of_several_venues_arrive_in_order() -> None:
    result, *_ = two_venues()
    assert np.all(np.diff(result.orders["ts"]) >= 0)
    assert np.all(np.diff(result.fills["ts_local"]) >= 0)
    assert {int(i) for i in result.orders["instrument"]} == {0, 1}


def test_a_request_to_a_near_venue_overtakes_one_to_a_far_venue() -> None:
    """Measured latencies differ by venue only through the settings; here by the time of sending: 9 ms, then 1 ms."""
    series = np.array([[at(0), 9 * MS, MS], [at(5), MS, MS]], np.int64)
    measured = LatencySettings(model=LatencyModel.MEASURED, series=series)
    script = [new(2, 1, 1, 101), new(6, 1, 1, 101, instrument=1), new(7, 1, 1, 99)]
    instruments = (contract("BYBIT"), contract("BINANCE"))
    result = play([tape(BOOK), tape(BOOK)], script, *instruments, latency=measured)
    assert story(result) == [
        "8.0  #1  fill 1 @ 101 taker, filled",
        "12.0  #0  fill 1 @ 101 taker, filled",
        "12.0  #2  new",  # on one connection nothing overtakes
    ]


def test_instruments_of_one_venue_share_its_rate_limit_and_their_currency_its_account() -> None:
    instruments = (contract("BYBIT", "X"), contract("BYBIT", "Y"))
    script = [new(1 + k, 1, 1, 90, instrument=k % 2) for k in range(11)]
    result = play([tape(BOOK), tape(BOOK)], script, *instruments)
    assert story(result)[-1] == "14.0  #10  rejected: rate limit"
    assert result.initial_cash == {"USDT": "100000"}


def test_rows_of_one_side_alone_are_seen_by_that_side_alone() -> None:
    events = tape(BOOK, trade(10, -1, 9, 98), trade(20, -1, 9, 98))
    events["flags"] |= int(EventFlag.AT_LOCAL | EventFlag.AT_VENUE)
    prints = np.flatnonzero(events["size"] == 9)
    events["flags"][prints[0]] -= int(EventFlag.AT_VENUE)
    events["flags"][prints[1]] -= int(EventFlag.AT_LOCAL)
    seen: list[int] = []

    class Listener(Scripted):
        script = scripted([new(1, 1, 1, 99)]).script  # type: ignore[attr-defined]

        def on_trade(self, view: View, trade: object) -> None:  # noqa: ARG002
            seen.append(round((view.now - at(0)) / MS))

    result = play(events, [], strategy=Listener)
    assert seen == [10]
    assert story(result) == ["4.0  #0  new", "21.0  #0  fill 1 @ 99 maker, filled"]


class Sampler(Strategy):
    """Does nothing."""

    timer = "10ms"

    def on_timer(self, view: View) -> None:
        assert view.now > 0


def test_samples_are_taken_at_their_spacing_and_at_the_end() -> None:
    result = play(tape(BOOK, end=95), [], strategy=Sampler, sample_ns=20 * MS)
    assert ((result.samples["ts"] - at(0)) // MS).tolist()[:4] == [20, 40, 60, 80]
    assert result.samples["bid"].tolist()[0] == 99
    assert len(result.samples) in (5, 6)
