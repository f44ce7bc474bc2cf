"""Rules in force: what a venue demanded of an instrument from one instant until the next change.

Everything is exact ``Decimal``; rates are fractions (0.0002 is two basis points). ``None`` means that the
value is not known or does not apply, never zero: what is not known is not checked, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from headwater.domain.identity import UnixNanos

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTier:
    """Fees from a rolling 30-day volume on.

    Attributes
    ----------
    volume_30d : least volume of the tier, in quote currency (USD for venues that count so)
    maker, taker : fractions of the notional; negative = rebate
    """

    volume_30d: Decimal
    maker: Decimal
    taker: Decimal

    def __post_init__(self) -> None:
        _require_finite("FeeTier", volume_30d=self.volume_30d, maker=self.maker, taker=self.taker)
        _require(self.volume_30d >= 0, "FeeTier.volume_30d must be >= 0", self.volume_30d)
        for name, rate in (("maker", self.maker), ("taker", self.taker)):
            _require(abs(rate) < 1, f"FeeTier.{name} is a fraction of the notional, between -1 and 1", rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """Margin up to a position notional (settle currency); ``maintenance = notional * rate - deduction``.

    Attributes
    ----------
    notional_cap : greatest notional of the tier; None in the last tier of a schedule without an upper end
    initial_rate, maintenance_rate : fractions of the notional, 0 < maintenance <= initial <= 1
    deduction : makes the maintenance margin continuous across tiers
    max_leverage : greatest leverage a position of this tier may have
    """

    notional_cap: Decimal | None
    initial_rate: Decimal
    maintenance_rate: Decimal
    deduction: Decimal
    max_leverage: Decimal

    def __post_init__(self) -> None:
        _require_finite(
            "MarginTier",
            notional_cap=self.notional_cap,
            initial_rate=self.initial_rate,
            maintenance_rate=self.maintenance_rate,
            deduction=self.deduction,
            max_leverage=self.max_leverage,
        )
        _require(
            0 < self.maintenance_rate <= self.initial_rate <= 1,
            "MarginTier needs 0 < maintenance_rate <= initial_rate <= 1",
            f"maintenance {self.maintenance_rate}, initial {self.initial_rate}",
        )
        _require(self.deduction >= 0, "MarginTier.deduction must be >= 0", self.deduction)
        _require(self.max_leverage >= 1, "MarginTier.max_leverage must be >= 1", self.max_leverage)
        if self.notional_cap is not None:
            _require(self.notional_cap > 0, "MarginTier.notional_cap must be > 0", self.notional_cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBand:
    """Limit prices a venue accepts around its reference: ``reference * (1 - down) .. reference * (1 +
    up)``."""

    up: Decimal
    down: Decimal

    def __post_init__(self) -> None:
        _require_finite("PriceBand", up=self.up, down=self.down)
        _require(self.up > 0, "PriceBand.up must be > 0", self.up)
        _require(0 < self.down < 1, "PriceBand.down must lie between 0 and 1", self.down)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for one instrument from `valid_from` on.

    Attributes
    ----------
    valid_from : UTC ns of the first instant
    tick_size, lot_size : grid that orders must be on, > 0
    data_tick_size, data_lot_size : grid of the venue's market data, each a divisor of the order's. It is
        finer where orders that were placed under older, finer rules still rest; None when both are the same
    multiplier : what one unit of size is worth: base currency for spot and linear (1 when sizes are in
        coins), quote currency for inverse contracts (100 for a 100-USD contract)
    min_size, max_size : of limit orders, in units of size
    max_market_size : of market orders
    min_notional : least price * size * multiplier of an order that opens, quote currency
    price_band : around the venue's reference price
    fee_tiers : ascending in volume, the first from 0; empty when not known
    margin_tiers : ascending in notional; empty for spot or when not known
    funding_interval_s : seconds between fundings; None for what pays none
    collateral_haircut : fraction of its value that the base coin loses as collateral; None when not known
    source : in words, where the grid came from; never empty
    """

    valid_from: UnixNanos
    tick_size: Decimal
    lot_size: Decimal
    source: str
    data_tick_size: Decimal | None = None
    data_lot_size: Decimal | None = None
    multiplier: Decimal = ONE
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    max_market_size: Decimal | None = None
    min_notional: Decimal | None = None
    price_band: PriceBand | None = None
    fee_tiers: tuple[FeeTier, ...] = ()
    margin_tiers: tuple[MarginTier, ...] = ()
    funding_interval_s: int | None = None
    collateral_haircut: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "multiplier"):
            _require_positive(f"Rules.{name}", getattr(self, name))
        for name in ("min_size", "max_size", "max_market_size", "min_notional"):
            if getattr(self, name) is not None:
                _require_positive(f"Rules.{name}", getattr(self, name))
        _require(
            bool(self.source.strip()), "Rules.source must say where the rules came from", repr(self.source)
        )
        _require_divisor("data_tick_size", self.data_tick_size, "tick_size", self.tick_size)
        _require_divisor("data_lot_size", self.data_lot_size, "lot_size", self.lot_size)
        self._check_sizes()
        self._check_schedules()

    @property
    def data_grid(self) -> tuple[Decimal, Decimal]:
        """Tick and lot size that every price and size of the market data is a multiple of."""
        return self.data_tick_size or self.tick_size, self.data_lot_size or self.lot_size

    def _check_sizes(self) -> None:
        if self.min_size is not None and self.max_size is not None:
            _require(
                self.min_size <= self.max_size,
                "Rules.min_size must not exceed max_size",
                f"{self.min_size} > {self.max_size}",
            )

    def _check_schedules(self) -> None:
        check_fee_tiers(self.fee_tiers)
        check_margin_tiers(self.margin_tiers)
        if self.funding_interval_s is not None:
            _require(
                self.funding_interval_s > 0, "Rules.funding_interval_s must be > 0", self.funding_interval_s
            )
        if self.collateral_haircut is not None:
            _require(
                0 <= self.collateral_haircut <= 1,
                "Rules.collateral_haircut must lie between 0 and 1",
                self.collateral_haircut,
            )

    def fee_tier(self, volume_30d: Decimal = ZERO) -> FeeTier:
        """The tier of somebody who traded `volume_30d` in the last 30 days; ValueError when no fees are
        known."""
        reached = [tier for tier in self.fee_tiers if tier.volume_30d <= volume_30d]
        _require(bool(reached), "Rules.fee_tiers must be known to charge a fee", "no tiers")
        return reached[-1]

    def margin_tier(self, notional: Decimal) -> MarginTier | None:
        """The tier of a position of this notional; None when it is larger than any tier, or no tiers are
        known."""
        for tier in self.margin_tiers:
            if tier.notional_cap is None or notional <= tier.notional_cap:
                return tier
        return None

    def maintenance_margin(self, notional: Decimal) -> Decimal | None:
        """Margin below which a position of `notional` is liquidated; None beyond the last tier."""
        tier = self.margin_tier(notional)
        return None if tier is None else notional * tier.maintenance_rate - tier.deduction


