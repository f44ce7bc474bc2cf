"""The rulebook: dated rules of instruments, read from TOML files.

The package ships one file a venue (``rules_data/<venue>.toml``); further files extend and override it, entry
by entry. A file reads::

    format = 1
    venue = "BYBIT"

    [fees.linear]                          # a schedule, named: [30-day volume, maker, taker]
    source = "..."
    tiers = [["0", "0.0002", "0.00055"]]

    [margin.majors]                        # [notional cap or "", maintenance rate, greatest leverage]
    source = "..."
    tiers = [["2000000", "0.005", "100"], ["", "0.01", "50"]]

    [family.linear]                        # what instruments have in common, and how they are named
    kind = "linear-perpetual"
    symbol = "{base}{quote}"               # as the venue writes it
    id = "{base}{quote}-PERP"
    base = "[A-Z0-9]+"
    quote = "USDT"
    settle = "{quote}"
    fees = "linear"
    margin = "majors"
    funding_interval_s = 28800

    [instrument.BTCUSDT-PERP]              # the id without its venue
    family = "linear"
    rules = [                              # ascending; each entry repeats only what changed, and its source
        { from = 2023-11-29, tick = "0.1", lot = "0.001", source = "..." },
    ]

Numbers are decimals in quotes: TOML's own are binary floating point. Times are dates (00:00 UTC) or
date-times with offset. An instrument without an entry belongs to the first family whose `id` it fits: its
rules are known but for the grid, which the data has to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from headwater.domain.errors import UnknownInstrumentError
from headwater.domain.identity import InstrumentId
from headwater.domain.instrument import Instrument, InstrumentKind
from headwater.storage.rules_entry import RulesFile, near, read_rules_file
from headwater.storage.venue_rules import VenueRules


def load_rulebook(*extra_files: Path | str) -> Rulebook:
    """The shipped rules, extended and overridden by `extra_files`, the last one strongest.

    Raises
    ------
    ConfigurationError
        a file is missing or wrong: names file, key, what was expected and found.
    """
    return Rulebook(tuple(Path(file) for file in extra_files))


class Rulebook:
    """Finds instruments and their rules; reads a venue's file when it is first asked about that venue."""

    def __init__(self, extra_files: tuple[Path, ...] = ()) -> None:
        self._extra: dict[str, list[RulesFile]] = {}
        self._venues: dict[str, VenueRules] = {}
        for path in extra_files:
            file = read_rules_file(path, path.name)
            self._extra.setdefault(file.venue, []).append(file)
        for venue, files in self._extra.items():
            for file in files:
                self._rules_of(venue).check_all(file.name)

    def venues(self) -> tuple[str, ...]:
        """All venues with rules, sorted."""
        return tuple(sorted(set(shipped_files()) | set(self._extra)))

    def instrument_ids(self, venue: str) -> tuple[InstrumentId, ...]:
        """The ids of a venue's entries, sorted; members of families without an entry are not among them."""
        return tuple(sorted(self._rules_of(venue).ids()))

    def instrument(
        self, instrument_id: str, *, grid: tuple[Decimal, Decimal, str] | None = None
    ) -> Instrument:
        """The instrument of this id.

        Parameters
        ----------
        grid : (tick size, lot size, source) of the data, used where no rules give one: for an instrument
            that is known by its family alone, and before the first known rules

        Raises
        ------
        UnknownInstrumentError
            names similar ids, and what to do.
        """
        venue_rules = self._rules_of(_venue_of(instrument_id))
        found = venue_rules.instrument(instrument_id, grid)
        if found is None:
            self._refuse(instrument_id, venue_rules)
        return found

    def grid(self, instrument_id: str, ts: int) -> tuple[Decimal, Decimal, str] | None:
        """(tick size, lot size, source) of market data at `ts` (UTC ns); None when no rules say it."""
        venue_rules = self._rules_of(_venue_of(instrument_id))
        if not venue_rules.has_entry(instrument_id):
            return None
        instrument = venue_rules.instrument(instrument_id, None)
        if instrument is None or ts < instrument.rules[0].valid_from:
            return None
        tick_size, lot_size = instrument.rules_at(ts).data_grid
        return tick_size, lot_size, f"rulebook:{venue_rules.file_of(instrument_id)}"

    def resolve(
        self, venue: str, venue_symbol: str, kind: InstrumentKind | str | None = None
    ) -> InstrumentId:
        """Our id of what the venue calls `venue_symbol`.

        Parameters
        ----------
        kind : an InstrumentKind or its word, the shorter "perpetual", "future" and "option", or None for any

        Raises
        ------
        UnknownInstrumentError
            when nothing fits, or several do: names them.
        """
        found = self._rules_of(venue.upper()).resolve(venue_symbol, kind)
        if len(found) == 1:
            return found[0]
        what = f"{venue.upper()} symbol {venue_symbol!r}" + (f" of kind {kind}" if kind else "")
        if not found:
            raise UnknownInstrumentError(
                f"no instrument fits {what}; name it with --instrument ID, or describe it with --rules FILE"
            )
        raise UnknownInstrumentError(f"{what} can be {' or '.join(found)}; name one with --instrument ID")

    def _rules_of(self, venue: str) -> VenueRules:
        if venue not in self._venues:
            files = [_shipped(venue)] if venue in shipped_files() else []
            self._venues[venue] = VenueRules(venue, [*files, *self._extra.get(venue, [])])
        return self._venues[venue]

    def _refuse(self, instrument_id: str, venue_rules: VenueRules) -> NoReturn:
        if venue_rules.family_of(instrument_id) is not None:
            raise UnknownInstrumentError(
                f"{instrument_id} is known by its family alone, without tick and lot size; "
                "import data of it first, or add its rules with --rules FILE"
            )
        if not venue_rules.is_known:
            similar = near(venue_rules.venue, self.venues())
            raise UnknownInstrumentError(
                f"no rules for {instrument_id}: venue {venue_rules.venue or '(none)'} is not known{similar}; "
                "ids read <symbol>.<VENUE>; add rules with --rules FILE"
            )
        similar = near(instrument_id, venue_rules.ids())
        raise UnknownInstrumentError(f"no rules for {instrument_id}{similar}; add them with --rules FILE")


@cache
def shipped_files() -> Mapping[str, Any]:
    """Venue -> shipped file."""
    folder = resources.files("headwater.storage") / "rules_data"
    return {
        file.name.removesuffix(".toml").upper(): file
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


@cache
def _shipped(venue: str) -> RulesFile:
    file = shipped_files()[venue]
    return read_rules_file(file, file.name)


def _venue_of(instrument_id: str) -> str:
    return instrument_id.rpartition(".")[2] if "." in instrument_id else ""
