"""Random accounts, as the slow twin keeps them and as the kernels do."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from headwater.book.side import side_update
from headwater.domain.event import NO_PRICE
from headwater.simulation.kinds import MarginMode
from headwater.simulation.state import Sim
from headwater.simulation.take import venue_side
from tests.oracle.liquidation import Liquidation
from tests.oracle.margin import Account, Book, Tier, table, tiers
from tests.simulation.small import FINE, hold, rest_order, small_sim

CAP = 10**8
SCHEDULE = tiers(
    [CAP, 3 * CAP, 10 * CAP, 30 * CAP],
    [500_000, 1_000_000, 2_500_000, 5_000_000],
    [1_000_000, 2_000_000, 5_000_000, 10_000_000],
)
"""Maintenance 0.5 % to 5 %, up to 100x leverage; maintenance margin is continuous."""

TAKER_E8 = 55_000
TAKER = Decimal(TAKER_E8) / 10**8


@dataclass(frozen=True)
class Case:
    """An account and the books of its instruments, for the twin; `sim` makes the same for the kernels."""

    account: Account
    levels: list[dict[int, dict[int, int]]]

    def twin(self) -> Liquidation:
        return Liquidation(deepcopy(self.account), deepcopy(self.levels), TAKER)

    def sim(self) -> Sim:
        sim = small_sim(len(self.account.books), tables=table(self.account.schedule), window=256)
        sim.instruments["margin_tiers_at"] = 0
        sim.instruments["taker_e8"] = TAKER_E8
        row = sim.accounts[0]
        row["wallet"] = self.account.wallet
        row["leverage"] = self.account.leverage_e2
        row["margin_mode"] = MarginMode.CROSS if self.account.is_cross else MarginMode.ISOLATED
        handle = 0
        for i, book in enumerate(self.account.books):
            sim.instruments[i]["v_mark"] = NO_PRICE if book.mark is None else int(book.mark * FINE)
            for leg in (1, -1):
                hold(sim, i, leg, book.lots[leg], book.entry[leg])
                for price, size in self.levels[i][leg].items():
                    side_update(sim.sides, sim.levels, venue_side(i, leg), price * leg, size)
            for side, price, size in book.orders:
                rest_order(sim, handle, i, side, price, size)
                handle += 1
        return sim


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A position of up to all tiers, near its entry price, with a mark or not yet, and a few orders."""
    price = draw(st.integers(50, 100_000))
    book = Book()
    if draw(st.integers(0, 9)):
        book.mark = Decimal(price * 100 + draw(st.integers(-49, 49))) / 100
    leg = draw(st.sampled_from([1, -1]))
    lots = draw(st.integers(0, 25 * CAP // price))
    book.lots[leg] = lots
    book.entry[leg] = lots * max(price + draw(st.integers(-price // 20, price // 20)), 1)
    for _ in range(draw(st.integers(0, 3))):
        side = draw(st.sampled_from([1, -1]))
        book.orders.append(
            (side, price - side * draw(st.integers(1, 40)), draw(st.integers(1, 2 * CAP // price)))
        )
    return book


@st.composite
def levels(draw: st.DrawFn, book: Book) -> dict[int, dict[int, int]]:
    """A thin book around the mark, or none on a side."""
    price = int(book.mark or 1_000)
    size = st.integers(1, max(2 * CAP // price, 1))
    near = st.dictionaries(st.integers(1, 30), size, max_size=6)
    return {
        1: {price - away: lots for away, lots in draw(near).items()},
        -1: {price + away: lots for away, lots in draw(near).items()},
    }


@st.composite
def cases(draw: st.DrawFn, schedule: list[Tier] = SCHEDULE) -> Case:
    """An account of one to three instruments whose wallet is about what its positions need."""
    held = draw(st.lists(books(), min_size=1, max_size=3))
    account = Account(
        wallet=0,
        leverage_e2=draw(st.sampled_from([0, 100, 300, 1_000, 2_500, 10_000])),
        is_cross=draw(st.booleans()),
        schedule=schedule,
        books=held,
    )
    needed = max(account.maintenance() - sum(book.profit() for book in held), 0)
    account.wallet = draw(st.integers(0, 2 * needed + 10))
    return Case(account, [draw(levels(book)) for book in held])


def lots_and_entries(sim: Sim) -> list[tuple[int, ...]]:
    """Positions of all instruments, long and short."""
    names = ("v_long", "v_short", "v_long_value", "v_short_value")
    return [tuple(int(row[name]) for name in names) for row in sim.instruments]


def twin_lots_and_entries(account: Any) -> list[tuple[int, ...]]:
    """The same of the twin."""
    return [(book.lots[1], book.lots[-1], book.entry[1], book.entry[-1]) for book in account.books]
