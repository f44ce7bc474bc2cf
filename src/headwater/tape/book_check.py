"""A book run over the events of a dataset: crossed, locked, lost, and how long it could be trusted.

The book is an array of sizes a side over the prices at hand, compressed to their ranks, so that any spread of
prices fits. It is trusted from the first BOOK_CLEAR of both sides (or of each side) until a GAP.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.tape.certificate import Finding, Severity
from headwater.tape.order import I64
from headwater.tape.price_ranks import price_ranks
from headwater.tape.show_time import show_duration, show_time

TRUSTED_SHARE_MIN: Final = 0.95

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_DELTA: Final = int(EventKind.BOOK_DELTA)
_SNAPSHOT: Final = int(EventKind.BOOK_SNAPSHOT)
_CLEAR: Final = int(EventKind.BOOK_CLEAR)
_GAP: Final = int(EventKind.GAP)

_COUNTERS: Final = (
    "clock",  # ts_local of the last message
    "messages",
    "bid_trusted",
    "ask_trusted",
    "trusted_ns",
    "total_ns",
    "crossed",
    "crossed_ns",
    "crossed_at",
    "locked",
    "locked_at",
    "clears",
    "gaps",
    "lost",
    "bad_price",
    "bad_size",
    "bad_at",
    "repeated",
    "is_crossed",
)
(
    _CLOCK,
    _MESSAGES,
    _BID_TRUSTED,
    _ASK_TRUSTED,
    _TRUSTED_NS,
    _TOTAL_NS,
    _CROSSED,
    _CROSSED_NS,
    _CROSSED_AT,
    _LOCKED,
    _LOCKED_AT,
    _CLEARS,
    _GAPS,
    _LOST,
    _BAD_PRICE,
    _BAD_SIZE,
    _BAD_AT,
    _REPEATED,
    _IS_CROSSED,
) = range(len(_COUNTERS))


@kernel
def book_step(events: Events, rank: I64, bid: I64, ask: I64, state: I64) -> None:
    """Apply whole messages to the book and judge it at the end of each.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE, records of the book group in arrival order
    rank : (n,) index of each record's price in `bid` and `ask`, which are in the order of the prices
    bid, ask : (m,) lots resting at each rank
    state : counters by the names of ``_COUNTERS``
    """
    best_bid = _highest(bid, len(bid) - 1)
    best_ask = _lowest(ask, 0)
    begin, previous_begin = 0, -1
    for i in range(len(events)):
        kind = events[i]["kind"]
        if i == begin:
            _pass_time(events[i]["ts_local"], state)
        if kind in (_DELTA, _SNAPSHOT):
            size = events[i]["size"]
            if events[i]["price"] <= 0 or size < 0:
                _count_bad(events[i]["ts_local"], size < 0, state)
            elif events[i]["side"] > 0:
                bid[rank[i]] = size
                if size > 0:
                    best_bid = max(best_bid, rank[i])
                elif rank[i] == best_bid:
                    best_bid = _highest(bid, best_bid)
            else:
                ask[rank[i]] = size
                if size > 0:
                    best_ask = min(best_ask, rank[i])
                elif rank[i] == best_ask:
                    best_ask = _lowest(ask, best_ask)
        elif kind == _CLEAR:
            _clear(events[i]["side"], rank[i], best_bid, best_ask, bid, ask, state)
            best_bid = _highest(bid, best_bid)
            best_ask = _lowest(ask, best_ask)
        elif kind == _GAP:
            state[_GAPS] += 1
            state[_LOST] += events[i]["size"]
            state[_BID_TRUSTED] = 0
            state[_ASK_TRUSTED] = 0
        if events[i]["flags"] & _LAST:
            state[_MESSAGES] += 1
            _judge(events[i]["ts_local"], best_bid, best_ask, len(ask), state)
            if previous_begin >= 0 and _is_repeated(events, previous_begin, begin, i + 1):
                state[_REPEATED] += 1
            previous_begin = begin
            begin = i + 1


@kernel
def _highest(sizes: I64, start: int) -> int:
    while start >= 0 and sizes[start] == 0:
        start -= 1
    return start


@kernel
def _lowest(sizes: I64, start: int) -> int:
    while start < len(sizes) and sizes[start] == 0:
        start += 1
    return start


@kernel
def _pass_time(ts: int, state: I64) -> None:
    step = ts - state[_CLOCK]
    if state[_MESSAGES] > 0 and step > 0:
        state[_TOTAL_NS] += step
        if state[_BID_TRUSTED] and state[_ASK_TRUSTED]:
            state[_TRUSTED_NS] += step
        if state[_IS_CROSSED]:
            state[_CROSSED_NS] += step
    if state[_MESSAGES] == 0 or step > 0:
        state[_CLOCK] = ts


@kernel
def _count_bad(ts: int, is_size: bool, state: I64) -> None:
    if state[_BAD_PRICE] + state[_BAD_SIZE] == 0:
        state[_BAD_AT] = ts
    state[_BAD_SIZE if is_size else _BAD_PRICE] += 1


@kernel
def _clear(side: int, bound: int, best_bid: int, best_ask: int, bid: I64, ask: I64, state: I64) -> None:
    state[_CLEARS] += 1
    if side >= 0:
        bid[max(bound, 0) : best_bid + 1] = 0
        state[_BID_TRUSTED] = 1
    if side <= 0:
        ask[best_ask : bound + 1 if bound >= 0 else len(ask)] = 0
        state[_ASK_TRUSTED] = 1


@kernel
def _judge(ts: int, best_bid: int, best_ask: int, no_ask: int, state: I64) -> None:
    state[_IS_CROSSED] = 0
    if not (state[_BID_TRUSTED] and state[_ASK_TRUSTED]) or best_bid < 0 or best_ask >= no_ask:
        return
    if best_bid > best_ask:
        if state[_CROSSED] == 0:
            state[_CROSSED_AT] = ts
        state[_CROSSED] += 1
        state[_IS_CROSSED] = 1
    elif best_bid == best_ask:
        if state[_LOCKED] == 0:
            state[_LOCKED_AT] = ts
        state[_LOCKED] += 1


@kernel
def _is_repeated(events: Events, previous: int, begin: int, end: int) -> bool:
    if begin - previous != end - begin or events[previous]["ts_venue"] != events[begin]["ts_venue"]:
        return False
    for k in range(end - begin):
        old, new = events[previous + k], events[begin + k]
        if (
            old["price"] != new["price"]
            or old["size"] != new["size"]
            or old["side"] != new["side"]
            or old["kind"] != new["kind"]
        ):
            return False
    return True


class BookCheck:
    """The book of one dataset, chunk by chunk; chunks end with a message."""

    def __init__(self) -> None:
        self._state = np.zeros(len(_COUNTERS), np.int64)
        self._bids = np.empty((2, 0), np.int64)
        self._asks = np.empty((2, 0), np.int64)

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        priced = events["price"] != NO_PRICE
        prices, ranks = price_ranks(np.concatenate([self._bids[0], self._asks[0], events["price"][priced]]))
        bids, asks = self._bids.shape[1], self._asks.shape[1]
        bid, ask = np.zeros(len(prices), np.int64), np.zeros(len(prices), np.int64)
        bid[ranks[:bids]] = self._bids[1]
        ask[ranks[bids : bids + asks]] = self._asks[1]
        rank = np.full(len(events), -1, np.int64)
        rank[priced] = ranks[bids + asks :]
        book_step(events, rank, bid, ask, self._state)
        self._bids = np.stack([prices[bid > 0], bid[bid > 0]])
        self._asks = np.stack([prices[ask > 0], ask[ask > 0]])

    def counter(self, name: str) -> int:
        """A counter by its name."""
        return int(self._state[_COUNTERS.index(name)])

    @property
    def is_trusted(self) -> bool:
        """Whether both sides are known after the last message."""
        return bool(self.counter("bid_trusted") and self.counter("ask_trusted"))

    def levels(self) -> tuple[I64, I64]:
        """Bids and asks after the last message, best first: prices (ticks) and sizes (lots), shape (2, n)
        each."""
        return self._bids[:, ::-1], self._asks

    @property
    def trusted_share(self) -> float:
        """Share of the time, first to last message, in which both sides were known."""
        total = self.counter("total_ns")
        if total:
            return self.counter("trusted_ns") / total
        return float(self.is_trusted)

    def findings(self) -> list[Finding]:
        """Crossed and locked books, gaps, impossible levels, repeated messages, lack of trust."""
        return [*self._gaps(), *self._crossed(), *self._impossible(), *self._repeated(), *self._untrusted()]

    def measures(self) -> dict[str, Any]:
        """Share of trust, and counts."""
        return {
            "book_trusted_share": round(self.trusted_share, 6),
            "book_messages": self.counter("messages"),
            "book_snapshots": self.counter("clears"),
            "crossed_messages": self.counter("crossed"),
            "locked_messages": self.counter("locked"),
        }

    def _gaps(self) -> list[Finding]:
        gaps, lost = self.counter("gaps"), self.counter("lost")
        if not gaps:
            return []
        words = f"{gaps} gaps by sequence number, {lost or 'an unknown number of'} messages lost"
        return [Finding(check="sequence gaps", severity=Severity.FAIL, count=gaps, words=words)]

    def _crossed(self) -> list[Finding]:
        findings = []
        if crossed := self.counter("crossed"):
            words = (
                f"the book is crossed after {crossed} of {self.counter('messages')} messages, for "
                f"{show_duration(self.counter('crossed_ns'))}, "
                f"first at {show_time(self.counter('crossed_at'))}"
            )
            findings.append(Finding(check="crossed book", severity=Severity.FAIL, count=crossed, words=words))
        if locked := self.counter("locked"):
            words = (
                f"bid and ask are equal after {locked} messages, first at "
                f"{show_time(self.counter('locked_at'))}"
            )
            findings.append(Finding(check="locked book", severity=Severity.WARN, count=locked, words=words))
        return findings

    def _impossible(self) -> list[Finding]:
        prices, sizes = self.counter("bad_price"), self.counter("bad_size")
        if not prices + sizes:
            return []
        words = (
            f"{prices} levels at a price of zero or less and {sizes} with a negative size, "
            f"first at {show_time(self.counter('bad_at'))}"
        )
        return [Finding(check="impossible levels", severity=Severity.FAIL, count=prices + sizes, words=words)]

    def _repeated(self) -> list[Finding]:
        repeated = self.counter("repeated")
        if not repeated:
            return []
        words = f"{repeated} book messages repeat the message before them exactly"
        return [Finding(check="duplicates", severity=Severity.WARN, count=repeated, words=words)]

    def _untrusted(self) -> list[Finding]:
        share = self.trusted_share
        if not self.counter("messages") or share >= TRUSTED_SHARE_MIN:
            return []
        why = "after its gaps" if self.counter("clears") else "there is no snapshot to start from"
        words = (
            f"the book could be trusted {share:.1%} of the time ({why}); {TRUSTED_SHARE_MIN:.0%} are expected"
        )
        return [Finding(check="trusted share", severity=Severity.FAIL, count=1, words=words)]
