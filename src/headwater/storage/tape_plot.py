"""A picture of a tape: price, depth near the touch, and gaps, as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from headwater.domain.errors import CatalogError
from headwater.domain.event import EventKind, Events
from headwater.storage.catalog import Catalog
from headwater.storage.transaction import disk_error
from headwater.tape.depth_samples import DEPTH_SAMPLE_DTYPE, depth_samples
from headwater.tape.replay import ReplayInstrument

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

POINTS_MAX: Final = 20_000


def plot_events(
    catalog: Catalog, instrument: str, path: Path, *, start: int | None = None, end: int | None = None
) -> int:
    """Draw `instrument` to the HTML file `path`; returns the number of points drawn.

    Trades and candles are thinned to at most 20,000 points each; the book is sampled as often.
    """
    replay = catalog.open([instrument], start=start, end=end)
    events, described = replay.local, replay.instruments[0]
    figure = _empty_figure(instrument)
    points = _add_bars(figure, events, described)
    points += _add_trades(figure, events, described)
    points += _add_book(figure, events, described)
    if not points:
        raise CatalogError(
            f"{catalog.path}: expected trades, candles or a book of {instrument} to draw, found none; "
            "choose another instrument or time"
        )
    _add_gaps(figure, events)
    try:
        figure.write_html(path, include_plotlyjs=True, full_html=True)
    except OSError as error:
        raise disk_error(path, error) from error
    return points


def _empty_figure(instrument: str) -> Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    figure.update_layout(title=instrument, template="plotly_white", hovermode="x", height=760)
    figure.update_yaxes(title_text="price", row=1, col=1)
    figure.update_yaxes(title_text="size within 10 levels", row=2, col=1)
    figure.update_xaxes(title_text="time at the trader (UTC)", row=2, col=1)
    return figure


def _thin(events: Events) -> Events:
    return events[:: max(1, -(-len(events) // POINTS_MAX))]


def _times(ts: Any) -> Any:
    return np.asarray(ts).astype("datetime64[ns]")


def _add_line(figure: Any, row: int, name: str, ts: Any, values: Any, **style: Any) -> int:
    from plotly.graph_objects import Scattergl

    figure.add_trace(Scattergl(x=_times(ts), y=values, name=name, **style), row=row, col=1)
    return len(values)


def _add_trades(figure: Any, events: Events, instrument: ReplayInstrument) -> int:
    trades = _thin(events[events["kind"] == EventKind.TRADE])
    if not len(trades):
        return 0
    points = 0
    for side, name, color in ((1, "buys", "#2a9d8f"), (-1, "sells", "#d1495b")):
        some = trades[trades["side"] == side]
        points += _add_line(
            figure,
            1,
            name,
            some["ts_local"],
            some["price"] * float(instrument.tick_size),
            mode="markers",
            marker={"size": 3, "color": color},
        )
    return points


def _add_bars(figure: Any, events: Events, instrument: ReplayInstrument) -> int:
    closes = _thin(events[events["kind"] == EventKind.BAR_CLOSE])
    if not len(closes):
        return 0
    prices = closes["price"] * float(instrument.tick_size)
    return _add_line(figure, 1, "close", closes["ts_local"], prices, mode="lines", line={"width": 1})


def _add_book(figure: Any, events: Events, instrument: ReplayInstrument) -> int:
    samples = depth_samples(events, POINTS_MAX)
    if not len(samples):
        return 0
    assert samples.dtype == DEPTH_SAMPLE_DTYPE
    tick, lot = float(instrument.tick_size), float(instrument.lot_size)
    for side, color in (("bid", "#2a9d8f"), ("ask", "#d1495b")):
        style: dict[str, Any] = {"mode": "lines", "line": {"width": 1, "color": color, "shape": "hv"}}
        _add_line(figure, 1, side, samples["ts"], samples[side] * tick, **style)
        _add_line(figure, 2, f"{side} size", samples["ts"], samples[f"{side}_size"] * lot, **style)
    return len(samples)


def _add_gaps(figure: Any, events: Events) -> None:
    for gap in events[events["kind"] == EventKind.GAP][:1_000]:
        figure.add_vline(x=_times(gap["ts_local"]), line={"color": "#888888", "dash": "dot", "width": 1})
