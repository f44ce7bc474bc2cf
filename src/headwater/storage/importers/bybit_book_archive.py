"""Bybit's archive of order books (``..._ob500.data.zip``): one v5 message a line, no receive time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import line_blocks
from headwater.storage.frames.bybit import BybitFrames, decode_envelope
from headwater.storage.frames.exact import MS

_FIRST: Final = re.compile(rb'\s*\{"topic":\s*"orderbook\.\d+\.[A-Z0-9-]+"')
_NO_CLOCK: Final = "absent: the archive has no receive times; ts_local is the venue's push time"


class BybitBookArchive:
    """Snapshots and deltas of one symbol; a linear contract unless ``--instrument`` says otherwise."""

    name = "bybit-book-archive"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """Lines that are bare order book messages of Bybit v5."""
        return _FIRST.match(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file; ``ts_local`` is the push time of the venue, not a receive time."""
        rows = CaptureRows(path, context)
        frames = BybitFrames(rows, category_of(context.instrument))
        line = 0
        last = 0
        for block in line_blocks(path, context.progress):
            for text in block.splitlines():
                line += 1
                if not text:
                    continue
                last = _read(path, line, last, text, frames, context)
            yield from _without_latency(rows.ready(), context)
        frames.finish()
        yield from _without_latency(rows.drain(), context)


def category_of(instrument: str | None) -> str:
    """``spot``, ``inverse`` or ``linear``, from what the user calls the instrument; linear when not named."""
    if instrument is None:
        return "linear"
    return "linear" if "-PERP" in instrument else "spot"


def _read(path: Path, line: int, last: int, text: bytes, frames: BybitFrames, context: ImportContext) -> int:
    try:
        ts_local = decode_envelope(text).ts * MS
        frames.on_frame(line, ts_local, "", text)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ImportRefusedError(
            f"{path}: line {line}: expected an order book message of Bybit v5, found {text[:40]!r} "
            f"({error}); remove or correct that line, or fetch the file again"
        ) from error
    if ts_local < last:
        for findings in context.findings.values():
            findings.backward_clock += 1
    return ts_local


def _without_latency(batches: Iterator[Batch], context: ImportContext) -> Iterator[Batch]:
    for batch in batches:
        findings = context.findings_of(batch.instrument)
        findings.clock, findings.latency_usable = _NO_CLOCK, False
        yield batch


IMPORTER: Final = BybitBookArchive()
