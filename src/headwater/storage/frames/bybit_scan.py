"""Compiled reading of the order book deltas of Bybit v5 that continue their book.

See :mod:`headwater.storage.hot_frames`; :mod:`headwater.storage.frames.bybit` reads every other frame.
"""

from __future__ import annotations

from typing import Final

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, ENDS
from headwater.storage.frames.exact import MS
from headwater.storage.hot_frames import put_segment, put_text, stream_row
from headwater.storage.json_scan import (
    NO_INTEGER,
    Names,
    integer_of,
    is_string,
    object_fields,
    whole_object,
    word_end,
)

FIELDS: Final = Names("topic", "type", "ts", "data", "cts", "s", "b", "a", "u")
_TOPIC, _TYPE, _TIME, _DATA, _ENGINE_TIME, _SYMBOL, _BIDS, _ASKS, _UPDATE = range(9)

WORDS: Final = Names('"delta"')

WIDTH: Final = 4
LOG_STREAM, CONN, LAST, ASKED = range(WIDTH)
"""Numbers of a book: its stream in the log, its connection, ``u`` of its last message (0: none), and whether
that was a snapshot asked for by REST."""


@kernel
def put_delta(
    text: Bytes,
    at: int,
    stop: int,
    ts_local: int,
    line: int,
    conn: int,
    names: Bytes,
    bounds: Ints,
    starts: Ints,
    stops: Ints,
    words: Bytes,
    word_bounds: Ints,
    topics: Bytes,
    topic_bounds: Ints,
    state: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """One frame; False, and nothing written, when it is left to the decoder."""
    if not whole_object(text, at, stop, names, bounds, starts, stops):
        return False
    if not is_string(text, starts[_TOPIC]) or starts[_TYPE] < 0 or starts[_DATA] < 0 or starts[_TIME] < 0:
        return False
    if word_end(text, starts[_TYPE], stops[_TYPE], words, 0, word_bounds[1]) != stops[_TYPE]:
        return False
    row = stream_row(text, starts[_TOPIC] + 1, stops[_TOPIC] - 1, conn, topics, topic_bounds, state, WIDTH)
    if row < 0 or state[row + ASKED] != 0 or state[row + LAST] <= 0:
        return False
    time_ms = integer_of(text, starts[_TIME], stops[_TIME])
    engine_ms = (
        integer_of(text, starts[_ENGINE_TIME], stops[_ENGINE_TIME]) if starts[_ENGINE_TIME] >= 0 else 0
    )
    if time_ms == NO_INTEGER or engine_ms == NO_INTEGER:
        return False
    behind = stops[_DATA]
    if object_fields(text, starts[_DATA], behind, names, bounds, starts, stops) != behind:
        return False
    if not is_string(text, starts[_SYMBOL]) or starts[_UPDATE] < 0 or starts[_BIDS] < 0 or starts[_ASKS] < 0:
        return False
    update = integer_of(text, starts[_UPDATE], stops[_UPDATE])
    if update != state[row + LAST] + 1:
        return False
    ts_venue = (engine_ms if engine_ms != 0 else time_ms) * MS
    stream = state[row + LOG_STREAM]
    put_segment(segments, counts, ts_local, ts_venue, BID_DELTA, line, stream)
    put_text(out, counts, text, starts[_BIDS], stops[_BIDS])
    put_segment(segments, counts, ts_local, ts_venue, ASK_DELTA | ENDS, line, stream)
    put_text(out, counts, text, starts[_ASKS], stops[_ASKS])
    state[row + LAST] = update
    return True


@kernel
def scan_bybit(
    text: Bytes,
    frame_starts: Ints,
    frame_stops: Ints,
    ts_local: Ints,
    lines: Ints,
    conns: Ints,
    frame: int,
    behind: int,
    names: Bytes,
    bounds: Ints,
    starts: Ints,
    stops: Ints,
    words: Bytes,
    word_bounds: Ints,
    topics: Bytes,
    topic_bounds: Ints,
    state: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> int:
    """Frames from `frame` on, up to `behind`; returns the first that is left to the decoder.

    Parameters
    ----------
    text, frame_starts, frame_stops, ts_local, lines, conns : of a frame table
    names, bounds, starts, stops : FIELDS, and scratch of one number a field
    words, word_bounds : WORDS
    topics, topic_bounds, state : of the books, WIDTH numbers each
    segments, out, counts : of a scratch
    """
    while frame < behind:
        if not put_delta(
            text,
            frame_starts[frame],
            frame_stops[frame],
            ts_local[frame],
            lines[frame],
            conns[frame],
            names,
            bounds,
            starts,
            stops,
            words,
            word_bounds,
            topics,
            topic_bounds,
            state,
            segments,
            out,
            counts,
        ):
            break
        frame += 1
    return frame
