"""``headwater backtest``: run a strategy over recorded data and write a report; or compare two runs.

Everything heavy is imported inside: the help must answer at once.
"""

from __future__ import annotations

import shlex
import sys
import time
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from headwater.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from headwater.backtest.result import BacktestResult
    from headwater.backtest.settings import BacktestSettings, LatencySettings
    from headwater.domain.instrument import Instrument
    from headwater.strategies.load import AnyStrategy
    from headwater.tape.replay import Replay

CODE_INTERRUPTED: Final = 130

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="markdown")


class Queue(StrEnum):
    """Names of the queue models."""

    RISK_AVERSE = "risk-averse"
    POWER = "power"
    LOG = "log"


class Margin(StrEnum):
    """Names of the margin modes."""

    NONE = "none"
    CROSS = "cross"
    ISOLATED = "isolated"


class Impact(StrEnum):
    """Names of the impact models."""

    NONE = "none"
    LINEAR = "linear"
    SQUARE_ROOT = "square-root"
    ALMGREN_CHRISS = "almgren-chriss"


def _shipped_words() -> str:
    from headwater.strategies.shipped import shipped

    lines = [f"`{name}`: {line}" for name, line in shipped().items()]
    return "**Shipped strategies**\n\n" + "\n\n".join(lines)


_RUN: Final = "The run"
_MODELS: Final = "Models"
_ACCOUNT: Final = "Account"


