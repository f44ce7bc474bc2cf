"""The small closed sets that simulation records are made of."""

from __future__ import annotations

from enum import IntEnum


class ContractKind(IntEnum):
    """How price and size make money."""

    SPOT = 0
    LINEAR = 1
    INVERSE = 2


class PriceSource(IntEnum):
    """What the data lets the venue know of prices."""

    BOOK = 0
    QUOTES = 1
    TRADES = 2
    BARS = 3


class QueueModel(IntEnum):
    """Estimates of the place in the queue, see queue.py."""

    RISK_AVERSE = 0
    POWER = 1
    LOG = 2


class LatencyModel(IntEnum):
    """Order latency, see latency.py."""

    CONSTANT = 0
    LOG_NORMAL = 1
    MEASURED = 2


class ImpactModel(IntEnum):
    """Price impact of own taking beyond the book, see impact.py."""

    NONE = 0
    LINEAR = 1
    SQUARE_ROOT = 2
    ALMGREN_CHRISS = 3


class MarginMode(IntEnum):
    """Who pays for losses: nobody asks, the whole wallet, or the position's own margin."""

    NONE = 0
    CROSS = 1
    ISOLATED = 2


class ReportKind(IntEnum):
    """What the venue tells the trader."""

    ACK = 1
    FILL = 2
    CANCEL_REJECT = 3
    AMEND_REJECT = 4
    FUNDING = 5


class Stop(IntEnum):
    """Why the compiled loop handed back to Python."""

    END = 0
    WAKE = 1
    CHUNK = 2
    LOG_FULL = 3
    FAULT = 4


class FaultKind(IntEnum):
    """What ends a run at once, because silence would be a lie."""

    NONE = 0
    BAD_SIZE = 1
    BAD_PRICE = 2
    UNKNOWN_ORDER = 3
    BAD_INSTRUMENT = 4
    BAD_KIND = 5
    TOO_MANY_ORDERS = 6
    RING_FULL = 7
    NO_MARK_PRICE = 8
    NO_INDEX_PRICE = 9
    BOOK_OVERFLOW = 10
    TOO_MANY_INTENTS = 11
    OFF_GRID = 12
    NOT_OFFERED = 13
