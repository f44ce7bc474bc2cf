"""What a back-test assumes, with defaults that err on the side of the market."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ConfigurationError
from headwater.simulation.kinds import ImpactModel, LatencyModel, MarginMode, QueueModel

MILLISECOND_NS: Final = 1_000_000


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ConfigurationError(f"{name} {rule}, was {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySettings:
    """Order latency of a venue; models in ``simulation/latency.py``.

    Attributes
    ----------
    model : CONSTANT, LOG_NORMAL or MEASURED
    entry_ns, response_ns : request to the venue, report back (CONSTANT)
    median_ns, sigma, memory_ns : median, spread of the logarithm, correlation time of bursts (LOG_NORMAL)
    series : (n, 3) int64 of ts, entry_ns, response_ns (MEASURED)
    """

    model: LatencyModel = LatencyModel.CONSTANT
    entry_ns: int = 5 * MILLISECOND_NS
    response_ns: int = 5 * MILLISECOND_NS
    median_ns: int = 5 * MILLISECOND_NS
    sigma: float = 0.5
    memory_ns: int = 1_000 * MILLISECOND_NS
    series: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for name in ("entry_ns", "response_ns", "memory_ns"):
            _require(getattr(self, name) >= 0, f"latency {name}", "must not be negative", getattr(self, name))
        _require(self.median_ns > 0, "latency median_ns", "must be positive", self.median_ns)
        _require(0.0 <= self.sigma <= 3.0, "latency sigma", "must lie in [0, 3]", self.sigma)
        if (self.model is LatencyModel.MEASURED) != (self.series is not None):
            raise ConfigurationError(
                "latency model MEASURED, and it alone, needs a series of (ts, entry_ns, response_ns)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSettings:
    """Everything that a back-test assumes beside the data and the rules of the instruments.

    Attributes
    ----------
    latency : the same for all venues
    queue_model, queue_power : place in the queue, ``simulation/queue.py``; the default is the most cautious
    no_partial_fill : compatibility with hftbacktest's no-partial-fill exchange: taking leaves no trace
    rate_limits : the venue's own order-rate limits are in force
    venue_checks : the venue's size, notional and price limits are in force
    maker_fee, taker_fee : fractions that replace the rules' tiers; None = the rules'
    initial_cash : of each settle currency
    margin_mode, leverage : NONE asks for no margin; leverage bounds the initial margin, 0 = the tier's own
    hedge_mode : long and short legs are held apart
    impact_model, impact_a, impact_b : ``simulation/impact.py``
    bar_slippage : half spread that takers pay when only bars or prints are known, fraction of the price
    bar_fill_at_close : a market order that arrives with the close of a bar fills at it (peers' convention; else next open)
    sample_ns : spacing of the equity samples; 0 = chosen by the data, -1 = at each wake of a compiled strategy
    log_orders : keep every request and report
    timer_from_start : timers count from the first event, else they fall on multiples of their interval
    seed : of every random number
    orders_max : orders alive at once
    outbox_size : intents that one wake may ask
    """

    latency: LatencySettings = LatencySettings()
    queue_model: QueueModel = QueueModel.RISK_AVERSE
    queue_power: float = 2.0
    no_partial_fill: bool = False
    rate_limits: bool = True
    venue_checks: bool = True
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    initial_cash: Decimal = Decimal(100_000)
    margin_mode: MarginMode = MarginMode.CROSS
    leverage: Decimal = Decimal(0)
    hedge_mode: bool = False
    impact_model: ImpactModel = ImpactModel.NONE
    impact_a: float = 0.0
    impact_b: float = 0.0
    bar_slippage: Decimal = Decimal("0.0001")
    bar_fill_at_close: bool = False
    sample_ns: int = 0
    log_orders: bool = True
    timer_from_start: bool = False
    seed: int = 1
    orders_max: int = 4_096
    outbox_size: int = 256

    def __post_init__(self) -> None:
        _require(0.0 < self.queue_power <= 10.0, "queue_power", "must lie in (0, 10]", self.queue_power)
        _require(self.initial_cash >= 0, "initial_cash", "must not be negative", self.initial_cash)
        _require(
            self.leverage == 0 or self.leverage >= 1,
            "leverage",
            "must be 0 (the venue's) or at least 1",
            self.leverage,
        )
        _require(0 <= self.bar_slippage < 1, "bar_slippage", "must lie in [0, 1)", self.bar_slippage)
        _require(self.sample_ns >= -1, "sample_ns", "must be -1, 0 or positive", self.sample_ns)
        _require(0 < self.orders_max <= 1_000_000, "orders_max", "must lie in [1, 1000000]", self.orders_max)
        _require(0 < self.outbox_size <= 4_096, "outbox_size", "must lie in [1, 4096]", self.outbox_size)

    def described(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, LatencySettings):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in fields(value)
            if field.name != "series"
        }
    if hasattr(value, "name"):
        return value.name.lower()
    return str(value) if isinstance(value, Decimal) else value
