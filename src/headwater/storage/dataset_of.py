"""What the manifests of a catalog say of one dataset."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.ports.importer import Findings
from headwater.storage.manifest import ImportRecord, Part
from headwater.tape.common_grid import common_step
from headwater.tape.dataset import DatasetInfo, SourceInfo


def datasets_of(records: Sequence[ImportRecord]) -> list[DatasetInfo]:
    """All datasets, sorted by instrument and kind group."""
    names = {(part.instrument, part.group) for record in records for part in record.parts}
    return [dataset_of(records, instrument, group) for instrument, group in sorted(names)]


def dataset_of(records: Sequence[ImportRecord], instrument: str, group: str) -> DatasetInfo:
    """The dataset of `instrument` and `group`, which must be there."""
    mine = [(record, some) for record in records if (some := _parts(record, instrument, group))]
    parts = [part for _, some in mine for part in some]
    return DatasetInfo(
        instrument=instrument,
        group=group,
        rows=sum(part.rows for part in parts),
        ts_min=min(part.ts_local_min for part in parts),
        ts_max=max(part.ts_local_max for part in parts),
        tick_size=common_step(part.tick_size for part in parts),
        lot_size=common_step(part.lot_size for part in parts),
        rules_source=", ".join(dict.fromkeys(part.rules_source for part in parts)),
        parts=len(parts),
        sources=tuple(_source(record, instrument, some) for record, some in mine),
    )


def parts_in_time_order(records: Sequence[ImportRecord], dataset: DatasetInfo) -> list[Part]:
    """Parts by the time of their sources (an earlier day may have been imported later), then by arrival."""
    sources = [_parts(record, dataset.instrument, dataset.group) for record in records]
    ordered = sorted(filter(None, sources), key=lambda parts: min(part.ts_local_min for part in parts))
    return [part for parts in ordered for part in parts]


def _parts(record: ImportRecord, instrument: str, group: str) -> list[Part]:
    mine = [part for part in record.parts if (part.instrument, part.group) == (instrument, group)]
    return sorted(mine, key=lambda part: part.arrival_first)


def _source(record: ImportRecord, instrument: str, parts: Sequence[Part]) -> SourceInfo:
    return SourceInfo(
        name=record.source_name,
        content_hash=record.source_hash,
        importer=record.importer,
        ts_min=min(part.ts_local_min for part in parts),
        ts_max=max(part.ts_local_max for part in parts),
        findings=record.findings.get(instrument, Findings()),
        groups=tuple(sorted({part.group for part in record.parts if part.instrument == instrument})),
    )
