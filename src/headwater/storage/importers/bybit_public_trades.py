"""Bybit's archive of public trades (``public.bybit.com``): derivatives and spot, CSV with a header.

Derivatives: ``timestamp,symbol,side,size,price,...``, seconds with a fraction, newest first in older files.
Spot: ``id,timestamp,price,volume,side``, milliseconds; the symbol is not in the file. Neither has a receive
time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.compressed import read_head
from headwater.storage.data_grid import DataGrid
from headwater.storage.frames.bybit import instrument_id
from headwater.storage.importers._csv_columns import (
    INTEGER,
    TEXT,
    Columns,
    EventColumns,
    read_columns,
)

_DERIVATIVES: Final = b"timestamp,symbol,side,size,price,"
_SPOT: Final = b"id,timestamp,price,volume,side"
_NO_CLOCK: Final = "absent: the archive has no receive times; ts_local is the time of the trade"
_MS_NS: Final = 1_000_000


class BybitPublicTrades:
    """Trades with the aggressor's side."""

    name = "bybit-public-trades"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The header line."""
        return head.startswith((_DERIVATIVES, _SPOT))

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Trades, oldest first; a file that is newest first is turned round whole."""
        is_spot = read_head(path).startswith(_SPOT)
        if is_spot and context.instrument is None:
            raise ImportRefusedError(
                f"{path}: a file of spot trades does not say its symbol; name it with --instrument, "
                "e.g. --instrument BTCUSDT.BYBIT"
            )
        pieces = list(read_columns(path, context, _columns(is_spot)))
        newest_first = _is_newest_first(pieces, is_spot)
        grids: dict[str, DataGrid] = {}
        for piece in reversed(pieces) if newest_first else pieces:
            batch = _batch(piece, context, grids, is_spot, newest_first)
            findings = context.findings_of(batch.instrument)
            findings.clock, findings.latency_usable = _NO_CLOCK, False
            yield batch
        if newest_first:
            for findings in context.findings.values():
                findings.notes.append("the file was newest first and was turned round")


def _columns(is_spot: bool) -> dict[str, object]:
    if is_spot:
        return {"id": INTEGER, "timestamp": INTEGER, "price": TEXT, "volume": TEXT, "side": TEXT}
    return dict.fromkeys(("timestamp", "symbol", "side", "size", "price"), TEXT)


def _times(piece: Columns, is_spot: bool) -> npt.NDArray[np.int64]:
    if is_spot:
        return piece.integers("timestamp") * _MS_NS
    seconds, decimals = piece.units("timestamp")
    return np.asarray(seconds * 10 ** (9 - decimals), dtype=np.int64)


def _is_newest_first(pieces: list[Columns], is_spot: bool) -> bool:
    if not pieces:
        return False
    return bool(_times(pieces[0], is_spot)[0] > _times(pieces[-1], is_spot)[-1])


def _batch(
    piece: Columns, context: ImportContext, grids: dict[str, DataGrid], is_spot: bool, newest_first: bool
) -> Batch:
    symbol = "" if is_spot else str(piece.table.column("symbol")[0])
    instrument = context.instrument or instrument_id("linear", symbol)
    findings = context.findings_of(instrument)
    if not is_spot and not piece.is_word("symbol", symbol).all():
        row = int(np.argmin(piece.is_word("symbol", symbol)))
        piece.refuse(row, "symbol", f"{symbol} as in the first row", str(piece.words("symbol")[row]))
    times = _times(piece, is_spot)
    order = np.arange(len(piece))[::-1] if newest_first else np.arange(len(piece))
    findings.backward_clock += int((np.diff(times[order]) < 0).sum())
    events = EventColumns(
        kinds=np.full(len(piece), EventKind.TRADE, np.uint8),
        sides=_sides(piece),
        ts_local=times,
        ts_venue=times,
        prices=piece.units("price"),
        sizes=piece.units("volume" if is_spot else "size"),
        ends=np.ones(len(piece), np.bool_),
    ).at(order)
    grid = grids.setdefault(instrument, DataGrid(instrument, context.grid, findings.notes.append))
    return events.batch(instrument, grid)


def _sides(piece: Columns) -> npt.NDArray[np.int8]:
    bought, sold = piece.is_word("side", "Buy", "buy"), piece.is_word("side", "Sell", "sell")
    if not (bought | sold).all():
        row = int(np.argmin(bought | sold))
        piece.refuse(row, "side", "Buy or Sell", str(piece.words("side")[row]))
    return bought.astype(np.int8) - sold.astype(np.int8)


IMPORTER: Final = BybitPublicTrades()
