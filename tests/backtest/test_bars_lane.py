"""The lane for bars alone is a shortcut: whoever takes it arrives where the general loop arrives.

A strategy that reads more of its view than the lane shows takes the general loop, so one strategy with two claims of what
it reads runs both ways. Fills, samples and the hash of the state must agree.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.backtest.result import BacktestResult
from headwater.backtest.run import Run
from headwater.backtest.settings import BacktestSettings, LatencySettings
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events
from headwater.domain.view import Reads
from headwater.simulation.kinds import MarginMode
from headwater.strategies.ema_cross import ema_cross
from tests.simulation.scripted import contract, replay

MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_000_000_000_000 - 1_700_000_000_000_000_000 % MINUTE_NS


def bars(closes: list[int]) -> Events:
    """Minute bars, each known at its end; the venue sees a bar open when the one before closes."""
    events: Events = np.zeros((len(closes), 3), EVENT_DTYPE)
    start = START_NS + MINUTE_NS * np.arange(len(closes))
    events["ts_local"] = (start + MINUTE_NS)[:, None]
    events["ts_venue"] = np.stack([start, start + MINUTE_NS, start + MINUTE_NS], axis=1)
    events["kind"] = (EventKind.BAR_OPEN, EventKind.BAR_RANGE, EventKind.BAR_CLOSE)
    events["flags"] = EventFlag.AT_VENUE | EventFlag.AT_LOCAL
    events["flags"][:, 2] |= np.uint8(EventFlag.LAST_IN_MESSAGE)
    close = np.array(closes)
    opened = np.concatenate([close[:1], close[:-1]])
    events["price"] = np.stack([opened, np.maximum(opened, close) + 1, close], axis=1)
    events["size"][:, 1] = np.minimum(opened, close) - 1
    events["size"][:, 2] = 7
    return events.reshape(-1)


def outcome(closes: list[int], reads: Reads, at_close: bool) -> BacktestResult:
    settings = BacktestSettings(
        latency=LatencySettings(entry_ns=0, response_ns=0) if at_close else LatencySettings(),
        bar_fill_at_close=at_close,
        margin_mode=MarginMode.NONE,
        rate_limits=False,
        venue_checks=False,
    )
    given_parameters: dict[str, object] = {"fast": 2, "slow": 3, "size": 1}
    run = Run(
        replace(ema_cross, reads=reads),
        replay(bars(closes), contract()),
        [contract()],
        settings,
        given_parameters,
    )
    assert run.replay.local is run.replay.venue, "else the lane is closed and nothing is compared"
    return run.run(None)


@given(st.lists(st.integers(100, 130), min_size=1, max_size=60), st.booleans())
def test_the_lane_ends_where_the_general_loop_ends(closes: list[int], at_close: bool) -> None:
    fast, slow = (outcome(closes, reads, at_close) for reads in (Reads(0), Reads.ALL))
    assert fast.fills.tolist() == slow.fills.tolist()
    assert fast.samples.tolist() == slow.samples.tolist()
    assert fast.state_hash == slow.state_hash
    assert fast.manifest["events"] == slow.manifest["events"]
    assert fast.manifest["wakes"] == slow.manifest["wakes"]


@pytest.mark.parametrize("at_close", [True, False])
def test_the_pairs_of_runs_do_trade(at_close: bool) -> None:
    closes = [100, 110, 120, 110, 100, 110, 120, 125, 100, 101, 120, 100]
    assert len(outcome(closes, Reads(0), at_close).fills) > 2
