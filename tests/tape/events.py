"""Small tapes for tests: events from rows that read like a venue's messages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind, Events
from headwater.ports.importer import Batch, Findings
from headwater.tape.dataset import DatasetInfo, SourceInfo

DAY_NS = 86_400 * 10**9
NOON = 1_723_118_400 * 10**9
"""2024-08-08 12:00 UTC."""

LAST = int(EventFlag.LAST_IN_MESSAGE)
BOTH = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


def message(ts: int, *rows: tuple[EventKind, int, int, int], ts_venue: int | None = None) -> Events:
    """One message of (kind, side, price, size) rows at `ts`."""
    events = np.zeros(len(rows), EVENT_DTYPE)
    events["ts_local"] = ts
    events["ts_venue"] = ts if ts_venue is None else ts_venue
    for event, (kind, side, price, size) in zip(events, rows, strict=True):
        event["kind"], event["side"], event["price"], event["size"] = kind, side, price, size
    events["flags"][-1] = LAST
    return events


def tape(*messages: Events) -> Events:
    """Messages one after the other."""
    events = np.empty(sum(map(len, messages)), EVENT_DTYPE)
    if messages:
        np.concatenate(messages, out=events)
    return events


def snapshot(ts: int, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> Events:
    """A whole book: clear, then (price, size) levels."""
    rows = [(EventKind.BOOK_CLEAR, 0, NO_PRICE, 0)]
    rows += [(EventKind.BOOK_SNAPSHOT, 1, price, size) for price, size in bids]
    rows += [(EventKind.BOOK_SNAPSHOT, -1, price, size) for price, size in asks]
    return message(ts, *rows)


def delta(ts: int, *levels: tuple[int, int, int]) -> Events:
    """A message of (side, price, size) level changes."""
    return message(ts, *((EventKind.BOOK_DELTA, side, price, size) for side, price, size in levels))


def trade(ts: int, price: int, size: int = 1, side: int = 1) -> Events:
    """One print."""
    return message(ts, (EventKind.TRADE, side, price, size))


def gap(ts: int, lost: int) -> Events:
    """A hole in the sequence numbers."""
    return message(ts, (EventKind.GAP, 0, 0, lost))


def bar(start: int, length_ns: int, prices: tuple[int, int, int, int], volume: int = 10) -> Events:
    """One candle: open, high, low, close in ticks."""
    opened, high, low, close = prices
    events = message(
        start + length_ns,
        (EventKind.BAR_OPEN, 0, opened, 0),
        (EventKind.BAR_RANGE, 0, high, low),
        (EventKind.BAR_CLOSE, 0, close, volume),
    )
    events["ts_venue"][0] = start
    return events


def batch(
    events: Events,
    instrument: str = "BTCUSDT.BINANCE",
    tick_size: str = "0.1",
    lot_size: str = "0.001",
    book_levels: int = 0,
) -> Batch:
    """Events as an importer gives them."""
    return Batch(
        instrument=instrument,
        events=events,
        tick_size=Decimal(tick_size),
        lot_size=Decimal(lot_size),
        rules_source="file",
        book_levels=book_levels,
    )


def source(
    name: str = "a.csv", *, findings: Findings | None = None, groups: tuple[str, ...] = ()
) -> SourceInfo:
    """A source of a dataset."""
    return SourceInfo(
        name=name,
        content_hash="",
        importer="test",
        ts_min=NOON,
        ts_max=NOON,
        findings=findings or Findings(),
        groups=groups,
    )


def dataset(group: str, *sources: SourceInfo) -> DatasetInfo:
    """A dataset without a catalog."""
    return DatasetInfo(
        instrument="BTCUSDT.BINANCE",
        group=group,
        rows=0,
        ts_min=NOON,
        ts_max=NOON,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        rules_source="file",
        parts=1,
        sources=sources,
    )
