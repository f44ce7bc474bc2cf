"""Binance frames of one stream as one JSON array: depth diffs or trades, without receive times.

A file of diffs needs the REST snapshot that it begins with, which lies beside it as a file of its own. It
is found by its content: of the files in the same folder, the one whose ``lastUpdateId`` the first diffs
span. A snapshot file says neither its symbol nor its time, so it means something only together with its
diffs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import read_all, read_head
from headwater.storage.frames.binance import BinanceFrames, Payload
from headwater.storage.frames.exact import MS
from headwater.storage.importers.hftbacktest_raw import market_of

_FIRST: Final = re.compile(rb'\s*\[\s*\{\s*"e":\s*"(?:depthUpdate|aggTrade|trade)"')
_SNAPSHOT: Final = re.compile(rb'\s*\{\s*"lastUpdateId":\s*(\d+)\s*,\s*(?:"[ET]":\s*\d+\s*,\s*)*"bids"')
_NO_CLOCK: Final = "absent: the file has no receive times; ts_local is the venue's event time"

NEIGHBOURS_MAX: Final = 1_000
"""Files of the folder that are looked at for the snapshot."""

decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
decode_payload: Final = msgspec.json.Decoder(Payload).decode


class BinanceJsonArray:
    """Diffs with the snapshot beside them, or trades."""

    name = "binance-json-array"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """An array of Binance frames, or a bare snapshot."""
        return _FIRST.match(head) is not None or _SNAPSHOT.match(head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events in the order of the file; ``ts_local`` is the venue's event time."""
        head = read_head(path)
        if _FIRST.match(head) is None:
            raise ImportRefusedError(
                f"{path}: a depth snapshot alone has no symbol and no time; import the file of depth updates "
                "that lies beside it, which takes this snapshot with it"
            )
        rows = CaptureRows(path, context)
        frames = BinanceFrames(market_of(head), rows, context.carried)
        records = _records(path, context)
        snapshot = _snapshot_beside(path, records[:100])
        if snapshot is not None:
            first = decode_payload(records[0])
            frames.on_snapshot(0, first.E * MS, snapshot, first.s)
        backward = _read(path, records, frames)
        frames.finish()
        for batch in rows.drain():
            findings = context.findings_of(batch.instrument)
            findings.clock, findings.latency_usable = _NO_CLOCK, False
            findings.backward_clock += backward
            yield batch


def _records(path: Path, context: ImportContext) -> list[msgspec.Raw]:
    try:
        return decode_array(read_all(path, context.progress))
    except msgspec.MsgspecError as error:
        raise ImportRefusedError(
            f"{path}: expected a whole JSON array of frames, found: {error}; fetch the file again"
        ) from error


def _read(path: Path, records: list[msgspec.Raw], frames: BinanceFrames) -> int:
    """Hand over all records; how many of them are older than the one before."""
    last, backward = 0, 0
    for number, record in enumerate(records, 1):
        try:
            time = decode_payload(record).E
            backward += time < last
            last = time
            frames.on_frame(number, time * MS, record)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ImportRefusedError(
                f"{path}: record {number}: expected a Binance frame, found {bytes(record)[:40]!r} ({error}); "
                "remove or correct that record"
            ) from error
    return backward


def _snapshot_beside(path: Path, records: list[msgspec.Raw]) -> Payload | None:
    """The snapshot in the folder that joins one of the first diffs, or None."""
    diffs = [payload for record in records if (payload := _payload_of(record)).e == "depthUpdate"]
    for neighbour in sorted(path.parent.iterdir())[:NEIGHBOURS_MAX] if diffs else ():
        match = _SNAPSHOT.match(_head_of(neighbour))
        if match and any(diff.U <= int(match[1]) + 1 <= diff.u + 1 for diff in diffs):
            return decode_payload(read_all(neighbour))
    return None


def _payload_of(record: msgspec.Raw) -> Payload:
    """The record; an empty one when it is no frame, which is refused by its number when it is read."""
    try:
        return decode_payload(record)
    except (msgspec.MsgspecError, ValueError):
        return Payload()


def _head_of(neighbour: Path) -> bytes:
    """The beginning of a neighbour; nothing when it cannot be read: it is then no snapshot of ours."""
    try:
        return read_head(neighbour, 200) if neighbour.is_file() else b""
    except ImportRefusedError:
        return b""


IMPORTER: Final = BinanceJsonArray()
