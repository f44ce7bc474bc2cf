"""Order latency: how long a request takes to the venue and a report takes back.

* CONSTANT: ``entry_ns`` and ``response_ns``.
* LOG_NORMAL: ``exp(log_mean + log_sigma * x)`` with x an Ornstein-Uhlenbeck process of correlation time
  ``memory_ns``: slow moments come in bursts, as they do when a venue is under load. Entry and response
  share the state.
* MEASURED: a series of (ts, entry_ns, response_ns), the last row at or before the instant; before the first
  row the first.

Requests (and reports) of one venue travel on one connection: a later one never overtakes an earlier one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.random import next_normal
from headwater.kernels.scalar import Float, Int
from headwater.simulation.kinds import LatencyModel
from headwater.simulation.state import I64

_CONSTANT = int(LatencyModel.CONSTANT)
_LOG_NORMAL = int(LatencyModel.LOG_NORMAL)


@kernel
def request_arrival(venue: Any, tables: I64, ts: Int) -> Int:
    """When a request sent at `ts` reaches the venue, ns."""
    arrival = max(ts + _latency(venue, tables, ts, 1), venue["last_request"])
    venue["last_request"] = arrival
    return arrival


@kernel
def report_arrival(venue: Any, tables: I64, ts: Int) -> Int:
    """When a report that the venue sends at `ts` reaches the trader, ns."""
    arrival = max(ts + _latency(venue, tables, ts, 2), venue["last_report"])
    venue["last_report"] = arrival
    return arrival


@kernel
def _latency(venue: Any, tables: I64, ts: Int, column: Int) -> Int:
    model = venue["latency_model"]
    if model == _CONSTANT:
        return venue["entry_ns"] if column == 1 else venue["response_ns"]
    if model == _LOG_NORMAL:
        return np.int64(np.exp(venue["log_mean"] + venue["log_sigma"] * _burst(venue, ts)))
    return _measured(venue, tables, ts, column)


@kernel
def _burst(venue: Any, ts: Int) -> Float:
    """Exact discretisation of the Ornstein-Uhlenbeck process with unit variance.

    The trader and the venue ask in turn, and either may be behind the other: then no time has passed.
    """
    elapsed = max(ts - venue["burst_ts"], 0)
    kept = np.exp(-elapsed / venue["memory_ns"]) if venue["memory_ns"] > 0.0 else 0.0
    venue["burst_state"] = kept * venue["burst_state"] + np.sqrt(1.0 - kept * kept) * next_normal(venue)
    venue["burst_ts"] = max(ts, venue["burst_ts"])
    return venue["burst_state"]


@kernel
def _measured(venue: Any, tables: I64, ts: Int, column: Int) -> Int:
    """Rows are (ts, entry_ns, response_ns) at ``series_at``; the search resumes where it was."""
    at = venue["series_at"]
    row = venue["series_row"]
    while row > 0 and tables[at + 3 * row] > ts:
        row -= 1
    while row + 1 < venue["series_rows"] and tables[at + 3 * (row + 1)] <= ts:
        row += 1
    venue["series_row"] = row
    return tables[at + 3 * row + column]
