"""Binance's ``@trade`` stream flattened to CSV, a line a trade, after ``#`` lines that describe the
recording.

USD-M frames carry a field ``X`` with the sort of print; a frame without it has price and quantity 0 and is
no trade. Spot frames carry ``M`` instead. Spot times are in microseconds, those of futures in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.domain.event import PrintClass
from headwater.ports.importer import Batch, Findings, ImportContext, Importer
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._order import listed, many
from headwater.storage.importers._table import (
    by_key,
    first_line,
    floats,
    integers,
    read_text,
    refuse_first,
    rows_of,
)
from headwater.storage.importers._trades import Trades, each_id_once, trade_batches

_HEADER: Final = (
    "TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,"
    "Symbol,TradeId,Price,Quantity,IsBuyerMarketMaker,"
)
_CUT_AT: Final = 10_000  # excerpts of longer recordings are published with this many rows
_USD_M: Final = "XUnknownParameter"
_PRINTS: Final = {"MARKET": PrintClass.NORMAL, "INSURANCE_FUND": PrintClass.INSURANCE, "ADL": PrintClass.ADL}


class BinanceTradeStream:
    """One instrument a symbol: a perpetual when the lines carry ``X``, else spot."""

    name = "binance-trade-stream"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head).startswith(_HEADER)

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        suffix = "-PERP.BINANCE" if _USD_M in frame.columns else ".BINANCE"
        parts = by_key(path, frame, "Symbol")
        ids = {symbol: f"{symbol}{suffix}" for symbol in parts}
        for symbol, instrument in told_instruments(path, context, ids).items():
            yield from self._symbol(path, instrument, parts[symbol], context)

    def _symbol(
        self, path: Path, instrument: str, part: pl.DataFrame, context: ImportContext
    ) -> Iterator[Batch]:
        findings = context.findings_of(instrument)
        maker_bought = integers(path, part, "IsBuyerMarketMaker")
        refuse_first(path, part, "IsBuyerMarketMaker", (maker_bought < 0) | (maker_bought > 1), "0 or 1")
        trades = Trades(
            rows=rows_of(part),
            ts_venue=epoch_ns(path, part, "TransactionTime"),
            ts_local=epoch_ns(path, part, "TimestampOfReceive"),
            price=floats(path, part, "Price"),
            size=floats(path, part, "Quantity"),
            side=np.where(maker_bought == 1, -1, 1).astype(np.int8),
            print_class=_print_classes(part),
        )
        if part.height == _CUT_AT:
            findings.notes.append(f"exactly {_CUT_AT} rows: the recording was cut there")
        trades = each_id_once(path, findings, integers(path, part, "TradeId"), trades)
        yield from trade_batches(path, instrument, _printed(findings, trades), context)


def _print_classes(part: pl.DataFrame) -> np.ndarray:
    if _USD_M not in part.columns:
        return np.zeros(part.height, np.uint8)
    classes = part[_USD_M].replace_strict(
        {name: int(value) for name, value in _PRINTS.items()},
        default=int(PrintClass.NORMAL),
        return_dtype=pl.UInt8,
    )
    return classes.fill_null(int(PrintClass.NORMAL)).to_numpy()


def _printed(findings: Findings, trades: Trades) -> Trades:
    """Without the frames that report no trade: price and quantity are both 0."""
    empty = (trades.price == 0) & (trades.size == 0)
    if empty.any():
        findings.notes.append(
            f"{many(int(empty.sum()), 'frame')} with price and quantity 0 (rows "
            f"{listed(trades.rows[empty])}): no "
            "trades, left out"
        )
    return trades.at(~empty)


IMPORTER: Final[Importer] = BinanceTradeStream()
