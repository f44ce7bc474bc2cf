"""The replay cache: merged events as plain ``.npy`` files that are mapped, not read.

Compressed Parquet cannot be mapped into memory, and decoding it gives some ten million events a second; a
mapped array gives what the memory bus does. A cache is a folder named after a hash of the parts that went
into it::

    <key>/local.npy     by (ts_local, arrival)
    <key>/venue.npy     by (ts_venue, arrival); absent when the order is the same
    <key>/meta.json     the parts and instruments, written last

It is built in bounded memory beside its final place, renamed there whole, and can be deleted at any time. The
files are mapped copy-on-write: kernels get the same writable array type as from memory, and the file cannot
change.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec
import numpy as np

from headwater.domain.errors import CatalogError
from headwater.domain.event import EVENT_DTYPE, EVENT_FORMAT_VERSION, Events
from headwater.storage.merge import Keyed, last_message_end, merged
from headwater.storage.transaction import disk_error
from headwater.tape.order import I64, message_times, order_by
from headwater.tape.records import gathered

CACHE_VERSION: Final = 1
CACHE_BYTES_MAX: Final = 20_000_000_000
"""Default size budget; ``HEADWATER_REPLAY_CACHE_BYTES`` overrides it."""

_RUN_ROWS: Final = 1 << 24
"""Records that are sorted in memory at once: 400 MB."""

_READ_ROWS: Final = 1 << 16
_CHECK_ROWS: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheMeta:
    """What a cache holds.

    Attributes
    ----------
    version : :data:`CACHE_VERSION`
    recipe : what was merged: one line an instrument, group, grid and part, in order
    rows : records
    one_order : whether ``local.npy`` serves both sides
    """

    version: int
    recipe: tuple[str, ...]
    rows: int
    one_order: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedReplay:
    """The arrays of a cache, and the function that gives their pages back."""

    local: Events
    venue: Events
    release: Callable[[int, int], None]


class ReplayCache:
    """Folder of caches with a size budget."""

    def __init__(self, folder: Path, bytes_max: int | None = None) -> None:
        self._folder = folder
        setting = os.environ.get("HEADWATER_REPLAY_CACHE_BYTES")
        self._bytes_max = bytes_max if bytes_max is not None else int(setting or CACHE_BYTES_MAX)

    def open(
        self, recipe: tuple[str, ...], rows_max: int, streams: Callable[[], Iterable[Iterator[Keyed]]]
    ) -> MappedReplay:
        """Map the cache of `recipe`, building it first when it is not there.

        Parameters
        ----------
        recipe : identifies what is merged
        rows_max : records that the streams give together, at most
        streams : makes the streams, each sorted by the trader's time

        Raises
        ------
        CatalogError : the disk is full, or a part is damaged
        """
        folder = self._folder / cache_key(recipe)
        if not (folder / "meta.json").exists():
            self._build(folder, recipe, rows_max, streams)
        os.utime(folder / "meta.json")
        return _mapped(folder)

    def kept(self, recipe: tuple[str, ...]) -> MappedReplay | None:
        """Map the cache of `recipe` if it has been built."""
        folder = self._folder / cache_key(recipe)
        return _mapped(folder) if (folder / "meta.json").exists() else None

    def _build(
        self,
        folder: Path,
        recipe: tuple[str, ...],
        rows_max: int,
        streams: Callable[[], Iterable[Iterator[Keyed]]],
    ) -> None:
        building = folder.with_name(f".{folder.name}.{os.getpid()}")
        try:
            self._make_room(2 * rows_max * EVENT_DTYPE.itemsize)
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True)
            rows = _write_events(building / "local.npy", merged(streams()))
            one_order = _write_venue(building)
            meta = CacheMeta(version=CACHE_VERSION, recipe=recipe, rows=rows, one_order=one_order)
            (building / "meta.json").write_bytes(msgspec.json.encode(meta))
            shutil.rmtree(folder, ignore_errors=True)
            building.rename(folder)
        except OSError as error:
            raise disk_error(building, error) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _make_room(self, bytes_needed: int) -> None:
        caches = sorted(self._folder.glob("*/meta.json"), key=lambda meta: meta.stat().st_mtime)
        sizes = {meta.parent: sum(file.stat().st_size for file in meta.parent.iterdir()) for meta in caches}
        total = sum(sizes.values()) + bytes_needed
        for folder, size in sizes.items():
            if total <= self._bytes_max:
                return
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def cache_key(recipe: tuple[str, ...]) -> str:
    """Folder name for `recipe`: 32 hex digits."""
    digest = hashlib.blake2b(digest_size=16)
    for line in (f"cache {CACHE_VERSION}, events {EVENT_FORMAT_VERSION}", *recipe):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _mapped(folder: Path) -> MappedReplay:
    meta = msgspec.json.decode((folder / "meta.json").read_bytes(), type=CacheMeta)
    local = MappedEvents(folder / "local.npy")
    venue = local if meta.one_order else MappedEvents(folder / "venue.npy")

    def release(local_rows: int, venue_rows: int) -> None:
        local.release(min(local_rows, venue_rows) if meta.one_order else local_rows)
        if not meta.one_order:
            venue.release(venue_rows)

    return MappedReplay(local=local.rows, venue=venue.rows, release=release)


class MappedEvents:
    """The events of one ``.npy`` file, mapped copy-on-write."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            rows, self._offset = _read_header(path, file)
            if rows:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
                self.rows = np.frombuffer(self._map, EVENT_DTYPE, rows, self._offset)
            else:
                self.rows = np.empty(0, EVENT_DTYPE)
        self._released_bytes = 0

    def release(self, rows: int) -> None:
        """Give back the pages of the first `rows` records; reading them again is allowed, and slow."""
        end = (self._offset + rows * EVENT_DTYPE.itemsize) // mmap.PAGESIZE * mmap.PAGESIZE
        begin = self._released_bytes if end >= self._released_bytes else 0  # less than before: another pass
        if end > begin and len(self.rows) and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, begin, end - begin)
        self._released_bytes = end


