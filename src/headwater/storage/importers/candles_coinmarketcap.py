"""Daily candles of CoinMarketCap in CSV: an average over venues, volume in USD, with supply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._bars import Habits, bar_batches, commonest
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import by_key, first_line, read_text
from headwater.storage.importers._text_candles import candles_of, in_base_currency, time_ns

_HEADER: Final = (
    "symbol,time_open,time_close,time_high,time_low,open,high,low,close,volume,"
    "market_cap,circulating_supply,timestamp"
)


class CoinMarketCapCandles:
    """One instrument a symbol, ``BTCUSD.COINMARKETCAP``: an index over venues that nobody can trade at.

    Market cap and supply are not kept.
    """

    name = "coinmarketcap-candles"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        length_ns = commonest(time_ns(path, frame, "time_close") - time_ns(path, frame, "time_open")) + 10**6
        parts = by_key(path, frame, "symbol")
        ids = {symbol: f"{symbol}USD.COINMARKETCAP" for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            part = parts[symbol]
            candles = candles_of(path, part, time_ns(path, part, "time_open"))
            findings = context.findings_of(instrument)
            findings.notes.append("an average over venues: no venue traded at these prices")
            candles = in_base_currency(context, instrument, candles, "USD")
            yield from bar_batches(path, instrument, candles, context, Habits(length_ns=length_ns))


IMPORTER: Final[Importer] = CoinMarketCapCandles()
