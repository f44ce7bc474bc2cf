"""The market maker that both sides run: ten orders a side around the middle, re-set every 100 ms.

It is the tutorial's grid of hftbacktest, to the last floating-point operation: prices are computed from
doubles, and the position is a sum of doubles that is compared with the limit (50 sales of 0.1 are not quite 5.0,
which decides whether an order is sent). An order is named by its price, so there is at most one at each, also
where a bid is wanted at the price of an ask that has not been cancelled yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.event import NO_PRICE
from headwater.domain.instrument import Instrument
from headwater.domain.view import WakeKind
from headwater.simulation.kinds import MarginMode, QueueModel
from headwater.strategies.compiled import compiled
from headwater.strategies.intents import POST_ONLY, cancel, limit
from headwater.strategies.parameter import Parameter
from headwater.tape.replay import Replay

ORDERS_A_SIDE: Final = 10
LATENCY_NS: Final = 5_000_000
MAKER_FEE: Final = Decimal("-0.00005")
TAKER_FEE: Final = Decimal("0.0007")
QUEUES: Final = {"risk": QueueModel.RISK_AVERSE, "power": QueueModel.POWER, "log": QueueModel.LOG}
_ANY: Final = 1e18

_TIMER = int(WakeKind.TIMER)


@dataclass(frozen=True, slots=True)
class Grid:
    """Prices in ticks, sizes in units of the instrument."""

    tick_size: float
    lot_size: float
    interval: int
    half_spread: int
    size: float
    position_max: float

    @property
    def size_lots(self) -> int:
        """Size of an order."""
        return round(self.size / self.lot_size)

    def parameters(self) -> dict[str, float]:
        """As the strategy wants them."""
        return {
            "tick_size": self.tick_size,
            "interval": self.interval,
            "half_spread": self.half_spread,
            "size": self.size,
            "size_lots": self.size_lots,
            "position_max": self.position_max,
        }


@compiled(
    timer="100ms",
    wakes=WakeKind.FILL,
    parameters={
        "tick_size": Parameter(0.1, 0.0, _ANY),
        "interval": Parameter(1, 1, 1_000_000),
        "half_spread": Parameter(2, 0, 1_000_000),
        "size": Parameter(0.1, 0.0, _ANY),
        "size_lots": Parameter(100, 1, 2**53),
        "position_max": Parameter(5.0, 0.0, _ANY),
    },
    memory=3,
)
def grid_of_ten(view: Any, orders: Any, depth: Any, params: Any, memory: Any, outbox: Any) -> None:  # noqa: ARG001
    """Memory: position as a sum of doubles, submits, cancels."""
    if view["wake"] != _TIMER:
        memory[0] += params[3] * view["fill_side"]
        return
    tick_size = params[0]
    interval = np.int64(params[1])
    bids = np.int64(0)
    asks = np.int64(0)
    bid = np.int64(0)
    ask = np.int64(0)
    if view["bid"] != NO_PRICE and view["ask"] != NO_PRICE:
        step = tick_size * interval
        half_spread = tick_size * params[2]
        middle = (view["bid"] * tick_size + view["ask"] * tick_size) / 2.0
        bid = np.int64(np.round(np.floor((middle - half_spread) / step) * step / tick_size))
        ask = np.int64(np.round(np.ceil((middle + half_spread) / step) * step / tick_size))
        bids = np.int64(10 if memory[0] < params[5] else 0)
        asks = np.int64(10 if memory[0] > -params[5] else 0)
    present_bids = np.int64(0)
    present_asks = np.int64(0)
    for row in range(view["order_count"]):
        order = orders[row]
        below = bid - order["price"]
        above = order["price"] - ask
        is_bid_price = 0 <= below < bids * interval and below % interval == 0
        is_ask_price = 0 <= above < asks * interval and above % interval == 0
        if is_bid_price:
            present_bids |= np.int64(1) << (below // interval)
        if is_ask_price:
            present_asks |= np.int64(1) << (above // interval)
        is_wanted = is_bid_price if order["side"] > 0 else is_ask_price
        if not is_wanted and order["pending"] == 0:
            cancel(view, outbox, order["handle"])
            memory[2] += 1.0
    size_lots = np.int64(params[4])
    for away in range(bids):
        if present_bids & (np.int64(1) << away) == 0:
            limit(view, outbox, np.int64(1), bid - away * interval, size_lots, np.int64(POST_ONLY))
            memory[1] += 1.0
    for away in range(asks):
        if present_asks & (np.int64(1) << away) == 0:
            limit(view, outbox, np.int64(-1), ask + away * interval, size_lots, np.int64(POST_ONLY))
            memory[1] += 1.0


def run_grid(replay: Replay, instrument: Instrument, grid: Grid, queue: str) -> BacktestResult:
    """One back-test in compatibility mode."""
    settings = BacktestSettings(
        latency=LatencySettings(entry_ns=LATENCY_NS, response_ns=LATENCY_NS),
        queue_model=QUEUES[queue],
        queue_power=2.0,
        no_partial_fill=True,
        rate_limits=False,
        venue_checks=False,
        maker_fee=MAKER_FEE,
        taker_fee=TAKER_FEE,
        margin_mode=MarginMode.NONE,
        timer_from_start=True,
    )
    return run_backtest(grid_of_ten, replay, [instrument], settings, parameters=grid.parameters())


FillTable = npt.NDArray[np.int64]
"""(n, 3): venue time, price in ticks, size in lots (negative: sold); ascending."""


def in_order(fills: FillTable) -> FillTable:
    """Rows in ascending order, so that fills of one instant compare whatever the order in which they were told."""
    return fills[np.lexsort(fills.T[::-1])]


def fill_table(result: BacktestResult) -> FillTable:
    """The fills of a run of ours."""
    fills = result.fills
    return in_order(np.column_stack([fills["ts_venue"], fills["price"], fills["size"] * fills["side"]]))
