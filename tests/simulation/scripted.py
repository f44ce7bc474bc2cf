"""Small whole runs: a tape, a script of orders by time, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.event import Events
from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.instrument import Instrument, InstrumentKind
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderFlag, OrderLogEvent
from headwater.domain.rules import FeeTier, MarginTier, Rules
from headwater.simulation.allocate import allocate
from headwater.simulation.kinds import MarginMode
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import View
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of
from tests.oracle.exchange import Ask, ticks

MS = 1_000_000
T0 = 1_723_118_400_000 * MS
"""2024-08-08 12:00 UTC: scripts and tapes count milliseconds from here."""


class Scripted(Strategy):
    """Asks what its script says, at its times; a line about an order that is not open is passed over."""

    timer = "1ms"
    script: ClassVar[dict[int, list[Ask]]] = {}

    def on_timer(self, view: View) -> None:
        for ask in self.script.get(view.now, ()):
            self._ask(view, ask)

    def _ask(self, view: View, ask: Ask) -> None:
        handle = -1
        if ask.action is not RequestKind.NEW:
            rows = view._orders[: view._cells[_ORDER_COUNT]]
            found = rows["handle"][rows["number"] == ask.number]
            if not len(found):
                return
            handle = int(found[0])
        intent = view._next_intent()
        intent["action"] = ask.action
        intent["order"] = handle
        intent["instrument"] = ask.instrument
        intent["kind"] = ask.kind
        intent["side"] = ask.side
        intent["time_in_force"] = ask.force
        intent["flags"] = OrderFlag.POST_ONLY * ask.post_only | OrderFlag.REDUCE_ONLY * ask.reduce_only
        intent["trigger_by"] = ask.trigger_by
        intent["position_side"] = ask.leg
        intent["price"] = ticks(ask.price)
        intent["size"] = ask.size
        intent["trigger"] = ticks(ask.trigger)
        intent["trail"] = ask.trail
        intent["expire"] = ask.expire


def _order_count_cell() -> int:
    from headwater.domain.view import VIEW_DTYPE

    assert VIEW_DTYPE.names is not None
    return VIEW_DTYPE.names.index("order_count")


_ORDER_COUNT = _order_count_cell()


def scripted(script: Sequence[Ask]) -> type[Strategy]:
    """A strategy that asks this."""
    by_time: dict[int, list[Ask]] = {}
    for ask in script:
        by_time.setdefault(ask.at, []).append(ask)
    return type("Scripted", (Scripted,), {"script": by_time})


def contract(venue: str = "BYBIT", symbol: str = "X", **rules: Any) -> Instrument:
    """A linear perpetual whose tick, lot and contract are one."""
    known: dict[str, Any] = {
        "valid_from": UnixNanos(0),
        "tick_size": Decimal(1),
        "lot_size": Decimal(1),
        "source": "test",
        "fee_tiers": (FeeTier(volume_30d=Decimal(0), maker=Decimal("0.0002"), taker=Decimal("0.00055")),),
    }
    return Instrument(
        id=InstrumentId(f"{symbol}USDT-PERP.{venue}"),
        venue=venue,
        symbol=f"{symbol}USDT",
        kind=InstrumentKind.LINEAR_PERPETUAL,
        base=symbol,
        quote="USDT",
        settle="USDT",
        rules=(Rules(**{**known, **rules}),),
    )


def margin_tiers() -> tuple[MarginTier, ...]:
    """One tier: 10x, maintenance 5 %."""
    return (
        MarginTier(
            notional_cap=None,
            initial_rate=Decimal("0.1"),
            maintenance_rate=Decimal("0.05"),
            deduction=Decimal(0),
            max_leverage=Decimal(10),
        ),
    )


def settings(**given: Any) -> BacktestSettings:
    """2 ms to the venue, 1 ms back, no margin, and what is given."""
    known: dict[str, Any] = {
        "latency": LatencySettings(entry_ns=2 * MS, response_ns=MS),
        "margin_mode": MarginMode.NONE,
        "orders_max": 64,
        "sample_ns": 10_000 * MS,
    }
    return BacktestSettings(**{**known, **given})


def replay(events: Events | Sequence[Events], *instruments: Instrument) -> Replay:
    """A tape of these contracts in memory."""
    seen = [
        ReplayInstrument(id=each.id, tick_size=each.rules[0].tick_size, lot_size=each.rules[0].lot_size)
        for each in instruments
    ]
    return replay_of(events, seen)


@contextmanager
def small_arrays(**sizes: int) -> Iterator[None]:
    """Books of 64 cells: quick to make, and every path of theirs is taken."""
    least: dict[str, Any] = {"window": 64, "far_capacity": 64, "ring": 256, **sizes}
    with patch("headwater.backtest.prepare.allocate", partial(allocate, **least)):
        yield


def play(
    events: Events | Sequence[Events],
    script: Sequence[Ask],
    *instruments: Instrument,
    strategy: Any = None,
    **given: Any,
) -> BacktestResult:
    """Run a script (or a strategy) over a tape."""
    traded = instruments or (contract(),)
    chosen = strategy if strategy is not None else scripted(script)
    with small_arrays():
        return run_backtest(chosen, replay(events, *traded), list(traded), settings(**given))


def fills_of(result: BacktestResult) -> list[tuple[int, ...]]:
    """As ``tests/oracle/exchange.py`` writes them."""
    names = ("ts_venue", "ts_local", "order", "price", "size", "fee", "cash", "side", "is_maker")
    return _rows(result.fills, (*names, "position_side", "bid", "ask"))


def log_of(result: BacktestResult) -> list[tuple[int, ...]]:
    """As ``tests/oracle/exchange.py`` writes it."""
    names = ("ts", "ts_venue", "order", "price", "size", "filled", "event", "status", "reason")
    return _rows(result.orders, names)


def reports_of(result: BacktestResult) -> Any:
    """Rows of the log that the venue wrote."""
    return result.orders[result.orders["event"] == OrderLogEvent.REPORT]


def _rows(array: Any, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    return [tuple(int(row[name]) for name in names) for row in array]


def at(milliseconds: float) -> int:
    """UTC ns of a time of a script."""
    return T0 + round(milliseconds * MS)


def new(milliseconds: float, side: int, size: int, price: int | None = None, **fields: Any) -> Ask:
    """A new order; a limit with a price, a market order without."""
    from headwater.domain.order import OrderKind

    kind = fields.pop("kind", OrderKind.MARKET if price is None else OrderKind.LIMIT)
    return Ask(at(milliseconds), RequestKind.NEW, side=side, size=size, price=price, kind=kind, **fields)


def cancel(milliseconds: float, number: int) -> Ask:
    """Cancel order `number`."""
    return Ask(at(milliseconds), RequestKind.CANCEL, number)


def amend(milliseconds: float, number: int, price: int, size: int) -> Ask:
    """Change order `number`."""
    return Ask(at(milliseconds), RequestKind.AMEND, number, price=price, size=size)


def position(result: BacktestResult, instrument: int = 0) -> int:
    """Lots held at the end."""
    fills = result.fills[result.fills["instrument"] == instrument]
    return int(np.sum(fills["side"].astype(np.int64) * fills["size"]))
