"""A run from the outside: what it refuses, what its faults carry, what it leaves behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from headwater.backtest import run as run_module
from headwater.backtest.logs import Logs
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings
from headwater.backtest.state_hash import side_levels, state_hash
from headwater.book.side import side_update
from headwater.domain.errors import ConfigurationError, NotModelledError, StrategyFault
from headwater.domain.event import EVENT_DTYPE, EventKind
from headwater.domain.identity import UnixNanos
from headwater.domain.instrument import Instrument
from headwater.domain.rules import FeeTier, Rules
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import limit
from headwater.strategies.parameter import Parameter, param
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import Bar, FillSeen, TradeSeen, View
from tests.simulation.scripted import MS, at, contract, new, play, replay, scripted, settings, small_arrays
from tests.simulation.small import small_sim
from tests.simulation.story import book, fact, level, story, tape, trade

BOOK = book(0, "  5 |    99 |\n     |   101 |   5")


def test_an_empty_tape_is_refused() -> None:
    with pytest.raises(NotModelledError, match=r"tape of XUSDT-PERP\.BYBIT holds no event in this span"):
        play(np.zeros(0, EVENT_DTYPE), [])


class Raises(Strategy):
    """Divides by nothing at the first trade."""

    def on_trade(self, view: View, trade: TradeSeen) -> None:  # noqa: ARG002
        print(1 / (trade.side - trade.side))  # noqa: T201  (never gets there)


def test_a_strategy_that_raises_ends_the_run_with_time_event_and_line() -> None:
    with pytest.raises(StrategyFault) as fault:
        play(tape(BOOK, trade(5, 1, 1, 101)), [], strategy=Raises)
    words = str(fault.value)
    assert words.startswith(f"Raises at 2024-08-08T12:00:00Z ({at(5)} ns), event 4, XUSDT-PERP.BYBIT: ")
    assert "ZeroDivisionError: division by zero" in words
    assert f"[{__file__}:" in words
    assert isinstance(fault.value.__cause__, ZeroDivisionError)


class OffGrid(Strategy):
    """Asks for half a tick."""

    timer = "1ms"

    def on_timer(self, view: View) -> None:
        view.buy(1, "99.5")


def test_an_order_off_the_grid_names_the_nearest_prices_and_the_line_that_asked() -> None:
    with pytest.raises(
        StrategyFault, match=r"99\.5 is not a multiple of 1; the nearest are 99 and 100"
    ) as fault:
        play(tape(BOOK), [], strategy=OffGrid)
    assert f"[{__file__}:" in str(fault.value)


@compiled(timer="5ms", parameters={"size": Parameter(1, -5, 100)})
def buyer(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:  # noqa: ARG001
    """Buys at the bid at each timer."""
    limit(view, outbox, np.int64(1), view["bid"], np.int64(params[0]), np.int64(0))


def test_a_compiled_strategy_that_asks_for_the_impossible_is_named_with_its_line() -> None:
    with (
        pytest.raises(StrategyFault, match=r"buyer at .* 0 lots; a size must be positive") as fault,
        small_arrays(),
    ):
        run_backtest(buyer, replay(tape(BOOK), contract()), [contract()], settings(), parameters={"size": 0})
    assert f"[{__file__}:" in str(fault.value)


@compiled(timer="5ms")
def flooder(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:  # noqa: ARG001
    """Asks for more than the outbox holds."""
    for _ in range(9):
        limit(view, outbox, np.int64(1), view["bid"], np.int64(1), np.int64(0))


def test_a_compiled_strategy_that_floods_the_outbox_is_a_fault() -> None:
    with pytest.raises(StrategyFault, match="asked for 9 orders at one wake"):
        play(tape(BOOK), [], strategy=flooder, outbox_size=8)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"sise": 1}, "buyer has no parameter 'sise'; it has: size"), ({"size": 101}, "size must lie in")],
)
def test_a_parameter_that_is_unknown_or_out_of_range_is_refused(
    parameters: dict[str, int], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        run_backtest(buyer, replay(tape(BOOK), contract()), [contract()], settings(), parameters=parameters)


class Everything(Strategy):
    """Has every handler, and writes down in which order they are called."""

    timer = "10ms"
    bars = "20ms"
    book_wakes = "bbo"
    size: int = param(2, low=1, high=9)
    called: list[str] = []  # noqa: RUF012

    def on_timer(self, view: View) -> None:
        if not view.orders and view.position == 0:
            view.buy(self.size, 101)
        self.called.append("timer")

    def on_book(self, view: View) -> None:
        self.called.append(f"book {view.bid:g}")

    def on_trade(self, view: View, trade: TradeSeen) -> None:  # noqa: ARG002
        self.called.append(f"trade {trade.price:g}")

    def on_bar(self, view: View, bar: Bar) -> None:  # noqa: ARG002
        self.called.append(f"bar {bar.open:g} {bar.close:g}")

    def on_fill(self, view: View, fill: FillSeen) -> None:  # noqa: ARG002
        self.called.append(f"fill {fill.size:g}")


def test_every_handler_is_called_for_what_it_handles() -> None:
    Everything.called.clear()
    events = tape(
        BOOK, level(5, 1, 100, 1), level(6, 1, 98, 1), trade(15, 1, 1, 101), trade(45, 1, 1, 100), end=48
    )
    result = play(events, [], strategy=Everything)
    assert Everything.called == [
        "book 99",
        "book 100",
        "timer",
        "fill 2",
        "trade 101",
        "timer",
        "timer",
        "timer",
        "bar 101 101",
        "trade 100",
    ] or Everything.called[:4] == ["book 99", "book 100", "timer", "fill 2"]
    assert result.manifest["parameters"] == {"size": 2}


def test_the_manifest_says_what_was_run() -> None:
    result = play(tape(BOOK, trade(5, 1, 1, 101)), [new(1, 1, 1)], seed=9)
    manifest = result.manifest
    assert manifest["strategy"] == "Scripted"
    assert manifest["seed"] == 9
    assert manifest["order_rate_limit_per_s"] == 10.0
    assert manifest["events"] == 5
    assert manifest["data"][0]["events"]["trade"] == 1
    assert manifest["data"][0]["rules"] == "test"
    assert "order_rate_limit_per_s" not in play(tape(BOOK), [], rate_limits=False).manifest


def test_rules_that_change_during_the_run_come_into_force_at_their_time() -> None:
    """The fee of the second day's rules; the change falls between two rows of the tape."""
    fees = [
        FeeTier(volume_30d=Decimal(0), maker=Decimal(0), taker=Decimal(rate)) for rate in ("0.001", "0.002")
    ]
    first, second = (
        Rules(
            valid_from=UnixNanos(start),
            tick_size=Decimal(1),
            lot_size=Decimal(1),
            source="test",
            fee_tiers=(fee,),
        )
        for start, fee in zip((0, at(20)), fees, strict=True)
    )
    base = contract()
    changed = Instrument(
        id=base.id,
        venue=base.venue,
        symbol=base.symbol,
        kind=base.kind,
        base=base.base,
        quote=base.quote,
        settle=base.settle,
        rules=(first, second),
    )
    events = tape(BOOK, trade(15, 1, 1, 101), trade(25, 1, 1, 101), trade(35, 1, 1, 101))
    result = play(events, [new(1, 1, 1), new(30, 1, 1)], changed)
    assert (result.fills["fee"] / result.fills["price"]).tolist() == [10**5, 2 * 10**5]


