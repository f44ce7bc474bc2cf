"""What a replay reads: the tape in the two orders in which the two sides lived it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from headwater.domain.event import Events


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayInstrument:
    """One instrument of a replay; its position in the tuple is the ``instrument`` number of the events.

    Attributes
    ----------
    id : e.g. ``BTCUSDT-PERP.BYBIT``
    tick_size, lot_size : one grid for the whole replay (parts on coarser grids are rescaled, exactly)
    certificate : quality certificate of the datasets read, as plain data; empty when made in memory
    latency_usable : whether ``ts_local - ts_venue`` is a latency that was really measured
    """

    id: str
    tick_size: Decimal
    lot_size: Decimal
    certificate: dict[str, Any] = field(default_factory=dict)
    latency_usable: bool = True


def _nothing_to_release(local_rows: int, venue_rows: int) -> None:
    """In-memory replays have no pages to give back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Events of several instruments, merged, in both orders; arrays may be memory-mapped.

    Attributes
    ----------
    local : sorted by (ts_local, arrival): as the trader learned. The trader sees rows with ``AT_LOCAL``.
    venue : sorted by (ts_venue, arrival): as it happened. The venue acts on rows with ``AT_VENUE``.
        The same object as `local` when one order serves both.
    instruments : in the order of the events' ``instrument`` numbers
    release : called with the rows of `local` and `venue` that will not be read again, so that memory stays
        bounded
    """

    local: Events
    venue: Events
    instruments: tuple[ReplayInstrument, ...]
    release: Callable[[int, int], None] = _nothing_to_release
