"""Quotes around a reservation price that leans against the inventory.

Hypothesis
    The middle moves like a random walk, and takers arrive the less often the further from it an order stands.
Edge
    The spread, with the inventory kept near zero by making the side that reduces it the better price.
Fails
    When the walk has a drift or jumps: the model knows neither, and holds what it was just sold. Its fill
    intensity knows no queue, which on large ticks is most of the matter; and the volatility it quotes
    with is that of a moment ago.
Sources
    M. Avellaneda, S. Stoikov (2008), *High-frequency trading in a limit order book*, Quantitative Finance
    8(3), section 3.2; O. Gueant, C.-A. Lehalle, J. Fernandez-Tapia (2013), *Dealing with the inventory
    risk*, Mathematics and Financial Economics 7(4), for the horizon that does not end; J.P. Morgan
    (1996), *RiskMetrics*, for the variance.

With s the middle in ticks, q the inventory in orders of `size`, sigma^2 the variance of the middle in
ticks^2 a second, gamma = `risk_aversion`, k = `decay` (fills at distance d arrive as exp(-k d)) and tau =
`horizon_s`, which rolls along instead of ending::

    reservation price   r = s - q gamma sigma^2 tau
    whole spread        w = gamma sigma^2 tau + (2 / gamma) ln(1 + gamma / k)
    quotes              r - w / 2, r + w / 2

sigma^2 is the exponentially weighted mean of squared changes of the middle a second, with `half_life_s`.
Quotes are rounded away from the middle, never cross the touch, and stay where they are until they are off
by `tolerance` ticks.
"""

from __future__ import annotations

from math import ceil, exp, floor, isfinite, log, log1p
from typing import ClassVar, Final

from headwater.domain.order import Side
from headwater.strategies.parameter import param, size_param
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import OrderSeen, View

_PER_SECOND: Final = 1e9


class AvellanedaStoikov(Strategy):
    """One bid and one offer, skewed against the inventory and widened with the volatility."""

    timer = "500ms"
    saved: ClassVar[tuple[str, ...]] = ("variance", "changes", "last_middle", "last_now")

    size: float = size_param(0.01)
    risk_aversion: float = param(0.005, low=1e-9, high=10.0)  # per tick and order
    decay: float = param(0.3, low=1e-6, high=100.0)  # per tick
    horizon_s: float = param(5.0, low=0.01, high=86_400.0)
    half_life_s: float = param(30.0, low=0.1, high=86_400.0)
    inventory_max: int = param(5, low=1, high=10_000)  # orders of `size`
    tolerance: int = param(2, low=1, high=10_000)  # ticks
    warmup: int = param(20, low=1, high=100_000)  # changes of the middle before the first quote

    def on_start(self) -> None:
        """No variance is known yet."""
        self.variance = 0.0  # ticks^2 a second
        self.changes = 0
        self.last_middle = float("nan")  # ticks
        self.last_now = 0  # UTC ns

    def on_timer(self, view: View) -> None:
        """Learn what the middle did, then move the quotes that are off."""
        middle = view.mid / float(view.tick_size)
        if not isfinite(middle):
            return
        self._learn(middle, view.now)
        if self.changes >= self.warmup:
            bid, ask = self.quotes(middle, view.position / self.size)
            best_bid, best_ask = self._touch(view)
            self._keep(view, Side.BUY, min(bid, best_ask - 1))
            self._keep(view, Side.SELL, max(ask, best_bid + 1))

    def quotes(self, middle: float, inventory: float) -> tuple[int, int]:
        """Bid and ask, in ticks of the venue, for a middle in ticks and an inventory in orders."""
        risk = self.risk_aversion * self.variance * self.horizon_s
        reservation = middle - inventory * risk
        half = risk / 2.0 + log1p(self.risk_aversion / self.decay) / self.risk_aversion
        return floor(reservation - half), ceil(reservation + half)

    def _learn(self, middle: float, now: int) -> None:
        elapsed_s = (now - self.last_now) / _PER_SECOND
        if isfinite(self.last_middle) and elapsed_s > 0.0:
            kept = exp(-log(2.0) * elapsed_s / self.half_life_s)
            change = (middle - self.last_middle) ** 2 / elapsed_s
            kept = kept if self.changes else 0.0
            self.variance = kept * self.variance + (1.0 - kept) * change
            self.changes += 1
        self.last_middle, self.last_now = middle, now

    @staticmethod
    def _touch(view: View) -> tuple[int, int]:
        tick = float(view.tick_size)
        return round(view.bid / tick), round(view.ask / tick)

    def _keep(self, view: View, side: Side, ticks: int) -> None:
        """See that one order of `side` stands at `ticks`, or none when the inventory is full."""
        standing = [order for order in view.orders if order.side == side]
        wanted = self._may_add(view, side) and ticks > 0
        for order in standing:
            if not (wanted and self._is_near(view, order, ticks)) and order.is_settled:
                view.cancel(order)
        if wanted and not any(self._is_near(view, order, ticks) for order in standing):
            view.order(side, self.size, ticks * view.tick_size, post_only=True)

    def _is_near(self, view: View, order: OrderSeen, ticks: int) -> bool:
        return order.is_settled and abs(order.price / float(view.tick_size) - ticks) < self.tolerance

    def _may_add(self, view: View, side: Side) -> bool:
        """A cancel on its way may cross a fill, so that the inventory can go one order beyond."""
        if side is Side.SELL and not view.can_short:
            return view.position >= self.size
        return side * view.position / self.size < self.inventory_max
