"""Margin: what positions and orders need, and what an account has.

A tier table in ``tables`` at ``margin_tiers_at``::

    [0]            number of tiers, at least 1
    then per tier  notional cap (money units; the largest int64 when there is no upper end),
                   initial rate (1e-8), maintenance rate (1e-8), deduction (money units); caps ascending

A position of `value` is in the first tier whose cap it does not exceed, beyond the last cap in the last::

    initial margin      value * max(initial rate, 1 / leverage)      leverage 0: the tier's own
    maintenance margin  value * maintenance rate - deduction         >= 0

* CROSS: positions are valued at the mark, and unrealised profit and loss count. All of the account pays.
* ISOLATED: positions are valued at entry, and hold the initial margin of their entry value. Orders are paid
  from what no position holds; a profit counts once it is realised.
* SPOT: what was paid for coins is not there any more, and coins are no collateral: buys are paid from the
  quote balance, sells from the coins held.

Orders of one instrument need margin for the worse of the two sides to which they can lead; in hedge mode
both legs do. Reduce-only orders need none. Stops and take-profits need theirs from the moment at which they
are accepted, as if they were resting (venues ask when they trigger): so whatever was accepted can be
executed. Fees to close are not reserved.

Until the first mark price a position is valued at entry: never at the last price.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.book.side import NO_KEY
from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderFlag, PositionSide, TriggerBy
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.kinds import ContractKind, MarginMode, PriceSource
from headwater.simulation.money import fee_units, fine_notional, notional
from headwater.simulation.state import I64, NO_HANDLE, Sim

TIER_COLUMNS: Final = 4

_NONE = int(MarginMode.NONE)
_CROSS = int(MarginMode.CROSS)
_SPOT = int(ContractKind.SPOT)
_INVERSE = int(ContractKind.INVERSE)
_REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)
_LONG = int(PositionSide.LONG)
_SHORT = int(PositionSide.SHORT)
_LAST = int(TriggerBy.LAST)
_TRADES = int(PriceSource.TRADES)
_E8 = 100_000_000
_LEVERAGE_SCALE = 100


@kernel
def affords(sim: Sim, order: Any) -> Bool:
    """Whether the account can pay for an order that is in none of its lists, beside all that it has.

    The order counts with what is left of it at the venue (``v_size - v_filled`` at ``v_price``), so that a
    new, an amended and a triggered order are judged alike. One that adds nothing to what its instrument
    needs is always afforded: an account that is short of margin can still close. A position may not grow
    beyond the last tier.
    """
    i = order["instrument"]
    ins = sim.instruments[i]
    account = sim.accounts[ins["account"]]
    if account["margin_mode"] == _NONE or (order["flags"] & _REDUCE_ONLY) != 0:
        return True
    if ins["contract"] == _SPOT and order["side"] < 0:
        return _working_lots(sim, i, -1) + order["v_size"] - order["v_filled"] <= ins["v_long"]
    value = order_value(sim, order)
    if _side_value(sim, i, order, value) > greatest_notional(ins, sim.tables):
        return False
    needed = _needed(sim, i, order, value)
    if needed <= _needed(sim, i, order, np.int64(0)):
        return True
    needed += fee_units(value, ins["taker_e8"])
    for j in range(len(sim.instruments)):
        if j != i and sim.instruments[j]["account"] == ins["account"]:
            needed += _needed(sim, j, order, np.int64(0))
    return needed <= purse(sim, ins["account"])


@kernel
def purse(sim: Sim, a: Int) -> Int:
    """What account `a` can pay margin with, money units. ISOLATED: its wallet less what coins have cost."""
    if sim.accounts[a]["margin_mode"] == _CROSS:
        return margin_balance(sim, a)
    return sim.accounts[a]["wallet"] - _paid_for_coins(sim, a)


@kernel
def margin_balance(sim: Sim, a: Int) -> Int:
    """Wallet and unrealised profit and loss of account `a` less what coins have cost, money units."""
    balance = sim.accounts[a]["wallet"] - _paid_for_coins(sim, a)
    for j in range(len(sim.instruments)):
        ins = sim.instruments[j]
        if ins["account"] == a and ins["contract"] != _SPOT:
            balance += unrealised(ins, 1) + unrealised(ins, -1)
    return balance


@kernel
def _paid_for_coins(sim: Sim, a: Int) -> Int:
    paid = np.int64(0)
    for j in range(len(sim.instruments)):
        ins = sim.instruments[j]
        if ins["account"] == a and ins["contract"] == _SPOT:
            paid += ins["v_long_value"]
    return paid


@kernel
def leg_size(ins: Any, leg: Int) -> Int:
    """Lots of the long (`leg` > 0) or the short position."""
    return ins["v_long"] if leg > 0 else ins["v_short"]


@kernel
def entry_value(ins: Any, leg: Int) -> Int:
    """What a leg was worth when it was opened, money units."""
    return ins["v_long_value"] if leg > 0 else ins["v_short_value"]


@kernel
def leg_value(ins: Any, leg: Int) -> Int:
    """What a leg is worth at the mark, money units; before the first mark price: at entry."""
    if ins["v_mark"] == NO_PRICE:
        return entry_value(ins, leg)
    return fine_notional(ins, ins["v_mark"], leg_size(ins, leg))


@kernel
def unrealised(ins: Any, leg: Int) -> Int:
    """Profit or loss of closing a leg at the mark, without fees, money units."""
    gain = (leg_value(ins, leg) - entry_value(ins, leg)) * np.int64(leg)
    return -gain if ins["contract"] == _INVERSE else gain


@kernel
def margin_tier(tables: I64, at: Int, value: Int) -> Int:
    """Number of the tier, from 0, of a position of `value` money units."""
    last = tables[at] - 1
    tier = np.int64(0)
    while tier < last and value > tables[at + 1 + TIER_COLUMNS * tier]:
        tier += 1
    return tier


@kernel
def tier_cap(tables: I64, at: Int, tier: Int) -> Int:
    """Greatest notional of a tier, money units."""
    return tables[at + 1 + TIER_COLUMNS * tier]


@kernel
def greatest_notional(ins: Any, tables: I64) -> Int:
    """Greatest position that the venue allows, money units; the largest int64 when no tiers are known."""
    at = ins["margin_tiers_at"]
    if at < 0:
        return np.int64(0x7FFF_FFFF_FFFF_FFFF)
    return tier_cap(tables, at, tables[at] - 1)


@kernel
def initial_margin(ins: Any, tables: I64, leverage: Int, value: Int) -> Int:
    """Margin to open a position of `value` money units at `leverage` (times 100); at most `value`."""
    if value <= 0:
        return np.int64(0)
    rate = _rate_of(ins, leverage)
    at = ins["margin_tiers_at"]
    if at >= 0:
        rate = max(rate, tables[at + 2 + TIER_COLUMNS * margin_tier(tables, at, value)])
    return fee_units(value, rate)


@kernel
def _rate_of(ins: Any, leverage: Int) -> Int:
    """``1 / leverage`` in 1e-8, rounded up; with no leverage chosen the tier decides, or all must be paid."""
    if leverage > 0:
        return min((_E8 * _LEVERAGE_SCALE + leverage - 1) // leverage, np.int64(_E8))
    return np.int64(0) if ins["margin_tiers_at"] >= 0 else np.int64(_E8)


@kernel
def maintenance_margin(ins: Any, tables: I64, value: Int) -> Int:
    """Margin at which a position of `value` money units is liquidated; 0 for coins and without tiers."""
    at = ins["margin_tiers_at"]
    if at < 0 or value <= 0 or ins["contract"] == _SPOT:
        return np.int64(0)
    row = at + 1 + TIER_COLUMNS * margin_tier(tables, at, value)
    return max(fee_units(value, tables[row + 2]) - tables[row + 3], np.int64(0))


@kernel
def held_margin(sim: Sim, i: Int, leg: Int) -> Int:
    """ISOLATED: what a leg holds of the wallet, and all that it can lose, money units."""
    ins = sim.instruments[i]
    leverage = sim.accounts[ins["account"]]["leverage"]
    return initial_margin(ins, sim.tables, leverage, entry_value(ins, leg))


@kernel
def order_value(sim: Sim, order: Any) -> Int:
    """Worth of what is left of an order, money units; 0 while nothing says what it would pay."""
    price = _price_of(sim, order)
    if price == NO_PRICE:
        return np.int64(0)
    return notional(sim.instruments[order["instrument"]], price, order["v_size"] - order["v_filled"])


@kernel
def _price_of(sim: Sim, order: Any) -> Int:
    """What an order may have to pay, ticks: a buy its limit, a sell the better of its limit and the bid."""
    price = order["v_price"]
    if price != NO_PRICE and order["side"] > 0:
        return price
    if price == NO_PRICE and order["trigger"] != NO_PRICE:
        ins = sim.instruments[order["instrument"]]
        return order["trigger"] if order["trigger_by"] == _LAST else order["trigger"] // ins["fine_per_tick"]
    return max(price, _touch(sim, order["instrument"], order["side"]))


@kernel
def _touch(sim: Sim, i: Int, side: Int) -> Int:
    """What a market order of `side` would first meet, ticks: the book, else the last trade."""
    if sim.instruments[i]["source"] >= _TRADES:
        return sim.instruments[i][
            "v_last"
        ]  # without a book the venue's sides only hold what was last executed
    key = sim.sides[4 * i + 2 + (1 + np.int64(side)) // 2]["best"]
    return sim.instruments[i]["v_last"] if key == NO_KEY else -np.int64(side) * key


@kernel
def _counts(order: Any, side: Int) -> Bool:
    """Whether an order could open or turn a position to `side`."""
    if order["side"] != side or (order["flags"] & _REDUCE_ONLY) != 0:
        return False
    return order["position_side"] != (_SHORT if side > 0 else _LONG)


@kernel
def _working_value(sim: Sim, i: Int, side: Int) -> Int:
    """Worth of all orders at the venue that could lead to a position of `side`."""
    ins = sim.instruments[i]
    value = np.int64(0)
    for of_waiting in range(2):
        handle = (
            ins["v_trigger_head"] if of_waiting else ins["v_buy_head"] if side > 0 else ins["v_sell_head"]
        )
        while handle != NO_HANDLE:
            order = sim.orders[handle]
            if _counts(order, side):
                value += order_value(sim, order)
            handle = order["next"]
    return value


@kernel
def _working_lots(sim: Sim, i: Int, side: Int) -> Int:
    """Lots that all orders of `side` at the venue have left, reduce-only ones too."""
    ins = sim.instruments[i]
    lots = np.int64(0)
    for of_waiting in range(2):
        handle = (
            ins["v_trigger_head"] if of_waiting else ins["v_buy_head"] if side > 0 else ins["v_sell_head"]
        )
        while handle != NO_HANDLE:
            order = sim.orders[handle]
            if order["side"] == side:
                lots += order["v_size"] - order["v_filled"]
            handle = order["next"]
    return lots


@kernel
def _side_value(sim: Sim, i: Int, order: Any, value: Int) -> Int:
    """Worth of the position to which all orders on the side of `order` would lead; 0 if it only closes."""
    side = np.int64(order["side"])
    if not _counts(order, side):
        return np.int64(0)
    ins = sim.instruments[i]
    reached = leg_value(ins, side) + _working_value(sim, i, side) + value
    return reached if ins["hedge_mode"] else reached - leg_value(ins, -side)


@kernel
def _needed(sim: Sim, i: Int, order: Any, value: Int) -> Int:
    """Initial margin of instrument `i` with its position, its orders and `order` worth `value` more."""
    ins = sim.instruments[i]
    longs = _working_value(sim, i, 1)
    if ins["contract"] == _SPOT:
        return longs + fee_units(longs, ins["taker_e8"]) + value
    longs += value if _counts(order, 1) else np.int64(0)
    shorts = _working_value(sim, i, -1) + (value if _counts(order, -1) else np.int64(0))
    account = sim.accounts[ins["account"]]
    at_mark = account["margin_mode"] == _CROSS
    long = leg_value(ins, 1) if at_mark else entry_value(ins, 1)
    short = leg_value(ins, -1) if at_mark else entry_value(ins, -1)
    leverage = account["leverage"]
    if ins["hedge_mode"]:
        longs += long
        shorts += short
        both = initial_margin(ins, sim.tables, leverage, longs)
        return both + initial_margin(ins, sim.tables, leverage, shorts)
    return initial_margin(ins, sim.tables, leverage, max(longs + long - short, shorts + short - long))
