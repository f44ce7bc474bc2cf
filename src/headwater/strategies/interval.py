"""Intervals as people write them: ``100ms``, ``1s``, ``5m``, ``1h``, ``1d``."""

from __future__ import annotations

import re
from typing import Final

from headwater.domain.errors import ConfigurationError

_UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_FORM: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)")


def parse_interval(text: str) -> int:
    """Nanoseconds of an interval such as ``100ms`` or ``1m``; ConfigurationError when it is none."""
    match = _FORM.fullmatch(text.strip())
    interval = round(float(match[1]) * _UNITS_NS[match[2]]) if match else 0
    if interval <= 0:
        raise ConfigurationError(f"an interval reads like 100ms, 1s, 5m, 1h or 1d, was {text!r}")
    return interval
