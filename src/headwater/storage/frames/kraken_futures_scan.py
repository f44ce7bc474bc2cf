"""Compiled reading of the book frames of Kraken Futures that continue their book.

See :mod:`headwater.storage.hot_frames`; :mod:`headwater.storage.frames.kraken_futures` reads every other
frame.
"""

from __future__ import annotations

from typing import Final

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, ENDS
from headwater.storage.frames.exact import MS
from headwater.storage.hot_frames import put_byte, put_level, put_segment, stream_row
from headwater.storage.json_scan import NO_INTEGER, Names, integer_of, is_string, whole_object, word_end

FIELDS: Final = Names(
    *("feed", "product_id", "side", "seq", "price", "qty", "timestamp", "event", "type", "bids", "asks")
)
_FEED, _PRODUCT, _SIDE, _SEQUENCE, _PRICE, _SIZE, _TIME, _OTHERS = range(8)

WORDS: Final = Names('"book"', '"buy"')
_BOOK, _BUY = range(2)

WIDTH: Final = 3
LOG_STREAM, CONN, LAST = range(WIDTH)
"""Numbers of a book: its stream in the log, its connection, and ``seq`` of its last message (-1: none)."""


@kernel
def is_word(text: Bytes, at: int, stop: int, words: Bytes, word_bounds: Ints, word: int) -> bool:
    """Whether ``text[at:stop]`` is that word."""
    return word_end(text, at, stop, words, word_bounds[word], word_bounds[word + 1]) == stop


@kernel
def has_only_these(text: Bytes, starts: Ints) -> bool:
    """Whether a book message has all of its fields, and none of another."""
    for field in range(len(starts)):
        if (starts[field] >= 0) != (field < _OTHERS):
            return False
    return is_string(text, starts[_PRODUCT]) and is_string(text, starts[_SIDE])


@kernel
def put_change(
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
    books: Bytes,
    book_bounds: Ints,
    state: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """One frame; False, and nothing written, when it is left to the decoder."""
    if not whole_object(text, at, stop, names, bounds, starts, stops) or not has_only_these(text, starts):
        return False
    if not is_word(text, starts[_FEED], stops[_FEED], words, word_bounds, _BOOK):
        return False
    row = stream_row(text, starts[_PRODUCT] + 1, stops[_PRODUCT] - 1, conn, books, book_bounds, state, WIDTH)
    sequence = integer_of(text, starts[_SEQUENCE], stops[_SEQUENCE])
    time_ms = integer_of(text, starts[_TIME], stops[_TIME])
    if row < 0 or time_ms == NO_INTEGER or state[row + LAST] < 0 or sequence != state[row + LAST] + 1:
        return False
    is_bid = is_word(text, starts[_SIDE], stops[_SIDE], words, word_bounds, _BUY)
    word = (BID_DELTA if is_bid else ASK_DELTA) | ENDS
    put_segment(segments, counts, ts_local, time_ms * MS, word, line, state[row + LOG_STREAM])
    put_byte(out, counts, 91)
    put_level(out, counts, text, starts[_PRICE], stops[_PRICE], starts[_SIZE], stops[_SIZE])
    put_byte(out, counts, 93)
    state[row + LAST] = sequence
    return True


@kernel
def scan_kraken_futures(
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
    books: Bytes,
    book_bounds: Ints,
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
    books, book_bounds, state : of the products, WIDTH numbers each
    segments, out, counts : of a scratch
    """
    while frame < behind:
        if not put_change(
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
            books,
            book_bounds,
            state,
            segments,
            out,
            counts,
        ):
            break
        frame += 1
    return frame
