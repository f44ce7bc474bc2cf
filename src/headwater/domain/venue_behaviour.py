"""How a venue treats orders, as data: the same engine behaves like each of them.

A value that is not documented by the venue is marked *not documented* beside it, with the choice that hurts a
back-test more. Nothing here is a rule of an instrument (grid, fees, margin): those are dated, in
:class:`headwater.domain.rules.Rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final

from headwater.domain.instrument import InstrumentKind
from headwater.domain.order import OrderFlag, OrderKind, TriggerBy

SECOND_NS: Final = 1_000_000_000


class AmendPriority(IntEnum):
    """What an amendment does to the place in the queue."""

    DECREASE_KEEPS = 0  # smaller size at the same price keeps it; anything else goes to the end
    ALWAYS_LOSES = 1


class ReduceOnlyRule(IntEnum):
    """What happens to a reduce-only order larger than the position."""

    SHRINK_OR_CANCEL = 0
    REJECT = 1


class PostOnlyRule(IntEnum):
    """What happens to a post-only order that would take."""

    REJECT = 0


class MarketOrderProtection(Enum):
    """How far a market order may walk the book."""

    NONE = "none"  # as far as there is liquidity
    PRICE_RATIO = "price-ratio"  # becomes an IOC limit at a ratio from the reference price


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueBehaviour:
    """What one venue (or one product of it) does with orders.

    Attributes
    ----------
    name : venue and product, e.g. ``BYBIT linear``
    order_rate_limit : order requests (new, amend and cancel where `cancels_count`) in any window of
        `window_ns`
    window_ns : length of the rolling window, ns
    batch_counts_per_order : every order of a batch counts (else the batch counts once)
    cancels_count : cancels use the same allowance
    amend_priority : what an amendment does to queue priority
    amend_below_filled_cancels : amending to at most the filled size ends the order (else the amendment is
        refused)
    post_only : what a post-only order that would take meets; no venue here re-prices it
    reduce_only : what a reduce-only order beyond the position meets
    has_hedge_mode : long and short legs can be held at once
    market_protection, market_protection_ratio : protective price of market orders, as a fraction of the
        reference price
    has_price_band : limit prices are judged against ``Rules.price_band``
    trigger_prices : what stops and take-profits can watch
    order_kinds : kinds that the venue takes
    has_gtd, has_trailing : good-till-date orders, trailing stops
    max_open_orders : resting orders per instrument; None when not known
    collateral_haircuts : fraction of value lost when a coin is margin; None when the venue does not say, and
        then collateral in any coin but the settle currency is refused
    """

    name: str
    order_rate_limit: int
    window_ns: int
    batch_counts_per_order: bool
    cancels_count: bool
    amend_priority: AmendPriority
    amend_below_filled_cancels: bool
    post_only: PostOnlyRule
    reduce_only: ReduceOnlyRule
    has_hedge_mode: bool
    market_protection: MarketOrderProtection
    market_protection_ratio: Decimal | None
    has_price_band: bool
    trigger_prices: frozenset[TriggerBy]
    order_kinds: frozenset[OrderKind]
    has_gtd: bool
    has_trailing: bool
    order_flags: OrderFlag
    max_open_orders: int | None = None
    collateral_haircuts: Mapping[str, Decimal] | None = None

    def __post_init__(self) -> None:
        if self.order_rate_limit <= 0 or self.window_ns <= 0:
            raise ValueError(
                f"{self.name}: order_rate_limit and window_ns must be > 0, was {self.order_rate_limit} "
                f"in {self.window_ns} ns"
            )
        has_ratio = self.market_protection is MarketOrderProtection.PRICE_RATIO
        if has_ratio != (self.market_protection_ratio is not None):
            raise ValueError(
                f"{self.name}: market_protection_ratio belongs to PRICE_RATIO alone, was "
                f"{self.market_protection_ratio} with {self.market_protection.name}"
            )
        if self.has_trailing != (OrderKind.TRAILING_STOP in self.order_kinds):
            raise ValueError(f"{self.name}: has_trailing and order_kinds disagree on TRAILING_STOP")

    @property
    def decrease_keeps_priority(self) -> bool:
        """A smaller size at the same price keeps its place in the queue."""
        return self.amend_priority is AmendPriority.DECREASE_KEEPS

    @property
    def any_modify_loses(self) -> bool:
        """Every amendment goes to the end of the queue."""
        return self.amend_priority is AmendPriority.ALWAYS_LOSES


_ALL_KINDS: Final = frozenset(OrderKind)
_UNTRAILED: Final = _ALL_KINDS - {OrderKind.TRAILING_STOP}
_LAST_ONLY: Final = frozenset({TriggerBy.LAST})

BYBIT_LINEAR: Final = VenueBehaviour(
    name="BYBIT linear",
    # v5 docs, rate limits: create, amend and cancel 10 requests a second each and per UID, rolling second.
    # The three allowances are separate at the venue; one shared allowance is the stricter reading.
    order_rate_limit=10,
    window_ns=SECOND_NS,
    batch_counts_per_order=True,  # v5 docs: consumption of a batch = number of orders inside the request
    cancels_count=True,
    # v5 docs and user reports: a new price or a larger size loses priority, a smaller size keeps it
    amend_priority=AmendPriority.DECREASE_KEEPS,
    amend_below_filled_cancels=False,  # error 110064: the new size must exceed what is filled
    post_only=PostOnlyRule.REJECT,  # EC_PostOnlyWillTakeLiquidity, on the stream after the acknowledgement
    # v5 docs: the size is cut to the position; 110017 when it would be 0
    reduce_only=ReduceOnlyRule.SHRINK_OR_CANCEL,
    has_hedge_mode=True,  # positionIdx 1 and 2, USDT perpetuals
    # v5 docs: market orders become IOC limits at a protective price. The ratio is not documented: the venue's
    # band for market orders of BTCUSDT (priceLimitRatioY, instruments-info of 2026-08) is 2 %.
    market_protection=MarketOrderProtection.PRICE_RATIO,
    market_protection_ratio=Decimal("0.02"),
    has_price_band=True,  # priceLimitRatioX and Y of instruments-info; errors 110003, 30208, 30209
    trigger_prices=frozenset(TriggerBy),  # triggerBy LastPrice, MarkPrice, IndexPrice
    order_kinds=_ALL_KINDS,
    has_gtd=False,  # timeInForce GTC, IOC, FOK, PostOnly, RPI
    has_trailing=True,  # trading-stop, by distance
    order_flags=OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_ON_TRIGGER,
    max_open_orders=500,  # error 110020
    collateral_haircuts=None,  # tiered and changed often; not in the recorded answers
)

BYBIT_SPOT: Final = VenueBehaviour(
    name="BYBIT spot",
    # v5 docs: create and cancel 20/s, amend 10/s; the lowest for all three
    order_rate_limit=10,
    window_ns=SECOND_NS,
    batch_counts_per_order=True,
    cancels_count=True,
    amend_priority=AmendPriority.DECREASE_KEEPS,
    amend_below_filled_cancels=False,  # error 170313
    post_only=PostOnlyRule.REJECT,  # error 170218
    reduce_only=ReduceOnlyRule.REJECT,  # spot has no positions
    has_hedge_mode=False,
    market_protection=MarketOrderProtection.PRICE_RATIO,
    market_protection_ratio=Decimal("0.01"),  # not documented: priceLimitRatioY of BTCUSDT spot in 2026-08
    has_price_band=True,  # errors 170193, 170194
    trigger_prices=_LAST_ONLY,
    order_kinds=_UNTRAILED,  # v5 docs: trailing stops on derivatives only
    has_gtd=False,
    has_trailing=False,
    order_flags=OrderFlag.POST_ONLY,
    max_open_orders=500,  # error 170810
)

BINANCE_SPOT: Final = VenueBehaviour(
    name="BINANCE spot",
    # exchangeInfo of 2021-10: ORDERS 50 in 10 s (later 100). It counts unfilled orders; counting all is
    # stricter.
    order_rate_limit=50,
    window_ns=10 * SECOND_NS,
    batch_counts_per_order=True,  # spot places no batches
    cancels_count=False,  # only new orders count
    # order/amend/keepPriority: decreases alone; others are cancel + new
    amend_priority=AmendPriority.DECREASE_KEEPS,
    amend_below_filled_cancels=False,
    post_only=PostOnlyRule.REJECT,  # -2010, would immediately match and take
    reduce_only=ReduceOnlyRule.REJECT,
    has_hedge_mode=False,
    market_protection=MarketOrderProtection.NONE,  # remainder expires when liquidity ends
    market_protection_ratio=None,
    has_price_band=True,  # PERCENT_PRICE and PERCENT_PRICE_BY_SIDE
    trigger_prices=_LAST_ONLY,
    order_kinds=_ALL_KINDS,  # trailingDelta in basis points on conditional types
    has_gtd=False,
    has_trailing=True,
    order_flags=OrderFlag.POST_ONLY,
    max_open_orders=200,  # MAX_NUM_ORDERS, exchangeInfo of 2021-10
)

BINANCE_USDM: Final = VenueBehaviour(
    name="BINANCE USD-M",
    # exchangeInfo of 2021-07: ORDERS 300 in 10 s and 1,200 a minute. The first is the one that a burst meets.
    order_rate_limit=300,
    window_ns=10 * SECOND_NS,
    batch_counts_per_order=True,  # a batch of five counts five in the 10-second window
    cancels_count=False,
    amend_priority=AmendPriority.ALWAYS_LOSES,  # PUT order: every modification loses priority
    amend_below_filled_cancels=True,  # new size at most the executed size: the order is cancelled
    post_only=PostOnlyRule.REJECT,  # GTX: -5022, or EXPIRED
    reduce_only=ReduceOnlyRule.REJECT,  # -2022
    has_hedge_mode=True,  # positionSide LONG and SHORT
    # marketTakeBound of exchangeInfo (0.30 in 2021-07; 0.05 for majors today): the least that a fill may be
    # away
    market_protection=MarketOrderProtection.PRICE_RATIO,
    market_protection_ratio=Decimal("0.05"),
    has_price_band=True,  # PERCENT_PRICE against the mark price
    trigger_prices=frozenset({TriggerBy.LAST, TriggerBy.MARK}),  # workingType CONTRACT_PRICE, MARK_PRICE
    order_kinds=_ALL_KINDS,
    has_gtd=True,  # goodTillDate, at least 600 s ahead
    has_trailing=True,  # callbackRate
    order_flags=OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_ON_TRIGGER,
    max_open_orders=200,  # MAX_NUM_ORDERS, exchangeInfo of 2021-07
)

GENERIC: Final = VenueBehaviour(
    name="GENERIC",
    # not documented: for venues without a description of their own, the stricter of what the others do
    order_rate_limit=10,
    window_ns=SECOND_NS,
    batch_counts_per_order=True,
    cancels_count=True,
    amend_priority=AmendPriority.ALWAYS_LOSES,
    amend_below_filled_cancels=False,
    post_only=PostOnlyRule.REJECT,
    reduce_only=ReduceOnlyRule.REJECT,
    has_hedge_mode=False,
    market_protection=MarketOrderProtection.NONE,
    market_protection_ratio=None,
    has_price_band=False,
    trigger_prices=frozenset({TriggerBy.LAST, TriggerBy.MARK}),
    order_kinds=_UNTRAILED,
    has_gtd=False,
    has_trailing=False,
    order_flags=OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY,
    max_open_orders=200,
)

_BEHAVIOURS: Final[Mapping[tuple[str, bool], VenueBehaviour]] = MappingProxyType(
    {
        ("BYBIT", False): BYBIT_LINEAR,
        ("BYBIT", True): BYBIT_SPOT,
        ("BINANCE", False): BINANCE_USDM,
        ("BINANCE", True): BINANCE_SPOT,
    }
)


def behaviour_of(venue: str, kind: InstrumentKind) -> VenueBehaviour:
    """How `venue` treats orders of this kind of instrument; GENERIC when it has no description of its own."""
    return _BEHAVIOURS.get((venue, kind is InstrumentKind.SPOT), GENERIC)
