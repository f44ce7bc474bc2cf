"""Kernels from the bytes of venue messages to integers: price levels, exactly, without a float on the way.

A venue writes the levels of a book as a JSON array of arrays, ``[["61737.63", "0.25"], ["61730.17", "0"]]``,
with or without quotes, perhaps with more columns behind. :func:`scan_levels` reads such text into mantissas
and decimal exponents: 61737.63 is (6173763, -2). Trailing zeros of the fraction are dropped, so that the
exponent says how many decimals the number really needs. :func:`fill_units` then brings a column to one fixed
number of decimals.

Every byte is checked before it is used; a malformed one ends the scan with its position, never with a guess.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.kernels.kernel import kernel

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

DIGITS_MAX: Final = 18
"""Significant digits of a number: 10**18 is the largest power of ten below 2**63."""

EXPONENT_MAX: Final = 40
"""Largest size of a written exponent, so that scanning it cannot overflow."""

_SPACE: Final = 32
_TAB: Final = 9
_NEWLINE: Final = 10
_RETURN: Final = 13
_QUOTE: Final = 34
_PLUS: Final = 43
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48
_NINE: Final = 57
_UPPER_E: Final = 69
_OPEN: Final = 91
_BACKSLASH: Final = 92
_CLOSE: Final = 93
_LOWER_E: Final = 101


@kernel(inline=True)
def byte_at(text: Bytes, at: int) -> int:
    """One byte as a signed integer, so that arithmetic on it cannot wrap or turn into a float."""
    return np.int64(text[at])  # type: ignore[return-value]


@kernel
def skip_space(text: Bytes, at: int, stop: int) -> int:
    """Position of the first byte at or after `at` that is not white space, or `stop`."""
    while at < stop:
        byte = byte_at(text, at)
        if byte != _SPACE and byte != _TAB and byte != _NEWLINE and byte != _RETURN:
            break
        at += 1
    return at


@kernel
def scan_exponent(text: Bytes, at: int, stop: int) -> tuple[int, int]:
    """The number after an ``e``: (position behind it, exponent), or (-1 - position of the fault, 0)."""
    sign = 1
    if at < stop and (byte_at(text, at) == _MINUS or byte_at(text, at) == _PLUS):
        if byte_at(text, at) == _MINUS:
            sign = -1
        at += 1
    first = at
    exponent = 0
    while at < stop and _ZERO <= byte_at(text, at) <= _NINE:
        exponent = exponent * 10 + (byte_at(text, at) - _ZERO)
        if exponent > EXPONENT_MAX:
            return -1 - at, 0
        at += 1
    if at == first:
        return -1 - at, 0
    return at, sign * exponent


@kernel
def scan_decimal(text: Bytes, at: int, stop: int) -> tuple[int, int, int]:
    """One decimal number, as (position behind it, mantissa, exponent of ten).

    The number is ``[-]digits[.digits][e[+-]digits]``. The mantissa drops the trailing zeros of the fraction:
    0.2500 is (25, -2) and 100 is (100, 0); a zero is (0, 0). On a fault the position is -1 - (where it was
    found): no digit, more than 18 significant digits, an exponent above 40, or the end of the text.
    """
    negative = False
    if at < stop and byte_at(text, at) == _MINUS:
        negative = True
        at += 1
    mantissa = 0
    digits = 0  # significant digits taken into the mantissa
    written = 0
    while at < stop and _ZERO <= byte_at(text, at) <= _NINE:
        mantissa = mantissa * 10 + (byte_at(text, at) - _ZERO)
        written += 1
        if mantissa != 0:
            digits += 1
            if digits > DIGITS_MAX:
                return -1 - at, 0, 0
        at += 1
    exponent = 0
    if at < stop and byte_at(text, at) == _POINT:
        at += 1
        zeros = 0  # zeros of the fraction that are only taken when a digit follows
        while at < stop and _ZERO <= byte_at(text, at) <= _NINE:
            written += 1
            zeros += 1
            digit = byte_at(text, at) - _ZERO
            if digit != 0:
                exponent -= zeros
                digits = digits + zeros if mantissa != 0 else 1
                if digits > DIGITS_MAX or exponent < -EXPONENT_MAX:
                    return -1 - at, 0, 0
                if mantissa != 0:
                    for _ in range(zeros):
                        mantissa = mantissa * 10
                mantissa += digit
                zeros = 0
            at += 1
    if written == 0:
        return -1 - at, 0, 0
    if at < stop and (byte_at(text, at) == _LOWER_E or byte_at(text, at) == _UPPER_E):
        at, shift = scan_exponent(text, at + 1, stop)
        if at < 0:
            return at, 0, 0
        exponent += shift
    if mantissa == 0:
        exponent = 0
    return at, -mantissa if negative else mantissa, exponent


@kernel
def scan_number(text: Bytes, at: int, stop: int) -> tuple[int, int, int]:
    """A decimal number in quotes or without, as :func:`scan_decimal` returns it."""
    if at < stop and byte_at(text, at) == _QUOTE:
        at, mantissa, exponent = scan_decimal(text, at + 1, stop)
        if at < 0:
            return at, 0, 0
        if at >= stop or byte_at(text, at) != _QUOTE:
            return -1 - at, 0, 0
        return at + 1, mantissa, exponent
    return scan_decimal(text, at, stop)


@kernel
def skip_columns(text: Bytes, at: int, stop: int) -> int:
    """Position behind the ``]`` that ends a level, past columns not wanted; -1 - position on a fault.

    The columns are plain values: numbers, names, or strings without an escape.
    """
    quoted = False
    while at < stop:
        byte = byte_at(text, at)
        if byte == _BACKSLASH or (byte == _OPEN and not quoted):
            return -1 - at
        if byte == _QUOTE:
            quoted = not quoted
        elif byte == _CLOSE and not quoted:
            return at + 1
        at += 1
    return -1 - at


@kernel
def scan_level(
    text: Bytes,
    at: int,
    stop: int,
    price_mantissa: Ints,
    price_exponent: Ints,
    size_mantissa: Ints,
    size_exponent: Ints,
    row: int,
) -> int:
    """One level ``[price, size, ...]`` into row `row`; returns the position behind it, or -1 - position."""
    if at >= stop or byte_at(text, at) != _OPEN:
        return -1 - at
    at, mantissa, exponent = scan_number(text, skip_space(text, at + 1, stop), stop)
    if at < 0:
        return at
    price_mantissa[row] = mantissa
    price_exponent[row] = exponent
    at = skip_space(text, at, stop)
    if at >= stop or byte_at(text, at) != _COMMA:
        return -1 - at
    at, mantissa, exponent = scan_number(text, skip_space(text, at + 1, stop), stop)
    if at < 0:
        return at
    size_mantissa[row] = mantissa
    size_exponent[row] = exponent
    at = skip_space(text, at, stop)
    if at < stop and byte_at(text, at) == _CLOSE:
        return at + 1
    if at >= stop or byte_at(text, at) != _COMMA:
        return -1 - at
    return skip_columns(text, at + 1, stop)


@kernel
def scan_levels(
    text: Bytes,
    at: int,
    stop: int,
    price_mantissa: Ints,
    price_exponent: Ints,
    size_mantissa: Ints,
    size_exponent: Ints,
    row: int,
) -> tuple[int, int]:
    """The levels of ``text[at:stop]`` into the four columns, from `row` on.

    Parameters
    ----------
    text : (n,) bytes of a JSON array of levels, nothing before it and only white space behind it
    price_mantissa, price_exponent, size_mantissa, size_exponent : one row per level

    Returns
    -------
    (first free row, 0), or (row, 1 + position of the fault): a byte that does not belong, the text ends,
    or a level for which there is no row.
    """
    at = skip_space(text, at, stop)
    if at >= stop or byte_at(text, at) != _OPEN:
        return row, 1 + at
    at = skip_space(text, at + 1, stop)
    if at < stop and byte_at(text, at) == _CLOSE:
        at = skip_space(text, at + 1, stop)
        return row, 0 if at == stop else 1 + at
    while True:
        if row >= len(price_mantissa):
            return row, 1 + at
        at = scan_level(text, at, stop, price_mantissa, price_exponent, size_mantissa, size_exponent, row)
        if at < 0:
            return row, -at
        row += 1
        at = skip_space(text, at, stop)
        if at >= stop:
            return row, 1 + at
        if byte_at(text, at) == _CLOSE:
            at = skip_space(text, at + 1, stop)
            return row, 0 if at == stop else 1 + at
        if byte_at(text, at) != _COMMA:
            return row, 1 + at
        at = skip_space(text, at + 1, stop)


@kernel
def scan_column(text: Bytes, starts: Ints, stops: Ints, mantissas: Ints, exponents: Ints) -> int:
    """The decimal number of each field ``text[starts[i]:stops[i]]``; -1, or the first that is none."""
    for i in range(len(starts)):
        at, mantissa, exponent = scan_number(text, starts[i], stops[i])
        if at != stops[i]:
            return i
        mantissas[i] = mantissa
        exponents[i] = exponent
    return -1


@kernel
def fill_units(mantissas: Ints, exponents: Ints, decimals: int, units: Ints) -> int:
    """``mantissa * 10**(exponent + decimals)`` into `units`; returns -1, or the first row that does not fit.

    A row does not fit when it needs more decimals or exceeds 64 bits.
    """
    for i in range(len(mantissas)):
        value = mantissas[i]
        power = exponents[i] + decimals
        if value != 0:
            if power < 0 or power > DIGITS_MAX:
                return i
            for _ in range(power):
                if value > 922337203685477580 or value < -922337203685477580:
                    return i
                value = value * 10
        units[i] = value
    return -1


@kernel
def greatest_common_divisor(units: Ints) -> int:
    """The largest step of which every row is a multiple; 0 when all rows are zero."""
    step = 0
    for i in range(len(units)):
        a = abs(units[i])
        while a != 0:
            a, step = step % a, a
    return step


def as_bytes(text: bytes | bytearray) -> Bytes:
    """A view of `text` for the kernels; no copy."""
    return np.frombuffer(text, dtype=np.uint8)


def decimals_needed(exponents: npt.NDArray[Any]) -> int:
    """How many decimals a column needs: 0 when it is empty or whole."""
    return int(max(0, -int(exponents.min()))) if len(exponents) else 0
