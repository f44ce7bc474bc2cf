"""Fear & Greed indices: value, value_classification, update_time. Two indices share the schema, and stay two.

They are told apart by their words: alternative.me calls 55 to 59 greed and 20 to 24 extreme fear,
CoinMarketCap calls the first neutral and the second fear.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._clock import DAY_NS, text_ns
from headwater.storage.importers._metrics import metric_batch, note_absent_days
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._order import in_order
from headwater.storage.importers._table import (
    first_line,
    floats,
    note_open_end,
    read_text,
    refuse_first,
    rows_of,
)

_HEADER: Final = "value,value_classification,update_time"
_WORDS: Final = {
    "FGI.ALTERNATIVE": ((55, 59, "Greed"), (20, 24, "Extreme Fear")),
    "FGI.COINMARKETCAP": ((55, 59, "Neutral"), (20, 24, "Fear")),
}


class FearGreedIndex:
    """``FGI.ALTERNATIVE`` or ``FGI.COINMARKETCAP``, 0 to 100; a day's value is taken as known when the day is
    over.
    """

    name = "fear-greed-index"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        values = floats(path, frame, "value")
        refuse_first(path, frame, "value", (values < 0) | (values > 100), "an index from 0 to 100")
        instrument = (
            context.instrument or index_of(frame) or told_instrument(path, context, "FGI.ALTERNATIVE")
        )
        days = text_ns(path, frame, "update_time", "%Y-%m-%d %H:%M:%S%#z")
        findings = context.findings_of(instrument)
        note_open_end(path, findings)
        kept = in_order(path, findings, rows_of(frame), days, (values,))
        findings.clock = "absent: a day's value is taken as known at 00:00 UTC of the next day"
        note_absent_days(findings, days[kept])
        known = days[kept] // DAY_NS * DAY_NS + DAY_NS
        yield metric_batch(path, instrument, known, known, values[kept], context)


def index_of(frame: pl.DataFrame) -> str | None:
    """The one index whose words these are, or None when they fit both or neither."""
    value = frame["value"].cast(pl.Float64, strict=False).to_numpy()
    word = frame["value_classification"].to_numpy()
    fits = {
        instrument: sum(
            int(np.sum((value >= low) & (value <= high) & (word == name))) for low, high, name in words
        )
        for instrument, words in _WORDS.items()
    }
    found = [instrument for instrument, count in fits.items() if count]
    return found[0] if len(found) == 1 else None


IMPORTER: Final[Importer] = FearGreedIndex()
