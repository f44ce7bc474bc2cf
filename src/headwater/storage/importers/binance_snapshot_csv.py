"""REST depth snapshots of Binance as CSV: one row a level, above them ``#`` lines of the recorder's own
checks.

Each snapshot is the whole of up to 5,000 levels a side at one moment; what happened between two of them is
not in the data. The symbol is only in the quality header, which is believed for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.compressed import read_head
from headwater.storage.data_grid import DataGrid
from headwater.storage.frames.binance import instrument_id
from headwater.storage.frames.book_stream import note_limited
from headwater.storage.importers._csv_columns import (
    INTEGER,
    TEXT,
    Columns,
    EventColumns,
    changes,
    ends_of,
    lines_before_data,
    read_columns,
    whole_messages,
)

_HEADER: Final = b"TimestampOfReceive,TimestampOfRequest,LastUpdateId,IsAsk,Price,Quantity"
_TITLE: Final = re.compile(rb"DEPTH_SNAPSHOT (\w+) (\w+)")
_MARKETS: Final = {b"SPOT": "spot", b"USD_M_FUTURES": "usdm", b"COIN_M_FUTURES": "coinm"}
_MS_NS: Final = 1_000_000
_US_LIMIT: Final = 10**14
_HOUR_NS: Final = 3_600_000_000_000
CONFLATED: Final = "REST snapshots; what happened between two of them is not in the data"


class BinanceSnapshotCsv:
    """Snapshots of one symbol, each a BOOK_CLEAR and its levels."""

    name = "binance-snapshot-csv"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """The header line, behind the comments."""
        lines = head.split(b"\n")
        skip = lines_before_data(head)
        return skip < len(lines) and lines[skip].strip() == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file."""
        head = read_head(path)
        instrument = context.instrument or _instrument_of(path, head)
        findings = context.findings_of(instrument)
        findings.conflated, findings.latency_usable = CONFLATED, False
        findings.clock = "as recorded; the venue sends no time with a snapshot, so there is no latency"
        grid = DataGrid(instrument, context.grid, findings.notes.append)
        types = dict.fromkeys(("TimestampOfReceive", "TimestampOfRequest", "LastUpdateId", "IsAsk"), INTEGER)
        types |= {"Price": TEXT, "Quantity": TEXT}
        last = (0, 0)
        pieces = read_columns(path, context, types, skip_lines=lines_before_data(head))
        for piece in whole_messages(pieces, "LastUpdateId", "TimestampOfReceive"):
            last = _judge(piece, findings, last)
            yield _events(piece).batch(instrument, grid)


def _instrument_of(path: Path, head: bytes) -> str:
    match = _TITLE.search(head)
    if match is None or match[1] not in _MARKETS:
        raise ImportRefusedError(
            f"{path}: the file does not say its symbol; name it with --instrument, e.g. BTCUSDT.BINANCE"
        )
    return instrument_id(_MARKETS[match[1]], match[2].decode())


def _nanoseconds(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(times < _US_LIMIT, times * _MS_NS, times * 1_000)


def _events(piece: Columns) -> EventColumns:
    begins = changes(piece, "LastUpdateId", "TimestampOfReceive")
    times = _nanoseconds(piece.integers("TimestampOfReceive"))
    events = EventColumns(
        kinds=np.full(len(piece), EventKind.BOOK_SNAPSHOT, np.uint8),
        sides=np.where(piece.integers("IsAsk") == 1, -1, 1).astype(np.int8),
        ts_local=times,
        ts_venue=_nanoseconds(piece.integers("TimestampOfRequest")),
        prices=piece.units("Price"),
        sizes=piece.units("Quantity"),
        ends=ends_of(begins),
    )
    return events.with_clears(np.flatnonzero(begins))


def _judge(piece: Columns, findings: Findings, last: tuple[int, int]) -> tuple[int, int]:
    """Compare each snapshot with the one before; (receive time, update id) of the last one."""
    received = _nanoseconds(piece.integers("TimestampOfReceive"))
    ids = piece.integers("LastUpdateId")
    for row in np.flatnonzero(changes(piece, "LastUpdateId", "TimestampOfReceive")).tolist():
        time, number = int(received[row]), int(ids[row])
        line = piece.line(row)
        if last[0] and (time < last[0] or number < last[1]):
            findings.backward_clock += time < last[0]
            why = f"a snapshot older than the one before (id {number} after {last[1]})"
            note_limited(findings, f"line {line}: {why}")
        elif last[0] and time - last[0] > _HOUR_NS:
            hours, rate = (time - last[0]) / _HOUR_NS, (number - last[1]) * 1e9 / (time - last[0])
            note_limited(
                findings,
                f"line {line}: {hours:.1f} hours after the snapshot before, {rate:.0f} updates/s between: "
                "the day was cut, or its time was edited",
            )
        last = time, number
    return last


IMPORTER: Final = BinanceSnapshotCsv()
