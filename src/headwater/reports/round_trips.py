"""Round trips: from flat to flat, per instrument and leg of the position.

A round trip opens with the fill that takes a position away from zero and ends with the fill that brings it
back to zero or beyond; a fill that crosses zero is split in proportion to its size. Between flat and flat
every way of matching fills (first in first out, average price) gives the same profit and the same
size-weighted holding time, the integral of abs(position) over time divided by the size closed: so none has
to be chosen. The one open at the end is valued at the last known price and marked as open.

Funding belongs to the position as a whole and is not divided among round trips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.valuation import F64, I64, Integer, Records, Valuation, value_of_lot

ROUND_TRIP_DTYPE: Final = np.dtype(
    [
        ("entry_ts", "i8"),  # UTC ns at the trader, of the opening fill
        ("exit_ts", "i8"),  # of the closing fill; of the last fill while open
        ("instrument", "u4"),
        ("position_side", "u1"),  # PositionSide: leg of a hedge-mode position
        ("side", "i1"),  # +1 long, -1 short
        ("is_open", "u1"),
        ("fills", "u4"),  # fills that took part; one that crosses zero counts in both trips
        ("size", "i8"),  # lots entered in all
        ("entry_price", "f8"),  # quote, mean over the size entered
        ("exit_price", "f8"),  # quote, mean over the size closed; NaN when nothing was closed
        ("profit", "f8"),  # settle currency without fees and funding; open ones at the last price
        ("fee", "f8"),  # settle currency, > 0 paid
        ("entry_value", "f8"),  # settle currency, absolute value of the size entered at its prices
        ("holding_ns", "f8"),  # size-weighted mean holding time; NaN when nothing was closed
    ],
    align=True,
)
"""One row per round trip, in the order in which they end; open ones last."""

LEGS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTripStatistics:
    """What the closed round trips of one account say; every ratio is NaN when there is nothing to divide.

    Attributes
    ----------
    closed, open : number of round trips
    hit_rate : share of closed trips with a net profit (fee deducted) above zero
    profit_factor : sum of net profits / sum of net losses; NaN without a loss
    expectancy : mean net profit of a closed trip, settle currency
    best, worst : largest and smallest net profit, settle currency
    win_mean, loss_mean : mean net profit of the winning and of the losing trips, settle currency
    duration_mean_ns : mean time from entry to exit
    holding_mean_ns : mean time that a closed lot was held, weighted by value at entry
    open_profit : profit of the trips still open, fee deducted, at the last known price
    """

    closed: int
    open: int
    hit_rate: float
    profit_factor: float
    expectancy: float
    best: float
    worst: float
    win_mean: float
    loss_mean: float
    duration_mean_ns: float
    holding_mean_ns: float
    open_profit: float


@kernel
def match_round_trips(
    fills: Records,
    contracts: Records,
    last_price: F64,
    position: I64,
    live: Records,
    lot_time: F64,
    out: Records,
) -> int:
    """Cut `fills` into round trips; return the number written.

    Parameters
    ----------
    fills : (n,) FILL_DTYPE in the order in which the trader learned of them
    contracts : (k,) CONTRACT_DTYPE
    last_price : (k,) quote, values what is open at the end; NaN leaves it unvalued
    position : (k * LEGS,) scratch, 0 at the start: lots held
    live : (k * LEGS,) ROUND_TRIP_DTYPE scratch: the trip under way of each leg
    lot_time : (k * LEGS,) scratch: integral of position over time, lots * ns
    out : (2 n,) ROUND_TRIP_DTYPE
    """
    count = 0
    for i in range(len(fills)):
        instrument = np.int64(fills[i]["instrument"])
        leg = instrument * LEGS + np.int64(fills[i]["position_side"])
        size = np.int64(fills[i]["size"])
        held = position[leg]
        if held == 0:
            _open(fills, i, leg, live, lot_time)
            _enter(fills, i, size, contracts, live, leg)
        elif (held > 0) == (fills[i]["side"] > 0):
            _age(fills, i, held, live, leg, lot_time)
            _enter(fills, i, size, contracts, live, leg)
        else:
            _age(fills, i, held, live, leg, lot_time)
            closing = min(size, abs(held))
            _leave(fills, i, closing, contracts, live, leg)
            if closing == abs(held):
                _finish(live, leg, lot_time, out, count)
                count += 1
                if size > closing:
                    _open(fills, i, leg, live, lot_time)
                    _enter(fills, i, size - closing, contracts, live, leg)
        position[leg] = held + size * np.int64(fills[i]["side"])
    return _value_open(contracts, last_price, position, live, out, count)


@kernel
def _open(fills: Records, i: int, leg: Integer, live: Records, lot_time: F64) -> None:
    live[leg]["entry_ts"] = fills[i]["ts_local"]
    live[leg]["exit_ts"] = fills[i]["ts_local"]
    live[leg]["instrument"] = fills[i]["instrument"]
    live[leg]["position_side"] = fills[i]["position_side"]
    live[leg]["side"] = fills[i]["side"]
    live[leg]["is_open"] = 1
    live[leg]["fills"] = 0
    live[leg]["size"] = 0
    live[leg]["entry_price"] = 0.0
    live[leg]["exit_price"] = 0.0
    live[leg]["profit"] = 0.0
    live[leg]["fee"] = 0.0
    live[leg]["entry_value"] = 0.0
    lot_time[leg] = 0.0


@kernel
def _age(fills: Records, i: int, held: Integer, live: Records, leg: Integer, lot_time: F64) -> None:
    lot_time[leg] += abs(float(held)) * float(fills[i]["ts_local"] - live[leg]["exit_ts"])
    live[leg]["exit_ts"] = fills[i]["ts_local"]


@kernel
def _take_part(
    fills: Records, i: int, size: Integer, contracts: Records, live: Records, leg: Integer
) -> float:
    # books the part of the fill that `size` lots are, and returns its cash
    part = float(size) / float(fills[i]["size"]) * contracts[fills[i]["instrument"]]["money"]
    cash: float = float(fills[i]["cash"]) * part
    live[leg]["fills"] += np.uint32(1)
    live[leg]["profit"] += cash
    live[leg]["fee"] += float(fills[i]["fee"]) * part
    return cash


@kernel
def _enter(fills: Records, i: int, size: Integer, contracts: Records, live: Records, leg: Integer) -> None:
    cash = _take_part(fills, i, size, contracts, live, leg)
    live[leg]["size"] += size
    live[leg]["entry_value"] += abs(cash)
    price = float(fills[i]["price"]) * contracts[fills[i]["instrument"]]["tick"]
    live[leg]["entry_price"] += float(size) * price


@kernel
def _leave(fills: Records, i: int, size: Integer, contracts: Records, live: Records, leg: Integer) -> None:
    _take_part(fills, i, size, contracts, live, leg)
    price = float(fills[i]["price"]) * contracts[fills[i]["instrument"]]["tick"]
    live[leg]["exit_price"] += float(size) * price


@kernel
def _finish(live: Records, leg: Integer, lot_time: F64, out: Records, row: int) -> None:
    size = float(live[leg]["size"])
    live[leg]["is_open"] = 0
    live[leg]["entry_price"] = live[leg]["entry_price"] / size
    live[leg]["exit_price"] = live[leg]["exit_price"] / size
    live[leg]["holding_ns"] = lot_time[leg] / size
    out[row] = live[leg]


@kernel
def _value_open(
    contracts: Records, last_price: F64, position: I64, live: Records, out: Records, count: int
) -> int:
    for leg in range(len(position)):
        if position[leg] == 0:
            continue
        contract = contracts[leg // LEGS]
        price = last_price[leg // LEGS]
        closed = float(live[leg]["size"] - abs(position[leg]))
        lot = value_of_lot(contract["lot_value"], contract["inverse"], price)
        live[leg]["profit"] += float(position[leg]) * lot
        live[leg]["entry_price"] = live[leg]["entry_price"] / float(live[leg]["size"])
        live[leg]["exit_price"] = live[leg]["exit_price"] / closed if closed > 0.0 else np.nan
        live[leg]["holding_ns"] = np.nan
        out[count] = live[leg]
        count += 1
    return count


def round_trips(fills: Records, valuation: Valuation, last_price: F64) -> Records:
    """Round trips of all accounts.

    Parameters
    ----------
    fills : (n,) FILL_DTYPE in the order in which the trader learned of them
    last_price : (instruments,) quote, NaN where no price is known: the open trip's profit is then NaN

    Returns
    -------
    (trips,) ROUND_TRIP_DTYPE in the order in which they end, open ones last.
    """
    legs = len(valuation.contracts) * LEGS
    out = np.empty(2 * len(fills), ROUND_TRIP_DTYPE)
    live = np.zeros(legs, ROUND_TRIP_DTYPE)
    count = match_round_trips(
        fills, valuation.contracts, last_price, np.zeros(legs, np.int64), live, np.zeros(legs), out
    )
    return out[:count]


@kernel
def sum_round_trips(trips: Records, contracts: Records, account: int, out: F64) -> None:
    """Sums over the round trips of `account`; `out` (11,) receives closed, open, wins, sum of wins, sum of
    losses (positive), best, worst, sum of durations, value closed, sum of value * holding time, net profit of
    the open.
    """
    out[5] = -np.inf
    out[6] = np.inf
    for i in range(len(trips)):
        if contracts[trips[i]["instrument"]]["account"] != account:
            continue
        net = trips[i]["profit"] - trips[i]["fee"]
        if trips[i]["is_open"] == 1:
            out[1] += 1.0
            out[10] += net
            continue
        out[0] += 1.0
        if net > 0.0:
            out[2] += 1.0
            out[3] += net
        else:
            out[4] -= net
        out[5] = max(out[5], net)
        out[6] = min(out[6], net)
        out[7] += float(trips[i]["exit_ts"] - trips[i]["entry_ts"])
        out[8] += trips[i]["entry_value"]
        out[9] += trips[i]["entry_value"] * trips[i]["holding_ns"]


def describe_round_trips(trips: Records, valuation: Valuation, account: int) -> RoundTripStatistics:
    """Statistics of the round trips of `account`."""
    sums = np.zeros(11)
    sum_round_trips(trips, valuation.contracts, account, sums)
    closed, still_open, wins, won, lost, best, worst, durations, value, held, open_profit = (
        float(total) for total in sums
    )
    return RoundTripStatistics(
        closed=int(closed),
        open=int(still_open),
        hit_rate=_ratio(wins, closed),
        profit_factor=_ratio(won, lost),
        expectancy=_ratio(won - lost, closed),
        best=best if closed else np.nan,
        worst=worst if closed else np.nan,
        win_mean=_ratio(won, wins),
        loss_mean=_ratio(-lost, closed - wins),
        duration_mean_ns=_ratio(durations, closed),
        holding_mean_ns=_ratio(held, value),
        open_profit=open_profit,
    )


def _ratio(amount: float, divisor: float) -> float:
    return amount / divisor if divisor > 0.0 else np.nan
