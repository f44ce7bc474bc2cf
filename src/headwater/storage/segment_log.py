"""The segment log: events as they are recorded, whole after a kill at any byte.

::

    header   8 bytes "HWSEGLOG", version u4, record size u4, length of the JSON u4,
             instruments by number as JSON, CRC-32 of all this u4
    block    payload length u4, CRC-32 of length and payload u4, payload: records of EVENT_DTYPE
    block    ...

All numbers are little-endian. A block is written with one call and counts only when it is whole: a reader
stops at the first block that is cut or damaged and says how many bytes it dropped. A writer that opens an
existing log cuts what is behind the last whole block first. Events reach the disk when
:meth:`SegmentWriter.sync` returns; until then they survive a kill of the process, not a power cut.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import msgspec
import numpy as np

from headwater.domain.errors import CatalogError
from headwater.domain.event import EVENT_DTYPE, EVENT_FORMAT_VERSION, Events
from headwater.storage.manifest import check_version
from headwater.storage.transaction import disk_error
from headwater.tape.records import joined

BLOCK_BYTES_MAX: Final = 1 << 26
"""No block is larger: a damaged length must not make a reader take all memory."""

MAGIC: Final = b"HWSEGLOG"

_HEADER: Final = struct.Struct("<8sIII")
_BLOCK: Final = struct.Struct("<II")
_WORD: Final = struct.Struct("<I")
_HEADER_JSON_MAX: Final = 1 << 24
_ROWS_MAX: Final = BLOCK_BYTES_MAX // EVENT_DTYPE.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentInstrument:
    """What an instrument number of the log stands for, and the grid that its prices and sizes count in."""

    id: str
    tick_size: Decimal
    lot_size: Decimal
    rules_source: str


class SegmentWriter:
    """Appends events to a log.

    Parameters
    ----------
    path : the log; made when it is not there, otherwise continued behind its last whole block
    instruments : in the order of the events' ``instrument`` numbers

    Raises
    ------
    CatalogError : not a log, of a newer version, of other instruments, or the disk is full
    """

    def __init__(self, path: Path, instruments: Sequence[SegmentInstrument]) -> None:
        self._path = path
        self._instruments = len(instruments)
        header = segment_header(instruments)
        try:
            if not path.exists() or _is_begun(path, header):
                path.write_bytes(header)
            reader = SegmentReader(path)
            if reader.instruments != tuple(instruments):
                raise CatalogError(
                    f"{path}: expected a log of {_ids(instruments)}, "
                    f"found one of {_ids(reader.instruments)}; record into another file"
                )
            self._end = reader.whole_bytes
            self._file = path.open("r+b", buffering=0)
            self._file.truncate(self._end)
            self._file.seek(self._end)
        except OSError as error:
            raise disk_error(path, error) from error

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, events: Events) -> None:
        """Write `events`, whole messages, as one block (several above 64 MiB).

        Raises
        ------
        CatalogError : the disk is full; what was written before stays whole
        """
        if events.dtype != EVENT_DTYPE:
            raise ValueError(f"expected records of {EVENT_DTYPE}, found {events.dtype}")
        if len(events) and int(events["instrument"].max()) >= self._instruments:
            raise ValueError(f"expected instrument numbers below {self._instruments}, found a greater one")
        for start in range(0, len(events), _ROWS_MAX):
            self._write(np.ascontiguousarray(events[start : start + _ROWS_MAX]).tobytes())

    def sync(self) -> None:
        """Make everything written so far survive a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def _write(self, payload: bytes) -> None:
        length = _WORD.pack(len(payload))
        block = _BLOCK.pack(len(payload), zlib.crc32(payload, zlib.crc32(length))) + payload
        try:
            written = 0
            while written < len(block):
                written += self._file.write(block[written:]) or 0
        except OSError as error:
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise disk_error(self._path, error) from error
        self._end += len(block)


class SegmentReader:
    """Reads the whole blocks of a log.

    Attributes
    ----------
    instruments : by number
    whole_bytes : length of the header and all whole blocks
    dropped_bytes : what follows the last whole block, cut or damaged

    Raises
    ------
    CatalogError : missing, not a log, damaged in its header, or of a newer version
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            self.instruments = _read_header(path, file)
            self._begin = self.whole_bytes = file.tell()
            for payload in _payloads(file):
                self.whole_bytes += _BLOCK.size + len(payload)
            self.dropped_bytes = os.fstat(file.fileno()).st_size - self.whole_bytes

    def blocks(self) -> Iterator[Events]:
        """Events of one whole block after the other, in the order in which they were written."""
        with self._opened() as file:
            file.seek(self._begin)
            for payload in _payloads(file):
                events = np.empty(len(payload) // EVENT_DTYPE.itemsize, EVENT_DTYPE)
                events.view(np.uint8)[:] = np.frombuffer(payload, np.uint8)
                yield events

    def read(self) -> Events:
        """Events of all whole blocks."""
        return joined(list(self.blocks()))

    def _opened(self) -> IO[bytes]:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise CatalogError(
                f"{self._path}: expected a segment log, found {error.strerror}; check the path"
            ) from error


def segment_header(instruments: Sequence[SegmentInstrument], version: int = EVENT_FORMAT_VERSION) -> bytes:
    """The bytes with which a log of `instruments` begins."""
    described = msgspec.json.encode(tuple(instruments))
    fields = _HEADER.pack(MAGIC, version, EVENT_DTYPE.itemsize, len(described)) + described
    return fields + _WORD.pack(zlib.crc32(fields))


# Killed while the header was written: nothing can have been recorded yet.
def _is_begun(path: Path, header: bytes) -> bool:
    with path.open("rb") as file:
        found = file.read(len(header))
    return len(found) < len(header) and header.startswith(found)


def _ids(instruments: Sequence[SegmentInstrument]) -> str:
    return ", ".join(instrument.id for instrument in instruments) or "no instruments"


def _read_header(path: Path, file: IO[bytes]) -> tuple[SegmentInstrument, ...]:
    fixed = file.read(_HEADER.size)
    if len(fixed) < _HEADER.size or not fixed.startswith(MAGIC):
        raise CatalogError(f"{path}: expected a segment log, found {fixed[:8]!r}; choose another file")
    _, version, record_bytes, json_bytes = _HEADER.unpack(fixed)
    described = file.read(min(json_bytes, _HEADER_JSON_MAX))
    if file.read(_WORD.size) != _WORD.pack(zlib.crc32(fixed + described)):
        raise CatalogError(
            f"{path}: expected a whole header, found a wrong checksum; restore the file from a copy"
        )
    check_version(path, version, EVENT_FORMAT_VERSION)
    if record_bytes != EVENT_DTYPE.itemsize:
        raise CatalogError(
            f"{path}: expected records of {EVENT_DTYPE.itemsize} bytes, found {record_bytes}; "
            "restore the file from a copy"
        )
    return msgspec.json.decode(described, type=tuple[SegmentInstrument, ...])


def _payloads(file: IO[bytes]) -> Iterator[bytes]:
    while len(head := file.read(_BLOCK.size)) == _BLOCK.size:
        length, checksum = _BLOCK.unpack(head)
        if length > BLOCK_BYTES_MAX or length % EVENT_DTYPE.itemsize:
            return
        payload = file.read(length)
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(head[:4])) != checksum:
            return
        yield payload
