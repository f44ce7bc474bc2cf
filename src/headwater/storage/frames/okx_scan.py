"""Compiled reading of the book updates of OKX that continue their book, by number or by checksum.

See :mod:`headwater.storage.hot_frames`; :mod:`headwater.storage.frames.okx` reads every other frame. A frame
is examined as a whole before any of it is applied to the book.
"""

from __future__ import annotations

from typing import Final

from headwater.kernels.kernel import kernel
from headwater.storage.checked_levels import Floats, apply_level, is_price_and_size, okx_crc
from headwater.storage.decimal_bytes import Bytes, Ints, byte_at, skip_space
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, ENDS
from headwater.storage.frames.exact import MS
from headwater.storage.frames.kraken_scan import comma_or, string_after
from headwater.storage.hot_frames import put_byte, put_level, put_segment
from headwater.storage.json_scan import (
    NO_INTEGER,
    Names,
    integer_of,
    is_string,
    name_index,
    object_fields,
    string_end,
    whole_object,
    word_end,
)

FIELDS: Final = Names(
    *("arg", "action", "data", "channel", "instId"),
    *("asks", "bids", "ts", "checksum", "prevSeqId", "seqId"),
)
_ARGUMENT, _ACTION, _DATA, _CHANNEL, _INSTRUMENT, _ASKS, _BIDS, _TIME, _CHECKSUM, _BEFORE, _NUMBER = range(11)

CHANNELS: Final = ("books", "books5", "bbo-tbt", "books50-l2-tbt", "books-l2-tbt")
WORDS: Final = Names(*CHANNELS, '"update"')

WIDTH: Final = 7
LOG_STREAM, CONN, BOOK, CHANNEL, LAST, STARTED, TRUSTED = range(WIDTH)
"""Numbers of a book: its stream in the log, its connection, its number among the checked books, its channel,
``seqId`` of its last message, whether there was one, and whether its checksum is to agree."""

CHECKED_LEVELS: Final = 25


@kernel
def find_pair(text: Bytes, at: int, stop: int) -> tuple[int, int, int, int, int]:
    """One level ``["price","size",...]`` of strings alone.

    Returns
    -------
    Where price and size begin and end with their quotes, and the position behind the level; that is -1 when
    the level is anything else.
    """
    refused = -1, -1, -1, -1, -1
    if at >= stop or byte_at(text, at) != 91:
        return refused
    price = skip_space(text, at + 1, stop)
    price_stop = string_end(text, price, stop)
    if price_stop < 0:
        return refused
    size, size_stop = string_after(text, price_stop, stop)
    if size < 0 or not is_price_and_size(text, price + 1, price_stop - 1, size + 1, size_stop - 1):
        return refused
    at = comma_or(text, size_stop, stop, 93)
    while at >= 0 and byte_at(text, at) != 93:
        at = string_end(text, at, stop)
        if at >= 0:
            at = comma_or(text, at, stop, 93)
    return price, price_stop, size, size_stop, at + 1 if at >= 0 else -1


@kernel
def are_pairs(text: Bytes, at: int, stop: int) -> bool:
    """Whether the JSON value ``text[at:stop]`` is an array of levels of strings."""
    if byte_at(text, at) != 91:
        return False
    at = skip_space(text, at + 1, stop)
    while at >= 0 and byte_at(text, at) != 93:
        _, _, _, _, at = find_pair(text, at, stop)
        if at >= 0:
            at = comma_or(text, at, stop, 93)
    return at >= 0


@kernel
def book_row(
    text: Bytes,
    at: int,
    stop: int,
    conn: int,
    channel: int,
    books: Bytes,
    book_bounds: Ints,
    state: Ints,
) -> int:
    """The numbers of the book of an instrument, channel and connection; -1 if it is unknown."""
    for book in range(len(book_bounds) - 1):
        row = book * WIDTH
        if state[row + CONN] != conn or state[row + CHANNEL] != channel:
            continue
        if word_end(text, at, stop, books, book_bounds[book], book_bounds[book + 1]) == stop:
            return row
    return -1


@kernel
def find_update(
    text: Bytes,
    at: int,
    stop: int,
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
) -> int:
    """The numbers of the book that a frame updates, the fields of its only element being found; -1 if none."""
    if not whole_object(text, at, stop, names, bounds, starts, stops) or starts[_DATA] < 0:
        return -1
    update = len(word_bounds) - 2
    action = starts[_ACTION]
    if action < 0 or starts[_ARGUMENT] < 0:
        return -1
    if word_end(text, action, stop, words, word_bounds[update], word_bounds[update + 1]) != stops[_ACTION]:
        return -1
    argument, argument_stop = starts[_ARGUMENT], stops[_ARGUMENT]
    data, data_stop = starts[_DATA], stops[_DATA]
    if object_fields(text, argument, argument_stop, names, bounds, starts, stops) != argument_stop:
        return -1
    if not is_string(text, starts[_CHANNEL]) or not is_string(text, starts[_INSTRUMENT]):
        return -1
    channel = name_index(text, starts[_CHANNEL] + 1, stops[_CHANNEL] - 1, words, word_bounds, 0)
    if channel < 0:
        return -1
    row = book_row(
        text, starts[_INSTRUMENT] + 1, stops[_INSTRUMENT] - 1, conn, channel, books, book_bounds, state
    )
    if row < 0 or state[row + STARTED] == 0 or byte_at(text, data) != 91:
        return -1
    element = skip_space(text, data + 1, data_stop)
    behind = object_fields(text, element, data_stop, names, bounds, starts, stops)
    if behind < 0 or skip_space(text, behind, data_stop) != data_stop - 1:
        return -1
    return row


