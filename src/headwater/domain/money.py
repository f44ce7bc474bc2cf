"""Money as integers: how many units of a settle currency a fill is worth.

Kernels count money in ``1 / scale`` of the settle currency, ``scale`` a power of ten that makes every fill
exact:

- spot and linear: ``value = ticks * lots * unit``, ``unit = tick_size * lot_size * multiplier * scale``;
- inverse: ``value = lots * unit / ticks``, ``unit = lot_size * multiplier * scale / tick_size``, rounded half
  away from zero; what the rounding leaves goes to the ledger's rounding account.

``unit`` is an integer by the choice of the scale. int64 wraps silently, so the greatest value that a run can
meet is proven to fit before it starts (:func:`check_money_bound`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from headwater.domain.errors import ConfigurationError
from headwater.domain.grid import INT64_MAX, positive_step

LEAST_SCALE_EXPONENT: Final = 8
GREATEST_SCALE_EXPONENT: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractGrid:
    """What turns ticks and lots into money.

    Attributes
    ----------
    tick_size, lot_size : > 0
    multiplier : worth of one unit of size: base currency (spot, linear), quote currency (inverse)
    is_inverse : settled in the base coin
    """

    tick_size: Decimal
    lot_size: Decimal
    multiplier: Decimal = Decimal(1)
    is_inverse: bool = False

    def __post_init__(self) -> None:
        for step in (self.tick_size, self.lot_size, self.multiplier):
            positive_step(step)

    def unit(self) -> Fraction:
        """Worth of one lot at one tick, in settle currency."""
        lot = Fraction(self.lot_size) * Fraction(self.multiplier)
        tick = Fraction(self.tick_size)
        return lot / tick if self.is_inverse else lot * tick


def money_scale(*grids: ContractGrid) -> int:
    """Money units per one unit of the settle currency that all `grids` share.

    The smallest power of ten, at least 10**8, that makes each grid's unit an integer.

    Raises
    ------
    ConfigurationError
        when none up to 10**18 does (an inverse tick such as 0.3 does not divide).
    """
    for exponent in range(LEAST_SCALE_EXPONENT, GREATEST_SCALE_EXPONENT + 1):
        if all((grid.unit() * 10**exponent).denominator == 1 for grid in grids):
            return int(10**exponent)
    raise ConfigurationError(
        f"no money scale up to 10**{GREATEST_SCALE_EXPONENT} makes these grids exact: {_describe(grids)}; "
        "use a coarser tick or lot size"
    )


def unit_value(grid: ContractGrid, scale: int) -> int:
    """Money units of one lot at one tick (inverse: numerator over the ticks).

    Raises ``ValueError`` when `scale` does not make it an integer.
    """
    value = grid.unit() * scale
    if value.denominator != 1:
        raise ValueError(f"scale {scale} does not make {_describe((grid,))} exact; take it from money_scale")
    return value.numerator


def check_money_bound(grid: ContractGrid, scale: int, *, ticks_max: int, lots_max: int) -> None:
    """Prove that no product of a run leaves int64.

    Parameters
    ----------
    ticks_max : greatest price of the run
    lots_max : greatest size, position or traded volume of the run

    Raises
    ------
    ConfigurationError
        with the greatest notional that would fit.
    """
    unit = unit_value(grid, scale)
    greatest = lots_max * unit * (1 if grid.is_inverse else ticks_max)
    if greatest > INT64_MAX:
        raise ConfigurationError(
            f"money of {_describe((grid,))} would need {greatest.bit_length() + 1} bits for {lots_max} lots "
            f"at {ticks_max} ticks: with {scale} units per currency unit at most {INT64_MAX // scale} fits; "
            "limit the position or use a coarser lot size"
        )


def linear_value(ticks: int, lots: int, unit: int) -> int:
    """Money units of `lots` at `ticks`, spot and linear; plain integers, also inside kernels."""
    return ticks * lots * unit


def inverse_value(ticks: int, lots: int, unit: int) -> int:
    """Money units of `lots` at `ticks` > 0 of an inverse contract, half away from zero; also inside
    kernels."""
    worth = abs(lots) * unit
    quotient = worth // ticks
    if worth - quotient * ticks >= ticks - (worth - quotient * ticks):
        quotient += 1
    return quotient if lots >= 0 else -quotient


def _describe(grids: Iterable[ContractGrid]) -> str:
    return "; ".join(
        f"tick {grid.tick_size}, lot {grid.lot_size}, multiplier {grid.multiplier}"
        f"{', inverse' if grid.is_inverse else ''}"
        for grid in grids
    )
