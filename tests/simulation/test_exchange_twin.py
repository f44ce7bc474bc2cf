"""Whole runs against a plain venue and a plain trader.

Hypothesis makes small tapes (books that cross and clear, prints of every class, marks, halts) and scripts of orders of
every kind, time in force and flag, cancelled and amended at awkward moments. Every report and every fill must agree: time
at the venue and at the trader, price, size, fee, cash, reason, and the best prices at the trader when it heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
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

prices = st.integers(96, 104)
lots = st.integers(1, 12)
sides = st.sampled_from([1, -1])
classes = st.sampled_from([PrintClass.NORMAL] * 6 + list(PrintClass))


@dataclass(frozen=True)
class Case:
    events: Events
    script: list[Ask]
    rules: Rules
    instrument: Instrument
    settings: dict[str, Any]


@st.composite
def messages(draw: st.DrawFn) -> list[tuple[EventKind, int, int, int]]:
    """What one message says."""
    what = draw(st.sampled_from(["book"] * 5 + ["trade"] * 4 + ["snapshot", "mark", "index", "status"]))
    if what == "book":
        level = st.tuples(st.just(EventKind.BOOK_DELTA), sides, prices, st.one_of(st.just(0), lots))
        return draw(st.lists(level, min_size=1, max_size=3))
    if what == "trade":
        return [(EventKind.TRADE, draw(st.sampled_from([1, -1, 1, -1, 0])), draw(prices), draw(lots))]
    if what == "snapshot":
        side, bound = draw(sides), draw(st.one_of(st.just(NO_PRICE), prices))
        levels = draw(st.dictionaries(st.integers(1, 5), lots, max_size=3))
        rows = [(EventKind.BOOK_SNAPSHOT, side, 100 - side * away, size) for away, size in levels.items()]
        return [(EventKind.BOOK_CLEAR, side, bound, 0), *rows]
    if what == "status":
        status = draw(st.sampled_from([VenueStatus.TRADING, *VenueStatus]))
        return [(EventKind.STATUS, 0, 0, status)]
    kind = EventKind.MARK_PRICE if what == "mark" else EventKind.INDEX_PRICE
    return [(kind, 0, draw(prices) * FINE + draw(st.sampled_from([0, FINE // 2])), 0)]


@st.composite
def tapes(draw: st.DrawFn) -> Events:
    """A book at first, then messages half a millisecond or more apart, seen a little later."""
    delay = draw(st.sampled_from([0, MS // 2, 3 * MS]))
    rows = draw(st.lists(st.tuples(st.integers(0, 6), messages()), max_size=30))
    now = at(0)
    first = [(EventKind.BOOK_SNAPSHOT, side, 100 - side * away, 5) for side in (1, -1) for away in (1, 2, 3)]
    marks = [(EventKind.MARK_PRICE, 0, 100 * FINE, 0), (EventKind.INDEX_PRICE, 0, 100 * FINE, 0)]
    parts = [message(now + delay, *first, ts_venue=now)]
    parts += [message(now + delay, mark, ts_venue=now) for mark in marks]
    for halves, said in rows:
        now += halves * MS // 2
        part = message(now + delay, *said, ts_venue=now)
        part["print_class"] = draw(classes) if said[0][0] is EventKind.TRADE else 0
        parts.append(part)
    last = message(at(END) + delay, (EventKind.OPEN_INTEREST, 0, 0, 1), ts_venue=at(END))
    return tape(*parts, last)


@st.composite
def orders(draw: st.DrawFn, venue: Venue, ts: int, has_legs: bool) -> Ask:
    """A new order of any sort that the venue takes."""
    kind = draw(st.sampled_from([OrderKind.LIMIT] * 6 + [OrderKind.MARKET] * 2 + list(OrderKind)))
    limited = kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
    source = draw(st.sampled_from(venue.triggers))
    unit = 1 if source is TriggerBy.LAST else FINE
    trigger = draw(prices) * unit if kind > OrderKind.LIMIT else None
    if kind is OrderKind.TRAILING_STOP and draw(st.booleans()):
        trigger = None
    force = draw(st.sampled_from(venue.forces)) if limited else TimeInForce.GTC
    leg = draw(st.sampled_from(PositionSide)) if has_legs else PositionSide.BOTH
    return Ask(
        ts,
        RequestKind.NEW,
        side=draw(sides),
        size=draw(lots),
        price=draw(prices) if limited else None,
        kind=kind,
        force=force,
        post_only=limited and force in (TimeInForce.GTC, TimeInForce.GTD) and draw(st.booleans()),
        reduce_only=draw(st.sampled_from([False, False, True])),
        trigger=trigger,
        trigger_by=source if kind > OrderKind.LIMIT else TriggerBy.LAST,
        trail=draw(st.integers(1, 4)) if kind is OrderKind.TRAILING_STOP else 0,
        expire=ts + draw(st.integers(1, 20)) * MS if force is TimeInForce.GTD else 0,
        leg=leg,
    )


@st.composite
def scripts(draw: st.DrawFn, venue: Venue, has_legs: bool) -> list[Ask]:
    """New orders, and changes of those that came before; several may be asked at one time."""
    script: list[Ask] = []
    ts, sent = at(1), 0
    for step in draw(st.lists(st.integers(0, 5), max_size=20)):
        ts += step * MS
        change = draw(st.sampled_from(["new", "new", "cancel", "amend"])) if sent else "new"
        number = draw(st.integers(max(0, sent - 4), max(0, sent - 1)))
        if change == "new":
            script.append(draw(orders(venue, ts, has_legs)))
            sent += 1
        elif change == "cancel":
            script.append(Ask(ts, RequestKind.CANCEL, number))
        elif script_price(script, number) is not None:
            script.append(Ask(ts, RequestKind.AMEND, number, price=draw(prices), size=draw(lots)))
    return script


def script_price(script: list[Ask], number: int) -> int | None:
    """Limit price of the order that will have this number: only priced orders can be amended."""
    return [ask for ask in script if ask.action is RequestKind.NEW][number].price


@st.composite
def cases(draw: st.DrawFn) -> Case:
    venue = draw(st.sampled_from([BYBIT, BINANCE]))
    model = draw(st.sampled_from(QueueModel))
    whole, limited, has_legs = draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([False, False, True]))
    entry, response = draw(st.sampled_from([(2 * MS, MS), (MS // 2, MS // 2), (7 * MS, 3 * MS), (1, 1)]))
    band = draw(st.sampled_from([None, Fraction(2, 100)]))
    size_max, notional_min = draw(st.sampled_from([(0, 0), (8, 300)]))
    known = dict(venue.rules)
    if not limited:
        known.update(rate_limit=0)
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
        **known,
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
    return Case(draw(tapes()), draw(scripts(venue, has_legs)), rules, traded, given_settings)


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
