"""Recordings of fastmoon streams: JSON arrays of ``{"timestamp": s, "data": frame}``, one file or a tar of
many.

The recorder wrote what several connections gave it, and its files have to be judged one by one. A member
that cannot be believed is left out with the reason; the others are imported. What decides is the content:
the venue and the instrument are those of the frames, and a file of liquidations that holds order books
gives no liquidations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, Findings, ImportContext
from headwater.storage.capture_rows import CaptureRows
from headwater.storage.compressed import is_tar, read_all, read_head, tar_members
from headwater.storage.frames.book_stream import note_limited
from headwater.storage.importers._fastmoon_frames import FrameKind, MemberFrames, Peek, decode_peek

_HEAD: Final = re.compile(rb'\s*\[\s*\{\s*"(?:timestamp|exchange)"\s*:')
_NAME: Final = re.compile(r"(?:^|/)([a-z]+)_([a-z]+)_(spot|perpetual|future|option)_(\w+)")

SILENCE_NS: Final = 600_000_000_000
"""A recording that is silent for ten minutes was stopped: what follows is another session."""

BELIEF_NS: Final = 86_400_000_000_000
"""A liquidation received a day or more away from its own time is an example of a manual, not market data."""

_OBJECTS: Final = {
    "depth": FrameKind.BOOK,
    "trades": FrameKind.TRADE,
    "liquidations": FrameKind.LIQUIDATION,
    "fundingOI": FrameKind.RATE,
    "fundingRate_OI": FrameKind.RATE,
    "fundingRate": FrameKind.RATE,
    "OI": FrameKind.RATE,
}


class Record(msgspec.Struct, gc=False):
    """One element of a file; older files lack what describes the connection."""

    timestamp: float
    data: msgspec.Raw = msgspec.Raw(b"{}")
    exchange: str = ""
    instrument: str = ""
    insType: str = ""  # noqa: N815  (the recorder's name)
    obj: str = ""


decode_records: Final = msgspec.json.Decoder(list[Record]).decode


@dataclass(slots=True)
class Member:
    """One file that may be imported: its records, and what they are about."""

    name: str
    records: list[Record]
    peeks: list[Peek]
    kind: FrameKind
    market: str
    instrument: str
    findings: dict[str, Findings] = field(default_factory=dict)

    @property
    def span(self) -> tuple[float, float]:
        """First and last receive time, seconds."""
        return self.records[0].timestamp, self.records[-1].timestamp


class FastmoonArchive:
    """Files of Bybit, Binance, OKX, Coinbase and Deribit as the recorder left them."""

    name = "fastmoon"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """An array of records, or a tar that begins with one."""
        return _HEAD.match(head[512:] if is_tar(head) else head) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:
        """Events of all members that can be believed, merged by receive time."""
        refused: list[tuple[str, str]] = []
        members = _without_repeats(list(_members(path, context, refused)), refused)
        if not members:
            raise ImportRefusedError(f"{path}: no part of it can be believed: {_listed(refused)}")
        rows = CaptureRows(path, context)
        yield from _merged(path, members, rows)
        for member in members:
            _hand_over_findings(member, context)
        venues = {instrument.rpartition(".")[2].lower() for instrument in context.findings}
        for instrument, findings in context.findings.items():
            findings.notes += _reasons(instrument, venues, refused)


def _listed(refused: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in refused)


def _reasons(instrument: str, venues: set[str], refused: list[tuple[str, str]]) -> list[str]:
    """What was left out and why: of the instrument's venue, or of a venue of which nothing is left."""
    venue = instrument.rpartition(".")[2].lower()
    told = [one for one in refused if venue in one[0] or not any(other in one[0] for other in venues)]
    return [f"left out: {name}: {reason}" for name, reason in told]


def _members(path: Path, context: ImportContext, refused: list[tuple[str, str]]) -> Iterator[Member]:
    files = tar_members(path) if is_tar(read_head(path)) else iter([(path.name, read_all(path))])
    done = 0
    for name, text in files:
        done += len(text)
        context.progress(done)
        try:
            yield _member(name, text, context)
        except (ImportRefusedError, msgspec.MsgspecError) as error:
            refused.append((name, str(error)))


def _member(name: str, text: bytes, context: ImportContext) -> Member:
    try:
        records = decode_records(text)
    except msgspec.MsgspecError as error:
        raise ImportRefusedError(f"expected a whole JSON array of records, found {error}") from error
    if not records:
        raise ImportRefusedError("it holds no record")
    peeks = [
        decode_peek(record.data) if bytes(memoryview(record.data)[:1]) == b"{" else Peek.of_list(record.data)
        for record in records
    ]
    if any(peek.testnet for peek in peeks):
        raise ImportRefusedError("it was recorded on the venue's test network: no market data")
    kind = _kind_of(name, records[0], peeks)
    _refuse_examples(records, peeks, kind)
    market = _market_of(name, records[0], context)
    instrument = next(
        (known for peek in peeks if peek.kind is kind and (known := peek.instrument(market))), ""
    )
    if not instrument:
        named = _NAME.search(name)
        instrument = "_".join(named.groups()[:3]) if named else name
    return Member(name, records, peeks, kind, market, instrument)


