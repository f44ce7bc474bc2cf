"""What a Python strategy sees and how it asks. Reading is through a memory view of the compiled side's record: copies."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ConfigurationError, OffGridError
from headwater.domain.event import NO_PRICE
from headwater.domain.grid import neighbours
from headwater.domain.intent import INTENT_DTYPE, RequestKind
from headwater.domain.order import (
    OrderFlag,
    OrderKind,
    OrderStatus,
    PositionSide,
    Side,
    TimeInForce,
    TriggerBy,
)
from headwater.domain.view import ORDER_VIEW_DTYPE, VIEW_DTYPE

Amount: TypeAlias = Decimal | str | int | float
"""A price or size as a person writes it: exact text or Decimal; a float counts as the shortest text that means it."""

_AT: Final = {name: index for index, name in enumerate(VIEW_DTYPE.names or ())}
_NOW, _INSTRUMENT, _BID, _ASK = _AT["now"], _AT["instrument"], _AT["bid"], _AT["ask"]
_BID_SIZE, _ASK_SIZE, _POSITION = _AT["bid_size"], _AT["ask_size"], _AT["position"]
_LAST, _MARK, _ORDER_COUNT, _INTENTS = _AT["last"], _AT["mark"], _AT["order_count"], _AT["intent_count"]
_CAN_SHORT: Final = _AT["can_short"]
_BID_PRICE, _ASK_PRICE = _AT["bid_price"], _AT["ask_price"]
_BAR: Final = slice(_AT["bar_start"], _AT["bar_volume"] + 1)
_NAN: Final = float("nan")


class Bar(NamedTuple):
    """A complete bar; prices in quote currency, volume in units of size."""

    start: int  # UTC ns
    open: float
    high: float
    low: float
    close: float
    volume: float


class TradeSeen(NamedTuple):
    """A print: price, size, and the aggressor's side (+1 buy, -1 sell, 0 unknown)."""

    price: float
    size: float
    side: int


