"""Whole runs against a plain venue and a plain trader.

Hypothesis makes small tapes (books that cross and clear, prints of every class, marks, halts) and scripts of orders of
every kind, time in force and flag, cancelled and amended at awkward moments. Every report and every fill must agree: time
at the venue and at the trader, price, size, fee, cash, reason, and the best prices at the trader when it heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from headwater.backtest.settings import LatencySettings
from headwater.domain.event import NO_PRICE, EventKind, Events, PrintClass, VenueStatus
from headwater.domain.instrument import Instrument
from headwater.domain.intent import RequestKind
from headwater.domain.order import OrderKind, PositionSide, TimeInForce, TriggerBy
from headwater.domain.rules import PriceBand
from headwater.simulation.kinds import QueueModel
from tests.oracle.exchange import FINE, Ask, PlainRun, Rules
from tests.simulation.scripted import MS, at, contract, fills_of, log_of, play
from tests.tape.events import message, tape

# With the compiler off, NumPy warns of the 0 / 0 of the queue models on an empty level.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

END = 90
MAKER, TAKER = Fraction(2, 10_000), Fraction(55, 100_000)


@dataclass(frozen=True)
class Venue:
    """What differs between the two."""

    name: str
    rules: dict[str, Any]
    triggers: tuple[TriggerBy, ...]
    forces: tuple[TimeInForce, ...]


BYBIT = Venue(
    "BYBIT",
    {
        "rate_limit": 10,
        "rate_window_ns": 1_000 * MS,
        "cancels_count": True,
        "protection": Fraction(2, 100),
        "decrease_keeps_queue": True,
        "reduce_only_rejects": False,
        "amend_below_filled_cancels": False,
    },
    tuple(TriggerBy),
    (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
)
BINANCE = Venue(
    "BINANCE",
    {
        "rate_limit": 300,
        "rate_window_ns": 10_000 * MS,
        "cancels_count": False,
        "protection": Fraction(5, 100),
        "decrease_keeps_queue": False,
        "reduce_only_rejects": True,
        "amend_below_filled_cancels": True,
    },
    (TriggerBy.LAST, TriggerBy.MARK),
    tuple(TimeInForce),
)


@dataclass(frozen=True)
class Case:
    events: Events
    script: list[Ask]
    rules: Rules
    instrument: Instrument
    settings: dict[str, Any]


class Market:
    """Tapes and scripts from a seed: Hypothesis shrinks how much of them there is."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def price(self) -> int:
        return round(self.rng.triangular(95, 105, 100))

    def lots(self) -> int:
        return self.rng.choice([1, 2, 3, 5, 8, 12])

    def side(self) -> int:
        return self.rng.choice([1, -1])

    def tape(self, count: int) -> Events:
        """A book at first, then messages half a millisecond or more apart, seen a little later."""
        delay = self.rng.choice([0, MS // 2, 3 * MS])
        now = at(0)
        first = [
            (EventKind.BOOK_SNAPSHOT, side, 100 - side * far, 5) for side in (1, -1) for far in (1, 2, 3)
        ]
        marks = [(EventKind.MARK_PRICE, 0, 100 * FINE, 0), (EventKind.INDEX_PRICE, 0, 100 * FINE, 0)]
        parts = [message(now + delay, *first, ts_venue=now)]
        parts += [message(now + delay, mark, ts_venue=now) for mark in marks]
        for _ in range(count):
            now += self.rng.choice([0, 1, 1, 2, 3, 5]) * MS // 2
            rows = self.message()
            part = message(now + delay, *rows, ts_venue=now)
            if rows[0][0] is EventKind.TRADE:
                part["print_class"] = self.rng.choice([PrintClass.NORMAL] * 6 + list(PrintClass))
            parts.append(part)
        last = (EventKind.OPEN_INTEREST, 0, 0, 1)
        return tape(*parts, message(at(END) + delay, last, ts_venue=at(END)))

    def message(self) -> list[tuple[EventKind, int, int, int]]:
        """What one message says."""
        what = self.rng.choices(
            ["book", "trade", "snapshot", "mark", "index", "halt", "status"], [50, 40, 6, 5, 5, 1, 4]
        )[0]
        if what == "book":
            return [self.level(EventKind.BOOK_DELTA) for _ in range(self.rng.randint(1, 3))]
        if what == "trade":
            return [(EventKind.TRADE, self.rng.choice([1, -1, 1, -1, 0]), self.price(), self.lots())]
        if what == "snapshot":
            side, bound = self.side(), self.rng.choice([NO_PRICE, self.price()])
            rows = [(EventKind.BOOK_SNAPSHOT, side, 100 - side * far, self.lots()) for far in (1, 2, 4)]
            return [(EventKind.BOOK_CLEAR, side, bound, 0), *rows]
        if what in ("halt", "status"):
            status = self.rng.choice(list(VenueStatus)) if what == "halt" else VenueStatus.TRADING
            return [(EventKind.STATUS, 0, 0, status)]
        kind = EventKind.MARK_PRICE if what == "mark" else EventKind.INDEX_PRICE
        return [(kind, 0, self.price() * FINE + self.rng.choice([0, FINE // 2]), 0)]

    def level(self, kind: EventKind) -> tuple[EventKind, int, int, int]:
        """Mostly on its own side of 100, sometimes crossing."""
        side = self.side()
        away = self.rng.choice([-2, -1, 0, 1, 1, 1, 2, 2, 3, 4])
        return kind, side, 100 - side * away, self.rng.choice([0, self.lots(), self.lots()])

    def order(self, venue: Venue, ts: int, has_legs: bool) -> Ask:
        """A new order of any sort that the venue takes."""
        kind = self.rng.choice([OrderKind.LIMIT] * 10 + [OrderKind.MARKET] * 3 + list(OrderKind))
        limited = kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
        source = self.rng.choice(venue.triggers) if kind > OrderKind.LIMIT else TriggerBy.LAST
        trigger = self.price() * (1 if source is TriggerBy.LAST else FINE) if kind > OrderKind.LIMIT else None
        if kind is OrderKind.TRAILING_STOP and self.rng.random() < 0.5:
            trigger = None
        force = self.rng.choice([TimeInForce.GTC] * 5 + list(venue.forces)) if limited else TimeInForce.GTC
        rests = limited and force in (TimeInForce.GTC, TimeInForce.GTD)
        leg = self.rng.choice([PositionSide.LONG, PositionSide.SHORT]) if has_legs else PositionSide.BOTH
        side = self.side()
        return Ask(
            ts,
            RequestKind.NEW,
            side=side,
            size=self.lots(),
            price=100 - side * self.rng.choice([-2, 0, 1, 1, 2, 2, 3, 4]) if limited else None,
            kind=kind,
            force=force,
            post_only=rests and self.rng.random() < 0.2,
            reduce_only=self.rng.random() < 0.15,
            trigger=trigger,
            trigger_by=source,
            trail=self.rng.randint(1, 4) if kind is OrderKind.TRAILING_STOP else 0,
            expire=ts + self.rng.randint(1, 20) * MS if force is TimeInForce.GTD else 0,
            leg=leg if self.rng.random() < 0.95 else PositionSide.BOTH,
        )

    def script(self, count: int, venue: Venue, has_legs: bool) -> list[Ask]:
        """New orders, and changes of those that came before; several may be asked at one time."""
        script: list[Ask] = []
        sent: list[Ask] = []
        ts = at(1)
        for _ in range(count):
            ts += self.rng.choice([0, 0, 1, 1, 2, 3]) * MS
            change = self.rng.choice(["new", "new", "cancel", "amend"]) if sent else "new"
            number = self.rng.randint(max(0, len(sent) - 4), max(0, len(sent) - 1))
            if change == "new":
                sent.append(self.order(venue, ts, has_legs))
                script.append(sent[-1])
            elif change == "cancel":
                script.append(Ask(ts, RequestKind.CANCEL, number))
            elif (old := sent[number].price) is not None:  # only priced orders can be amended
                price = self.rng.choice([old, old, old + 1, old - 1, self.price()])
                script.append(Ask(ts, RequestKind.AMEND, number, price=price, size=self.lots()))
        return script


@st.composite
def cases(draw: st.DrawFn) -> Case:
    market = Market(draw(st.integers(0, 2**32)))
    messages, asks = draw(st.integers(0, 60)), draw(st.integers(0, 30))
    rng = market.rng
    venue, model = rng.choice([BYBIT, BINANCE]), rng.choice(list(QueueModel))
    whole, limited, has_legs = rng.random() < 0.25, rng.random() < 0.5, rng.random() < 0.25
    entry, response = rng.choice([(2 * MS, MS), (MS // 2, MS // 2), (7 * MS, 3 * MS), (1, 1)])
    band = rng.choice([None, None, None, Fraction(2, 100)])
    size_max, notional_min = rng.choice([(0, 0), (0, 0), (0, 0), (10, 150)])
    rules = Rules(
        entry_ns=entry,
        response_ns=response,
        queue_model=model.name.lower(),
        no_partial_fill=whole,
        hedge_mode=has_legs,
        size_max=size_max,
        notional_min=notional_min,
        band=band,
        maker=MAKER,
        taker=TAKER,
        **{**venue.rules, **({} if limited else {"rate_limit": 0})},
    )
    ratio = Decimal("0.02")
    traded = contract(
        venue.name,
        max_size=Decimal(size_max) if size_max else None,
        min_notional=Decimal(notional_min) if notional_min else None,
        price_band=PriceBand(up=ratio, down=ratio) if band else None,
    )
    given_settings = {
        "latency": LatencySettings(entry_ns=entry, response_ns=response),
        "queue_model": model,
        "no_partial_fill": whole,
        "rate_limits": limited,
        "hedge_mode": has_legs,
    }
    script = market.script(asks, venue, has_legs)
    return Case(market.tape(messages), script, rules, traded, given_settings)


@given(case=cases())
def test_every_report_and_every_fill_is_that_of_the_plain_venue(case: Case) -> None:
    expected = PlainRun(case.events, case.script, case.rules).run()
    result = play(case.events, case.script, case.instrument, **case.settings)
    note(f"{case.rules}")
    assert log_of(result) == expected.log
    assert fills_of(result) == expected.fills
    last = result.samples[-1]
    assert last["position"] == sum(row[7] * row[4] for row in expected.fills)
    assert last["cash"] == sum(row[6] for row in expected.fills)
    assert last["fee"] == sum(row[5] for row in expected.fills)
    assert result.complete
