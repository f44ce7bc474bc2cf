"""All statistics of a finished run, computed in a few passes; money never crosses currencies.

Instruments that settle in the same currency share an account; each account has its own equity, returns, round
trips, mark-outs and split of profit. Nothing is estimated that the data does not hold: such a figure is NaN,
and :mod:`headwater.reports.figures` says in words what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.reports.drawdown import Drawdown, drawdown
from headwater.reports.equity import EquityCurve, PriceTrack, equity_curve
from headwater.reports.fill_values import FillValues, fill_values
from headwater.reports.latency import LatencyStatistics, latency_statistics
from headwater.reports.mark_outs import MarkOut, mark_outs
from headwater.reports.monthly import Month, months
from headwater.reports.order_flow import OrderFlow, order_flow
from headwater.reports.pnl_split import Activity, PnlSplit, pnl_split
from headwater.reports.returns import Returns, returns
from headwater.reports.round_trips import RoundTripStatistics, describe_round_trips, round_trips
from headwater.reports.valuation import F64, Records, Valuation, valuation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatistics:
    """Everything that counts in one settle currency.

    Attributes
    ----------
    currency : settle currency
    hold_return : change of the mid of the account's only instrument over the run; NaN when it has several
    """

    currency: str
    curve: EquityCurve
    returns: Returns
    drawdown: Drawdown
    activity: Activity
    split: PnlSplit
    trips: RoundTripStatistics
    mark_outs: tuple[MarkOut, ...]
    months: tuple[Month, ...]
    hold_return: float

    @property
    def profit(self) -> float:
        """Change of equity over the run, after fees and funding."""
        return self.curve.final - self.curve.initial

    @property
    def calmar(self) -> float:
        """CAGR / maximum drawdown; NaN when either is not known or the equity never fell."""
        depth = self.drawdown.share
        return self.returns.cagr / depth if depth > 0.0 else np.nan

    @property
    def exposure_mean(self) -> float:
        """Time-weighted mean gross position value / initial equity; NaN without initial equity."""
        return self.curve.gross_mean / self.curve.initial if self.curve.initial > 0.0 else np.nan

    @property
    def exposure_max(self) -> float:
        """Largest gross position value / initial equity; NaN without initial equity."""
        return self.curve.gross_max / self.curve.initial if self.curve.initial > 0.0 else np.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All statistics of a run.

    Attributes
    ----------
    accounts : one per settle currency, in the order of the instruments
    orders : counts, rates and queue, over all accounts
    latency : percentiles, over all accounts
    round_trips : ROUND_TRIP_DTYPE, all accounts
    fills : each fill in money, with the mids at and after it
    track : price of every sample
    valuation : what turned integers into money
    """

    accounts: tuple[AccountStatistics, ...]
    orders: OrderFlow
    latency: LatencyStatistics
    round_trips: Records
    fills: FillValues
    track: PriceTrack
    valuation: Valuation


def statistics(result: BacktestResult, *, interval_ns: int | None = None) -> Statistics:
    """Compute all statistics of `result`.

    Parameters
    ----------
    interval_ns : interval of the returns; by default the longest of a day, an hour, a minute, a second that
    gives at
        least 30 of them
    """
    valuation = valuation_of(result)
    walks = [equity_curve(result.samples, valuation, account) for account in range(len(valuation.currencies))]
    track = walks[0][1] if walks else _no_track()
    last_price = _last_prices(track)
    values = fill_values(result.fills, valuation, track, last_price)
    trips = round_trips(result.fills, valuation, last_price)
    accounts = tuple(
        _account(result, valuation, account, curve, interval_ns, (values, trips, track))
        for account, (curve, _) in enumerate(walks)
    )
    return Statistics(
        accounts=accounts,
        orders=order_flow(result.orders, _rate_limit(result)),
        latency=latency_statistics(result.latencies),
        round_trips=trips,
        fills=values,
        track=track,
        valuation=valuation,
    )


def _account(
    result: BacktestResult,
    valuation: Valuation,
    account: int,
    curve: EquityCurve,
    interval_ns: int | None,
    found: tuple[FillValues, Records, PriceTrack],
) -> AccountStatistics:
    values, trips, track = found
    total = curve.final - curve.initial
    split, activity = pnl_split(values, account, total, _funding(result.samples, valuation, account))
    return AccountStatistics(
        currency=valuation.currencies[account],
        curve=curve,
        returns=returns(curve, interval_ns),
        drawdown=drawdown(curve),
        activity=activity,
        split=split,
        trips=describe_round_trips(trips, valuation, account),
        mark_outs=tuple(mark_outs(values, account)),
        months=tuple(months(curve)),
        hold_return=_hold_return(valuation, account, track),
    )


def _funding(samples: Records, valuation: Valuation, account: int) -> float:
    # Cumulative per instrument: the last row of each tells.
    total = 0.0
    for instrument in np.flatnonzero(valuation.contracts["account"] == account):
        last = last_row(samples, int(instrument))
        total += (
            0.0 if last is None else float(last["funding"]) * float(valuation.contracts["money"][instrument])
        )
    return total


def last_row(samples: Records, instrument: int) -> Records | None:
    """The last sample of `instrument`, or None."""
    chunk = 1024
    for end in range(len(samples), 0, -chunk):
        part = samples[max(0, end - chunk) : end]
        rows = np.flatnonzero(part["instrument"] == instrument)
        if len(rows):
            row: Records = part[rows[-1]]
            return row
    return None


def _last_prices(track: PriceTrack) -> F64:
    ends = track.start[1:]
    known = ends > track.start[:-1]
    prices = np.full(len(ends), np.nan)
    prices[known] = track.price[ends[known] - 1]
    return prices


def _hold_return(valuation: Valuation, account: int, track: PriceTrack) -> float:
    members = np.flatnonzero(valuation.contracts["account"] == account)
    if len(members) != 1:
        return np.nan
    prices = track.price[track.start[members[0]] : track.start[members[0] + 1]]
    # Prices are carried forward: once known, known for good.
    unknown = int(np.isnan(prices).sum())
    return float(prices[-1] / prices[unknown] - 1.0) if unknown < len(prices) else np.nan


def _no_track() -> PriceTrack:
    return PriceTrack(start=np.zeros(1, np.int64), ts=np.empty(0, np.int64), price=np.empty(0))


def _rate_limit(result: BacktestResult) -> int | None:
    limit = result.manifest.get("order_rate_limit_per_s")
    return int(limit) if limit is not None else None
