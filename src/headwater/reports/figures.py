"""The figures of a run in reading order: one list that the terminal, the tear sheet and a comparison all
show.

A figure that the data does not hold has the value NaN and says in `why` what is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from headwater.reports import wording
from headwater.reports.latency import PERCENTILES, percentiles
from headwater.reports.mark_outs import MarkOut
from headwater.reports.order_flow import OrderFlow
from headwater.reports.returns import CAGR_SPAN_NS_MIN, DAY_NS, SECOND_NS
from headwater.reports.statistics import AccountStatistics, Statistics
from headwater.reports.valuation import F64

SPAN_NS_TRUSTED_MIN: Final = 30 * DAY_NS
"""Below this span, ratios that are annualised carry a warning."""

Value: TypeAlias = float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Attributes
    ----------
    key : stable name, unique within a run, e.g. ``USDT.sharpe``
    group : heading under which it is shown
    label : what it is called
    value : the number itself; NaN when unknown
    unit : "count", "share", "ns", "bp", "ratio", "x", or the currency of money
    text : how it is shown
    why : what is missing when `value` is NaN, or a condition to read it with; else empty
    """

    key: str
    group: str
    label: str
    value: Value
    unit: str
    text: str
    why: str = ""


def figures(statistics: Statistics) -> list[Figure]:
    """All figures of a run."""
    found: list[Figure] = []
    for account in statistics.accounts:
        found += _account(account)
    found += _orders(statistics.orders)
    found += _latency(statistics)
    return found


def _account(account: AccountStatistics) -> Iterator[Figure]:
    for group in (_result, _risk, _trips, _costs, _split, _mark_outs):
        yield from group(account)


class _Group:
    """Builds the figures of one group of one account."""

    def __init__(self, currency: str, group: str) -> None:
        self.currency, self.group = currency, group

    def figure(
        self, name: str, value: Value, unit: str, why: str = "", *, caution: str = "", signed: bool = False
    ) -> Figure:
        """`why` is said when the value is unknown, `caution` when it is known."""
        unknown = not math.isfinite(value)
        return Figure(
            key=".".join(filter(None, (self.currency, _key(name)))),
            group=f"{self.group}, {self.currency}" if self.currency else self.group,
            label=name,
            value=value,
            unit=unit,
            text=wording.in_unit(value, unit, signed=signed),
            why=f"not enough data: {why or 'nothing to measure'}" if unknown else caution,
        )

    def money(
        self, name: str, value: float, why: str = "", *, signed: bool = True, caution: str = ""
    ) -> Figure:
        return self.figure(name, value, self.currency, why, signed=signed, caution=caution)

    def share(self, name: str, value: float, why: str = "", *, signed: bool = False) -> Figure:
        return self.figure(name, value, "share", why, signed=signed)

    def span(self, name: str, value: float, why: str = "", *, caution: str = "") -> Figure:
        return self.figure(name, value, "ns", why, caution=caution)

    def number(self, name: str, value: float, why: str = "", *, caution: str = "") -> Figure:
        return self.figure(name, value, "ratio", why, caution=caution)

    def count(self, name: str, value: int, *, caution: str = "") -> Figure:
        return self.figure(name, value, "count", caution=caution)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", name.replace("P&L", "pnl").lower()).strip("_")


def _result(account: AccountStatistics) -> Iterator[Figure]:
    group, curve = _Group(account.currency, "Result"), account.curve
    no_cash = "the account starts without money"
    unvalued = f"instants left out for want of a price: {curve.unvalued:,}" if curve.unvalued else ""
    yield group.money("Net profit", account.profit)
    yield group.share("Total return", account.returns.total, no_cash, signed=True)
    yield group.share(
        "CAGR",
        account.returns.cagr,
        f"a yearly rate needs {wording.span(CAGR_SPAN_NS_MIN)}, there are {wording.span(curve.span_ns)}",
        signed=True,
    )
    yield group.share(
        "Hold return", account.hold_return, "needs exactly one instrument with a price", signed=True
    )
    yield group.money("Initial equity", curve.initial, signed=False)
    yield group.money("Final equity", curve.final, signed=False)
    yield group.span("Span", curve.span_ns, caution=unvalued)


def _risk(account: AccountStatistics) -> Iterator[Figure]:
    group, returns, depth = _Group(account.currency, "Risk"), account.returns, account.drawdown
    few = f"{len(returns.per_interval)} returns of {wording.span(returns.interval_ns)}, or no variance"
    caution = _annualised(account)
    yield group.number("Sharpe", returns.sharpe, few, caution=caution)
    yield group.number("Sharpe standard error", returns.sharpe_standard_error, few)
    yield group.number("Sortino", returns.sortino, "no negative return", caution=caution)
    no_returns = "only changes of money, no returns"
    yield group.share("Volatility", returns.volatility, no_returns if returns.of_money else few)
    yield group.money("Max drawdown", depth.money, signed=False)
    yield group.share("Max drawdown of peak", depth.share, "the equity never was above zero")
    yield group.span("Longest drawdown", depth.duration_ns)
    yield group.number("Calmar", account.calmar, "needs a CAGR and a drawdown")
    yield group.number("Omega", returns.omega, "no losing interval")
    yield group.share("Time in market", account.curve.held_share, "the run spans no time")
    yield group.share("Mean exposure", account.exposure_mean, "the account starts without money")
    yield group.share("Max exposure", account.exposure_max, "the account starts without money")


