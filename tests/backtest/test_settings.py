"""What a back-test assumes: refused when it makes no sense, and described in the manifest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.errors import ConfigurationError
from headwater.simulation.kinds import LatencyModel, QueueModel

SERIES = np.array([[0, 1, 1]], np.int64)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"queue_power": 0.0}, r"queue_power must lie in \(0, 10\], was 0.0"),
        ({"initial_cash": Decimal(-1)}, "initial_cash must not be negative, was -1"),
        ({"leverage": Decimal("0.5")}, "leverage must be 0 .* or at least 1, was 0.5"),
        ({"bar_slippage": Decimal(1)}, "bar_slippage must lie in"),
        ({"sample_ns": -2}, "sample_ns must be -1, 0 or positive, was -2"),
        ({"orders_max": 0}, "orders_max must lie in"),
        ({"outbox_size": 5_000}, "outbox_size must lie in"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        BacktestSettings(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"entry_ns": -1}, "latency entry_ns must not be negative"),
        ({"response_ns": -1}, "latency response_ns must not be negative"),
        ({"memory_ns": -1}, "latency memory_ns must not be negative"),
        ({"median_ns": 0}, "latency median_ns must be positive"),
        ({"sigma": 4.0}, "latency sigma must lie in"),
        ({"series": SERIES}, "needs a series"),
        ({"model": LatencyModel.MEASURED}, "needs a series"),
    ],
)
def test_a_latency_that_makes_no_sense_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        LatencySettings(**given)


def test_the_defaults_err_on_the_side_of_the_market() -> None:
    settings = BacktestSettings()
    assert settings.queue_model is QueueModel.RISK_AVERSE
    assert settings.rate_limits
    assert settings.venue_checks
    assert not settings.no_partial_fill
    assert not settings.bar_fill_at_close
    assert settings.latency.entry_ns > 0


def test_the_manifest_describes_settings_as_plain_data() -> None:
    latency = LatencySettings(model=LatencyModel.MEASURED, series=SERIES)
    described = BacktestSettings(latency=latency, maker_fee=Decimal("0.0002")).described()
    assert described["queue_model"] == "risk_averse"
    assert described["maker_fee"] == "0.0002"
    assert described["taker_fee"] is None
    assert described["latency"]["model"] == "measured"
    assert "series" not in described["latency"]
