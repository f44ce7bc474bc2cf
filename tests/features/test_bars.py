"""Bars: the kernel and its twin agree, online equals batch, nothing is lost and nothing looks ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.bar import BAR_DTYPE, BarKind
from headwater.domain.event import EventKind
from headwater.features.bar_builder import BarBuilder, Bars
from headwater.ports.importer import ImportContext
from headwater.storage.importers.trades_aggressor import IMPORTER
from tests.oracle.bars import Trade, bars_of

I64 = npt.NDArray[np.int64]

STEP = st.tuples(st.integers(0, 40), st.integers(-3, 3), st.integers(1, 50), st.sampled_from([-1, 0, 1]))
STEPS = st.lists(STEP, max_size=120)
KINDS = st.sampled_from(list(BarKind))
SMALL = {
    BarKind.TIME: 60,
    BarKind.TICK: 7,
    BarKind.VOLUME: 90,
    BarKind.DOLLAR: 9_000,
    BarKind.TICK_IMBALANCE: 6,
    BarKind.VOLUME_IMBALANCE: 6,
}


def trades_of(steps: list[tuple[int, int, int, int]]) -> list[Trade]:
    """A random walk around 1000 ticks, times not decreasing."""
    trades, ts, price = [], 10_000, 1_000
    for wait, move, size, side in steps:
        ts, price = ts + wait, max(1, price + move)
        trades.append((ts, price, size, side))
    return trades


def columns(trades: list[Trade]) -> tuple[I64, I64, I64, I64]:
    table = np.array(trades, dtype=np.int64).reshape(-1, 4)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), table[:, 3].copy()


def batch(trades: list[Trade], kind: BarKind, threshold: int, span: int = 20) -> Bars:
    return BarBuilder(kind, threshold, span).extend(*columns(trades))


@given(steps=STEPS, kind=KINDS, scale=st.integers(1, 3), span=st.integers(1, 30))
def test_kernel_and_twin_agree(
    steps: list[tuple[int, int, int, int]], kind: BarKind, scale: int, span: int
) -> None:
    trades = trades_of(steps)
    threshold = max(1, SMALL[kind] * scale // 2)
    assert [tuple(bar) for bar in batch(trades, kind, threshold, span).tolist()] == bars_of(
        trades, kind, threshold, span
    )


@given(steps=STEPS, kind=KINDS)
def test_one_at_a_time_equals_all_at_once(steps: list[tuple[int, int, int, int]], kind: BarKind) -> None:
    trades = trades_of(steps)
    builder = BarBuilder(kind, SMALL[kind])
    online = [builder.bar for trade in trades if builder.update(*trade)]
    assert [bar.tolist() for bar in online] == batch(trades, kind, SMALL[kind]).tolist()


@given(steps=STEPS, kind=KINDS, share=st.floats(0, 1))
def test_the_future_changes_no_bar(
    steps: list[tuple[int, int, int, int]], kind: BarKind, share: float
) -> None:
    trades = trades_of(steps)
    some = batch(trades[: int(len(trades) * share)], kind, SMALL[kind])
    assert batch(trades, kind, SMALL[kind])[: len(some)].tolist() == some.tolist()


@given(steps=STEPS, kind=KINDS)
def test_no_lot_is_lost_or_counted_twice(steps: list[tuple[int, int, int, int]], kind: BarKind) -> None:
    trades = trades_of(steps)
    builder = BarBuilder(kind, SMALL[kind])
    bars = builder.extend(*columns(trades))
    rest = builder.open_bar
    for name, amount in (
        ("volume", sum(size for _, _, size, _ in trades)),
        ("buy_volume", sum(size for _, _, size, side in trades if side > 0)),
        ("turnover", sum(price * size for _, price, size, _ in trades)),
        ("trades", len(trades)),
    ):
        assert bars[name].sum() + (0 if rest is None else rest[name]) == amount


@given(steps=STEPS, kind=KINDS)
def test_a_bar_holds_its_prices_and_follows_its_predecessor(
    steps: list[tuple[int, int, int, int]], kind: BarKind
) -> None:
    bars = batch(trades_of(steps), kind, SMALL[kind])
    assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    assert (bars["ts_open"] <= bars["ts_close"]).all()
    assert (bars["ts_open"][1:] >= bars["ts_close"][:-1]).all()
    assert (bars["trades"] > 0).all()


@given(steps=STEPS, kind=KINDS, at=st.integers(0, 120))
def test_a_saved_state_goes_on_where_it_was(
    steps: list[tuple[int, int, int, int]], kind: BarKind, at: int
) -> None:
    trades = trades_of(steps)
    before, after = BarBuilder(kind, SMALL[kind]), BarBuilder(kind, SMALL[kind])
    first = before.extend(*columns(trades[:at]))
    after.state[:] = before.state
    second = after.extend(*columns(trades[at:]))
    assert [*first.tolist(), *second.tolist()] == batch(trades, kind, SMALL[kind]).tolist()


def test_more_bars_than_fit_at_once_are_all_returned() -> None:
    trades = [(i, 100, 1, 1) for i in range(10_000)]
    assert len(batch(trades, BarKind.TICK, 1)) == 10_000


def test_a_minute_without_trades_has_no_bar() -> None:
    bars = batch([(5, 10, 1, 1), (130, 11, 2, -1), (200, 9, 1, 1)], BarKind.TIME, 60)
    assert bars[["ts_open", "ts_close", "close"]].tolist() == [(0, 60, 10), (120, 180, 11)]


def test_imbalance_bars_get_shorter_when_one_side_leads() -> None:
    balanced = [(i, 100, 1, 1 if i % 2 else -1) for i in range(2_000)]
    one_sided = [(2_000 + i, 100, 1, 1) for i in range(1_000)]
    bars = batch([*balanced, *one_sided], BarKind.TICK_IMBALANCE, 100)
    assert bars["trades"][0] == 100
    assert (bars["ts_open"] > 2_000).sum() > (bars["ts_open"] <= 2_000).sum()


def test_imbalance_bars_do_not_run_away() -> None:
    rng = np.random.default_rng(7)
    trades = [
        (i, 100, int(size), int(side))
        for i, (size, side) in enumerate(
            zip(rng.integers(1, 99, 20_000), rng.choice([-1, 1], 20_000), strict=True)
        )
    ]
    lengths = batch(trades, BarKind.VOLUME_IMBALANCE, 100)["trades"]
    assert 20 < np.median(lengths) < 400


def test_unknown_sides_take_the_tick_rule() -> None:
    prices = [10, 11, 11, 10, 10, 12]
    unknown = [(i, price, 1, 0) for i, price in enumerate(prices)] * 9
    known = [
        (i, price, 1, side) for i, (price, side) in enumerate(zip(prices, [0, 1, 1, -1, -1, 1], strict=True))
    ]
    later = [
        (i, price, 1, side) for i, (price, side) in enumerate(zip(prices, [-1, 1, 1, -1, -1, 1], strict=True))
    ]
    a = batch(unknown, BarKind.TICK_IMBALANCE, 4)
    b = batch([*known, *later * 8], BarKind.TICK_IMBALANCE, 4)
    assert a["trades"].tolist() == b["trades"].tolist()


@pytest.mark.parametrize(
    ("kind", "threshold", "span", "message"),
    [
        (BarKind.TICK, 0, 1, "must be positive"),
        (BarKind.TICK_IMBALANCE, 5, 0, "must be positive"),
        (BarKind.VOLUME_IMBALANCE, 65_537, 5, "at most 65536 trades"),
    ],
)
def test_a_senseless_builder_is_refused(kind: BarKind, threshold: int, span: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BarBuilder(kind, threshold, span)


def test_no_trades_make_no_bars() -> None:
    builder = BarBuilder(BarKind.TICK, 5)
    assert builder.extend(*columns([])).dtype == BAR_DTYPE
    assert builder.open_bar is None
    assert builder.bar["trades"] == 0


def test_bars_of_real_trades_are_those_of_the_twin(dev_data: Path) -> None:
    path = dev_data / "trades" / "binance_spot_LTCUSDT_trades_2025-06-21.csv.gz"
    context = ImportContext(instrument="LTCUSDT.BINANCE", grid=lambda *_: None, progress=lambda _: None)
    events = np.concatenate([batch.events for batch in IMPORTER.batches(path, context)])[:8_000]
    assert (events["kind"] == EventKind.TRADE).all()
    trades: list[Trade] = events[["ts_venue", "price", "size", "side"]].tolist()
    for kind, threshold in ((BarKind.TIME, 60 * 10**9), (BarKind.TICK, 100), (BarKind.VOLUME_IMBALANCE, 100)):
        assert [tuple(bar) for bar in batch(trades, kind, threshold).tolist()] == bars_of(
            trades, kind, threshold
        )
