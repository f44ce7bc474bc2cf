"""Fee tiers: the ring of days against a dictionary of days."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.fees import DAY_NS, FEE_HEADER, fee_rate_e8
from tests.oracle.fees import RollingFees
from tests.simulation.small import small_sim

TIERS = [(0, 20_000, 55_000), (1_000, 10_000, 40_000), (5_000, 0, 30_000), (20_000, -5_000, 25_000)]

fills = st.lists(
    st.tuples(st.integers(0, 70), st.integers(0, DAY_NS - 1), st.integers(0, 3_000), st.booleans()),
    max_size=60,
)


def fee_table() -> list[int]:
    return [len(TIERS), *[0] * (FEE_HEADER - 1), *(cell for tier in TIERS for cell in tier)]


@given(fills=fills)
def test_a_tier_is_judged_at_midnight_on_the_thirty_days_before(
    fills: list[tuple[int, int, int, bool]],
) -> None:
    sim = small_sim(tables=fee_table())
    ins = sim.instruments[0]
    ins["fee_tiers_at"] = 0
    twin = RollingFees(TIERS)
    day = 19_000
    for days_later, of_day, value, is_maker in fills:
        day += (
            days_later // 10 if days_later < 60 else days_later - 35
        )  # often the same day, sometimes long after
        ts = day * DAY_NS + of_day
        maker, taker = twin.rates(ts, value)
        assert fee_rate_e8(sim, ins, ts, value, is_maker) == (maker if is_maker else taker)


def test_the_day_thirty_days_ago_still_counts_and_the_one_before_does_not() -> None:
    sim = small_sim(tables=fee_table())
    ins = sim.instruments[0]
    ins["fee_tiers_at"] = 0
    start = 19_000
    fee_rate_e8(sim, ins, start * DAY_NS, 1_000, False)
    assert fee_rate_e8(sim, ins, start * DAY_NS + 1, 0, False) == 55_000, "not on the day itself"
    assert fee_rate_e8(sim, ins, (start + 30) * DAY_NS, 0, False) == 40_000
    assert fee_rate_e8(sim, ins, (start + 31) * DAY_NS, 0, False) == 55_000


def test_instruments_that_share_a_table_are_judged_together() -> None:
    sim = small_sim(2, tables=fee_table())
    sim.instruments["fee_tiers_at"] = 0
    fee_rate_e8(sim, sim.instruments[0], 19_000 * DAY_NS, 600, False)
    fee_rate_e8(sim, sim.instruments[1], 19_000 * DAY_NS, 600, False)
    for ins in sim.instruments:
        assert fee_rate_e8(sim, ins, 19_001 * DAY_NS, 10, True) == 10_000


def test_without_tiers_the_rates_in_force_stay() -> None:
    sim = small_sim()
    ins = sim.instruments[0]
    ins["maker_e8"], ins["taker_e8"] = -5_000, 45_000
    assert fee_rate_e8(sim, ins, 0, 10**15, True) == -5_000
    assert fee_rate_e8(sim, ins, 0, 10**15, False) == 45_000
