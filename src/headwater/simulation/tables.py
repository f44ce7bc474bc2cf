"""``tables``: one pool of integers for tier tables, rate rings and latency series, addressed by offsets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.fees import to_rate_e8
from headwater.domain.rules import FeeTier, MarginTier, check_fee_tiers, check_margin_tiers
from headwater.simulation.fees import FEE_HEADER
from headwater.simulation.state import I64

INT64_MAX: Final = 2**63 - 1
_E8: Final = Decimal(10) ** 8


class TableBuilder:
    """Collects the tables of a run; each ``add_...`` returns the offset to write into the record that uses
    it.

    >>> builder = TableBuilder()
    >>> builder.add_rate_ring(limit=10)
    0
    >>> builder.build().size
    10
    """

    def __init__(self) -> None:
        self._parts: list[I64] = []
        self._size = 0

    def add_fee_tiers(self, tiers: Sequence[FeeTier], money_scale: int) -> int:
        """Tiers of maker and taker fees, for ``fee_tiers_at``; layout in ``fees.py``.

        Parameters
        ----------
        tiers : ascending in volume, the first from 0
        money_scale : money units per one unit of the currency in which volume is counted; thresholds are
        rounded up

        Raises
        ------
        ValueError : no tiers, they do not ascend from 0, or a rate has more than eight decimals
        """
        check_fee_tiers(tuple(tiers))
        if not tiers:
            raise ValueError("a fee table needs at least one tier, was empty")
        cells = [len(tiers)] + [0] * (FEE_HEADER - 1)
        for tier in tiers:
            threshold = _units(tier.volume_30d, money_scale, ROUND_CEILING)
            cells += [threshold, to_rate_e8(tier.maker), to_rate_e8(tier.taker)]
        return self._append(cells)

    def add_margin_tiers(self, tiers: Sequence[MarginTier], money_scale: int) -> int:
        """Tiers of initial and maintenance margin, for ``margin_tiers_at``; layout in ``margin.py``.

        Parameters
        ----------
        tiers : ascending in notional cap; a cap of None (or beyond int64) has no upper end
        money_scale : money units per one unit of the settle currency. Caps and deductions are rounded down,
        initial
            rates (1 / leverage) up to 1e-8: where a schedule is not a whole number of units, more margin is
            asked

        Raises
        ------
        ValueError : no tiers, they do not ascend, or a maintenance rate has more than eight decimals
        """
        check_margin_tiers(tuple(tiers))
        if not tiers:
            raise ValueError("a margin table needs at least one tier, was empty")
        cells = [len(tiers)]
        for tier in tiers:
            cells += [
                INT64_MAX
                if tier.notional_cap is None
                else _units(tier.notional_cap, money_scale, ROUND_FLOOR),
                int((tier.initial_rate * _E8).to_integral_value(ROUND_CEILING)),
                to_rate_e8(tier.maintenance_rate),
                _units(tier.deduction, money_scale, ROUND_FLOOR),
            ]
        return self._append(cells)

    def add_rate_ring(self, limit: int) -> int:
        """Arrival times of the last `limit` requests, for ``rate_at``; none has arrived yet."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, was {limit}")
        return self._append([0] * limit)

    def add_latency_series(
        self,
        ts: npt.NDArray[np.int64],
        entry_ns: npt.NDArray[np.int64],
        response_ns: npt.NDArray[np.int64],
    ) -> int:
        """Measured order latencies, for ``series_at``; each row holds until the next.

        Parameters
        ----------
        ts : (n,) UTC ns, ascending, n >= 1
        entry_ns, response_ns : (n,) ns, >= 0

        Raises
        ------
        ValueError : lengths differ, nothing in it, times fall, or a latency is negative
        """
        if not len(ts) == len(entry_ns) == len(response_ns) or len(ts) == 0:
            raise ValueError(
                "a latency series needs as many ts as entry_ns and response_ns, and at least one, "
                f"was {len(ts)}, {len(entry_ns)}, {len(response_ns)}"
            )
        fall = np.flatnonzero(np.diff(ts) < 0)
        if len(fall):
            raise ValueError(f"ts of a latency series must not fall, was falling at row {fall[0] + 1}")
        for name, column in (("entry_ns", entry_ns), ("response_ns", response_ns)):
            if column.min() < 0:
                raise ValueError(f"{name} must not be negative, was {column.min()} at row {column.argmin()}")
        return self._append(np.stack([ts, entry_ns, response_ns], axis=1).ravel())

    def build(self) -> I64:
        """The pool: int64, one-dimensional, with all that was added; the caller owns it."""
        return np.concatenate([*self._parts, np.zeros(0, np.int64)])

    def _append(self, cells: Iterable[int]) -> int:
        part = np.array(cells, np.int64)
        offset = self._size
        self._parts.append(part)
        self._size += len(part)
        return offset


def _units(amount: Decimal, money_scale: int, rounding: str) -> int:
    """Money units of an amount; what int64 cannot hold is as good as without an end."""
    return min(int((amount * money_scale).to_integral_value(rounding)), INT64_MAX)
