"""``ema_cross`` trades exactly where the plain rule says, bar by bar."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.result import BacktestResult
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.simulation.kinds import MarginMode
from headwater.strategies.ema_cross import ema_cross
from tests.strategies.runs import SPOT, run, tape_of
from tests.tape.events import NOON, bar, tape

MINUTE = 60_000_000_000
AT_CLOSE = BacktestSettings(
    latency=LatencySettings(entry_ns=0, response_ns=0),
    bar_fill_at_close=True,
    bar_slippage=Decimal(0),
    venue_checks=False,
    rate_limits=False,
    margin_mode=MarginMode.NONE,
)
"""As the peers have it."""


def bars_of(closes: list[int]) -> npt.NDArray[np.void]:
    """Candles that open where the one before closed."""
    opens = [closes[0], *closes[:-1]]
    return tape(
        *(
            bar(NOON + at * MINUTE, MINUTE, (first, max(first, last), min(first, last), last))
            for at, (first, last) in enumerate(zip(opens, closes, strict=True))
        )
    )


def plain_positions(closes: list[int], fast: int, slow: int, short: int) -> list[int]:
    """Position wanted after each bar, in orders, by the textbook's recursion."""
    positions, averages = [], [float(closes[0])] * 2
    for at, close in enumerate(closes):
        if at:
            averages = [
                mean + 2.0 / (span + 1.0) * (close - mean)
                for mean, span in zip(averages, (fast, slow), strict=True)
            ]
        wanted = 1 if averages[0] >= averages[1] else short
        positions.append(wanted if at + 1 >= slow else 0)
    return positions


def trades(result: BacktestResult) -> list[tuple[int, int, int]]:
    """Signed size in orders of 10 lots, price, and number of the bar at whose close it filled."""
    return [
        (
            int(fill["side"]) * int(fill["size"]) // 10,
            int(fill["price"]),
            (int(fill["ts_venue"]) - NOON) // MINUTE - 1,
        )
        for fill in result.fills
    ]


def plain_trades(closes: list[int], positions: list[int]) -> list[tuple[int, int, int]]:
    changes = np.diff([0, *positions])
    return [(int(change), closes[at], at) for at, change in enumerate(changes) if change]


CLOSES = st.lists(st.integers(500_000, 700_000), min_size=2, max_size=60)


@given(CLOSES, st.integers(1, 6), st.integers(1, 12))
def test_it_is_always_in_the_market_on_the_side_of_the_faster_average(
    closes: list[int], fast: int, slow: int
) -> None:
    result = run(ema_cross, tape_of(bars_of(closes)), AT_CLOSE, fast=fast, slow=slow)
    assert trades(result) == plain_trades(closes, plain_positions(closes, fast, slow, short=-1))


@given(CLOSES)
def test_long_only_is_flat_where_it_would_be_short(closes: list[int]) -> None:
    result = run(ema_cross, tape_of(bars_of(closes)), AT_CLOSE, fast=2, slow=4, long_only=1)
    sides = [side for side, _, _ in trades(result)]
    assert sides == [change for change, _, _ in plain_trades(closes, plain_positions(closes, 2, 4, short=0))]


def test_on_spot_it_is_long_only_unasked() -> None:
    closes = [600_000 + 1_000 * ((at // 5) % 2) for at in range(40)]
    asked = run(ema_cross, tape_of(bars_of(closes), SPOT), AT_CLOSE, fast=2, slow=4, long_only=1)
    unasked = run(ema_cross, tape_of(bars_of(closes), SPOT), AT_CLOSE, fast=2, slow=4)
    assert trades(asked) == trades(unasked) != []


@pytest.mark.parametrize("slow", [5, 9])
def test_it_acts_from_bar_slow_on(slow: int) -> None:
    closes = [600_000 + at for at in range(12)]
    result = run(ema_cross, tape_of(bars_of(closes)), AT_CLOSE, fast=2, slow=slow)
    assert trades(result)[0][2] == slow - 1
