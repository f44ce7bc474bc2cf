"""Hypothesis strategies for tapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind, Events
from tests.tape.events import NOON

_LAST = int(EventFlag.LAST_IN_MESSAGE)

PRICES = st.integers(1, 8)
SIZES = st.integers(0, 3)
BOOK_KINDS = (EventKind.BOOK_DELTA, EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_CLEAR)


@st.composite
def records(
    draw: st.DrawFn,
    kinds: tuple[EventKind, ...],
    *,
    prices: st.SearchStrategy[int] = PRICES,
    sizes: st.SearchStrategy[int] = SIZES,
    rows_max: int = 40,
    whole: bool = True,
    jitter: int = 3,
) -> Events:
    """Messages of records of `kinds` on few prices, so that levels meet, with clocks that may step back."""
    count = draw(st.integers(1, rows_max))
    events = np.zeros(count, EVENT_DTYPE)
    ts_local, ts_venue = NOON, NOON
    for i in range(count):
        event: Any = events[i]
        event["kind"] = draw(st.sampled_from(kinds))
        event["side"] = draw(st.sampled_from((1, -1)))
        event["price"], event["size"] = draw(prices), draw(sizes)
        _shape(draw, event)
        event["ts_local"], event["ts_venue"] = ts_local, ts_venue
        if draw(st.booleans()):
            event["flags"] = _LAST
            ts_local += draw(st.integers(-jitter, 10))
            ts_venue += draw(st.integers(-jitter, 10))
    if whole:
        events["flags"][-1] = _LAST
    events["arrival"] = np.arange(count)
    return events


def _shape(draw: st.DrawFn, event: Any) -> None:
    if event["kind"] == EventKind.BOOK_CLEAR:
        event["side"] = draw(st.sampled_from((1, -1, 0)))
        event["size"] = 0
        if draw(st.booleans()):
            event["price"] = NO_PRICE
    elif event["kind"] == EventKind.GAP:
        event["price"], event["side"] = 0, 0
        event["flags"] = _LAST
