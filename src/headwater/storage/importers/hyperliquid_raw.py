"""Recordings of Hyperliquid: ``<receive time, ns> <frame>`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks
from headwater.storage.frames.hyperliquid import HyperliquidFrames
from headwater.storage.stamped_lines import StampedLines

_LINE: Final = re.compile(rb'\d{16,19} \{"channel":\s*"(?:l2Book|trades|subscriptionResponse|bbo)"')


class HyperliquidRaw:
    """Pictures of the 20 best levels, and trades."""

    name = "hyperliquid-raw"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """Lines of a receive time and a Hyperliquid frame."""
        return _LINE.match(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file."""
        rows = CaptureRows(path, context)
        frames = HyperliquidFrames(rows)
        lines = StampedLines(path, frames.on_frame)
        for block in line_blocks(path, context.progress):
            lines.read(block)
            yield from rows.ready()
        frames.finish()
        yield from rows.drain()
        lines.report(context)


IMPORTER: Final = HyperliquidRaw()
