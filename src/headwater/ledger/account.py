"""Money by double entry: every posting takes from one book what it gives to another.

The sum over all books of a currency is zero at any time, so nothing can be lost unseen. Books of a currency:

=============  ==========================================================================================
book           holds
=============  ==========================================================================================
``cash``       the balance, what the venue would show
``capital``    minus what was deposited
``market``     minus what trading brought: profit of contracts; the other side of bought and sold coins
``fees``       fees paid (rebates negative)
``funding``    minus funding received
``rounding``   what was left when a profit was rounded to the currency's quantum; below one quantum a fill
=============  ==========================================================================================

Spot moves both coins; contracts move profit when they close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from headwater.domain.identity import InstrumentId
from headwater.domain.instrument import Instrument, InstrumentKind
from headwater.ledger.fill import Fill
from headwater.ledger.position import Position, to_decimal

QUANTUM: Final = Decimal("1e-8")
"""Smallest amount a venue books, unless told otherwise."""


class Book(StrEnum):
    """Where money can be; the table is in the module docstring."""

    CASH = "cash"
    CAPITAL = "capital"
    MARKET = "market"
    FEES = "fees"
    FUNDING = "funding"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A change of one book."""

    book: Book
    currency: str
    amount: Fraction


@dataclass(slots=True, kw_only=True)
class Account:
    """Balances, positions and where the money came from.

    Attributes
    ----------
    quantum : currency -> smallest amount booked; QUANTUM for those that are not named
    """

    quantum: dict[str, Decimal] = field(default_factory=dict)
    _balances: dict[tuple[Book, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    _positions: dict[InstrumentId, Position] = field(default_factory=dict)

    def deposit(self, currency: str, amount: Decimal) -> None:
        """Put money in (> 0) or take it out (< 0)."""
        self._transfer(Book.CAPITAL, currency, Fraction(amount))

    def apply_fill(self, instrument: Instrument, fill: Fill) -> None:
        """Book a fill and its fee; the contract's multiplier is that of the rules in force at its time."""
        before = self.position(instrument, fill.ts)
        after = before.apply(fill)
        self._positions[instrument.id] = after
        if instrument.kind is InstrumentKind.SPOT:
            self._exchange_coins(instrument, fill)
        else:
            self._transfer(Book.MARKET, instrument.settle, after.realised - before.realised)
        if fill.fee:
            self._transfer(Book.FEES, fill.fee_currency, -Fraction(fill.fee))

    def apply_funding(self, currency: str, received: Decimal) -> None:
        """Book a funding: > 0 received, < 0 paid."""
        self._transfer(Book.FUNDING, currency, Fraction(received))

    def position(self, instrument: Instrument, ts: int) -> Position:
        """The position in an instrument; flat before its first fill."""
        if instrument.id not in self._positions:
            multiplier = instrument.rules_at(ts).multiplier
            return Position(multiplier=multiplier, is_inverse=instrument.kind.is_inverse)
        return self._positions[instrument.id]

    def balance(self, currency: str) -> Decimal:
        """Cash of a currency."""
        return self.book(Book.CASH, currency)

    def book(self, book: Book, currency: str) -> Decimal:
        """What a book holds, to the currency's quantum (the rounding book: to a millionth of it)."""
        finest = Decimal("1e-6") if book is Book.ROUNDING else Decimal(1)
        return to_decimal(self._balances[book, currency], self._quantum_of(currency) * finest)

    def currencies(self) -> tuple[str, ...]:
        """All currencies ever booked, sorted."""
        return tuple(sorted({currency for _, currency in self._balances}))

    def imbalance(self, currency: str) -> Fraction:
        """Sum over all books: zero, or money was lost."""
        return sum((amount for (_, name), amount in self._balances.items() if name == currency), Fraction(0))

    def _exchange_coins(self, instrument: Instrument, fill: Fill) -> None:
        cost = Fraction(fill.signed_size) * Fraction(fill.price)
        self._transfer(Book.MARKET, instrument.base, Fraction(fill.signed_size))
        self._transfer(Book.MARKET, instrument.quote, -cost)

    def _transfer(self, source: Book, currency: str, amount: Fraction) -> None:
        booked = Fraction(to_decimal(amount, self._quantum_of(currency)))
        self._post(
            (
                Posting(book=Book.CASH, currency=currency, amount=booked),
                Posting(book=source, currency=currency, amount=-amount),
                Posting(book=Book.ROUNDING, currency=currency, amount=amount - booked),
            )
        )

    def _post(self, postings: Iterable[Posting]) -> None:
        changes = tuple(postings)
        assert sum((change.amount for change in changes), Fraction(0)) == 0
        for change in changes:
            self._balances[change.book, change.currency] += change.amount

    def _quantum_of(self, currency: str) -> Decimal:
        return self.quantum.get(currency, QUANTUM)
