"""Strategies in Python: handlers that get a view and ask through it.

::

    class Breakout(Strategy):
        bars = "1m"
        lookback: int = param(20, low=2, high=500)

        def on_start(self) -> None:
            self.highs = deque(maxlen=self.lookback)

        def on_bar(self, view: View, bar: Bar) -> None:
            if len(self.highs) == self.lookback and bar.close > max(self.highs):
                view.target("0.1")
            self.highs.append(bar.high)

A handler that is not overridden is not subscribed. There is no clock, no file and no order id to be had: time is
``view.now``, and orders are named by what ``view.buy`` and ``view.sell`` give back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headwater.domain.view import WakeKind
from headwater.strategies.interval import parse_interval
from headwater.strategies.parameter import Parameter, resolve
from headwater.strategies.view import Bar, FillSeen, TradeSeen, View


class Strategy:
    """Base of strategies written in Python.

    Class attributes
    ----------------
    timer : interval between calls of ``on_timer``, e.g. ``"1s"``; None = no timer
    bars : interval of the bars made from trades, e.g. ``"1m"``; None = only the bars that the tape holds
    book_wakes : ``"message"`` calls ``on_book`` after every message of the book, ``"bbo"`` when the best prices changed
    saved : names of the attributes that make up the state that is saved and restored
    """

    timer: ClassVar[str | None] = None
    bars: ClassVar[str | None] = None
    book_wakes: ClassVar[str] = "message"
    saved: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **parameters: object) -> None:
        for name, value in resolve(self.parameters(), parameters, type(self).__name__).items():
            setattr(self, name, value)
        self.on_start()

    def on_start(self) -> None:
        """Set up what the strategy remembers; parameters are set."""

    def on_bar(self, view: View, bar: Bar) -> None:
        """A bar is complete."""

    def on_trade(self, view: View, trade: TradeSeen) -> None:
        """A trade printed."""

    def on_book(self, view: View) -> None:
        """The book changed."""

    def on_fill(self, view: View, fill: FillSeen) -> None:
        """An own order was filled, in part or whole."""

    def on_timer(self, view: View) -> None:
        """The timer is due."""

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Declared parameters by name, those of base classes first."""
        found: dict[str, Parameter] = {}
        for owner in reversed(cls.__mro__):
            found.update({name: value for name, value in vars(owner).items() if isinstance(value, Parameter)})
        return found

    @classmethod
    def wakes(cls) -> WakeKind:
        """What the overridden handlers need to be woken by."""
        if cls.book_wakes not in ("message", "bbo"):
            raise ValueError(f"{cls.__name__}.book_wakes must be 'message' or 'bbo', was {cls.book_wakes!r}")
        book = WakeKind.BOOK if cls.book_wakes == "message" else WakeKind.BBO
        by_handler = {
            "on_bar": WakeKind.BAR,
            "on_trade": WakeKind.TRADE,
            "on_book": book,
            "on_fill": WakeKind.FILL,
            "on_timer": WakeKind.TIMER,
        }
        wakes = WakeKind(0)
        for handler, wake in by_handler.items():
            if getattr(cls, handler) is not getattr(Strategy, handler):
                wakes |= wake
        return wakes

    @classmethod
    def timer_ns(cls) -> int:
        """Interval of the timer, 0 without one."""
        return parse_interval(cls.timer) if cls.timer else 0

    @classmethod
    def bars_ns(cls) -> int:
        """Interval of the bars made from trades, 0 without."""
        return parse_interval(cls.bars) if cls.bars else 0

    def save_state(self) -> dict[str, Any]:
        """The attributes named in ``saved``."""
        return {name: getattr(self, name) for name in self.saved}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what ``save_state`` gave; a name that is not saved here is a ValueError."""
        for name, value in state.items():
            if name not in self.saved:
                raise ValueError(f"{type(self).__name__} saves {self.saved}, was given {name!r}")
            setattr(self, name, value)
