"""Recordings of the hftbacktest collector, Binance: ``<receive time, ns> <frame>`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks, read_head
from headwater.storage.frames.binance import BinanceFrames
from headwater.storage.stamped_lines import StampedLines

_LINE: Final = re.compile(rb"\d{16,19} \{")
_DEPTH: Final = re.compile(rb'^\d{16,19} \{.*"(?:depthUpdate|bookTicker|lastUpdateId|trade)"', re.MULTILINE)
_SYMBOL: Final = re.compile(rb'"s":"([^"]+)"')


class HftbacktestRaw:
    """Depth diffs, trades and book tickers of Binance spot, USD-M or COIN-M, with the REST snapshot among
    them.

    Two files that are contiguous and imported in one command, in time order, continue the same book.
    """

    name = "hftbacktest-raw"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """Lines of a receive time and a Binance frame."""
        return (
            _LINE.match(head) is not None
            and _DEPTH.search(head) is not None
            and _SYMBOL.search(head) is not None
        )

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file; QUOTE events from bookTicker stay beside the book."""
        rows = CaptureRows(path, context)
        head = read_head(path)
        frames = BinanceFrames(market_of(head), rows, context.carried)
        symbols = {match.decode() for match in _SYMBOL.findall(head)}
        for symbol in symbols if len(symbols) == 1 else ():
            frames.name_symbol(symbol)
        lines = StampedLines(path, frames.on_frame, frames.run)
        for block in line_blocks(path, context.progress):
            lines.read(block)
            yield from rows.ready()
        frames.finish()
        yield from rows.drain()
        lines.report(context)


def market_of(head: bytes) -> str:
    """``coinm`` and ``usdm`` frames carry ``pu`` or ``X``, spot frames neither."""
    if re.search(rb'"s":"[A-Z0-9]+_(?:PERP|\d{6})"', head) and b'"ps":' in head:
        return "coinm"
    return "usdm" if b'"pu":' in head or b'"X":"' in head else "spot"


IMPORTER: Final = HftbacktestRaw()
