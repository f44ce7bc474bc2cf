"""Liquidation, judged at every new mark price, in the steps of Bybit.

When the margin balance is down to the maintenance margin:

1. open orders are cancelled: of the instrument (ISOLATED) or of the account (CROSS);
2. a position above the lowest tier is reduced into the next lower one by an immediate-or-cancel order at
   the market, no further than its bankruptcy price, tier by tier;
3. what remains is taken over at the bankruptcy price: the price at which closing it, with the taker fee,
   leaves nothing of the balance behind it.

After each step the account is judged anew, and nothing more happens once it is safe. CROSS: the balance
behind a position is its share of the account's balance in proportion to maintenance margin; the instrument
whose mark moved comes first, then the others in their order. ISOLATED: the balance behind a leg is the
margin it holds and its unrealised profit or loss; no other money is touched.

A loss beyond the balance (the mark jumped over the bankruptcy price) is the venue's insurance fund's: the
position is still taken over at its bankruptcy price, and a CROSS account is marked bankrupt.

Source: Bybit help centre, "Liquidation process (unified trading account)", "Bankruptcy price".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.book.side import side_size, side_update
from headwater.domain.event import NO_PRICE
from headwater.domain.order import PositionSide, Reason
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Bool, Int
from headwater.simulation.fees import fee_rate_e8
from headwater.simulation.kinds import ContractKind, MarginMode
from headwater.simulation.margin import (
    held_margin,
    leg_size,
    leg_value,
    maintenance_margin,
    margin_balance,
    margin_tier,
    purse,
    tier_cap,
    unrealised,
)
from headwater.simulation.money import fee_units, notional
from headwater.simulation.proportion import proportion
from headwater.simulation.report import forced_fill
from headwater.simulation.requests import cancel_all
from headwater.simulation.state import Sim
from headwater.simulation.take import crosses, venue_side

_NONE = int(MarginMode.NONE)
_CROSS = int(MarginMode.CROSS)
_SPOT = int(ContractKind.SPOT)
_INVERSE = int(ContractKind.INVERSE)
_BOTH = int(PositionSide.BOTH)
_LONG = int(PositionSide.LONG)
_SHORT = int(PositionSide.SHORT)
_BY_LIQUIDATION = int(Reason.BY_LIQUIDATION)
_E8 = 100_000_000


@kernel
def on_mark(sim: Sim, i: Int, ts: Int) -> None:
    """Judge the account of instrument `i` after its mark price changed; liquidate as far as needed."""
    if _judged(sim.instruments[i]) and not _is_safe(sim, i):
        _liquidate(sim, i, ts)


@kernel
def _judged(ins: Any) -> Bool:
    """Whether an instrument can be liquidated at all: tiers and a mark price are known."""
    return ins["contract"] != _SPOT and ins["margin_tiers_at"] >= 0 and ins["v_mark"] != NO_PRICE


@kernel
def _is_safe(sim: Sim, i: Int) -> Bool:
    mode = sim.accounts[sim.instruments[i]["account"]]["margin_mode"]
    if mode == _NONE:
        return True
    if mode == _CROSS:
        a = sim.instruments[i]["account"]
        needed = account_maintenance(sim, a)
        return needed == 0 or margin_balance(sim, a) > needed
    return _leg_is_safe(sim, i, 1) and _leg_is_safe(sim, i, -1)


@kernel
def _leg_is_safe(sim: Sim, i: Int, leg: Int) -> Bool:
    """ISOLATED: whether the margin behind a leg is above its maintenance margin."""
    if leg_size(sim.instruments[i], leg) == 0:
        return True
    return balance_behind(sim, i, leg) > leg_maintenance(sim, i, leg)


@kernel
def leg_maintenance(sim: Sim, i: Int, leg: Int) -> Int:
    """Maintenance margin of one leg at the mark, money units."""
    ins = sim.instruments[i]
    return maintenance_margin(ins, sim.tables, leg_value(ins, leg))


@kernel
def account_maintenance(sim: Sim, a: Int) -> Int:
    """Maintenance margin of all positions of account `a`, money units."""
    needed = np.int64(0)
    for j in range(len(sim.instruments)):
        if sim.instruments[j]["account"] == a:
            needed += leg_maintenance(sim, j, 1) + leg_maintenance(sim, j, -1)
    return needed


@kernel
def balance_behind(sim: Sim, i: Int, leg: Int) -> Int:
    """Money that answers for one leg, money units: see the module's description of CROSS and ISOLATED."""
    ins = sim.instruments[i]
    a = ins["account"]
    if sim.accounts[a]["margin_mode"] != _CROSS:
        return held_margin(sim, i, leg) + unrealised(ins, leg) + min(_free_wallet(sim, a), np.int64(0))
    needed = account_maintenance(sim, a)
    balance = margin_balance(sim, a)
    own = leg_maintenance(sim, i, leg)
    if needed == 0 or own == needed:
        return balance
    return proportion(balance, own, needed) if balance >= 0 else -proportion(-balance, own, needed)


