"""The stated path inside a bar, rule by rule (``simulation/bar_path.py``), where bars are all that is known.

Bars of 10 ms: open, high, low, close. Requests take 2 ms, reports 1 ms; takers pay no half spread unless said.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.result import BacktestResult
from headwater.backtest.settings import LatencySettings
from headwater.domain.order import OrderKind
from headwater.domain.view import WakeKind
from headwater.strategies.strategy import Strategy
from headwater.strategies.view import Bar, View
from tests.oracle.exchange import Ask
from tests.simulation.scripted import MS, at, cancel, new, play, position
from tests.simulation.story import lines, story
from tests.tape.events import bar
from tests.tape.events import tape as joined

Prices = tuple[int, int, int, int]
CALM = (100, 105, 95, 100)


def run(bars: list[Prices], script: list[Ask], **given: Any) -> BacktestResult:
    """Bars one behind the other from the first millisecond on."""
    events = joined(*(bar(at(10 * k), 10 * MS, prices) for k, prices in enumerate(bars)))
    return play(events, script, **{"bar_slippage": Decimal(0), **given})


def test_an_order_waits_for_the_open_of_the_next_bar() -> None:
    """Rule 1. Sent at 12 ms, inside the second bar: it trades at the open of the third."""
    told = story(run([CALM, CALM, (103, 104, 102, 103)], [new(12, 1, 2)]))
    assert told == lines(
        """
        15.0  #0  untriggered
        31.0  #0  fill 2 @ 103 taker, filled
        """
    )


def test_an_order_that_is_cancelled_before_its_bar_never_trades() -> None:
    told = story(run([CALM, CALM, CALM], [new(12, 1, 2), cancel(16, 0)]))
    assert told == ["15.0  #0  untriggered", "19.0  #0  canceled: by user"]


def test_a_cancel_sent_inside_the_bar_of_an_order_does_not_make_it_wait_longer() -> None:
    """Its place among those sent before the bar is that of the order, not of the cancel."""
    told = story(run([CALM, CALM, (103, 104, 102, 103)], [new(12, 1, 2), cancel(29, 0)]))
    assert told[1] == "31.0  #0  fill 2 @ 103 taker, filled"


def test_a_flat_trader_sees_the_low_first() -> None:
    """Rule 2: both resting orders lie inside the bar; flat, the buy is met first, and then nothing else (rule 5)."""
    result = run([CALM, CALM, CALM], [new(2, 1, 1, 96), new(2, -1, 1, 104)])
    assert [(int(row["ts_venue"]) - at(0)) // MS for row in result.fills] == [20, 30]
    assert result.fills["price"].tolist() == [96, 104]


@pytest.mark.parametrize(
    ("side", "stop", "profit", "price"), [(1, 96, 104, 96), (-1, 104, 96, 104)], ids=["long", "short"]
)
def test_the_extreme_that_hurts_comes_first(side: int, stop: int, profit: int, price: int) -> None:
    """Rule 2: stop and profit target both lie inside the bar; the stop is what happens."""
    script = [
        new(2, side, 1),
        new(25, -side, 1, kind=OrderKind.STOP_MARKET, trigger=stop, reduce_only=True),
        new(25, -side, 1, profit, reduce_only=True),
    ]
    quiet = (100, 101, 99, 100)
    result = run([quiet, quiet, quiet, CALM], script)
    assert result.fills["price"].tolist() == [100, price]
    assert position(result) == 0


def test_a_limit_fills_at_its_price_and_only_when_the_price_goes_through() -> None:
    """Rule 3: touched is not traded."""
    script = [new(2, 1, 1, 95), new(2, 1, 1, 96)]
    result = run([CALM, CALM, CALM], script)
    assert [(int(row["order"]), int(row["price"])) for row in result.fills] == [(1, 96)]


def test_a_limit_beyond_which_the_bar_opens_still_fills_at_its_own_price() -> None:
    """Rule 3, pessimistic: no better price for a gap."""
    quiet = (100, 101, 99, 100)
    result = run([quiet, quiet, (90, 91, 89, 90)], [new(2, 1, 1, 96)])
    assert result.fills["price"].tolist() == [96]


@pytest.mark.parametrize(("opened", "price"), [(100, 97), (92, 92)], ids=["met inside", "opened beyond"])
def test_a_stop_fires_at_its_trigger_or_at_the_open_beyond_it(opened: int, price: int) -> None:
    """Rule 4."""
    quiet = (100, 101, 99, 100)
    script = [new(2, 1, 1), new(15, -1, 1, kind=OrderKind.STOP_MARKET, trigger=97)]
    result = run([quiet, quiet, quiet, (opened, 101, 90, 95)], script)
    assert result.fills["price"].tolist() == [100, price]


def test_an_entry_and_its_profit_target_never_fill_inside_one_bar() -> None:
    """Rule 5: the entry at 96 on the way down, and 99 lies on the way up."""
    script = [new(2, 1, 1, 96), new(2, -1, 1, 99, post_only=True)]
    quiet = (97, 98, 97, 97)
    result = run([quiet, quiet, (97, 105, 95, 100), (97, 105, 97, 100)], script)
    assert [(int(row["ts_venue"]) - at(0)) // MS for row in result.fills] == [30, 40]
    assert result.fills["price"].tolist() == [96, 99]


def test_a_position_that_is_turned_inside_a_bar_counts_as_opened_there() -> None:
    """Rule 5: long 1; the sell of 3 turns it at 104; the buy at 101 must not close the new short in the same bar."""
    quiet = (103, 103, 103, 103)
    script = [new(2, 1, 1), new(15, -1, 3, 104), new(25, 1, 2, 101)]
    result = run([quiet, quiet, quiet, (103, 106, 102, 100)], script)
    assert result.fills["price"].tolist() == [103, 104]
    assert position(result) == -2


def test_a_stop_still_works_in_the_bar_of_its_entry() -> None:
    """Rule 5: entry at 96 and stop at 94, both on the way down."""
    script = [new(2, 1, 1, 96), new(2, -1, 1, kind=OrderKind.STOP_MARKET, trigger=94)]
    quiet = (100, 101, 99, 100)
    result = run([quiet, quiet, (100, 101, 90, 95)], script)
    assert result.fills["price"].tolist() == [96, 94]


def test_a_stop_sent_while_a_bar_runs_does_not_fire_in_it() -> None:
    """Whether the price was at 96 before or after 12 ms, the bar does not say."""
    quiet = (100, 101, 99, 100)
    result = run([quiet, CALM, quiet, CALM], [new(12, -1, 1, kind=OrderKind.STOP_MARKET, trigger=96)])
    assert [(int(row["ts_venue"]) - at(0)) // MS for row in result.fills] == [40]


def test_stops_are_met_in_the_order_of_the_path() -> None:
    script = [new(2, -1, 1, kind=OrderKind.STOP_MARKET, trigger=trigger) for trigger in (93, 97, 95)]
    quiet = (100, 101, 99, 100)
    result = run([quiet, quiet, (100, 101, 90, 95)], script)
    assert result.fills["price"].tolist() == [97, 95, 93]
    assert result.fills["order"].tolist() == [1, 2, 0]


def test_a_trailing_stop_follows_the_extreme_of_the_bar() -> None:
    script = [new(2, 1, 1), new(15, -1, 1, kind=OrderKind.TRAILING_STOP, trail=4)]
    quiet = (100, 101, 99, 100)
    result = run([quiet, quiet, quiet, (100, 110, 99, 103), (103, 103, 100, 100)], script)
    assert result.fills["price"].tolist() == [100, 106]


def test_takers_pay_the_assumed_half_spread() -> None:
    result = run([CALM, CALM, CALM], [new(2, 1, 1), new(12, -1, 1)], bar_slippage=Decimal("0.015"))
    assert result.fills["price"].tolist() == [102, 98]


def test_sizes_are_not_limited_by_the_volume_of_the_bar() -> None:
    result = run([CALM, CALM, CALM], [new(2, 1, 1_000_000)])
    assert result.fills["size"].tolist() == [1_000_000]


def test_an_order_at_the_close_may_trade_at_it_if_the_settings_say_so() -> None:
    class AtClose(Strategy):
        def on_bar(self, view: View, bar: Bar) -> None:  # noqa: ARG002
            if view.position == 0:
                view.buy(1)

    bars = [(100, 105, 95, 101), (103, 105, 95, 102)]
    at_once = LatencySettings(entry_ns=0, response_ns=0)
    now = run(bars, [], strategy=AtClose, bar_fill_at_close=True, latency=at_once)
    later = run([*bars, CALM], [], strategy=AtClose, latency=at_once)
    assert now.fills["price"].tolist() == [101]
    assert later.fills["price"][0] == 103
    assert AtClose.wakes() == WakeKind.BAR


def test_the_report_says_what_bars_cannot_tell() -> None:
    result = run([CALM, CALM], [])
    assert any("bars alone" in sentence for sentence in result.not_modelled)


@st.composite
def random_bars(draw: st.DrawFn) -> list[Prices]:
    """Any bars that can be: the high and the low enclose open and close."""
    prices = st.integers(90, 110)
    found = []
    for _ in range(draw(st.integers(2, 6))):
        opened, closed, *rest = (draw(prices) for _ in range(4))
        found.append((opened, max(opened, closed, *rest), min(opened, closed, *rest), closed))
    return found


@given(
    bars=random_bars(),
    asks=st.lists(
        st.tuples(
            st.integers(1, 50),
            st.sampled_from([1, -1]),
            st.integers(1, 5),
            st.one_of(st.none(), st.integers(88, 112)),
        ),
        max_size=8,
    ),
)
def test_no_price_outside_its_bar_is_ever_traded_except_own_limits_that_were_passed(
    bars: list[Prices], asks: list[tuple[int, int, int, int | None]]
) -> None:
    script = sorted(
        (new(when, side, size, price) for when, side, size, price in asks), key=lambda ask: ask.at
    )
    result = run(bars, script, rate_limits=False)
    for fill in result.fills:
        number = (int(fill["ts_venue"]) - at(0)) // (10 * MS) - 1
        opened, high, low, _ = bars[number]
        price, side = int(fill["price"]), int(fill["side"])
        if fill["is_maker"]:
            assert (low if side > 0 else -high) < price * side, "went through"
        else:
            assert price == opened
    filled = {k: int(result.fills["size"][result.fills["order"] == k].sum()) for k in range(len(script))}
    assert all(filled[k] in (0, ask.size) for k, ask in enumerate(script))
    assert position(result) == sum(ask.side * filled[k] for k, ask in enumerate(script))
    assert np.all(np.diff(result.fills["ts_local"]) >= 0)
