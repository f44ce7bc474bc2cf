"""What one import put into a catalog, as JSON: the file whose appearance commits the import."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import CatalogError
from headwater.ports.importer import Findings

MANIFEST_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One Parquet file of a catalog.

    Attributes
    ----------
    path : relative to the catalog, with forward slashes
    instrument, group : what it holds (:mod:`headwater.tape.kind_group`)
    rows, bytes : records, file size
    ts_local_min, ts_local_max, ts_venue_min, ts_venue_max : UTC ns
    arrival_first, arrival_last : arrival numbers, rising through the part
    tick_size, lot_size, rules_source : the grid of its prices and sizes
    content_hash : BLAKE2b-128 of the file, hex
    """

    path: str
    instrument: str
    group: str
    rows: int
    bytes: int
    ts_local_min: int
    ts_local_max: int
    ts_venue_min: int
    ts_venue_max: int
    arrival_first: int
    arrival_last: int
    tick_size: Decimal
    lot_size: Decimal
    rules_source: str
    content_hash: str

    @property
    def source(self) -> str:
        """Number of the import that wrote it, as its file name begins."""
        return self.path.rpartition("/")[2].partition("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One committed import.

    Attributes
    ----------
    version : of this record's format
    number : rising from 1
    source_name, source_bytes : the file as the user named it, without its folder
    source_hash : BLAKE2b-128 of its bytes, hex; empty when the source was no file
    importer : name of the format
    instrument : what the user said with ``--instrument``, or ""
    arrival_next : the first arrival number that is still free after this import
    parts, findings : what was written, and what the importer met by instrument
    carried : last sequence number by stream, so that a file which continues this one needs no new snapshot
    """

    version: int
    number: int
    source_name: str
    source_hash: str
    source_bytes: int
    importer: str
    instrument: str
    arrival_next: int
    parts: tuple[Part, ...]
    findings: dict[str, Findings]
    carried: dict[str, int] = field(default_factory=dict)

    def parts_of(self, instrument: str) -> list[Part]:
        """The parts of one instrument, in the order of arrival."""
        mine = [part for part in self.parts if part.instrument == instrument]
        return sorted(mine, key=lambda part: part.arrival_first)


class _Versioned(msgspec.Struct):
    version: int


def encode_manifest(record: ImportRecord) -> bytes:
    """JSON of `record`, indented for people."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1)


def read_manifest(path: Path) -> ImportRecord:
    """Decode the manifest at `path`.

    Raises
    ------
    CatalogError : of a newer version, or damaged
    """
    try:
        text = path.read_bytes()
        check_version(path, msgspec.json.decode(text, type=_Versioned).version, MANIFEST_VERSION)
        return msgspec.json.decode(text, type=ImportRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise CatalogError(
            f"{path}: expected the record of an import, found damage: {error}; "
            "delete this file and import its source again"
        ) from error


def check_version(path: Path, found: int, known: int) -> None:
    """Refuse what a newer Headwater wrote."""
    if found > known:
        raise CatalogError(
            f"{path}: expected format version {known} or older, found version {found}; "
            "upgrade Headwater to read it"
        )
