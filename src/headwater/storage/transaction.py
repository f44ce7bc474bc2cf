"""One import on its way into a catalog: staged in a hidden folder, committed by one rename, or gone without a
trace.

::

    begin     .staging/7/                         parts are written and made durable here
    commit    .staging/7/plan.json                which files will be moved where
              events/venue=.../...-7.parquet      the parts, moved
              imports/000007.json                 the manifest, moved: from here on the import exists
              .staging/7/                         removed
    clean-up  a plan without its manifest: the import died; its parts and its staging folder are removed

Nobody looks at a part that no manifest names, so whoever reads meanwhile sees the catalog before or after.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
import numpy as np

from headwater.domain.errors import CatalogError
from headwater.domain.event import EventFlag, Events
from headwater.ports.importer import Batch, Findings
from headwater.storage.manifest import MANIFEST_VERSION, ImportRecord, Part, encode_manifest
from headwater.storage.parquet import WRITTEN_ROWS, PartFile
from headwater.tape.grouping import by_group, storable
from headwater.tape.order import forward_times
from headwater.tape.records import joined

PART_ROWS_MIN: Final = 1 << 16
"""A part ends with the day once it holds this many records; candles and funding share a part over many
days."""

BUFFERED_ROWS_MAX: Final = 1 << 22
"""Records held back over all parts that are being written; 200 MB."""

_DAY_NS: Final = 86_400_000_000_000
_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_INSTRUMENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:+-]*\.[A-Z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an import comes from: a file, or a name when there is no file (then without a hash)."""

    name: str
    content_hash: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Grid:
    """What the integers of a stream count in."""

    tick_size: Decimal
    lot_size: Decimal
    rules_source: str


class _Stream:
    """The part that is being written of one instrument, kind group and grid."""

    def __init__(self, instrument: str, group: str, grid: _Grid) -> None:
        self.instrument = instrument
        self.group = group
        self.grid = grid
        self.greatest_ts = -(2**63)
        self.buffer: list[Events] = []
        self.buffered_rows = 0
        self.open_new_part()

    def open_new_part(self) -> None:
        self.file: PartFile | None = None
        self.path = ""
        self.rows = 0
        self.bounds: list[tuple[int, ...]] = []

    def add(self, events: Events) -> None:
        self.buffer.append(events)
        self.buffered_rows += len(events)
        self.rows += len(events)
        local, venue = events["ts_local"], events["ts_venue"]
        arrival = events["arrival"]
        bounds = (local.min(), -local.max(), venue.min(), -venue.max(), arrival[0], -arrival[-1])
        self.bounds.append(tuple(int(bound) for bound in bounds))

    def take_buffer(self) -> Events:
        events = joined(self.buffer) if len(self.buffer) > 1 else self.buffer[0]
        self.buffer = []
        self.buffered_rows = 0
        return events


