"""The obvious way to read levels: the standard JSON parser and Decimal."""

from __future__ import annotations

import json
from decimal import Decimal


def levels(text: str) -> list[tuple[Decimal, Decimal]]:
    """(price, size) of each level of a JSON array of arrays, with numbers quoted or not."""
    rows = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return [(Decimal(row[0]), Decimal(row[1])) for row in rows]


def units(numbers: list[Decimal], decimals: int) -> list[int]:
    """Each number in units of ten to the minus `decimals`; they must be whole."""
    scaled = [number.scaleb(decimals) for number in numbers]
    assert all(number == int(number) for number in scaled)
    return [int(number) for number in scaled]


def common_step(values: list[int]) -> int:
    """The largest step of which every value is a multiple, by trying all of them; 0 when all are zero."""
    largest = max((abs(value) for value in values), default=0)
    return next((step for step in range(largest, 0, -1) if all(value % step == 0 for value in values)), 0)
