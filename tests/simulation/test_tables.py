"""The pool of tables: what is put in is what the kernels read."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from headwater.domain.rules import FeeTier, MarginTier, margin_schedule
from headwater.simulation.fees import DAY_NS, fee_rate_e8
from headwater.simulation.kinds import LatencyModel
from headwater.simulation.latency import report_arrival, request_arrival
from headwater.simulation.margin import greatest_notional, initial_margin, maintenance_margin
from headwater.simulation.tables import INT64_MAX, TableBuilder
from tests.simulation.small import small_sim

SCALE = 10**8
FEES = (
    FeeTier(volume_30d=Decimal(0), maker=Decimal("0.0002"), taker=Decimal("0.00055")),
    FeeTier(volume_30d=Decimal("1000000.5"), maker=Decimal("-0.00005"), taker=Decimal("0.0004")),
)
MARGINS = margin_schedule(
    (
        (Decimal(50_000), Decimal("0.004"), Decimal(125)),
        (Decimal(600_000), Decimal("0.005"), Decimal(75)),
        (None, Decimal("0.01"), Decimal(50)),
    )
)


def test_tables_lie_one_after_the_other() -> None:
    builder = TableBuilder()
    offsets = [builder.add_rate_ring(3), builder.add_rate_ring(2), builder.add_fee_tiers(FEES, SCALE)]
    assert offsets == [0, 3, 5]
    pool = builder.build()
    assert pool.dtype == np.int64
    assert pool.ndim == 1
    assert not pool[:5].any()
    assert pool[5] == len(FEES)


def test_without_tables_the_pool_is_empty() -> None:
    assert TableBuilder().build().shape == (0,)


def test_fee_tiers_are_read_back_by_the_fee_kernel() -> None:
    builder = TableBuilder()
    builder.add_rate_ring(7)
    at = builder.add_fee_tiers(FEES, SCALE)
    sim = small_sim(tables=builder.build().tolist())
    ins = sim.instruments[0]
    ins["fee_tiers_at"] = at
    assert fee_rate_e8(sim, ins, 19_000 * DAY_NS, 1_000_000 * SCALE, False) == 55_000
    assert fee_rate_e8(sim, ins, 19_001 * DAY_NS, SCALE // 2, True) == 20_000
    assert fee_rate_e8(sim, ins, 19_002 * DAY_NS, 1, True) == -5_000


def test_margin_tiers_are_those_of_the_rules() -> None:
    builder = TableBuilder()
    builder.add_rate_ring(7)
    at = builder.add_margin_tiers(MARGINS, SCALE)
    sim = small_sim(tables=builder.build().tolist())
    ins = sim.instruments[0]
    ins["margin_tiers_at"] = at
    for notional in (1, 50_000, 50_001, 599_999, 2_000_000):
        tier = next(tier for tier in MARGINS if tier.notional_cap is None or notional <= tier.notional_cap)
        expected = notional * tier.maintenance_rate - tier.deduction
        assert maintenance_margin(ins, sim.tables, notional * SCALE) == expected * SCALE
        least = initial_margin(ins, sim.tables, 0, notional * SCALE)
        assert 0 <= least - notional * SCALE / tier.max_leverage <= notional + 1, (
            "rates are rounded up to 1e-8"
        )
    assert greatest_notional(ins, sim.tables) == INT64_MAX


def test_a_cap_that_int64_cannot_hold_has_no_end() -> None:
    tier = MarginTier(
        notional_cap=Decimal(10) ** 12,
        initial_rate=Decimal("0.5"),
        maintenance_rate=Decimal("0.5"),
        deduction=Decimal(0),
        max_leverage=Decimal(2),
    )
    builder = TableBuilder()
    builder.add_margin_tiers((tier,), SCALE)
    assert builder.build()[1] == INT64_MAX


def test_a_latency_series_is_read_back_by_the_latency_kernel() -> None:
    builder = TableBuilder()
    builder.add_rate_ring(7)
    ts, entry, response = (np.array(column, np.int64) for column in ([10, 20], [1, 2], [3, 4]))
    at = builder.add_latency_series(ts, entry, response)
    sim = small_sim(tables=builder.build().tolist())
    venue = sim.venues[0]
    venue["latency_model"] = LatencyModel.MEASURED
    venue["series_at"], venue["series_rows"] = at, 2
    assert request_arrival(venue, sim.tables, 15) == 16
    assert report_arrival(venue, sim.tables, 25) == 29


def column(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("ts", "entry", "response", "says"),
    [
        (column(), column(), column(), "at least one"),
        (column(1, 2), column(1), column(1, 1), "was 2, 1, 2"),
        (column(2, 1), column(1, 1), column(1, 1), "falling at row 1"),
        (column(1, 2), column(1, -1), column(1, 1), "entry_ns must not be negative, was -1 at row 1"),
        (column(1, 2), column(1, 1), column(-2, 1), "response_ns must not be negative, was -2 at row 0"),
    ],
)
def test_a_series_that_cannot_be_is_refused(
    ts: np.ndarray, entry: np.ndarray, response: np.ndarray, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        TableBuilder().add_latency_series(ts, entry, response)


def test_empty_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="fee table needs at least one tier"):
        TableBuilder().add_fee_tiers((), SCALE)
    with pytest.raises(ValueError, match="margin table needs at least one tier"):
        TableBuilder().add_margin_tiers((), SCALE)
    with pytest.raises(ValueError, match="limit must be at least 1, was 0"):
        TableBuilder().add_rate_ring(0)


def test_a_rate_that_eight_decimals_cannot_hold_is_refused() -> None:
    tier = FeeTier(volume_30d=Decimal(0), maker=Decimal("1e-9"), taker=Decimal(0))
    with pytest.raises(ValueError, match="at most eight decimals, was 1E-9"):
        TableBuilder().add_fee_tiers((tier,), 1)
