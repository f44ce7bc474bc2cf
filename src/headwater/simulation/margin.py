"""Margin: what a position needs, what an account can afford."""

from __future__ import annotations

from typing import Any

from headwater.kernels.kernel import kernel
from headwater.simulation.kinds import MarginMode
from headwater.simulation.state import Sim

_NONE = int(MarginMode.NONE)


@kernel
def affords(sim: Sim, order: Any) -> bool:
    """Whether the account can post the initial margin of a new order beside all that it has."""
    account = sim.accounts[sim.instruments[order["instrument"]]["account"]]
    return account["margin_mode"] == _NONE
