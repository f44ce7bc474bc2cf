"""A panel of the tear sheet: a heading, a sentence that says how to read it, and a chart as plain data.

Charts are written as the data that plotly.js takes. Colours are roles (``@buy``, ``@loss/0.3`` with an
opacity): the page resolves them from its style sheet, so that light and dark need no second copy.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.reports.downsample import BUCKETS, extremes
from headwater.reports.valuation import F64, I64

Trace: TypeAlias = dict[str, Any]

HEIGHT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart of the tear sheet.

    Attributes
    ----------
    title : heading
    words : how to read it, one or two sentences
    traces, layout : for plotly.js, colours as roles
    height : pixels
    timed : the x axis is time; all timed panels zoom together
    empty : when not empty, shown in place of the chart: what is missing
    wide : takes the full width of the page
    """

    title: str
    words: str
    traces: list[Trace] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = HEIGHT
    timed: bool = False
    empty: str = ""
    wide: bool = False


def packed(values: npt.NDArray[Any]) -> dict[str, str]:
    """An array as plotly.js reads it without parsing numbers: its type and its bytes in base64."""
    kind = {"f": "f8", "i": "i4", "u": "u4"}[values.dtype.kind]
    data = np.ascontiguousarray(values, np.dtype(kind).newbyteorder("<"))
    return {"dtype": kind, "bdata": base64.b64encode(data.tobytes()).decode("ascii")}


def milliseconds(ts: I64) -> F64:
    """UTC ns to the milliseconds of a date axis; exact to the microsecond."""
    return np.asarray(ts, np.int64) / 1e6


def line(ts: I64, values: F64, name: str, colour: str, **style: Any) -> Trace:
    """A line over time, thinned by :mod:`headwater.reports.downsample`."""
    rows = extremes(ts, values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": packed(milliseconds(ts[rows])),
        "y": packed(values[rows]),
        "line": {"color": colour, "width": 1.5, **style.pop("line", {})},
        **style,
    }


def steps(edges: F64, counts: npt.NDArray[Any], name: str, colour: str) -> Trace:
    """A histogram drawn as filled steps: `edges` (n + 1,), `counts` (n,)."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": packed(np.asarray(edges, np.float64)),
        "y": packed(np.append(counts, 0).astype(np.float64)),
        "line": {"shape": "hv", "color": colour, "width": 1.5},
        "fill": "tozeroy",
        "fillcolor": f"{colour}/0.18",
    }


def thinned(points: int) -> str:
    """The rule by which a line of `points` was thinned, or nothing when all of it is drawn."""
    if points <= 2 * BUCKETS + 2:
        return ""
    rule = f"the lowest and the highest of each of {BUCKETS:,} equal stretches of time"
    return f" Drawn from {points:,} points: {rule}."
