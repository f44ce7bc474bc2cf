"""Trades: impossible prices and sizes, prints far off the market, leading digits of sizes.

A price is absurd when it lies more than half above or below the prints on *both* sides of it, which agree
with each other: a market that moved takes the next prints with it, a wrong number does not. Large moves that
the market followed are named with their robust z-score (log returns over 1.4826 median absolute deviations)
and kept.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.event import EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.tape.benford import benford, leading_digit
from headwater.tape.certificate import Finding, Severity
from headwater.tape.log_histogram import BINS, count_above, log_bin, quantile
from headwater.tape.order import I64
from headwater.tape.show_time import show_time

ABSURD_RATIO: Final = 1.5
JUMP_Z_MIN: Final = 20.0
JUMP_RETURN_MIN: Final = 0.02
MAD_TO_SIGMA: Final = 1.4826

_RETURN_UNITS: Final = 1e9  # log returns enter the histogram in units of 1e-9

_TRADE: Final = int(EventKind.TRADE)
_COUNTERS: Final = (
    "trades",
    "price",  # the last one
    "price_before",
    "ts",
    "bad",
    "bad_at",
    "absurd",
    "absurd_at",
    "twins",
    "largest_at",
)
_TRADES, _PRICE, _PRICE_BEFORE, _TS, _BAD, _BAD_AT, _ABSURD, _ABSURD_AT, _TWINS, _LARGEST_AT = range(10)


@kernel
def trade_step(events: Events, state: I64, largest: I64, return_bins: I64, digits: I64, classes: I64) -> None:
    """Take trades into the state; other kinds are passed over.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE in arrival order
    state : counters by the names of ``_COUNTERS``
    largest : (1,) largest absolute log return so far, units of 1e-9
    return_bins : log histogram of absolute log returns other than zero, units of 1e-9
    digits : (10,) counts of leading digits of sizes
    classes : (256,) counts by print class
    """
    for i in range(len(events)):
        if events[i]["kind"] != _TRADE:
            continue
        price, size, ts = events[i]["price"], events[i]["size"], events[i]["ts_local"]
        state[_TRADES] += 1
        classes[events[i]["print_class"]] += 1
        if price <= 0 or size <= 0:
            if state[_BAD] == 0:
                state[_BAD_AT] = ts
            state[_BAD] += 1
            continue
        digits[leading_digit(size)] += 1
        if state[_PRICE] > 0:
            _take_return(price, ts, state, largest, return_bins)
            if i > 0 and _is_twin(events, i):
                state[_TWINS] += 1
        state[_PRICE_BEFORE] = state[_PRICE]
        state[_PRICE], state[_TS] = price, ts


@kernel
def _take_return(price: int, ts: int, state: I64, largest: I64, return_bins: I64) -> None:
    last, before = float(state[_PRICE]), float(state[_PRICE_BEFORE])
    size = abs(np.log(float(price) / last)) * 1e9
    if size > 0:
        return_bins[log_bin(size)] += 1
        if size > largest[0]:
            largest[0] = np.int64(size)
            state[_LARGEST_AT] = ts
    if before > 0 and is_spike(before, last, float(price)):
        if state[_ABSURD] == 0:
            state[_ABSURD_AT] = state[_TS]
        state[_ABSURD] += 1


@kernel
def is_spike(before: float, value: float, after: float) -> bool:
    """Whether `value` is more than half above, or below two thirds of, both neighbours."""
    high, low = max(before, after), min(before, after)
    return value > high * 1.5 or value * 1.5 < low


@kernel
def _is_twin(events: Events, i: int) -> bool:
    before, trade = events[i - 1], events[i]
    return bool(
        before["kind"] == _TRADE
        and before["ts_venue"] == trade["ts_venue"]
        and before["price"] == trade["price"]
        and before["size"] == trade["size"]
        and before["side"] == trade["side"]
    )


class TradeCheck:
    """The trades of one dataset, chunk by chunk."""

    def __init__(self) -> None:
        self._state = np.zeros(len(_COUNTERS), np.int64)
        self._largest = np.zeros(1, np.int64)
        self._return_bins = np.zeros(BINS, np.int64)
        self._digits = np.zeros(10, np.int64)
        self._classes = np.zeros(256, np.int64)

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        trade_step(events, self._state, self._largest, self._return_bins, self._digits, self._classes)

    def counter(self, name: str) -> int:
        """A counter by its name."""
        return int(self._state[_COUNTERS.index(name)])

    def findings(self) -> list[Finding]:
        """Impossible trades, absurd prices, jumps, twins."""
        return [*self._bad(), *self._absurd(), *self._jumps(), *self._twins()]

    def measures(self) -> dict[str, Any]:
        """Counts, and Benford's law on sizes."""
        return {"trades": self.counter("trades"), **benford(self._digits)}

    def _bad(self) -> list[Finding]:
        if not (bad := self.counter("bad")):
            return []
        when = show_time(self.counter("bad_at"))
        words = f"{bad} trades at a price or of a size of zero or less, first at {when}"
        return [Finding(check="impossible trades", severity=Severity.FAIL, count=bad, words=words)]

    def _absurd(self) -> list[Finding]:
        if not (absurd := self.counter("absurd")):
            return []
        words = (
            f"{absurd} prints lie more than a factor {ABSURD_RATIO} off the prints before and after them, "
            f"first at {show_time(self.counter('absurd_at'))}"
        )
        return [Finding(check="absurd prices", severity=Severity.FAIL, count=absurd, words=words)]

    def _jumps(self) -> list[Finding]:
        sigma = MAD_TO_SIGMA * quantile(self._return_bins, 0.5) / _RETURN_UNITS
        limit = max(JUMP_Z_MIN * sigma, JUMP_RETURN_MIN)
        largest = int(self._largest[0]) / _RETURN_UNITS
        if not largest > limit:
            return []
        count = max(1, count_above(self._return_bins, limit * _RETURN_UNITS))
        words = (
            f"{count} prints more than {np.expm1(limit):.1%} from the print before, the largest "
            f"{np.expm1(largest):.1%} (robust z {largest / sigma:.0f}) "
            f"at {show_time(self.counter('largest_at'))}"
        )
        return [Finding(check="price jumps", severity=Severity.NOTE, count=count, words=words)]

    def _twins(self) -> list[Finding]:
        if not (twins := self.counter("twins")):
            return []
        words = (
            f"{twins} trades equal the trade before them in venue time, price, size and side: one order that "
            "met several, or a repetition; identity numbers decide, where the format has them"
        )
        return [Finding(check="twin trades", severity=Severity.NOTE, count=twins, words=words)]
