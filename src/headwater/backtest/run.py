"""Run a strategy over a replay."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import headwater
from headwater.backtest.contents import contents
from headwater.backtest.honesty import not_modelled
from headwater.backtest.logs import ROOM, Logs
from headwater.backtest.prepare import Traded, accounts_of, apply_rules, prepare, traded
from headwater.backtest.result import BacktestResult, ResultInstrument
from headwater.backtest.settings import BacktestSettings
from headwater.backtest.state_hash import state_hash
from headwater.backtest.tape_pools import Tape
from headwater.domain.errors import HeadwaterError, NotModelledError, StrategyFault
from headwater.domain.instrument import Instrument, format_time
from headwater.domain.view import WakeKind
from headwater.simulation.kinds import FaultKind, PriceSource, Stop
from headwater.simulation.state import FAR_FUTURE
from headwater.strategies.compiled import CompiledStrategy
from headwater.strategies.desk import make_desk
from headwater.strategies.parameter import check_sizes
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import View
from headwater.tape.replay import Replay

AnyStrategy = CompiledStrategy | type[Strategy]
Progress = Callable[[int, int], None]
"""Called with the events done and the events in all, a few times a second."""

CHUNK_ROWS: Final = 1_000_000
CHUNK_ROWS_PYTHON: Final = 100_000
"""Between two of them a run can be watched: a Python strategy takes its time over its wakes."""

SAMPLE_NS: Final = 500_000_000
SAMPLES_MAX: Final = 1_000_000
BAR_SAMPLES_MAX: Final = 200_000
"""Bars carry no mark-outs of seconds: a coarser curve says as much in a fifth of the memory."""


def run_backtest(
    strategy: AnyStrategy,
    replay: Replay,
    instruments: list[Instrument],
    settings: BacktestSettings = BacktestSettings(),  # noqa: B008  (frozen)
    *,
    parameters: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> BacktestResult:
    """Run `strategy` over `replay`; the same arguments give the same result, to the state hash.

    Ctrl-C ends the run early with what there is (``complete`` is False).

    Parameters
    ----------
    instruments : rules of each instrument of the replay, in its order
    parameters : of the strategy, by name; numbers or text

    Raises
    ------
    NotModelledError : the tape is empty
    ConfigurationError : a parameter is unknown or out of range
    StrategyFault : the strategy raised, or asked for the impossible; carries the time and the line
    """
    return Run(strategy, replay, instruments, settings, dict(parameters or {})).run(progress)


@dataclass(slots=True)
class _RuleChange:
    """Rules of one instrument that come into force while the run is on."""

    local_row: int
    instrument: int
    ts: int


class Run:
    """One run in the making: the simulation, the driver of the strategy, and what is written down."""

    def __init__(
        self,
        strategy: AnyStrategy,
        replay: Replay,
        instruments: list[Instrument],
        settings: BacktestSettings,
        parameters: dict[str, object],
    ) -> None:
        if len(replay.local) == 0:
            names = ", ".join(each.id for each in replay.instruments)
            raise NotModelledError(
                f"the tape of {names} holds no event in this span; see `headwater tape list`"
            )
        self.strategy, self.replay, self.settings = strategy, replay, settings
        self.parameters = parameters
        self.start = int(min(replay.local["ts_local"][0], replay.venue["ts_venue"][0]))
        self.end = int(max(replay.local["ts_local"][-1], replay.venue["ts_venue"][-1]))
        self.traded = traded(replay, instruments, contents(replay), self.start)
        self.driver = (
            _CompiledDriver(self) if isinstance(strategy, CompiledStrategy) else _PythonDriver(self, strategy)
        )
        self._check_sizes()
        self.sample_ns = self._sample_ns()
        self.sim = prepare(self.traded, settings, self.start, self.driver.bars_ns, self._samples_expected())
        self.tape = Tape(local=replay.local, venue=replay.venue)
        self.logs = Logs(self.sim)
        self.changes = self._rule_changes()
        self._start_clock()

    def _check_sizes(self) -> None:
        """Sizes are parameters in units: refuse one that an instrument of the run cannot trade before it is rounded."""
        strategy = self.strategy
        declared = strategy.parameters if isinstance(strategy, CompiledStrategy) else strategy.parameters()
        for each in self.traded:
            _, size_step = each.steps(each.instrument.rules_at(self.start))
            check_sizes(declared, self.driver.values, each.replay.id, each.replay.lot_size * size_step)

    def _start_clock(self) -> None:
        clock = self.sim.clock[0]
        clock["now"] = self.start
        clock["wake_mask"] = self.driver.wakes
        clock["log_orders"] = self.settings.log_orders
        clock["tape_end"] = self.end
        clock["one_order"] = self.replay.local is self.replay.venue
        timer = self.driver.timer_ns
        if timer:
            clock["timer_ns"] = timer
            origin = self.start if self.settings.timer_from_start else self.start - self.start % timer
            clock["next_timer"] = origin + timer
        clock["sample_ns"] = self.sample_ns
        if clock["sample_ns"] > 0:
            clock["next_sample"] = self.start - self.start % clock["sample_ns"] + clock["sample_ns"]

    def _sample_ns(self) -> int:
        if self.settings.sample_ns != 0:
            return self.settings.sample_ns
        if all(each.contents.source is PriceSource.BARS for each in self.traded):
            spacing, most = self._bar_interval_ns(), BAR_SAMPLES_MAX
        else:
            spacing, most = SAMPLE_NS, SAMPLES_MAX
        return spacing * max(1, -(-(self.end - self.start) // (spacing * most)))

    def _bar_interval_ns(self) -> int:
        steps = np.diff(self.replay.local["ts_local"][:3_000])
        return int(np.median(steps[steps > 0])) if np.any(steps > 0) else SAMPLE_NS

    def _samples_expected(self) -> int:
        """Rows of samples, when their number is known and fits: then the log never has to be emptied."""
        if self.sample_ns <= 0:
            return 0
        rows = (2 + (self.end - self.start) // self.sample_ns) * len(self.traded) + ROOM
        return min(rows, 2 * SAMPLES_MAX)

    def _rule_changes(self) -> list[_RuleChange]:
        times = self.replay.local["ts_local"]
        changes = [
            _RuleChange(int(np.searchsorted(times, rules.valid_from)), at, rules.valid_from)
            for at, each in enumerate(self.traded)
            for rules in each.instrument.rules
            if self.start < rules.valid_from <= self.end
        ]
        return sorted(changes, key=lambda change: change.local_row)

    def run(self, progress: Progress | None) -> BacktestResult:
        """Run to the end of the tape, or to Ctrl-C, and say what came of it."""
        started = time.perf_counter()
        complete = True
        try:
            self.loop(progress)
        except KeyboardInterrupt:
            complete = False
        self._last_sample()
        return self._result(complete, time.perf_counter() - started)

    def restart(self, parameters: Mapping[str, object]) -> None:
        """Begin anew with other parameters, after the simulation was brought back to its start."""
        self.logs = Logs(self.sim)
        self.changes = self._rule_changes()
        self.driver.restart(parameters)
        self._check_sizes()

    def fill_count(self) -> int:
        """Executions so far."""
        return self.logs.count("fills")

    def loop(self, progress: Progress | None) -> None:
        """Run to the end of the tape."""
        clock = self.sim.clock[0]
        total = len(self.replay.local)
        stop = int(Stop.CHUNK)
        while stop != Stop.END:
            budget = self.driver.chunk_rows
            if self.changes:
                budget = min(budget, max(self.changes[0].local_row - int(clock["local_row"]), 1))
            stop = self.driver.run(budget)
            if stop == Stop.FAULT:
                raise self._fault()
            self.logs.drain()
            self._check_books()
            self._apply_changes(int(clock["local_row"]))
            self.replay.release(int(clock["local_row"]), int(clock["venue_row"]))
            if progress is not None:
                progress(int(clock["local_row"]), total)

    def _apply_changes(self, local_row: int) -> None:
        while self.changes and self.changes[0].local_row <= local_row:
            change = self.changes.pop(0)
            each = self.traded[change.instrument]
            apply_rules(
                self.sim.instruments[change.instrument],
                each,
                each.instrument.rules_at(change.ts),
                self.settings,
            )

    def _check_books(self) -> None:
        lost = np.flatnonzero(self.sim.sides["lost"])
        if len(lost):
            each = self.traded[int(lost[0]) // 4]
            raise NotModelledError(
                f"{each.replay.id}: the book grew beyond {self.sim.sides['far_capacity'][0]} far levels by "
                f"{format_time(int(self.sim.clock['now'][0]))}; was its first snapshot missing? See `headwater tape verify`"
            )

    def _last_sample(self) -> None:
        """A sample at the end of the run, so that totals are totals."""
        from headwater.engine.samples import take_samples

        self.logs.drain()
        self.sim.clock["next_sample"] = FAR_FUTURE
        self.sim.clock["sample_ns"] = 0
        take_samples(self.sim, self.driver.shown)

    def _fault(self) -> StrategyFault:
        clock = self.sim.clock[0]
        kind = FaultKind(int(clock["fault"]))
        where = int(clock["fault_instrument"])
        name = self.traded[where].replay.id if 0 <= where < len(self.traded) else f"instrument {where}"
        return StrategyFault(
            f"{self.driver.name} at {format_time(int(clock['now']))} ({int(clock['now'])} ns), event "
            f"{int(clock['local_row'])}, {name}: {_FAULT_WORDS[kind].format(int(clock['fault_value']))}"
            f"{self.driver.line()}"
        )

    def _result(self, complete: bool, seconds: float) -> BacktestResult:
        fills = self.logs.whole("fills")
        orders = self.logs.whole("order_log")
        span = int(self.sim.clock["now"][0]) - self.start
        return BacktestResult(
            instruments=tuple(_result_instrument(each) for each in self.traded),
            fills=fills,
            orders=orders,
            samples=self.logs.whole("samples"),
            latencies=self.logs.whole("latencies"),
            initial_cash={settle: str(self.settings.initial_cash) for _, settle in accounts_of(self.traded)},
            manifest=self._manifest(seconds),
            not_modelled=not_modelled(
                self.traded, self.settings, span, int(self.sim.clock["fundings_missed"][0])
            ),
            state_hash=state_hash(self.sim, fills, orders),
            complete=complete,
        )

    def _manifest(self, seconds: float) -> dict[str, Any]:
        clock = self.sim.clock[0]
        limits = {each.behaviour.order_rate_limit * 10**9 / each.behaviour.window_ns for each in self.traded}
        manifest: dict[str, Any] = {
            "strategy": self.driver.name,
            "parameters": self.driver.values,
            "models": self.settings.described(),
            "seed": self.settings.seed,
            "versions": {"headwater": headwater.__version__},
            "data": [
                {
                    "instrument": each.replay.id,
                    "events": {kind.name.lower(): count for kind, count in each.contents.counts.items()},
                    "rules": each.instrument.rules_at(self.start).source,
                    "certificate": each.replay.certificate,
                }
                for each in self.traded
            ],
            "events": int(clock["local_events"]),
            "wakes": int(clock["wakes"]),
            "timing": {"run_seconds": seconds},
        }
        if self.settings.rate_limits and limits:
            manifest["order_rate_limit_per_s"] = min(limits)
        return manifest


def _result_instrument(each: Traded) -> ResultInstrument:
    instrument = each.instrument
    return ResultInstrument(
        replay=each.replay,
        kind=instrument.kind.payoff,
        multiplier=str(instrument.rules[-1].multiplier),
        base=instrument.base,
        quote=instrument.quote,
        settle=instrument.settle,
        money_scale=each.money_scale,
    )


_FAULT_WORDS: Final = {
    FaultKind.BAD_SIZE: "asked for an order of {} lots; a size must be positive",
    FaultKind.BAD_PRICE: "asked for an order at {} ticks; a limit or trigger price must be positive and belong to the kind",
    FaultKind.UNKNOWN_ORDER: "named order {}, which does not exist",
    FaultKind.BAD_INSTRUMENT: "named an instrument that the run does not have (order {})",
    FaultKind.BAD_KIND: "asked for an order of kind {} that contradicts itself (side, kind, or an expiry in the past)",
    FaultKind.TOO_MANY_ORDERS: "has too many orders alive (order {}); raise orders_max or cancel some",
    FaultKind.RING_FULL: "has too many requests in flight (order {})",
    FaultKind.NO_MARK_PRICE: "asked for a mark-triggered order, but the tape holds no mark price (order {})",
    FaultKind.NO_INDEX_PRICE: "asked for an index-triggered order, but the tape holds no index price (order {})",
    FaultKind.TOO_MANY_INTENTS: "asked for {} orders at one wake, more than the outbox holds; raise outbox_size",
    FaultKind.OFF_GRID: "asked for an order at {} ticks that is off the venue's order grid (price or size)",
    FaultKind.NOT_OFFERED: "asked for an order of kind {} with a kind, flag, trigger price or good-till-date that the venue "
    "does not offer",
}


class _CompiledDriver:
    """Runs whole chunks without coming back to Python."""

    chunk_rows = CHUNK_ROWS

    def __init__(self, run: Run) -> None:
        assert isinstance(run.strategy, CompiledStrategy)
        self._run = run
        self._strategy = run.strategy
        self.name = run.strategy.name
        self.wakes, self.timer_ns, self.bars_ns = (
            int(run.strategy.wakes),
            run.strategy.timer_ns,
            run.strategy.bars_ns,
        )
        self.values = run.strategy.values(run.parameters)
        self._desk = make_desk(
            orders=run.settings.orders_max,
            outbox=run.settings.outbox_size,
            depth_levels=run.strategy.depth_levels,
            params=run.strategy.params(self.values),
            memory=run.strategy.memory,
        )

    def run(self, budget: int) -> int:
        from headwater.backtest.compiled_loop import run_compiled

        stop: int = run_compiled(
            self._run.sim.address,
            self._run.tape.address,
            self._desk.address,
            self._strategy.function,
            budget,
            int(self._strategy.reads),
        )
        return stop

    def line(self) -> str:
        code = self._strategy.source.__code__
        return f" [{code.co_filename}:{code.co_firstlineno}]"

    def restart(self, parameters: Mapping[str, object]) -> None:
        self.values = self._strategy.values(parameters)
        self._desk.params[:] = self._strategy.params(self.values)
        self._desk.memory[:] = 0.0

    @property
    def shown(self) -> Any:
        return self._desk.shown[0]


class _PythonDriver:
    """Comes back to Python at every wake."""

    chunk_rows = CHUNK_ROWS_PYTHON

    def __init__(self, run: Run, strategy: type[Strategy]) -> None:
        self._run = run
        self.name = strategy.__name__
        self.wakes, self.timer_ns, self.bars_ns = (
            int(strategy.wakes()),
            strategy.timer_ns(),
            strategy.bars_ns(),
        )
        self._strategy = strategy(**run.parameters)
        self.values = {name: getattr(self._strategy, name) for name in strategy.parameters()}
        self._desk = make_desk(orders=run.settings.orders_max, outbox=run.settings.outbox_size)
        grids = tuple(each.seen(each.instrument.rules_at(run.start)) for each in run.traded)
        self._seen = View(self._desk.shown, self._desk.orders, self._desk.outbox, grids)

    def run(self, budget: int) -> int:

        try:
            return self._run_to(int(self._run.sim.clock["local_row"][0]) + budget)
        except HeadwaterError as error:
            raise self._raised(error, str(error)) from error
        except Exception as error:
            raise self._raised(error, f"{type(error).__name__}: {error}") from error

    def _run_to(self, row_end: int) -> int:
        """Wake by wake to the trader's event `row_end`. Everything is looked up once: a wake costs half a microsecond."""
        from headwater.backtest.python_loop import step

        sim, tape, desk = self._run.sim.address, self._run.tape.address, self._desk.address
        view, woken = self._seen, int(Stop.WAKE)
        stop: int = step(sim, tape, desk, row_end)
        if self.wakes in (int(WakeKind.BOOK), int(WakeKind.BBO)):
            on_book = self._strategy.on_book
            while stop == woken:
                on_book(view)
                stop = step(sim, tape, desk, row_end)
            return stop
        wake_cell = self._desk.shown["wake"].data
        dispatch = self._dispatch
        while stop == woken:
            dispatch(wake_cell[0])
            stop = step(sim, tape, desk, row_end)
        return stop

    def _dispatch(self, wake: int) -> None:
        strategy, view = self._strategy, self._seen
        if wake & _BOOK_WAKES:
            strategy.on_book(view)
        if wake & _TRADE_WAKE:
            strategy.on_trade(view, view.trade())
        if wake & _BAR_WAKE:
            strategy.on_bar(view, view.bar())
        if wake & _FILL_WAKE:
            strategy.on_fill(view, view.fill())
        if wake & _TIMER_WAKE:
            strategy.on_timer(view)

    def _raised(self, error: BaseException, words: str) -> StrategyFault:
        clock = self._run.sim.clock[0]
        last = traceback.extract_tb(error.__traceback__)
        frame = next(
            (each for each in reversed(last) if "/headwater/strategies/view.py" not in each.filename),
            last[-1],
        )
        return StrategyFault(
            f"{self.name} at {format_time(int(clock['now']))} ({int(clock['now'])} ns), event "
            f"{int(clock['local_row'])}, {self._seen.instrument}: {words} [{frame.filename}:{frame.lineno}]"
        )

    def line(self) -> str:
        """Intents are judged when the handler has returned, so the fault names the handlers of the wake."""
        names = _HANDLERS.items()
        wake = int(self._desk.shown["wake"][0])
        asked = [getattr(type(self._strategy), name) for kinds, name in names if wake & kinds]
        codes = [handler.__code__ for handler in asked]
        return f" [{', '.join(f'{code.co_filename}:{code.co_firstlineno}' for code in codes)}]"

    def restart(self, parameters: Mapping[str, object]) -> None:
        self._strategy = type(self._strategy)(**parameters)
        self.values = {name: getattr(self._strategy, name) for name in self._strategy.parameters()}

    @property
    def shown(self) -> Any:
        return self._desk.shown[0]


# Plain integers: an operation on a flag costs a microsecond.
_BOOK_WAKES: Final = int(WakeKind.BOOK | WakeKind.BBO)
_TRADE_WAKE: Final = int(WakeKind.TRADE)
_BAR_WAKE: Final = int(WakeKind.BAR)
_FILL_WAKE: Final = int(WakeKind.FILL)
_TIMER_WAKE: Final = int(WakeKind.TIMER)
_HANDLERS: Final = {
    _BOOK_WAKES: "on_book",
    _TRADE_WAKE: "on_trade",
    _BAR_WAKE: "on_bar",
    _FILL_WAKE: "on_fill",
    _TIMER_WAKE: "on_timer",
}
