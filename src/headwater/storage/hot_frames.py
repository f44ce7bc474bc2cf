"""Runs of frames that a kernel reads, and the segments that it writes: no Python object for a message.

A venue's *scanner* kernel takes frames from a table, one after the other, as long as each is of a known
shape and continues what its book or its trades were: then there is nothing to judge. At the first frame that
is anything else (unknown, malformed, a snapshot, a hole, a repetition) it stops, and the decoder with its
rules and its messages deals with that one. So the scanner decides nothing that could be told in a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints
from headwater.storage.event_rows import SEGMENT_WIDTH, SegmentLog
from headwater.storage.json_scan import Names, word_end

SEGMENTS_A_FRAME_MAX: Final = 2


@dataclass(slots=True)
class FrameTable:
    """Frames in the order in which they are to be read.

    Attributes
    ----------
    text : (m,) bytes
    starts, stops : (n,) frame i is ``text[starts[i]:stops[i]]``
    ts_local : (n,) receive times, UTC ns
    lines : (n,) lines of the file
    conns : (n,) numbers of the connections; empty where there is but one
    conn_numbers : the number of each connection, by its name
    """

    text: Bytes
    starts: Ints
    stops: Ints
    ts_local: Ints
    lines: Ints
    conns: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    conn_numbers: dict[str, int] = field(default_factory=dict)

    def frame(self, row: int) -> bytes:
        """The bytes of one frame."""
        return self.text[self.starts[row] : self.stops[row]].tobytes()


def new_spans(names: Names) -> tuple[Ints, Ints]:
    """Scratch for where the values of the named fields begin and end."""
    count = len(names.bounds) - 1
    return np.full(count, -1, np.int64), np.full(count, -1, np.int64)


class Scratch:
    """What a scanner writes in one run, until it goes to the log.

    Attributes
    ----------
    segments : (k * 8,) flat
    text : (m,) bytes
    counts : (5,) segments and bytes written; the length of the log's text, where these bytes will follow; and
        two that a scanner may use to tell more
    """

    def __init__(self) -> None:
        self.segments = np.empty(0, np.int64)
        self.text = np.empty(0, np.uint8)
        self.counts = np.zeros(5, np.int64)
        self._room_for: tuple[FrameTable | None, int] = None, 0

    def make_room_for(self, table: FrameTable, frame: int, behind: int, log: SegmentLog) -> None:
        """Room for all that these frames can become: their levels, and as many removals of others."""
        self.counts[:] = 0, 0, len(log.text), -1, -1
        if self._room_for[0] is table and self._room_for[1] == behind:
            return  # a later frame of the same chunk
        self._room_for = table, behind
        segments = (behind - frame) * SEGMENTS_A_FRAME_MAX
        text = 3 * int((table.stops[frame:behind] - table.starts[frame:behind]).sum()) + 64
        if len(self.segments) < segments * SEGMENT_WIDTH:
            self.segments = np.empty(segments * SEGMENT_WIDTH, np.int64)
        if len(self.text) < text:
            self.text = np.empty(text, np.uint8)

    def hand_over(self, log: SegmentLog) -> None:
        """Move what was written to `log`."""
        self.hand_over_part(log, (0, 0), (int(self.counts[0]), int(self.counts[1])))

    def origin_of(self, segment: int) -> tuple[int, int, int, int]:
        """(line, ts_local, ts_venue, stream in the log) of a segment."""
        at = segment * SEGMENT_WIDTH
        _, ts_local, ts_venue, _, _, _, line, stream = self.segments[at : at + SEGMENT_WIDTH].tolist()
        return line, ts_local, ts_venue, stream

    def hand_over_part(self, log: SegmentLog, first: tuple[int, int], behind: tuple[int, int]) -> None:
        """Move the segments and bytes from `first` up to `behind`; parts go in their order."""
        if behind[0] > first[0]:
            segments = self.segments[first[0] * SEGMENT_WIDTH : behind[0] * SEGMENT_WIDTH]
            log.append(segments, self.text[first[1] : behind[1]])


class Streams:
    """What a scanner knows of each stream: a name to find it by, and a row of numbers.

    The first two numbers are the same for all scanners: the stream in the log, and the connection.

    Attributes
    ----------
    names : of all streams, in the order of their rows
    state : (n * width,) flat
    conn_numbers : of the connections, by name; those of the frame table
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: dict[tuple[str, str, str], int] = {}
        self.names = Names()
        self.state = np.zeros(0, np.int64)
        self.conn_numbers: dict[str, int] = {}

    def row(self, conn: str, name: str, log_stream: int, kind: str = "") -> int:
        """Where the numbers of a stream begin, of its kind if there are several; zero when it is new."""
        key = conn, name, kind
        if key not in self._rows:
            self._rows[key] = len(self.state)
            self.names = Names(*(name for _, name, _ in self._rows))
            self.state = np.append(self.state, np.zeros(self.width, np.int64))
        at = self._rows[key]
        self.state[at], self.state[at + 1] = log_stream, self.conn_numbers.get(conn, 0)
        return at


@kernel
def stream_row(
    text: Bytes, at: int, stop: int, conn: int, names: Bytes, bounds: Ints, state: Ints, width: int
) -> int:
    """Where the numbers of the stream named ``text[at:stop]`` of a connection begin; -1 if it is unknown."""
    for stream in range(len(bounds) - 1):
        if state[stream * width + 1] != conn or bounds[stream + 1] - bounds[stream] != stop - at:
            continue
        if word_end(text, at, stop, names, bounds[stream], bounds[stream + 1]) >= 0:
            return stream * width
    return -1


@kernel
def put_segment(
    segments: Ints,
    counts: Ints,
    ts_local: int,
    ts_venue: int,
    word: int,
    line: int,
    stream: int,
) -> None:
    """Begin a segment; its text is what is put next."""
    at = counts[0] * SEGMENT_WIDTH
    segments[at] = counts[2] + counts[1]
    segments[at + 1] = ts_local
    segments[at + 2] = ts_venue
    segments[at + 3] = word
    segments[at + 4] = 0
    segments[at + 5] = 0
    segments[at + 6] = line
    segments[at + 7] = stream
    counts[0] += 1


@kernel
def put_text(out: Bytes, counts: Ints, text: Bytes, at: int, stop: int) -> None:
    """Copy ``text[at:stop]``."""
    to = counts[1]
    for place in range(stop - at):
        out[to + place] = text[at + place]
    counts[1] = to + stop - at


@kernel
def put_byte(out: Bytes, counts: Ints, byte: int) -> None:
    """Add one byte."""
    out[counts[1]] = byte
    counts[1] += 1


@kernel
def put_level(
    out: Bytes, counts: Ints, text: Bytes, price: int, price_stop: int, size: int, size_stop: int
) -> None:
    """``[price,size]`` from where they stand in `text`."""
    put_byte(out, counts, 91)
    put_text(out, counts, text, price, price_stop)
    put_byte(out, counts, 44)
    put_text(out, counts, text, size, size_stop)
    put_byte(out, counts, 93)
