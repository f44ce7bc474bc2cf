"""The tear sheet: one HTML file that opens anywhere, without a network, on a desk and on a phone.

plotly.js is part of the file. All text is escaped; the charts travel as JSON in an inert script element. What
the data did not allow to be modelled stands before the first chart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib import resources
from typing import Any, Final

import numpy as np

from headwater.backtest.result import BacktestResult
from headwater.reports import wording
from headwater.reports.figures import Figure, figures
from headwater.reports.manifest import MACHINE_ENTRIES, plain
from headwater.reports.monthly import Month
from headwater.reports.panel import Panel
from headwater.reports.panels_account import (
    drawdown_panel,
    equity_panel,
    exposure_panel,
    mark_out_panel,
    split_panel,
)
from headwater.reports.panels_instrument import position_panel, price_panel
from headwater.reports.panels_orders import (
    fill_probability_panel,
    latency_panel,
    outcome_panel,
    queue_panel,
    rate_panel,
)
from headwater.reports.statistics import AccountStatistics, Statistics

INSTRUMENTS_MAX: Final = 6
"""Instruments that get panels of their own: those with the most fills."""

CARDS: Final = (
    ("net_profit", "total_return"),
    ("sharpe", "sharpe_standard_error"),
    ("max_drawdown", "max_drawdown_of_peak"),
    ("fills", "maker_share"),
    ("hit_rate", "closed_round_trips"),
    ("mark_out_10_s", ""),
    ("fees_paid", "funding_received"),
    ("turnover", "turns_of_initial_equity"),
)
"""Figures on the cards of an account: the large one and the one beneath it."""

HINT: Final = "Drag across a chart to zoom; all charts over time follow. Double-click to go back."

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tear_sheet(result: BacktestResult, found: Statistics) -> str:
    """The tear sheet of `result` as one HTML document."""
    page = _Page(_span(result))
    known = {figure.key: figure for figure in figures(found)}
    body = [*_head(result), *_cards(found, known), *_caveats(result), *_charts(page, result, found)]
    body += [*_all_figures(list(known.values())), *_certificates(result), *_run(result)]
    slots = {
        "title": escape(f"{_strategy(result)} on {_instruments(result)}"),
        "style": _asset("tear_sheet.css"),
        "body": "\n".join(body),
        "charts": _inert(page.charts),
        "plotly": _plotly(),
        "script": _asset("tear_sheet.js"),
    }
    document = _asset("tear_sheet.html")
    # One pass, so that nothing inside a slot is taken for another slot.
    parts = document.split("{{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}}")
        filled += [slots[name], rest]
    return "".join(filled)


class _Page:
    """Collects the charts while the body is written; `span` is the time that all timed charts show."""

    def __init__(self, span: list[float] | None) -> None:
        self.charts: list[dict[str, Any]] = []
        self.span = span

    def panel(self, panel: Panel) -> str:
        wide = " wide" if panel.wide else ""
        head = f"<h3>{escape(panel.title)}</h3><p class='words'>{escape(panel.words)}</p>"
        if panel.empty:
            return f"<figure class='panel{wide}'>{head}<p class='empty'>{escape(panel.empty)}</p></figure>"
        number = len(self.charts)
        layout = panel.layout
        if panel.timed and self.span:
            layout = {**layout, "xaxis": {**layout.get("xaxis", {}), "range": self.span}}
        self.charts.append(
            {"data": panel.traces, "layout": layout, "height": panel.height, "timed": panel.timed}
        )
        label = escape(panel.title, quote=True)
        style = f"height:{panel.height}px"
        chart = (
            f"<div class='chart' id='chart-{number}' style='{style}' role='img' aria-label='{label}'></div>"
        )
        return f"<figure class='panel{wide}'>{head}{chart}</figure>"


def _span(result: BacktestResult) -> list[float] | None:
    ts = result.samples["ts"]
    return [float(ts[0]) / 1e6, float(ts[-1]) / 1e6] if len(ts) and ts[0] < ts[-1] else None


def _asset(name: str) -> str:
    return resources.files("headwater.reports").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly() -> str:
    script = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    return script.replace("</script", "<\\/script")


def _inert(data: Any) -> str:
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _strategy(result: BacktestResult) -> str:
    return str(result.manifest.get("strategy", "strategy"))


def _instruments(result: BacktestResult) -> str:
    return ", ".join(instrument.replay.id for instrument in result.instruments)


def _head(result: BacktestResult) -> Iterator[str]:
    yield f"<header><h1>{escape(_strategy(result))}</h1><p class='on'>{escape(_instruments(result))}</p>"
    yield "<ul class='chips'>"
    for chip in _chips(result):
        yield f"<li>{escape(chip)}</li>"
    yield "</ul>"
    if not result.complete:
        yield "<p class='banner' role='status'>Interrupted: this report holds what there was until then.</p>"
    yield "</header>"


def _chips(result: BacktestResult) -> Iterator[str]:
    if len(result.samples):
        start, end = int(result.samples["ts"][0]), int(result.samples["ts"][-1])
        yield f"{wording.moment(start)} to {wording.moment(end)} UTC"
        yield wording.span(end - start)
    if "seed" in result.manifest:
        yield f"seed {result.manifest['seed']}"
    if "events" in result.manifest:
        yield f"{result.manifest['events']:,} events"
    yield f"state hash {result.state_hash or wording.NOTHING}"


def _cards(found: Statistics, known: dict[str, Figure]) -> Iterator[str]:
    for account in found.accounts:
        if len(found.accounts) > 1:
            yield f"<h2>{escape(account.currency)}</h2>"
        yield "<section class='cards' aria-label='Main figures'>"
        for large, small in CARDS:
            yield _card(account, known, large, small)
        yield "</section>"


def _card(account: AccountStatistics, known: dict[str, Figure], large: str, small: str) -> str:
    figure = known[f"{account.currency}.{large}"]
    note = figure.why
    if small:
        other = known[f"{account.currency}.{small}"]
        beneath = f"± {other.text} standard error" if small == "sharpe_standard_error" else _beneath(other)
        note = f"{beneath}. {figure.why}" if figure.why else beneath
    colour = _colour(figure) if large in ("net_profit", "mark_out_10_s") else ""
    return (
        f"<div class='card'><span class='label'>{escape(figure.label)}</span>"
        f"<span class='value {colour}'>{_with_small_unit(figure)}</span>"
        f"<span class='note'>{escape(note)}</span></div>"
    )


def _with_small_unit(figure: Figure) -> str:
    number, _, unit = figure.text.rpartition(" ")
    return f"{escape(number)} <small>{escape(unit)}</small>" if number else escape(unit)


def _beneath(figure: Figure) -> str:
    if figure.key.endswith("max_drawdown_of_peak"):
        return f"{figure.text} of its peak"
    words = figure.label.lower()
    return f"{figure.text} {words}" if figure.unit == "count" else f"{words} {figure.text}"


def _is_known(figure: Figure) -> bool:
    return bool(np.isfinite(figure.value))


def _colour(figure: Figure) -> str:
    if not _is_known(figure) or figure.value == 0:
        return ""
    return "gain" if figure.value > 0 else "loss"


def _caveats(result: BacktestResult) -> Iterator[str]:
    yield "<section class='caveats'><h2>What the data did not allow to be modelled</h2><ul>"
    for sentence in result.not_modelled or ["Nothing was left out."]:
        yield f"<li>{escape(sentence)}</li>"
    yield "</ul></section>"


def _charts(page: _Page, result: BacktestResult, found: Statistics) -> Iterator[str]:
    many = len(found.accounts) > 1
    for account in found.accounts:
        yield f"<h2>Result{f', {escape(account.currency)}' if many else ''}</h2>"
        yield f"<p class='hint'>{HINT}</p>"
        yield "<section class='panels'>"
        for make in (equity_panel, drawdown_panel, split_panel, mark_out_panel):
            yield page.panel(make(account))
        yield from _month_grid(account)
        yield "</section>"
    yield "<h2>Trading</h2><section class='panels'>"
    for number in _shown_instruments(result):
        yield page.panel(price_panel(result, found, number))
        yield page.panel(position_panel(result, found, number))
    if len(result.instruments) > INSTRUMENTS_MAX:
        yield f"<p class='words'>The {INSTRUMENTS_MAX} instruments with the most fills are drawn.</p>"
    for account in found.accounts:
        yield page.panel(exposure_panel(account))
    yield "</section><h2>Orders</h2><section class='panels'>"
    for make_panel in (rate_panel, outcome_panel, queue_panel, fill_probability_panel):
        yield page.panel(make_panel(found.orders))
    yield page.panel(latency_panel(result))
    yield "</section>"


def _shown_instruments(result: BacktestResult) -> list[int]:
    counts = np.bincount(result.fills["instrument"], minlength=len(result.instruments))
    return sorted(int(number) for number in np.argsort(-counts, kind="stable")[:INSTRUMENTS_MAX])


def _month_grid(account: AccountStatistics) -> Iterator[str]:
    yield "<figure class='panel wide'><h3>Months</h3><p class='words'>Net profit by calendar month in UTC,"
    yield "as a share of equity at its start" if account.curve.initial > 0.0 else "in money"
    yield "(months marked * are covered in part).</p>"
    largest = max((abs(month.profit) for month in account.months), default=0.0)
    for year in dict.fromkeys(month.year for month in account.months):
        of_year = {month.month: month for month in account.months if month.year == year}
        total = wording.money(sum(month.profit for month in of_year.values()), account.currency, signed=True)
        yield f"<h4>{year} <span>{escape(total)}</span></h4><ol class='months'>"
        for number, name in enumerate(MONTHS, start=1):
            yield _month_cell(name, of_year.get(number), largest)
        yield "</ol>"
    yield "</figure>"


def _month_cell(name: str, month: Month | None, largest: float) -> str:
    if month is None:
        return f"<li class='none'><span>{name}</span><b aria-label='no data'>·</b></li>"
    strength = round(abs(month.profit) / largest, 2) if largest else 0.0
    colour = "gain" if month.profit > 0 else "loss" if month.profit < 0 else "flat"
    shown = month.ratio if np.isfinite(month.ratio) else None
    text = wording.compact(month.profit) if shown is None else wording.percent(shown, signed=True)
    part = "" if month.whole else "*"
    label = f"<span>{name}{part}</span><b>{escape(text)}</b>"
    return f"<li class='{colour}' style='--strength:{strength}'>{label}</li>"


def _all_figures(known: list[Figure]) -> Iterator[str]:
    yield "<h2>All figures</h2><section class='tables'>"
    for group in dict.fromkeys(figure.group for figure in known):
        rows = [(f.label, f.text, f.why) for f in known if f.group == group]
        yield _table(group, rows)
    yield "</section>"


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr><th scope='row'>{escape(label)}{f'<small>{escape(note)}</small>' if note else ''}</th>"
        f"<td>{escape(text)}</td></tr>"
        for label, text, note in rows
    )
    return f"<div class='panel table'><h3>{escape(title)}</h3><table>{cells}</table></div>"


def _certificates(result: BacktestResult) -> Iterator[str]:
    yield "<h2>Data</h2><section class='tables'>"
    for instrument in result.instruments:
        replay = instrument.replay
        rows = [
            ("Kind", f"{instrument.kind}, settled in {instrument.settle}", ""),
            ("Tick and lot", f"{replay.tick_size} / {replay.lot_size}", ""),
            ("Feed latency", "as recorded" if replay.latency_usable else "not usable", ""),
        ]
        if not replay.certificate:
            rows.append(("Quality certificate", "none", "made in memory, or never verified"))
        rows += _certificate(replay.certificate)
        yield _table(replay.id, rows)
    yield "</section>"


def _certificate(certificate: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Verdict, then each dataset with its findings in words."""
    if "datasets" not in certificate:
        return _flat(certificate)
    trusted = certificate.get("trusted")
    verdict = "not verified" if trusted is None else "yes" if trusted else "no"
    rows = [("Trusted", verdict, "; ".join(certificate.get("reasons", ())))]
    for group, dataset in certificate["datasets"].items():
        share = dataset.get("measures", {}).get("book_trusted_share")
        note = "" if share is None else f"trusted {wording.percent(share)} of the time"
        rows.append((f"{_worded(group)}, records", wording.count(dataset.get("rows", 0)), note))
        rows += [
            (f"{_worded(group)}: {finding['check']}", finding["severity"], finding["words"])
            for finding in dataset.get("findings", ())
        ]
    return rows


