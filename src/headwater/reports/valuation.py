"""From ticks, lots and money units to money: the one place where a report leaves integers.

The value in settle currency of one lot at price p (in quote) is

    spot, linear : v(p) =  p * lot_size * multiplier
    inverse      : v(p) = -lot_size * multiplier / p

The sign of the inverse case makes every contract read alike: a fill of `size` lots on `side` changes cash by
``-side * size * v(price)``, and a position of q lots is worth ``q * v(mid)``. For an inverse contract this is
profit = q * multiplier * (1 / entry - 1 / exit), counted in the base coin.

Floats are enough here: a report is a statistic, the ledger keeps the exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.backtest.result import BacktestResult, ResultInstrument
from headwater.domain.event import FINE_PRICE_SCALE, NO_PRICE
from headwater.kernels.kernel import kernel

F64: TypeAlias = npt.NDArray[np.float64]
I64: TypeAlias = npt.NDArray[np.int64]
Integer: TypeAlias = int | np.integer[Any]
Records: TypeAlias = npt.NDArray[Any]

CONTRACT_DTYPE: Final = np.dtype(
    [
        ("tick", "f8"),  # quote per tick
        ("lot", "f8"),  # base (or contracts) per lot
        ("lot_value", "f8"),  # lot_size * multiplier
        ("money", "f8"),  # settle currency per money unit
        ("inverse", "u1"),
        ("account", "u4"),  # index of the settle currency
    ],
    align=True,
)
"""One row per instrument: what kernels need to turn its integers into money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """How the instruments of one result turn into money.

    Attributes
    ----------
    contracts : (instruments,) CONTRACT_DTYPE
    currencies : settle currencies, in the order in which the instruments first name them
    initial : (currencies,) settle currency at the start
    """

    contracts: Records
    currencies: tuple[str, ...]
    initial: F64


def valuation_of(result: BacktestResult) -> Valuation:
    """The valuation of `result`; instruments that share a settle currency share an account."""
    currencies = tuple(dict.fromkeys(instrument.settle for instrument in result.instruments))
    contracts = np.zeros(len(result.instruments), CONTRACT_DTYPE)
    for row, instrument in enumerate(result.instruments):
        contracts[row] = _contract(instrument, currencies.index(instrument.settle))
    initial = [float(Decimal(result.initial_cash.get(currency, "0"))) for currency in currencies]
    return Valuation(contracts=contracts, currencies=currencies, initial=np.array(initial, np.float64))


def _contract(instrument: ResultInstrument, account: int) -> tuple[float, float, float, float, int, int]:
    lot = instrument.replay.lot_size
    return (
        float(instrument.replay.tick_size),
        float(lot),
        float(lot * Decimal(instrument.multiplier)),
        1.0 / instrument.money_scale,
        int(instrument.kind.startswith("inverse")),
        account,
    )


@kernel
def value_of_lot(lot_value: float, inverse: int, price: float) -> float:
    """Settle currency per lot at `price` (quote); NaN without a price."""
    if inverse:
        return -lot_value / price
    return lot_value * price


@kernel
def best_price(bid: int, ask: int, mark: int, tick: float) -> float:
    """Price in quote at which a position is valued: the mid; the mark where no side quotes; else NaN.

    Prices in ticks, `mark` in 1e-8 quote; NO_PRICE where there is none.
    """
    if bid != NO_PRICE and ask != NO_PRICE:
        return (float(bid) + float(ask)) * 0.5 * tick
    if mark != NO_PRICE:
        return float(mark) / FINE_PRICE_SCALE
    return np.nan
