"""What a strategy is shown at a wake: flat records of copies, the same for compiled strategies and for Python ones."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

import numpy as np


class WakeKind(IntFlag):
    """Why a strategy is called; the bits that it subscribes."""

    TIMER = 1
    BOOK = 2  # a message changed the book
    TRADE = 4
    BAR = 8
    FILL = 16
    REPORT = 32  # any answer of the venue
    EVENT = 64  # every record of the tape
    BBO = 128  # the best prices changed


class Reads(IntFlag):
    """What a strategy reads of its view beside time, wake, instrument, best prices, position, cash, fees, the
    number of open orders and the close of the last bar. What is not read is not copied: a wake then costs a fraction."""

    BAR = 1  # all of the bar that was completed last
    MARKET = 2  # sizes at the touch, last trade, marks, money, hedge legs, fills
    ORDERS = 4  # the rows of `orders`
    ALL = 7


VIEW_DTYPE: Final = np.dtype(
    [
        ("now", "i8"),  # UTC ns at the trader
        ("wake", "i8"),  # WakeKind
        ("instrument", "i8"),
        ("bid", "i8"),  # ticks, NO_PRICE if none
        ("ask", "i8"),
        ("bid_size", "i8"),  # lots
        ("ask_size", "i8"),
        ("position", "i8"),  # lots, signed
        ("long", "i8"),  # hedge mode
        ("short", "i8"),
        ("last", "i8"),  # last trade
        ("last_size", "i8"),
        ("last_side", "i8"),
        ("mark", "i8"),  # units of 1e-8 quote, NO_PRICE if none
        ("index", "i8"),
        ("funding_rate", "i8"),  # units of 1e-12, NO_PRICE before the first
        ("bar_start", "i8"),  # UTC ns
        ("bar_open", "i8"),
        ("bar_high", "i8"),
        ("bar_low", "i8"),
        ("bar_close", "i8"),
        ("bar_volume", "i8"),  # lots
        ("fill_order", "i8"),  # number of the order that was filled
        ("fill_price", "i8"),
        ("fill_size", "i8"),
        ("fill_side", "i8"),
        ("fill_is_maker", "i8"),
        ("bid_price", "f8"),  # quote currency, NaN if none; for Python strategies
        ("ask_price", "f8"),
        ("trusted", "i8"),  # the book is whole
        ("cash", "i8"),  # money units, cumulative, without fees and funding
        ("fee", "i8"),
        ("funding", "i8"),
        ("price_step", "i8"),  # ticks in one step of the venue's order prices
        ("size_step", "i8"),  # lots in one step of the venue's order sizes
        ("can_short", "i8"),  # 0 on spot, where only what is held can be sold
        ("lots_per_unit", "f8"),  # turns sizes as people write them into lots
        ("order_count", "i8"),  # rows of `orders` in use
        ("depth_levels", "i8"),  # levels a side wanted in `depth`
        ("intents_max", "i8"),  # rows of `outbox`
        ("grid_instrument", "i8"),  # instrument whose grid fields are shown, -1 = none yet
        ("intent_count", "i8"),  # rows of `outbox` in use; the strategy writes it
    ],
    align=True,
)

ORDER_VIEW_DTYPE: Final = np.dtype(
    [
        ("handle", "i8"),  # names the order in CANCEL and AMEND
        ("number", "i8"),  # client order number
        ("instrument", "i8"),
        ("price", "i8"),
        ("size", "i8"),  # lots asked
        ("filled", "i8"),
        ("side", "i8"),
        ("status", "i8"),  # OrderStatus as the trader knows it
        ("pending", "i8"),  # RequestKind in flight, 0 = none
        ("kind", "i8"),
        ("trigger", "i8"),
    ],
    align=True,
)