def _read_header(path: Path, file: IO[bytes]) -> tuple[int, int]:
    try:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype != EVENT_DTYPE or path.stat().st_size != file.tell() + shape[0] * EVENT_DTYPE.itemsize:
            raise ValueError("its size or record type is not what its header says")
    except ValueError as error:
        raise CatalogError(
            f"{path}: expected a replay cache, found damage: {error}; "
            "delete its folder, it will be built again"
        ) from error
    return int(shape[0]), file.tell()


def _write_events(path: Path, chunks: Iterable[Keyed]) -> int:
    rows = 0
    with path.open("wb") as file:
        _write_header(file, rows)
        for events, _ in chunks:
            file.write(np.ascontiguousarray(events).data)
            rows += len(events)
        file.seek(0)
        _write_header(file, rows)
    return rows


# numpy leaves room for growth: the header is as long for any number of rows.
def _write_header(file: IO[bytes], rows: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(EVENT_DTYPE), "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(file, header)


def _write_venue(folder: Path) -> bool:
    """Write ``venue.npy``, unless ``local.npy`` is in the venue's order already; says whether it is."""
    mapped = MappedEvents(folder / "local.npy")
    if _is_in_venue_order(mapped):
        return True
    runs = list(_runs(mapped, _RUN_ROWS))
    if len(runs) == 1:
        _write_events(folder / "venue.npy", _sorted_run(mapped, runs[0]))
        return False
    files = [_write_run(folder, number, mapped, run) for number, run in enumerate(runs)]
    _write_events(folder / "venue.npy", merged(_read_run(file) for file in files))
    for file in files:
        for path in file:
            path.unlink()
    return False


# Stretches of the local file that end with a message.
def _runs(mapped: MappedEvents, rows_max: int) -> Iterator[slice]:
    start = 0
    while start < len(mapped.rows):
        stop = min(start + rows_max, len(mapped.rows))
        stop = start + (last_message_end(mapped.rows["flags"][start:stop]) or stop - start)
        yield slice(start, stop)
        start = stop


def _venue_keys(mapped: MappedEvents, run: slice) -> tuple[I64, I64]:
    """Venue times and arrival numbers of a run; its pages are given back."""
    times = np.empty(run.stop - run.start, np.int64)
    message_times(mapped.rows[run], True, times)
    arrival = mapped.rows["arrival"][run].copy()
    mapped.release(run.stop)
    return times, arrival


def _is_in_venue_order(mapped: MappedEvents) -> bool:
    last_time, last_arrival = -(2**63), -(2**63)
    for run in _runs(mapped, _CHECK_ROWS):
        times, arrival = _venue_keys(mapped, run)
        is_before = (int(times[0]), int(arrival[0])) < (last_time, last_arrival)
        if is_before or order_by(times, arrival) is not None:
            return False
        last_time, last_arrival = int(times[-1]), int(arrival[-1])
    return True


def _sorted_run(mapped: MappedEvents, run: slice) -> Iterator[Keyed]:
    times, arrival = _venue_keys(mapped, run)
    order = order_by(times, arrival)
    rows = mapped.rows[run]
    for start in range(0, len(rows), _READ_ROWS):
        part = slice(start, start + _READ_ROWS)
        if order is None:
            yield rows[part], times[part]
        else:
            yield gathered(rows, order[part]), times[order[part]]
    mapped.release(run.start)  # its pages were read again
    mapped.release(run.stop)


def _write_run(folder: Path, number: int, mapped: MappedEvents, run: slice) -> tuple[Path, Path]:
    paths = folder / f"run-{number}.npy", folder / f"run-{number}-keys.npy"
    keys = []

    def chunks() -> Iterator[Keyed]:
        for rows, times in _sorted_run(mapped, run):
            keys.append(times)
            yield rows, times

    _write_events(paths[0], chunks())
    np.save(paths[1], np.concatenate(keys))
    return paths


def _read_run(run: tuple[Path, Path]) -> Iterator[Keyed]:
    mapped = MappedEvents(run[0])
    keys = np.load(run[1], mmap_mode="r")
    for start in range(0, len(mapped.rows), _READ_ROWS):
        stop = start + _READ_ROWS
        yield mapped.rows[start:stop], np.array(keys[start:stop])
        mapped.release(start)