@app.command(epilog=_shipped_words())
def backtest(
    context: typer.Context,
    strategy: Annotated[
        str | None,
        typer.Argument(help="A shipped name, or path/to/file.py[:Name].", show_default=False),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Folder of the catalog.", show_default=False, rich_help_panel=_RUN)
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="Instrument id; repeat it for several.", show_default=False, rich_help_panel=_RUN),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="Parameter of the strategy, name=value; repeat it.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report; otherwise a new one under runs/.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="First instant, UTC: 2024-08-08T23:55.", show_default=False, rich_help_panel=_RUN),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(help="First instant no longer included, UTC.", show_default=False, rich_help_panel=_RUN),
    ] = None,
    bars: Annotated[
        str | None,
        typer.Option(
            help="Interval of bars, such as 5m; otherwise the strategy's.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="Rules of further instruments (TOML).", show_default=False, rich_help_panel=_RUN),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of every random number.", rich_help_panel=_RUN)] = 1,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Instead of running: what differs between two run folders.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None,
    latency_ms: Annotated[
        str | None,
        typer.Option(
            help="ENTRY[,RESPONSE]: request there, report back; 5,5 unless said, 0 with --fill-at-close.",
            show_default=False,
            rich_help_panel=_MODELS,
        ),
    ] = None,
    latency_sigma: Annotated[
        float | None,
        typer.Option(
            help="Log-normal latency in bursts: spread of the logarithm; ENTRY is the median.",
            show_default=False,
            rich_help_panel=_MODELS,
        ),
    ] = None,
    latency_file: Annotated[
        Path | None,
        typer.Option(
            help="Measured latency: CSV or Parquet with ts, entry_ns, response_ns.",
            show_default=False,
            rich_help_panel=_MODELS,
        ),
    ] = None,
    queue: Annotated[
        Queue, typer.Option(help="Place in the queue.", rich_help_panel=_MODELS)
    ] = Queue.RISK_AVERSE,
    queue_power: Annotated[
        float, typer.Option(help="Exponent of --queue power.", rich_help_panel=_MODELS)
    ] = 2.0,
    impact: Annotated[
        Impact, typer.Option(help="Price impact of taking, beyond the book.", rich_help_panel=_MODELS)
    ] = Impact.NONE,
    impact_a: Annotated[float, typer.Option(help="Its first coefficient.", rich_help_panel=_MODELS)] = 0.0,
    impact_b: Annotated[float, typer.Option(help="Its second coefficient.", rich_help_panel=_MODELS)] = 0.0,
    slippage: Annotated[
        str,
        typer.Option(
            help="Half spread that takers pay where only bars or prints are known.", rich_help_panel=_MODELS
        ),
    ] = "0.0001",
    fill_at_close: Annotated[
        bool,
        typer.Option(
            "--fill-at-close",
            help="With bars alone, market orders fill at the close that caused them.",
            rich_help_panel=_MODELS,
        ),
    ] = False,
    no_partial_fill: Annotated[
        bool,
        typer.Option(
            "--no-partial-fill",
            help="As hftbacktest does: fills are whole, taking leaves no trace.",
            rich_help_panel=_MODELS,
        ),
    ] = False,
    no_venue_limits: Annotated[
        bool,
        typer.Option(
            "--no-venue-limits",
            help="Ignore the venue's order rate, size, notional and price limits.",
            rich_help_panel=_MODELS,
        ),
    ] = False,
    cash: Annotated[
        str, typer.Option(help="At the start, of each settle currency.", rich_help_panel=_ACCOUNT)
    ] = "100000",
    margin: Annotated[
        Margin, typer.Option(help="Who pays for losses.", rich_help_panel=_ACCOUNT)
    ] = Margin.CROSS,
    leverage: Annotated[
        str, typer.Option(help="Greatest leverage; 0 = the venue's.", rich_help_panel=_ACCOUNT)
    ] = "0",
    maker_fee: Annotated[
        str | None,
        typer.Option(
            help="Fraction, instead of the venue's tiers.", show_default=False, rich_help_panel=_ACCOUNT
        ),
    ] = None,
    taker_fee: Annotated[
        str | None,
        typer.Option(
            help="Fraction, instead of the venue's tiers.", show_default=False, rich_help_panel=_ACCOUNT
        ),
    ] = None,
    hedge_mode: Annotated[
        bool,
        typer.Option("--hedge-mode", help="Hold long and short legs apart.", rich_help_panel=_ACCOUNT),
    ] = False,
) -> int:
    """Run a strategy over recorded data and write a report; or compare two runs.

    Ctrl-C ends a run early; the report is made of what there is, and says so.

    **Examples**

    `headwater backtest grid_maker --catalog tape --instrument BTCUSDT-PERP.BINANCE --param size=0.01`

    `headwater backtest my_strategy.py --catalog tape --instrument BTCUSDT-PERP.BINANCE --queue power`

    `headwater backtest --compare runs/a runs/b`
    """
    if compare is not None:
        return _compare(*compare)
    from headwater.strategies.load import load_strategy

    found = load_strategy(_required(strategy, "STRATEGY", "a strategy: a shipped name or path/to/file.py"))
    chosen = _with_bars(found, bars)
    from headwater.backtest.settings import BacktestSettings
    from headwater.simulation.kinds import ImpactModel, MarginMode, QueueModel

    settings = BacktestSettings(
        latency=_latency(latency_ms, latency_sigma, latency_file, fill_at_close),
        queue_model=QueueModel[_constant(queue)],
        queue_power=queue_power,
        no_partial_fill=no_partial_fill,
        rate_limits=not no_venue_limits,
        venue_checks=not no_venue_limits,
        maker_fee=_decimal(maker_fee, "--maker-fee") if maker_fee else None,
        taker_fee=_decimal(taker_fee, "--taker-fee") if taker_fee else None,
        initial_cash=_decimal(cash, "--cash"),
        margin_mode=MarginMode[_constant(margin)],
        leverage=_decimal(leverage, "--leverage"),
        hedge_mode=hedge_mode,
        impact_model=ImpactModel[_constant(impact)],
        impact_a=impact_a,
        impact_b=impact_b,
        bar_slippage=_decimal(slippage, "--slippage"),
        bar_fill_at_close=fill_at_close,
        seed=seed,
    )
    parameters = _parameters(param or [])
    _check_parameters(chosen, parameters)
    folder = _target(out, strategy or "", instrument or [])
    replay, instruments = _open(
        _required(catalog, "--catalog", "the folder of a catalog"),
        _required(instrument, "--instrument", "an instrument id"),
        chosen,
        bars_asked=bars is not None,
        start=start,
        end=end,
        rules=rules,
    )
    result = _run(chosen, replay, instruments, settings, parameters)
    return _report(result, folder, _command_line(context))


def _required(value: Any, name: str, what: str) -> Any:
    if not value:
        raise ConfigurationError(f"expected {what} ({name}), found none; see `headwater backtest --help`")
    return value


def _constant(name: StrEnum) -> str:
    return name.value.upper().replace("-", "_")


