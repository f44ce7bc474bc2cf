"""The seeded order-book stream, as both sides get it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of
from tests.truth.grid import MAKER_FEE, TAKER_FEE, Grid

INSTRUMENT: Final = "BTCUSDT-PERP.BINANCE"
GRID: Final = Grid(tick_size=0.1, lot_size=0.001, interval=1, half_spread=2, size=0.1, position_max=5.0)


def replay_of_stream(columns: dict[str, npt.NDArray[Any]]) -> Replay:
    """Each row is a message."""
    events: Events = np.zeros(len(columns["kind"]), EVENT_DTYPE)
    for name in ("ts_local", "ts_venue", "price", "size", "side"):
        events[name] = columns[name]
    events["kind"] = np.where(columns["kind"] == 1, EventKind.BOOK_DELTA, EventKind.TRADE)
    events["flags"] = EventFlag.LAST_IN_MESSAGE | EventFlag.AT_VENUE | EventFlag.AT_LOCAL
    described = ReplayInstrument(id=INSTRUMENT, tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))
    return replay_of(events, [described])


def job_of(grid: Grid, events: str, queues: list[str]) -> dict[str, Any]:
    """The same work for hftbacktest."""
    return {
        "events": events,
        "queues": queues,
        "tick_size": grid.tick_size,
        "lot_size": grid.lot_size,
        "interval": grid.interval,
        "half_spread": grid.half_spread,
        "size": grid.size,
        "position_max": grid.position_max,
        "maker_fee": float(MAKER_FEE),
        "taker_fee": float(TAKER_FEE),
    }
