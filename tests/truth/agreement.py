"""What it means that two runs agree."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.backtest.result import BacktestResult
from headwater.domain.order import OrderLogEvent
from tests.truth.grid import FillTable, fill_table, in_order
from tests.truth.peers import PeerRun

MONEY_RELATIVE: Final = 1e-9
"""hftbacktest adds doubles; ours are exact."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything on which both sides must agree.

    Attributes
    ----------
    fills : SHA-256 of the table of fills, rows ascending, little-endian int64
    fill_count, submits, cancels : of fills and requests
    position, balance, fee : at the end, in units of the instrument and its settle currency
    """

    fills: str
    fill_count: int
    submits: int
    cancels: int
    position: float
    balance: float
    fee: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def digest(table: npt.NDArray[np.int64]) -> str:
    """SHA-256 of a table, row by row, as little-endian int64."""
    return hashlib.sha256(np.ascontiguousarray(table).astype("<i8").tobytes()).hexdigest()


def outcome_of_peer(run: PeerRun) -> Outcome:
    """Of hftbacktest."""
    assert run.trades == len(run.fills), "a fill was not seen, or seen twice"
    return Outcome(
        digest(in_order(run.fills)),
        len(run.fills),
        run.submits,
        run.cancels,
        run.position,
        run.balance,
        run.fee,
    )


def outcome_of_ours(result: BacktestResult) -> Outcome:
    """Of Headwater."""
    fills, events = result.fills, result.orders["event"]
    scale = result.instruments[0].money_scale
    lots = int((fills["side"].astype(np.int64) * fills["size"]).sum())
    return Outcome(
        digest(fill_table(result)),
        len(fills),
        int(np.count_nonzero(events == OrderLogEvent.SUBMIT)),
        int(np.count_nonzero(events == OrderLogEvent.CANCEL)),
        lots * float(result.instruments[0].replay.lot_size),
        int(fills["cash"].sum()) / scale,
        int(fills["fee"].sum()) / scale,
    )


def check_agreement(ours: Outcome, theirs: Outcome) -> None:
    """Counts and fills to the last one, money to `MONEY_RELATIVE` of what was turned over."""
    assert (ours.fill_count, ours.submits, ours.cancels) == (
        theirs.fill_count,
        theirs.submits,
        theirs.cancels,
    )
    assert ours.fills == theirs.fills
    for name in ("position", "balance", "fee"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert abs(mine - other) <= MONEY_RELATIVE * max(abs(mine), abs(other), 1.0), (name, mine, other)


def check_fills(ours: FillTable, theirs: FillTable) -> None:
    """Name the first fill that differs, with what stands around it on both sides."""
    rows = min(len(ours), len(theirs))
    different = np.flatnonzero((ours[:rows] != theirs[:rows]).any(axis=1))
    if len(different) or len(ours) != len(theirs):
        at = int(different[0]) if len(different) else rows
        around = slice(max(at - 2, 0), at + 3)
        raise AssertionError(
            f"fill {at} of {len(ours)} and {len(theirs)} differs (venue ns, ticks, lots)\n"
            f"ours\n{ours[around]}\ntheirs\n{theirs[around]}"
        )
