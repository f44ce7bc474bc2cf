"""hftbacktest's grid, every fill written down, for comparison with ours.

usage: python -m benchmarks.peers.hftbacktest_fills JOB.json

The job names the events (our order-book stream or an array of hftbacktest's own), the instrument's grid, the
strategy's parameters, and the queue models; each model's fills and final account go to ``OUT-MODEL.npz``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from hftbacktest import BUY, FILLED, GTX, LIMIT, SELL, BacktestAsset, HashMapMarketDepthBacktest
from numba import njit, uint64
from numba.typed import Dict

from benchmarks.peers.hftbacktest_replay import load_events

STEP_NS = 100_000_000
LATENCY_NS = 5_000_000
FILLS_MAX = 1_000_000


def events_of(job: dict[str, Any]) -> Any:
    """Their records, from either kind of file."""
    with np.load(job["events"]) as found:
        if "data" in found.files:
            return found["data"]
    return load_events(job["events"])


def new_backtest(events: Any, job: dict[str, Any], queue: str) -> Any:
    """One asset: constant order latency, no partial fills, the fees and the queue model asked for."""
    asset = BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(LATENCY_NS, LATENCY_NS)
    if queue == "risk":
        asset = asset.risk_adverse_queue_model()
    elif queue == "power":
        asset = asset.power_prob_queue_model(2.0)
    else:
        asset = asset.log_prob_queue_model()
    asset = asset.no_partial_fill_exchange().trading_value_fee_model(job["maker_fee"], job["taker_fee"])
    asset = asset.tick_size(job["tick_size"]).lot_size(job["lot_size"]).last_trades_capacity(0)
    return HashMapMarketDepthBacktest([asset])


@njit
def make_market(backtest: Any, interval: int, half: int, size: float, limit: float, fills: Any) -> Any:
    """Their tutorial's grid, ten orders a side; the orders found filled at each step are written into `fills`.

    Columns of `fills`: venue time, price in ticks, size in lots (negative: sold).
    """
    tick_size = backtest.depth(0).tick_size
    lot_size = backtest.depth(0).lot_size
    grid_interval, half_spread = tick_size * interval, tick_size * half
    submits, cancels, count = 0, 0, 0
    while backtest.elapse(STEP_NS) == 0:
        done = backtest.orders(0).values()
        while done.has_next():
            order = done.get()
            if order.status == FILLED:
                fills[count, 0] = order.exch_timestamp
                fills[count, 1] = round(order.exec_price / tick_size)
                fills[count, 2] = round(order.exec_qty / lot_size) * order.side
                count += 1
        backtest.clear_inactive_orders(0)
        depth, position, orders = backtest.depth(0), backtest.position(0), backtest.orders(0)
        middle = (depth.best_bid + depth.best_ask) / 2.0
        bid = np.floor((middle - half_spread) / grid_interval) * grid_interval
        ask = np.ceil((middle + half_spread) / grid_interval) * grid_interval
        bids = Dict.empty(np.uint64, np.float64)
        if position < limit and np.isfinite(bid):
            for _ in range(10):
                bids[uint64(round(bid / tick_size))] = bid
                bid -= grid_interval
        asks = Dict.empty(np.uint64, np.float64)
        if position > -limit and np.isfinite(ask):
            for _ in range(10):
                asks[uint64(round(ask / tick_size))] = ask
                ask += grid_interval
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
                backtest.submit_buy_order(0, number, price, size, GTX, LIMIT, False)
                submits += 1
        for number, price in asks.items():
            if number not in orders:
                backtest.submit_sell_order(0, number, price, size, GTX, LIMIT, False)
                submits += 1
    return submits, cancels, count


def run(events: Any, job: dict[str, Any], queue: str) -> None:
    """One queue model: run, and save."""
    backtest = new_backtest(events, job, queue)
    fills = np.zeros((FILLS_MAX, 3), np.int64)
    submits, cancels, count = make_market(
        backtest, job["interval"], job["half_spread"], job["size"], job["position_max"], fills
    )
    state = backtest.state_values(0)
    np.savez(
        f"{job['out']}-{queue}.npz",
        fills=fills[:count],
        counts=np.array([submits, cancels, state.num_trades], np.int64),
        account=np.array([state.position, state.balance, state.fee], np.float64),
    )
    backtest.close()


def main() -> None:
    """Every queue model of the job."""
    job = json.loads(Path(sys.argv[1]).read_text())
    events = events_of(job)
    for queue in job["queues"]:
        run(events, job, queue)


if __name__ == "__main__":
    main()
