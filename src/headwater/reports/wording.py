"""Numbers as people read them: money, shares, spans of time, moments; and nothing where there is nothing."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

NOTHING: Final = "n/a"

_MONEY_MIN: Final = 5e-11
"""Below half of the last decimal shown, an amount is a rounding error."""

_SPANS: Final = (
    (86_400e9, "d"),
    (3_600e9, "h"),
    (60e9, "min"),
    (1e9, "s"),
    (1e6, "ms"),
    (1e3, "us"),
)


def money(amount: float, currency: str = "", *, signed: bool = False) -> str:
    """An amount with as many decimals as its size deserves: ``1,234.56 USDT``, ``0.00001234 BTC``."""
    if not math.isfinite(amount):
        return NOTHING
    amount = 0.0 if abs(amount) < _MONEY_MIN else amount
    text = f"{amount:{'+' if signed and amount else ''},.{_decimals(amount)}f}"
    whole, _, part = text.partition(".")
    text = f"{whole}.{part.rstrip('0').ljust(2, '0')}" if part else whole
    return f"{text} {currency}".rstrip()


def _decimals(amount: float) -> int:
    size = abs(amount)
    if size >= 1e8:
        return 0
    if size == 0.0 or size >= 100.0:
        return 2
    return min(10, max(2, 3 - math.floor(math.log10(size))))


def compact(amount: float) -> str:
    """A signed amount in at most seven characters: ``-146.8k``."""
    if not math.isfinite(amount):
        return NOTHING
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:+.4g}{letter}"
    return f"{amount:+.4g}"


def number(value: float, decimals: int = 2) -> str:
    """A plain number with thousands separated."""
    return f"{value:,.{decimals}f}" if math.isfinite(value) else NOTHING


def count(value: int) -> str:
    """A whole number with thousands separated."""
    return f"{value:,}"


def percent(share: float, *, signed: bool = False) -> str:
    """A share as a percentage; small ones keep two significant digits."""
    if not math.isfinite(share):
        return NOTHING
    scaled = 100.0 * share
    decimals = 2 if scaled == 0.0 or abs(scaled) >= 0.1 else min(8, 1 - math.floor(math.log10(abs(scaled))))
    return f"{scaled:{'+' if signed else ''},.{decimals}f} %"


def bps(value: float) -> str:
    """Basis points with their sign."""
    return f"{value:+,.3f} bp" if math.isfinite(value) else NOTHING


def span(ns: float) -> str:
    """A span of time in the largest unit that is not below one: ``3.31 ms``, ``5.75 min``."""
    if not math.isfinite(ns):
        return NOTHING
    for unit, name in _SPANS:
        if abs(ns) >= unit:
            return f"{ns / unit:,.3g} {name}" if abs(ns) < 1000 * unit else f"{ns / unit:,.0f} {name}"
    return f"{ns:,.0f} ns"


def moment(ts: int) -> str:
    """A UTC time to the second: ``2024-08-08 23:54:15``."""
    return str(np.datetime64(ts // 1_000_000_000, "s")).replace("T", " ")


def in_unit(value: float, unit: str, *, signed: bool = False) -> str:
    """`value` by the unit of a figure: "count", "share", "ns", "bp", "ratio", "x", else a currency."""
    if not math.isfinite(value):
        return NOTHING
    sign = "+" if signed and value > 0 else ""
    if unit == "count":
        return sign + count(int(value))
    if unit == "share":
        return percent(value, signed=signed)
    if unit == "ns":
        return sign + span(value)
    if unit == "bp":
        return bps(value)
    if unit in ("ratio", "x"):
        return sign + number(value) + (" x" if unit == "x" else "")
    return money(value, unit, signed=signed)