class Transaction:
    """A context manager that commits when its block ends well, and otherwise leaves the catalog as it was.

    Made by :meth:`headwater.storage.catalog.Catalog.transaction`, which holds the catalog's lock meanwhile.
    """

    def __init__(
        self, root: Path, *, number: int, source: Source, importer: str, instrument: str, arrival_next: int
    ) -> None:
        self._root = root
        self._number = number
        self._source = source
        self._importer = importer
        self._instrument = instrument
        self._arrival_next = arrival_next
        self._staging = root / ".staging" / str(number)
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._buffered_rows = 0
        self._parts: list[Part] = []
        self._findings: dict[str, Findings] = {}
        self._carried: dict[str, int] = {}
        self.record: ImportRecord | None = None

    def __enter__(self) -> Transaction:
        with _disk_errors(self._staging):
            self._staging.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._roll_back()
            return
        try:
            self._commit()
        except BaseException:
            self._roll_back()
            raise

    def append(self, batch: Batch) -> None:
        """Take a batch: give it arrival numbers, split it by kind group and day, and write what fills a row
        group.

        Raises
        ------
        CatalogError : the instrument id is malformed, or the disk is full
        ValueError : events of another dtype or of unknown kind, or a batch that ends inside a message
        """
        if len(batch.events) == 0:
            return
        _check_instrument(batch.instrument, self._source.name)
        events = storable(batch.events)
        events["arrival"] = np.arange(self._arrival_next, self._arrival_next + len(events))
        events["instrument"] = 0
        self._arrival_next += len(events)
        grid = _Grid(batch.tick_size, batch.lot_size, batch.rules_source)
        with _disk_errors(self._root):
            for group, rows in by_group(events, batch.book_levels):
                self._append(self._stream(batch.instrument, group, grid), rows)
            while self._buffered_rows > BUFFERED_ROWS_MAX:
                self._flush(max(self._streams.values(), key=lambda stream: stream.buffered_rows))

    def findings(self, findings: Mapping[str, Findings]) -> None:
        """Keep what the importer met, by instrument id; later entries replace earlier ones."""
        self._findings.update(findings)

    def carry(self, sequence_numbers: Mapping[str, int]) -> None:
        """Keep the last sequence number of each stream for a file that continues this one."""
        self._carried.update(sequence_numbers)

    def _stream(self, instrument: str, group: str, grid: _Grid) -> _Stream:
        stream = self._streams.setdefault((instrument, group), _Stream(instrument, group, grid))
        if stream.grid != grid:
            self._finish_part(stream)
            stream.grid = grid
        return stream

    def _append(self, stream: _Stream, events: Events) -> None:
        for piece in self._pieces(stream, events):
            if not stream.path:
                stream.path = self._part_path(stream, int(piece["ts_local"][0]))
            stream.add(piece)
            self._buffered_rows += len(piece)
            if stream.buffered_rows >= WRITTEN_ROWS:
                self._flush(stream)

    # Pieces of `events` that belong to one part each: the caller adds a piece before it asks for the next
    # one.
    def _pieces(self, stream: _Stream, events: Events) -> Iterator[Events]:
        times = events["ts_local"].copy()
        forward_times(times, stream.greatest_ts)
        days = times // _DAY_NS
        last_day = stream.greatest_ts // _DAY_NS
        may_begin = np.empty(len(events), bool)
        may_begin[0] = True
        np.not_equal(events["flags"][:-1] & _LAST, 0, out=may_begin[1:])
        new_day = np.diff(days, prepend=last_day) != 0
        boundaries = np.flatnonzero(may_begin & new_day)
        start = 0
        for boundary in boundaries:
            if stream.rows + int(boundary) - start < PART_ROWS_MIN:
                continue
            if boundary > start:
                yield events[start:boundary]
            self._finish_part(stream)
            start = int(boundary)
        yield events[start:]
        stream.greatest_ts = int(times[-1])

    def _part_path(self, stream: _Stream, ts: int) -> str:
        symbol, _, venue = stream.instrument.rpartition(".")
        day = datetime.fromtimestamp(ts // 10**9, UTC).date().isoformat()
        name = f"{self._number:06d}-{len(self._parts):05d}.parquet"
        return f"events/venue={venue}/instrument={symbol}/group={stream.group}/day={day}/{name}"

    def _flush(self, stream: _Stream) -> None:
        if not stream.buffered_rows:
            return
        self._buffered_rows -= stream.buffered_rows
        if stream.file is None:
            stream.file = PartFile(self._staging / stream.path)
        stream.file.append(stream.take_buffer())

    def _finish_part(self, stream: _Stream) -> None:
        if not stream.rows:
            return
        self._flush(stream)
        assert stream.file is not None
        part = _described(stream)
        content_hash, size = stream.file.close(_footer(part))
        self._parts.append(replace(part, content_hash=content_hash, bytes=size))
        stream.open_new_part()

    def _commit(self) -> None:
        with _disk_errors(self._root):
            for stream in self._streams.values():
                self._finish_part(stream)
            if not self._parts:
                raise CatalogError(
                    f"{self._source.name}: expected market events, found none; "
                    "nothing was imported: check the file"
                )
            record = self._make_record()
            manifest = self._root / "imports" / f"{self._number:06d}.json"
            plan = self._staging / "plan.new"
            write_durably(plan, msgspec.json.encode([part.path for part in self._parts]))
            _move(plan, self._staging / "plan.json")
            for part in self._parts:
                _move(self._staging / part.path, self._root / part.path)
            staged = self._staging / "manifest.json"
            write_durably(staged, encode_manifest(record))
            _move(staged, manifest)
        self.record = record
        shutil.rmtree(self._staging, ignore_errors=True)

    def _make_record(self) -> ImportRecord:
        return ImportRecord(
            version=MANIFEST_VERSION,
            number=self._number,
            source_name=self._source.name,
            source_hash=self._source.content_hash,
            source_bytes=self._source.bytes,
            importer=self._importer,
            instrument=self._instrument,
            arrival_next=self._arrival_next,
            parts=tuple(self._parts),
            findings=self._findings,
            carried=self._carried,
        )

    def _roll_back(self) -> None:
        for stream in self._streams.values():
            if stream.file is not None:
                stream.file.abandon()
        remove_dead_import(self._root, self._staging)


def remove_dead_import(root: Path, staging: Path) -> None:
    """Remove what an import that will not go on has left: its staging folder and parts without a manifest."""
    manifest = root / "imports" / f"{int(staging.name):06d}.json"
    plan = staging / "plan.json"
    if plan.exists() and not manifest.exists():
        for path in msgspec.json.decode(plan.read_bytes(), type=list[str]):
            (root / path).unlink(missing_ok=True)
            _remove_empty_parents(root, (root / path).parent)
    shutil.rmtree(staging, ignore_errors=True)


def write_durably(path: Path, data: bytes) -> None:
    """Write a small file so that it survives a power cut once its folder does."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_empty_parents(root: Path, folder: Path) -> None:
    while folder not in (root, root / "events") and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _check_instrument(instrument: str, source: str) -> None:
    if not _INSTRUMENT_ID.fullmatch(instrument):
        raise CatalogError(
            f"{source}: expected an instrument id such as BTCUSDT-PERP.BYBIT, found {instrument!r}; "
            "name it with --instrument"
        )


def _described(stream: _Stream) -> Part:
    bounds = np.array(stream.bounds).min(axis=0)
    return Part(
        path=stream.path,
        instrument=stream.instrument,
        group=stream.group,
        rows=stream.rows,
        bytes=0,
        ts_local_min=int(bounds[0]),
        ts_local_max=-int(bounds[1]),
        ts_venue_min=int(bounds[2]),
        ts_venue_max=-int(bounds[3]),
        arrival_first=int(bounds[4]),
        arrival_last=-int(bounds[5]),
        tick_size=stream.grid.tick_size,
        lot_size=stream.grid.lot_size,
        rules_source=stream.grid.rules_source,
        content_hash="",
    )


# What a part says of itself, so that it can be read without the catalog.
def _footer(part: Part) -> dict[str, object]:
    return {
        "instrument": part.instrument,
        "group": part.group,
        "tick_size": str(part.tick_size),
        "lot_size": str(part.lot_size),
        "rules_source": part.rules_source,
        "rows": part.rows,
        "ts_local_min": part.ts_local_min,
        "ts_local_max": part.ts_local_max,
    }


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(root, error) from error


def disk_error(path: Path, error: OSError) -> CatalogError:
    """What the operating system refused, as one line with the remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        remedy = "free some space or choose another folder; nothing was changed"
    else:
        remedy = "check the folder's permissions; nothing was changed"
    return CatalogError(f"{path}: expected to write, found {error.strerror or error}; {remedy}")
