"""What a run writes down, taken out of the simulation's fixed logs as they fill up."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.simulation.state import Sim

_LOGS: Final = {
    "fills": "fill_count",
    "order_log": "log_count",
    "samples": "sample_count",
    "latencies": "latency_count",
}


class Logs:
    """Pieces of each log in order; :meth:`drain` empties the simulation's, :meth:`whole` puts the pieces together."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim
        self._pieces: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _LOGS}

    def drain(self) -> None:
        """Move what was logged since the last call."""
        clock = self._sim.clock
        for name, counter in _LOGS.items():
            count = int(clock[counter][0])
            if count:
                self._pieces[name].append(getattr(self._sim, name)[:count].copy())
                clock[counter] = 0

    def whole(self, name: str) -> npt.NDArray[Any]:
        """All of one log, contiguous and writable."""
        pieces = self._pieces[name]
        return np.concatenate(pieces) if pieces else getattr(self._sim, name)[:0].copy()
