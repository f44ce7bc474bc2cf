"""Slow twins of the kernels of reports: the obvious version, one record at a time, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from headwater.backtest.result import BacktestResult
from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderLogEvent


def lot_value(result: BacktestResult, number: int, price: float) -> float:
    """Settle currency per lot of instrument `number` at `price`."""
    instrument = result.instruments[number]
    size = float(instrument.replay.lot_size) * float(instrument.multiplier)
    return -size / price if instrument.kind == "inverse" else size * price


def price_of(result: BacktestResult, row: Any) -> float:
    """Mid, else mark, else NaN."""
    if row["bid"] != NO_PRICE and row["ask"] != NO_PRICE:
        tick = float(result.instruments[int(row["instrument"])].replay.tick_size)
        return (int(row["bid"]) + int(row["ask"])) / 2 * tick
    if "mark" in row.dtype.names and row["mark"] != NO_PRICE:
        return int(row["mark"]) / 1e8
    return math.nan


def money(result: BacktestResult, row: Any, name: str) -> float:
    """A money field in settle currency."""
    return int(row[name]) / result.instruments[int(row["instrument"])].money_scale


def equity_points(result: BacktestResult, currency: str) -> list[tuple[int, float, float]]:
    """``(ts, equity, gross)`` at every sampling instant that can be valued."""
    latest: dict[int, Any] = {}
    prices: dict[int, float] = {}
    points: dict[int, tuple[float, float]] = {}
    initial = float(result.initial_cash.get(currency, "0"))
    for row in result.samples:
        number = int(row["instrument"])
        latest[number] = row
        price = price_of(result, row)
        if not math.isnan(price):
            prices[number] = price
        equity, gross = initial, 0.0
        for other, sample in latest.items():
            if result.instruments[other].settle != currency:
                continue
            held = int(sample["position"])
            value = held * lot_value(result, other, prices.get(other, math.nan)) if held else 0.0
            booked = money(result, sample, "cash") - money(result, sample, "fee")
            equity += booked + money(result, sample, "funding") + value
            gross += abs(value)
        points[int(row["ts"])] = (equity, gross)
    return [(ts, *point) for ts, point in points.items() if not math.isnan(point[0])]


def drawdown(points: list[tuple[int, float]], initial: float) -> tuple[float, float, int, bool]:
    """Deepest fall in money and as a share of its peak, longest time under water, ended at the peak."""
    peaks = [(points[0][0], initial)]
    falls, shares, times = [0.0], [], [0]
    for ts, equity in points:
        times.append(ts - peaks[-1][0])
        if equity >= peaks[-1][1]:
            peaks.append((ts, equity))
        fall = peaks[-1][1] - equity
        falls.append(fall)
        if peaks[-1][1] > 0:
            shares.append(fall / peaks[-1][1])
    return max(falls), max(shares, default=math.nan), max(times), points[-1][1] >= peaks[-1][1]


def level_at(points: list[tuple[int, float]], ts: int) -> float:
    """Equity of the last point at or before `ts`."""
    return [equity for when, equity in points if when <= ts][-1]


@dataclass(slots=True)
class Trip:
    """A round trip, lot by lot: every lot of a fill carries its share of the cash and of the fee."""

    side: int
    entries: list[tuple[int, float]] = field(default_factory=list)
    exits: list[tuple[int, float]] = field(default_factory=list)
    profit: float = 0.0
    fee: float = 0.0
    held_ns: int = 0
    is_open: bool = True


def round_trips(result: BacktestResult, prices: list[float]) -> list[Trip]:
    """Round trips in the order in which they end, open ones last; one lot at a time, first in first out."""
    done: list[Trip] = []
    queue: dict[tuple[int, int], list[int]] = defaultdict(list)
    live: dict[tuple[int, int], Trip] = {}
    for row in result.fills:
        leg = (int(row["instrument"]), int(row["position_side"]))
        size, side, ts = int(row["size"]), int(row["side"]), int(row["ts_local"])
        price = int(row["price"]) * float(result.instruments[leg[0]].replay.tick_size)
        for _ in range(size):
            trip = live.get(leg)
            if trip is None:
                trip = live[leg] = Trip(side=side)
            trip.profit += money(result, row, "cash") / size
            trip.fee += money(result, row, "fee") / size
            if trip.side == side:
                trip.entries.append((ts, price))
                queue[leg].append(ts)
                continue
            trip.exits.append((ts, price))
            trip.held_ns += ts - queue[leg].pop(0)
            if not queue[leg]:
                trip.is_open = False
                done.append(live.pop(leg))
    for leg, trip in sorted(live.items()):
        held = len(trip.entries) - len(trip.exits)
        trip.profit += trip.side * held * lot_value(result, leg[0], prices[leg[0]])
        done.append(trip)
    return done


def look_ahead(track: list[tuple[int, float]], ts: int, horizon: int, tolerance: int) -> float:
    """Price of the sample nearest to ``ts + horizon`` within `tolerance`; the later one of two equally near.

    Several samples may share an instant: before the target the last of them counts, at or after it the first.
    """
    target = ts + horizon
    near = [
        (abs(when - target), -when, -row if when < target else row) for row, (when, _) in enumerate(track)
    ]
    near = [entry for entry in near if entry[0] <= tolerance]
    return track[abs(min(near)[2])][1] if near else math.nan


def split(result: BacktestResult, currency: str, later: list[float], end: list[float]) -> dict[str, float]:
    """Parts of the profit, straight from their definitions; `later` per fill and `end` per instrument in
    quote.
    """
    parts: dict[str, float] = defaultdict(float)
    for row, then in zip(result.fills, later, strict=True):
        number = int(row["instrument"])
        if result.instruments[number].settle != currency:
            continue
        signed = int(row["side"]) * int(row["size"])
        cash = money(result, row, "cash")
        mid = price_of(result, row)
        at_fill = -cash / signed if math.isnan(mid) else lot_value(result, number, mid)
        at_later = at_fill if math.isnan(then) else lot_value(result, number, then)
        parts["spread" if row["kind"] == 0 else "forced"] += cash + signed * at_fill
        parts["adverse_selection"] += signed * (at_later - at_fill)
        parts["inventory"] += signed * (lot_value(result, number, end[number]) - at_later)
        parts["fee"] -= money(result, row, "fee")
    return parts


def trailing_rate(times: list[int], window: int) -> list[int]:
    """For each request the number of requests in ``(t - window, t]`` up to itself."""
    return [sum(t - window < other <= t for other in times[: row + 1]) for row, t in enumerate(times)]


def request_times(orders: Any) -> list[int]:
    """Times of the requests of an order log."""
    return [int(row["ts"]) for row in orders if row["event"] != OrderLogEvent.REPORT]


def extremes(ts: list[int], values: list[float], buckets: int) -> list[int]:
    """Rows of the lowest and highest value of each bucket of time, and the first and the last row."""
    width = (ts[-1] - ts[0]) // buckets + 1
    members: dict[int, list[int]] = defaultdict(list)
    for row, when in enumerate(ts):
        if not math.isnan(values[row]):
            members[(when - ts[0]) // width].append(row)
    rows = {0, len(ts) - 1}
    for bucket in members.values():
        rows |= {min(bucket, key=values.__getitem__), max(bucket, key=values.__getitem__)}
    return sorted(rows)
