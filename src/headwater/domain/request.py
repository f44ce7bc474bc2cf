"""What a trader asks a venue for: a new order, with everything that Bybit and Binance let one say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from headwater.domain.identity import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    Lots,
    RunId,
    StrategyId,
    SubAccountId,
    Ticks,
    UnixNanos,
)
from headwater.domain.order import OrderFlag, OrderKind, PositionSide, Side, TimeInForce, TriggerBy

T = TypeVar("T")

NO_FLAGS: Final = OrderFlag(0)

PRICED: Final = frozenset({OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.TAKE_PROFIT_LIMIT})
"""Kinds that need a limit price; a trailing stop may have one, the others have none."""

TRIGGERED: Final = frozenset(
    {
        OrderKind.STOP_MARKET,
        OrderKind.STOP_LIMIT,
        OrderKind.TAKE_PROFIT_MARKET,
        OrderKind.TAKE_PROFIT_LIMIT,
    }
)
"""Kinds that need a trigger price; for a trailing stop it is the optional activation price."""

RATE_E4: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """On whose behalf: on every order, fill, key and ledger row from the first day."""

    account: AccountId
    sub_account: SubAccountId
    strategy: StrategyId
    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """A new order, complete and consistent in itself (whether the venue's rules allow it is another
    question).

    Attributes
    ----------
    price : limit, ticks; needed by limit kinds, optional for a trailing stop, absent otherwise
    trigger : ticks; needed by stop and take-profit kinds; activation price of a trailing stop, optional
    trigger_by : last, mark or index price
    trailing_offset : distance of a trailing stop, ticks (Bybit)
    trailing_rate_e4 : distance of a trailing stop in units of 1e-4 of the price (Binance: basis points)
    expires : UTC ns, with ``GTD`` and only then
    position_side : BOTH in one-way mode, the leg in hedge mode

    Raises
    ------
    ValueError
        naming the field, what was expected and what was found.
    """

    owner: Owner
    client_order_id: ClientOrderId
    instrument: InstrumentId
    side: Side
    kind: OrderKind
    size: Lots
    price: Ticks | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    flags: OrderFlag = NO_FLAGS
    position_side: PositionSide = PositionSide.BOTH
    trigger: Ticks | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    trailing_offset: Ticks | None = None
    trailing_rate_e4: int | None = None
    expires: UnixNanos | None = None

    def __post_init__(self) -> None:
        self._check_size_and_price()
        self._check_trigger()
        self._check_trailing()
        self._check_lifetime()
        self._check_flags()

    def _check_size_and_price(self) -> None:
        closes_all = self.size == 0 and OrderFlag.CLOSE_ON_TRIGGER in self.flags
        self._expect(self.size > 0 or closes_all, "size > 0 (0 only with CLOSE_ON_TRIGGER)", self.size)
        if self.kind in PRICED:
            self._expect(self.price is not None, f"a price for {self.kind.name}", self.price)
        elif self.kind is not OrderKind.TRAILING_STOP:
            self._expect(self.price is None, f"no price for {self.kind.name}", self.price)

    def _check_trigger(self) -> None:
        if self.kind in TRIGGERED:
            self._expect(self.trigger is not None, f"a trigger price for {self.kind.name}", self.trigger)
        elif self.kind is not OrderKind.TRAILING_STOP:
            self._expect(self.trigger is None, f"no trigger price for {self.kind.name}", self.trigger)

    def _check_trailing(self) -> None:
        given = (self.trailing_offset is not None) + (self.trailing_rate_e4 is not None)
        if self.kind is not OrderKind.TRAILING_STOP:
            self._expect(given == 0, f"no trailing distance for {self.kind.name}", given)
            return
        self._expect(given == 1, "exactly one of trailing_offset and trailing_rate_e4", given)
        if self.trailing_offset is not None:
            self._expect(self.trailing_offset > 0, "trailing_offset > 0 ticks", self.trailing_offset)
        if self.trailing_rate_e4 is not None:
            rate = self.trailing_rate_e4
            self._expect(0 < rate < RATE_E4, "trailing_rate_e4 between 0 and 10000", rate)

    def _check_lifetime(self) -> None:
        is_gtd = self.time_in_force is TimeInForce.GTD
        self._expect(
            is_gtd == (self.expires is not None), "an expiry time with GTD, and only then", self.expires
        )

    def _check_flags(self) -> None:
        rests = self.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
        if OrderFlag.POST_ONLY in self.flags:
            self._expect(self.kind in PRICED, "POST_ONLY with a limit price only", self.kind.name)
            self._expect(rests, "POST_ONLY with GTC or GTD only", self.time_in_force.name)
        if OrderFlag.RETAIL_PRICE_IMPROVEMENT in self.flags:
            self._expect(
                OrderFlag.POST_ONLY in self.flags, "RETAIL_PRICE_IMPROVEMENT with POST_ONLY only", self.flags
            )
        if OrderFlag.CLOSE_ON_TRIGGER in self.flags:
            triggered = self.kind in TRIGGERED or self.kind is OrderKind.TRAILING_STOP
            self._expect(triggered, "CLOSE_ON_TRIGGER with a trigger only", self.kind.name)

    def _expect(self, condition: bool, expected: str, found: object) -> None:
        if not condition:
            raise ValueError(
                f"order {self.client_order_id} of {self.instrument}: expected {expected}, was {found}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueWording:
    """How one of our orders is said in a venue's words, and back."""

    kind: OrderKind
    time_in_force: TimeInForce
    flags: OrderFlag = NO_FLAGS


