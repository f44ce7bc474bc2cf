"""Trades with aggressor in CSV: timestamp (ms), price, quantity, side, tradeId, source_file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._clock import epoch_ns
from headwater.storage.importers._naming import told_instrument
from headwater.storage.importers._table import (
    first_line,
    floats,
    integers,
    note_open_end,
    read_text,
    refuse_first,
    rows_of,
)
from headwater.storage.importers._trades import Trades, each_id_once, trade_batches

_HEADER: Final = "timestamp,price,quantity,side,tradeId"


class AggressorTrades:
    """One instrument, named by the user; ``side`` is the aggressor's; ids are the venue's, without holes."""

    name = "aggressor-trades"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head).removesuffix(",source_file") == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        instrument = told_instrument(path, context, "LTCUSDT.BINANCE")
        frame = read_text(path)
        context.progress(path.stat().st_size)
        ts = epoch_ns(path, frame, "timestamp")
        bought = (frame["side"] == "buy").fill_null(False).to_numpy()
        sold = (frame["side"] == "sell").fill_null(False).to_numpy()
        refuse_first(path, frame, "side", ~(bought | sold), "buy or sell")
        trades = Trades(
            rows=rows_of(frame),
            ts_venue=ts,
            ts_local=ts,
            price=floats(path, frame, "price"),
            size=floats(path, frame, "quantity"),
            side=np.where(bought, 1, -1).astype(np.int8),
            print_class=np.zeros(frame.height, np.uint8),
        )
        findings = context.findings_of(instrument)
        note_open_end(path, findings)
        findings.clock = "absent: the file has the venue's times alone"
        findings.latency_usable = False
        trades = each_id_once(path, findings, integers(path, frame, "tradeId"), trades)
        yield from trade_batches(path, instrument, trades, context)


IMPORTER: Final[Importer] = AggressorTrades()
