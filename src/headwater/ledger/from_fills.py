"""Decimal money from the integer fills of a run: the slow, exact twin of the kernels' accounting.

Kernels count cash and fees in money units, one int64 a fill. Here the same fills are read as decimals, and
price, size and rates alone decide what each should have cost; the two must agree to the last unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import HeadwaterError
from headwater.domain.grid import to_price, to_size
from headwater.domain.money import ContractGrid
from headwater.ledger.position import Position, to_decimal

Fills = npt.NDArray[Any]
"""(n,) FILL_DTYPE."""

RateOf = Callable[[Any], Decimal]
"""The fee rate that a row of fills was charged, as a fraction."""


class LedgerMismatchError(HeadwaterError):
    """The integers of a run and the decimals of its fills disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the fills of one instrument amount to, in settle currency.

    Attributes
    ----------
    position : size, entry value and realised profit, exact
    cash : change of cash by trading, without fees: linear ``-sum(side * price * size * multiplier)``, inverse
        ``+sum(side * size * multiplier / price)``, each fill rounded to one money unit
    fee : paid (> 0) and rebated (< 0)
    rounding : what rounding each fill to one money unit left: exact cash minus `cash`
    volume : sum of size * price * multiplier (inverse: size * multiplier), quote currency
    """

    position: Position
    cash: Decimal
    fee: Decimal
    rounding: Fraction
    volume: Decimal

    def equity(self, price: Decimal) -> Fraction:
        """Profit at `price` after fees, settle currency: cash, plus the position at its worth."""
        worth = Fraction(self.position.size) * self.position.unit_value(price)
        return Fraction(self.cash) - Fraction(self.fee) + worth


def statement(fills: Fills, grid: ContractGrid, scale: int) -> Statement:
    """The statement of `fills`, all of one instrument, in the order given.

    Parameters
    ----------
    grid : ticks and lots that the fills count in
    scale : money units per unit of the settle currency; of a fill's money only the fee is read

    Raises
    ------
    ValueError
        when the fills are of several instruments.
    """
    if len(np.unique(fills["instrument"])) > 1:
        raise ValueError(f"expected fills of one instrument, was {np.unique(fills['instrument'])}")
    position = Position(multiplier=grid.multiplier, is_inverse=grid.is_inverse)
    quantum = Decimal(1) / scale
    exact, cash, volume = Fraction(0), Fraction(0), Fraction(0)
    for fill in fills:
        signed_size, price = _size_and_price(fill, grid)
        flow = _cash_flow(position, signed_size, price)
        exact += flow
        cash += Fraction(to_decimal(flow, quantum))
        volume += _quote_volume(grid, signed_size, price)
        position = position.trade(signed_size, price)
    return Statement(
        position=position,
        cash=to_decimal(cash, quantum),
        fee=int(sum(int(fee) for fee in fills["fee"])) * quantum,
        rounding=exact - cash,
        volume=to_decimal(volume, quantum),
    )


def check_fills(fills: Fills, grid: ContractGrid, scale: int, rate_of: RateOf | None = None) -> None:
    """Prove every row's ``cash``, and with `rate_of` its ``fee``, against price, size and rate.

    Raises
    ------
    LedgerMismatchError
        names the first row that disagrees, its field, what was expected and found.
    """
    position = Position(multiplier=grid.multiplier, is_inverse=grid.is_inverse)
    quantum = Decimal(1) / scale
    for row, fill in enumerate(fills):
        signed_size, price = _size_and_price(fill, grid)
        flow = to_decimal(_cash_flow(position, signed_size, price), quantum)
        _expect(row, "cash", flow, int(fill["cash"]) * quantum)
        if rate_of is not None:
            fee = to_decimal(abs(Fraction(flow)) * Fraction(rate_of(fill)), quantum)
            _expect(row, "fee", fee, int(fill["fee"]) * quantum)


def _size_and_price(fill: Any, grid: ContractGrid) -> tuple[Decimal, Decimal]:
    size = to_size(int(fill["size"]) * int(fill["side"]), grid.lot_size)
    return size, to_price(int(fill["price"]), grid.tick_size)


def _cash_flow(position: Position, signed_size: Decimal, price: Decimal) -> Fraction:
    return -Fraction(signed_size) * position.unit_value(price)


def _quote_volume(grid: ContractGrid, signed_size: Decimal, price: Decimal) -> Fraction:
    volume = abs(Fraction(signed_size)) * Fraction(grid.multiplier)
    return volume if grid.is_inverse else volume * Fraction(price)


def _expect(row: int, field: str, expected: Decimal, found: Decimal) -> None:
    if expected != found:
        raise LedgerMismatchError(
            f"fill {row}: expected {field} {expected} from its price and size, found {found}; "
            "the run's integer accounting is wrong, please report it"
        )
