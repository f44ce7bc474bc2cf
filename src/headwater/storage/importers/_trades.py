"""Trades of one instrument -> TRADE events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.importers._bars import LEAST_PRICE, WHOLE_MESSAGE
from headwater.storage.importers._clock import show
from headwater.storage.importers._grid import gridded
from headwater.storage.importers._order import listed, many
from headwater.storage.importers._table import F64, I64, Mask

_TRADES_PER_BATCH: Final = 750_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Trades as the file has them.

    Attributes
    ----------
    rows : (n,) record numbers in the file
    ts_venue, ts_local : (n,) UTC ns; the same where the file has one time
    price : (n,) quote currency
    size : (n,) base currency (or contracts)
    side : (n,) aggressor, +1 buy, -1 sell
    print_class : (n,) PrintClass
    kind : EventKind of all: TRADE, or LIQUIDATION
    """

    rows: I64
    ts_venue: I64
    ts_local: I64
    price: F64
    size: F64
    side: npt.NDArray[np.int8]
    print_class: npt.NDArray[np.uint8]
    kind: EventKind = EventKind.TRADE

    def at(self, kept: Mask | I64) -> Trades:
        """Some of the trades."""
        return Trades(
            rows=self.rows[kept],
            ts_venue=self.ts_venue[kept],
            ts_local=self.ts_local[kept],
            price=self.price[kept],
            size=self.size[kept],
            side=self.side[kept],
            print_class=self.print_class[kept],
            kind=self.kind,
        )


def trade_batches(path: Path, instrument: str, trades: Trades, context: ImportContext) -> Iterator[Batch]:
    """Check trades, put them on the grid of their day and yield each as a message of its own."""
    for field in ("price", "size"):
        bad = getattr(trades, field) < LEAST_PRICE
        if bad.any():
            at = int(np.argmax(bad))
            raise ImportRefusedError(
                f"{path}: row {trades.rows[at]} ({show(int(trades.ts_venue[at]))}), field '{field}': "
                f"expected a number above 0, found {getattr(trades, field)[at]}; mend or remove the row "
                f"({int(bad.sum())} such)"
            )
    refuse_backward(path, trades.rows, trades.ts_local)
    prices = trades.price[np.newaxis, :]
    for part in gridded(
        path, context, instrument, trades.ts_venue, trades.rows, prices, trades.size, size_name="sizes"
    ):
        some = trades.at(np.arange(len(trades.rows))[part.span])
        events = np.zeros(len(some.rows), EVENT_DTYPE)
        events["ts_local"], events["ts_venue"] = some.ts_local, some.ts_venue
        events["price"], events["size"] = part.prices[0], part.volume
        events["side"], events["print_class"] = some.side, some.print_class
        events["kind"], events["flags"] = trades.kind, WHOLE_MESSAGE
        for begin in range(0, len(events), _TRADES_PER_BATCH):
            yield Batch(
                instrument=instrument,
                events=events[begin : begin + _TRADES_PER_BATCH],
                tick_size=part.tick_size,
                lot_size=part.lot_size,
                rules_source=part.rules_source,
            )


def refuse_backward(path: Path, rows: I64, ts: I64) -> None:
    """Refuse records whose time is before that of the record before them; equal times are usual."""
    back = np.diff(ts) < 0
    if back.any():
        at = int(np.argmax(back)) + 1
        raise ImportRefusedError(
            f"{path}: row {rows[at]}: expected times that do not run back, found {show(int(ts[at]))} after "
            f"{show(int(ts[at - 1]))} ({int(back.sum())} steps back); sort the file by its time field"
        )


def each_id_once(path: Path, findings: Findings, ids: I64, trades: Trades) -> Trades:
    """Trades by rising venue id: holes are counted, exact repetitions dropped, contradictions refused."""
    steps = np.diff(ids)
    repeated = np.concatenate(([False], steps == 0))
    if repeated.any():
        same = np.ones(len(ids) - 1, np.bool_)
        for column in (trades.ts_venue, trades.price, trades.size, trades.side):
            same &= column[1:] == column[:-1]
        if (repeated[1:] & ~same).any():
            at = int(np.argmax(repeated[1:] & ~same)) + 1
            raise ImportRefusedError(
                f"{path}: rows {trades.rows[at - 1]} and {trades.rows[at]}: expected one trade of id "
                f"{ids[at]}, found two different ones; remove the wrong one"
            )
        findings.duplicates += int(repeated.sum())
        findings.notes.append(
            f"{many(int(repeated.sum()), 'row')} dropped for repeating the trade before (rows "
            f"{listed(trades.rows[repeated])})"
        )
    if (steps < 0).any():
        at = int(np.argmax(steps < 0)) + 1
        raise ImportRefusedError(
            f"{path}: row {trades.rows[at]}: expected trade ids that rise, found {ids[at]} after "
            f"{ids[at - 1]} ({int((steps < 0).sum())} steps back); sort the file by its id"
        )
    note_lost(findings, ids, trades)
    return trades.at(~repeated)


def note_lost(findings: Findings, ids: I64, trades: Trades) -> None:
    """Trades proven missing: venues number them without holes."""
    absent = np.maximum(np.diff(ids) - 1, 0)
    holes = np.flatnonzero(absent)
    if len(holes):
        findings.sequence_gaps += len(holes)
        findings.lost_messages += int(absent.sum())
        findings.notes.append(
            f"{many(int(absent.sum()), 'trade id')} missing in {many(len(holes), 'hole')}, first before row "
            f"{trades.rows[holes[0] + 1]} at {show(int(trades.ts_venue[holes[0] + 1]))}"
        )
