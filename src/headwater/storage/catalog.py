"""The catalog: recorded market data on disk, imported whole or not at all, replayed from a mapped cache.

::

    catalog.json      format and version
    imports/          one manifest an import; an import exists when its manifest does
    events/           Parquet parts: venue=/instrument=/group=/day=
    certificates/     quality certificates, one a dataset
    .cache/           replay caches, can be deleted
    .staging/         imports on their way in
    .lock             held by the one import that is writing

A part is named after the day on which it begins; a busy day is a part of its own, sparse kinds (candles,
funding) share a part over many days. Any tool that reads hive-partitioned Parquet reads ``events/``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from headwater.domain.errors import CatalogError
from headwater.domain.event import Events
from headwater.kernels.kernel import cache_root
from headwater.ports.importer import Batch, Findings
from headwater.storage.certificate_file import read_certificate, write_certificate
from headwater.storage.dataset_of import dataset_of, datasets_of, parts_in_time_order
from headwater.storage.manifest import ImportRecord, Part, check_version, read_manifest
from headwater.storage.merge import merged
from headwater.storage.part_streams import part_streams, raw_rows, window_streams
from headwater.storage.replay_cache import MappedReplay, ReplayCache, cache_key
from headwater.storage.selection import Selection, select
from headwater.storage.transaction import Source, Transaction, disk_error, remove_dead_import, write_durably
from headwater.tape.certificate import Certificate
from headwater.tape.certify import Certifier
from headwater.tape.dataset import DatasetInfo
from headwater.tape.kind_group import deepest_book
from headwater.tape.netting import net_trades
from headwater.tape.records import joined
from headwater.tape.replay import Replay, ReplayInstrument

CATALOG_VERSION: Final = 1
CERTIFIED_AT_OPEN_ROWS_MAX: Final = 20_000_000
"""A larger dataset without a certificate is replayed as "not verified": reading it would take too long."""

_FORMAT: Final = "headwater-catalog"
_OWN_NAMES: Final = ("imports", "events", ".staging", ".lock", "catalog.new")
_HASH_CHUNK_BYTES: Final = 1 << 20
_NETTED_ROWS_MAX: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    """Content of ``catalog.json``."""

    format: str
    version: int


def _ignore_rows(rows: int) -> None:
    """Nobody watches."""


class Catalog:
    """A folder of market data.

    Parameters
    ----------
    path : the folder
    create : make it when it is not there

    Raises
    ------
    CatalogError : not a catalog, damaged, or of a newer version
    """

    def __init__(self, path: Path | str, create: bool = False) -> None:
        self.path = Path(path)
        marker = self.path / "catalog.json"
        if not marker.exists():
            if not create:
                raise CatalogError(
                    f"{self.path}: expected a catalog, found no catalog.json; "
                    "make one with `headwater tape import FILE --catalog DIR`"
                )
            self._create(marker)
        _check_marker(marker)
        self._records: dict[str, ImportRecord] = {}
        self._remove_dead_imports()
        self._cache = ReplayCache(self._cache_folder())

    def imports(self) -> list[ImportRecord]:
        """Committed imports, oldest first."""
        paths = sorted((self.path / "imports").glob("*.json"))
        for path in paths:
            if path.name not in self._records:
                self._records[path.name] = read_manifest(path)
        return [self._records[path.name] for path in paths]

    def imported(self, source: Path, instrument: str | None = None) -> ImportRecord | None:
        """The import that already brought in the content of `source` (under whatever name), or None."""
        content_hash = file_hash(source)
        for record in self.imports():
            if record.source_hash == content_hash and record.instrument == (instrument or ""):
                return record
        return None

    @contextmanager
    def transaction(
        self, source: Path | str, *, importer: str = "", instrument: str | None = None
    ) -> Iterator[Transaction]:
        """Begin an import: commits when the block ends, leaves no trace when it raises.

        Parameters
        ----------
        source : the file that is imported; a string names a source that is no file
        importer : name of the format, for the record
        instrument : what the user said with ``--instrument``

        Raises
        ------
        CatalogError : another import is writing, the source is there already, or the disk is full
        """
        with self._lock():
            self._clear_staging()
            known = self.imported(source, instrument) if isinstance(source, Path) else None
            if known is not None:
                raise CatalogError(
                    f"{source}: expected data that is not in the catalog yet, found it imported as "
                    f"{known.source_name} (import {known.number}); nothing to do"
                )
            records = self.imports()
            with Transaction(
                self.path,
                number=records[-1].number + 1 if records else 1,
                source=_described(source),
                importer=importer,
                instrument=instrument or "",
                arrival_next=records[-1].arrival_next if records else 0,
            ) as transaction:
                yield transaction

    def write(
        self, batches: Iterable[Batch], *, source: Path | str, findings: Mapping[str, Findings] | None = None
    ) -> ImportRecord:
        """Import `batches` in one transaction; `findings` are read after the last batch."""
        with self.transaction(source) as transaction:
            for batch in batches:
                transaction.append(batch)
            transaction.findings(findings or {})
        assert transaction.record is not None
        return transaction.record

    def datasets(self) -> list[DatasetInfo]:
        """What is there, sorted by instrument and kind group."""
        return datasets_of(self.imports())

    def open(
        self,
        instruments: Sequence[str],
        *,
        start: int | None = None,
        end: int | None = None,
        kinds: Sequence[str] | None = None,
    ) -> Replay:
        """Map a replay of `instruments`, merged, from the cache; the first time, the cache is built.

        Parameters
        ----------
        instruments : ids, in the order of the numbers that the events will carry
        start, end : UTC ns, by ``ts_local``, start included and end not; None for everything
        kinds : group or family names (:mod:`headwater.tape.kind_group`); None for all. Of several depths of
            one book the deepest is replayed, unless others are asked for by their full name.

        A replay that begins in the middle of a book begins with a snapshot of it as it stood then.

        Raises
        ------
        CatalogError : an instrument is unknown, nothing lies in the range, a part is damaged, or the disk is
            full
        """
        if len(set(instruments)) != len(instruments):
            raise ValueError(f"expected each instrument once, found {list(instruments)}")
        records = self.imports()
        selections = [
            select(self.path, records, instrument, start=start, end=end, kinds=kinds)
            for instrument in instruments
        ]
        mapped = self._map(selections, start, end)
        return Replay(
            local=mapped.local,
            venue=mapped.venue,
            instruments=tuple(self._replay_instrument(records, one) for one in selections),
            release=mapped.release,
        )

    def query(
        self, instrument: str, start: int | None, end: int | None, kinds: Sequence[str] | None = None
    ) -> Events:
        """Events of one instrument with ``ts_local`` in [`start`, `end`), by (ts_local, arrival).

        They are on the common grid of everything that the instrument has of these kinds (:meth:`grid_of`),
        whatever the range. Where a replay of all of it has been opened before, they are a view of its mapped
        array; otherwise the row groups that can hold the range are read, and no cache is built.
        """
        selection = select(self.path, self.imports(), instrument, start=None, end=None, kinds=kinds)
        mapped = self._cache.kept(_recipe([selection], None, None))
        if mapped is not None:
            times = mapped.local["ts_local"]
            first = 0 if start is None else bisect_left(times, start)
            return mapped.local[first : len(times) if end is None else bisect_left(times, end)]
        within_range = selection.between(start, end)
        return joined([rows for rows, _ in merged(part_streams(self.path, [within_range], start, end))])

    def grid_of(self, instrument: str, kinds: Sequence[str] | None = None) -> tuple[Decimal, Decimal]:
        """Tick and lot size that the answers of :meth:`query` count in."""
        selection = select(self.path, self.imports(), instrument, start=None, end=None, kinds=kinds)
        return selection.tick_size, selection.lot_size

    def certify(self, dataset: DatasetInfo, progress: Callable[[int], None] = _ignore_rows) -> Certificate:
        """The quality certificate of `dataset`; made once and kept until its parts change.

        Parameters
        ----------
        dataset : one of :meth:`datasets`
        progress : called with the number of records read so far
        """
        kept = self.kept_certificate(dataset)
        if kept is not None:
            return kept
        parts = parts_in_time_order(self.imports(), dataset)
        certifier = Certifier(dataset)
        done = 0
        for rows in raw_rows(self.path, dataset, parts):
            certifier.update(rows)
            done += len(rows)
            progress(done)
        certificate = certifier.certificate(_content(parts), self._netting(dataset))
        if os.access(self.path, os.W_OK):
            write_certificate(self._certificate_path(dataset), certificate)
        return certificate

    # How the trades stand to the book: measured where both are there, on the first records.
    def _netting(self, dataset: DatasetInfo) -> dict[str, Any]:
        groups = {part.group for record in self.imports() for part in record.parts_of(dataset.instrument)}
        if dataset.group != "trades" or deepest_book(groups) is None:
            return {}
        selection = select(
            self.path, self.imports(), dataset.instrument, start=None, end=None, kinds=("book", "trades")
        )
        pieces, rows = [], 0
        for events, _ in merged(part_streams(self.path, [selection], None, None)):
            pieces.append(events)
            rows += len(events)
            if rows > _NETTED_ROWS_MAX:
                break
        events = joined(pieces)
        return net_trades(events).measures(events)

    def kept_certificate(self, dataset: DatasetInfo) -> Certificate | None:
        """The certificate of `dataset` as it is now, if it was made before."""
        content = _content(parts_in_time_order(self.imports(), dataset))
        return read_certificate(self._certificate_path(dataset), content)

    def _certificate_path(self, dataset: DatasetInfo) -> Path:
        return self.path / "certificates" / dataset.instrument / f"{dataset.group}.json"

    def _create(self, marker: Path) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(path.name not in _OWN_NAMES for path in self.path.iterdir()):
                raise CatalogError(
                    f"{self.path}: expected an empty folder for a new catalog, found other files; "
                    "choose another folder"
                )
            for folder in ("imports", "events", ".staging"):
                (self.path / folder).mkdir(exist_ok=True)
            fresh = marker.with_suffix(".new")
            write_durably(fresh, msgspec.json.encode(_Marker(format=_FORMAT, version=CATALOG_VERSION)))
            fresh.rename(marker)
        except OSError as error:
            raise disk_error(self.path, error) from error

    def _cache_folder(self) -> Path:
        if os.access(self.path, os.W_OK):
            return self.path / ".cache" / "replay"
        return cache_root() / "replay"

    def _remove_dead_imports(self) -> None:
        if not os.access(self.path, os.W_OK):
            return
        with suppress(CatalogError), self._lock():
            self._clear_staging()

    # Under the lock, whatever is staged belongs to nobody.
    def _clear_staging(self) -> None:
        for staging in (self.path / ".staging").glob("[0-9]*"):
            remove_dead_import(self.path, staging)

    @contextmanager
    def _lock(self) -> Iterator[IO[bytes]]:
        try:
            file = (self.path / ".lock").open("ab")
        except OSError as error:
            raise disk_error(self.path, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CatalogError(
                    f"{self.path}: expected to be the only writer, found another import running; "
                    "wait for it to end"
                ) from error
            yield file

    def _map(self, selections: Sequence[Selection], start: int | None, end: int | None) -> MappedReplay:
        rows_max = sum(part.rows for one in selections for part in one.parts)
        return self._cache.open(
            _recipe(selections, start, end),
            rows_max,
            lambda: window_streams(self.path, selections, start, end),
        )

    def _replay_instrument(self, records: list[ImportRecord], selected: Selection) -> ReplayInstrument:
        groups = sorted({part.group for part in selected.parts})
        datasets = [dataset_of(records, selected.instrument, group) for group in groups]
        return ReplayInstrument(
            id=selected.instrument,
            tick_size=selected.tick_size,
            lot_size=selected.lot_size,
            certificate=self._joint_certificate(datasets),
            latency_usable=selected.latency_usable,
        )

    def _joint_certificate(self, datasets: Sequence[DatasetInfo]) -> dict[str, Any]:
        certificates = {dataset.group: self._certified(dataset) for dataset in datasets}
        verdicts = [certificate["trusted"] for certificate in certificates.values()]
        return {
            "trusted": False if False in verdicts else None if None in verdicts else True,
            "reasons": [
                f"{group}: {reason}"
                for group, certificate in certificates.items()
                for reason in certificate["reasons"]
            ],
            "datasets": certificates,
        }

    def _certified(self, dataset: DatasetInfo) -> dict[str, Any]:
        kept = self.kept_certificate(dataset)
        if kept is None and dataset.rows > CERTIFIED_AT_OPEN_ROWS_MAX:
            return {"trusted": None, "reasons": ["not verified yet: run `headwater tape verify`"]}
        return (kept or self.certify(dataset)).to_dict()


def file_hash(path: Path) -> str:
    """BLAKE2b-128 of the bytes of `path`, hex."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_HASH_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise CatalogError(
            f"{path}: expected a readable file, found {error.strerror}; check the path"
        ) from error
    return digest.hexdigest()


