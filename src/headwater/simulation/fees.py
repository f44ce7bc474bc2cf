"""Fee rates in force: maker and taker by the rolling volume of 30 days.

A tier table in ``tables`` at ``fee_tiers_at``::

    [0]            number of tiers
    [1]            the UTC day that has been entered, days since 1970
    [2]            the tier in force, from 0
    [3 .. 32]      volume of each of the last 30 days, money units, at ``3 + day % 30``
    then per tier  threshold (money units of 30-day volume), maker_e8, taker_e8; thresholds ascending, the
    first 0

Volume counts from the first fill of the run (what was traded before is not known unless the settings say
so). The tier is judged anew at each UTC midnight, as the venues do, on the volume of the 30 days before:
what is traded during a day first counts on the next. Instruments that share a table are judged together.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.state import I64, Sim

DAY_NS: Final = 86_400_000_000_000
DAYS: Final = 30
FEE_HEADER: Final = 3 + DAYS
"""Cells before the first tier."""
FEE_COLUMNS: Final = 3

_RING: Final = 3


@kernel
def fee_rate_e8(sim: Sim, ins: Any, ts: Int, value: Int, is_maker: Bool) -> Int:
    """Rate for a fill of `value` money units at `ts`, in 1e-8; negative is a rebate. Counts the volume."""
    if ins["fee_tiers_at"] >= 0:
        _count_volume(ins, sim.tables, ts // DAY_NS, value)
    return ins["maker_e8"] if is_maker else ins["taker_e8"]


@kernel
def _count_volume(ins: Any, tables: I64, day: Int, value: Int) -> None:
    at = ins["fee_tiers_at"]
    if tables[at + 1] != day:
        _enter_day(tables, at, day)
    if ins["v_volume_day"] != day:
        row = at + FEE_HEADER + FEE_COLUMNS * tables[at + 2]
        ins["maker_e8"] = tables[row + 1]
        ins["taker_e8"] = tables[row + 2]
        ins["v_volume_day"] = day
    tables[at + _RING + day % DAYS] += value


@kernel
def _enter_day(tables: I64, at: Int, day: Int) -> None:
    """Forget what is older than 30 days, judge the tier, and start the day's volume at nothing."""
    idle = min(day - tables[at + 1], DAYS + 1)
    for back in range(1, idle):
        tables[at + _RING + (day - back) % DAYS] = 0
    volume = np.int64(0)
    for cell in range(DAYS):
        volume += tables[at + _RING + cell]
    for tier in range(tables[at]):
        if volume >= tables[at + FEE_HEADER + FEE_COLUMNS * tier]:
            tables[at + 2] = tier
    tables[at + _RING + day % DAYS] = 0
    tables[at + 1] = day
