"""Grids: the common one of several, and events moved onto it, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import HeadwaterError
from headwater.domain.event import NO_PRICE, EventKind, Events
from headwater.tape.order import I64

TICK_PRICES: Final = (
    EventKind.BOOK_DELTA,
    EventKind.BOOK_SNAPSHOT,
    EventKind.BOOK_CLEAR,
    EventKind.TRADE,
    EventKind.QUOTE,
    EventKind.BAR_OPEN,
    EventKind.BAR_RANGE,
    EventKind.BAR_CLOSE,
    EventKind.LIQUIDATION,
)
"""Kinds whose ``price`` counts ticks; so does the ``size`` of BAR_RANGE."""

LOT_SIZES: Final = (
    EventKind.BOOK_DELTA,
    EventKind.BOOK_SNAPSHOT,
    EventKind.TRADE,
    EventKind.QUOTE,
    EventKind.BAR_CLOSE,
    EventKind.LIQUIDATION,
)
"""Kinds whose ``size`` counts lots."""


def common_step(steps: Iterable[Decimal]) -> Decimal:
    """The greatest step of which every one of `steps` is a whole multiple."""
    fractions = [Fraction(step) for step in set(steps)]
    if not fractions or min(fractions) <= 0:
        raise ValueError(f"expected at least one step, all above zero, found {fractions}")
    denominator = 1
    for fraction in fractions:
        denominator = denominator * fraction.denominator // gcd(denominator, fraction.denominator)
    numerator = gcd(*(int(fraction * denominator) for fraction in fractions))
    return (Decimal(numerator) / Decimal(denominator)).normalize()


def rescale(events: Events, tick_factor: int, lot_factor: int) -> None:
    """Multiply prices in ticks and sizes in lots, in place; both factors are whole and at least 1.

    Raises
    ------
    HeadwaterError : a price or size would no longer fit into 64 bits
    """
    if tick_factor != 1:
        at_price = np.isin(events["kind"], TICK_PRICES) & (events["price"] != NO_PRICE)
        _multiply(events["price"], at_price, tick_factor)
        _multiply(events["size"], events["kind"] == EventKind.BAR_RANGE, tick_factor)
    if lot_factor != 1:
        _multiply(events["size"], np.isin(events["kind"], LOT_SIZES), lot_factor)


def _multiply(values: I64, where: npt.NDArray[np.bool_], factor: int) -> None:
    limit = (2**63 - 1) // factor
    chosen = values[where]
    if len(chosen) and (int(chosen.max()) > limit or int(chosen.min()) < -limit):
        raise HeadwaterError(
            f"expected prices and sizes within {limit} steps to refine a grid {factor} times, "
            f"found {max(int(chosen.max()), -int(chosen.min()))}; replay the coarse and the fine part apart"
        )
    values[where] = chosen * factor
