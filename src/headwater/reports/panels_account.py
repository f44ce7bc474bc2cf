"""Panels of one account: equity, drawdown, exposure, split of profit, mark-outs."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from headwater.reports import wording
from headwater.reports.drawdown import under_water
from headwater.reports.fill_values import HORIZONS_NS
from headwater.reports.mark_outs import MarkOut
from headwater.reports.panel import Panel, Trace, line, thinned
from headwater.reports.returns import SECOND_NS
from headwater.reports.statistics import AccountStatistics

LABEL_MAX: Final = 1e5
"""From here on a label beside a bar is shortened (``-1.69M``); the table has it in full."""


def equity_panel(account: AccountStatistics) -> Panel:
    """Equity over time against its start."""
    curve = account.curve
    words = (
        f"Cash, fees, funding and positions at the mid, in {account.currency}; the dotted line is the start."
    )
    if len(curve.ts) < 2:
        return Panel(title="Equity", words=words, empty=_too_few(len(curve.ts)), wide=True)
    trace = line(curve.ts, curve.equity, "equity", "@accent", hovertemplate="%{y:,.8~r}<extra></extra>")
    start = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": curve.initial,
        "y1": curve.initial,
        "line": {"color": "@muted", "width": 1, "dash": "dot"},
    }
    layout = {"shapes": [start], "yaxis": {"title": {"text": account.currency}}}
    return Panel(
        title="Equity",
        words=words + thinned(len(curve.ts)),
        traces=[trace],
        layout=layout,
        timed=True,
        wide=True,
    )


def _too_few(points: int) -> str:
    return f"not enough data: {points} sampling instants, a curve needs two"


def drawdown_panel(account: AccountStatistics) -> Panel:
    """Distance below the running peak, in percent of it where there is one."""
    curve, depth = account.curve, account.drawdown
    words = (
        f"How far below its own peak: at worst {wording.money(depth.money, account.currency)}"
        f" ({wording.percent(depth.share)}); longest {wording.span(depth.duration_ns)}"
        f"{'' if depth.recovered else ', and the run ends below its peak'}."
    )
    if len(curve.ts) < 2:
        return Panel(title="Drawdown", words=words, empty=_too_few(len(curve.ts)), wide=True)
    below = under_water(curve.equity, curve.initial)
    unit, values = account.currency, below
    if curve.initial > 0.0:
        unit, values = "% of peak", 100.0 * below / (curve.equity - below)
    trace = line(curve.ts, values, "drawdown", "@loss", fill="tozeroy", fillcolor="@loss/0.18")
    layout = {"yaxis": {"title": {"text": unit}, "rangemode": "tozero"}}
    return Panel(
        title="Drawdown", words=words, traces=[trace], layout=layout, timed=True, height=190, wide=True
    )


def exposure_panel(account: AccountStatistics) -> Panel:
    """Gross position value over time."""
    curve = account.curve
    words = (
        f"Sum of absolute position values. In the market {wording.percent(curve.held_share)} of the time; "
        f"mean {wording.money(curve.gross_mean, account.currency)}, "
        f"at most {wording.money(curve.gross_max, account.currency)}."
    )
    if not len(curve.gross) or not curve.gross.any():
        return Panel(title="Exposure", words=words, empty="no position was held", wide=True)
    trace = line(curve.ts, curve.gross, "gross", "@accent", fill="tozeroy", fillcolor="@accent/0.15")
    trace["line"]["shape"] = "hv"
    layout = {"yaxis": {"title": {"text": account.currency}, "rangemode": "tozero"}}
    return Panel(
        title="Exposure", words=words, traces=[trace], layout=layout, timed=True, height=210, wide=True
    )


def split_panel(account: AccountStatistics) -> Panel:
    """The parts of the profit as a waterfall that ends at the total."""
    split, parts = account.split, account.split.parts()
    words = (
        "Spread: fill price against the mid. Adverse selection: the mid in the ten seconds after each fill. "
        "Inventory: all later moves of the mid. The parts add up to the net profit exactly."
    )
    words += _missing(split.without_mid, "had no mid, so that their price stands in for it")
    words += _missing(
        split.without_later, "have no sample ten seconds later, so that their move is in inventory"
    )
    if not account.activity.fills:
        return Panel(title="Where the profit came from", words=words, empty="no fill")
    if not math.isfinite(split.unexplained):
        return Panel(
            title="Where the profit came from", words=words, empty="not enough data: no price at the end"
        )
    shown = {name: value for name, value in parts.items() if value or name not in ("forced", "funding")}
    values = [*shown.values(), split.total]
    trace: Trace = {
        "type": "waterfall",
        "orientation": "h",
        "y": [*shown, "net profit"],
        "x": values,
        "measure": ["relative"] * len(shown) + ["total"],
        "text": [_bar_label(value) for value in values],
        "textposition": "outside",
        "textfont": {"size": 12.5},
        "constraintext": "none",
        "cliponaxis": False,
        "increasing": {"marker": {"color": "@gain"}},
        "decreasing": {"marker": {"color": "@loss"}},
        "totals": {"marker": {"color": "@accent"}},
        "connector": {"line": {"color": "@line", "width": 1}},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {"title": {"text": account.currency}, "zeroline": True, "range": _room(values[:-1])},
        "yaxis": {"autorange": "reversed", "showgrid": False, "tickmode": "linear", "dtick": 1},
        "showlegend": False,
    }
    return Panel(title="Where the profit came from", words=words, traces=[trace], layout=layout, height=340)


def _bar_label(value: float) -> str:
    return wording.compact(value) if abs(value) >= LABEL_MAX else wording.money(value, signed=True)


def _room(steps: list[float]) -> list[float]:
    # Labels stand outside the bars: leave them a third of the range on either side that has bars.
    reached = [0.0, *np.cumsum(steps).tolist()]
    low, high = min(reached), max(reached)
    margin = 0.34 * (high - low) or 1.0
    return [low - margin if low < 0.0 else low - 0.1 * margin, high + margin]


def _missing(count: int, words: str) -> str:
    return f" Fills that {words}: {count:,}." if count else ""


def mark_out_panel(account: AccountStatistics) -> Panel:
    """Mid move after the fill by maker and taker, and what was left of the edge."""
    words = (
        "How far the mid went in favour of a fill (+) or against it (-) after 1, 10 and 60 s, in basis "
        "points, "
        "weighted by value, with two standard errors. Diamonds: what is left with the spread captured."
    )
    judged = [mark_out for mark_out in account.mark_outs if mark_out.judged]
    if not judged:
        empty = "no fill" if not account.activity.fills else _sparse()
        return Panel(title="Mark-outs", words=words, empty=empty)
    traces = [trace for group in ("maker", "taker") for trace in _mark_out_traces(judged, group)]
    layout: dict[str, Any] = {
        "barmode": "group",
        "scattermode": "group",
        "xaxis": {"type": "category", "categoryarray": _HORIZONS, "range": [-0.5, len(_HORIZONS) - 0.5]},
        "yaxis": {"title": {"text": "bp"}, "zeroline": True},
    }
    counted = max(judged, key=lambda mark_out: mark_out.judged)
    fewest = min((m for m in account.mark_outs if m.group == "all"), key=lambda mark_out: mark_out.judged)
    words += f" Between {fewest.judged:,} and {counted.judged:,} of {counted.fills:,} fills could be judged."
    return Panel(title="Mark-outs", words=words, traces=traces, layout=layout, height=340)


def _sparse() -> str:
    return "not enough data: the samples are too far apart to know the mid 1, 10 or 60 s after a fill"


def _seconds(horizon_ns: int) -> str:
    return f"{horizon_ns // SECOND_NS} s"


_HORIZONS: Final = [_seconds(horizon_ns) for horizon_ns in HORIZONS_NS]


def _mark_out_traces(judged: list[MarkOut], group: str) -> list[Trace]:
    rows = [mark_out for mark_out in judged if mark_out.group == group]
    if not rows:
        return []
    x = [_seconds(row.horizon_ns) for row in rows]
    errors = [None if np.isnan(row.standard_error_bps) else 2.0 * row.standard_error_bps for row in rows]
    colour = "@buy" if group == "maker" else "@sell"
    bars: Trace = {
        "type": "bar",
        "name": f"{group}: mid move",
        "x": x,
        "y": [row.mean_bps for row in rows],
        "offsetgroup": group,
        "marker": {"color": f"{colour}/0.75"},
        "error_y": {"type": "data", "array": errors, "color": "@ink", "thickness": 1, "width": 4},
        "hovertemplate": "%{y:+.3f} bp<extra>" + group + "</extra>",
    }
    diamonds: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": f"{group}: left of the edge",
        "x": x,
        "y": [row.realised_bps for row in rows],
        "offsetgroup": group,
        "marker": {"symbol": "diamond", "size": 10, "color": colour, "line": {"color": "@card", "width": 1}},
        "hovertemplate": "%{y:+.3f} bp left<extra>" + group + "</extra>",
    }
    return [bars, diamonds]
