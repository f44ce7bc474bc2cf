"""Funding: what longs pay to shorts (or the reverse) at the settlement instant.

``payment = value of the position at the mark * rate``; longs pay when the rate is positive. The amount is
rounded half away from zero to one money unit, so that what a long pays is exactly what a short of the same
size receives.

Without a mark price there is no settlement: the last price is another price, and would be another payment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.domain.event import NO_PRICE, RATE_SCALE
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import ContractKind, ReportKind
from headwater.simulation.margin import leg_value
from headwater.simulation.proportion import nearest_proportion
from headwater.simulation.report import post_report
from headwater.simulation.state import Sim

_FUNDING = int(ReportKind.FUNDING)
_SPOT = int(ContractKind.SPOT)
_SCALE = RATE_SCALE


@kernel
def settle_funding(sim: Sim, i: Int, rate: Int, ts: Int) -> Bool:
    """Settle funding of instrument `i` at `rate` (units of 1e-12, at most 1e12 in size) at the instant `ts`.

    Moves the wallet, counts ``account["funding"]`` and posts a FUNDING report whose ``cash`` is what was
    received (< 0: paid). False only if there is a position and no mark price to settle at; nothing has
    moved then.
    """
    ins = sim.instruments[i]
    if (ins["v_long"] == 0 and ins["v_short"] == 0) or ins["contract"] == _SPOT:
        return True
    if ins["v_mark"] == NO_PRICE:
        return False
    received = funding_received(ins, rate)
    account = sim.accounts[ins["account"]]
    account["wallet"] += received
    account["funding"] += received
    report = post_report(sim, i, ts, _FUNDING)
    report["cash"] = received
    return True


@kernel
def funding_received(ins: Any, rate: Int) -> Int:
    """What the positions of an instrument receive at its mark price, money units; < 0 when they pay."""
    size = np.int64(abs(rate))
    long = nearest_proportion(leg_value(ins, 1), size, _SCALE)
    short = nearest_proportion(leg_value(ins, -1), size, _SCALE)
    return short - long if rate >= 0 else long - short