def _run(result: BacktestResult) -> Iterator[str]:
    entries = {key: value for key, value in result.manifest.items() if key not in MACHINE_ENTRIES}
    entries["data"] = [_without_certificate(each) for each in entries.get("data", ())]
    yield "<h2>Run</h2><section class='tables'>"
    yield _table(
        "How it was run", [*_flat(entries), ("State hash", result.state_hash or wording.NOTHING, "")]
    )
    yield "</section>"


def _without_certificate(data: Any) -> Any:
    """It stands under the data."""
    return (
        {key: value for key, value in data.items() if key != "certificate"}
        if isinstance(data, dict)
        else data
    )


def _flat(data: Any, name: str = "") -> list[tuple[str, str, str]]:
    if isinstance(data, dict):
        rows = []
        for key, value in data.items():
            rows += _flat(value, f"{name}: {_worded(key)}" if name else _worded(key))
        return rows
    if isinstance(data, list | tuple):
        if any(isinstance(item, dict) for item in data):
            rows = []
            for number, item in enumerate(data, start=1):
                rows += _flat(item, f"{name} {number}")
            return rows
        return [(name, "; ".join(str(plain(item)) for item in data) or "none", "")]
    return [(name, f"{data:,}" if type(data) is int and name.lower() != "seed" else str(plain(data)), "")]


def _worded(key: Any) -> str:
    text = str(key).replace("_", " ")
    return text[:1].upper() + text[1:]
