"""Orders as kernels and people see them: enums that enter compiled code, records of an order and a fill."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

import numpy as np


class Side(IntEnum):
    """Direction; the value is the sign of the position change."""

    BUY = 1
    SELL = -1


class OrderKind(IntEnum):
    """Order types of Bybit and Binance, under one name each."""

    MARKET = 0
    LIMIT = 1
    STOP_MARKET = 2
    STOP_LIMIT = 3
    TAKE_PROFIT_MARKET = 4
    TAKE_PROFIT_LIMIT = 5
    TRAILING_STOP = 6


class TimeInForce(IntEnum):
    """How long an order stays: until cancelled, at once in part, at once in full, until a date."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3


class OrderFlag(IntFlag):
    """Instructions that combine with any kind and time in force."""

    POST_ONLY = 1
    REDUCE_ONLY = 2
    CLOSE_ON_TRIGGER = 4
    RETAIL_PRICE_IMPROVEMENT = 8  # meets retail takers only; with POST_ONLY


class TriggerBy(IntEnum):
    """The price that arms a stop, take-profit or trailing order."""

    LAST = 0
    MARK = 1
    INDEX = 2


class PositionSide(IntEnum):
    """One-way (BOTH) or the leg of a hedge-mode position."""

    BOTH = 0
    LONG = 1
    SHORT = 2


class OrderStatus(IntEnum):
    """Life cycle as one side (trader or venue) knows it."""

    NONE = 0
    PENDING_NEW = 1
    UNTRIGGERED = 2
    NEW = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELED = 6
    REJECTED = 7
    EXPIRED = 8


class Reason(IntEnum):
    """Why a request was refused or an order ended; NONE when nothing went wrong."""

    NONE = 0
    POST_ONLY_WOULD_TAKE = 1
    RATE_LIMIT = 2
    REDUCE_ONLY = 3
    INSUFFICIENT_MARGIN = 4
    OFF_GRID = 5
    PRICE_BAND = 6
    SIZE_LIMIT = 7
    MIN_NOTIONAL = 8
    ORDER_NOT_FOUND = 9
    NO_LIQUIDITY = 10
    FILL_OR_KILL = 11
    IMMEDIATE_OR_CANCEL = 12
    GTD_EXPIRED = 13
    TRIGGER_WOULD_FIRE = 14
    BY_USER = 15
    BY_LIQUIDATION = 16
    NOT_TRADING = 17
    AMEND_BELOW_FILLED = 18
    PROTECTIVE_PRICE = 19
    TOO_MANY_ORDERS = 20
    POSITION_MODE = 21


class FillKind(IntEnum):
    """What moved the position."""

    TRADE = 0
    LIQUIDATION = 1
    DELIVERY = 2


FILL_DTYPE: Final = np.dtype(
    [
        ("ts_venue", "i8"),  # UTC ns, when it was matched
        ("ts_local", "i8"),  # UTC ns, when the trader learned of it
        ("order", "i8"),  # client order number, rising from 0 within the run
        ("price", "i8"),  # ticks
        ("size", "i8"),  # lots, > 0
        ("fee", "i8"),  # money units of the settle currency; > 0 paid, < 0 rebate
        ("cash", "i8"),  # money units: change of cash without the fee
        ("instrument", "u4"),
        ("side", "i1"),
        ("is_maker", "u1"),
        ("kind", "u1"),  # FillKind
        ("position_side", "u1"),
        # what the market was at the trader when it heard of the fill, for the split of P&L
        ("bid", "i8"),  # ticks, NO_PRICE if none
        ("ask", "i8"),
    ],
    align=True,
)

ORDER_LOG_DTYPE: Final = np.dtype(
    [
        ("ts", "i8"),  # UTC ns at the trader
        ("ts_venue", "i8"),  # UTC ns at the venue, 0 while it has not seen the request
        ("order", "i8"),
        ("price", "i8"),  # ticks; NO_PRICE for market orders
        ("size", "i8"),  # lots
        ("filled", "i8"),  # lots, cumulative
        ("trigger", "i8"),  # ticks; NO_PRICE without a trigger
        ("queue_ahead", "f8"),  # size ahead at the venue in units of the instrument, NaN when not resting
        ("instrument", "u4"),
        ("strategy", "u2"),
        ("event", "u1"),  # OrderLogEvent
        ("status", "u1"),
        ("reason", "u1"),
        ("side", "i1"),
        ("kind", "u1"),
        ("time_in_force", "u1"),
        ("flags", "u1"),
    ],
    align=True,
)


class OrderLogEvent(IntEnum):
    """What a row of the order log records."""

    SUBMIT = 1
    AMEND = 2
    CANCEL = 3
    REPORT = 4