@kernel
def _free_wallet(sim: Sim, a: Int) -> Int:
    """ISOLATED: what no position holds; negative only if fees and funding ate into what positions hold."""
    free = purse(sim, a)
    for j in range(len(sim.instruments)):
        if sim.instruments[j]["account"] == a and sim.instruments[j]["contract"] != _SPOT:
            free -= held_margin(sim, j, 1) + held_margin(sim, j, -1)
    return free


@kernel
def _liquidate(sim: Sim, i: Int, ts: Int) -> None:
    a = sim.instruments[i]["account"]
    count = len(sim.instruments)
    reach = count if sim.accounts[a]["margin_mode"] == _CROSS else 1
    closed = np.int64(0)
    for step in range(3):
        for ahead in range(reach):
            j = (i + ahead) % count
            if sim.instruments[j]["account"] == a:
                closed += _step(sim, step, j, ts)
    if closed > 0:
        sim.accounts[a]["liquidations"] += 1
    if purse(sim, a) < 0:
        sim.accounts[a]["bankrupt"] = 1


@kernel
def _step(sim: Sim, step: Int, i: Int, ts: Int) -> Int:
    """One of the three steps for one instrument; lots closed."""
    if step == 0:
        cancel_all(sim, i, _BY_LIQUIDATION, ts)
        return np.int64(0)
    closed = np.int64(0)
    if _judged(sim.instruments[i]):
        for leg in (1, -1):
            closed += _reduce(sim, i, leg, ts) if step == 1 else _take_over(sim, i, leg, ts)
    return closed


@kernel
def _must_close(sim: Sim, i: Int, leg: Int) -> Bool:
    if leg_size(sim.instruments[i], leg) == 0:
        return False
    if sim.accounts[sim.instruments[i]["account"]]["margin_mode"] == _CROSS:
        return not _is_safe(sim, i)
    return not _leg_is_safe(sim, i, leg)


@kernel
def _reduce(sim: Sim, i: Int, leg: Int, ts: Int) -> Int:
    """Step 2: tier by tier down; ends when safe, in the lowest tier, or when the market gives no more."""
    ins = sim.instruments[i]
    at = ins["margin_tiers_at"]
    closed = np.int64(0)
    while _must_close(sim, i, leg):
        value = leg_value(ins, leg)
        tier = margin_tier(sim.tables, at, value)
        if tier == 0:
            break
        size = leg_size(ins, leg)
        wanted = size - proportion(size, tier_cap(sim.tables, at, tier - 1), value)
        done = _close_at_market(sim, i, leg, wanted, _bankruptcy_price(sim, i, leg, ts), ts)
        closed += done
        if done < wanted:
            break
    return closed


@kernel
def _close_at_market(sim: Sim, i: Int, leg: Int, wanted: Int, limit: Int, ts: Int) -> Int:
    """Close up to `wanted` lots against the venue's book, no further than `limit` ticks; lots closed."""
    ins = sim.instruments[i]
    side = -leg
    opposite = venue_side(i, -side)
    done = np.int64(0)
    while done < wanted and crosses(limit, side, sim.sides[opposite]["best"]):
        key = sim.sides[opposite]["best"]
        size = wanted - done
        if not ins["no_partial_fill"]:
            there = side_size(sim.sides, sim.levels, opposite, key)
            size = min(size, there)
            side_update(sim.sides, sim.levels, opposite, key, there - size)
        forced_fill(sim, i, side, _leg_name(ins, leg), -side * key, size, ts)
        done += size
    return done


