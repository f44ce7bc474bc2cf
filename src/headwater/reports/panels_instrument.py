"""Panels of one instrument: its price with the fills on it, and the position."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.reports.downsample import extremes
from headwater.reports.panel import Panel, Trace, line, milliseconds, packed, thinned
from headwater.reports.statistics import Statistics
from headwater.reports.valuation import F64, Records

MARKER_BUCKETS: Final = 150
"""Buckets in which markers of one kind are thinned: two of each stay readable."""

_KINDS: Final = (
    ("buy, maker", 1, 1, "triangle-up", "@buy"),
    ("buy, taker", 1, 0, "triangle-up-open", "@buy"),
    ("sell, maker", -1, 1, "triangle-down", "@sell"),
    ("sell, taker", -1, 0, "triangle-down-open", "@sell"),
)


def price_panel(result: BacktestResult, found: Statistics, number: int) -> Panel:
    """Mid price of instrument `number` with its fills."""
    track = found.track
    part = slice(int(track.start[number]), int(track.start[number + 1]))
    ts, price = track.ts[part], track.price[part]
    instrument = result.instruments[number]
    title = f"Price and fills, {instrument.replay.id}"
    words = "Mid price and fills. Triangles point the way of the trade; filled made liquidity, open took it."
    if not len(ts) or np.isnan(price).all():
        return Panel(title=title, words=words, empty="not enough data: no price was seen", wide=True)
    mid = line(ts, price, "mid", "@muted", hovertemplate="%{y:,.8~r}<extra>mid</extra>")
    mid["line"]["width"] = 1
    fills = result.fills[result.fills["instrument"] == number]
    markers, left_out = _markers(fills, found.valuation.contracts[number])
    if left_out:
        words += (
            f" {left_out:,} of {len(fills):,} fills are not drawn: of each kind the lowest and the highest in"
        )
        words += f" {MARKER_BUCKETS} stretches of time are."
    layout = {"yaxis": {"title": {"text": instrument.quote}}, "legend": {"itemsizing": "constant"}}
    return Panel(
        title=title,
        words=words + thinned(len(ts)),
        traces=[mid, *markers],
        layout=layout,
        timed=True,
        height=380,
        wide=True,
    )


def _markers(fills: Records, contract: Records) -> tuple[list[Trace], int]:
    traces, drawn = [], 0
    for name, side, is_maker, symbol, colour in _KINDS:
        chosen = fills[(fills["side"] == side) & (fills["is_maker"] == is_maker)]
        if not len(chosen):
            continue
        prices = chosen["price"] * contract["tick"]
        rows = extremes(np.ascontiguousarray(chosen["ts_local"]), prices, MARKER_BUCKETS)
        drawn += len(rows)
        traces.append(_marker_trace(name, symbol, colour, chosen[rows], prices[rows], contract))
    return traces, len(fills) - drawn


def _marker_trace(
    name: str, symbol: str, colour: str, fills: Records, prices: F64, contract: Records
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": packed(milliseconds(fills["ts_local"])),
        "y": packed(prices),
        "customdata": packed(fills["size"] * contract["lot"]),
        "marker": {"symbol": symbol, "color": colour, "size": 7, "line": {"width": 1, "color": colour}},
        "hovertemplate": "%{customdata:,.8~r} @ %{y:,.8~r}<extra>" + name + "</extra>",
    }


def position_panel(result: BacktestResult, found: Statistics, number: int) -> Panel:
    """Position of instrument `number` over time."""
    rows = _rows(result, number)
    instrument = result.instruments[number]
    held = rows["position"] * found.valuation.contracts[number]["lot"]
    title = f"Position, {instrument.replay.id}"
    unit = "contracts" if instrument.kind.startswith("inverse") else instrument.base
    if not len(rows) or not held.any():
        return Panel(title=title, words="As the trader knew it.", empty="no position was held", wide=True)
    words = (
        f"As the trader knew it, in {unit}; between {float(held.min()):,.8g} and {float(held.max()):,.8g}."
    )
    trace = line(
        np.ascontiguousarray(rows["ts"]),
        held,
        "position",
        "@accent",
        fill="tozeroy",
        fillcolor="@accent/0.15",
    )
    trace["line"]["shape"] = "hv"
    layout: dict[str, Any] = {"yaxis": {"title": {"text": unit}, "zeroline": True}}
    return Panel(title=title, words=words, traces=[trace], layout=layout, timed=True, height=210, wide=True)


def _rows(result: BacktestResult, number: int) -> Records:
    if len(result.instruments) == 1:
        return result.samples
    chosen: Records = result.samples[result.samples["instrument"] == number]
    return chosen
