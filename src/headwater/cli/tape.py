"""``headwater tape``: bring recorded market data in, look at it, judge it, take it out.

Everything heavy is imported inside the commands: ``headwater tape --help`` must answer at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headwater.domain.errors import ConfigurationError, HeadwaterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress, TaskID

    from headwater.ports.importer import Progress as BytesDone
    from headwater.storage.catalog import Catalog
    from headwater.storage.rules_files import Rulebook
    from headwater.tape.certificate import Certificate
    from headwater.tape.dataset import DatasetInfo

CODE_NOT_TRUSTED: Final = 1
CODE_CANNOT_RUN: Final = 2

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Import, list, inspect, verify, export and plot recorded market data.",
    rich_markup_mode="markdown",
)

CatalogOption = Annotated[Path, typer.Option("--catalog", help="Folder of the catalog.", show_default=False)]
InstrumentOption = Annotated[
    str | None,
    typer.Option("--instrument", help="Instrument id, such as BTCUSDT-PERP.BYBIT.", show_default=False),
]
KindsOption = Annotated[
    str | None,
    typer.Option("--kinds", help="Kind groups, comma-separated: book,trades,bars-1m.", show_default=False),
]
StartOption = Annotated[
    str | None, typer.Option("--start", help="First instant, UTC: 2024-08-08T23:55.", show_default=False)
]
EndOption = Annotated[
    str | None, typer.Option("--end", help="First instant no longer included, UTC.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command(name="import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="Files in any known format, recognised by content.")],
    catalog: CatalogOption,
    instrument: InstrumentOption = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="Rules of further instruments (TOML).", show_default=False)
    ] = None,
) -> None:
    """Bring files into a catalog, each whole or not at all; a file that is there already is passed over.

    Contiguous recordings continue each other when they are imported in the order of time.

    **Examples**

    `headwater tape import btcusdt_20240808.gz btcusdt_20240809.gz --catalog tape`

    `headwater tape import candles.parquet --catalog tape --instrument BTCUSDT.BINANCE`
    """
    from headwater.storage.catalog import Catalog

    rulebook = _rulebook(rules)
    _check_files(files)
    target = Catalog(catalog, create=True)
    refused = 0
    with _progress() as progress:
        for path in files:
            try:
                _say(_import_one(target, path, instrument, rulebook, progress))
            except HeadwaterError as error:
                _say_error(str(error))
                refused += 1
    if refused:
        raise typer.Exit(CODE_CANNOT_RUN)


@app.command()
def verify(catalog: CatalogOption, instrument: InstrumentOption = None, json: JsonOption = False) -> None:
    """Write the quality certificate of each dataset, and say which can be trusted.

    Exit code 0: every dataset is trusted. 1: some are not. 2: could not run.

    **Examples**

    `headwater tape verify --catalog tape`

    `headwater tape verify --catalog tape --json > certificates.json`
    """
    from headwater.storage.catalog import Catalog

    opened = Catalog(catalog)
    chosen = _datasets(opened, instrument)
    certificates = []
    with _progress() as progress:
        for dataset in chosen:
            task = progress.add_task(dataset.name, total=dataset.rows)
            certificates.append(opened.certify(dataset, _shown_on(progress, task)))
            progress.remove_task(task)
    if json:
        _print_json({"catalog": str(catalog), "datasets": [one.to_dict() for one in certificates]})
    else:
        _print_certificates(certificates)
    if not all(certificate.trusted for certificate in certificates):
        raise typer.Exit(CODE_NOT_TRUSTED)


@app.command(name="list")
def list_datasets(catalog: CatalogOption, json: JsonOption = False) -> None:
    """Show the datasets of a catalog: instrument, kind, records, span, grid.

    **Example**

    `headwater tape list --catalog tape`
    """
    from headwater.storage.catalog import Catalog

    datasets = Catalog(catalog).datasets()
    if json:
        _print_json([_as_plain(dataset) for dataset in datasets])
        return
    from headwater.tape.show_time import show_time

    rows = [
        (
            dataset.instrument,
            dataset.group,
            f"{dataset.rows:,}",
            show_time(dataset.ts_min),
            show_time(dataset.ts_max),
            f"{dataset.tick_size.normalize():f}",
            f"{dataset.lot_size.normalize():f}",
        )
        for dataset in datasets
    ]
    _print_table(("instrument", "kind", "records", "from (UTC)", "to", "tick", "lot"), rows, right=(2, 5, 6))


@app.command()
def info(catalog: CatalogOption, instrument: InstrumentOption = None, json: JsonOption = False) -> None:
    """Show where each dataset came from: sources, grids, clocks, and what the importers met.

    **Example**

    `headwater tape info --catalog tape --instrument BTCUSDT-PERP.BINANCE`
    """
    from headwater.storage.catalog import Catalog

    datasets = _datasets(Catalog(catalog), instrument)
    if json:
        _print_json([_as_plain(dataset) for dataset in datasets])
        return
    for dataset in datasets:
        _say(f"{dataset.name}: {dataset.rows:,} records in {dataset.parts} parts")
        _say(f"  tick {dataset.tick_size}, lot {dataset.lot_size} ({dataset.rules_source})")
        for source in dataset.sources:
            _say(f"  {source.name} ({source.importer or 'no importer'}), clock {source.findings.clock}")
            for note in source.findings.notes:
                _say(f"    {note}")


@app.command()
def export(
    catalog: CatalogOption,
    instrument: Annotated[str, typer.Option("--instrument", help="Instrument id.", show_default=False)],
    to: Annotated[
        Path,
        typer.Option("--to", help="Target: .parquet, .csv, or .npz for hftbacktest.", show_default=False),
    ],
    start: StartOption = None,
    end: EndOption = None,
    kinds: KindsOption = None,
) -> None:
    """Write events to a file, with exact decimal prices; the format follows from the target's name.

    **Examples**

    `headwater tape export --catalog tape --instrument BTCUSDT.BINANCE --kinds trades --to trades.csv`

    `headwater tape export --catalog tape --instrument BTCUSDT.BINANCE --kinds book,trades --to btc.npz`
    """
    from headwater.storage.catalog import Catalog
    from headwater.storage.export import export_events

    opened = Catalog(catalog)
    count = export_events(opened, instrument, to, start=_ts(start), end=_ts(end), kinds=_kinds(kinds))
    _say(f"{to}: {count:,} records of {instrument}")


@app.command()
def plot(
    catalog: CatalogOption,
    instrument: Annotated[str, typer.Option("--instrument", help="Instrument id.", show_default=False)],
    to: Annotated[Path, typer.Option("--to", help="HTML file to write.")] = Path("tape.html"),
    start: StartOption = None,
    end: EndOption = None,
) -> None:
    """Draw price, depth near the touch, and gaps as one interactive HTML page.

    **Example**

    `headwater tape plot --catalog tape --instrument BTCUSDT-PERP.BINANCE --to btc.html`
    """
    from headwater.storage.catalog import Catalog
    from headwater.storage.tape_plot import plot_events

    points = plot_events(Catalog(catalog), instrument, to, start=_ts(start), end=_ts(end))
    _say(f"{to}: {points:,} points of {instrument}; open it in a browser")


def _import_one(
    catalog: Catalog, path: Path, instrument: str | None, rulebook: Rulebook, progress: Progress
) -> str:
    from headwater.storage.import_job import import_file

    task = progress.add_task(path.name, total=path.stat().st_size)
    try:
        report = import_file(
            catalog,
            path,
            instrument=instrument,
            grid=lambda instrument, ts: rulebook.grid(instrument, ts),
            progress=_shown_on(progress, task),
        )
    except KeyboardInterrupt:
        _say_error(f"{path}: interrupted, nothing of it was imported")
        raise
    finally:
        progress.remove_task(task)
    if report.was_there:
        record = report.record
        return f"{path}: is there already, as {record.source_name} (import {record.number}); nothing to do"
    names = report.instruments
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"{path}: {report.rows:,} records of {shown} ({report.record.importer})"


def _rulebook(rules: Path | None) -> Rulebook:
    from headwater.storage.rules_files import load_rulebook

    return load_rulebook(*([rules] if rules else []))


def _check_files(files: Sequence[Path]) -> None:
    for path in files:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "nothing"
            raise ConfigurationError(f"{path}: expected a file to import, found {found}; check the path")


def _datasets(catalog: Catalog, instrument: str | None) -> list[DatasetInfo]:
    datasets = catalog.datasets()
    chosen = [dataset for dataset in datasets if instrument in (None, dataset.instrument)]
    if chosen:
        return chosen
    known = ", ".join(sorted({dataset.instrument for dataset in datasets})[:5])
    raise ConfigurationError(
        f"{catalog.path}: expected {'data of ' + instrument if instrument else 'datasets'}, found none; "
        + (f"it has {known}" if known else "import a file first: `headwater tape import FILE --catalog DIR`")
    )


def _ts(text: str | None) -> int | None:
    if text is None:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"expected a time such as 2024-08-08T23:55, found {text!r}; write it in UTC"
        ) from error
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


def _kinds(text: str | None) -> list[str] | None:
    if text is None:
        return None
    from headwater.tape.kind_group import FAMILIES, family_of

    kinds = [kind.strip() for kind in text.split(",")]
    for kind in kinds:
        if family_of(kind) not in FAMILIES:
            raise ConfigurationError(
                f"expected kinds among {', '.join(FAMILIES)}, found {kind!r}; correct it"
            )
    return kinds


def _as_plain(value: object) -> object:
    import msgspec

    return msgspec.to_builtins(value, builtin_types=())


def _print_json(value: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _shown_on(progress: Progress, task: TaskID) -> BytesDone:
    def show(bytes_done: int) -> None:
        progress.update(task, completed=bytes_done)

    return show


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _say_error(line: str) -> None:
    sys.stderr.write(f"error: {line}\n")


def _print_certificates(certificates: Sequence[Certificate]) -> None:
    rows = [row for certificate in certificates for row in _certificate_rows(certificate)]
    _print_table(("dataset", "verdict", "records", "finding", "what was found"), rows, right=(2,))
    trusted = sum(certificate.trusted for certificate in certificates)
    _say(f"{trusted} of {len(certificates)} datasets are trusted")


def _certificate_rows(certificate: Certificate) -> Iterator[tuple[str, ...]]:
    verdict = "trusted" if certificate.trusted else "NOT TRUSTED"
    head = (f"{certificate.instrument}/{certificate.group}", verdict, f"{certificate.rows:,}")
    share = certificate.measures.get("book_trusted_share")
    if share is not None:
        yield (*head, "trust", f"book trusted {share:.2%} of the time")
        head = ("", "", "")
    for finding in certificate.findings:
        yield (*head, f"{finding.severity}: {finding.check}", finding.words)
        head = ("", "", "")
    if head[0]:
        yield (*head, "", "nothing to say against it")


def _print_table(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(table)
