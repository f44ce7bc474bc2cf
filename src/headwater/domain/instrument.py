"""An instrument: what is traded, where, and under which rules at which time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from itertools import pairwise

from headwater.domain.errors import UnknownInstrumentError
from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.money import ContractGrid
from headwater.domain.rules import Rules


class InstrumentKind(StrEnum):
    """What sort of contract; the values are the words of rule files."""

    SPOT = "spot"
    LINEAR_PERPETUAL = "linear-perpetual"
    INVERSE_PERPETUAL = "inverse-perpetual"
    LINEAR_FUTURE = "linear-future"
    INVERSE_FUTURE = "inverse-future"
    OPTION = "option"

    @property
    def is_inverse(self) -> bool:
        """Worth a fixed amount of quote currency, settled in the base coin."""
        return self in (InstrumentKind.INVERSE_PERPETUAL, InstrumentKind.INVERSE_FUTURE)

    @property
    def is_perpetual(self) -> bool:
        """Pays funding instead of expiring."""
        return self in (InstrumentKind.LINEAR_PERPETUAL, InstrumentKind.INVERSE_PERPETUAL)

    @property
    def expires(self) -> bool:
        """Has an expiry date."""
        return self in (InstrumentKind.LINEAR_FUTURE, InstrumentKind.INVERSE_FUTURE, InstrumentKind.OPTION)

    @property
    def payoff(self) -> str:
        """How profit follows price: ``spot``, ``linear`` or ``inverse`` (an option's premium trades
        linearly)."""
        if self is InstrumentKind.SPOT:
            return "spot"
        return "inverse" if self.is_inverse else "linear"


class OptionType(Enum):
    """The right that an option gives."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One epoch of trading: listed at the first instant, gone from `delisted` on (None: still listed)."""

    listed: UnixNanos
    delisted: UnixNanos | None = None

    def __post_init__(self) -> None:
        if self.delisted is not None and self.delisted <= self.listed:
            raise ValueError(f"Listing.delisted must be after listed, was {self.delisted} <= {self.listed}")

    def holds(self, ts: UnixNanos | int) -> bool:
        """Whether the instrument trades at `ts` (UTC ns)."""
        return self.listed <= ts and (self.delisted is None or ts < self.delisted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is traded, with its dated rules.

    Attributes
    ----------
    id : ``<symbol>.<VENUE>``
    venue : upper case, the part of `id` after the last dot
    symbol : as the venue writes it
    kind : spot, perpetual, future or option; linear or inverse
    base, quote, settle : currencies of size, price and profit
    rules : ascending in ``valid_from``, at least one
    listings : epochs of trading, ascending; empty when not known (then it counts as always listed)
    expiry : UTC ns, of futures and options
    strike, option_type : of options
    """

    id: InstrumentId
    venue: str
    symbol: str
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    rules: tuple[Rules, ...]
    listings: tuple[Listing, ...] = ()
    expiry: UnixNanos | None = None
    strike: Decimal | None = None
    option_type: OptionType | None = None

    def __post_init__(self) -> None:
        self._check_names()
        self._check_kind()
        if not self.rules:
            raise ValueError(f"{self.id}: Instrument.rules must hold at least one entry, was empty")
        for before, after in pairwise(self.rules):
            if before.valid_from >= after.valid_from:
                raise ValueError(
                    f"{self.id}: Instrument.rules must rise in valid_from, was {before.valid_from} "
                    f"before {after.valid_from}"
                )
        self._check_listings()

    def _check_names(self) -> None:
        if not self.venue or self.venue != self.venue.upper() or "." in self.venue:
            raise ValueError(f"Instrument.venue must be upper case without dots, was {self.venue!r}")
        name, _, venue = self.id.rpartition(".")
        if not name or venue != self.venue:
            raise ValueError(f"Instrument.id must read <symbol>.{self.venue}, was {self.id!r}")
        for field in ("symbol", "base", "quote", "settle"):
            if not getattr(self, field):
                raise ValueError(f"{self.id}: Instrument.{field} must not be empty")

    def _check_kind(self) -> None:
        if self.kind.is_inverse and self.settle != self.base:
            raise ValueError(
                f"{self.id}: an inverse contract settles in its base {self.base}, was {self.settle}"
            )
        if self.kind is InstrumentKind.SPOT and self.settle != self.quote:
            raise ValueError(f"{self.id}: spot settles in its quote {self.quote}, was {self.settle}")
        if self.kind.expires != (self.expiry is not None):
            raise ValueError(
                f"{self.id}: futures and options, and they alone, have an expiry, was {self.expiry}"
            )
        if (self.kind is InstrumentKind.OPTION) != (self.strike is not None and self.option_type is not None):
            raise ValueError(
                f"{self.id}: options, and they alone, have strike and option_type, "
                f"was {self.strike} and {self.option_type}"
            )

    def _check_listings(self) -> None:
        for before, after in pairwise(self.listings):
            if before.delisted is None or before.delisted > after.listed:
                raise ValueError(f"{self.id}: listings must not overlap, was {before} before {after}")

    def rules_at(self, ts: UnixNanos | int) -> Rules:
        """The rules in force at `ts` (UTC ns).

        Raises
        ------
        UnknownInstrumentError
            when `ts` is before the first known rules; names both times.
        """
        index = bisect_right(self.rules, ts, key=lambda rules: rules.valid_from)
        if index == 0:
            raise UnknownInstrumentError(
                f"{self.id} at {format_time(ts)}: the first known rules are from "
                f"{format_time(self.rules[0].valid_from)}; add earlier ones with --rules FILE"
            )
        return self.rules[index - 1]

    def is_listed_at(self, ts: UnixNanos | int) -> bool:
        """Whether it trades at `ts`; True when no listing is known."""
        return not self.listings or any(listing.holds(ts) for listing in self.listings)

    def contract_grid(self, rules: Rules) -> ContractGrid:
        """Grid and worth of `rules`, as the arithmetic of money needs them."""
        return ContractGrid(
            tick_size=rules.tick_size,
            lot_size=rules.lot_size,
            multiplier=rules.multiplier,
            is_inverse=self.kind.is_inverse,
        )


def format_time(ts: UnixNanos | int) -> str:
    """UTC nanoseconds as ISO text to the second, for messages."""
    try:
        return datetime.fromtimestamp(ts // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{ts} ns"
