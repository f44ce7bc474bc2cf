"""Candles of CryptoDataDownload: a banner line, newest first, hours as ``09-AM``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import Habits, bar_batches
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import note_open_end, read_text, require
from headwater.storage.importers._text_candles import PRICES, candles_of, time_ns

_BANNER: Final = b"cryptodatadownload"


class CryptoDataDownloadCandles:
    """One instrument; the file has its symbol but no venue, so the user names it.

    The base volume is the column named after the coin (``volume_btc``, ``Volume BTC``); the other is quote
    volume.
    """

    name = "cryptodatadownload-candles"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        lines = head[:4096].lower().splitlines()[:2]
        return (
            len(lines) == 2
            and _BANNER in lines[0]
            and lines[1].startswith((b"date,symbol,", b"unix,date,symbol,"))
        )

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        instrument = told_instrument(path, context, "BTCUSD.COINBASE")
        frame = read_text(path, lines_skipped=1)
        context.progress(path.stat().st_size)
        frame = frame.rename({name: name.strip().lower().replace(" ", "_") for name in frame.columns})
        require(path, frame.columns, ("date", "symbol", *PRICES))
        base = str(frame["symbol"][0]).lower().replace("/", "")
        named = [name for name in frame.columns if name.startswith("volume_") and base.startswith(name[7:])]
        require(path, frame.columns, named or [f"volume_{base[:3]}"])
        note_open_end(path, context.findings_of(instrument))
        candles = candles_of(path, frame, time_ns(path, frame, "date"), volume=named[0])
        yield from bar_batches(path, instrument, candles, context, Habits(newest_first=True))


IMPORTER: Final[Importer] = CryptoDataDownloadCandles()
