"""Hyperliquid's early fills in CSV, one line for each account that is not a market maker.

A trade stands in the file once for each of its two sides that is such an account. A line with ``crossed``
true is the taker's, and gives the aggressor; a line with ``crossed`` false is a maker's. A maker's line is
paired with a taker's of the same second, coin, price and size on the other side; one without a partner was
hit by a market maker, and is a trade with the opposite aggressor. Trades between two market makers are not
in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from headwater.ports.importer import Batch, Findings, ImportContext, Importer
from headwater.storage.importers._clock import text_ns
from headwater.storage.importers._naming import told_instruments
from headwater.storage.importers._table import by_key, first_line, floats, read_text, refuse_first, rows_of
from headwater.storage.importers._trades import Trades, refuse_backward, trade_batches

_HEADER: Final = "time,user,coin,side,px,sz,crossed"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class HyperliquidFills:
    """One instrument a coin, ``ETH-PERP.HYPERLIQUID``; accounts' addresses are not kept."""

    name = "hyperliquid-fills"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the port's signature)
        return first_line(head) == _HEADER

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        frame = read_text(path)
        context.progress(path.stat().st_size)
        _refuse_other_words(path, frame)
        frame = frame.with_columns(
            pl.Series("ts", text_ns(path, frame, "time", _TIME)),
            (pl.when((pl.col("side") == "Bid") == (pl.col("crossed") == "true")).then(1).otherwise(-1))
            .cast(pl.Int8)
            .alias("aggressor"),
        )
        refuse_backward(path, rows_of(frame), frame["ts"].to_numpy())
        parts = by_key(path, frame, "coin")
        ids = {coin: f"{coin}-PERP.HYPERLIQUID" for coin in parts}
        for coin, instrument in told_instruments(path, context, ids).items():
            part = once_each(context.findings_of(instrument), parts[coin])
            yield from trade_batches(path, instrument, _trades(path, part), context)


def _refuse_other_words(path: Path, frame: pl.DataFrame) -> None:
    for field, words in (("side", ("Bid", "Ask")), ("crossed", ("true", "false"))):
        known = frame[field].is_in(words).fill_null(False).to_numpy()
        refuse_first(path, frame, field, ~known, " or ".join(words))


def once_each(findings: Findings, part: pl.DataFrame) -> pl.DataFrame:
    """The lines of one coin without the makers' whose taker's line is there too."""
    fill = ["ts", "px", "sz", "aggressor"]
    ranked = part.with_columns(pl.int_range(pl.len()).over([*fill, "crossed"]).alias("rank"))
    takers = ranked.filter(pl.col("crossed") == "true").select(*fill, "rank")
    makers = ranked.filter(pl.col("crossed") == "false")
    alone = makers.join(takers, on=[*fill, "rank"], how="anti")
    kept = pl.concat((ranked.filter(pl.col("crossed") == "true"), alone)).sort("row")
    findings.latency_usable = False
    findings.clock = "absent: times are to the second, the venue's"
    findings.notes.append(
        f"fills of accounts that are no market makers, not the whole tape: {len(takers)} takers' lines, "
        f"{len(makers) - len(alone)} makers' lines paired with them, {len(alone)} makers' lines hit by "
        "market makers"
    )
    equal = int(np.count_nonzero(part.drop("row").is_duplicated().to_numpy()))
    if equal:
        findings.notes.append(
            f"{equal} lines equal in all fields: kept, equal fills are usual and have no ids here"
        )
    return kept


def _trades(path: Path, part: pl.DataFrame) -> Trades:
    ts = part["ts"].to_numpy()
    return Trades(
        rows=rows_of(part),
        ts_venue=ts,
        ts_local=ts,
        price=floats(path, part, "px"),
        size=floats(path, part, "sz"),
        side=part["aggressor"].to_numpy(),
        print_class=np.zeros(part.height, np.uint8),
    )


IMPORTER: Final[Importer] = HyperliquidFills()
