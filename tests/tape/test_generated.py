"""The made-up market is one that a venue could have had, and the same for the same seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from headwater.domain.event import EventFlag, EventKind
from headwater.kernels.kernel import JIT_DISABLED
from headwater.tape.generated import LEVELS, generated_market

ROWS = 3_000 if JIT_DISABLED else 60_000
DIGEST = "import hashlib; from headwater.tape.generated import generated_market as g; "
DIGEST += "print(hashlib.sha256(g(1_500, seed=11).events.tobytes()).hexdigest())"


def test_the_book_is_never_crossed_and_a_trade_takes_what_stood_at_the_touch() -> None:
    """Plain Python follows every record: prints come before the update that shows them."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    printed: dict[int, int] = {}
    for kind, side, price, size, flags in (
        generated_market(ROWS, seed=2).events[["kind", "side", "price", "size", "flags"]].tolist()
    ):
        if kind in (EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT):
            levels = bids if side > 0 else asks
            if price in printed:
                assert size == levels[price] - printed.pop(price)
            levels[price] = size
            if size == 0:
                del levels[price]
        elif kind == EventKind.TRADE:
            opposite = asks if side > 0 else bids
            untouched = [level for level in opposite if opposite[level] > printed.get(level, 0)]
            assert price == (min(untouched) if side > 0 else max(untouched))
            printed[price] = printed.get(price, 0) + size
            assert size <= opposite[price]
        if kind == EventKind.BOOK_DELTA and flags & EventFlag.LAST_IN_MESSAGE:
            assert max(bids) < min(asks)


def test_it_opens_with_a_whole_book_and_its_times_never_run_backwards() -> None:
    events = generated_market(ROWS, seed=2).events
    assert events["kind"][0] == EventKind.BOOK_CLEAR
    assert np.all(events["kind"][1 : 2 * LEVELS + 1] == EventKind.BOOK_SNAPSHOT)
    assert np.flatnonzero(events["flags"] & EventFlag.LAST_IN_MESSAGE)[0] == 2 * LEVELS
    for name in ("ts_venue", "ts_local"):
        assert np.all(np.diff(events[name]) >= 0)
    assert np.all(events["ts_local"] >= events["ts_venue"])


def test_it_has_a_mark_price_every_second_and_one_settlement_of_funding() -> None:
    events = generated_market(4_000 if JIT_DISABLED else 1_100_000, seed=2).events
    marks = events["ts_venue"][events["kind"] == EventKind.MARK_PRICE]
    assert abs(len(marks) - (events["ts_venue"][-1] - events["ts_venue"][0]) / 1e9) < 2
    if not JIT_DISABLED:
        (settled,) = events[events["kind"] == EventKind.FUNDING]
        assert settled["ts_venue"] == 1_736_179_200 * 10**9  # 16:00 UTC


def test_equal_seeds_give_equal_markets_and_others_others() -> None:
    one, same, other = (generated_market(2_000, seed).events for seed in (7, 7, 8))
    assert np.array_equal(one, same)
    assert not np.array_equal(one[: len(other)], other[: len(one)])


@pytest.mark.compiled
def test_compiled_and_interpreted_make_the_same_market() -> None:
    interpreted = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    compiled = hashlib.sha256(generated_market(1_500, seed=11).events.tobytes()).hexdigest()
    assert interpreted.stdout.strip() == compiled