class FillSeen(NamedTuple):
    """An execution of an own order."""

    order: int
    price: float
    size: float
    side: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An open order as the trader knows it; sizes in units."""

    handle: int
    number: int
    side: int
    price: float
    size: float
    filled: float
    status: OrderStatus
    pending: RequestKind

    @property
    def is_settled(self) -> bool:
        """Nothing about it is in flight: it can be amended."""
        return self.pending is RequestKind.NONE


@dataclass(frozen=True, slots=True)
class GridSeen:
    """What turns ticks and lots into prices and sizes, for one instrument.

    Attributes
    ----------
    id : of the instrument
    tick_size, lot_size : of the tape
    price_step, size_step : ticks and lots of the tape in one step of the venue's order grid
    has_mark, has_index : whether the tape holds such prices
    """

    id: str
    tick_size: Decimal
    lot_size: Decimal
    price_step: int
    size_step: int
    has_mark: bool
    has_index: bool


class View:
    """The market and the own orders at a wake, and the way to ask for orders.

    Prices are floats in quote currency for reading, sizes floats in units of the instrument; NaN where nothing is known.
    What is asked for is exact: a price or size off the grid is an OffGridError that names the nearest valid ones.
    """

    __slots__ = (
        "_cells",
        "_grids",
        "_lot",
        "_lots_cache",
        "_numbers",
        "_orders",
        "_outbox",
        "_tick",
        "_ticks_cache",
    )

    def __init__(
        self,
        record: npt.NDArray[Any],
        orders: npt.NDArray[Any],
        outbox: npt.NDArray[Any],
        grids: tuple[GridSeen, ...],
    ) -> None:
        if record.dtype != VIEW_DTYPE or orders.dtype != ORDER_VIEW_DTYPE or outbox.dtype != INTENT_DTYPE:
            raise TypeError(
                "a View is made over one VIEW_DTYPE, ORDER_VIEW_DTYPE and INTENT_DTYPE array each"
            )
        self._cells = record.view(np.int64).data
        self._numbers = record.view(np.float64).data  # the same memory, for the fields that hold floats
        self._orders = orders
        self._outbox = outbox
        self._grids = grids
        self._tick = [(steps_per_unit(grid.tick_size), float(grid.tick_size)) for grid in grids]
        self._lot = [(steps_per_unit(grid.lot_size), float(grid.lot_size)) for grid in grids]
        self._ticks_cache: dict[tuple[int, Amount], int] = {}
        self._lots_cache: dict[tuple[int, Amount], int] = {}

    # -- time and market -------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """UTC nanoseconds at the trader."""
        return self._cells[_NOW]

    @property
    def instrument(self) -> str:
        """Id of the instrument of this wake."""
        return self._grids[self._cells[_INSTRUMENT]].id

    @property
    def bid(self) -> float:
        """Best bid."""
        return self._numbers[_BID_PRICE]

    @property
    def ask(self) -> float:
        """Best ask."""
        return self._numbers[_ASK_PRICE]

    @property
    def bid_ticks(self) -> int:
        """Best bid in ticks of the tape, ``NO_PRICE`` if none."""
        return self._cells[_BID]

    @property
    def ask_ticks(self) -> int:
        """Best ask in ticks of the tape, ``NO_PRICE`` if none."""
        return self._cells[_ASK]

    @property
    def mid(self) -> float:
        """Middle of the best prices."""
        return (self.bid + self.ask) / 2.0

    @property
    def bid_size(self) -> float:
        """Size at the best bid."""
        return self._size(self._cells[_BID_SIZE])

    @property
    def ask_size(self) -> float:
        """Size at the best ask."""
        return self._size(self._cells[_ASK_SIZE])

    @property
    def last(self) -> float:
        """Price of the last trade."""
        ticks = self._cells[_LAST]
        return self._price(ticks) if ticks != NO_PRICE else _NAN

    @property
    def mark(self) -> float:
        """Mark price, NaN where the tape has none."""
        fine = self._cells[_MARK]
        return fine * 1e-8 if fine != NO_PRICE else _NAN

    @property
    def position(self) -> float:
        """Signed size held."""
        return self._size(self._cells[_POSITION])

    @property
    def can_short(self) -> bool:
        """Whether more can be sold than is held: not on spot."""
        return bool(self._cells[_CAN_SHORT])

    @property
    def tick_size(self) -> Decimal:
        """Step of the venue's order prices."""
        grid = self._grid()
        return grid.tick_size * grid.price_step

    @property
    def lot_size(self) -> Decimal:
        """Step of the venue's order sizes."""
        grid = self._grid()
        return grid.lot_size * grid.size_step

    @property
    def orders(self) -> list[OrderSeen]:
        """The own orders of this instrument that are open as far as is known, pending ones included."""
        here = self._cells[_INSTRUMENT]
        rows = self._orders[: self._cells[_ORDER_COUNT]]
        return [self._order(row) for row in rows if row["instrument"] == here]

    # -- what has happened -----------------------------------------------------------------------------------------

    def bar(self) -> Bar:
        """The bar that was completed last."""
        cells = self._cells
        start, opened, high, low, close, volume = cells[_BAR].tolist()
        here = cells[_INSTRUMENT]
        per_unit, tick = self._tick[here]
        size = _amount(volume, *self._lot[here])
        if per_unit:
            return Bar(start, opened / per_unit, high / per_unit, low / per_unit, close / per_unit, size)
        return Bar(start, opened * tick, high * tick, low * tick, close * tick, size)

    def trade(self) -> TradeSeen:
        """The last print."""
        cells = self._cells
        return TradeSeen(
            self._price(cells[_LAST]), self._size(cells[_AT["last_size"]]), cells[_AT["last_side"]]
        )

    def fill(self) -> FillSeen:
        """The last execution of an own order."""
        cells = self._cells
        return FillSeen(
            cells[_AT["fill_order"]],
            self._price(cells[_AT["fill_price"]]),
            self._size(cells[_AT["fill_size"]]),
            cells[_AT["fill_side"]],
            bool(cells[_AT["fill_is_maker"]]),
        )

    # -- asking ----------------------------------------------------------------------------------------------------

    def buy(self, size: Amount, price: Amount | None = None, **options: Any) -> None:
        """Buy `size`, at `price` or better, or at the market without one; options as in :meth:`order`."""
        self.order(Side.BUY, size, price, **options)

    def sell(self, size: Amount, price: Amount | None = None, **options: Any) -> None:
        """Sell `size`, at `price` or better, or at the market without one; options as in :meth:`order`."""
        self.order(Side.SELL, size, price, **options)

    def order(
        self,
        side: Side,
        size: Amount,
        price: Amount | None = None,
        *,
        kind: OrderKind | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        trigger: Amount | None = None,
        trigger_by: TriggerBy = TriggerBy.LAST,
        trail: Amount | None = None,
        expire: int = 0,
        position_side: PositionSide = PositionSide.BOTH,
    ) -> None:
        """Ask for an order.

        Parameters
        ----------
        kind : MARKET without a price, LIMIT with one, unless said otherwise
        trigger : price that arms a stop or take-profit, or activates a trailing stop
        trail : distance of a trailing stop
        expire : UTC ns, with ``TimeInForce.GTD``

        Raises
        ------
        OffGridError : price, trigger or size is not on the venue's grid
        ConfigurationError : the tape has no such price to trigger by, or the order contradicts itself
        """
        grid = self._grid()
        chosen = kind if kind is not None else (OrderKind.MARKET if price is None else OrderKind.LIMIT)
        if chosen > OrderKind.LIMIT:
            _check_trigger(grid, trigger_by)
        intent = self._next_intent()
        intent["action"] = RequestKind.NEW
        intent["kind"] = chosen
        intent["side"] = side
        intent["time_in_force"] = time_in_force
        intent["flags"] = (OrderFlag.POST_ONLY * post_only) | (OrderFlag.REDUCE_ONLY * reduce_only)
        intent["trigger_by"] = trigger_by
        intent["position_side"] = position_side
        intent["instrument"] = self._cells[_INSTRUMENT]
        intent["order"] = -1
        intent["size"] = self._lots(size)
        intent["price"] = NO_PRICE if price is None else self._ticks(price)
        intent["trigger"] = NO_PRICE if trigger is None else self._trigger(trigger, trigger_by)
        intent["trail"] = 0 if trail is None else self._ticks(trail)
        intent["expire"] = expire

    def target(self, position: Amount) -> None:
        """A market order that takes the position from what is known of it to `position`, if they differ."""
        wanted = self._signed_lots(position)
        change = wanted - self._cells[_POSITION]
        if change == 0:
            return
        intent = self._next_intent()
        intent["action"] = RequestKind.NEW
        intent["kind"] = OrderKind.MARKET
        intent["side"] = 1 if change > 0 else -1
        for name in ("time_in_force", "flags", "trigger_by", "position_side", "trail", "expire"):
            intent[name] = 0
        intent["instrument"] = self._cells[_INSTRUMENT]
        intent["order"] = -1
        intent["size"] = abs(change)
        intent["price"] = NO_PRICE
        intent["trigger"] = NO_PRICE

    def cancel(self, order: OrderSeen) -> None:
        """Ask to cancel an open order; it may be filled before the request arrives."""
        self._change(RequestKind.CANCEL, order)

    def cancel_all(self) -> None:
        """Ask to cancel every open order of this instrument that has no cancel in flight."""
        for order in self.orders:
            if order.pending is not RequestKind.CANCEL:
                self.cancel(order)

    def amend(self, order: OrderSeen, *, price: Amount, size: Amount) -> None:
        """Ask to change price and total size of an open limit order."""
        intent = self._change(RequestKind.AMEND, order)
        intent["price"] = self._ticks(price)
        intent["size"] = self._lots(size)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _change(self, action: RequestKind, order: OrderSeen) -> Any:
        intent = self._next_intent()
        intent["action"] = action
        intent["order"] = order.handle
        intent["instrument"] = self._cells[_INSTRUMENT]
        return intent

    def _next_intent(self) -> Any:
        count = self._cells[_INTENTS]
        if count >= len(self._outbox):
            raise ConfigurationError(f"a wake may ask for at most {len(self._outbox)} orders, was one more")
        self._cells[_INTENTS] = count + 1
        return self._outbox[count]

    def _grid(self) -> GridSeen:
        return self._grids[self._cells[_INSTRUMENT]]

    def _price(self, ticks: int) -> float:
        return _amount(ticks, *self._tick[self._cells[_INSTRUMENT]])

    def _size(self, lots: int) -> float:
        return _amount(lots, *self._lot[self._cells[_INSTRUMENT]])

    def _order(self, row: Any) -> OrderSeen:
        return OrderSeen(
            handle=int(row["handle"]),
            number=int(row["number"]),
            side=int(row["side"]),
            price=self._price(int(row["price"])) if row["price"] != NO_PRICE else _NAN,
            size=self._size(int(row["size"])),
            filled=self._size(int(row["filled"])),
            status=OrderStatus(row["status"]),
            pending=RequestKind(row["pending"]),
        )

    def _ticks(self, price: Amount) -> int:
        key = (self._cells[_INSTRUMENT], price)
        ticks = self._ticks_cache.get(key)
        if ticks is None:
            grid = self._grid()
            ticks = _steps(price, grid.tick_size * grid.price_step, grid, "price") * grid.price_step
            _remember(self._ticks_cache, key, ticks)
        return ticks

    def _lots(self, size: Amount) -> int:
        lots = self._signed_lots(size)
        if lots <= 0:
            raise ConfigurationError(f"{self._grid().id}: the size of an order must be positive, was {size}")
        return lots

    def _signed_lots(self, size: Amount) -> int:
        key = (self._cells[_INSTRUMENT], size)
        lots = self._lots_cache.get(key)
        if lots is None:
            grid = self._grid()
            lots = _steps(size, grid.lot_size * grid.size_step, grid, "size") * grid.size_step
            _remember(self._lots_cache, key, lots)
        return lots

    def _trigger(self, trigger: Amount, trigger_by: TriggerBy) -> int:
        if trigger_by is TriggerBy.LAST:
            return self._ticks(trigger)
        return int(_exact(trigger, self._grid(), "trigger") * 10**8)