def _kind_of(name: str, first: Record, peeks: list[Peek]) -> FrameKind:
    counts: Counter[FrameKind] = Counter(peek.kind for peek in peeks if peek.kind is not FrameKind.NOTICE)
    match = _NAME.search(name)
    said = first.obj or (match[4].split(".")[0] if match else "")
    if said and said not in _OBJECTS:
        raise ImportRefusedError(f"the tape has no place for {said}")
    kind = _OBJECTS[said] if said else counts.most_common(1)[0][0] if counts else FrameKind.NOTICE
    if not counts[kind]:
        held = (
            ", ".join(f"{count} of {other.value}" for other, count in counts.items()) or "nothing but notices"
        )
        raise ImportRefusedError(f"expected {kind.value}, found {held}")
    return kind


def _refuse_examples(records: list[Record], peeks: list[Peek], kind: FrameKind) -> None:
    if kind is not FrameKind.LIQUIDATION:
        return
    timed = [(record, peek) for record, peek in zip(records, peeks, strict=True) if peek.kind is kind]
    examples = [
        peek.time_ms for record, peek in timed if abs(record.timestamp * 1e9 - peek.time_ms * 1e6) > BELIEF_NS
    ]
    if examples:
        times = ", ".join(map(str, sorted(set(examples))))
        raise ImportRefusedError(
            f"{len(examples)} of {len(timed)} liquidations are examples from the venue's manual: their time "
            f"({times}) is more than a day from when they were received"
        )


def _market_of(name: str, first: Record, context: ImportContext) -> str:
    """``spot``, ``linear`` or ``inverse``: by the record, the name in the archive, or the user."""
    match = _NAME.search(name)
    instrument, kind = first.instrument, first.insType
    if not kind and match:
        instrument, kind = match[2], match[3]
    if not kind and context.instrument is not None:
        instrument, kind = (
            context.instrument.lower(),
            "perpetual" if "-PERP" in context.instrument else "spot",
        )
    if not kind:
        return ""
    if kind == "spot":
        return "spot"
    return "inverse" if instrument.partition("-")[0].endswith("usd") else "linear"


def _without_repeats(members: list[Member], refused: list[tuple[str, str]]) -> list[Member]:
    """Of members that recorded the same thing at the same time, the one with the most records."""
    kept: list[Member] = []
    for member in sorted(members, key=lambda one: -len(one.records)):
        same = [other for other in kept if (other.instrument, other.kind) == (member.instrument, member.kind)]
        overlapping = [other for other in same if _overlap(other, member)]
        if overlapping:
            why = f"it repeats {overlapping[0].name} ({member.instrument}, {member.kind.value})"
            refused.append((member.name, why))
        else:
            kept.append(member)
    return kept


def _overlap(a: Member, b: Member) -> bool:
    return a.span[0] <= b.span[1] and b.span[0] <= a.span[1]


def _merged(path: Path, members: list[Member], rows: CaptureRows) -> Iterator[Batch]:
    order = sorted(
        (record.timestamp, number, index)
        for number, member in enumerate(members)
        for index, record in enumerate(member.records)
    )
    frames = [MemberFrames(rows, member.name, member.market, member.findings) for member in members]
    left = [len(member.records) for member in members]
    last: dict[int, float] = {}
    for step, (timestamp, number, index) in enumerate(order):
        member, ts_local = members[number], round(timestamp * 1e9)
        silence_ns = (timestamp - last.get(number, timestamp)) * 1e9
        if silence_ns > SILENCE_NS and member.kind is FrameKind.BOOK:
            why = f"two sessions in one file: silent for {silence_ns / 3.6e12:.1f} hours"
            frames[number].interrupt(index + 1, ts_local, why)
        last[number] = timestamp
        _hand_over(path, member, index, ts_local, frames[number])
        left[number] -= 1
        if left[number] == 0:
            frames[number].finish()
        if step % 4096 == 0:
            yield from rows.ready()
    yield from rows.drain()


def _hand_over(path: Path, member: Member, index: int, ts_local: int, frames: MemberFrames) -> None:
    peek = member.peeks[index]
    if peek.kind not in (member.kind, FrameKind.NOTICE):
        frames.leave_out(peek.kind)
        return
    try:
        frames.on_record(index + 1, ts_local, peek, member.records[index].data)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise ImportRefusedError(
            f"{path}: {member.name}, record {index + 1}: expected a frame of the venue, found "
            f"{bytes(member.records[index].data)[:60]!r} ({error}); remove that record"
        ) from error


def _hand_over_findings(member: Member, context: ImportContext) -> None:
    """The counts of a member are added to the instrument's; its notes say which member they are about."""
    for instrument, found in member.findings.items():
        total = context.findings_of(instrument)
        total.lost_messages += found.lost_messages
        total.sequence_gaps += found.sequence_gaps
        total.duplicates += found.duplicates
        total.backward_clock += found.backward_clock
        for note in found.notes:
            note_limited(total, f"{member.name}: {note}")
        if found.lost_messages:
            note_limited(
                total, f"{member.name}: {found.lost_messages} messages lost in {found.sequence_gaps} holes"
            )


IMPORTER: Final = FastmoonArchive()