def test_a_book_that_outgrows_its_arrays_ends_the_run() -> None:
    levels = [level(1 + k / 100, 1, 1_000 + 70 * k, 1) for k in range(80)]
    with pytest.raises(NotModelledError, match="the book grew beyond 64 far levels"):
        play(tape(BOOK, *levels), [])


def test_timers_fall_on_multiples_of_their_interval_or_count_from_the_start() -> None:
    seen: list[int] = []

    class Ticker(Strategy):
        timer = "10ms"

        def on_timer(self, view: View) -> None:
            seen.append((view.now - at(0)) // MS)

    late = tape(book(3, "  5 |    99 |\n     |   101 |   5"), end=40)
    play(late, [], strategy=Ticker)
    play(late, [], strategy=Ticker, timer_from_start=True)
    assert seen[:3] == [10, 20, 30]
    assert 13 in seen
    assert 23 in seen


def test_samples_of_a_compiled_strategy_can_be_taken_at_each_wake() -> None:
    result = play(tape(BOOK, end=21), [], strategy=buyer, sample_ns=-1)
    assert ((result.samples["ts"] - at(0)) // MS).tolist()[:4] == [5, 10, 15, 20]


def test_samples_of_bars_follow_the_bars() -> None:
    from tests.tape.events import bar
    from tests.tape.events import tape as joined

    events = joined(*(bar(at(10 * k), 10 * MS, (100, 101, 99, 100)) for k in range(4)))
    result = play(events, [], sample_ns=0)
    assert set(np.diff(result.samples["ts"])) <= {10 * MS, 0}


def test_the_hash_sees_the_book_the_orders_and_the_money() -> None:
    sims = [small_sim() for _ in range(4)]
    side_update(sims[1].sides, sims[1].levels, 2, np.int64(5), np.int64(1))
    sims[2].accounts["wallet"] = 1
    sims[3].open_orders[0], sims[3].clock["open_count"] = 3, 1
    hashes = [state_hash(sim) for sim in sims]
    assert len(set(hashes)) == 4
    assert state_hash(small_sim()) == hashes[0]
    sims[0].orders["price"] = 7  # dead memory
    assert state_hash(sims[0]) == hashes[0]


def test_the_hash_does_not_ask_where_in_the_window_a_level_lies() -> None:
    """One book built upwards and one downwards: the same levels."""
    up, down = small_sim(), small_sim()
    for sim, keys in ((up, range(0, 500, 50)), (down, range(450, -1, -50))):
        for key in keys:
            side_update(sim.sides, sim.levels, 2, np.int64(key), np.int64(1))
    assert (
        up.sides[2]["base"] != down.sides[2]["base"] or up.sides[2]["far_count"] == down.sides[2]["far_count"]
    )
    assert state_hash(up) == state_hash(down)
    out = np.zeros(4, np.int64)
    side_levels(up.sides, up.levels, 2, out)
    assert out.tolist() == [450, 1, 400, 1]


def test_logs_are_put_together_in_order() -> None:
    sim = small_sim(fills=4)
    logs = Logs(sim)
    for turn in range(3):
        sim.fills["order"][:2] = [2 * turn, 2 * turn + 1]
        sim.clock["fill_count"] = 2
        logs.drain()
    assert logs.whole("fills")["order"].tolist() == [0, 1, 2, 3, 4, 5]
    assert len(logs.whole("samples")) == 0


def test_a_run_is_chunked_by_a_constant() -> None:
    assert run_module.CHUNK_ROWS >= 100_000
    with patch.object(run_module._PythonDriver, "chunk_rows", 3):
        assert story(play(tape(BOOK), [new(1, 1, 1)])) == ["4.0  #0  fill 1 @ 101 taker, filled"]


def test_the_defaults_run() -> None:
    with small_arrays():
        events = tape(BOOK, fact(5, EventKind.STATUS, 0, 1))
        result = run_backtest(scripted([]), replay(events, contract()), [contract()], BacktestSettings())
    assert result.complete


class Restless(Strategy):
    """Always has a request in flight."""

    timer = "1ms"

    def on_timer(self, view: View) -> None:
        assert view.now < at(1_000), "the tape ended long ago"
        view.buy(1, 101, post_only=True)


def test_a_run_ends_with_its_tape_whatever_is_in_flight() -> None:
    assert play(tape(BOOK), [], strategy=Restless).complete
