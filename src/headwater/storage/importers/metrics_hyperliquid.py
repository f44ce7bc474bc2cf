"""Hyperliquid's early account records in CSV: deposits and withdrawals, and liquidations of whole accounts.

Neither names a coin or a price, so neither can be a trade or a LIQUIDATION of an instrument. Both are facts
about the venue with a time and an amount, and become METRICs; the accounts' addresses are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.ports.importer import Batch, ImportContext, Importer
from headwater.storage.importers._clock import show, text_ns
from headwater.storage.importers._metrics import metric_batch
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import first_line, floats, read_text, rows_of
from headwater.storage.importers._trades import refuse_backward

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_LEDGER: Final = "time,user,delta_usd"
_LIQUIDATIONS: Final = "time,user,liquidated_ntl_pos,liquidated_account_value,leverage_type"
_FIELDS: Final = {
    _LEDGER: {"delta_usd": "ACCOUNT-FLOW-USD.HYPERLIQUID"},
    _LIQUIDATIONS: {
        "liquidated_ntl_pos": "LIQUIDATED-NOTIONAL-USD.HYPERLIQUID",
        "liquidated_account_value": "LIQUIDATED-ACCOUNT-USD.HYPERLIQUID",
    },
}
_NOTES: Final = {
    _LEDGER: "movements of accounts (deposits above 0, withdrawals below), not trades: kept as amounts",
    _LIQUIDATIONS: "liquidations of accounts without coin, side and price: kept as amounts",
}


class HyperliquidAccounts:
    """``ACCOUNT-FLOW-USD``, ``LIQUIDATED-NOTIONAL-USD`` and ``LIQUIDATED-ACCOUNT-USD`` of ``HYPERLIQUID``, in
    USD.
    """

    name = "hyperliquid-accounts"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) in _FIELDS

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        header = ",".join(name for name in frame.columns if name != "row")
        ts = text_ns(path, frame, "time", _TIME)
        refuse_backward(path, rows_of(frame), ts)
        repeated = int(np.count_nonzero(frame.drop("row").is_duplicated().to_numpy()))
        for field, instrument in told_instruments(path, context, _FIELDS[header]).items():
            findings = context.findings_of(instrument)
            findings.clock = f"absent: times are to the second; taken as known then (from {show(int(ts[0]))})"
            findings.notes.append(_NOTES[header])
            if repeated:
                findings.notes.append(f"{repeated} rows equal in all fields: kept, the file has no ids")
            yield metric_batch(path, instrument, ts, ts, floats(path, frame, field), context)


IMPORTER: Final[Importer] = HyperliquidAccounts()
