"""The kernels that read prices out of bytes agree with the standard parser, and no bytes lead them astray."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.storage.decimal_bytes import (
    DIGITS_MAX,
    as_bytes,
    decimals_needed,
    fill_units,
    greatest_common_divisor,
    scan_column,
    scan_decimal,
    scan_levels,
)
from tests.oracle import decimal_bytes as plain

digits = st.text("0123456789", min_size=1, max_size=9)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A decimal as venues write it: with or without a fraction, trailing zeros, an exponent."""
    whole = draw(digits).lstrip("0") or "0"
    text = whole + (f".{draw(digits)}" if draw(st.booleans()) else "")
    if draw(st.integers(0, 9)) == 0:
        text += draw(st.sampled_from(["e-05", "E+2", "e3", "e-1"]))
    return text


@st.composite
def level_texts(draw: st.DrawFn) -> str:
    """A JSON array of levels, loosely or tightly set, with further columns or without."""
    gap = draw(st.sampled_from(["", " ", "\n  "]))
    quote = draw(st.sampled_from(['"', ""]))
    more = draw(st.sampled_from(["", ",1", ',"1618678123.48","r"', ", 0, null"]))
    rows = [
        f"[{gap}{quote}{draw(numbers())}{quote}{gap},{gap}{quote}{draw(numbers())}{quote}{more}{gap}]"
        for _ in range(draw(st.integers(0, 6)))
    ]
    return f"{gap}[{gap}" + f"{gap},{gap}".join(rows) + f"{gap}]{gap}"


def scan(text: bytes, rows: int = 64) -> tuple[int, int, list[np.ndarray]]:
    columns = [np.zeros(rows, np.int64) for _ in range(4)]
    first, second, third, fourth = columns
    row, fault = scan_levels(as_bytes(text or b" "), 0, len(text), first, second, third, fourth, 0)
    return row, fault, columns


def exact(mantissa: int, exponent: int) -> Decimal:
    return Decimal(int(mantissa)).scaleb(int(exponent))


@given(level_texts())
def test_levels_are_read_as_the_standard_parser_reads_them(text: str) -> None:
    row, fault, (prices, price_exponents, sizes, size_exponents) = scan(text.encode())
    assert fault == 0
    found = [(exact(prices[i], price_exponents[i]), exact(sizes[i], size_exponents[i])) for i in range(row)]
    assert found == plain.levels(text)


@given(level_texts())
def test_units_are_the_numbers_at_fixed_decimals(text: str) -> None:
    row, _, (mantissas, exponents, _, _) = scan(text.encode())
    decimals = decimals_needed(exponents[:row])
    units = np.zeros(row, np.int64)
    misfit = fill_units(mantissas[:row], exponents[:row], decimals, units)
    expected = plain.units([price for price, _ in plain.levels(text)], decimals)
    too_large = [place for place, value in enumerate(expected) if abs(value) >= 2**63]
    assert misfit == (too_large[0] if too_large else -1)
    if misfit < 0:
        assert units.tolist() == expected


@given(st.lists(st.integers(-300, 300), max_size=8))
def test_the_common_step_is_the_largest_that_divides_all(values: list[int]) -> None:
    assert greatest_common_divisor(np.array(values, dtype=np.int64)) == plain.common_step(values)


@given(st.binary(max_size=60) | st.text('[]",.0123456789eE+- \\', max_size=60).map(str.encode))
def test_any_bytes_end_with_rows_or_with_the_place_of_a_fault(text: bytes) -> None:
    row, fault, _ = scan(text, rows=4)
    assert 0 <= row <= 4
    assert 0 <= fault <= len(text) + 1


@given(level_texts(), st.data())
def test_a_damaged_text_is_never_read_as_other_levels(text: str, data: st.DataObject) -> None:
    """Cut it anywhere: what is left is either no array, or ends where the whole one did."""
    cut = data.draw(st.integers(0, len(text)))
    row, fault, _ = scan(text[:cut].encode())
    whole = text[cut:].strip() == ""
    assert (fault == 0) == whole
    assert row <= len(plain.levels(text))


@given(numbers().filter(lambda text: "e" not in text.lower()))
def test_a_column_of_fields_is_read_as_decimals(text: str) -> None:
    raw = f"x{text}y".encode()
    mantissas, exponents = np.zeros(1, np.int64), np.zeros(1, np.int64)
    starts, stops = np.array([1]), np.array([1 + len(text)])
    assert scan_column(as_bytes(raw), starts, stops, mantissas, exponents) == -1
    assert exact(mantissas[0], exponents[0]) == Decimal(text)


def test_a_field_that_is_no_number_is_named_by_its_row() -> None:
    mantissas, exponents = np.zeros(2, np.int64), np.zeros(2, np.int64)
    raw = as_bytes(b"12.5nan")
    assert scan_column(raw, np.array([0, 4]), np.array([4, 7]), mantissas, exponents) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0.00000001", (1, -8)),
        (b"61737.63000000", (6173763, -2)),
        (b"100", (100, 0)),
        (b"-0.5", (-5, -1)),
        (b"0.000", (0, 0)),
        (b"1e-05", (1, -5)),
        (b"999999999999999999", (10**18 - 1, 0)),
    ],
)
def test_mantissa_and_exponent_keep_no_trailing_zero_of_the_fraction(
    text: bytes, expected: tuple[int, int]
) -> None:
    assert scan_decimal(as_bytes(text), 0, len(text)) == (len(text), *expected)


@pytest.mark.parametrize(
    "text", [b"", b".", b"-", b"abc", b"1e", b"1e99", b"1" * (DIGITS_MAX + 1), b"0." + b"1" * 19]
)
def test_what_is_no_number_or_too_long_is_a_fault(text: bytes) -> None:
    position, _, _ = scan_decimal(as_bytes(text or b" "), 0, len(text))
    assert position < 0


def test_a_number_that_exceeds_64_bits_beside_fine_ones_is_a_fault() -> None:
    units = np.zeros(2, np.int64)
    assert fill_units(np.array([10**17, 1]), np.array([0, -8]), 8, units) == 0


def test_no_row_is_written_past_the_end_of_the_columns() -> None:
    row, fault, _ = scan(b"[[1,1],[2,2],[3,3]]", rows=2)
    assert (row, fault) == (2, 14)


@pytest.mark.deep
def test_random_bytes_never_leave_the_arrays_in_a_bounds_checked_build() -> None:
    code = (
        "import numpy as np\n"
        "from headwater.storage.decimal_bytes import scan_levels\n"
        "random = np.random.default_rng(7)\n"
        "alphabet = np.frombuffer(b'[]\",.0123456789eE+- \\\\x', dtype=np.uint8)\n"
        "for _ in range(20000):\n"
        "    text = alphabet[random.integers(0, len(alphabet), random.integers(1, 40))]\n"
        "    columns = [np.zeros(3, np.int64) for _ in range(4)]\n"
        "    scan_levels(text, 0, len(text), *columns, 0)\n"
    )
    environment = {**os.environ, "HEADWATER_BOUNDSCHECK": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
