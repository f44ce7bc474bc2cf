"""The arrays of a simulation in which nothing has happened yet: what zero would misstate has its value."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.book.side import allocate_sides
from headwater.domain.bar import BAR_DTYPE, BAR_STATE_DTYPE
from headwater.domain.event import NO_PRICE, VenueStatus
from headwater.domain.order import FILL_DTYPE, ORDER_LOG_DTYPE
from headwater.domain.sample import LATENCY_DTYPE, SAMPLE_DTYPE
from headwater.simulation.kinds import PriceSource
from headwater.simulation.state import (
    ACCOUNT_DTYPE,
    CLOCK_DTYPE,
    FAR_FUTURE,
    I64,
    INSTRUMENT_DTYPE,
    MESSAGE_DTYPE,
    NO_HANDLE,
    ORDER_DTYPE,
    VENUE_DTYPE,
    Sim,
)

_WITHOUT_PRICE: Final = (
    *(
        "v_last",
        "v_mark",
        "v_index",
        "l_last",
        "l_mark",
        "l_index",
        "l_funding_rate",
        "l_bid_seen",
        "l_ask_seen",
    ),
    *("v_bar_open", "v_bar_high", "v_bar_low", "l_bar_open", "l_bar_high", "l_bar_low", "l_bar_close"),
)
_WITHOUT_HANDLE: Final = ("v_buy_head", "v_sell_head", "v_trigger_head")
_DEFAULTS: Final = {
    "source": int(PriceSource.BOOK),
    "unit_value": 1,
    "inverse_value": 1,
    "lots_per_unit": 1.0,
    "tick_size": 1.0,
    "fine_per_tick": 10**8,
    "orders_max": 500,
    "kinds_mask": -1,
    "flags_mask": -1,
    "triggers_mask": -1,
    "has_gtd": 1,
    "price_step": 1,
    "size_step": 1,
    "fee_tiers_at": -1,
    "margin_tiers_at": -1,
    "status": int(VenueStatus.TRADING),
    "l_trusted": 1,
    "bar_builder": -1,
}


def allocate(
    n_instruments: int,
    n_venues: int = 1,
    n_accounts: int = 1,
    *,
    orders: int = 4_096,
    ring: int = 65_536,
    window: int = 16_384,
    far_capacity: int = 65_536,
    fills: int = 65_536,
    log: int = 65_536,
    samples: int = 65_536,
    latencies: int = 65_536,
    tables: I64 | None = None,
    bar_states: npt.NDArray[Any] | None = None,
    bars: npt.NDArray[Any] | None = None,
) -> Sim:
    """A simulation in which nothing has happened yet.

    Parameters
    ----------
    n_instruments, n_venues, n_accounts : rows; each instrument starts with venue 0 and account 0
    orders : greatest number of orders alive at once
    ring : requests, and reports, in flight at once; a power of two
    window, far_capacity : cells of a book side, see ``book/side.py``
    fills, log, samples, latencies : rows of the logs before they must be emptied
    tables : tier tables, rate rings and latency series, see ``tables.py``
    bar_states, bars : states of the bar builders and their last bars; they belong to a room above

    Raises
    ------
    ValueError : a count is not positive, or `ring` is not a power of two
    """
    _check(n_instruments, n_venues, n_accounts, orders, ring)
    sides, levels = allocate_sides(4 * n_instruments, window, far_capacity)
    return Sim(
        clock=_clock(),
        instruments=_instruments(n_instruments),
        sides=sides,
        levels=levels,
        orders=_orders(orders),
        open_orders=np.full(orders, NO_HANDLE, np.int64),
        requests=np.zeros(ring, MESSAGE_DTYPE),
        reports=np.zeros(ring, MESSAGE_DTYPE),
        venues=_venues(n_venues),
        accounts=np.zeros(n_accounts, ACCOUNT_DTYPE),
        tables=np.zeros(0, np.int64) if tables is None else tables,
        fills=np.zeros(fills, FILL_DTYPE),
        order_log=np.zeros(log, ORDER_LOG_DTYPE),
        samples=np.empty(samples, SAMPLE_DTYPE),  # written whole; huge pages, which calloc does not give
        latencies=np.zeros(latencies, LATENCY_DTYPE),
        bar_states=np.zeros(0, BAR_STATE_DTYPE) if bar_states is None else bar_states,
        bars=np.zeros(0, BAR_DTYPE) if bars is None else bars,
    )


def _check(n_instruments: int, n_venues: int, n_accounts: int, orders: int, ring: int) -> None:
    counts = {
        "n_instruments": n_instruments,
        "n_venues": n_venues,
        "n_accounts": n_accounts,
        "orders": orders,
        "ring": ring,
    }
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, was {count}")
    if ring & (ring - 1):
        raise ValueError(f"ring must be a power of two, was {ring}")


def _clock() -> npt.NDArray[Any]:
    clock = np.zeros(1, CLOCK_DTYPE)
    clock["horizon"] = FAR_FUTURE - 1  # before what never comes
    clock["next_expiry"] = FAR_FUTURE
    clock["next_timer"] = FAR_FUTURE
    clock["next_sample"] = FAR_FUTURE
    return clock


def _instruments(count: int) -> npt.NDArray[Any]:
    instruments = np.zeros(count, INSTRUMENT_DTYPE)
    for name in _WITHOUT_PRICE:
        instruments[name] = NO_PRICE
    for name in _WITHOUT_HANDLE:
        instruments[name] = NO_HANDLE
    for name, value in _DEFAULTS.items():
        instruments[name] = value
    return instruments


def _orders(count: int) -> npt.NDArray[Any]:
    """All free, linked by ``next`` from handle 0 on."""
    orders = np.zeros(count, ORDER_DTYPE)
    orders["next"] = np.arange(1, count + 1)
    orders["next"][-1] = NO_HANDLE
    orders["previous"] = NO_HANDLE
    orders["open_at"] = NO_HANDLE
    return orders


def _venues(count: int) -> npt.NDArray[Any]:
    """Without latency or rate limit; each with random numbers of its own."""
    venues = np.zeros(count, VENUE_DTYPE)
    venues["random"] = np.arange(1, count + 1, dtype=np.uint64)
    venues["cancels_count"] = 1
    return venues
