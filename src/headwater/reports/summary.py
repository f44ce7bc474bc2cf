"""What ``headwater backtest`` prints at the end: the result in one screen, honest about what it does not
know.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headwater.reports import wording
from headwater.reports.figures import Figure, figures
from headwater.reports.manifest import events_per_second
from headwater.reports.statistics import Statistics

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from headwater.backtest.result import BacktestResult

SHOWN = (
    "net_profit",
    "total_return",
    "sharpe",
    "max_drawdown",
    "max_drawdown_of_peak",
    "fills",
    "maker_share",
    "closed_round_trips",
    "hit_rate",
    "pnl_spread_captured",
    "pnl_adverse_selection",
    "pnl_inventory",
    "pnl_fee",
    "pnl_funding",
    "mark_out_1_s",
    "mark_out_10_s",
    "mark_out_60_s",
)
"""Figures of an account that the summary shows, in order."""


def summary(result: BacktestResult, found: Statistics) -> Group:
    """The summary of `result` as something that ``rich`` prints."""
    from rich.console import Group
    from rich.text import Text

    lines: list[Table | Text] = [_table(result, found)]
    if not result.complete:
        lines.append(Text("Interrupted: this is what there was until then.", style="bold yellow"))
    if result.not_modelled:
        lines.append(Text("What the data did not allow to be modelled", style="bold"))
        lines.append(_listed(result.not_modelled))
    return Group(*lines)


def _listed(sentences: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    bullets = Table.grid(padding=(0, 1))
    for sentence in sentences:
        bullets.add_row("  -", Text(sentence))
    return bullets


def _table(result: BacktestResult, found: Statistics) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=_title(result), title_justify="left", title_style="bold", box=None, padding=(0, 2))
    table.add_column("figure", style="dim")
    table.add_column("value", justify="right")
    table.add_column("read it with", style="dim", overflow="fold")
    for label, text, note, style in _rows(result, found):
        table.add_row(Text(label), Text(text, style=style), Text(note))
    return table


def _title(result: BacktestResult) -> str:
    names = ", ".join(instrument.replay.id for instrument in result.instruments)
    return f"{result.manifest.get('strategy', 'strategy')} on {names}"


def _rows(result: BacktestResult, found: Statistics) -> Iterator[tuple[str, str, str, str]]:
    known = {figure.key: figure for figure in figures(found)}
    for account in found.accounts:
        error = known[f"{account.currency}.sharpe_standard_error"]
        for name in SHOWN:
            figure = known[f"{account.currency}.{name}"]
            text = f"{figure.text} ± {error.text}" if name == "sharpe" and _is_known(figure) else figure.text
            yield figure.label, text, figure.why, _style(figure)
    for name in ("fill_ratio", "refused", "max_requests_in_a_second", "order_entry_p50", "order_entry_p99"):
        yield known[name].label, known[name].text, known[name].why, ""
    speed = events_per_second(result)
    if math.isfinite(speed):
        seconds = result.manifest["timing"]["run_seconds"] * 1e9
        events = wording.count(result.manifest["events"])
        yield "Speed", f"{speed:,.0f} events/s", f"{events} events in {wording.span(seconds)}", ""
    yield "State hash", result.state_hash or wording.NOTHING, "equal for equal runs", ""


def _is_known(figure: Figure) -> bool:
    return math.isfinite(figure.value)


def _style(figure: Figure) -> str:
    if not _is_known(figure):
        return "dim"
    if figure.key.endswith((".net_profit", ".total_return")):
        return "bold green" if figure.value > 0 else "bold red" if figure.value < 0 else "bold"
    return ""
