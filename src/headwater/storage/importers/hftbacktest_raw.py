"""Recordings of the hftbacktest collector, Binance: ``<receive time, ns> <frame>`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks, read_head
from headwater.storage.frames.binance import BinanceFrames

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
        lines = _Lines(path, frames)
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


class _Lines:
    """Splits lines and watches the receive clock."""

    def __init__(self, path: Path, frames: BinanceFrames) -> None:
        self._path = path
        self._frames = frames
        self._line = 0
        self._last = 0
        self._backward = 0
        self._cut = 0

    def read(self, block: bytes) -> None:
        on_frame = self._frames.on_frame
        for text in block.split(b"\n"):
            if not text:
                continue
            self._line += 1
            stamp, _, body = text.partition(b" ")
            try:
                ts_local = int(stamp)
                if ts_local < self._last:
                    self._backward += 1
                self._last = ts_local
                on_frame(self._line, ts_local, body)
            except (ValueError, msgspec.MsgspecError) as error:
                self._malformed(text, block, error)

    def _malformed(self, text: bytes, block: bytes, error: Exception) -> None:
        # The recorder may have been stopped while it wrote: only then may a line be cut, the last, without
        # its end.
        if block.endswith(b"\n") or not block.endswith(text):
            raise ImportRefusedError(
                f"{self._path}: line {self._line}: expected a receive time in ns and a frame, found "
                f"{text[:40]!r} ({error}); remove or correct that line"
            ) from error
        self._cut = self._line

    def report(self, context: ImportContext) -> None:
        for findings in context.findings.values():
            findings.backward_clock += self._backward
            if self._cut:
                findings.lost_messages += 1
                findings.notes.append(f"line {self._cut}: the last line is cut short and was left out")


IMPORTER: Final = HftbacktestRaw()
