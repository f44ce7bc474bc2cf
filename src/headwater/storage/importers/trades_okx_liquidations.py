"""Liquidation frames of OKX, one JSON object a line: {"src": ..., "msg": {"timestamp": s, "data": frame}}.

``bkPx`` is the bankruptcy price, ``sz`` counts contracts, ``side`` is that of the liquidating order. The
frames were received up to half a minute after the liquidation, so that the two times differ by more than a
latency.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind, PrintClass
from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.compressed import read_all
from headwater.storage.frames.okx import instrument_id
from headwater.storage.importers._clock import SECOND_NS, epoch_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import by_key, floats, numbered, refuse_first, rows_of
from headwater.storage.importers._trades import Trades, trade_batches

_CHANNEL: Final = b'"liquidation-orders"'


class OkxLiquidations:
    """LIQUIDATION events, one instrument for each swap, ``ORDI-USDT-SWAP.OKX``; lots are contracts."""

    name = "okx-liquidations"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        first = head.lstrip().split(b"\n", 1)[0]
        return first.startswith(b'{"src"') and _CHANNEL in first

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = _frame(path)
        context.progress(path.stat().st_size)
        parts = by_key(path, frame, "instrument")
        ids = {name: instrument_id(name) for name in parts}
        for name, instrument in told_instruments(path, context, ids).items():
            part = parts[name].sort("received", maintain_order=True)
            findings = context.findings_of(instrument)
            findings.notes.append("sizes are contracts, whose value in coin is not in the file")
            findings.latency_usable = False
            findings.clock = (
                "as recorded: the venue publishes liquidations seconds later, which is no latency"
            )
            yield from trade_batches(path, instrument, _liquidations(path, part), context)


def _frame(path: Path) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(read_all(path).splitlines(), 1):
        try:
            rows.extend(_records(json.loads(line)["msg"], number))
        except (ValueError, KeyError, TypeError) as error:
            raise ImportRefusedError(
                f"{path}: row {number}: expected a liquidation frame, found {type(error).__name__} {error}; "
                "cut or mend the line"
            ) from error
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return numbered(frame.drop("line")).with_columns(frame["line"].alias("row"))


def _records(message: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    for entry in message["data"]["data"]:
        for detail in entry["details"]:
            yield {
                "line": number,
                "instrument": entry["instId"],
                "received": round(message["timestamp"] * 1e6) * 1000,
                "ts": detail["ts"],
                "bkPx": detail["bkPx"],
                "sz": detail["sz"],
                "side": detail["side"],
            }


def _liquidations(path: Path, part: pl.DataFrame) -> Trades:
    known = part["side"].is_in(["buy", "sell"]).fill_null(False).to_numpy()
    refuse_first(path, part, "side", ~known, "buy or sell")
    received = part["received"].to_numpy()
    refuse_first(path, part, "received", received < SECOND_NS, "a time in seconds")
    return Trades(
        rows=rows_of(part),
        ts_venue=epoch_ns(path, part, "ts"),
        ts_local=received,
        price=floats(path, part, "bkPx"),
        size=floats(path, part, "sz"),
        side=np.where((part["side"] == "buy").to_numpy(), 1, -1).astype(np.int8),
        print_class=np.full(part.height, PrintClass.LIQUIDATION, np.uint8),
        kind=EventKind.LIQUIDATION,
    )


IMPORTER: Final[Importer] = OkxLiquidations()
