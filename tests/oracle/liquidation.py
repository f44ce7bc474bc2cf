"""Liquidation in plain Python over the twin of margin: linear contracts, one-way, books as dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tests.oracle.margin import EXACT, Account, Book, initial, maintenance, money, tier_of

Fill = tuple[int, int, int, int]
"""Instrument, side, price, lots."""


@dataclass
class Liquidation:
    """One judgement of an account after the mark of one of its instruments changed.

    Attributes
    ----------
    levels : for each instrument, what stands on each side of the venue's book: price -> lots
    """

    account: Account
    levels: list[dict[int, dict[int, int]]]
    taker: Decimal
    fills: list[Fill] = field(default_factory=list)
    is_bankrupt: bool = False

    def judge(self, at: int) -> None:
        if self.is_safe(at):
            return
        count = len(self.account.books) if self.account.is_cross else 1
        reach = [(at + ahead) % len(self.account.books) for ahead in range(count)]
        for i in reach:
            self.account.books[i].orders.clear()
        for step in (self.reduce, self.take_over):
            for i in reach:
                if self.account.books[i].mark is not None:
                    for leg in (1, -1):
                        step(i, leg)
        account = self.account
        self.is_bankrupt |= (account.margin_balance() if account.is_cross else account.wallet) < 0

    def is_safe(self, at: int) -> bool:
        if self.account.is_cross:
            needed = self.account.maintenance()
            return needed == 0 or self.account.margin_balance() > needed
        return all(self.leg_is_safe(at, leg) for leg in (1, -1))

    def leg_is_safe(self, at: int, leg: int) -> bool:
        book = self.account.books[at]
        return not book.lots[leg] or self.behind(at, leg) > maintenance(
            self.account.schedule, book.worth(leg)
        )

    def must_close(self, at: int, leg: int) -> bool:
        if not self.account.books[at].lots[leg]:
            return False
        return not (self.is_safe(at) if self.account.is_cross else self.leg_is_safe(at, leg))

    def behind(self, at: int, leg: int) -> int:
        account, book = self.account, self.account.books[at]
        if account.is_cross:
            balance = account.margin_balance()
            own = maintenance(account.schedule, book.worth(leg))
            share = abs(balance) * own // account.maintenance()
            return share if balance >= 0 else -share
        held = {
            (i, each): initial(account.schedule, account.leverage_e2, other.entry[each])
            for i, other in enumerate(account.books)
            for each in (1, -1)
        }
        free = account.wallet - sum(held.values())
        return held[at, leg] + leg * (book.worth(leg) - book.entry[leg]) + min(free, 0)

    def bankruptcy_price(self, at: int, leg: int) -> int:
        """The worst price that owes nothing, found by halving."""
        book, balance = self.account.books[at], self.behind(at, leg)

        def left(price: int) -> int:
            worth = price * book.lots[leg]
            return balance + leg * (worth - book.worth(leg)) - self.fee(worth)

        good, bad = (10**9, 0) if leg > 0 else (0, 10**9)
        while abs(good - bad) > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if left(middle) >= 0 else (good, middle)
        return max(good, 1)

    def fee(self, worth: int) -> int:
        return money(EXACT.multiply(Decimal(worth), self.taker))

    def reduce(self, at: int, leg: int) -> None:
        book, schedule = self.account.books[at], self.account.schedule
        while self.must_close(at, leg):
            tier = schedule.index(tier_of(schedule, book.worth(leg)))
            if tier == 0:
                return
            keep = book.lots[leg] * schedule[tier - 1].cap // book.worth(leg)
            wanted = book.lots[leg] - keep
            if self.close_at_market(at, leg, wanted) < wanted:
                return

    def close_at_market(self, at: int, leg: int, wanted: int) -> int:
        """A long sells to the bids from the highest, a short buys from the asks from the lowest."""
        limit, side = self.bankruptcy_price(at, leg), self.levels[at][leg]
        done = 0
        for price in sorted(side, reverse=leg > 0):
            if done == wanted or (price - limit) * leg < 0:
                break
            size = min(wanted - done, side[price])
            side[price] -= size
            self.fill(at, leg, price, size)
            done += size
        self.levels[at][leg] = {price: size for price, size in side.items() if size}
        return done

    def take_over(self, at: int, leg: int) -> None:
        if self.must_close(at, leg):
            self.is_bankrupt |= self.account.is_cross and self.account.margin_balance() < 0
            self.fill(at, leg, self.bankruptcy_price(at, leg), self.account.books[at].lots[leg])

    def fill(self, at: int, leg: int, price: int, size: int) -> None:
        book = self.account.books[at]
        part = book.entry[leg] * size // book.lots[leg]
        self.account.wallet += leg * (price * size - part) - self.fee(price * size)
        book.entry[leg] -= part
        book.lots[leg] -= size
        self.fills.append((at, -leg, price, size))


def books(count: int) -> list[Book]:
    return [Book() for _ in range(count)]
