"""Samples of position and money, at instants that no strategy has a say in."""

from __future__ import annotations

from typing import Any

from headwater.engine.view import show_market
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.state import Sim


@kernel
def take_samples(sim: Sim, view: Any) -> None:
    """One row per instrument, and the next sampling instant."""
    clock = sim.clock[0]
    for i in range(len(sim.instruments)):
        ins = sim.instruments[i]
        show_market(sim, i, view)
        row = sim.samples[clock["sample_count"]]
        clock["sample_count"] += 1
        row["ts"] = clock["now"]
        row["instrument"] = i
        row["position"] = ins["l_position"]
        row["bid"] = view["bid"]
        row["ask"] = view["ask"]
        row["mark"] = ins["l_mark"]
        row["cash"] = ins["l_cash"]
        row["fee"] = ins["l_fee"]
        row["funding"] = ins["l_funding"]
        row["working"] = ins["l_working"]
    if clock["sample_ns"] > 0:
        clock["next_sample"] += (1 + (clock["now"] - clock["next_sample"]) // clock["sample_ns"]) * clock[
            "sample_ns"
        ]


@kernel
def samples_before(sim: Sim, view: Any, ts: Int) -> Bool:
    """Take the samples that are due before `ts`; False when the log has no room for them."""
    clock = sim.clock[0]
    while clock["next_sample"] < ts:
        if clock["sample_count"] + len(sim.instruments) > len(sim.samples):
            return False
        clock["now"] = clock["next_sample"]
        take_samples(sim, view)
    return True
