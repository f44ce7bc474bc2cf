"""Many parameter sets of one compiled strategy over one tape, without preparing anything twice.

Every run goes through the same loop and the same simulated exchange as :func:`run_backtest` and ends in the same state; what
is left out is what nobody reads of a thousand runs: equity curves, order logs and hashes. Nothing is compiled: parameters are
data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.backtest.run import Run
from headwater.backtest.settings import BacktestSettings
from headwater.domain.errors import ConfigurationError
from headwater.domain.instrument import Instrument
from headwater.simulation.snapshot import Snapshot
from headwater.strategies.compiled import CompiledStrategy
from headwater.tape.replay import Replay

SWEEP_DTYPE: Final = np.dtype(
    [
        ("fills", "i8"),
        ("requests", "i8"),
        ("rejects", "i8"),
        ("profit", "f8"),  # settle currency: cash - fees + funding + positions at the last price
        ("fee", "f8"),  # > 0 paid
        ("position", "f8"),  # units, of the first instrument
    ]
)
"""One row per parameter set, in their order."""

_NEVER_NS: Final = 2**61


def sweep(
    strategy: CompiledStrategy,
    replay: Replay,
    instruments: list[Instrument],
    settings: BacktestSettings,
    parameter_sets: Sequence[Mapping[str, object]],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> npt.NDArray[Any]:
    """Run every parameter set; (n,) SWEEP_DTYPE.

    Raises
    ------
    ConfigurationError : instruments settle in several currencies, whose sum means nothing; or a parameter does not fit
    StrategyFault : as in ``run_backtest``; the sweep ends there
    """
    if len({instrument.settle for instrument in instruments}) > 1:
        raise ConfigurationError("a sweep adds profits, so all instruments must settle in one currency")
    lean = replace(settings, sample_ns=_NEVER_NS, log_orders=False)
    run = Run(strategy, replay, instruments, lean, dict(parameter_sets[0]) if parameter_sets else {})
    start = Snapshot(run.sim)
    rows = np.zeros(len(parameter_sets), SWEEP_DTYPE)
    for at, parameters in enumerate(parameter_sets):
        start.restore(run.sim)
        run.restart(parameters)
        run.loop(None)
        _summarise(run, rows[at])
        if progress is not None:
            progress(at + 1, len(parameter_sets))
    return rows


def _summarise(run: Run, row: Any) -> None:
    clock = run.sim.clock[0]
    row["fills"] = run.fill_count()
    row["requests"] = clock["requests_sent"]
    row["rejects"] = clock["rejects"]
    for each, state in zip(run.traded, run.sim.instruments, strict=True):
        row["profit"] += each.profit(state)
        row["fee"] += int(state["l_fee"]) / each.money_scale
    first = run.sim.instruments[0]
    row["position"] = int(first["l_position"]) / first["lots_per_unit"]