def _annualised(account: AccountStatistics) -> str:
    returns, span_ns = account.returns, account.curve.span_ns
    basis = f"{len(returns.per_interval):,} returns of {wording.span(returns.interval_ns)}, 365 days a year"
    if returns.of_money:
        basis = basis.replace("returns", "changes of money")
    if span_ns < SPAN_NS_TRUSTED_MIN:
        return f"{basis}; annualised from {wording.span(span_ns)}: says little"
    return basis


def _trips(account: AccountStatistics) -> Iterator[Figure]:
    group, trips = _Group(account.currency, "Round trips"), account.trips
    none, no_loss = "no closed round trip", "no losing round trip"
    yield group.count("Closed round trips", trips.closed)
    yield group.count("Open round trips", trips.open)
    yield group.share("Hit rate", trips.hit_rate, none)
    yield group.number("Profit factor", trips.profit_factor, no_loss if trips.closed else none)
    yield group.money("Expectancy", trips.expectancy, none)
    yield group.money("Best round trip", trips.best, none)
    yield group.money("Worst round trip", trips.worst, none)
    yield group.money("Mean win", trips.win_mean, "no winning round trip")
    yield group.money("Mean loss", trips.loss_mean, no_loss)
    yield group.span("Mean duration", trips.duration_mean_ns, none)
    yield group.span("Mean holding time of a lot", trips.holding_mean_ns, none)
    yield group.money("Open profit", trips.open_profit, "no price for what is open")


def _costs(account: AccountStatistics) -> Iterator[Figure]:
    group, activity = _Group(account.currency, "Volume and costs"), account.activity
    turns = activity.turnover / account.curve.initial if account.curve.initial > 0.0 else math.nan
    yield group.count("Fills", activity.fills)
    yield group.money("Turnover", activity.turnover, signed=False)
    yield group.figure("Turns of initial equity", turns, "x", "the account starts without money")
    yield group.share("Maker share", activity.maker_share, "no fill")
    yield group.money("Fees paid", activity.fee, signed=False)
    yield group.money("Funding received", activity.funding)


def _split(account: AccountStatistics) -> Iterator[Figure]:
    group, split = _Group(account.currency, "Profit split"), account.split
    missing = {
        "spread captured": _missing(split.without_mid, "without a mid, counted as no spread"),
        "adverse selection": _missing(split.without_later, "without a mid 10 s later, counted in inventory"),
    }
    for name, value in split.parts().items():
        caution = missing.get(name, "")
        yield group.money(f"P&L {name}", value, "no price at the end", caution=caution)
    yield group.money("P&L unexplained", split.unexplained, "no price at the end")


def _missing(count: int, words: str) -> str:
    return f"fills {words}: {count:,}" if count else ""


def _mark_outs(account: AccountStatistics) -> Iterator[Figure]:
    group = _Group(account.currency, "Mark-outs")
    for mark_out in account.mark_outs:
        if mark_out.group == "all" or mark_out.fills:
            yield _mark_out(group, mark_out)


def _mark_out(group: _Group, mark_out: MarkOut) -> Figure:
    seconds = f"{mark_out.horizon_ns // SECOND_NS} s"
    name = f"Mark-out {seconds}" + ("" if mark_out.group == "all" else f" {mark_out.group}")
    judged = f"{mark_out.judged:,} of {mark_out.fills:,} fills judged"
    error = mark_out.standard_error_bps
    caution = judged + (f", s.e. {error:.3f} bp" if math.isfinite(error) else "")
    why = f"no sample within a quarter of {seconds} of that instant" if mark_out.fills else "no fill"
    return group.figure(name, mark_out.mean_bps, "bp", why, caution=caution)


def _orders(flow: OrderFlow) -> Iterator[Figure]:
    group = _Group("", "Orders")
    yield group.count("Orders", flow.orders)
    yield group.count("Amends", flow.amends)
    yield group.count("Cancels", flow.cancels)
    yield group.share("Fill ratio", flow.fill_ratio, "no order, or orders were not logged")
    yield group.count("Filled in full", flow.filled)
    yield group.count("Refused", flow.refused, caution=_listed(flow.refusals))
    for reason, refused in flow.refusals.items():
        yield group.count(f"Refused: {reason}", refused)
    yield group.count("Max requests in a second", flow.rate_max, caution=_limit(flow))
    yield group.number("Median queue ahead", _median(flow.queue_ahead), "no order rested")
    yield group.span("Median wait for first fill", _median(flow.wait_ns), "no resting order was filled")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {found:,}" for name, found in counts.items())


def _limit(flow: OrderFlow) -> str:
    limit = flow.rate_limit_per_s
    return "the run states no limit" if limit is None else f"limit {limit:,}/s"


def _median(values: F64) -> float:
    return percentiles(values, (50.0,))[0]


def _latency(statistics: Statistics) -> Iterator[Figure]:
    group, latency = _Group("", "Latency"), statistics.latency
    rows: tuple[tuple[str, tuple[float, ...]], ...] = (
        ("Order entry", latency.entry_ns),
        ("Order response", latency.response_ns),
        ("Order round trip", latency.round_trip_ns),
    )
    for name, values in rows:
        for percent, value in zip(PERCENTILES, values, strict=True):
            place = "max" if percent == 100.0 else f"p{percent:g}"
            yield group.span(f"{name} {place}", value, "no request was answered")
