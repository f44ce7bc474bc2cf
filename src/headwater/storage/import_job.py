"""Import one foreign file into a catalog: recognise it, read it, commit it whole or leave no trace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headwater.ports.importer import GridLookup, ImportContext, Progress
from headwater.storage.catalog import Catalog
from headwater.storage.importers import recognise
from headwater.storage.manifest import ImportRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file.

    Attributes
    ----------
    record : the import as the catalog keeps it
    was_there : the same content had been imported before; nothing was done
    """

    record: ImportRecord
    was_there: bool

    @property
    def rows(self) -> int:
        """Records of the import."""
        return sum(part.rows for part in self.record.parts)

    @property
    def instruments(self) -> list[str]:
        """Instruments of the import, sorted."""
        return sorted({part.instrument for part in self.record.parts})


def import_file(
    catalog: Catalog, path: Path, *, instrument: str | None, grid: GridLookup, progress: Progress
) -> ImportReport:
    """Import `path` in one transaction.

    Parameters
    ----------
    instrument : id that the user gave, or None to take it from the file
    grid : rules in force
    progress : called with the bytes of the file consumed so far

    Raises
    ------
    ImportRefusedError : the format is unknown, or the file cannot be believed
    CatalogError : the disk is full, or another import is running
    """
    importer = recognise(path)
    known = catalog.imported(path, instrument)
    if known is not None:
        return ImportReport(record=known, was_there=True)
    carried: dict[str, int] = {}
    for record in catalog.imports():
        carried |= record.carried
    context = ImportContext(instrument=instrument, grid=grid, progress=progress, carried=carried)
    with catalog.transaction(path, importer=importer.name, instrument=instrument) as transaction:
        for batch in importer.batches(path, context):
            transaction.append(batch)
        transaction.findings(context.findings)
        transaction.carry(context.carried)
    assert transaction.record is not None
    return ImportReport(record=transaction.record, was_there=False)