def check_fee_tiers(tiers: tuple[FeeTier, ...]) -> None:
    """ValueError unless `tiers` start at volume 0 and rise."""
    if tiers:
        _require(tiers[0].volume_30d == 0, "the first fee tier must start at volume 0", tiers[0].volume_30d)
    for lower, upper in pairwise(tiers):
        _require(
            lower.volume_30d < upper.volume_30d,
            "fee tiers must rise in 30-day volume",
            f"{lower.volume_30d} before {upper.volume_30d}",
        )


def check_margin_tiers(tiers: tuple[MarginTier, ...]) -> None:
    """ValueError unless notional caps rise and only the last tier is without an upper end."""
    for lower, upper in pairwise(tiers):
        _require(lower.notional_cap is not None, "only the last margin tier may have no notional_cap", "None")
        _require(
            upper.notional_cap is None or (lower.notional_cap or ZERO) < upper.notional_cap,
            "margin tiers must rise in notional_cap",
            f"{lower.notional_cap} before {upper.notional_cap}",
        )


def margin_schedule(rows: tuple[tuple[Decimal | None, Decimal, Decimal], ...]) -> tuple[MarginTier, ...]:
    """Tiers from (notional cap, maintenance rate, max leverage); the deductions follow from continuity.

    ``deduction_k = deduction_{k-1} + cap_{k-1} * (maintenance_k - maintenance_{k-1})``, the initial rate is
    ``1 / leverage``.
    """
    tiers: list[MarginTier] = []
    deduction, below = ZERO, None
    for cap, maintenance, leverage in rows:
        _require(leverage >= 1, "MarginTier.max_leverage must be >= 1", leverage)
        if below is not None:
            deduction += (below[0] or ZERO) * (maintenance - below[1])
        tiers.append(
            MarginTier(
                notional_cap=cap,
                initial_rate=ONE / leverage,
                maintenance_rate=maintenance,
                deduction=deduction,
                max_leverage=leverage,
            )
        )
        below = (cap, maintenance)
    return tuple(tiers)


def _require(condition: bool, expected: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{expected}, was {found}")


def _require_finite(owner: str, **values: Decimal | None) -> None:
    for name, value in values.items():
        _require(value is None or value.is_finite(), f"{owner}.{name} must be a finite number", value)


def _require_divisor(name: str, step: Decimal | None, whole_name: str, whole: Decimal) -> None:
    if step is not None:
        _require_positive(f"Rules.{name}", step)
        _require(whole % step == 0, f"Rules.{name} must divide {whole_name} {whole}", step)


def _require_positive(name: str, value: Decimal) -> None:
    _require(value.is_finite() and value > 0, f"{name} must be a finite number > 0", value)
