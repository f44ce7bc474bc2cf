"""Fee rates in force: maker and taker by the rolling volume of 30 days.

A tier table in ``tables`` at ``fee_tiers_at``::

    [0]            number of tiers
    [1 .. 30]      ring of the last 30 days' volumes, money units
    then per tier  threshold (money units of 30-day volume), maker_e8, taker_e8; thresholds ascending, the first 0

Volume counts from the first fill of the run (what was traded before is not known unless the settings say so). The tier is
judged anew at each UTC midnight, as the venues do, on the volume of the 30 days before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.simulation.state import I64, Sim

DAY_NS = 86_400_000_000_000
DAYS = 30


@kernel
def fee_rate_e8(sim: Sim, ins: Any, ts: int, value: int, is_maker: bool) -> int:
    """Rate for a fill of `value` money units at `ts`, in 1e-8; negative is a rebate. Counts the volume."""
    if ins["fee_tiers_at"] >= 0:
        _count_volume(ins, sim.tables, ts // DAY_NS, value)
    return ins["maker_e8"] if is_maker else ins["taker_e8"]


@kernel
def _count_volume(ins: Any, tables: I64, day: int, value: int) -> None:
    at = ins["fee_tiers_at"]
    if ins["v_volume_day"] != day:
        _enter_day(ins, tables, at, day)
    tables[at + 1 + day % DAYS] += value


@kernel
def _enter_day(ins: Any, tables: I64, at: int, day: int) -> None:
    passed = min(day - ins["v_volume_day"], DAYS)
    volume = np.int64(0)
    for back in range(DAYS):
        volume += tables[at + 1 + back]
    for ahead in range(passed):
        oldest = at + 1 + (day - ahead) % DAYS
        volume -= tables[oldest]
        tables[oldest] = 0
    ins["v_volume_day"] = day
    for tier in range(tables[at]):
        row = at + 1 + DAYS + 3 * tier
        if volume >= tables[row]:
            ins["maker_e8"] = tables[row + 1]
            ins["taker_e8"] = tables[row + 2]
