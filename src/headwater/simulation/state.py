"""The state of a simulation: flat records in preallocated arrays, so that a snapshot is a memory copy.

Two sides live in the same records and never read each other's fields: the *venue* (fields ``v_...``), which acts in the
order in which things happened, and the *trader* (fields ``l_...``, local), which acts in the order in which it learned of
them. Requests travel from one to the other in the ring ``requests``, reports come back in the ring ``reports``; both are
sorted by the time of arrival.

Money is counted in integer units of the settle currency (``money_scale`` units per coin), prices in ticks, sizes in lots.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from headwater.book.side import SIDE_DTYPE
from headwater.domain.bar import BAR_DTYPE, BAR_STATE_DTYPE
from headwater.domain.order import FILL_DTYPE, ORDER_LOG_DTYPE
from headwater.domain.sample import LATENCY_DTYPE, SAMPLE_DTYPE
from headwater.kernels.pools import Pools, pools_at

I64 = npt.NDArray[np.int64]

NO_HANDLE: Final = -1
FAR_FUTURE: Final = 2**62
"""A time that never comes, ns."""

CLOCK_DTYPE: Final = np.dtype(
    [
        # where both sides stand
        ("now", "i8"),  # UTC ns at the trader
        ("venue_now", "i8"),  # UTC ns at the venue
        ("local_row", "i8"),  # next row of the trader's events
        ("venue_row", "i8"),  # next row of the venue's events
        ("horizon", "i8"),  # the venue must not run past this instant
        ("tape_end", "i8"),  # UTC ns of the last event of both sides
        ("one_order", "u1"),  # trader and venue read the same array
        # wakes
        ("timer_ns", "i8"),  # interval, 0 = no timer
        ("next_timer", "i8"),
        ("wake_mask", "i8"),  # WakeKind bits that the strategy subscribed
        ("wake", "i8"),  # WakeKind of the wake being handled
        ("wake_instrument", "i8"),
        ("wakes", "i8"),  # count
        # rings and pools
        ("request_head", "i8"),
        ("request_tail", "i8"),
        ("report_head", "i8"),
        ("report_tail", "i8"),
        ("answering", "u1"),  # RequestKind that the venue acts on and has not answered yet
        ("answering_sent", "i8"),  # when it was sent, UTC ns
        ("free_order", "i8"),  # head of the free list
        ("next_number", "i8"),  # next client order number
        ("open_count", "i8"),  # entries of `open_orders`
        ("exposed", "i8"),  # instruments with a position that marks, margin or funding can move
        ("next_expiry", "i8"),  # first date of a good-till-date order at the venue
        ("venue_open", "i8"),  # orders resting or waiting for a trigger at the venue
        # logs
        ("fill_count", "i8"),
        ("log_count", "i8"),
        ("sample_count", "i8"),
        ("latency_count", "i8"),
        ("log_orders", "u1"),
        ("sample_ns", "i8"),
        ("next_sample", "i8"),
        # counters
        ("venue_events", "i8"),
        ("local_events", "i8"),
        ("requests_sent", "i8"),
        ("rejects", "i8"),
        ("fundings_missed", "i8"),  # settlements with a position but without a mark price
        # what stops a run
        ("fault", "i8"),  # FaultKind
        ("fault_instrument", "i8"),
        ("fault_value", "i8"),
        ("fault_intent", "i8"),
    ],
    align=True,
)

INSTRUMENT_DTYPE: Final = np.dtype(
    [
        # identity
        ("venue", "i8"),  # row of VENUE_DTYPE
        ("account", "i8"),  # row of ACCOUNT_DTYPE
        ("contract", "i8"),  # ContractKind
        ("source", "i8"),  # PriceSource: what the data lets the venue know of prices
        # rules in force
        (
            "unit_value",
            "i8",
        ),  # linear, spot: money units of one lot for one tick; inverse: see `inverse_value`
        ("inverse_value", "i8"),  # inverse: money units (of the base coin) of one lot at a price of one tick
        ("lots_per_unit", "f8"),  # lots in one unit of size, e.g. 1000 for a lot of 0.001
        ("tick_size", "f8"),  # quote currency, for what people read
        (
            "ticks_per_unit",
            "f8",
        ),  # 1 / tick_size where that is whole, else 0: dividing rounds once, as text does
        ("fine_per_tick", "i8"),  # units of 1e-8 quote in one tick, for mark and index prices
        ("size_min", "i8"),
        ("size_max", "i8"),
        ("size_market_max", "i8"),
        ("notional_min", "i8"),  # money units
        ("band_up_e8", "i8"),  # largest distance of a buy limit above the reference price, 1e-8; 0 = none
        ("band_down_e8", "i8"),
        ("protective_e8", "i8"),  # market orders are IOC limits this far from the touch, 1e-8; 0 = none
        ("orders_max", "i8"),
        ("price_step", "i8"),  # ticks of the tape in one tick of the venue's order grid
        ("size_step", "i8"),
        ("maker_e8", "i8"),  # fee rates in force, 1e-8; negative = rebate
        ("taker_e8", "i8"),
        ("fee_tiers_at", "i8"),  # offset into `tables`, see fees.py; -1 = one tier
        ("margin_tiers_at", "i8"),  # offset into `tables`, see margin.py; -1 = no margin model
        ("status", "i8"),  # VenueStatus
        # behaviour of the venue
        ("kinds_mask", "i8"),  # one bit per OrderKind that the venue takes
        ("flags_mask", "i8"),  # OrderFlag bits that it takes
        ("triggers_mask", "i8"),  # one bit per TriggerBy that it watches
        ("has_gtd", "u1"),
        ("decrease_keeps_queue", "u1"),
        ("amend_below_filled_cancels", "u1"),  # else such an amendment is refused
        ("reduce_only_rejects", "u1"),  # else shrink or cancel
        ("hedge_mode", "u1"),
        ("has_mark", "u1"),
        ("has_index", "u1"),
        # models
        ("no_partial_fill", "u1"),  # compatibility: fills are whole, taking leaves no trace
        ("queue_model", "i8"),  # QueueModel
        ("queue_power", "f8"),
        ("bar_fill_at_close", "u1"),  # bars: a market order that arrives with the close fills at the close
        ("slippage_e8", "i8"),  # bars: half spread paid by takers, 1e-8 of the price
        ("impact_model", "i8"),  # ImpactModel
        ("impact_a", "f8"),
        ("impact_b", "f8"),
        # venue
        ("v_last", "i8"),  # last trade, ticks, NO_PRICE before the first
        ("v_mark", "i8"),  # units of 1e-8 quote, NO_PRICE
        ("v_index", "i8"),
        ("v_buy_head", "i8"),  # own resting orders, best price first
        ("v_sell_head", "i8"),
        ("v_buy_mask", "i8"),  # one bit per price modulo 64: no bit, no own order at that price
        ("v_sell_mask", "i8"),
        ("v_trigger_head", "i8"),  # own orders that wait for a trigger
        ("v_orders", "i8"),  # resting and waiting
        ("v_long", "i8"),  # lots; one-way mode uses v_long - v_short as the net with one of them zero
        ("v_short", "i8"),
        ("v_long_value", "i8"),  # money units paid for the open lots, entry value
        ("v_short_value", "i8"),
        ("v_bar_start", "i8"),  # UTC ns
        ("v_bar_ts", "i8"),  # end of the last bar, UTC ns
        ("v_bar_open", "i8"),
        ("v_bar_high", "i8"),
        ("v_bar_low", "i8"),
        ("v_volume_day", "i8"),  # bucket of the rolling volume in use
        ("v_exposed", "u1"),  # holds a position that marks and funding can move
        # trader
        ("l_position", "i8"),  # lots, signed
        ("l_long", "i8"),
        ("l_short", "i8"),
        ("l_cash", "i8"),  # money units, cumulative
        ("l_fee", "i8"),
        ("l_funding", "i8"),
        ("l_working", "i8"),
        ("l_last", "i8"),
        ("l_last_size", "i8"),
        ("l_last_side", "i8"),
        ("l_mark", "i8"),
        ("l_index", "i8"),
        ("l_funding_rate", "i8"),
        ("l_bid_seen", "i8"),  # BBO at the last BBO wake, ticks
        ("l_ask_seen", "i8"),
        ("l_bar_open", "i8"),
        ("l_bar_high", "i8"),
        ("l_bar_low", "i8"),
        ("l_bar_close", "i8"),
        ("l_bar_volume", "i8"),
        ("l_bar_start", "i8"),
        ("l_trusted", "u1"),  # the trader's book is whole
        ("bar_builder", "i8"),  # row of the bar states that fold trades into bars, -1 = none
    ],
    align=True,
)

ORDER_DTYPE: Final = np.dtype(
    [
        ("number", "i8"),  # client order number
        ("instrument", "i8"),
        ("price", "i8"),  # ticks as the trader last asked; NO_PRICE for market orders
        ("size", "i8"),  # lots as the trader last asked
        ("trigger", "i8"),  # ticks (last) or units of 1e-8 (mark, index); NO_PRICE
        ("trail", "i8"),  # distance in ticks, 0
        ("expire", "i8"),  # UTC ns
        ("ts_sent", "i8"),  # UTC ns at the trader
        ("strategy", "i4"),
        ("side", "i1"),
        ("kind", "u1"),
        ("time_in_force", "u1"),
        ("flags", "u1"),
        ("trigger_by", "u1"),
        ("position_side", "u1"),
        # trader
        ("l_status", "u1"),
        ("l_pending", "u1"),  # RequestKind in flight
        ("l_price", "i8"),
        ("l_filled", "i8"),
        ("open_at", "i8"),  # index in `open_orders`
        # venue
        ("v_status", "u1"),
        ("v_price", "i8"),
        ("v_size", "i8"),
        ("v_filled", "i8"),
        ("v_front", "f8"),  # size ahead in the queue, units (not lots)
        ("v_traded", "f8"),  # traded at the level since the last depth update, units
        ("v_trigger", "i8"),  # moves with a trailing stop
        ("next", "i8"),
        ("previous", "i8"),
    ],
    align=True,
)

MESSAGE_DTYPE: Final = np.dtype(
    [
        ("ts", "i8"),  # arrival, UTC ns
        ("ts_venue", "i8"),  # reports: when the venue acted
        ("order", "i8"),  # handle; -1 for a report that belongs to no order
        ("number", "i8"),
        ("price", "i8"),  # requests: new price; reports: fill price
        ("size", "i8"),  # requests: new size; reports: fill size
        ("filled", "i8"),  # reports: cumulative
        ("cash", "i8"),
        ("fee", "i8"),
        ("queue_ahead", "f8"),  # reports: size ahead at the venue, units; NaN for an order that never rested
        ("instrument", "i8"),
        ("ts_sent", "i8"),  # of the request; reports: of the request that is answered, 0 without one
        ("kind", "u1"),  # RequestKind or ReportKind
        ("answers", "u1"),  # reports: RequestKind that this is the answer to, NONE for what nobody asked
        ("status", "u1"),
        ("reason", "u1"),
        ("is_maker", "u1"),
        ("fill_kind", "u1"),
        ("side", "i1"),
        ("position_side", "u1"),
    ],
    align=True,
)

ACCOUNT_DTYPE: Final = np.dtype(
    [
        ("wallet", "i8"),  # money units: start + realised cash flows - fees + funding; what the venue knows
        ("margin_mode", "i8"),  # MarginMode
        ("leverage", "i8"),  # times 100
        ("liquidations", "i8"),
        ("funding", "i8"),  # cumulative, > 0 received
        ("bankrupt", "u1"),
    ],
    align=True,
)

VENUE_DTYPE: Final = np.dtype(
    [
        ("latency_model", "i8"),  # LatencyModel
        ("entry_ns", "i8"),
        ("response_ns", "i8"),
        ("log_mean", "f8"),
        ("log_sigma", "f8"),
        ("memory_ns", "f8"),  # correlation time of bursts
        ("burst_state", "f8"),
        ("burst_ts", "i8"),
        ("series_at", "i8"),  # measured: offset into `tables`
        ("series_rows", "i8"),
        ("series_row", "i8"),
        ("random", "u8"),  # state of the generator
        ("last_request", "i8"),  # arrivals stay in order on one connection
        ("last_report", "i8"),
        ("rate_limit", "i8"),  # orders per window, 0 = none
        ("rate_window_ns", "i8"),
        ("rate_at", "i8"),  # ring of arrival times in `tables`
        ("rate_next", "i8"),
        ("cancels_count", "u1"),  # cancels use the same allowance
    ],
    align=True,
)


class Sim(Pools):
    """All arrays of one simulation, in one argument."""

    clock: Any
    instruments: Any
    sides: Any
    levels: I64
    orders: Any
    open_orders: I64
    requests: Any
    reports: Any
    venues: Any
    accounts: Any
    tables: I64
    fills: Any
    order_log: Any
    samples: Any
    latencies: Any
    bar_states: Any
    bars: Any

    FIELDS: ClassVar[dict[str, np.dtype[Any]]] = {
        "clock": CLOCK_DTYPE,  # (1,)
        "instruments": INSTRUMENT_DTYPE,  # (n,)
        "sides": SIDE_DTYPE,  # (4 n,): trader's bid and ask, venue's bid and ask of each instrument
        "levels": np.dtype(np.int64),  # pool of the sides
        "orders": ORDER_DTYPE,  # (capacity,)
        "open_orders": np.dtype(np.int64),  # handles of the orders that the trader holds to be open
        "requests": MESSAGE_DTYPE,  # ring
        "reports": MESSAGE_DTYPE,  # ring
        "venues": VENUE_DTYPE,
        "accounts": ACCOUNT_DTYPE,
        "tables": np.dtype(np.int64),  # fee and margin tiers, rate rings, latency series
        "fills": FILL_DTYPE,
        "order_log": ORDER_LOG_DTYPE,
        "samples": SAMPLE_DTYPE,
        "latencies": LATENCY_DTYPE,
        "bar_states": BAR_STATE_DTYPE,  # what trades are folded into
        "bars": BAR_DTYPE,  # the last complete bar of each state
    }


sim_at = pools_at(Sim)
"""From the address of a simulation to it, inside compiled code."""
