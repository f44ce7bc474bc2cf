"""The equity of one account through the run, and what was at stake: one pass over the samples.

Equity at an instant is, over all instruments that settle in the account's currency,

    initial cash + sum(cash - fee + funding) + sum(position * v(price))

with v from :mod:`headwater.reports.valuation` and the price of
:func:`~headwater.reports.valuation.best_price`, carried forward while nothing is quoted. An instant at which
a position is held that no price has ever been seen for cannot be valued: it is left out and counted, never
guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.valuation import F64, I64, Integer, Records, Valuation, best_price, value_of_lot

EQUITY_TOTALS: Final = ("unvalued", "time_held", "time_gross", "gross_max")
"""Names of the entries of the kernel's `totals`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityCurve:
    """Equity at each sampling instant (the last row of that instant counts).

    Attributes
    ----------
    ts : (n,) UTC ns, strictly ascending
    equity : (n,) settle currency
    gross : (n,) settle currency, sum of absolute position values
    initial : equity before the first sample
    unvalued : instants left out because a held instrument had no price yet
    held_share : share of the time with a position; NaN when the curve spans no time
    gross_mean : time-weighted mean of `gross`; NaN when the curve spans no time
    gross_max : largest `gross`; 0 when nothing was held
    """

    ts: I64
    equity: F64
    gross: F64
    initial: float
    unvalued: int
    held_share: float
    gross_mean: float
    gross_max: float

    @property
    def final(self) -> float:
        """Equity at the end; the initial equity when there is no sample."""
        return float(self.equity[-1]) if len(self.equity) else self.initial

    @property
    def span_ns(self) -> int:
        """Time from the first to the last sample."""
        return int(self.ts[-1] - self.ts[0]) if len(self.ts) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTrack:
    """The price of every sample, grouped by instrument: what mark-outs and charts look up.

    Attributes
    ----------
    start : (instruments + 1,) the rows of instrument i are ``start[i]:start[i + 1]``
    ts : (n,) UTC ns, ascending within an instrument
    price : (n,) quote; NaN while no price is known
    """

    start: I64
    ts: I64
    price: F64


@kernel
def walk_samples(
    samples: Records,
    contracts: Records,
    account: int,
    initial: float,
    next_row: I64,
    track_ts: I64,
    track_price: F64,
    last_price: F64,
    net: F64,
    gross: F64,
    out_ts: I64,
    out_equity: F64,
    out_gross: F64,
    totals: F64,
) -> int:
    """Fill the price track and the equity curve of `account`; return the number of points written.

    Parameters
    ----------
    samples : (n,) SAMPLE_DTYPE ascending in ts
    contracts : (k,) CONTRACT_DTYPE
    next_row : (k,) where the next price of each instrument goes in the track; advanced
    track_ts, track_price : (n,) the track
    last_price : (k,) scratch, NaN at the start
    net, gross : (k,) scratch, 0 at the start
    out_ts, out_equity, out_gross : (n,) the curve
    totals : (4,) receives EQUITY_TOTALS
    """
    points = 0
    unvalued, last_ts = 0, np.int64(0)
    time_held, time_gross, last_stake, stake_max = 0.0, 0.0, 0.0, 0.0
    for i in range(len(samples)):
        instrument = np.int64(samples[i]["instrument"])
        ts = samples[i]["ts"]
        price = best_price(
            samples[i]["bid"], samples[i]["ask"], samples[i]["mark"], contracts[instrument]["tick"]
        )
        if np.isnan(price):
            price = last_price[instrument]
        else:
            last_price[instrument] = price
        row = next_row[instrument]
        track_ts[row] = ts
        track_price[row] = price
        next_row[instrument] = row + 1
        if contracts[instrument]["account"] == account:
            _value(samples, i, contracts, instrument, price, net, gross)
        if i + 1 < len(samples) and samples[i + 1]["ts"] == ts:
            continue
        equity, stake = initial, 0.0
        for other in range(len(net)):
            equity += net[other]
            stake += gross[other]
        if np.isnan(equity):
            unvalued += 1
            continue
        if points > 0:
            elapsed = float(ts - last_ts)
            time_gross += elapsed * last_stake
            time_held += elapsed if last_stake > 0.0 else 0.0
        last_ts, last_stake, stake_max = ts, stake, max(stake_max, stake)
        out_ts[points] = ts
        out_equity[points] = equity
        out_gross[points] = stake
        points += 1
    totals[0], totals[1], totals[2], totals[3] = float(unvalued), time_held, time_gross, stake_max
    return points


@kernel
def _value(
    samples: Records,
    i: int,
    contracts: Records,
    instrument: Integer,
    price: float,
    net: F64,
    gross: F64,
) -> None:
    value = 0.0
    if samples[i]["position"] != 0:
        contract = contracts[instrument]
        held = float(samples[i]["position"])
        value = held * value_of_lot(contract["lot_value"], contract["inverse"], price)
    booked = float(samples[i]["cash"] - samples[i]["fee"] + samples[i]["funding"])
    net[instrument] = booked * contracts[instrument]["money"] + value
    gross[instrument] = abs(value)


def equity_curve(samples: Records, valuation: Valuation, account: int) -> tuple[EquityCurve, PriceTrack]:
    """Walk `samples` once for the account with index `account`.

    Returns
    -------
    The curve of the account, and the price track of all instruments.
    """
    count, instruments = len(samples), len(valuation.contracts)
    start = _track_starts(samples, instruments)
    track = PriceTrack(start=start, ts=np.empty(count, np.int64), price=np.empty(count, np.float64))
    ts, equity, gross = np.empty(count, np.int64), np.empty(count), np.empty(count)
    totals = np.zeros(len(EQUITY_TOTALS))
    initial = float(valuation.initial[account])
    points = walk_samples(
        samples, valuation.contracts, account, initial, start[:-1].copy(), track.ts, track.price,
        np.full(instruments, np.nan), np.zeros(instruments), np.zeros(instruments),
        ts, equity, gross, totals,
    )  # fmt: skip
    unvalued, time_held, time_gross, gross_max = (float(total) for total in totals)
    span_ns = float(ts[points - 1] - ts[0]) if points else 0.0
    curve = EquityCurve(
        ts=ts[:points],
        equity=equity[:points],
        gross=gross[:points],
        initial=initial,
        unvalued=int(unvalued),
        held_share=time_held / span_ns if span_ns else np.nan,
        gross_mean=time_gross / span_ns if span_ns else np.nan,
        gross_max=gross_max,
    )
    return curve, track


def _track_starts(samples: Records, instruments: int) -> I64:
    counts = (
        np.array([len(samples)])
        if instruments == 1
        else np.bincount(samples["instrument"], minlength=instruments)
    )
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