def _recipe(selections: Sequence[Selection], start: int | None, end: int | None) -> tuple[str, ...]:
    lines = [f"window {start} {end}"]
    for one in selections:
        lines.append(f"{one.instrument} {one.tick_size} {one.lot_size}")
        lines += [f"{part.group} {part.arrival_first} {part.content_hash}" for part in one.parts]
        if start is not None:
            lines += [f"before {part.content_hash}" for part in one.book_parts]
    return tuple(lines)


def _content(parts: Iterable[Part]) -> str:
    return cache_key(tuple(part.content_hash for part in parts))


def _described(source: Path | str) -> Source:
    if isinstance(source, str):
        return Source(name=source)
    return Source(name=source.name, content_hash=file_hash(source), bytes=source.stat().st_size)


def _check_marker(marker: Path) -> None:
    try:
        found = msgspec.json.decode(marker.read_bytes(), type=_Marker)
    except (OSError, msgspec.MsgspecError) as error:
        raise CatalogError(
            f"{marker}: expected a catalog's marker, found {error}; choose another folder"
        ) from error
    if found.format != _FORMAT:
        raise CatalogError(
            f"{marker}: expected format {_FORMAT}, found {found.format}; choose another folder"
        )
    check_version(marker, found.version, CATALOG_VERSION)
