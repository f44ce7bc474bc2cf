"""Crypto news with sentiment: ``;`` separated, newest first, day-first dates, sentiment as a Python
dictionary.

A headline is no number, and the tape holds numbers: text, titles and addresses are left out. Polarity (-1
to 1) and subjectivity (0 to 1) are kept, by subject. The time zone is not in the file and is taken for UTC;
a minute's article is known when the minute is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._clock import MINUTE_NS, text_ns
from headwater.storage.importers._metrics import metric_batch
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._order import listed, many
from headwater.storage.importers._table import (
    I64,
    by_key,
    first_line,
    floats,
    read_text,
    refuse_first,
    rows_of,
)

_HEADER: Final = "date;sentiment;source;subject;text;title;url"
_NUMBER: Final = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_SENTIMENT: Final = r"^\{'class': '\w+', 'polarity': " + _NUMBER + r", 'subjectivity': " + _NUMBER + r"\}$"
_MEASURES: Final = {"polarity": (1, -1.0), "subjectivity": (2, 0.0)}


class NewsSentiment:
    """``BITCOIN-POLARITY.NEWS``, ``BITCOIN-SUBJECTIVITY.NEWS`` and so on, one pair for each subject."""

    name = "news-sentiment"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path, separator=";")
        context.progress(path.stat().st_size)
        frame = frame.with_columns(pl.Series("ts", text_ns(path, frame, "date", "%d-%m-%Y %H:%M")))
        frame, note = oldest_first(with_measures(path, frame))
        parts = by_key(path, frame, "subject")
        ids = {
            f"{subject}/{name}": f"{subject}-{name}.NEWS".upper() for subject in parts for name in _MEASURES
        }
        for key, instrument in told_instruments(path, context, ids).items():
            subject, _, name = key.rpartition("/")
            part = parts[subject]
            findings = context.findings_of(instrument)
            findings.clock = "absent: times are to the minute, taken for UTC; known when the minute is over"
            findings.notes.extend((note, "headlines and texts are not kept: the tape holds numbers"))
            ts = part["ts"].to_numpy()
            yield metric_batch(path, instrument, ts, ts + MINUTE_NS, floats(path, part, name), context)


def with_measures(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with polarity and subjectivity as columns; a sentiment of another form is refused by row."""
    for name, (group, least) in _MEASURES.items():
        values = frame["sentiment"].str.extract(_SENTIMENT, group).cast(pl.Float64, strict=False)
        bad = (values.is_null() | (values < least) | (values > 1.0)).to_numpy()
        expected = f"{{'class': ..., 'polarity': -1 to 1, 'subjectivity': 0 to 1}} with a '{name}'"
        refuse_first(path, frame, "sentiment", bad, expected)
        frame = frame.with_columns(values.alias(name))
    return frame


def oldest_first(frame: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The rows turned round, and sorted where out of order; articles of one minute keep their order."""
    ts: I64 = frame["ts"].to_numpy()
    forward = np.flatnonzero(np.diff(ts) > 0) + 1
    note = "rows are newest first: turned round"
    if len(forward):
        rows = rows_of(frame)[forward]
        note += f"; {many(len(forward), 'row')} out of that order (rows {listed(rows)}): sorted by time"
    return frame.reverse().sort("ts", maintain_order=True), note


IMPORTER: Final[Importer] = NewsSentiment()