@kernel
def integer_or(text: Bytes, starts: Ints, stops: Ints, field: int, absent: int) -> int:
    """The integer of a field, `absent` if it is not there; ``null`` and all else are NO_INTEGER."""
    return integer_of(text, starts[field], stops[field]) if starts[field] >= 0 else absent


@kernel
def put_side(
    text: Bytes,
    at: int,
    side: int,
    is_applied: bool,
    keys: Floats,
    slots: Ints,
    levels: Ints,
    texts: Bytes,
    lengths: Ints,
    out: Bytes,
    counts: Ints,
) -> None:
    """Write levels of the known form, and apply them where a checksum needs the book."""
    put_byte(out, counts, 91)
    first = counts[1]
    stop = len(text)
    at = skip_space(text, at + 1, stop)
    while byte_at(text, at) != 93:
        price, price_stop, size, size_stop, at = find_pair(text, at, stop)
        if is_applied:
            apply_level(
                text, price + 1, price_stop - 1, size + 1, size_stop - 1,
                side, keys, slots, levels, texts, lengths,
            )  # fmt: skip
        if counts[1] > first:
            put_byte(out, counts, 44)
        put_level(out, counts, text, price, price_stop, size, size_stop)
        at = comma_or(text, at, stop, 93)
    put_byte(out, counts, 93)


@kernel
def put_update(
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
    keys: Floats,
    slots: Ints,
    levels: Ints,
    texts: Bytes,
    lengths: Ints,
    table: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> int:
    """One frame.

    Returns
    -------
    1 when it is done; 0 when it is left to the decoder, and nothing was written or applied; -1 when it was
    applied and written but its checksum does not agree.
    """
    row = find_update(
        text, at, stop, conn, names, bounds, starts, stops, words, word_bounds, books, book_bounds, state
    )
    if row < 0 or not is_string(text, starts[_TIME]) or starts[_BIDS] < 0 or starts[_ASKS] < 0:
        return 0
    time_ms = integer_of(text, starts[_TIME] + 1, stops[_TIME] - 1)
    expected = integer_or(text, starts, stops, _CHECKSUM, 1 << 40)
    if time_ms == NO_INTEGER or expected == NO_INTEGER:
        return 0
    is_numbered = starts[_NUMBER] >= 0
    if is_numbered != (starts[_BEFORE] >= 0):
        return 0
    number = integer_or(text, starts, stops, _NUMBER, 0)
    if is_numbered:
        before = integer_of(text, starts[_BEFORE], stops[_BEFORE])
        if number == NO_INTEGER or before == NO_INTEGER or before != state[row + LAST]:
            return 0
    if not are_pairs(text, starts[_BIDS], stops[_BIDS]) or not are_pairs(text, starts[_ASKS], stops[_ASKS]):
        return 0
    book = state[row + BOOK]
    for turn in range(2):
        word = BID_DELTA if turn == 0 else ASK_DELTA | ENDS
        start = starts[_BIDS] if turn == 0 else starts[_ASKS]
        put_segment(segments, counts, ts_local, time_ms * MS, word, line, state[row + LOG_STREAM])
        put_side(
            text, start, 2 * book + turn, not is_numbered,
            keys, slots, levels, texts, lengths, out, counts,
        )  # fmt: skip
    if is_numbered:
        state[row + LAST] = number
        return 1
    if state[row + TRUSTED] == 0 or starts[_CHECKSUM] < 0:
        return 1
    return 1 if okx_crc(book, CHECKED_LEVELS, slots, levels, texts, lengths, table) == expected else -1


@kernel
def scan_okx(
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
    keys: Floats,
    slots: Ints,
    levels: Ints,
    texts: Bytes,
    lengths: Ints,
    table: Ints,
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
    books, book_bounds, state : of the books, WIDTH numbers each
    keys, slots, levels, texts, lengths : of the checked books
    table : CRC_TABLE
    segments, out, counts : of a scratch; ``counts[3:5]`` are set to the segments and bytes before the frame
        returned if that was written, though its checksum does not agree, to -1 otherwise
    """
    while frame < behind:
        segments_before, bytes_before = counts[0], counts[1]
        done = put_update(
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
            keys,
            slots,
            levels,
            texts,
            lengths,
            table,
            segments,
            out,
            counts,
        )
        if done != 1:
            counts[3] = segments_before if done < 0 else -1
            counts[4] = bytes_before
            return frame
        frame += 1
    counts[3] = -1
    return frame
