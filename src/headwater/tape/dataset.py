"""One dataset of a catalog: one instrument, one kind group, from one or more sources."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from headwater.ports.importer import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What one import gave to a dataset.

    Attributes
    ----------
    name : file name of the source
    content_hash : BLAKE2b-128 of its bytes, hex; empty when the source was no file
    importer : name of the format
    ts_min, ts_max : first and last ``ts_local``, UTC ns
    findings : what the importer met
    groups : all kind groups that it gave for this instrument
    """

    name: str
    content_hash: str
    importer: str
    ts_min: int
    ts_max: int
    findings: Findings
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What the catalog knows of a dataset without reading its events.

    Attributes
    ----------
    instrument, group : e.g. ``BTCUSDT-PERP.BYBIT`` and ``book`` (:mod:`headwater.tape.kind_group`)
    rows : records
    ts_min, ts_max : first and last ``ts_local``, UTC ns
    tick_size, lot_size : the common grid of all its parts
    rules_source : where the grid came from; several are joined by ", "
    parts : files
    sources : imports, oldest first
    """

    instrument: str
    group: str
    rows: int
    ts_min: int
    ts_max: int
    tick_size: Decimal
    lot_size: Decimal
    rules_source: str
    parts: int
    sources: tuple[SourceInfo, ...]

    @property
    def name(self) -> str:
        """Instrument and group, as the command line shows them."""
        return f"{self.instrument}/{self.group}"
