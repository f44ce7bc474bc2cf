"""Compiled reading of the book changes of Kraken spot whose checksum agrees.

See :mod:`headwater.storage.hot_frames`; :mod:`headwater.storage.frames.kraken` reads every other frame. A
frame is examined as a whole before any of it is applied to the book.
"""

from __future__ import annotations

from typing import Final

from headwater.kernels.kernel import kernel
from headwater.storage.checked_levels import (
    LEVELS_MAX,
    TEXT_BYTES_MAX,
    Floats,
    apply_level,
    is_price_and_size,
    kraken_crc,
    remove_at,
)
from headwater.storage.decimal_bytes import Bytes, Ints, byte_at, skip_space
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, ENDS
from headwater.storage.hot_frames import put_byte, put_level, put_segment, put_text, stream_row
from headwater.storage.json_scan import (
    NO_INTEGER,
    Names,
    integer_of,
    is_string,
    number_end,
    object_fields,
    scalar_end,
    string_end,
    word_end,
)

FIELDS: Final = Names("a", "b", "c", "as", "bs")
_ASKS, _BIDS, _CHECKSUM = range(3)

WORDS: Final = Names('"book-', '"0"')
_CHANNEL, _NOTHING = range(2)

WIDTH: Final = 5
LOG_STREAM, CONN, BOOK, DEPTH, TRUSTED = range(WIDTH)
"""Numbers of a book: its stream in the log, its connection, its number among the checked books, its depth (0:
there was no snapshot), and whether its checksum is to agree."""

CHECKED_LEVELS: Final = 10

NO_TIME: Final = -1
_SECOND: Final = 1_000_000_000


@kernel
def comma_or(text: Bytes, at: int, stop: int, close: int) -> int:
    """Position behind a comma and white space, or of the closing byte; -1 for anything else."""
    at = skip_space(text, at, stop)
    byte = byte_at(text, at) if at < stop else 0
    if byte == 44:
        return skip_space(text, at + 1, stop)
    return at if byte == close else -1


@kernel
def string_after(text: Bytes, at: int, stop: int) -> tuple[int, int]:
    """The string behind a comma at `at`: where it begins and ends, (-1, -1) if there is none."""
    at = comma_or(text, at, stop, 0)
    behind = string_end(text, at, stop) if at >= 0 else -1
    return (at, behind) if behind >= 0 else (-1, -1)


@kernel
def seconds_ns(text: Bytes, at: int, stop: int) -> int:
    """``"1618678123.481570"`` in ns; NO_TIME unless it has ten digits, a point and one to nine digits."""
    if stop - at < 14 or stop - at > 22 or byte_at(text, at + 11) != 46:
        return NO_TIME
    whole = 0
    for place in range(at + 1, at + 11):
        if byte_at(text, place) < 48 or byte_at(text, place) > 57:
            return NO_TIME
        whole = whole * 10 + (byte_at(text, place) - 48)
    value = 0
    unit = _SECOND
    for place in range(at + 12, stop - 1):
        if byte_at(text, place) < 48 or byte_at(text, place) > 57:
            return NO_TIME
        value = value * 10 + (byte_at(text, place) - 48)
        unit //= 10
    return whole * _SECOND + value * unit


@kernel
def find_level(text: Bytes, at: int, stop: int) -> tuple[int, int, int, int, int, int]:
    """One level ``["price","size","time",...]`` of plain strings.

    Returns
    -------
    Where price and size begin and end with their quotes, the time in ns, and the position behind the level;
    that is -1 when the level is anything else.
    """
    refused = -1, -1, -1, -1, NO_TIME, -1
    if at >= stop or byte_at(text, at) != 91:
        return refused
    price = at + 1
    price_stop = string_end(text, price, stop)
    if price_stop < 0:
        return refused
    size, size_stop = string_after(text, price_stop, stop)
    if size < 0 or not is_price_and_size(text, price + 1, price_stop - 1, size + 1, size_stop - 1):
        return refused
    first, behind = string_after(text, size_stop, stop)
    if first < 0:
        return refused
    time_ns = seconds_ns(text, first, behind)
    at = comma_or(text, behind, stop, 93)
    while at >= 0 and byte_at(text, at) != 93:
        at = scalar_end(text, at, stop)
        if at >= 0:
            at = comma_or(text, at, stop, 93)
    if at < 0 or time_ns == NO_TIME:
        return refused
    return price, price_stop, size, size_stop, time_ns, at + 1


