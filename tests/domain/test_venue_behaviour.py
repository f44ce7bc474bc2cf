"""Venue behaviour as data: what is shipped, and what cannot be described."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from headwater.domain.instrument import InstrumentKind
from headwater.domain.order import OrderKind, TriggerBy
from headwater.domain.venue_behaviour import (
    BINANCE_SPOT,
    BINANCE_USDM,
    BYBIT_LINEAR,
    BYBIT_SPOT,
    GENERIC,
    MarketOrderProtection,
    ReduceOnlyRule,
    VenueBehaviour,
    behaviour_of,
)

SHIPPED = (BYBIT_LINEAR, BYBIT_SPOT, BINANCE_SPOT, BINANCE_USDM, GENERIC)


@pytest.mark.parametrize(
    ("venue", "kind", "expected"),
    [
        ("BYBIT", InstrumentKind.LINEAR_PERPETUAL, BYBIT_LINEAR),
        ("BYBIT", InstrumentKind.INVERSE_PERPETUAL, BYBIT_LINEAR),
        ("BYBIT", InstrumentKind.SPOT, BYBIT_SPOT),
        ("BINANCE", InstrumentKind.SPOT, BINANCE_SPOT),
        ("BINANCE", InstrumentKind.LINEAR_PERPETUAL, BINANCE_USDM),
        ("KRAKEN", InstrumentKind.SPOT, GENERIC),
    ],
)
def test_each_product_has_its_behaviour(venue: str, kind: InstrumentKind, expected: VenueBehaviour) -> None:
    assert behaviour_of(venue, kind) is expected


def test_order_rates_are_those_of_the_venues() -> None:
    per_second = {shipped.name: shipped.order_rate_limit * 10**9 // shipped.window_ns for shipped in SHIPPED}
    assert per_second["BYBIT linear"] == 10
    assert per_second["BINANCE USD-M"] == 30
    assert per_second["GENERIC"] == 10


def test_bybit_keeps_priority_on_a_decrease_and_binance_futures_never() -> None:
    assert BYBIT_LINEAR.decrease_keeps_priority
    assert not BYBIT_LINEAR.any_modify_loses
    assert BINANCE_USDM.any_modify_loses
    assert not BINANCE_USDM.decrease_keeps_priority


def test_bybit_shrinks_reduce_only_orders_and_binance_rejects_them() -> None:
    assert BYBIT_LINEAR.reduce_only is ReduceOnlyRule.SHRINK_OR_CANCEL
    assert BINANCE_USDM.reduce_only is ReduceOnlyRule.REJECT


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda shipped: shipped.name)
def test_no_venue_pretends_to_know_haircuts_or_index_triggers_without_documentation(
    shipped: VenueBehaviour,
) -> None:
    assert shipped.collateral_haircuts is None
    assert (TriggerBy.INDEX in shipped.trigger_prices) == (shipped is BYBIT_LINEAR)
    assert {OrderKind.MARKET, OrderKind.LIMIT} <= shipped.order_kinds


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order_rate_limit": 0}, "order_rate_limit and window_ns must be > 0"),
        ({"window_ns": -1}, "order_rate_limit and window_ns must be > 0"),
        ({"market_protection_ratio": None}, "belongs to PRICE_RATIO alone"),
        (
            {"market_protection": MarketOrderProtection.NONE},
            "belongs to PRICE_RATIO alone, was 0.02 with NONE",
        ),
        ({"has_trailing": False}, "disagree on TRAILING_STOP"),
    ],
)
def test_a_behaviour_refuses_what_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(BYBIT_LINEAR, **changes)


def test_the_protective_ratio_is_a_fraction() -> None:
    assert all((shipped.market_protection_ratio or Decimal(0)) < 1 for shipped in SHIPPED)