def steps_per_unit(step: Decimal) -> int:
    """How many steps make one unit, 0 when that is not whole."""
    whole = int(1 / step)
    return whole if whole * step == 1 else 0


def _amount(steps: int, per_unit: int, step: float) -> float:
    """The float nearest to the exact amount: dividing by a whole number rounds once, so that it prints as it is written."""
    return steps / per_unit if per_unit else steps * step


_CACHE_LIMIT: Final = 65_536


def _remember(cache: dict[tuple[int, Amount], int], key: tuple[int, Amount], steps: int) -> None:
    """Prices repeat; converting text exactly is slow. The cache starts anew when it is full."""
    if len(cache) >= _CACHE_LIMIT:
        cache.clear()
    cache[key] = steps


def _exact(amount: Amount, grid: GridSeen, what: str) -> Decimal:
    try:
        exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    except InvalidOperation:
        raise ConfigurationError(f"{grid.id}: a {what} must be a number, was {amount!r}") from None
    if not exact.is_finite():
        raise ConfigurationError(f"{grid.id}: a {what} must be finite, was {amount!r}")
    return exact


def _steps(amount: Amount, step: Decimal, grid: GridSeen, what: str) -> int:
    exact = _exact(amount, grid, what)
    steps = exact / step
    whole = int(steps)
    if whole != steps:
        low, high = neighbours(exact, step)
        raise OffGridError(
            f"{grid.id}: {what} {exact} is not a multiple of {step}; the nearest are {low} and {high}"
        )
    return whole


def _check_trigger(grid: GridSeen, trigger_by: TriggerBy) -> None:
    if trigger_by is TriggerBy.MARK and not grid.has_mark:
        raise ConfigurationError(
            f"{grid.id}: the tape holds no mark price, so a mark-triggered order can't be modelled; "
            "import mark prices or trigger by the last price"
        )
    if trigger_by is TriggerBy.INDEX and not grid.has_index:
        raise ConfigurationError(
            f"{grid.id}: the tape holds no index price, so an index-triggered order can't be modelled; "
            "import index prices or trigger by the last price"
        )
