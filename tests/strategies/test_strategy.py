"""The base class of Python strategies: what is subscribed, and what is saved."""

from __future__ import annotations

from typing import ClassVar

import pytest

from headwater.domain.view import WakeKind
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import Bar, FillSeen, TradeSeen, View


class Counter(Strategy):
    """Counts the bars."""

    bars = "1m"
    timer = "250ms"
    saved: ClassVar[tuple[str, ...]] = ("count",)

    def on_start(self) -> None:
        """Nothing is counted yet."""
        self.count = 0

    def on_bar(self, view: View, bar: Bar) -> None:  # noqa: ARG002
        """One more."""
        self.count += 1


class Everything(Strategy):
    """Overrides all handlers."""

    book_wakes = "bbo"

    def on_bar(self, view: View, bar: Bar) -> None:
        """A bar."""

    def on_trade(self, view: View, trade: TradeSeen) -> None:
        """A print."""

    def on_book(self, view: View) -> None:
        """A new touch."""

    def on_fill(self, view: View, fill: FillSeen) -> None:
        """A fill."""

    def on_timer(self, view: View) -> None:
        """A tick of the clock."""


def test_only_handlers_that_are_overridden_are_subscribed() -> None:
    assert Counter.wakes() == WakeKind.BAR
    assert Strategy.wakes() == WakeKind(0)
    assert Everything.wakes() == (
        WakeKind.BAR | WakeKind.TRADE | WakeKind.BBO | WakeKind.FILL | WakeKind.TIMER
    )


def test_intervals_are_read_from_the_class() -> None:
    assert (Counter.bars_ns(), Counter.timer_ns()) == (60_000_000_000, 250_000_000)
    assert (Strategy.bars_ns(), Strategy.timer_ns()) == (0, 0)


def test_the_book_wakes_by_message_or_by_touch_and_by_nothing_else() -> None:
    class Odd(Everything):
        """Asks for what there is not."""

        book_wakes = "level"

    with pytest.raises(ValueError, match=r"Odd\.book_wakes must be 'message' or 'bbo', was 'level'"):
        Odd.wakes()


def test_what_is_saved_can_be_restored_and_nothing_else() -> None:
    counter, other = Counter(), Counter()
    counter.count = 5
    other.load_state(counter.save_state())
    assert other.count == 5
    with pytest.raises(ValueError, match="saves \\('count',\\), was given 'total'"):
        other.load_state({"total": 1})
