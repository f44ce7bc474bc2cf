"""The only place where adapters meet ports: what the command line builds a run from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headwater.domain.errors import ConfigurationError, NotModelledError

if TYPE_CHECKING:
    from headwater.domain.instrument import Instrument
    from headwater.domain.view import WakeKind
    from headwater.strategies.load import AnyStrategy
    from headwater.tape.replay import Replay

_WARM_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a strategy needs to be woken.

    Attributes
    ----------
    name : of the strategy
    wakes : WakeKind bits that it subscribes
    bars_ns : interval of the bars that trades are folded into, 0 = only bars that the tape holds
    bars_asked : somebody asked for bars of this interval and no other
    """

    name: str
    wakes: WakeKind
    bars_ns: int = 0
    bars_asked: bool = False

    @classmethod
    def of(cls, strategy: AnyStrategy, *, bars_asked: bool) -> Needs:
        """The needs of `strategy`."""
        from headwater.strategies.compiled import CompiledStrategy
        from headwater.strategies.load import name_of

        if isinstance(strategy, CompiledStrategy):
            wakes, bars_ns = strategy.wakes, strategy.bars_ns
        else:
            wakes, bars_ns = strategy.wakes(), strategy.bars_ns()
        return cls(name=name_of(strategy), wakes=wakes, bars_ns=bars_ns, bars_asked=bars_asked)


def open_replay(
    catalog: Path,
    instruments: Sequence[str],
    needs: Needs,
    *,
    start: int | None = None,
    end: int | None = None,
    rules: Path | None = None,
) -> tuple[Replay, list[Instrument]]:
    """The tape of `instruments` as `needs` wants it, and the instruments with their rules.

    Parameters
    ----------
    start, end : UTC ns, start included and end not; None for everything
    rules : file of further rules

    Bars are left out where trades make them, and best quotes where there is a book: it says more.

    Raises
    ------
    CatalogError : no catalog, or nothing of an instrument in it
    UnknownInstrumentError : no rules are known
    ConfigurationError : bars are asked for that the catalog does not hold
    NotModelledError : nothing in the catalog would ever wake the strategy
    """
    from headwater.storage.catalog import Catalog
    from headwater.storage.rules_files import load_rulebook

    opened = Catalog(catalog)
    groups: dict[str, list[str]] = {name: [] for name in instruments}
    for dataset in opened.datasets():
        if dataset.instrument in groups:
            groups[dataset.instrument].append(dataset.group)
    kinds = {kind for name, held in groups.items() for kind in chosen_groups(name, held, needs)}
    replay = opened.open(instruments, start=start, end=end, kinds=sorted(kinds) or None)
    rulebook = load_rulebook(*([rules] if rules else []))
    found = [
        rulebook.instrument(each.id, grid=(each.tick_size, each.lot_size, "the data's own grid"))
        for each in replay.instruments
    ]
    return replay, found


def chosen_groups(instrument: str, held: Collection[str], needs: Needs) -> list[str]:
    """Which of the kind groups `held` of `instrument` a run reads; errors as :func:`open_replay`."""
    from headwater.domain.view import WakeKind
    from headwater.tape.kind_group import family_of

    families = {family_of(group) for group in held}
    kept = [group for group in held if family_of(group) != "bars"]
    if "book" in families:
        kept = [group for group in kept if family_of(group) != "quotes"]
    has_prices = bool(families & {"book", "quotes", "trades"})
    makes_bars = needs.bars_ns > 0 and "trades" in families
    reads_bars = (
        "bars" in families and not makes_bars and (bool(needs.wakes & WakeKind.BAR) or not has_prices)
    )
    if held:
        _check_wakes(instrument, families if reads_bars else families - {"bars"}, needs, makes_bars)
    if reads_bars:
        kept.append(_bars_of(instrument, held, needs))
    return kept


def _bars_of(instrument: str, held: Collection[str], needs: Needs) -> str:
    from headwater.tape.kind_group import family_of, interval_label

    there = sorted(group for group in held if family_of(group) == "bars")
    wanted = f"bars-{interval_label(needs.bars_ns)}"
    if wanted in there:
        return wanted
    if len(there) == 1 and not needs.bars_asked:
        return there[0]
    labels = ", ".join(group.removeprefix("bars-") for group in there)
    asked = f"bars of {wanted.removeprefix('bars-')}" if needs.bars_ns else "one interval"
    raise ConfigurationError(
        f"{instrument}: expected {asked}, found bars of {labels} and no trades to make others; "
        "choose with --bars"
    )


def _check_wakes(instrument: str, families: set[str], needs: Needs, makes_bars: bool) -> None:
    """A run in which the strategy is never called says nothing: refuse it."""
    from headwater.domain.view import WakeKind

    possible = {
        WakeKind.TIMER: True,
        WakeKind.EVENT: True,
        WakeKind.BOOK: bool(families & {"book", "quotes"}),
        WakeKind.BBO: bool(families & {"book", "quotes"}),
        WakeKind.TRADE: "trades" in families,
        WakeKind.BAR: makes_bars or "bars" in families,
    }
    if not any(wake in needs.wakes and could for wake, could in possible.items()):
        wanted = (
            " or ".join((wake.name or "").lower() for wake in possible if wake in needs.wakes) or "nothing"
        )
        raise NotModelledError(
            f"{needs.name} is woken by {wanted}, and the catalog holds only {', '.join(sorted(families))} of "
            f"{instrument}; import what it needs or choose another strategy"
        )


def warm_jobs() -> list[tuple[str, Callable[[], object]]]:
    """What `headwater warmup` compiles: a name for the progress bar, and the call that compiles it."""
    from headwater.reports.warm import warm_reports
    from headwater.storage.warm_importers import warm_importers

    return [
        ("importers", warm_importers),
        ("catalog and certificates", _warm_tape),
        ("engine with compiled strategies", partial(_warm_run, "ema_cross")),
        ("engine with Python strategies", partial(_warm_run, "avellaneda_stoikov")),
        ("statistics and reports", warm_reports),
    ]


def _warm_tape() -> None:
    """Write, certify and open a catalog of a few events."""
    from tempfile import TemporaryDirectory

    from headwater.ports.importer import Batch
    from headwater.storage.catalog import Catalog
    from headwater.tape.generated import generated_market

    market = generated_market(_WARM_ROWS, seed=1)
    seen = market.instrument
    batch = Batch(
        instrument=seen.id,
        events=market.events,
        tick_size=seen.tick_size,
        lot_size=seen.lot_size,
        rules_source="generated",
    )
    with TemporaryDirectory() as folder:
        catalog = Catalog(folder, create=True)
        catalog.write([batch], source="warm-up")
        for dataset in catalog.datasets():
            catalog.certify(dataset)
        catalog.open([seen.id])


def _warm_run(strategy: str) -> None:
    """Back-test a few events: that compiles everything that a long run needs."""
    from headwater.backtest.run import run_backtest
    from headwater.storage.rules_files import load_rulebook
    from headwater.strategies.load import load_strategy
    from headwater.tape.generated import generated_market
    from headwater.tape.replay_of import replay_of

    market = generated_market(_WARM_ROWS, seed=1)
    replay = replay_of(market.events, [market.instrument])
    run_backtest(load_strategy(strategy), replay, [load_rulebook().instrument(market.instrument.id)])
