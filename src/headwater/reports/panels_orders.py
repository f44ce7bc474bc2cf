"""Panels of the order side: use of the order rate, refusals, queue, latency."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.reports import wording
from headwater.reports.latency import percentiles
from headwater.reports.order_flow import OrderFlow
from headwater.reports.panel import Panel, Trace, line, steps
from headwater.reports.valuation import F64

BINS: Final = 48

QUEUE_GROUPS: Final = 7
"""Most groups in which fills are counted by queue position."""

QUEUE_GROUP_MIN: Final = 20
"""Fewest orders of a group: below, its share is noise."""


def rate_panel(flow: OrderFlow) -> Panel:
    """Requests per second over time, against the venue's limit."""
    limit = flow.rate_limit_per_s
    words = f"Orders, amends and cancels in the second before each request; at most {flow.rate_max:,}. "
    words += (
        "The run states no limit."
        if limit is None
        else f"The dashed line is the venue's limit of {limit:,}/s; some count over longer spans and leave out cancels."
    )
    if not len(flow.rate):
        return Panel(title="Order rate", words=words, empty="no request was sent", wide=True)
    trace = line(flow.rate_ts, flow.rate.astype(np.float64), "requests/s", "@accent")
    trace["line"]["shape"] = "hv"
    layout: dict[str, Any] = {"yaxis": {"title": {"text": "requests/s"}, "rangemode": "tozero"}}
    if limit is not None:
        dashed = {"color": "@loss", "width": 1.5, "dash": "dash"}
        shape = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": limit, "line": dashed}
        layout["shapes"] = [shape]
        layout["yaxis"]["range"] = [0, 1.15 * max(limit, flow.rate_max)]
    return Panel(
        title="Order rate", words=words, traces=[trace], layout=layout, timed=True, height=210, wide=True
    )


def outcome_panel(flow: OrderFlow) -> Panel:
    """What became of the orders."""
    words = (
        f"Of {flow.orders:,} orders, {flow.with_fill:,} had a fill ({wording.percent(flow.fill_ratio)}), "
        f"{flow.filled:,} in full. Refusals and endings as the venue gave them."
    )
    rows = [
        ("filled in full", flow.filled, "@gain"),
        ("filled in part", flow.with_fill - flow.filled, "@buy"),
    ]
    rows += [(f"ended: {name}", count, "@muted") for name, count in flow.endings.items()]
    rows += [(f"refused: {name}", count, "@loss") for name, count in flow.refusals.items()]
    rows = [row for row in rows if row[1]][::-1]
    if not rows:
        return Panel(title="What became of the orders", words=words, empty="no report came")
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [count for _, count, _ in rows],
        "y": [name for name, _, _ in rows],
        "text": [f"{count:,}" for _, count, _ in rows],
        "textposition": "auto",
        "insidetextfont": {"color": "@card"},
        "marker": {"color": [colour for _, _, colour in rows]},
        "hoverinfo": "skip",
    }
    layout = {
        "showlegend": False,
        "yaxis": {"tickmode": "linear", "dtick": 1},
        "xaxis": {"title": {"text": "orders"}},
    }
    height = max(200, 110 + 34 * len(rows))
    return Panel(title="What became of the orders", words=words, traces=[trace], layout=layout, height=height)


