"""Rules in force: what construction refuses, and what schedules say."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.identity import UnixNanos
from headwater.domain.rules import FeeTier, MarginTier, PriceBand, Rules, check_margin_tiers, margin_schedule


def rules(**changes: Any) -> Rules:
    fields: dict[str, Any] = {
        "valid_from": UnixNanos(0),
        "tick_size": Decimal("0.1"),
        "lot_size": Decimal("0.001"),
        "source": "test",
    }
    return Rules(**{**fields, **changes})


def fee(volume: str, maker: str = "0.0002", taker: str = "0.0005") -> FeeTier:
    return FeeTier(volume_30d=Decimal(volume), maker=Decimal(maker), taker=Decimal(taker))


def margin(cap: str | None, initial: str = "0.02", maintenance: str = "0.01", **changes: Any) -> MarginTier:
    fields: dict[str, Any] = {
        "notional_cap": None if cap is None else Decimal(cap),
        "initial_rate": Decimal(initial),
        "maintenance_rate": Decimal(maintenance),
        "deduction": Decimal(0),
        "max_leverage": Decimal(50),
    }
    return MarginTier(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tick_size": Decimal(0)}, "Rules.tick_size must be a finite number > 0, was 0"),
        ({"lot_size": Decimal("NaN")}, "Rules.lot_size must be a finite number > 0, was NaN"),
        ({"multiplier": Decimal(-1)}, "Rules.multiplier must be"),
        ({"min_notional": Decimal(0)}, "Rules.min_notional must be"),
        ({"min_size": Decimal(2), "max_size": Decimal(1)}, "min_size must not exceed max_size, was 2 > 1"),
        ({"source": " "}, "source must say where"),
        ({"funding_interval_s": 0}, "funding_interval_s must be > 0"),
        ({"collateral_haircut": Decimal("1.1")}, "collateral_haircut must lie between 0 and 1"),
        ({"data_tick_size": Decimal("0.03")}, "data_tick_size must divide tick_size 0.1, was 0.03"),
        ({"data_lot_size": Decimal("0.01")}, "data_lot_size must divide lot_size"),
        ({"fee_tiers": (fee("1"),)}, "first fee tier must start at volume 0, was 1"),
        ({"fee_tiers": (fee("0"), fee("0"))}, "fee tiers must rise"),
        ({"margin_tiers": (margin(None), margin("1"))}, "only the last margin tier"),
        ({"margin_tiers": (margin("2"), margin("2"))}, "margin tiers must rise"),
    ],
)
def test_rules_refuse_what_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rules(**changes)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fee("-1"), "volume_30d must be >= 0"),
        (lambda: fee("0", taker="1"), "FeeTier.taker is a fraction"),
        (lambda: fee("0", maker="NaN"), "FeeTier.maker must be a finite number"),
        (lambda: margin("1", initial="0.005"), "0 < maintenance_rate <= initial_rate"),
        (lambda: margin("-1"), "notional_cap must be > 0"),
        (lambda: margin("1", deduction=Decimal(-1)), "deduction must be >= 0"),
        (lambda: margin("1", max_leverage=Decimal("0.5")), "max_leverage must be >= 1"),
        (lambda: PriceBand(up=Decimal(0), down=Decimal("0.1")), "PriceBand.up"),
        (lambda: PriceBand(up=Decimal(1), down=Decimal(1)), "PriceBand.down"),
    ],
)
def test_schedules_refuse_what_cannot_be(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_the_fee_tier_follows_the_volume() -> None:
    tiers = (fee("0"), fee("1000000", maker="0"), fee("5000000", maker="-0.0001"))
    found = [rules(fee_tiers=tiers).fee_tier(Decimal(volume)) for volume in ("0", "999999", "1000000", "9e9")]
    assert found == [tiers[0], tiers[0], tiers[1], tiers[2]]
    with pytest.raises(ValueError, match="fee_tiers must be known"):
        rules().fee_tier()


def test_the_margin_tier_follows_the_notional() -> None:
    tiers = (margin("100"), margin("200", initial="0.1", maintenance="0.05"))
    in_force = rules(margin_tiers=tiers)
    assert in_force.margin_tier(Decimal(100)) == tiers[0]
    assert in_force.margin_tier(Decimal("100.01")) == tiers[1]
    assert in_force.margin_tier(Decimal(201)) is None
    assert in_force.maintenance_margin(Decimal(100)) == 1
    assert in_force.maintenance_margin(Decimal(201)) is None


rates = st.lists(st.integers(1, 400), min_size=1, max_size=6, unique=True).map(sorted)


@given(rates, st.lists(st.integers(1, 10**6), min_size=6, max_size=6, unique=True).map(sorted))
def test_maintenance_margin_is_continuous_across_tiers(thousandths: list[int], caps: list[int]) -> None:
    rows = tuple(
        (Decimal(cap), Decimal(rate) / 1000, Decimal(1)) for cap, rate in zip(caps, thousandths, strict=False)
    )
    tiers = margin_schedule(rows)
    check_margin_tiers(tiers)
    for lower, upper in pairwise(tiers):
        cap = lower.notional_cap or Decimal(0)
        below = cap * lower.maintenance_rate - lower.deduction
        assert cap * upper.maintenance_rate - upper.deduction == below


def test_the_published_deductions_follow_from_the_rates() -> None:
    caps = ("50000", "600000", "3000000", "12000000", "70000000")
    maintenance = ("0.004", "0.005", "0.0065", "0.01", "0.02")
    leverage = ("125", "100", "75", "50", "25")
    rows = tuple(tuple(map(Decimal, row)) for row in zip(caps, maintenance, leverage, strict=True))
    tiers = margin_schedule(rows)  # type: ignore[arg-type]
    assert [tier.deduction for tier in tiers] == [0, 50, 950, 11_450, 131_450]


def test_market_data_is_on_the_order_grid_unless_said_otherwise() -> None:
    assert rules().data_grid == (Decimal("0.1"), Decimal("0.001"))
    finer = rules(data_lot_size=Decimal("0.00001"))
    assert finer.data_grid == (Decimal("0.1"), Decimal("0.00001"))
