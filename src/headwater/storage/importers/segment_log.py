"""Our own segment logs: what was recorded becomes part of the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.segment_log import MAGIC, SegmentReader


class SegmentLogImporter:
    """Runs of one instrument become batches, in the order of the log; blocks end with a message."""

    name = "headwater-segment-log"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """A log begins with its magic."""
        return head.startswith(MAGIC)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events of the whole blocks; bytes behind them are named in the findings."""
        reader = SegmentReader(path)
        done = 0
        for events in reader.blocks():
            cuts = np.flatnonzero(np.diff(events["instrument"])) + 1
            for run in np.split(events, cuts):
                instrument = reader.instruments[int(run["instrument"][0])]
                yield Batch(
                    instrument=instrument.id,
                    events=run,
                    tick_size=instrument.tick_size,
                    lot_size=instrument.lot_size,
                    rules_source=instrument.rules_source,
                )
            done += events.nbytes
            context.progress(done)
        if reader.dropped_bytes:
            for instrument in reader.instruments:
                context.findings_of(instrument.id).notes.append(
                    f"{reader.dropped_bytes} bytes behind the last whole block were dropped: "
                    "the recorder was killed while it wrote"
                )


IMPORTER: Final[Importer] = SegmentLogImporter()
