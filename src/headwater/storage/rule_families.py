"""Families of instruments: how a venue writes symbols, and how our ids read.

Templates hold ``{base}``, ``{quote}`` and ``{expiry}``; the first two are patterns of the family, an expiry
is what venues write there (``240927``, ``27SEP24``, ``27SEP24-60000-C``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from headwater.domain.instrument import InstrumentKind

EXPIRY: Final = "(?=[A-Z-]*[0-9])[0-9A-Z]+(?:-[0-9A-Z]+)*"
"""Holds at least one digit, so that BTCUSDT is no BTCUSD that expires at T."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Instruments that differ in their names and grids alone.

    Attributes
    ----------
    symbol, id_template : as the venue writes them, and as we do
    base, quote : patterns of currencies
    settle : template of the settle currency
    names_only : gives ids, but not rules: what a contract is worth differs within the family
    entry : the table of the rules file
    """

    kind: InstrumentKind
    symbol: str
    id_template: str
    base: str
    quote: str
    settle: str
    names_only: bool
    entry: Any

    @cached_property
    def _symbol_pattern(self) -> re.Pattern[str]:
        return self._pattern(self.symbol)

    @cached_property
    def _id_pattern(self) -> re.Pattern[str]:
        return self._pattern(self.id_template)

    def _pattern(self, template: str) -> re.Pattern[str]:
        groups = {
            "base": f"(?P<base>{self.base})",
            "quote": f"(?P<quote>{self.quote})",
            "expiry": f"(?P<expiry>{EXPIRY})",
        }
        pieces = re.split(r"\{(base|quote|expiry)\}", template)
        written = (groups[piece] if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
        return re.compile("".join(written), re.IGNORECASE)

    def match_id(self, name: str) -> bool:
        """Whether an id (without its venue) reads so and the family gives rules."""
        return not self.names_only and not self.kind.expires and self._id_pattern.fullmatch(name) is not None

    def id_of(self, symbol: str) -> str | None:
        """Our name of what the venue calls `symbol`, or None when it is none of this family."""
        match = self._symbol_pattern.fullmatch(symbol)
        return None if match is None else self.id_template.format(**_upper(match))

    def symbol_of(self, name: str) -> str | None:
        """The venue's symbol of our `name`, or None when it is none of this family."""
        match = self._id_pattern.fullmatch(name)
        return None if match is None else self.symbol.format(**_upper(match))

    def parts_of(self, name: str) -> dict[str, str]:
        """Base, quote and settle currency of our `name`; empty when it is none of this family."""
        match = self._id_pattern.fullmatch(name)
        if match is None:
            return {}
        parts = {"base": self.base, "quote": self.quote, **_upper(match)}
        return {**parts, "settle": self.settle.format(**parts)}


def _upper(match: re.Match[str]) -> dict[str, str]:
    return {name: text.upper() for name, text in match.groupdict().items()}
