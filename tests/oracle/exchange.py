"""A venue and a trader, the obvious way: dicts, lists, one heap of everything that happens.

The same stated rules as ``simulation/`` and ``engine/`` (their docstrings), for one linear contract whose tick and lot are
1, with latency constant and positive. Nothing is shared with them but the enums; the place in the queue is
``tests/oracle/queue.py``'s. Nothing here is fast, preallocated or clever.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import Any

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, PrintClass, VenueStatus
from headwater.domain.intent import RequestKind
from headwater.domain.order import (
    OrderKind,
    OrderLogEvent,
    OrderStatus,
    PositionSide,
    Reason,
    TimeInForce,
    TriggerBy,
)
from tests.oracle import queue

MONEY_SCALE = 10**8
FINE = 10**8

# what comes first at one instant
DATA_AT_TRADER, REPORT_AT_TRADER, SCRIPT, DATA_AT_VENUE, EXPIRY, REQUEST_AT_VENUE = range(6)

STOPS = (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT, OrderKind.TRAILING_STOP)


@dataclass(frozen=True)
class Ask:
    """One line of a script: what the trader asks at a time; `number` names the order of a cancel or an amendment."""

    at: int
    action: RequestKind
    number: int = -1
    side: int = 1
    size: int = 1
    price: int | None = None
    kind: OrderKind = OrderKind.LIMIT
    force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    trigger: int | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    trail: int = 0
    expire: int = 0
    leg: PositionSide = PositionSide.BOTH
    instrument: int = 0


@dataclass(frozen=True)
class Rules:
    """Of the venue, the instrument and the models."""

    entry_ns: int = 2_000_000
    response_ns: int = 1_000_000
    queue_model: str = "risk_averse"
    queue_power: float = 2.0
    no_partial_fill: bool = False
    rate_limit: int = 0
    rate_window_ns: int = 0
    cancels_count: bool = True
    decrease_keeps_queue: bool = True
    amend_below_filled_cancels: bool = False
    reduce_only_rejects: bool = False
    hedge_mode: bool = False
    size_min: int = 1
    size_max: int = 0
    size_market_max: int = 0
    notional_min: int = 0
    band: Fraction | None = None
    protection: Fraction | None = None
    maker: Fraction = Fraction(0)
    taker: Fraction = Fraction(0)


@dataclass
class Order:
    """What the venue and the trader each know of one order."""

    ask: Ask
    number: int
    ts_sent: int
    # venue
    status: OrderStatus = OrderStatus.NONE
    price: int | None = None
    size: int = 0
    filled: int = 0
    place: queue.Place = field(default_factory=queue.Place)
    level: int | None = None
    # trader
    known_status: OrderStatus = OrderStatus.PENDING_NEW
    known_price: int | None = None
    known_size: int = 0
    known_filled: int = 0
    pending: RequestKind = RequestKind.NEW

    @property
    def side(self) -> int:
        return self.ask.side

    @property
    def is_conditional(self) -> bool:
        return self.ask.kind > OrderKind.LIMIT

    @property
    def may_only_reduce(self) -> bool:
        closes = {PositionSide.LONG: -1, PositionSide.SHORT: 1}
        return self.ask.reduce_only or closes.get(self.ask.leg) == self.side


def half_away(value: Fraction) -> int:
    whole = (abs(value) + Fraction(1, 2)).__floor__()
    return whole if value >= 0 else -whole


def ticks(price: int | None) -> int:
    return NO_PRICE if price is None else price


class PlainRun:
    """`fills` and `log` are what the trader has on record at the end, as tuples."""

    def __init__(self, events: Any, script: list[Ask], rules: Rules) -> None:
        self.rules = rules
        self.heap: list[tuple[int, int, int, Any]] = []
        self.turn = count()
        self.seen: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.orders: list[Order] = []
        self.fills: list[tuple[int, ...]] = []
        self.log: list[tuple[int, ...]] = []
        # venue
        self.book: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.resting: dict[int, list[Order]] = {1: [], -1: []}
        self.waiting: list[Order] = []
        self.prices: dict[TriggerBy, int | None] = dict.fromkeys(TriggerBy)
        self.trading = VenueStatus.TRADING
        self.lots = {1: 0, -1: 0}
        self.arrivals: list[int] = []
        self.answering: RequestKind = RequestKind.NONE
        for event in events:
            self._at(int(event["ts_venue"]), DATA_AT_VENUE, event)
            self._at(int(event["ts_local"]), DATA_AT_TRADER, event)
        for ask in script:
            self._at(ask.at, SCRIPT, ask)

    def run(self) -> PlainRun:
        """Live through everything."""
        handlers = (
            self._see,
            self._hear,
            self._ask,
            self._happen,
            self._expire,
            self._receive,
        )
        while self.heap:
            ts, what, _, payload = heapq.heappop(self.heap)
            handlers[what](ts, payload)
        return self

    def _at(self, ts: int, what: int, payload: Any) -> None:
        heapq.heappush(self.heap, (ts, what, next(self.turn), payload))

    # -- the trader ------------------------------------------------------------------------------------------------

    def _see(self, _ts: int, event: Any) -> None:
        """Market data at the trader: only the book matters, for the record of fills."""
        apply_to_book(self.seen, event)

    def _ask(self, ts: int, ask: Ask) -> None:
        if ask.action is RequestKind.NEW:
            order = Order(ask, len(self.orders), ts, known_price=ask.price, known_size=ask.size)
            self.orders.append(order)
            self._send(ts, order, RequestKind.NEW, ask, OrderLogEvent.SUBMIT)
            return
        if ask.number >= len(self.orders) or self.orders[ask.number].ts_sent == ts:
            return  # a strategy sees at its next wake what it sent at this one
        order = self.orders[ask.number]
        if order.known_status >= OrderStatus.FILLED or order.pending is RequestKind.CANCEL:
            return
        if ask.action is RequestKind.CANCEL:
            self._send(ts, order, RequestKind.CANCEL, ask, OrderLogEvent.CANCEL)
        elif order.pending is RequestKind.NONE:
            self._send(ts, order, RequestKind.AMEND, ask, OrderLogEvent.AMEND)

    def _send(self, ts: int, order: Order, kind: RequestKind, ask: Ask, event: OrderLogEvent) -> None:
        order.pending = kind
        self._at(ts + self.rules.entry_ns, REQUEST_AT_VENUE, (kind, order, ask))
        self._note(ts, 0, order, event, Reason.NONE)

    def _note(self, ts: int, ts_venue: int, order: Order, event: OrderLogEvent, reason: Reason) -> None:
        known = (ticks(order.known_price), order.known_size, order.known_filled)
        self.log.append((ts, ts_venue, order.number, *known, event, order.known_status, reason))

    def _hear(self, ts: int, report: dict[str, Any]) -> None:
        order: Order = report["order"]
        if report["fill"]:
            bid, ask = max(self.seen[1], default=NO_PRICE), min(self.seen[-1], default=NO_PRICE)
            self.fills.append((report["ts"], ts, order.number, *report["fill"], bid, ask))
        if report["answers"] is not RequestKind.NONE and report["answers"] is order.pending:
            order.pending = RequestKind.NONE
        if not report["is_reject"]:
            order.known_status, order.known_filled = report["status"], report["filled"]
            if not report["fill"]:
                order.known_price, order.known_size = report["price"], report["size"]
        self._note(ts, report["ts"], order, OrderLogEvent.REPORT, report["reason"])

    # -- what the venue tells --------------------------------------------------------------------------------------

    def _tell(
        self,
        ts: int,
        order: Order,
        reason: Reason = Reason.NONE,
        *,
        is_reject: bool = False,
        fill: tuple[int, ...] = (),
    ) -> None:
        report = {
            "ts": ts,
            "order": order,
            "reason": reason,
            "is_reject": is_reject,
            "fill": fill,
            "status": order.status,
            "filled": order.filled,
            "price": order.price,
            "size": order.size,
            "answers": self.answering,
        }
        self.answering = RequestKind.NONE
        self._at(ts + self.rules.response_ns, REPORT_AT_TRADER, report)

    def _end(self, ts: int, order: Order, status: OrderStatus, reason: Reason) -> None:
        order.status = status
        self._tell(ts, order, reason)

    def _fill(self, ts: int, order: Order, price: int, size: int, is_maker: bool) -> None:
        order.filled += size
        order.status = OrderStatus.FILLED if order.filled >= order.size else OrderStatus.PARTIALLY_FILLED
        closing = min(size, self._closable(order))
        self.lots[-order.side] -= closing
        self.lots[order.side] += size - closing
        value = price * size * MONEY_SCALE
        fee = half_away(value * (self.rules.maker if is_maker else self.rules.taker))
        self._tell(
            ts, order, fill=(price, size, fee, -order.side * value, order.side, is_maker, order.ask.leg)
        )

    # -- the venue's book ------------------------------------------------------------------------------------------

    def _best(self, side: int) -> int | None:
        prices = self.book[side]
        return (max(prices) if side > 0 else min(prices)) if prices else None

    def _crosses(self, side: int, limit: int | None) -> bool:
        best = self._best(-side)
        return best is not None and (limit is None or (limit - best) * side >= 0)

    def _closable(self, order: Order) -> int:
        if order.ask.leg is PositionSide.LONG:
            return self.lots[1] if order.side < 0 else 0
        if order.ask.leg is PositionSide.SHORT:
            return self.lots[-1] if order.side > 0 else 0
        return self.lots[-order.side]

    def _leaves(self, order: Order) -> int:
        left = order.size - order.filled
        return min(left, self._closable(order)) if order.may_only_reduce else left

    def _happen(self, ts: int, event: Any) -> None:
        kind = EventKind(event["kind"])
        if kind in (EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT):
            self._on_level(ts, event)
        elif kind is EventKind.TRADE:
            self._on_trade(ts, event)
        elif kind is EventKind.MARK_PRICE:
            self._on_price(ts, TriggerBy.MARK, int(event["price"]))
        elif kind is EventKind.INDEX_PRICE:
            self._on_price(ts, TriggerBy.INDEX, int(event["price"]))
        elif kind is EventKind.STATUS:
            self.trading = VenueStatus(event["size"])
        else:
            apply_to_book(self.book, event)

    def _on_level(self, ts: int, event: Any) -> None:
        side, price, size = int(event["side"]), int(event["price"]), int(event["size"])
        best, before = self._best(side), self.book[side].get(price, 0)
        apply_to_book(self.book, event)
        for order in self.resting[side]:
            if order.price == price:
                self._move_in_queue(order, before, size)
        if self.rules.no_partial_fill:
            now = self._best(side)
            if now is not None and (best is None or (now - best) * side > 0):
                for order in list(self.resting[-side]):
                    assert order.price is not None
                    if (now - order.price) * side >= 0:
                        self._fill_as_maker(ts, order, order.size - order.filled)
        elif event["flags"] & EventFlag.LAST_IN_MESSAGE:
            for each in (1, -1):
                self._trade_with_crossed_levels(ts, each)

    def _move_in_queue(self, order: Order, before: int, after: int) -> None:
        model = self.rules.queue_model
        if model == "risk_averse":
            queue.depth_risk_averse(order.place, float(after))
        else:
            queue.depth_by_probability(
                order.place, model, self.rules.queue_power, float(before), float(after)
            )

    def _trade_with_crossed_levels(self, ts: int, side: int) -> None:
        while self.resting[side] and self._crosses(side, self.resting[side][0].price):
            order, best = self.resting[side][0], self._best(-side)
            assert best is not None
            size = min(self.book[-side][best], self._leaves(order))
            self._consume(-side, best, size)
            self._fill_as_maker(ts, order, size)

    def _consume(self, side: int, price: int, size: int) -> None:
        self.book[side][price] -= size
        if self.book[side][price] == 0:
            del self.book[side][price]

    def _fill_as_maker(self, ts: int, order: Order, size: int) -> None:
        assert order.price is not None
        if size > 0:
            self._fill(ts, order, order.price, size, is_maker=True)
        if order.status is OrderStatus.FILLED:
            self.resting[order.side].remove(order)
        elif self._leaves(order) <= 0:
            self.resting[order.side].remove(order)
            self._end(ts, order, OrderStatus.CANCELED, Reason.REDUCE_ONLY)

    def _on_trade(self, ts: int, event: Any) -> None:
        side, price, size = int(event["side"]), int(event["price"]), int(event["size"])
        if event["print_class"] not in (PrintClass.NORMAL, PrintClass.LIQUIDATION):
            return
        self.prices[TriggerBy.LAST] = price
        remaining = size
        for order in list(self.resting[-side]) if side else []:
            assert order.price is not None
            if (price - order.price) * side < 0:
                break
            if price == order.price:
                queue.trade(order.place, float(size))
                reached = queue.reached(order.place, 1.0)
            else:
                reached = size
            if reached:
                share = order.size - order.filled
                if not self.rules.no_partial_fill:
                    share = min(reached, remaining, self._leaves(order))
                remaining -= share
                self._fill_as_maker(ts, order, share)
        self._fire(ts, TriggerBy.LAST)

    def _on_price(self, ts: int, source: TriggerBy, price: int) -> None:
        self.prices[source] = price
        self._fire(ts, source)

    # -- triggers --------------------------------------------------------------------------------------------------

    def _fire(self, ts: int, source: TriggerBy) -> None:
        while self.trading not in (VenueStatus.HALTED, VenueStatus.DELISTED):
            order = self._first_fired(source)
            if order is None:
                return
            self.waiting.remove(order)
            order.status = OrderStatus.NEW
            self._execute(ts, order)

    def _first_fired(self, source: TriggerBy) -> Order | None:
        price = self.prices[source]
        for order in self.waiting if price is not None else []:
            if order.ask.trigger_by is not source:
                continue
            direction = order.side if order.ask.kind in STOPS else -order.side
            if order.level is not None and (price - order.level) * direction >= 0:  # type: ignore[operator]
                return order
            self._trail(order)
        return None

    def _trail(self, order: Order) -> None:
        price = self.prices[order.ask.trigger_by]
        if order.ask.kind is not OrderKind.TRAILING_STOP or price is None:
            return
        activation = order.ask.trigger
        if order.level is None and activation is not None and (price - activation) * order.side > 0:
            return
        unit = 1 if order.ask.trigger_by is TriggerBy.LAST else FINE
        proposed = price + order.side * order.ask.trail * unit
        if order.level is None or (proposed - order.level) * order.side < 0:
            order.level = proposed

    # -- requests --------------------------------------------------------------------------------------------------

    def _receive(self, ts: int, request: tuple[RequestKind, Order, Ask]) -> None:
        kind, order, ask = request
        self.answering = kind
        limited = (kind is not RequestKind.CANCEL or self.rules.cancels_count) and not self._within_rate(ts)
        if kind is RequestKind.NEW:
            self._receive_new(ts, order, limited)
        elif limited:
            self._tell(ts, order, Reason.RATE_LIMIT, is_reject=True)
        elif kind is RequestKind.CANCEL:
            self._receive_cancel(ts, order)
        else:
            assert ask.price is not None
            self._receive_amend(ts, order, ask.price, ask.size)

    def _within_rate(self, ts: int) -> bool:
        if self.rules.rate_limit == 0:
            return True
        recent = [arrival for arrival in self.arrivals if ts - arrival < self.rules.rate_window_ns]
        if len(recent) >= self.rules.rate_limit:
            return False
        self.arrivals.append(ts)
        return True

    def _receive_new(self, ts: int, order: Order, limited: bool) -> None:
        order.price, order.size = order.ask.price, order.ask.size
        reason = Reason.RATE_LIMIT if limited else self._refusal(ts, order)
        if reason is not Reason.NONE:
            self._end(ts, order, OrderStatus.REJECTED, reason)
            return
        if order.may_only_reduce and not self.rules.reduce_only_rejects:
            order.size = min(order.size, self._closable(order))
        if not order.is_conditional:
            self._execute(ts, order)
            return
        order.status, order.level = OrderStatus.UNTRIGGERED, order.ask.trigger
        if order.ask.kind is OrderKind.TRAILING_STOP:
            order.level = None
            self._trail(order)
        self.waiting.append(order)
        self._await_expiry(order)
        self._tell(ts, order)

    def _refusal(self, ts: int, order: Order) -> Reason:
        ask, rules = order.ask, self.rules
        if self.trading in (VenueStatus.HALTED, VenueStatus.DELISTED):
            return Reason.NOT_TRADING
        if rules.hedge_mode != (ask.leg is not PositionSide.BOTH):
            return Reason.POSITION_MODE
        if ask.force is TimeInForce.GTD and ask.expire <= ts:
            return Reason.GTD_EXPIRED
        reason = self._size_refusal(order, ask.price, ask.size)
        if reason is not Reason.NONE:
            return reason
        if order.is_conditional and self._is_past_trigger(order):
            return Reason.TRIGGER_WOULD_FIRE
        if self.trading is VenueStatus.POST_ONLY and not ask.post_only:
            return Reason.NOT_TRADING
        if not self._within_band(order.side, ask.price):
            return Reason.PRICE_BAND
        if order.may_only_reduce:
            can = self._closable(order)
            if can == 0 or (rules.reduce_only_rejects and ask.size > can):
                return Reason.REDUCE_ONLY
        return Reason.NONE

    def _is_past_trigger(self, order: Order) -> bool:
        price = self.prices[order.ask.trigger_by]
        if order.ask.kind is OrderKind.TRAILING_STOP or price is None:
            return False
        direction = order.side if order.ask.kind in STOPS else -order.side
        assert order.ask.trigger is not None
        return (price - order.ask.trigger) * direction >= 0

    def _size_refusal(self, order: Order, price: int | None, size: int) -> Reason:
        rules = self.rules
        largest = rules.size_market_max if order.ask.kind is OrderKind.MARKET else rules.size_max
        if size < rules.size_min or (largest and size > largest):
            return Reason.SIZE_LIMIT
        if order.ask.reduce_only or order.is_conditional:
            return Reason.NONE
        at = price if price is not None else self.prices[TriggerBy.LAST]
        return Reason.MIN_NOTIONAL if at is not None and at * size < rules.notional_min else Reason.NONE

    def _within_band(self, side: int, price: int | None) -> bool:
        mark, last = self.prices[TriggerBy.MARK], self.prices[TriggerBy.LAST]
        reference = mark // FINE if mark is not None else last
        if self.rules.band is None or price is None or reference is None:
            return True
        return (price - reference) * side <= reference * self.rules.band

    def _execute(self, ts: int, order: Order) -> None:
        side, limit = order.side, order.price
        if limit is None:
            self._execute_market(ts, order)
            return
        if self._crosses(side, limit):
            if order.ask.post_only:
                self._end(ts, order, OrderStatus.EXPIRED, Reason.POST_ONLY_WOULD_TAKE)
                return
            within = sum(size for price, size in self.book[-side].items() if (limit - price) * side >= 0)
            whole = self.rules.no_partial_fill
            if order.ask.force is TimeInForce.FOK and not whole and within < self._leaves(order):
                self._end(ts, order, OrderStatus.EXPIRED, Reason.FILL_OR_KILL)
                return
            self._take(ts, order, limit)
            if order.status is OrderStatus.FILLED:
                return
        if order.ask.force is TimeInForce.IOC:
            self._end(ts, order, OrderStatus.EXPIRED, Reason.IMMEDIATE_OR_CANCEL)
        elif order.ask.force is TimeInForce.FOK:
            self._end(ts, order, OrderStatus.EXPIRED, Reason.FILL_OR_KILL)
        elif self._leaves(order) <= 0:
            self._end(ts, order, OrderStatus.CANCELED, Reason.REDUCE_ONLY)
        else:
            self._rest(ts, order)

    def _execute_market(self, ts: int, order: Order) -> None:
        best = self._best(-order.side)
        if best is None:
            self._end(ts, order, OrderStatus.CANCELED, Reason.NO_LIQUIDITY)
            return
        limit = None
        if self.rules.protection is not None:
            limit = best + order.side * (best * self.rules.protection).__floor__()
        self._take(ts, order, limit)
        if order.status is OrderStatus.FILLED:
            return
        reason = Reason.PROTECTIVE_PRICE if self.book[-order.side] else Reason.NO_LIQUIDITY
        if self._leaves(order) <= 0:
            reason = Reason.REDUCE_ONLY
        self._end(ts, order, OrderStatus.CANCELED, reason)

    def _take(self, ts: int, order: Order, limit: int | None) -> None:
        best = self._best(-order.side)
        if self.rules.no_partial_fill:
            if self._leaves(order) > 0 and best is not None:
                self._fill(ts, order, best, self._leaves(order), is_maker=False)
            return
        while self._leaves(order) > 0 and self._crosses(order.side, limit):
            best = self._best(-order.side)
            assert best is not None
            size = min(self._leaves(order), self.book[-order.side][best])
            self._consume(-order.side, best, size)
            self._fill(ts, order, best, size, is_maker=False)

    def _rest(self, ts: int, order: Order) -> None:
        assert order.price is not None
        queue.join(order.place, float(self.book[order.side].get(order.price, 0)))
        if order.status is not OrderStatus.PARTIALLY_FILLED:
            order.status = OrderStatus.NEW
        own = self.resting[order.side]
        own.append(order)
        own.sort(key=lambda each: -each.side * (each.price or 0))  # stable: first come, first served
        self._await_expiry(order)
        self._tell(ts, order)

    def _receive_cancel(self, ts: int, order: Order) -> None:
        if not self._withdraw(order):
            self._tell(ts, order, Reason.ORDER_NOT_FOUND, is_reject=True)
            return
        self._end(ts, order, OrderStatus.CANCELED, Reason.BY_USER)

    def _withdraw(self, order: Order) -> bool:
        for orders in (self.resting[1], self.resting[-1], self.waiting):
            if order in orders:
                orders.remove(order)
                return True
        return False

    def _receive_amend(self, ts: int, order: Order, price: int, size: int) -> None:
        if order not in self.resting[order.side]:
            self._tell(ts, order, Reason.ORDER_NOT_FOUND, is_reject=True)
            return
        if size <= order.filled and self.rules.amend_below_filled_cancels:
            self._withdraw(order)
            self._end(ts, order, OrderStatus.CANCELED, Reason.AMEND_BELOW_FILLED)
            return
        reason = self._amend_refusal(order, price, size)
        if reason is not Reason.NONE:
            self._tell(ts, order, reason, is_reject=True)
            return
        keeps = price == order.price and size <= order.size and self.rules.decrease_keeps_queue
        order.size = size
        if keeps:
            self._tell(ts, order)
            return
        self._withdraw(order)
        order.price = price
        self._execute(ts, order)

    def _amend_refusal(self, order: Order, price: int, size: int) -> Reason:
        if self.trading in (VenueStatus.HALTED, VenueStatus.DELISTED):
            return Reason.NOT_TRADING
        if size <= order.filled:
            return Reason.AMEND_BELOW_FILLED
        if size <= order.size and price == order.price:
            return Reason.NONE
        reason = self._size_refusal(order, price, size)
        if reason is Reason.NONE and not self._within_band(order.side, price):
            reason = Reason.PRICE_BAND
        return reason

    def _await_expiry(self, order: Order) -> None:
        if order.ask.force is TimeInForce.GTD:
            self._at(order.ask.expire, EXPIRY, None)

    def _expire(self, ts: int, _nothing: None) -> None:
        for order in [*self.resting[1], *self.resting[-1], *self.waiting]:
            if order.ask.force is TimeInForce.GTD and order.ask.expire <= ts:
                self._withdraw(order)
                self._end(ts, order, OrderStatus.EXPIRED, Reason.GTD_EXPIRED)


def apply_to_book(book: dict[int, dict[int, int]], event: Any) -> None:
    """One record of the tape onto {side: {price: size}}."""
    kind, side, price = EventKind(event["kind"]), int(event["side"]), int(event["price"])
    if kind in (EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT):
        book[side].pop(price, None)
        if event["size"]:
            book[side][price] = int(event["size"])
    elif kind is EventKind.BOOK_CLEAR:
        for each in (1, -1):
            if side in (0, each):
                book[each] = {
                    at: size
                    for at, size in book[each].items()
                    if price != NO_PRICE and (at - price) * each < 0
                }