@kernel
def _leg_name(ins: Any, leg: Int) -> Int:
    if not ins["hedge_mode"]:
        return _BOTH
    return _LONG if leg > 0 else _SHORT


@kernel
def _take_over(sim: Sim, i: Int, leg: Int, ts: Int) -> Int:
    """Step 3: the venue takes a leg over at its bankruptcy price; lots closed."""
    if not _must_close(sim, i, leg):
        return np.int64(0)
    ins = sim.instruments[i]
    account = sim.accounts[ins["account"]]
    if account["margin_mode"] == _CROSS and margin_balance(sim, ins["account"]) < 0:
        account["bankrupt"] = 1
    size = leg_size(ins, leg)
    forced_fill(sim, i, -np.int64(leg), _leg_name(ins, leg), _bankruptcy_price(sim, i, leg, ts), size, ts)
    return size


@kernel
def _bankruptcy_price(sim: Sim, i: Int, leg: Int, ts: Int) -> Int:
    ins = sim.instruments[i]
    # a fill of nothing: enters the day, so that the rate asked for here is the one that will be charged
    taker_e8 = fee_rate_e8(sim, ins, ts, np.int64(0), False)
    return bankruptcy_price(ins, leg, balance_behind(sim, i, leg), taker_e8)


@kernel
def bankruptcy_price(ins: Any, leg: Int, balance: Int, taker_e8: Int) -> Int:
    """Price in ticks, at least 1, at which closing a leg with the taker fee costs just its `balance`.

    It is the worst tick at which nothing is owed (inverse contracts: within their rounding). No price is
    low enough for a short that owes more than its own value, nor high enough for such an inverse long: they
    close at one tick, and at the mark, and leave a debt.
    """
    value = leg_value(ins, leg)
    rate = max(taker_e8, np.int64(0))
    if (leg > 0) != (ins["contract"] == _INVERSE):
        # the close must receive this: exit - fee >= value - balance
        owed = max(value - balance, np.int64(0))
        exit_value = owed + proportion(owed, rate, _E8 - rate) + 2
    else:
        # the close may pay this: exit + fee <= value + balance
        exit_value = proportion(max(value + balance, np.int64(0)), _E8, _E8 + rate) - 1
    if ins["contract"] == _INVERSE:
        return _inverse_price(ins, leg, exit_value)
    return _linear_price(ins, leg, exit_value, balance, taker_e8)


@kernel
def _linear_price(ins: Any, leg: Int, exit_value: Int, balance: Int, taker_e8: Int) -> Int:
    """From a price that surely suffices to the last one that does; they are a few money units apart."""
    of_one_tick = leg_size(ins, leg) * ins["unit_value"]
    price = (exit_value + of_one_tick - 1) // of_one_tick if leg > 0 else exit_value // of_one_tick
    price = max(price, np.int64(1))
    while price > leg and left_over(ins, leg, price - leg, balance, taker_e8) >= 0:
        price -= leg
    return price


@kernel
def _inverse_price(ins: Any, leg: Int, exit_value: Int) -> Int:
    if exit_value <= 0:
        return ins["v_mark"] // ins["fine_per_tick"]
    of_one_tick = leg_size(ins, leg) * ins["inverse_value"]
    price = (of_one_tick + exit_value - 1) // exit_value if leg > 0 else of_one_tick // exit_value
    return max(price, np.int64(1))


@kernel
def left_over(ins: Any, leg: Int, price: Int, balance: Int, taker_e8: Int) -> Int:
    """What closing a leg at `price` ticks, with the fee, leaves of the `balance` behind it, money units."""
    exit_value = notional(ins, price, leg_size(ins, leg))
    gain = (exit_value - leg_value(ins, leg)) * leg
    if ins["contract"] == _INVERSE:
        gain = -gain
    return balance + gain - fee_units(exit_value, taker_e8)