_NONE: Final = NO_FLAGS
_POST: Final = OrderFlag.POST_ONLY
_RPI: Final = OrderFlag.POST_ONLY | OrderFlag.RETAIL_PRICE_IMPROVEMENT

BYBIT_TIMES_IN_FORCE: Final[dict[str, tuple[TimeInForce, OrderFlag]]] = {
    "GTC": (TimeInForce.GTC, _NONE),
    "IOC": (TimeInForce.IOC, _NONE),
    "FOK": (TimeInForce.FOK, _NONE),
    "PostOnly": (TimeInForce.GTC, _POST),
    "RPI": (TimeInForce.GTC, _RPI),
}

BINANCE_TIMES_IN_FORCE: Final[dict[str, tuple[TimeInForce, OrderFlag]]] = {
    "GTC": (TimeInForce.GTC, _NONE),
    "IOC": (TimeInForce.IOC, _NONE),
    "FOK": (TimeInForce.FOK, _NONE),
    "GTX": (TimeInForce.GTC, _POST),  # USD-M
    "GTD": (TimeInForce.GTD, _NONE),  # USD-M
    "RPI": (TimeInForce.GTC, _RPI),  # USD-M
}

BINANCE_SPOT_TYPES: Final[dict[str, tuple[OrderKind, OrderFlag]]] = {
    "LIMIT": (OrderKind.LIMIT, _NONE),
    "MARKET": (OrderKind.MARKET, _NONE),
    "LIMIT_MAKER": (OrderKind.LIMIT, _POST),
    "STOP_LOSS": (OrderKind.STOP_MARKET, _NONE),
    "STOP_LOSS_LIMIT": (OrderKind.STOP_LIMIT, _NONE),
    "TAKE_PROFIT": (OrderKind.TAKE_PROFIT_MARKET, _NONE),
    "TAKE_PROFIT_LIMIT": (OrderKind.TAKE_PROFIT_LIMIT, _NONE),
}
"""With ``trailingDelta`` the four conditional types are TRAILING_STOP instead."""

BINANCE_USDM_TYPES: Final[dict[str, tuple[OrderKind, OrderFlag]]] = {
    "LIMIT": (OrderKind.LIMIT, _NONE),
    "MARKET": (OrderKind.MARKET, _NONE),
    "STOP": (OrderKind.STOP_LIMIT, _NONE),
    "STOP_MARKET": (OrderKind.STOP_MARKET, _NONE),
    "TAKE_PROFIT": (OrderKind.TAKE_PROFIT_LIMIT, _NONE),
    "TAKE_PROFIT_MARKET": (OrderKind.TAKE_PROFIT_MARKET, _NONE),
    "TRAILING_STOP_MARKET": (OrderKind.TRAILING_STOP, _NONE),
}
"""STOP and TAKE_PROFIT are limit orders on USD-M, market orders on spot (where STOP_LOSS is the stop)."""


def from_binance(order_type: str, time_in_force: str, *, spot: bool) -> VenueWording:
    """A Binance order type and time in force in our enums; ValueError names the word that is unknown."""
    types = BINANCE_SPOT_TYPES if spot else BINANCE_USDM_TYPES
    kind, type_flags = _look_up(types, order_type, "Binance order type")
    lifetime, time_flags = _look_up(BINANCE_TIMES_IN_FORCE, time_in_force, "Binance time in force")
    return VenueWording(kind=kind, time_in_force=lifetime, flags=type_flags | time_flags)


def from_bybit(order_type: str, time_in_force: str, *, stop_order_type: str = "") -> VenueWording:
    """A Bybit order in our enums: type (Market, Limit), time in force and stop order type ("" when it has no
    trigger)."""
    is_limit = _look_up({"Market": False, "Limit": True}, order_type, "Bybit order type")
    stop, limit = _look_up(BYBIT_STOP_ORDER_TYPES, stop_order_type, "Bybit stop order type")
    lifetime, flags = _look_up(BYBIT_TIMES_IN_FORCE, time_in_force, "Bybit time in force")
    return VenueWording(kind=limit if is_limit else stop, time_in_force=lifetime, flags=flags)


BYBIT_STOP_ORDER_TYPES: Final[dict[str, tuple[OrderKind, OrderKind]]] = {
    "": (OrderKind.MARKET, OrderKind.LIMIT),
    "UNKNOWN": (OrderKind.MARKET, OrderKind.LIMIT),
    "Stop": (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT),
    "StopLoss": (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT),
    "PartialStopLoss": (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT),
    "TakeProfit": (OrderKind.TAKE_PROFIT_MARKET, OrderKind.TAKE_PROFIT_LIMIT),
    "PartialTakeProfit": (OrderKind.TAKE_PROFIT_MARKET, OrderKind.TAKE_PROFIT_LIMIT),
    "TrailingStop": (OrderKind.TRAILING_STOP, OrderKind.TRAILING_STOP),
}
"""(kind of a market order, kind of a limit order) by what arms it."""


def _look_up(table: dict[str, T], word: str, what: str) -> T:
    if word not in table:
        raise ValueError(f"expected a {what} of {', '.join(map(repr, table))}, was {word!r}")
    return table[word]
