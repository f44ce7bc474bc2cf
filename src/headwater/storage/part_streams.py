"""Parts as sorted streams, ready to be merged: one stream for each source, instrument and kind group.

Within such a stream the order of arrival is certain, whatever the clocks say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from headwater.domain.event import Events
from headwater.storage.book_before import book_before
from headwater.storage.manifest import Part
from headwater.storage.merge import Keyed, local_stream, whole_messages, within
from headwater.storage.parquet import part_rows
from headwater.storage.selection import Selection
from headwater.tape.common_grid import rescale
from headwater.tape.dataset import DatasetInfo

_CHUNK_ROWS_TOTAL: Final = 1 << 22
_CHUNK_ROWS_MIN: Final = 1 << 11
_CHUNK_ROWS_MAX: Final = 1 << 17
_SNAPSHOT_ARRIVAL_BITS: Final = 32


def window_streams(
    catalog: Path, selections: Sequence[Selection], start: int | None, end: int | None
) -> list[Iterator[Keyed]]:
    """Streams of the events in [`start`, `end`), and of the books as they stood at `start`."""
    streams = part_streams(catalog, selections, start, end)
    if start is not None:
        streams += [_book_at(catalog, one, number, start) for number, one in enumerate(selections)]
    return streams


def part_streams(
    catalog: Path, selections: Sequence[Selection], start: int | None, end: int | None
) -> list[Iterator[Keyed]]:
    """Streams of the events in [`start`, `end`), keyed by the trader's time, numbered by instrument."""
    streams: dict[tuple[int, str, str], list[Part]] = {}
    for number, selection in enumerate(selections):
        for part in selection.parts:
            streams.setdefault((number, part.group, part.source), []).append(part)
    share = _CHUNK_ROWS_TOTAL // max(1, len(streams))
    chunk_rows = min(max(share, _CHUNK_ROWS_MIN), _CHUNK_ROWS_MAX)

    def rows(number: int, parts: list[Part]) -> Iterator[Events]:
        for part in sorted(parts, key=lambda part: part.arrival_first):
            for events in part_rows(catalog / part.path, chunk_rows, start, end):
                events["instrument"] = number
                rescale(events, *selections[number].factors(part))
                yield events

    return [
        within(local_stream(rows(number, parts)), start, end) for (number, _, _), parts in streams.items()
    ]


def raw_rows(catalog: Path, dataset: DatasetInfo, parts: Iterable[Part]) -> Iterator[Events]:
    """Events of `parts` on the dataset's grid as they arrived, clocks untouched, cut where a message ends."""

    def chunks() -> Iterator[Events]:
        for part in parts:
            tick_factor = int(part.tick_size / dataset.tick_size)
            lot_factor = int(part.lot_size / dataset.lot_size)
            for events in part_rows(catalog / part.path):
                rescale(events, tick_factor, lot_factor)
                yield events

    return whole_messages(chunks())


# A stream of one message. Arrival numbers of different instruments must not interleave.
def _book_at(catalog: Path, selection: Selection, number: int, start: int) -> Iterator[Keyed]:
    parts = [(catalog / part.path, *selection.factors(part)) for part in selection.book_parts]
    rows = book_before(parts, start)
    rows["instrument"] = number
    rows["arrival"] -= number << _SNAPSHOT_ARRIVAL_BITS
    if len(rows):
        yield rows, rows["ts_local"].copy()
