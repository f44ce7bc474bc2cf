"""Lines of a cryptofeed capture that hold a received frame, split and unescaped by a kernel.

The common line is ``{"t":"recv","conn":...,"ts":...,"data":"..."}`` and nothing else; every other line, and
one with an escape other than a quote, a slash or a backslash, is left to the decoder.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints, byte_at
from headwater.storage.json_scan import Names, name_index, string_end, word_end
from headwater.storage.stamped_lines import line_end

HEAD: Final = Names('{"t":"recv","conn":', ',"ts":', ',"data":"', '"}')
_RECEIVED, _TIME, _DATA, _END = range(4)

NO_TIME: Final = -1

_SPACE: Final = 32
_QUOTE: Final = 34
_POINT: Final = 46
_SLASH: Final = 47
_ZERO: Final = 48
_NINE: Final = 57
_BACKSLASH: Final = 92
_TILDE: Final = 126

FRACTION_DIGITS_MAX: Final = 9
_SECONDS_MIN: Final = 1 << 30  # 2004
_SECONDS_MAX: Final = 1 << 31  # 2038
_STEPS: Final = 1 << 22
"""Doubles between 2**30 and 2**31 lie this many to the second."""


@kernel
def float_seconds_ns(text: Bytes, at: int, stop: int) -> int:
    """The nanoseconds of a double that is written as seconds, as rounding ``float(text) * 1e9`` gives them.

    The double is found exactly, in integers: among its neighbours it is the nearest, the even one of two as
    near. NO_TIME for anything but ``digits.digits`` with at most nine decimals between 2004 and 2038.
    """
    seconds = 0
    while at < stop and _ZERO <= byte_at(text, at) <= _NINE and seconds < _SECONDS_MAX:
        seconds = seconds * 10 + (byte_at(text, at) - _ZERO)
        at += 1
    if at >= stop or byte_at(text, at) != _POINT or not _SECONDS_MIN <= seconds < _SECONDS_MAX:
        return NO_TIME
    digits = stop - at - 1
    if digits < 1 or digits > FRACTION_DIGITS_MAX:
        return NO_TIME
    fraction = 0
    whole = 1
    for place in range(at + 1, stop):
        byte = byte_at(text, place)
        if byte < _ZERO or byte > _NINE:
            return NO_TIME
        fraction = fraction * 10 + (byte - _ZERO)
        whole = whole * 10
    scaled = fraction * _STEPS
    steps = scaled // whole
    rest = 2 * (scaled - steps * whole)
    if rest > whole or (rest == whole and steps % 2 == 1):
        steps += 1
    exact = np.float64(seconds * _STEPS + steps) / np.float64(_STEPS)
    return np.int64(exact * 1e9)  # type: ignore[return-value]  # a whole number already: doubles are 256 apart


@kernel
def unescape(text: Bytes, at: int, stop: int, out: Bytes, to: int) -> tuple[int, int]:
    """The string whose first byte is at `at` into `out` from `to` on: (position behind it, behind the copy).

    The position is -1 when the string holds what is not copied here.
    """
    while at < stop:
        byte = byte_at(text, at)
        if byte == _QUOTE:
            return at + 1, to
        if byte < _SPACE or byte > _TILDE:
            return -1, to
        if byte == _BACKSLASH:
            at += 1
            byte = byte_at(text, at) if at < stop else 0
            if byte != _QUOTE and byte != _BACKSLASH and byte != _SLASH:
                return -1, to
        out[to] = byte
        to += 1
        at += 1
    return -1, to


@kernel
def split_record(
    text: Bytes,
    at: int,
    stop: int,
    head: Bytes,
    head_bounds: Ints,
    conns: Bytes,
    conn_bounds: Ints,
    out: Bytes,
    to: int,
) -> tuple[int, int, int]:
    """One line: (receive time in UTC ns, number of the connection, end of the frame in `out`).

    The time is NO_TIME when the line is left to the decoder.
    """
    first = word_end(text, at, stop, head, head_bounds[_RECEIVED], head_bounds[_RECEIVED + 1])
    if first < 0:
        return NO_TIME, 0, to
    behind = string_end(text, first, stop)
    if behind < 0:
        return NO_TIME, 0, to
    conn = name_index(text, first + 1, behind - 1, conns, conn_bounds, 0)
    first = word_end(text, behind, stop, head, head_bounds[_TIME], head_bounds[_TIME + 1])
    if conn < 0 or first < 0:
        return NO_TIME, 0, to
    behind = first
    while behind < stop and byte_at(text, behind) != 44:
        behind += 1
    ts_local = float_seconds_ns(text, first, behind)
    first = word_end(text, behind, stop, head, head_bounds[_DATA], head_bounds[_DATA + 1])
    if ts_local == NO_TIME or first < 0:
        return NO_TIME, 0, to
    at, end = unescape(text, first, stop, out, to)
    if at != stop - 1 or byte_at(text, at) != 125:
        return NO_TIME, 0, to
    return ts_local, conn, end


@kernel
def split_records(
    text: Bytes,
    at: int,
    head: Bytes,
    head_bounds: Ints,
    conns: Bytes,
    conn_bounds: Ints,
    out: Bytes,
    filled: Ints,
    starts: Ints,
    stops: Ints,
    ts_local: Ints,
    conn_of: Ints,
    lines: Ints,
) -> int:
    """Lines from `at` on, up to the first that is left to the decoder, or that has no end; its position.

    Parameters
    ----------
    head, head_bounds : HEAD
    conns, conn_bounds : the connections that are known
    out : the frames, one behind the other
    filled : (3,) lines so far, rows and bytes filled; updated
    starts, stops, ts_local, conn_of, lines : a row for each record, filled here
    """
    while at < len(text):
        stop = line_end(text, at)
        if stop == at:
            at += 1
            continue
        if stop == len(text):
            return at
        row, to = filled[1], filled[2]
        stamp, conn, end = split_record(text, at, stop, head, head_bounds, conns, conn_bounds, out, to)
        if stamp == NO_TIME:
            return at
        filled[0] += 1
        filled[1] = row + 1
        filled[2] = end
        starts[row], stops[row] = to, end
        ts_local[row], conn_of[row], lines[row] = stamp, conn, filled[0]
        at = stop + 1
    return at


@kernel
def hold_back(ts_local: Ints, conn_of: Ints, last: Ints) -> int:
    """Let the times of no connection fall; how many did.

    Parameters
    ----------
    ts_local : (n,) corrected in place
    conn_of : (n,) numbers of the connections
    last : the newest time of each connection, updated
    """
    backward = 0
    for row in range(len(ts_local)):
        conn = conn_of[row]
        if ts_local[row] < last[conn]:
            backward += 1
            ts_local[row] = last[conn]
        last[conn] = ts_local[row]
    return backward