def _decimal(text: str, option: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ConfigurationError(f"{option} must be a number, was {text!r}")
    return value


def _parameters(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigurationError(f"--param must read name=value, was {pair!r}")
        if name in found:
            raise ConfigurationError(f"--param {name} was given twice: {found[name]!r} and {value!r}")
        found[name] = value
    return found


def _latency(text: str | None, sigma: float | None, file: Path | None, at_close: bool) -> LatencySettings:
    from headwater.backtest.latency_file import read_latency_file
    from headwater.backtest.settings import MILLISECOND_NS, LatencySettings
    from headwater.simulation.kinds import LatencyModel

    if at_close and (text is not None or sigma is not None or file is not None):
        raise ConfigurationError(
            "--fill-at-close means no latency: the order is there when the bar closes; leave out --latency-..."
        )
    if file is not None:
        return LatencySettings(model=LatencyModel.MEASURED, series=read_latency_file(file))
    entry, comma, response = (text or ("0" if at_close else "5")).partition(",")
    entry_ns = int(_decimal(entry, "--latency-ms") * MILLISECOND_NS)
    response_ns = int(_decimal(response, "--latency-ms") * MILLISECOND_NS) if comma else entry_ns
    if sigma is None:
        return LatencySettings(entry_ns=entry_ns, response_ns=response_ns)
    return LatencySettings(model=LatencyModel.LOG_NORMAL, median_ns=entry_ns, sigma=sigma)


def _with_bars(strategy: AnyStrategy, bars: str | None) -> AnyStrategy:
    """The strategy with bars of another interval."""
    if bars is None:
        return strategy
    from headwater.strategies.compiled import CompiledStrategy
    from headwater.strategies.interval import parse_interval

    bars_ns = parse_interval(bars)
    if isinstance(strategy, CompiledStrategy):
        return replace(strategy, bars_ns=bars_ns)
    return type(strategy.__name__, (strategy,), {"bars": bars, "__module__": strategy.__module__})


def _check_parameters(strategy: AnyStrategy, parameters: Mapping[str, object]) -> None:
    """Before anything is read."""
    from headwater.strategies.load import declared_parameters, name_of
    from headwater.strategies.parameter import resolve

    resolve(declared_parameters(strategy), parameters, name_of(strategy))


def _target(out: Path | None, strategy: str, instruments: Sequence[str]) -> Path:
    """The folder of the report, refused now rather than after the run."""
    from headwater.reports.write import check_target

    name = Path(strategy.partition(":")[0]).stem
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    folder = out or Path("runs") / f"{name}-{'-'.join(instruments)}-{moment}"
    check_target(folder)
    return folder


def _open(
    catalog: Path,
    instruments: Sequence[str],
    strategy: AnyStrategy,
    *,
    bars_asked: bool,
    start: str | None,
    end: str | None,
    rules: Path | None,
) -> tuple[Replay, list[Instrument]]:
    from headwater.bootstrap import Needs, open_replay
    from headwater.cli.instant import parse_instant

    for name in instruments:
        if instruments.count(name) > 1:
            raise ConfigurationError(f"--instrument {name} was given twice")
    needs = Needs.of(strategy, bars_asked=bars_asked)
    return open_replay(
        catalog, instruments, needs, start=parse_instant(start), end=parse_instant(end), rules=rules
    )


def _run(
    strategy: AnyStrategy,
    replay: Replay,
    instruments: list[Instrument],
    settings: BacktestSettings,
    parameters: Mapping[str, object],
) -> BacktestResult:
    """Run with a bar that shows the share done, the speed and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[speed]}"),
    )
    console = Console(stderr=True)
    with console.status("Loading the engine; compiled once, which `headwater warmup` does ahead of time"):
        run_backtest = _engine(strategy)
    began = time.perf_counter()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Replaying", total=len(replay.local), speed="")

        def show(done: int, total: int) -> None:
            speed = done / max(time.perf_counter() - began, 1e-9)
            progress.update(task, completed=done, total=total, speed=f"{speed / 1e6:.2f} M events/s")

        return run_backtest(strategy, replay, instruments, settings, parameters=parameters, progress=show)


def _engine(strategy: AnyStrategy) -> Callable[..., BacktestResult]:
    """What runs a strategy, with everything loaded that takes time."""
    from headwater.backtest.run import run_backtest
    from headwater.strategies.compiled import CompiledStrategy

    loop = "compiled_loop" if isinstance(strategy, CompiledStrategy) else "python_loop"
    import_module(f"headwater.backtest.{loop}")
    return run_backtest


def _report(result: BacktestResult, folder: Path, command: str) -> int:
    from rich.console import Console

    from headwater.reports.statistics import statistics
    from headwater.reports.summary import summary
    from headwater.reports.write import REPORT_NAME, write_report

    found = statistics(result)
    written = write_report(result, folder, command=command, found=found)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(summary(result, found))
    console.print(f"Report: {written / REPORT_NAME}", soft_wrap=True)
    return 0 if result.complete else CODE_INTERRUPTED


def _compare(first: Path, second: Path) -> int:
    from rich.console import Console

    from headwater.reports.compare import compare, comparison_table

    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(
        comparison_table(compare(first, second))
    )
    return 0


def _command_line(context: typer.Context) -> str:
    """What was typed, for the manifest: options as they were given, defaults left out."""
    return shlex.join(["headwater", "backtest", *_typed(context)])


def _typed(context: typer.Context) -> Iterator[str]:
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        value = context.params.get(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        if parameter.param_type_name == "argument":
            yield str(value)
        elif value is True:
            yield parameter.opts[0]
        else:
            for each in value if isinstance(value, list) else [value]:
                yield from (parameter.opts[0], str(each.value if isinstance(each, StrEnum) else each))