@kernel
def newest_time(text: Bytes, at: int, stop: int) -> int:
    """The newest time of the levels of the JSON value ``text[at:stop]``; NO_TIME when one is of another form."""
    if byte_at(text, at) != 91:
        return NO_TIME
    newest = 0
    at = skip_space(text, at + 1, stop)
    while at < stop and byte_at(text, at) != 93:
        _, _, _, _, time_ns, at = find_level(text, at, stop)
        if at < 0:
            return NO_TIME
        newest = max(newest, time_ns)
        at = comma_or(text, at, stop, 93)
        if at < 0:
            return NO_TIME
    return newest


@kernel
def find_fields(
    text: Bytes, at: int, stop: int, names: Bytes, bounds: Ints, spans: Ints, starts: Ints, stops: Ints
) -> int:
    """The fields of the one or two objects that begin at `at` into `spans`; position behind the last."""
    for place in range(len(spans)):
        spans[place] = -1
    while at >= 0 and at < stop and byte_at(text, at) == 123:
        behind = object_fields(text, at, stop, names, bounds, starts, stops)
        if behind < 0:
            return -1
        for field in range(len(bounds) - 1):
            if starts[field] >= 0:
                if spans[2 * field] >= 0 or field > _CHECKSUM:
                    return -1
                spans[2 * field] = starts[field]
                spans[2 * field + 1] = stops[field]
        at = skip_space(text, behind, stop)
        if at >= stop or byte_at(text, at) != 44:
            return -1
        at = skip_space(text, at + 1, stop)
    return at


@kernel
def stream_of_frame(
    text: Bytes,
    at: int,
    stop: int,
    conn: int,
    words: Bytes,
    word_bounds: Ints,
    pairs: Bytes,
    pair_bounds: Ints,
    state: Ints,
) -> int:
    """The numbers of the book that ``"book-10","XBT/USD"]`` names; -1 if it is not known as such."""
    channel = at
    behind = string_end(text, at, stop)
    digits = word_end(text, channel, stop, words, word_bounds[_CHANNEL], word_bounds[_CHANNEL + 1])
    if behind < 0 or digits < 0:
        return -1
    pair, pair_stop = string_after(text, behind, stop)
    if pair < 0 or skip_space(text, pair_stop, stop) != stop - 1 or byte_at(text, stop - 1) != 93:
        return -1
    row = stream_row(text, pair + 1, pair_stop - 1, conn, pairs, pair_bounds, state, WIDTH)
    depth = integer_of(text, digits, behind - 1)
    return row if row >= 0 and depth > 0 and depth == state[row + DEPTH] else -1


@kernel
def apply_levels(
    text: Bytes,
    at: int,
    stop: int,
    side: int,
    depth: int,
    words: Bytes,
    word_bounds: Ints,
    keys: Floats,
    slots: Ints,
    levels: Ints,
    texts: Bytes,
    lengths: Ints,
    out: Bytes,
    counts: Ints,
) -> None:
    """Apply levels of the known form, write them, and write a removal for each that falls out of the depth."""
    put_byte(out, counts, 91)
    first = counts[1]
    at = skip_space(text, at + 1, stop)
    while byte_at(text, at) != 93:
        price, price_stop, size, size_stop, _, at = find_level(text, at, stop)
        apply_level(
            text, price + 1, price_stop - 1, size + 1, size_stop - 1,
            side, keys, slots, levels, texts, lengths,
        )  # fmt: skip
        if counts[1] > first:
            put_byte(out, counts, 44)
        put_level(out, counts, text, price, price_stop, size, size_stop)
        at = comma_or(text, at, stop, 93)
    while levels[side] > depth:
        row = 2 * slots[side * LEVELS_MAX]
        if counts[1] > first:
            put_byte(out, counts, 44)
        put_byte(out, counts, 91)
        put_byte(out, counts, 34)
        put_text(out, counts, texts, row * TEXT_BYTES_MAX, row * TEXT_BYTES_MAX + lengths[row])
        put_byte(out, counts, 34)
        put_byte(out, counts, 44)
        put_text(out, counts, words, word_bounds[_NOTHING], word_bounds[_NOTHING + 1])
        put_byte(out, counts, 93)
        remove_at(keys, slots, levels, side, side * LEVELS_MAX)
    put_byte(out, counts, 93)


