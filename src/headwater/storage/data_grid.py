"""The grid of imported data: the rules in force, or the smallest exact step that the data shows.

Data is judged by the rules of its day, but it is never rounded: what does not lie on the grid of its day is
kept on a finer one, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from typing import Final

from headwater.ports.importer import GridLookup
from headwater.storage.decimal_bytes import Ints, greatest_common_divisor

ROWS_FOR_A_STEP: Final = 100
"""Fewer rows than this prove no step coarser than a power of ten: ten sizes of 500 make no lot of 500."""

_Column = tuple[Ints, int]
"""Values in units of ten to the minus decimals, and the decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitGrid:
    """A grid in units: what to multiply units by, and the steps in the units that result."""

    price_factor: int
    size_factor: int
    tick: int
    lot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenGrid:
    """Tick and lot size of a batch, and where they came from."""

    tick_size: Decimal
    lot_size: Decimal
    source: str

    def units(self, price_decimals: int, size_decimals: int) -> UnitGrid:
        """The same grid for values in units of ten to the minus decimals."""
        price_factor, tick = _in_units(self.tick_size, price_decimals)
        size_factor, lot = _in_units(self.lot_size, size_decimals)
        return UnitGrid(price_factor=price_factor, size_factor=size_factor, tick=tick, lot=lot)


class DataGrid:
    """Chooses the grid of each batch of one instrument; a later batch is never on a coarser inferred grid.

    Parameters
    ----------
    instrument : id that the rules are looked up by
    lookup : the rules in force
    note : receives a sentence about data that lies off its grid
    """

    def __init__(self, instrument: str, lookup: GridLookup, note: Callable[[str], None]) -> None:
        self._instrument = instrument
        self._lookup = lookup
        self._note = note
        self._tick_seen: Decimal | None = None
        self._lot_seen: Decimal | None = None

    def choose(self, span: tuple[int, int], prices: _Column, sizes: _Column) -> ChosenGrid:
        """The grid of a batch whose first and last ts_local are `span`."""
        rules = self._in_force(span)
        if rules is None:
            self._tick_seen = _finer(self._tick_seen, _step_shown(*prices))
            self._lot_seen = _finer(self._lot_seen, _step_shown(*sizes))
            return ChosenGrid(tick_size=self._tick_seen, lot_size=self._lot_seen, source="inferred")
        tick_size, lot_size, source = rules
        tick_size = self._on_grid("price", "tick", tick_size, prices, source)
        lot_size = self._on_grid("size", "lot", lot_size, sizes, source)
        return ChosenGrid(tick_size=tick_size, lot_size=lot_size, source=source)

    def _in_force(self, span: tuple[int, int]) -> tuple[Decimal, Decimal, str] | None:
        first, last = (self._lookup(self._instrument, ts) for ts in span)
        if first is None or last is None:
            return None
        # Rules that change inside a batch: the grid that holds both.
        return _finer(first[0], last[0]), _finer(first[1], last[1]), first[2]

    def _on_grid(self, field: str, step_name: str, step: Decimal, column: _Column, source: str) -> Decimal:
        units, decimals = column
        factor, step_units = _in_units(step, decimals)
        off = units * factor % step_units != 0
        if not off.any():
            return step
        finer = _finer(step, Decimal(int(greatest_common_divisor(units))).scaleb(-decimals))
        example = Decimal(int(units[off.argmax()])).scaleb(-decimals)
        self._note(
            f"{int(off.sum())} values of {field} are no multiples of the {step_name} size {step} in force "
            f"({source}), the first is {example}: kept on the finer grid {finer}"
        )
        return finer


def _in_units(step: Decimal, decimals: int) -> tuple[int, int]:
    """(factor, step) in units of ten to the minus the larger number of decimals."""
    exponent = int(step.normalize().as_tuple().exponent)
    common = max(decimals, -exponent, 0)
    return 10 ** (common - decimals), int(step.scaleb(common))


def _step_shown(units: Ints, decimals: int) -> Decimal:
    one = Decimal(1).scaleb(-decimals)
    if len(units) < ROWS_FOR_A_STEP:
        return one
    return one * int(greatest_common_divisor(units)) or one


def _finer(a: Decimal | None, b: Decimal) -> Decimal:
    """The largest step of which both are multiples."""
    if a is None or a == b:
        return b
    decimals = max(-int(a.normalize().as_tuple().exponent), -int(b.normalize().as_tuple().exponent), 0)
    return Decimal(gcd(int(a.scaleb(decimals)), int(b.scaleb(decimals)))).scaleb(-decimals)
