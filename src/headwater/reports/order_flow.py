"""What became of the orders: counts, fill ratio, refusals by reason, use of the order rate, the queue and the
wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.domain.order import OrderLogEvent, OrderStatus, Reason
from headwater.kernels.kernel import kernel
from headwater.reports.returns import SECOND_NS
from headwater.reports.valuation import F64, I64, Records

ENDINGS: Final = frozenset(
    {
        Reason.NONE,
        Reason.BY_USER,
        Reason.BY_LIQUIDATION,
        Reason.GTD_EXPIRED,
        Reason.IMMEDIATE_OR_CANCEL,
        Reason.FILL_OR_KILL,
    }
)
"""Reasons that end an order as it asked for; all others refuse a request."""

_SUBMIT: Final = int(OrderLogEvent.SUBMIT)
_REPORT: Final = int(OrderLogEvent.REPORT)
_NEW: Final = int(OrderStatus.NEW)
_PARTIALLY_FILLED: Final = int(OrderStatus.PARTIALLY_FILLED)
_CODES: Final = 256

ORDER_LIFE_DTYPE: Final = np.dtype(
    [
        ("submitted", "u1"),
        ("size", "i8"),  # lots, as last known
        ("filled", "i8"),  # lots
        ("queue_ahead", "f8"),  # at the first report on the resting order; NaN when it never rested
        ("rest_ts", "i8"),  # UTC ns of that report
        ("fill_ts", "i8"),  # UTC ns of the first report with a fill, 0 without one
    ],
    align=True,
)
"""One row per client order number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFlow:
    """Requests and what the venue did with them.

    Attributes
    ----------
    submits, amends, cancels, reports : rows of the order log by kind
    orders : orders submitted
    with_fill, filled : of these, orders with any fill, and filled in full
    refusals : reason -> number of requests refused, most frequent first
    endings : reason -> number of orders that ended so, most frequent first
    rate_ts : (requests,) UTC ns of each request
    rate : (requests,) requests in the second that ends with this one, itself included
    rate_limit_per_s : the venue's limit, None when the manifest states none
    queue_ahead : (m,) size ahead when an order first rested, units of its instrument
    queue_filled : (m,) whether that order had a fill later
    wait_ns : (w,) time from first resting to the first fill
    """

    submits: int
    amends: int
    cancels: int
    reports: int
    orders: int
    with_fill: int
    filled: int
    refusals: dict[str, int]
    endings: dict[str, int]
    rate_ts: I64
    rate: I64
    rate_limit_per_s: int | None
    queue_ahead: F64
    queue_filled: F64
    wait_ns: F64

    @property
    def fill_ratio(self) -> float:
        """Orders with any fill / orders submitted; NaN without orders."""
        return self.with_fill / self.orders if self.orders else np.nan

    @property
    def rate_max(self) -> int:
        """Most requests in any second."""
        return int(self.rate.max()) if len(self.rate) else 0

    @property
    def refused(self) -> int:
        """Requests refused for any reason."""
        return sum(self.refusals.values())


@kernel
def scan_orders(
    orders: Records, window_ns: int, events: I64, reasons: I64, lives: Records, rate_ts: I64, rate: I64
) -> int:
    """One pass over the order log; return the number of requests.

    Parameters
    ----------
    orders : (n,) ORDER_LOG_DTYPE ascending in ts
    window_ns : span over which the rate is counted
    events, reasons : (256,) counters, 0 at the start; reasons count reports only
    lives : (orders,) ORDER_LIFE_DTYPE by order number; ``queue_ahead`` NaN, the rest 0 at the start
    rate_ts, rate : (n,) time and trailing count of each request
    """
    requests = 0
    oldest = 0
    for i in range(len(orders)):
        events[orders[i]["event"]] += 1
        if orders[i]["event"] == _REPORT:
            reasons[orders[i]["reason"]] += 1
            _report(orders, i, lives)
            continue
        if orders[i]["event"] == _SUBMIT:
            lives[orders[i]["order"]]["submitted"] = 1
            lives[orders[i]["order"]]["size"] = orders[i]["size"]
        rate_ts[requests] = orders[i]["ts"]
        while rate_ts[oldest] <= orders[i]["ts"] - window_ns:
            oldest += 1
        rate[requests] = requests - oldest + 1
        requests += 1
    return requests


@kernel
def _report(orders: Records, i: int, lives: Records) -> None:
    order = orders[i]["order"]
    if order < 0:
        return
    rests = orders[i]["status"] == _NEW or orders[i]["status"] == _PARTIALLY_FILLED
    if rests and np.isnan(lives[order]["queue_ahead"]) and not np.isnan(orders[i]["queue_ahead"]):
        lives[order]["queue_ahead"] = orders[i]["queue_ahead"]
        lives[order]["rest_ts"] = orders[i]["ts"]
    if orders[i]["filled"] > 0:
        if lives[order]["fill_ts"] == 0:
            lives[order]["fill_ts"] = orders[i]["ts"]
        lives[order]["filled"] = orders[i]["filled"]
        lives[order]["size"] = orders[i]["size"]


def order_flow(orders: Records, rate_limit_per_s: int | None = None) -> OrderFlow:
    """Describe the order log `orders`, (n,) ORDER_LOG_DTYPE ascending in ts."""
    events, reasons = np.zeros(_CODES, np.int64), np.zeros(_CODES, np.int64)
    count = int(orders["order"].max()) + 1 if len(orders) else 0
    lives = np.zeros(max(count, 0), ORDER_LIFE_DTYPE)
    lives["queue_ahead"] = np.nan
    rate_ts, rate = np.empty(len(orders), np.int64), np.empty(len(orders), np.int64)
    requests = scan_orders(orders, SECOND_NS, events, reasons, lives, rate_ts, rate)
    rested = ~np.isnan(lives["queue_ahead"])
    had_fill = lives["fill_ts"] > 0
    waited = lives[rested & had_fill]
    known = lives["submitted"] == 1
    return OrderFlow(
        submits=int(events[OrderLogEvent.SUBMIT]),
        amends=int(events[OrderLogEvent.AMEND]),
        cancels=int(events[OrderLogEvent.CANCEL]),
        reports=int(events[OrderLogEvent.REPORT]),
        orders=int(known.sum()),
        with_fill=int((known & had_fill).sum()),
        filled=int((known & had_fill & (lives["filled"] >= lives["size"])).sum()),
        refusals=_by_name(reasons, refusal=True),
        endings=_by_name(reasons, refusal=False),
        rate_ts=rate_ts[:requests],
        rate=rate[:requests],
        rate_limit_per_s=rate_limit_per_s,
        # A queue that was used up to the last lot may be a rounding error below zero.
        queue_ahead=np.maximum(lives["queue_ahead"][rested], 0.0),
        queue_filled=had_fill[rested].astype(np.float64),
        wait_ns=(waited["fill_ts"] - waited["rest_ts"]).astype(np.float64),
    )


def _by_name(reasons: I64, *, refusal: bool) -> dict[str, int]:
    counted = [
        (reason.name, int(reasons[reason]))
        for reason in Reason
        if reason is not Reason.NONE and reasons[reason] and (reason not in ENDINGS) == refusal
    ]
    return {name.lower().replace("_", " "): count for name, count in sorted(counted, key=lambda row: -row[1])}
