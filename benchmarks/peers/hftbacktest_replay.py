"""hftbacktest on the order-book stream: read the touch every 100 ms or at every event, or make a market.

usage: python -m benchmarks.peers.hftbacktest_replay {elapse|feed|grid} DATA [--depth roivec] [--queue risk]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from hftbacktest import (
    BUY,
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    Recorder,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from numba import njit, uint64
from numba.typed import Dict

from benchmarks.worker import Turn, serve, stopwatch

STEP_NS = 100_000_000
LATENCY_NS = 5_000_000
MISSING_ASK = 2**63 - 1


def load_events(path: str) -> Any:
    """The stream in hftbacktest's record."""
    columns = np.load(path)
    events = np.zeros(len(columns["kind"]), event_dtype)
    kind = np.where(columns["kind"] == 1, DEPTH_EVENT, TRADE_EVENT).astype(np.uint64)
    side = np.where(columns["side"] == 1, BUY_EVENT, SELL_EVENT).astype(np.uint64)
    events["ev"] = kind | side | np.uint64(EXCH_EVENT) | np.uint64(LOCAL_EVENT)
    events["exch_ts"] = columns["ts_venue"]
    events["local_ts"] = columns["ts_local"]
    events["px"] = np.round(columns["price"] * 0.1, 1)
    events["qty"] = np.round(columns["size"] * 0.001, 3)
    return events


def new_backtest(events: Any, depth: str, queue: str) -> Any:
    """One asset: constant order latency, no partial fills, a maker's rebate, the queue model asked for."""
    asset = BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(LATENCY_NS, LATENCY_NS)
    if queue == "risk":
        asset = asset.risk_adverse_queue_model()
    elif queue == "power":
        asset = asset.power_prob_queue_model(2.0)
    else:
        asset = asset.log_prob_queue_model()
    asset = asset.no_partial_fill_exchange().trading_value_fee_model(-0.00005, 0.0007)
    asset = asset.tick_size(0.1).lot_size(0.001).last_trades_capacity(0)
    if depth == "roivec":
        return ROIVectorMarketDepthBacktest([asset.roi_lb(40000.0).roi_ub(80000.0)])
    return HashMapMarketDepthBacktest([asset])


@njit
def read_every_step(backtest: Any) -> Any:
    """Sum of best bid and offer, every 100 ms."""
    steps, total = 0, 0.0
    while backtest.elapse(STEP_NS) == 0:
        depth = backtest.depth(0)
        total += depth.best_bid + depth.best_ask
        steps += 1
    return steps, total


@njit
def read_every_event(backtest: Any) -> Any:
    """Sum of best bid and offer in ticks, at every event of the feed."""
    steps, total = 0, 0
    while backtest.wait_next_feed(False, 10_000_000_000) != 1:
        depth = backtest.depth(0)
        total += depth.best_bid_tick + depth.best_ask_tick
        steps += 1
    return steps, total


@njit
def make_market(backtest: Any, recorder: Any) -> Any:
    """Their tutorial's grid: ten orders a side, a tick apart, two ticks from the middle, every 100 ms."""
    tick_size = backtest.depth(0).tick_size
    steps, submits, cancels = 0, 0, 0
    while backtest.elapse(STEP_NS) == 0:
        backtest.clear_inactive_orders(0)
        depth, position, orders = backtest.depth(0), backtest.position(0), backtest.orders(0)
        middle = (depth.best_bid + depth.best_ask) / 2.0
        bid = np.floor((middle - 2 * tick_size) / tick_size) * tick_size
        ask = np.ceil((middle + 2 * tick_size) / tick_size) * tick_size
        bids = Dict.empty(np.uint64, np.float64)
        if position < 5 and np.isfinite(bid):
            for _ in range(10):
                bids[uint64(round(bid / tick_size))] = bid
                bid -= tick_size
        asks = Dict.empty(np.uint64, np.float64)
        if position > -5 and np.isfinite(ask):
            for _ in range(10):
                asks[uint64(round(ask / tick_size))] = ask
                ask += tick_size
        working = orders.values()
        while working.has_next():
            order = working.get()
            if order.cancellable:
                stale_bid = order.side == BUY and order.order_id not in bids
                stale_ask = order.side == SELL and order.order_id not in asks
                if stale_bid or stale_ask:
                    backtest.cancel(0, order.order_id, False)
                    cancels += 1
        for number, price in bids.items():
            if number not in orders:
                backtest.submit_buy_order(0, number, price, 0.1, GTX, LIMIT, False)
                submits += 1
        for number, price in asks.items():
            if number not in orders:
                backtest.submit_sell_order(0, number, price, 0.1, GTX, LIMIT, False)
                submits += 1
        recorder.record(backtest)
        steps += 1
    return steps, submits, cancels


def one_turn(mode: str, events: Any, depth: str, queue: str) -> Turn:
    """A fresh back-test, run to its end; making it is not timed."""
    backtest = new_backtest(events, depth, queue)
    work: Callable[[], Any]
    if mode == "grid":
        recorder = Recorder(1, 1_000_000).recorder
        seconds, figures = stopwatch(lambda: make_market(backtest, recorder))
        check = dict(zip(("steps", "submits", "cancels"), map(int, figures), strict=True)) | account(backtest)
    else:
        work = read_every_step if mode == "elapse" else read_every_event
        seconds, (steps, total) = stopwatch(lambda: work(backtest))
        check = {"steps": int(steps), "touch_sum": touch_sum(total)}
    backtest.close()
    return seconds, check


def touch_sum(total: float | int) -> float | int:
    """The sum with the one absent offer, which they count as the largest integer, as nought."""
    return (total - MISSING_ASK) % 2**64 if isinstance(total, int) else total


def account(backtest: Any) -> dict[str, float]:
    """Position, cash, fees and number of fills at the end."""
    state = backtest.state_values(0)
    return {
        "position": float(state.position),
        "balance": float(state.balance),
        "fee": float(state.fee),
        "trades": int(state.num_trades),
    }


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["elapse", "feed", "grid"])
    parser.add_argument("data")
    parser.add_argument("--depth", choices=["hashmap", "roivec"], default="roivec")
    parser.add_argument("--queue", choices=["risk", "power", "log"], default="risk")
    given = parser.parse_args()
    events = load_events(given.data)
    name = f"hftbacktest-{given.depth}" + (f"-{given.queue}" if given.mode == "grid" else "")
    serve(name, ["hftbacktest", "numba"], lambda: one_turn(given.mode, events, given.depth, given.queue))


if __name__ == "__main__":
    main()