@kernel
def checksum_of(text: Bytes, at: int, stop: int) -> int:
    """The number in the string ``text[at:stop]``; NO_INTEGER if it is none."""
    return integer_of(text, at + 1, stop - 1) if is_string(text, at) else NO_INTEGER


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
    spans: Ints,
    starts: Ints,
    stops: Ints,
    words: Bytes,
    word_bounds: Ints,
    pairs: Bytes,
    pair_bounds: Ints,
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
    if at >= stop or byte_at(text, at) != 91:
        return 0
    first = skip_space(text, at + 1, stop)
    behind = number_end(text, first, stop)
    if behind < 0:
        return 0
    at = find_fields(text, comma_or(text, behind, stop, 0), stop, names, bounds, spans, starts, stops)
    if at < 0 or (spans[2 * _ASKS] < 0 and spans[2 * _BIDS] < 0):
        return 0
    row = stream_of_frame(text, at, stop, conn, words, word_bounds, pairs, pair_bounds, state)
    if row < 0:
        return 0
    ts_venue = 0
    for field in (_ASKS, _BIDS):
        if spans[2 * field] >= 0:
            newest = newest_time(text, spans[2 * field], spans[2 * field + 1])
            if newest == NO_TIME:
                return 0
            ts_venue = max(ts_venue, newest)
    expected = NO_INTEGER
    if spans[2 * _CHECKSUM] >= 0:
        expected = checksum_of(text, spans[2 * _CHECKSUM], spans[2 * _CHECKSUM + 1])
        if expected == NO_INTEGER:
            return 0
    book = state[row + BOOK]
    if levels[2 * book] > state[row + DEPTH] or levels[2 * book + 1] > state[row + DEPTH]:
        return 0
    last_word = BID_DELTA
    for turn in range(2):
        field = _BIDS if turn == 0 else _ASKS
        if spans[2 * field] < 0:
            continue
        last_word = BID_DELTA if turn == 0 else ASK_DELTA
        put_segment(segments, counts, ts_local, ts_venue, last_word, line, state[row + LOG_STREAM])
        apply_levels(
            text, spans[2 * field], spans[2 * field + 1], 2 * book + turn, state[row + DEPTH],
            words, word_bounds, keys, slots, levels, texts, lengths, out, counts,
        )  # fmt: skip
    segments[(counts[0] - 1) * 8 + 3] = last_word | ENDS
    if state[row + TRUSTED] == 0 or expected == NO_INTEGER:
        return 1
    agrees = kraken_crc(book, CHECKED_LEVELS, slots, levels, texts, lengths, table) == expected
    return 1 if agrees else -1


@kernel
def scan_kraken(
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
    spans: Ints,
    starts: Ints,
    stops: Ints,
    words: Bytes,
    word_bounds: Ints,
    pairs: Bytes,
    pair_bounds: Ints,
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
    names, bounds, starts, stops : FIELDS, and scratch of one number a field; `spans` of two
    words, word_bounds : WORDS
    pairs, pair_bounds, state : of the books, WIDTH numbers each
    keys, slots, levels, texts, lengths : of the checked books
    table : CRC_TABLE
    segments, out, counts : of a scratch; ``counts[3:5]`` are set to the segments and bytes before the frame
        returned if that was written, though its checksum does not agree, to -1 otherwise
    """
    while frame < behind:
        segments_before, bytes_before = counts[0], counts[1]
        done = put_change(
            text,
            frame_starts[frame],
            frame_stops[frame],
            ts_local[frame],
            lines[frame],
            conns[frame],
            names,
            bounds,
            spans,
            starts,
            stops,
            words,
            word_bounds,
            pairs,
            pair_bounds,
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
