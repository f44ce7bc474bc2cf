"""The rules of one venue: what its files say, made into instruments when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.instrument import Instrument, InstrumentKind, Listing, OptionType, format_time
from headwater.domain.rules import (
    FeeTier,
    MarginTier,
    PriceBand,
    Rules,
    check_fee_tiers,
    check_margin_tiers,
    margin_schedule,
)
from headwater.storage.rule_families import Family
from headwater.storage.rules_entry import SECTIONS, Entry, RulesFile, near

_SHARED_KEYS: Final = (
    "fees",
    "margin",
    "multiplier",
    "min_size",
    "max_size",
    "max_market_size",
    "min_notional",
    "band_up",
    "band_down",
    "funding_interval_s",
    "collateral_haircut",
)
_DECIMAL_KEYS: Final = frozenset(_SHARED_KEYS) - {"fees", "margin", "funding_interval_s"} | {
    "tick",
    "lot",
    "data_tick",
    "data_lot",
}
_RULE_KEYS: Final = ("from", "tick", "lot", "data_tick", "data_lot", "source", *_SHARED_KEYS)
_NAME_KEYS: Final = ("kind", "symbol", "base", "quote", "settle")
_FAMILY_KEYS: Final = (*_NAME_KEYS, "id", "names_only", "source", *_SHARED_KEYS)
_SCHEDULE_KEYS: Final = ("source", "tiers")
_INSTRUMENT_KEYS: Final = (
    *_NAME_KEYS,
    "family",
    "rules",
    "listings",
    "expiry",
    "strike",
    "option_type",
    *_SHARED_KEYS,
)


class VenueRules:
    """The rules of one venue, from several files; builds an instrument when it is first asked for."""

    def __init__(self, venue: str, files: list[RulesFile]) -> None:
        self.venue = venue
        self.is_known = bool(files)
        self._sections: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
        for file in files:
            for section in SECTIONS:
                for name, values in file.section(section).items():
                    self._sections[section][name] = Entry(file.name, f"{section}.{name}", values)
        self._built: dict[str, Instrument] = {}
        self._families: dict[str, Family] | None = None
        self._resolved: dict[tuple[str, str | None], list[InstrumentId]] = {}

    def has_entry(self, instrument_id: str) -> bool:
        """Whether a file describes this very instrument."""
        return self._name(instrument_id) in self._sections["instrument"]

    def ids(self) -> set[InstrumentId]:
        """Ids that have an entry."""
        return {self._id(name) for name in self._sections["instrument"]}

    def file_of(self, instrument_id: str) -> str:
        """Name of the file that an instrument's entry comes from."""
        return self._sections["instrument"][self._name(instrument_id)].file

    def instrument(self, instrument_id: str, grid: tuple[Decimal, Decimal, str] | None) -> Instrument | None:
        """The instrument, from its entry or from its family and `grid`; None when neither says enough."""
        entry = self._sections["instrument"].get(self._name(instrument_id))
        if entry is None:
            return None if grid is None else self._from_family(instrument_id, grid)
        if instrument_id not in self._built:
            self._built[instrument_id] = self._build(instrument_id, entry)
        return _since_ever(self._built[instrument_id], grid)

    def family_of(self, instrument_id: str) -> Family | None:
        """The first family, not for names alone, whose ids read so."""
        name = self._name(instrument_id)
        return next((family for family in self._family_table().values() if family.match_id(name)), None)

    def resolve(self, symbol: str, kind: InstrumentKind | str | None) -> list[InstrumentId]:
        """Ids that `symbol` can mean, of entries and of families."""
        key = (symbol.upper(), kind)
        if key not in self._resolved:
            self._resolved[key] = list(dict.fromkeys((*self._entries_of(*key), *self._members_of(*key))))
        return self._resolved[key]

    def _entries_of(self, symbol: str, kind: str | None) -> Iterable[InstrumentId]:
        for name, entry in self._sections["instrument"].items():
            if self._symbol_of(name, entry).upper() == symbol and _is_kind(self._kind_of(entry), kind):
                yield self._id(name)

    def _members_of(self, symbol: str, kind: str | None) -> Iterable[InstrumentId]:
        for family in self._family_table().values():
            name = family.id_of(symbol) if _is_kind(family.kind, kind) else None
            if name is not None:
                yield self._id(name)

    def check_all(self, file: str) -> None:
        """Build everything that comes from `file`, so that its errors come at once."""
        for entry in self._sections["fees"].values():
            if entry.file == file:
                self._fees(entry)
        for entry in self._sections["margin"].values():
            if entry.file == file:
                self._margin(entry)
        self._family_table()
        for name, entry in self._sections["instrument"].items():
            if entry.file == file:
                self._build(self._id(name), entry)

    def _id(self, name: str) -> InstrumentId:
        return InstrumentId(f"{name}.{self.venue}")

    def _name(self, instrument_id: str) -> str:
        return instrument_id.removesuffix(f".{self.venue}")

    def _family_table(self) -> dict[str, Family]:
        if self._families is None:
            self._families = {name: _family(entry) for name, entry in self._sections["family"].items()}
        return self._families

    def _family_of_entry(self, entry: Entry) -> Family | None:
        name = entry.text("family", optional=True)
        if name is None:
            return None
        if name not in self._family_table():
            entry.refuse("family", f"a family of this venue{near(name, self._family_table())}", name)
        return self._family_table()[name]

    def _symbol_of(self, name: str, entry: Entry) -> str:
        explicit = entry.text("symbol", optional=True)
        if explicit is not None:
            return explicit
        family = self._family_of_entry(entry)
        return name if family is None else family.symbol_of(name) or name

    def _kind_of(self, entry: Entry) -> InstrumentKind:
        family = self._family_of_entry(entry)
        return _kind(entry) if family is None or "kind" in entry.values else family.kind

    def _build(self, instrument_id: str, entry: Entry) -> Instrument:
        entry.expect_keys(_INSTRUMENT_KEYS)
        name, family = self._name(instrument_id), self._family_of_entry(entry)
        parts = {} if family is None else family.parts_of(name)
        names = {
            key: entry.text(key, optional=True) or parts.get(key) or entry.require(key)
            for key in ("base", "quote", "settle")
        }
        shared = {**({} if family is None else self._shared(family.entry)), **self._shared(entry)}
        with entry.naming_errors():
            return Instrument(
                id=InstrumentId(instrument_id),
                venue=self.venue,
                symbol=self._symbol_of(name, entry),
                kind=self._kind_of(entry),
                rules=tuple(self._rules(entry, shared)),
                listings=tuple(_listings(entry)),
                expiry=entry.instant("expiry"),
                strike=entry.decimal("strike"),
                option_type=_option_type(entry),
                **names,
            )

    def _from_family(self, instrument_id: str, grid: tuple[Decimal, Decimal, str]) -> Instrument | None:
        family = self.family_of(instrument_id)
        if family is None:
            return None
        name = self._name(instrument_id)
        tick_size, lot_size, source = grid
        rules = Rules(
            valid_from=UnixNanos(0),
            tick_size=tick_size,
            lot_size=lot_size,
            source=source,
            **self._rule_fields(family.entry, self._shared(family.entry)),
        )
        parts = family.parts_of(name)
        return Instrument(
            id=InstrumentId(instrument_id),
            venue=self.venue,
            symbol=family.symbol_of(name) or name,
            kind=family.kind,
            base=parts["base"],
            quote=parts["quote"],
            settle=parts["settle"],
            rules=(rules,),
        )

    def _shared(self, entry: Entry) -> dict[str, Any]:
        return {key: entry.values[key] for key in _SHARED_KEYS if key in entry.values}

    def _rules(self, entry: Entry, shared: Mapping[str, Any]) -> Iterable[Rules]:
        rows = entry.values.get("rules")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            entry.refuse("rules", "a list of tables, at least one", rows)
        so_far: dict[str, Any] = dict(shared)
        for index, row in enumerate(rows):
            dated = Entry(entry.file, f"{entry.key}.rules[{index}]", row)
            dated.expect_keys(_RULE_KEYS)
            so_far = {**so_far, **row}
            dated = Entry(entry.file, dated.key, {**so_far, "source": row.get("source")})
            yield self._rules_of_row(dated)

    def _rules_of_row(self, row: Entry) -> Rules:
        fields = self._rule_fields(row, row.values)
        with row.naming_errors():
            return Rules(
                valid_from=row.instant("from") or row.require("from"),
                tick_size=row.decimal("tick") or row.require("tick"),
                lot_size=row.decimal("lot") or row.require("lot"),
                data_tick_size=row.decimal("data_tick"),
                data_lot_size=row.decimal("data_lot"),
                source=row.text("source") or row.require("source"),
                **fields,
            )

    def _rule_fields(self, origin: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
        entry = Entry(origin.file, origin.key, values)
        return {
            "multiplier": entry.decimal("multiplier") or Decimal(1),
            "min_size": entry.decimal("min_size"),
            "max_size": entry.decimal("max_size"),
            "max_market_size": entry.decimal("max_market_size"),
            "min_notional": entry.decimal("min_notional"),
            "price_band": _price_band(entry),
            "fee_tiers": self._schedule(entry, "fees"),
            "margin_tiers": self._schedule(entry, "margin"),
            "funding_interval_s": entry.whole("funding_interval_s"),
            "collateral_haircut": entry.decimal("collateral_haircut"),
        }

    def _schedule(self, entry: Entry, section: str) -> tuple[Any, ...]:
        name = entry.text(section, optional=True)
        if name is None:
            return ()
        table = self._sections[section]
        if name not in table:
            entry.refuse(section, f"the name of a [{section}.*] schedule{near(name, table)}", name)
        return self._fees(table[name]) if section == "fees" else self._margin(table[name])

    def _fees(self, entry: Entry) -> tuple[FeeTier, ...]:
        entry.expect_keys(_SCHEDULE_KEYS)
        rows = _known(entry, entry.rows("tiers", 3))
        with entry.naming_errors():
            tiers = tuple(FeeTier(volume_30d=row[0], maker=row[1], taker=row[2]) for row in rows)
            check_fee_tiers(tiers)
        return tiers

    def _margin(self, entry: Entry) -> tuple[MarginTier, ...]:
        entry.expect_keys(_SCHEDULE_KEYS)
        rows = tuple((row[0], *_both(entry, row[1], row[2])) for row in entry.rows("tiers", 3))
        with entry.naming_errors():
            tiers = margin_schedule(rows)
            check_margin_tiers(tiers)
        return tiers


def _since_ever(instrument: Instrument, grid: tuple[Decimal, Decimal, str] | None) -> Instrument:
    # Before the first known rules the data's own grid holds, with everything else as it was first known.
    if grid is None:
        return instrument
    tick_size, lot_size, source = grid
    first = instrument.rules[0]
    before = Rules(
        valid_from=UnixNanos(0),
        tick_size=tick_size,
        lot_size=lot_size,
        source=f"{source}; all but the grid as first known, {format_time(first.valid_from)}",
        multiplier=first.multiplier,
        fee_tiers=first.fee_tiers,
        margin_tiers=first.margin_tiers,
        funding_interval_s=first.funding_interval_s,
    )
    return replace(instrument, rules=(before, *instrument.rules))


def _family(entry: Entry) -> Family:
    entry.expect_keys(_FAMILY_KEYS)
    words = {key: entry.text(key) or "" for key in ("symbol", "id", "base", "quote", "settle")}
    for key in ("symbol", "id", "settle"):
        _check_template(entry, key, words[key])
    for key in ("base", "quote"):
        _check_pattern(entry, key, words[key])
    return Family(
        kind=_kind(entry),
        symbol=words["symbol"],
        id_template=words["id"],
        base=words["base"],
        quote=words["quote"],
        settle=words["settle"],
        names_only=bool(entry.values.get("names_only", False)),
        entry=entry,
    )


def _check_template(entry: Entry, key: str, template: str) -> None:
    try:
        template.format(base="", quote="", expiry="")
    except (KeyError, ValueError, IndexError):
        entry.refuse(key, "a template of {base}, {quote} and {expiry}", template)


def _check_pattern(entry: Entry, key: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        entry.refuse(key, "a pattern of a currency such as [A-Z0-9]+ or USDT|USDC", pattern)


def _kind(entry: Entry) -> InstrumentKind:
    word = entry.text("kind") or ""
    if word not in set(InstrumentKind):
        entry.refuse("kind", f"one of {', '.join(InstrumentKind)}", word)
    return InstrumentKind(word)


def _option_type(entry: Entry) -> OptionType | None:
    word = entry.text("option_type", optional=True)
    if word not in (None, "call", "put"):
        entry.refuse("option_type", '"call" or "put"', word)
    return None if word is None else OptionType(word)


def _price_band(entry: Entry) -> PriceBand | None:
    up, down = entry.decimal("band_up"), entry.decimal("band_down")
    if up is None and down is None:
        return None
    if up is None or down is None:
        entry.refuse("band_down" if down is None else "band_up", "both ends of the band", None)
    return PriceBand(up=up, down=down)


def _listings(entry: Entry) -> Iterable[Listing]:
    rows = entry.values.get("listings", [])
    if not isinstance(rows, list):
        entry.refuse("listings", "a list of tables { listed, delisted }", rows)
    for index, row in enumerate(rows):
        epoch = Entry(entry.file, f"{entry.key}.listings[{index}]", row)
        epoch.expect_keys(("listed", "delisted"))
        listed = epoch.instant("listed")
        yield Listing(
            listed=epoch.require("listed") if listed is None else listed, delisted=epoch.instant("delisted")
        )


def _known(entry: Entry, rows: list[list[Decimal | None]]) -> Iterable[tuple[Decimal, Decimal, Decimal]]:
    for row in rows:
        first, *rest = row
        if first is None:
            entry.refuse("tiers", "a volume in each row", row)
        yield (first, *_both(entry, *rest))


def _both(entry: Entry, first: Decimal | None, second: Decimal | None) -> tuple[Decimal, Decimal]:
    if first is None or second is None:
        entry.refuse("tiers", "two rates in each row", (first, second))
    return first, second


def _is_kind(kind: InstrumentKind, wanted: InstrumentKind | str | None) -> bool:
    return wanted is None or kind == wanted or kind.value.endswith(f"-{wanted}")