def queue_panel(flow: OrderFlow) -> Panel:
    """Queue ahead when an order first rested, filled ones against the others."""
    words = "Size ahead of an order when it first rested, by whether it was filled later. "
    if not len(flow.queue_ahead):
        return Panel(title="Queue position", words=words, empty="no order rested, or no queue was modelled")
    p50, p99, most = percentiles(flow.queue_ahead, (50.0, 99.0, 100.0))
    words += (
        f"Median {wording.number(p50, 3)}, 99 % below {wording.number(p99, 3)}, most "
        f"{wording.number(most, 3)}. "
        f"Median wait for the first fill {wording.span(percentiles(flow.wait_ns, (50.0,))[0])}."
    )
    edges = np.linspace(0.0, p99 if p99 > 0.0 else 1.0, BINS // 2 + 1)
    clipped = np.minimum(flow.queue_ahead, edges[-1])
    filled = flow.queue_filled > 0.0
    traces = [
        _queue_bars(clipped[filled], edges, "filled later", "@gain"),
        _queue_bars(clipped[~filled], edges, "never filled", "@muted"),
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.05,
        "xaxis": {"title": {"text": "size ahead; the last bar holds all beyond"}},
        "yaxis": {"title": {"text": "orders"}},
    }
    return Panel(title="Queue position", words=words, traces=traces, layout=layout)


def _queue_bars(values: F64, edges: F64, name: str, colour: str) -> Trace:
    counts, _ = np.histogram(values, edges)
    return {
        "type": "bar",
        "name": name,
        "x": [float(middle) for middle in (edges[:-1] + edges[1:]) / 2],
        "y": [int(count) for count in counts],
        "marker": {"color": colour},
        "hovertemplate": "%{y:,} orders, about %{x:.3~g} ahead<extra>" + name + "</extra>",
    }


def fill_probability_panel(flow: OrderFlow) -> Panel:
    """Share of resting orders that were filled, by the queue they joined."""
    words = "Share of resting orders that had a fill, by how much stood ahead of them: orders in groups "
    words += "of like size, with two standard errors. What fills in a real queue is what a queue model must get right."
    if len(flow.queue_ahead) < 2 * QUEUE_GROUP_MIN:
        empty = (
            f"not enough data: {len(flow.queue_ahead)} resting orders, two groups need {2 * QUEUE_GROUP_MIN}"
        )
        return Panel(title="Fills by queue position", words=words, empty=empty)
    groups = min(QUEUE_GROUPS, len(flow.queue_ahead) // QUEUE_GROUP_MIN)
    order = np.argsort(flow.queue_ahead, kind="stable")
    # Many orders join an equal queue, often an empty one: they belong into one group.
    starts = np.unique([flow.queue_ahead[rows[0]] for rows in np.array_split(order, groups)])
    group = np.searchsorted(starts, flow.queue_ahead, side="right") - 1
    parts = [flow.queue_filled[group == number] for number in range(len(starts))]
    shares = [float(filled.mean()) for filled in parts]
    errors = [200.0 * (p * (1.0 - p) / len(filled)) ** 0.5 for p, filled in zip(shares, parts, strict=True)]
    trace: Trace = {
        "type": "bar",
        "x": list(range(len(parts))),
        "customdata": [len(filled) for filled in parts],
        "y": [100.0 * share for share in shares],
        "marker": {"color": "@buy/0.75"},
        "error_y": {"type": "data", "array": errors, "color": "@ink", "thickness": 1, "width": 4},
        "hovertemplate": "%{y:.1f} % of %{customdata:,} orders<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": {
            "tickangle": 0,
            "tickvals": list(range(len(parts))),
            "ticktext": [f"{start:.2g}" for start in starts],
            "title": {"text": "size ahead, from"},
        },
        "yaxis": {"title": {"text": "% filled"}, "rangemode": "tozero"},
    }
    return Panel(title="Fills by queue position", words=words, traces=[trace], layout=layout)


def latency_panel(result: BacktestResult) -> Panel:
    """Distribution of order latency."""
    words = "Request to venue, and answer back to the trader. "
    latencies = result.latencies
    if not len(latencies):
        return Panel(title="Order latency", words=words, empty="no request was answered")
    entry, response = (latencies[name] / 1e6 for name in ("entry_ns", "response_ns"))
    for name, values in (("Entry", entry), ("response", response)):
        p50, p99, most = (wording.span(1e6 * value) for value in percentiles(values, (50.0, 99.0, 100.0)))
        words += f"{name} p50 {p50}, p99 {p99}, max {most}{'; ' if name == 'Entry' else '.'}"
    positive = np.concatenate((entry, response))
    positive = positive[positive > 0.0]
    if not len(positive):
        return Panel(title="Order latency", words=words, empty="latency is zero throughout")
    lowest, highest = float(positive.min()), float(positive.max())
    # A constant latency still needs a bin with a width.
    edges = np.geomspace(lowest * 0.9, highest * 1.1, BINS + 1)
    traces = [
        steps(edges, np.histogram(entry, edges)[0], "entry", "@buy"),
        steps(edges, np.histogram(response, edges)[0], "response", "@sell"),
    ]
    layout = {
        "xaxis": {"type": "log", "title": {"text": "ms"}},
        "yaxis": {"title": {"text": "requests"}, "rangemode": "tozero"},
    }
    return Panel(title="Order latency", words=words, traces=traces, layout=layout)
