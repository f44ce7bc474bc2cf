"""Compiled reading of Binance frames that continue what is known: depth diffs, quotes and trades.

See :mod:`headwater.storage.hot_frames`. The fields and the rules are those of
:mod:`headwater.storage.frames.binance`, which reads every other frame.
"""

from __future__ import annotations

from typing import Final

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints, byte_at
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, BUY_TRADE, ENDS, QUOTE_PAIR, SELL_TRADE
from headwater.storage.frames.exact import MS
from headwater.storage.hot_frames import put_byte, put_level, put_segment, put_text, stream_row
from headwater.storage.json_scan import (
    NO_INTEGER,
    Names,
    integer_of,
    is_string,
    name_index,
    object_fields,
    whole_object,
)

FIELDS: Final = Names(
    *("stream", "data", "e", "E", "T", "s", "U", "u", "pu", "b", "a", "B", "A", "t", "p", "q", "X", "m"),
    *("o", "lastUpdateId", "bids", "asks"),
)
_STREAM, _DATA, _EVENT, _TIME, _TRADED, _SYMBOL, _FIRST, _LAST, _PREVIOUS, _BID, _ASK = range(11)
_BID_SIZE, _ASK_SIZE, _ID, _PRICE, _SIZE, _TYPE, _MAKER, _ORDER = range(11, 19)

EVENTS: Final = Names("depthUpdate", "bookTicker", "trade", "aggTrade", "MARKET")
_DEPTH, _TICKER, _TRADE, _AGGREGATE, _MARKET = range(5)

TRADE_KINDS: Final = {"trade": _TRADE, "aggTrade": _AGGREGATE}

WIDTH: Final = 6
LOG_STREAM, CONN, LAST_UPDATE, TRADE_KIND, LAST_TRADE, TS_LAST = range(WIDTH)
"""Numbers of a symbol: its stream in the log, no connection, ``u`` of the last diff (-1: not to be continued here), 2 or 3
for the event that its trades come by (0: none yet), their last id, and the newest ``ts_local``."""


@kernel
def optional_integer(text: Bytes, starts: Ints, stops: Ints, field: int, absent: int) -> int:
    """The integer of a field, `absent` if it is not there, NO_INTEGER if it is none."""
    return integer_of(text, starts[field], stops[field]) if starts[field] >= 0 else absent


@kernel
def event_of(text: Bytes, starts: Ints, stops: Ints, events: Bytes, event_bounds: Ints, field: int) -> int:
    """Which word a field holds, -1 if none of the known."""
    if not is_string(text, starts[field]):
        return -1
    return name_index(text, starts[field] + 1, stops[field] - 1, events, event_bounds, 0)


@kernel
def find_payload(
    text: Bytes, at: int, stop: int, names: Bytes, bounds: Ints, starts: Ints, stops: Ints
) -> bool:
    """The fields of a message, bare or wrapped; False when it is neither, or more than either."""
    if not whole_object(text, at, stop, names, bounds, starts, stops):
        return False
    if starts[_DATA] >= 0:
        for field in range(_EVENT, len(bounds) - 1):
            if starts[field] >= 0:
                return False
        if not is_string(text, starts[_STREAM]):
            return False
        behind = stops[_DATA]
        if object_fields(text, starts[_DATA], behind, names, bounds, starts, stops) != behind:
            return False
    if starts[_STREAM] >= 0 or starts[_DATA] >= 0:
        return False
    for field in range(_ORDER, len(bounds) - 1):
        if starts[field] >= 0:
            return False
    return is_string(text, starts[_SYMBOL])


@kernel
def has_odd_type(text: Bytes, starts: Ints, stops: Ints) -> bool:
    """Whether a field that is not read for this event has a type that the decoder would refuse."""
    for field in (_TIME, _TRADED, _FIRST, _LAST, _PREVIOUS, _ID):
        if starts[field] >= 0 and integer_of(text, starts[field], stops[field]) == NO_INTEGER:
            return True
    if starts[_TYPE] >= 0 and not is_string(text, starts[_TYPE]):
        return True
    if starts[_MAKER] < 0:
        return False
    first = byte_at(text, starts[_MAKER])
    return first != 116 and first != 102  # neither true nor false


