"""Margin in Decimal, over plain lists: what the venue's help pages say, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise

EXACT = Context(prec=80)


def money(value: Decimal) -> int:
    """Whole money units, half away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP, EXACT))


@dataclass(frozen=True)
class Tier:
    """Up to `cap`; rates are fractions."""

    cap: int
    initial: Decimal
    maintenance: Decimal
    deduction: int


def tiers(caps: list[int], maintenance_e8: list[int], initial_e8: list[int]) -> list[Tier]:
    """A schedule whose maintenance margin is continuous; caps must be multiples of 1e8 to keep it exact."""
    found: list[Tier] = []
    deduction = 0
    rates = list(zip(caps, maintenance_e8, initial_e8, strict=True))
    for (cap_below, rate_below, _), (_, rate, _) in pairwise([(0, 0, 0), *rates]):
        deduction += cap_below * (rate - rate_below) // 10**8
        found.append(Tier(0, Decimal(0), Decimal(rate) / 10**8, deduction))
    return [
        Tier(cap, Decimal(initial) / 10**8, tier.maintenance, tier.deduction)
        for tier, (cap, _, initial) in zip(found, rates, strict=True)
    ]


def table(schedule: list[Tier]) -> list[int]:
    """The cells that the kernels read."""
    cells = [len(schedule)]
    for tier in schedule:
        cells += [tier.cap, int(tier.initial * 10**8), int(tier.maintenance * 10**8), tier.deduction]
    return cells


def tier_of(schedule: list[Tier], value: int) -> Tier:
    return next((tier for tier in schedule if value <= tier.cap), schedule[-1])


def initial(schedule: list[Tier], leverage_e2: int, value: int) -> int:
    """Margin to hold a position of `value`; leverage 0 leaves it to the tier."""
    if value <= 0:
        return 0
    rate = tier_of(schedule, value).initial
    if leverage_e2:
        by_choice = -(-(10**10) // leverage_e2)  # 1e-8, rounded up
        rate = max(rate, min(Decimal(by_choice) / 10**8, Decimal(1)))
    return money(EXACT.multiply(Decimal(value), rate))


def maintenance(schedule: list[Tier], value: int) -> int:
    if value <= 0:
        return 0
    tier = tier_of(schedule, value)
    return max(money(EXACT.multiply(Decimal(value), tier.maintenance)) - tier.deduction, 0)


@dataclass
class Book:
    """One linear instrument of an account; a tick is worth one money unit per lot."""

    mark: Decimal | None = None  # ticks
    lots: dict[int, int] = field(default_factory=lambda: {1: 0, -1: 0})
    entry: dict[int, int] = field(default_factory=lambda: {1: 0, -1: 0})
    orders: list[tuple[int, int, int]] = field(default_factory=list)  # side, price, lots

    def worth(self, leg: int) -> int:
        if self.mark is None:
            return self.entry[leg]
        return money(EXACT.multiply(self.mark, Decimal(self.lots[leg])))

    def profit(self) -> int:
        return sum(leg * (self.worth(leg) - self.entry[leg]) for leg in (1, -1))

    def orders_worth(self, side: int) -> int:
        return sum(price * lots for at, price, lots in self.orders if at == side)


@dataclass
class Account:
    """Cross or isolated, one-way, one schedule for all instruments."""

    wallet: int
    leverage_e2: int
    is_cross: bool
    schedule: list[Tier]
    books: list[Book]

    def margin_balance(self) -> int:
        return self.wallet + sum(book.profit() for book in self.books)

    def needed(self, book: Book) -> int:
        worth = {leg: book.worth(leg) if self.is_cross else book.entry[leg] for leg in (1, -1)}
        reach = [worth[leg] - worth[-leg] + book.orders_worth(leg) for leg in (1, -1)]
        return initial(self.schedule, self.leverage_e2, max(reach))

    def affords(self, at: int, side: int, price: int, lots: int, taker: Decimal) -> bool:
        """Whether the order may be added to the orders of book `at`."""
        book = self.books[at]
        before = self.needed(book)
        fee = money(EXACT.multiply(Decimal(price * lots), taker))
        book.orders.append((side, price, lots))
        closes = self.needed(book) <= before
        needed = fee + sum(self.needed(each) for each in self.books)
        reach = book.worth(side) - book.worth(-side) + book.orders_worth(side)
        book.orders.pop()
        purse = self.margin_balance() if self.is_cross else self.wallet
        return reach <= self.schedule[-1].cap and (closes or needed <= purse)

    def maintenance(self) -> int:
        return sum(maintenance(self.schedule, book.worth(leg)) for book in self.books for leg in (1, -1))
