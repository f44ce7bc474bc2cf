"""The run's records as tables that any tool reads: integers as they were, and the same in people's units.

Columns in ticks, lots and money units keep the exact integers; the columns beside them carry the float value
in quote, base or settle currency. Times are UTC with nanoseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.domain.event import NO_PRICE
from headwater.domain.order import (
    FillKind,
    OrderKind,
    OrderLogEvent,
    OrderStatus,
    PositionSide,
    Reason,
    TimeInForce,
)
from headwater.reports.fill_values import HORIZONS_NS
from headwater.reports.returns import SECOND_NS
from headwater.reports.statistics import Statistics
from headwater.reports.valuation import F64, Records

if TYPE_CHECKING:
    from enum import IntEnum

    import pyarrow as pa


def equity_table(statistics: Statistics) -> pa.Table:
    """``ts, currency, equity, gross`` of every account."""
    import pyarrow as pa

    curves = [(account.currency, account.curve) for account in statistics.accounts]
    return pa.table(
        {
            "ts": _times(_joined([curve.ts for _, curve in curves], np.int64)),
            "currency": [currency for currency, curve in curves for _ in range(len(curve.ts))],
            "equity": _joined([curve.equity for _, curve in curves], np.float64),
            "gross": _joined([curve.gross for _, curve in curves], np.float64),
        },
        schema=pa.schema(
            [
                ("ts", pa.timestamp("ns", "UTC")),
                ("currency", pa.dictionary(pa.int32(), pa.string())),
                ("equity", pa.float64()),
                ("gross", pa.float64()),
            ]
        ),
    )


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate([*parts, np.empty(0, dtype)])


def trades_table(result: BacktestResult, statistics: Statistics) -> pa.Table:
    """One row per round trip (:data:`~headwater.reports.round_trips.ROUND_TRIP_DTYPE`)."""
    import pyarrow as pa

    trips = statistics.round_trips
    net = trips["profit"] - trips["fee"]
    return pa.table(
        {
            "instrument": _ids(result, trips),
            "side": _named({1: "long", -1: "short"}, trips["side"]),
            "position_side": _enumerated(PositionSide, trips["position_side"]),
            "entry_ts": _times(trips["entry_ts"]),
            "exit_ts": _times(trips["exit_ts"]),
            "is_open": trips["is_open"] == 1,
            "fills": _array(trips["fills"]),
            "size_lots": _array(trips["size"]),
            "size": trips["size"] * statistics.valuation.contracts["lot"][trips["instrument"]],
            "entry_price": _array(trips["entry_price"]),
            "exit_price": _array(trips["exit_price"]),
            "profit": _array(trips["profit"]),
            "fee": _array(trips["fee"]),
            "net_profit": net,
            "net_return": net / trips["entry_value"],
            "holding_ns": _array(trips["holding_ns"]),
        }
    )


def fills_table(result: BacktestResult, statistics: Statistics) -> pa.Table:
    """One row per fill, with its mark-outs in basis points (null where the samples do not say)."""
    import pyarrow as pa

    fills, contracts = result.fills, statistics.valuation.contracts[result.fills["instrument"]]
    columns: dict[str, Any] = {
        "ts_local": _times(fills["ts_local"]),
        "ts_venue": _times(fills["ts_venue"]),
        "instrument": _ids(result, fills),
        "order": _array(fills["order"]),
        "side": _named({1: "buy", -1: "sell"}, fills["side"]),
        "position_side": _enumerated(PositionSide, fills["position_side"]),
        "kind": _enumerated(FillKind, fills["kind"]),
        "is_maker": fills["is_maker"] == 1,
        "price_ticks": _array(fills["price"]),
        "price": fills["price"] * contracts["tick"],
        "size_lots": _array(fills["size"]),
        "size": fills["size"] * contracts["lot"],
        "fee_units": _array(fills["fee"]),
        "fee": fills["fee"] * contracts["money"],
        "cash_units": _array(fills["cash"]),
        "cash": fills["cash"] * contracts["money"],
        "bid_ticks": _price(fills["bid"]),
        "ask_ticks": _price(fills["ask"]),
        "mid": _known(statistics.fills.rows["mid"]),
    }
    for horizon, later in zip(HORIZONS_NS, statistics.fills.later, strict=True):
        bps = fills["side"] * (later / statistics.fills.rows["mid"] - 1.0) * 1e4
        columns[f"mark_out_{horizon // SECOND_NS}s_bps"] = _known(bps)
    return pa.table(columns)


def orders_table(result: BacktestResult, statistics: Statistics) -> pa.Table:
    """One row per request and per report, in order."""
    import pyarrow as pa

    orders, contracts = result.orders, statistics.valuation.contracts[result.orders["instrument"]]
    tick = np.where(orders["price"] == NO_PRICE, np.nan, orders["price"] * contracts["tick"])
    return pa.table(
        {
            "ts": _times(orders["ts"]),
            "ts_venue": _times(orders["ts_venue"], absent=0),
            "instrument": _ids(result, orders),
            "order": _array(orders["order"]),
            "strategy": _array(orders["strategy"]),
            "event": _enumerated(OrderLogEvent, orders["event"]),
            "status": _enumerated(OrderStatus, orders["status"]),
            "reason": _enumerated(Reason, orders["reason"]),
            "side": _named({1: "buy", -1: "sell", 0: ""}, orders["side"]),
            "kind": _enumerated(OrderKind, orders["kind"]),
            "time_in_force": _enumerated(TimeInForce, orders["time_in_force"]),
            "flags": _array(orders["flags"]),
            "price_ticks": _price(orders["price"]),
            "price": _known(tick),
            "trigger_ticks": _price(orders["trigger"]),
            "size_lots": _array(orders["size"]),
            "filled_lots": _array(orders["filled"]),
            "queue_ahead": _known(orders["queue_ahead"]),
        }
    )


def _array(values: Records) -> Records:
    # Arrow takes contiguous arrays; a field of a record array is not.
    return np.ascontiguousarray(values)


def _times(values: Records, *, absent: int | None = None) -> pa.Array:
    import pyarrow as pa

    missing = None if absent is None else np.asarray(values == absent)
    return pa.array(np.ascontiguousarray(values), pa.int64(), mask=missing).cast(pa.timestamp("ns", "UTC"))


def _price(ticks: Records) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(ticks), mask=np.asarray(ticks == NO_PRICE))


def _known(values: F64) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(values), mask=np.isnan(values))


def _ids(result: BacktestResult, records: Records) -> pa.Array:
    import pyarrow as pa

    names = [instrument.replay.id for instrument in result.instruments]
    return pa.DictionaryArray.from_arrays(records["instrument"].astype(np.int32), names)


def _enumerated(kind: type[IntEnum], codes: Records) -> pa.Array:
    return _named({member.value: member.name.lower() for member in kind}, codes)


def _named(names: dict[int, str], codes: Records) -> pa.Array:
    import pyarrow as pa

    known = np.unique(codes)
    labels = [names.get(int(code), str(code)) for code in known]
    return pa.DictionaryArray.from_arrays(
        np.searchsorted(known, codes).astype(np.int32), pa.array(labels, pa.string())
    )
