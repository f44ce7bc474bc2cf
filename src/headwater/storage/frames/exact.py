"""Exact integers of single values: rates, mark and index prices, open interest, times as text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from headwater.domain.event import FINE_PRICE_SCALE, RATE_SCALE, EventKind
from headwater.storage.event_rows import code

MS: Final = 1_000_000
US: Final = 1_000
SECOND: Final = 1_000_000_000

FUNDING: Final = code(EventKind.FUNDING, 0)
MARK_PRICE: Final = code(EventKind.MARK_PRICE, 0)
INDEX_PRICE: Final = code(EventKind.INDEX_PRICE, 0)
OPEN_INTEREST: Final = code(EventKind.OPEN_INTEREST, 0)


def fine_units(value: str | int | float | Decimal) -> int:
    """A mark or index price, or an amount of base coin, in units of 1e-8; finer digits are rounded half to
    even.

    A float is taken as the decimal that it prints as: that is what stood in the message.
    """
    return _scaled(value, FINE_PRICE_SCALE)


def rate_units(value: str | int | float | Decimal) -> int:
    """A funding rate in units of 1e-12; finer digits are rounded half to even."""
    return _scaled(value, RATE_SCALE)


def _scaled(value: str | int | float | Decimal, scale: int) -> int:
    number = Decimal(str(value) if isinstance(value, float) else value)
    return int((number * scale).to_integral_value())


def iso_ns(text: str) -> int:
    """UTC nanoseconds of ``2026-08-09T21:05:48.483587501Z``: up to nine digits of a second, none lost."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * SECOND + int(fraction[:9].ljust(9, "0") or 0)
