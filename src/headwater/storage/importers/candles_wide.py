"""Daily candles of several coins side by side: an unnamed date column, then ``BTC:open``, ``BTC:high`` and so
on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import bar_batches
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import first_line, note_open_end, read_text, refuse_first, require
from headwater.storage.importers._text_candles import PRICES, candles_of, time_ns

_HEADER: Final = re.compile(r',"?\w+:(?:open|high|low|close|volume)"?(?:,"?\w+:\w+"?)*')


class WideCandles:
    """The file names coins; they are taken for Bitstamp's USD pairs unless the user says otherwise.

    A coin that was not listed yet has empty cells; a row with some of a coin's cells empty is refused.
    """

    name = "wide-candles"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return _HEADER.fullmatch(first_line(head)) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        date = frame.columns[0]
        coins = dict.fromkeys(name.split(":")[0] for name in frame.columns if ":" in name)
        ids = {coin: f"{coin}USD.BITSTAMP" for coin in coins}
        for coin, instrument in told_instruments(path, context, ids).items():
            if context.instrument is None:
                context.findings_of(instrument).notes.append(
                    "the file names the coin alone: taken for Bitstamp against USD"
                )
            note_open_end(path, context.findings_of(instrument))
            listed = _listed(path, frame, coin)
            candles = candles_of(path, listed, time_ns(path, listed, date), prefix=f"{coin}:")
            yield from bar_batches(path, instrument, candles, context)


def _listed(path: Path, frame: pl.DataFrame, coin: str) -> pl.DataFrame:
    """The rows in which this coin has numbers."""
    fields = [f"{coin}:{name}" for name in (*PRICES, "volume")]
    require(path, frame.columns, fields)
    empty = frame.select((pl.col(name).is_null() | (pl.col(name) == "")).alias(name) for name in fields)
    all_empty = empty.select(pl.all_horizontal(fields)).to_series()
    for name in fields:
        refuse_first(
            path, frame, name, (empty[name] & ~all_empty).to_numpy(), "a number beside those of its coin"
        )
    return frame.filter(~all_empty)


IMPORTER: Final[Importer] = WideCandles()
