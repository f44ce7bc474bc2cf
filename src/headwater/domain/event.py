"""The market event: one fixed-width record for everything a venue publishes.

Every fact on the tape is one or more records of :data:`EVENT_DTYPE`. Records that belong to one venue message
are contiguous and only the last of them carries :attr:`EventFlag.LAST_IN_MESSAGE`.

What ``price`` and ``size`` mean, by kind (ticks and lots are those of the instrument's rules in force):

==================  ===============================  ==================================  =======================
kind                price                            size                                side
==================  ===============================  ==================================  =======================
BOOK_DELTA          level, ticks                     new size, lots; 0 removes           +1 bid, -1 ask
BOOK_SNAPSHOT       level, ticks                     size, lots                          +1 bid, -1 ask
BOOK_CLEAR          bound, ticks, or NO_PRICE        0                                   +1, -1, or 0 for both
TRADE               ticks                            lots                                aggressor: +1 buy, -1 sell
QUOTE               best price, ticks                lots                                +1 bid, -1 ask
BAR_OPEN            open, ticks                      number of trades (0 if unknown)     0
BAR_RANGE           high, ticks                      low, ticks                          0
BAR_CLOSE           close, ticks                     volume, lots                        0
FUNDING             rate in units of 1e-12           interval, seconds                   0
MARK_PRICE          price in units of 1e-8 quote     0                                   0
INDEX_PRICE         price in units of 1e-8 quote     0                                   0
OPEN_INTEREST       0                                base coin in units of 1e-8          0
LIQUIDATION         bankruptcy price, ticks          lots                                side of the liquidating order
STATUS              0                                :class:`VenueStatus`                0
GAP                 0                                messages lost, 0 when unknown       0
METRIC              value in units of 1e-8           0                                   0
==================  ===============================  ==================================  =======================

A bar is the three records BAR_OPEN, BAR_RANGE, BAR_CLOSE, contiguous. Its ``ts_local`` is the end of the bar, the
first instant at which all of it can be known; ``ts_venue`` of BAR_OPEN is the start of the bar, of the others its end.
A FUNDING record has ``ts_venue`` = the settlement instant and ``ts_local`` = when the rate was known.

A BOOK_CLEAR with a bound clears what the snapshot that follows covers: bids at or above it, asks at or below it.
After GAP a book is not to be trusted until the next BOOK_CLEAR of both sides (or of each side).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

EVENT_FORMAT_VERSION: Final = 1

EVENT_DTYPE: Final = np.dtype(
    [
        ("ts_local", "i8"),  # UTC ns, when we knew it
        ("ts_venue", "i8"),  # UTC ns, when it happened at the venue
        ("price", "i8"),
        ("size", "i8"),
        ("arrival", "i8"),  # one number per record, rising through tape and journal
        ("instrument", "u4"),  # index into the instruments of the reader
        ("kind", "u1"),
        ("side", "i1"),
        ("flags", "u1"),
        ("print_class", "u1"),
    ]
)

Events: TypeAlias = npt.NDArray[Any]
"""Array of :data:`EVENT_DTYPE`, shape (n,)."""

NO_PRICE: Final = -(2**63)
"""An unbounded BOOK_CLEAR, or the absence of a price."""

RATE_SCALE: Final = 10**12
FINE_PRICE_SCALE: Final = 10**8


class EventKind(IntEnum):
    """What a record says; the table is in the module docstring."""

    BOOK_DELTA = 1
    BOOK_SNAPSHOT = 2
    BOOK_CLEAR = 3
    TRADE = 4
    QUOTE = 5
    BAR_OPEN = 6
    BAR_RANGE = 7
    BAR_CLOSE = 8
    FUNDING = 9
    MARK_PRICE = 10
    INDEX_PRICE = 11
    OPEN_INTEREST = 12
    LIQUIDATION = 13
    STATUS = 14
    GAP = 15
    METRIC = 16


class EventFlag(IntFlag):
    """Bits of ``flags``. A record that only one side of the simulation sees has only that side's bit."""

    LAST_IN_MESSAGE = 1
    AT_VENUE = 2
    AT_LOCAL = 4


class PrintClass(IntEnum):
    """What sort of trade printed; only NORMAL and LIQUIDATION prints consume the visible queue."""

    NORMAL = 0
    RPI = 1
    BLOCK = 2
    LIQUIDATION = 3
    ADL = 4
    INSURANCE = 5


class VenueStatus(IntEnum):
    """Trading status of an instrument."""

    TRADING = 1
    HALTED = 2
    POST_ONLY = 3
    DELISTED = 4
