"""One number for the state of a run: equal for equal runs, whatever lies in unused memory."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.book.side import NO_KEY, side_next, side_size
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.simulation.state import I64, Sim

_CLOCK: Final = (
    "next_number",
    "open_count",
    "venue_open",
    "requests_sent",
    "rejects",
    "venue_events",
    "local_events",
)
_INSTRUMENT: Final = (
    *(
        "v_last",
        "v_mark",
        "v_index",
        "v_long",
        "v_short",
        "v_long_value",
        "v_short_value",
        "v_orders",
        "status",
    ),
    *("l_position", "l_cash", "l_fee", "l_funding", "l_working", "l_last", "l_mark", "l_index"),
)
_ACCOUNT: Final = ("wallet", "liquidations", "funding", "bankrupt")
_ORDER: Final = (
    *("number", "instrument", "price", "size", "side", "kind", "l_status", "l_filled"),
    *("v_status", "v_price", "v_size", "v_filled"),
)


def state_hash(sim: Sim, *logs: npt.NDArray[Any]) -> str:
    """32 hex digits over books, orders, positions, money and `logs` (records that were zero before they were written)."""
    digest = hashlib.sha256()  # processors have it built in
    _add_fields(digest, sim.clock, _CLOCK)
    _add_fields(digest, sim.instruments, _INSTRUMENT)
    _add_fields(digest, sim.accounts, _ACCOUNT)
    alive = sim.orders[sim.open_orders[: int(sim.clock["open_count"][0])]]
    _add_fields(digest, alive[np.argsort(alive["number"])], _ORDER)
    for row in range(len(sim.sides)):
        digest.update(_levels(sim, row).tobytes())
    for log in logs:
        digest.update(log.view(np.dtype(f"V{log.itemsize}")).data)
    return digest.hexdigest()[:32]


def _add_fields(digest: Any, rows: npt.NDArray[Any], names: tuple[str, ...]) -> None:
    for name in names:
        digest.update(np.ascontiguousarray(rows[name]).tobytes())


def _levels(sim: Sim, row: int) -> I64:
    """Keys and sizes of one side, best first."""
    out = np.zeros(2 * int(sim.sides["levels"][row]), np.int64)
    side_levels(sim.sides, sim.levels, row, out)
    return out


@kernel
def side_levels(sides: Any, pool: I64, row: Int, out: I64) -> None:
    """Write (key, size) of every level of a side into `out`, best first."""
    key = sides[row]["best"]
    at = np.int64(0)
    while key != NO_KEY and at + 1 < len(out):
        out[at] = key
        out[at + 1] = side_size(sides, pool, row, key)
        at += 2
        key = side_next(sides, pool, row, key)
