"""The account: double entry over random lives, and worked examples."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.instrument import Instrument, InstrumentKind
from headwater.domain.order import Side
from headwater.domain.rules import Rules
from headwater.ledger.account import QUANTUM, Account, Book
from headwater.ledger.fill import Fill

MARGIN = Fraction(QUANTUM) / 2


def instrument(kind: InstrumentKind, base: str, quote: str, settle: str, multiplier: str = "1") -> Instrument:
    rules = Rules(
        valid_from=UnixNanos(0),
        tick_size=Decimal("0.5"),
        lot_size=Decimal("0.001"),
        multiplier=Decimal(multiplier),
        source="test",
    )
    return Instrument(
        id=InstrumentId(f"{base}{quote}-{kind}.X"),
        venue="X",
        symbol=f"{base}{quote}",
        kind=kind,
        base=base,
        quote=quote,
        settle=settle,
        rules=(rules,),
    )


SPOT = instrument(InstrumentKind.SPOT, "BTC", "USDT", "USDT")
LINEAR = instrument(InstrumentKind.LINEAR_PERPETUAL, "BTC", "USDT", "USDT")
INVERSE = instrument(InstrumentKind.INVERSE_PERPETUAL, "BTC", "USD", "BTC", "100")


def fill(of: Instrument, side: Side, price: str, size: str, fee: str = "0", currency: str = "") -> Fill:
    return Fill(
        instrument=of.id,
        ts=UnixNanos(1),
        side=side,
        price=Decimal(price),
        size=Decimal(size),
        fee=Decimal(fee),
        fee_currency=currency,
    )


def test_spot_moves_both_coins() -> None:
    account = Account()
    account.deposit("USDT", Decimal(1000))
    account.apply_fill(SPOT, fill(SPOT, Side.BUY, "500", "1.5", "0.0015", "BTC"))
    assert account.balance("USDT") == 250
    assert account.balance("BTC") == Decimal("1.4985")
    assert account.book(Book.FEES, "BTC") == Decimal("0.0015")
    assert account.currencies() == ("BTC", "USDT")


def test_a_linear_contract_pays_profit_when_it_closes() -> None:
    account = Account()
    account.apply_fill(LINEAR, fill(LINEAR, Side.BUY, "100", "2", "0.02", "USDT"))
    assert account.balance("USDT") == Decimal("-0.02")
    account.apply_fill(LINEAR, fill(LINEAR, Side.SELL, "110", "2", "-0.01", "USDT"))
    assert account.balance("USDT") == Decimal("19.99")
    assert account.book(Book.MARKET, "USDT") == -20


def test_what_an_inverse_profit_does_not_divide_into_goes_to_rounding() -> None:
    account = Account()
    account.apply_fill(INVERSE, fill(INVERSE, Side.BUY, "30000", "1"))
    account.apply_fill(INVERSE, fill(INVERSE, Side.SELL, "31000", "1"))
    exact = Fraction(100, 30000) - Fraction(100, 31000)
    assert account.balance("BTC") == Decimal("0.00010753")
    assert account.book(Book.ROUNDING, "BTC") == Decimal("-0.00000000311828")
    assert abs(Fraction(account.balance("BTC")) - exact) <= MARGIN


def test_a_coarser_currency_rounds_to_its_own_quantum() -> None:
    account = Account(quantum={"USDT": Decimal("0.01")})
    account.apply_funding("USDT", Decimal("-0.125"))
    assert account.balance("USDT") == Decimal("-0.13")
    assert account.book(Book.ROUNDING, "USDT") == Decimal("0.005")
    assert account.book(Book.FUNDING, "USDT") == Decimal("0.13")


class AccountLife(RuleBasedStateMachine):
    """Random deposits, fills and fundings: money is never made or lost."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.postings = 0
        self.exact: dict[str, Fraction] = {"BTC": Fraction(0), "USDT": Fraction(0)}

    def booked(self, currency: str, amount: Fraction) -> None:
        self.postings += 1
        self.exact[currency] += amount

    @rule(currency=st.sampled_from(["BTC", "USDT"]), units=st.integers(-(10**9), 10**9))
    def deposit(self, currency: str, units: int) -> None:
        self.account.deposit(currency, units * QUANTUM)
        self.booked(currency, units * Fraction(QUANTUM))

    @rule(currency=st.sampled_from(["BTC", "USDT"]), received=st.decimals(-10, 10, places=12))
    def funding(self, currency: str, received: Decimal) -> None:
        self.account.apply_funding(currency, received)
        self.booked(currency, Fraction(received))

    @rule(
        of=st.sampled_from([SPOT, LINEAR, INVERSE]),
        side=st.sampled_from(Side),
        ticks=st.integers(1, 200_000),
        lots=st.integers(1, 100_000),
        fee=st.decimals("-0.01", "0.01", places=8),
    )
    def trade(self, of: Instrument, side: Side, ticks: int, lots: int, fee: Decimal) -> None:
        price, size = ticks * Decimal("0.5"), lots * Decimal("0.001")
        before = self.account.position(of, 1)
        done = fill(of, side, str(price), str(size), str(fee), of.settle)
        self.account.apply_fill(of, done)
        if of is SPOT:
            self.booked("BTC", Fraction(done.signed_size))
            self.booked("USDT", -Fraction(done.signed_size) * Fraction(price))
        else:
            self.booked(of.settle, self.account.position(of, 1).realised - before.realised)
        self.booked(of.settle, -Fraction(fee))

    @invariant()
    def books_of_each_currency_sum_to_zero(self) -> None:
        assert all(self.account.imbalance(currency) == 0 for currency in self.account.currencies())

    @invariant()
    def cash_follows_the_exact_money_within_half_a_quantum_a_posting(self) -> None:
        for currency, exact in self.exact.items():
            assert abs(Fraction(self.account.balance(currency)) - exact) <= MARGIN * max(self.postings, 1)


TestAccountLife = AccountLife.TestCase
