"""Whose and which: the identifiers and units that every order, fill and ledger row carries.

They are distinct to the type checker and plain ``int`` or ``str`` when running, so that they cost nothing.
"""

from __future__ import annotations

from typing import NewType

UnixNanos = NewType("UnixNanos", int)
"""UTC nanoseconds since 1970-01-01."""

Ticks = NewType("Ticks", int)
"""A price as a multiple of the instrument's tick size."""

Lots = NewType("Lots", int)
"""A size as a multiple of the instrument's lot size."""

InstrumentId = NewType("InstrumentId", str)
"""``<symbol>.<VENUE>``, e.g. ``BTCUSDT-PERP.BYBIT``."""

AccountId = NewType("AccountId", str)
SubAccountId = NewType("SubAccountId", str)
StrategyId = NewType("StrategyId", str)
RunId = NewType("RunId", str)

ClientOrderId = NewType("ClientOrderId", int)
"""Our number of an order, rising within a run; the venue sees prefix + incarnation + this number."""

VenueOrderId = NewType("VenueOrderId", str)
"""The venue's name for an order, opaque to us."""
