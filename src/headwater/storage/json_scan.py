"""Kernels that find the fields of JSON objects in place, stricter than the standard.

They accept a part of JSON: strings of printable ASCII without escapes, every key of interest at most once,
integers of at most 18 digits. Whatever they accept, the decoder reads alike; whatever they do not, even if
it is good JSON, they leave to the decoder. So they can be fast without a second opinion about what is valid.

A function that returns a position returns -1 where it does not accept the text.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints, byte_at, skip_space

DEPTH_MAX: Final = 60
"""Arrays and objects within each other; one bit of an integer for each."""

INTEGER_DIGITS_MAX: Final = 18

NO_INTEGER: Final = -(2**63)

_SPACE: Final = 32
_QUOTE: Final = 34
_PLUS: Final = 43
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48
_NINE: Final = 57
_COLON: Final = 58
_UPPER_E: Final = 69
_OPEN: Final = 91
_BACKSLASH: Final = 92
_CLOSE: Final = 93
_LOWER_E: Final = 101
_LOWER_F: Final = 102
_LOWER_N: Final = 110
_LOWER_T: Final = 116
_OPEN_OBJECT: Final = 123
_CLOSE_OBJECT: Final = 125
_TILDE: Final = 126


class Names:
    """Words that a kernel compares with bytes of a text.

    Attributes
    ----------
    text : (m,) bytes of all words, one behind the other
    bounds : (n + 1,) where each begins, and the last ends
    """

    def __init__(self, *words: str) -> None:
        encoded = [word.encode() for word in words]
        self.text = np.frombuffer(b"".join(encoded) or b" ", dtype=np.uint8)
        self.bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)


@kernel
def string_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind the string that begins at `at`."""
    if at >= stop or byte_at(text, at) != _QUOTE:
        return -1
    at += 1
    while at < stop:
        byte = byte_at(text, at)
        if byte == _QUOTE:
            return at + 1
        if byte < _SPACE or byte > _TILDE or byte == _BACKSLASH:
            return -1
        at += 1
    return -1


@kernel
def digits_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind one or more digits."""
    first = at
    while at < stop and _ZERO <= byte_at(text, at) <= _NINE:
        at += 1
    return at if at > first else -1


@kernel
def number_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind a number, by the grammar of JSON."""
    if at < stop and byte_at(text, at) == _MINUS:
        at += 1
    first = at
    at = digits_end(text, at, stop)
    if at < 0 or (byte_at(text, first) == _ZERO and at > first + 1):
        return -1
    if at < stop and byte_at(text, at) == _POINT:
        at = digits_end(text, at + 1, stop)
        if at < 0:
            return -1
    if at < stop and (byte_at(text, at) == _LOWER_E or byte_at(text, at) == _UPPER_E):
        at += 1
        if at < stop and (byte_at(text, at) == _PLUS or byte_at(text, at) == _MINUS):
            at += 1
        at = digits_end(text, at, stop)
    return at


@kernel
def word_end(text: Bytes, at: int, stop: int, words: Bytes, first: int, behind: int) -> int:
    """Position behind ``words[first:behind]`` if the text goes on with it."""
    if stop - at < behind - first:
        return -1
    for place in range(behind - first):
        if text[at + place] != words[first + place]:
            return -1
    return at + behind - first


@kernel
def literal_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind ``true``, ``false`` or ``null``."""
    byte = byte_at(text, at)
    if stop - at >= 4 and byte == _LOWER_T:
        same = text[at + 1] == 114 and text[at + 2] == 117 and text[at + 3] == _LOWER_E
        return at + 4 if same else -1
    if stop - at >= 4 and byte == _LOWER_N:
        same = text[at + 1] == 117 and text[at + 2] == 108 and text[at + 3] == 108
        return at + 4 if same else -1
    if stop - at >= 5 and byte == _LOWER_F:
        same = text[at + 1] == 97 and text[at + 2] == 108 and text[at + 3] == 115
        return at + 5 if same and text[at + 4] == _LOWER_E else -1
    return -1


@kernel
def scalar_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind a string, a number or a literal."""
    if at >= stop:
        return -1
    byte = byte_at(text, at)
    if byte == _QUOTE:
        return string_end(text, at, stop)
    if byte == _MINUS or _ZERO <= byte <= _NINE:
        return number_end(text, at, stop)
    return literal_end(text, at, stop)