@kernel
def put_depth(
    text: Bytes,
    starts: Ints,
    stops: Ints,
    ts_local: int,
    line: int,
    state: Ints,
    row: int,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """A diff, if it is the next one."""
    first = optional_integer(text, starts, stops, _FIRST, -1)
    last = optional_integer(text, starts, stops, _LAST, -1)
    previous = optional_integer(text, starts, stops, _PREVIOUS, -1)
    known = state[row + LAST_UPDATE]
    if known < 0 or first < 0 or last <= known or starts[_BID] < 0 or starts[_ASK] < 0:
        return False
    if (first != known + 1) if previous < 0 else (previous != known):
        return False
    traded = optional_integer(text, starts, stops, _TRADED, 0)
    pushed = optional_integer(text, starts, stops, _TIME, 0)
    ts_venue = (traded if traded > 0 else pushed) * MS
    stream = state[row + LOG_STREAM]
    put_segment(segments, counts, ts_local, ts_venue, BID_DELTA, line, stream)
    put_text(out, counts, text, starts[_BID], stops[_BID])
    put_segment(segments, counts, ts_local, ts_venue, ASK_DELTA | ENDS, line, stream)
    put_text(out, counts, text, starts[_ASK], stops[_ASK])
    state[row + LAST_UPDATE] = last
    return True


@kernel
def put_quote(
    text: Bytes,
    starts: Ints,
    stops: Ints,
    ts_local: int,
    line: int,
    state: Ints,
    row: int,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """The best bid and ask."""
    if starts[_BID] < 0 or starts[_BID_SIZE] < 0 or starts[_ASK] < 0 or starts[_ASK_SIZE] < 0:
        return False
    if starts[_FIRST] >= 0:
        return False
    ts_venue = optional_integer(text, starts, stops, _TRADED, 0) * MS
    put_segment(segments, counts, ts_local, ts_venue, QUOTE_PAIR | ENDS, line, state[row + LOG_STREAM])
    put_byte(out, counts, 91)
    put_level(out, counts, text, starts[_BID], stops[_BID], starts[_BID_SIZE], stops[_BID_SIZE])
    put_byte(out, counts, 44)
    put_level(out, counts, text, starts[_ASK], stops[_ASK], starts[_ASK_SIZE], stops[_ASK_SIZE])
    put_byte(out, counts, 93)
    return True


@kernel
def put_trade(
    text: Bytes,
    starts: Ints,
    stops: Ints,
    event: int,
    ts_local: int,
    line: int,
    state: Ints,
    row: int,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """A print, if it is the next one."""
    number = optional_integer(text, starts, stops, _ID if event == _TRADE else _ASK, NO_INTEGER)
    if state[row + TRADE_KIND] != event or number != state[row + LAST_TRADE] + 1:
        return False
    if starts[_PRICE] < 0 or starts[_SIZE] < 0 or starts[_FIRST] >= 0:
        return False
    is_sell = starts[_MAKER] >= 0 and text[starts[_MAKER]] == 116
    word = (SELL_TRADE if is_sell else BUY_TRADE) | ENDS
    ts_venue = optional_integer(text, starts, stops, _TRADED, 0) * MS
    put_segment(segments, counts, ts_local, ts_venue, word, line, state[row + LOG_STREAM])
    put_byte(out, counts, 91)
    put_level(out, counts, text, starts[_PRICE], stops[_PRICE], starts[_SIZE], stops[_SIZE])
    put_byte(out, counts, 93)
    state[row + LAST_TRADE] = number
    return True


@kernel
def put_frame(
    text: Bytes,
    at: int,
    stop: int,
    ts_local: int,
    line: int,
    names: Bytes,
    bounds: Ints,
    starts: Ints,
    stops: Ints,
    events: Bytes,
    event_bounds: Ints,
    symbols: Bytes,
    symbol_bounds: Ints,
    state: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> bool:
    """One frame; False, and nothing written, when it is left to the decoder."""
    if not find_payload(text, at, stop, names, bounds, starts, stops):
        return False
    if has_odd_type(text, starts, stops):
        return False
    row = stream_row(text, starts[_SYMBOL] + 1, stops[_SYMBOL] - 1, 0, symbols, symbol_bounds, state, WIDTH)
    if row < 0:
        return False
    event = event_of(text, starts, stops, events, event_bounds, _EVENT)
    if event == _DEPTH:
        done = put_depth(text, starts, stops, ts_local, line, state, row, segments, out, counts)
    elif event == _TICKER or starts[_EVENT] < 0:
        done = put_quote(text, starts, stops, ts_local, line, state, row, segments, out, counts)
    elif event == _TRADE or event == _AGGREGATE:
        if starts[_TYPE] >= 0 and event_of(text, starts, stops, events, event_bounds, _TYPE) != _MARKET:
            return False
        done = put_trade(text, starts, stops, event, ts_local, line, state, row, segments, out, counts)
    else:
        return False
    if done:
        state[row + TS_LAST] = ts_local
    return done


@kernel
def scan_binance(
    text: Bytes,
    frame_starts: Ints,
    frame_stops: Ints,
    ts_local: Ints,
    lines: Ints,
    frame: int,
    behind: int,
    names: Bytes,
    bounds: Ints,
    starts: Ints,
    stops: Ints,
    events: Bytes,
    event_bounds: Ints,
    symbols: Bytes,
    symbol_bounds: Ints,
    state: Ints,
    segments: Ints,
    out: Bytes,
    counts: Ints,
) -> int:
    """Frames from `frame` on, up to `behind`; returns the first that is left to the decoder.

    Parameters
    ----------
    text, frame_starts, frame_stops, ts_local, lines : of a frame table
    names, bounds, starts, stops : FIELDS, and scratch of one number a field
    events, event_bounds : EVENTS
    symbols, symbol_bounds, state : of the symbols, WIDTH numbers each
    segments, out, counts : of a scratch with room for two segments a frame and all of their text
    """
    while frame < behind:
        if not put_frame(
            text,
            frame_starts[frame],
            frame_stops[frame],
            ts_local[frame],
            lines[frame],
            names,
            bounds,
            starts,
            stops,
            events,
            event_bounds,
            symbols,
            symbol_bounds,
            state,
            segments,
            out,
            counts,
        ):
            break
        frame += 1
    return frame
