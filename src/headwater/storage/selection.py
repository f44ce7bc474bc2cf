"""Which parts of a catalog a replay reads, and on which grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

from headwater.domain.errors import CatalogError
from headwater.storage.manifest import ImportRecord, Part
from headwater.tape.common_grid import common_step
from headwater.tape.kind_group import deepest_book, family_of, matches
from headwater.tape.show_time import show_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is read of one instrument.

    Attributes
    ----------
    instrument : id
    parts : those that can hold events of the range
    book_parts : the book's parts up to the end of the range, in the order of time: what stood at its start
    tick_size, lot_size : the common grid of all these parts
    latency_usable : no importer of these parts found otherwise
    """

    instrument: str
    parts: tuple[Part, ...]
    book_parts: tuple[Part, ...]
    tick_size: Decimal
    lot_size: Decimal
    latency_usable: bool

    def between(self, start: int | None, end: int | None) -> Selection:
        """The same, on the same grid, of the parts that can hold events in [`start`, `end`)."""
        parts = tuple(
            part
            for part in self.parts
            if (start is None or part.ts_local_max >= start) and (end is None or part.ts_local_min < end)
        )
        return replace(self, parts=parts)

    def factors(self, part: Part) -> tuple[int, int]:
        """What to multiply ticks and lots of `part` by."""
        return int(part.tick_size / self.tick_size), int(part.lot_size / self.lot_size)


def select(
    catalog: Path,
    records: Sequence[ImportRecord],
    instrument: str,
    *,
    start: int | None,
    end: int | None,
    kinds: Sequence[str] | None,
) -> Selection:
    """Choose the parts of `instrument`; the arguments are those of :meth:`Catalog.open`.

    Raises
    ------
    CatalogError : the instrument is unknown, or nothing lies in the range
    """
    all_parts = [part for record in records for part in record.parts]
    mine = [part for part in all_parts if part.instrument == instrument]
    if not mine:
        raise _unknown(catalog, instrument, {part.instrument for part in all_parts})
    begun = [part for part in _of_kinds(mine, kinds) if end is None or part.ts_local_min < end]
    parts = tuple(part for part in begun if start is None or part.ts_local_max >= start)
    if not parts:
        raise _nothing_there(catalog, instrument, mine, kinds)
    findings = [record.findings.get(instrument) for record in records if set(record.parts) & set(parts)]
    books = [part for part in begun if family_of(part.group) == "book"]
    return Selection(
        instrument=instrument,
        parts=parts,
        book_parts=tuple(sorted(books, key=lambda part: (part.ts_local_min, part.arrival_first))),
        tick_size=common_step(part.tick_size for part in begun),
        lot_size=common_step(part.lot_size for part in begun),
        latency_usable=all(found.latency_usable for found in findings if found),
    )


# Of several depths of one book the deepest, unless others are named in full.
def _of_kinds(parts: Sequence[Part], kinds: Sequence[str] | None) -> list[Part]:
    wanted = [part for part in parts if matches(part.group, kinds)]
    named = {deepest_book({part.group for part in wanted}), *(kinds or ())}
    return [part for part in wanted if family_of(part.group) != "book" or part.group in named]


def _unknown(catalog: Path, instrument: str, known: set[str]) -> CatalogError:
    near = get_close_matches(instrument, known, 3, 0.4) or sorted(known)[:3]
    return CatalogError(
        f"{catalog}: expected an instrument of this catalog, found {instrument!r}; "
        f"it has {len(known)}, such as {', '.join(near) or 'none yet: import a file first'}"
    )


def _nothing_there(
    catalog: Path, instrument: str, parts: Sequence[Part], kinds: Sequence[str] | None
) -> CatalogError:
    groups = ", ".join(sorted({part.group for part in parts}))
    first = show_time(min(part.ts_local_min for part in parts))
    last = show_time(max(part.ts_local_max for part in parts))
    return CatalogError(
        f"{catalog}: expected events of {instrument} ({', '.join(kinds or ['all kinds'])}) in the time asked "
        f"for, found none; it has {groups} from {first} to {last}"
    )