@kernel
def colon_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind a colon, and white space on both of its sides."""
    at = skip_space(text, at, stop)
    if at >= stop or byte_at(text, at) != _COLON:
        return -1
    return skip_space(text, at + 1, stop)


@kernel
def key_end(text: Bytes, at: int, stop: int) -> int:
    """Position of the value of the key that begins at `at`."""
    at = string_end(text, at, stop)
    return colon_end(text, at, stop) if at >= 0 else -1


@kernel
def value_end(text: Bytes, at: int, stop: int) -> int:
    """Position behind any value."""
    depth = 0
    arrays = 0  # one bit for each value that is open, the innermost lowest: whether it is an array
    while True:
        byte = byte_at(text, at) if at < stop else 0
        if byte == _OPEN or byte == _OPEN_OBJECT:
            if depth == DEPTH_MAX:
                return -1
            depth += 1
            arrays = arrays * 2 + (1 if byte == _OPEN else 0)
            at = skip_space(text, at + 1, stop)
            if at >= stop or byte_at(text, at) != byte + 2:  # not empty: the first element comes
                if byte == _OPEN_OBJECT:
                    at = key_end(text, at, stop)
                    if at < 0:
                        return -1
                continue
        else:
            at = scalar_end(text, at, stop)
            if at < 0:
                return -1
        while depth > 0:
            at = skip_space(text, at, stop)
            byte = byte_at(text, at) if at < stop else 0
            if byte == _COMMA:
                break
            if byte != (_CLOSE if arrays & 1 else _CLOSE_OBJECT):
                return -1
            depth -= 1
            arrays //= 2
            at += 1
        if depth == 0:
            return at
        at = skip_space(text, at + 1, stop)
        if not arrays & 1:
            at = key_end(text, at, stop)
            if at < 0:
                return -1


@kernel
def name_index(text: Bytes, at: int, stop: int, names: Bytes, bounds: Ints, guess: int) -> int:
    """Which of the names ``text[at:stop]`` is, tried from `guess` on; -1 if none."""
    count = len(bounds) - 1
    for turn in range(count):
        name = guess + turn
        if name >= count:
            name -= count
        if word_end(text, at, stop, names, bounds[name], bounds[name + 1]) == stop:
            return name
    return -1


@kernel
def object_fields(
    text: Bytes, at: int, stop: int, names: Bytes, bounds: Ints, starts: Ints, stops: Ints
) -> int:
    """Where the values of the named fields of an object are; position behind the object.

    Parameters
    ----------
    names, bounds : the n names, see :class:`Names`
    starts, stops : (n,) filled here: ``text[starts[i]:stops[i]]`` is the value of field i; -1 when absent
    """
    for field in range(len(bounds) - 1):
        starts[field] = -1
    at = skip_space(text, at, stop)
    if at >= stop or byte_at(text, at) != _OPEN_OBJECT:
        return -1
    at = skip_space(text, at + 1, stop)
    if at < stop and byte_at(text, at) == _CLOSE_OBJECT:
        return at + 1
    guess = 0
    while True:
        behind = string_end(text, at, stop)
        if behind < 0:
            return -1
        field = name_index(text, at + 1, behind - 1, names, bounds, guess)
        value = colon_end(text, behind, stop)
        if value < 0:
            return -1
        at = value
        at = value_end(text, at, stop)
        if at < 0:
            return -1
        if field >= 0:
            if starts[field] >= 0:
                return -1  # the last of two would count: left to the decoder
            starts[field] = value
            stops[field] = at
            guess = field + 1
        at = skip_space(text, at, stop)
        byte = byte_at(text, at) if at < stop else 0
        if byte == _CLOSE_OBJECT:
            return at + 1
        if byte != _COMMA:
            return -1
        at = skip_space(text, at + 1, stop)


@kernel
def whole_object(
    text: Bytes, at: int, stop: int, names: Bytes, bounds: Ints, starts: Ints, stops: Ints
) -> bool:
    """:func:`object_fields` of a text that holds one object and nothing else."""
    at = object_fields(text, at, stop, names, bounds, starts, stops)
    return at >= 0 and skip_space(text, at, stop) == stop


@kernel
def integer_of(text: Bytes, at: int, stop: int) -> int:
    """The value of ``text[at:stop]``, or NO_INTEGER if that is none of at most 18 digits."""
    first = at
    if at < stop and byte_at(text, at) == _MINUS:
        first = at + 1
    digits = stop - first
    if digits <= 0 or digits > INTEGER_DIGITS_MAX or (digits > 1 and byte_at(text, first) == _ZERO):
        return NO_INTEGER
    value = 0
    for place in range(first, stop):
        byte = byte_at(text, place)
        if byte < _ZERO or byte > _NINE:
            return NO_INTEGER
        value = value * 10 + (byte - _ZERO)
    return -value if first > at else value


@kernel
def is_string(text: Bytes, at: int) -> bool:
    """Whether the value at `at` is a string; absent (-1) is none."""
    return at >= 0 and byte_at(text, at) == _QUOTE
