"""The split of profit sums to the profit; mark-outs by hand and against their slow twins."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from headwater.backtest.result import BacktestResult
from headwater.domain.event import NO_PRICE
from headwater.domain.order import FillKind
from headwater.reports.fill_values import AGE_SHARE_MAX, HORIZONS_NS
from headwater.reports.mark_outs import MarkOut
from headwater.reports.statistics import Statistics, statistics
from tests.oracle import report_twins
from tests.reports.random_runs import runs
from tests.reports.synthetic_run import SECOND, START_TS, Books, instrument, market_maker_run, result_of

UNIT = instrument(tick="1", lot="1")


def mark_out(found: Statistics, seconds: int, group: str = "all") -> MarkOut:
    rows = found.accounts[0].mark_outs
    return next(row for row in rows if row.horizon_ns == seconds * SECOND and row.group == group)


def one_fill(*samples: tuple[float, int]) -> Statistics:
    """A maker buys two at 99 with the mid at 100, then the mid goes through (seconds, mid)."""
    book = Books(UNIT)
    book.fill(START_TS, 1, 99, 2, bid=99, ask=101, fee_rate="0.001")
    for seconds, mid in samples:
        book.sample(START_TS + int(seconds * SECOND), mid - 1, mid + 1)
    return statistics(result_of([book]))


def test_the_parts_by_hand() -> None:
    split = one_fill((1, 103), (10, 97), (30, 108)).accounts[0].split
    assert split.spread == pytest.approx(2)
    assert split.adverse_selection == pytest.approx(-6)
    assert split.inventory == pytest.approx(22)
    assert split.fee == pytest.approx(-0.198)
    assert split.total == pytest.approx(17.802)
    assert split.unexplained == pytest.approx(0, abs=1e-9)


def test_mark_outs_by_hand() -> None:
    found = one_fill((1, 103), (10, 97), (30, 108))
    assert mark_out(found, 1).mean_bps == pytest.approx(300)
    assert mark_out(found, 1).money == pytest.approx(6)
    assert mark_out(found, 1).realised_bps == pytest.approx(400)
    assert mark_out(found, 10, "maker").mean_bps == pytest.approx(-300)
    assert mark_out(found, 10, "taker").fills == 0
    assert math.isnan(mark_out(found, 60).mean_bps)
    assert mark_out(found, 60).judged == 0


def test_a_sale_gains_when_the_mid_falls() -> None:
    book = Books(UNIT)
    book.fill(START_TS, -1, 101, 1, bid=99, ask=101, fee_rate="0")
    book.sample(START_TS + SECOND, 97, 99)
    assert mark_out(statistics(result_of([book])), 1).mean_bps == pytest.approx(200)


def test_a_sample_counts_within_a_quarter_of_the_horizon() -> None:
    assert mark_out(one_fill((1.25, 103)), 1).judged == 1
    assert mark_out(one_fill((0.75, 103)), 1).judged == 1
    assert mark_out(one_fill((1.26, 103)), 1).judged == 0
    assert mark_out(one_fill((0.9, 103), (1.05, 105)), 1).mean_bps == pytest.approx(500)


def test_a_fill_without_a_mid_captures_no_spread_and_is_counted() -> None:
    book = Books(UNIT)
    book.sample(START_TS - SECOND, 99, 101)
    book.fill(START_TS, 1, 99, 1, bid=99, ask=NO_PRICE, fee_rate="0")
    book.sample(START_TS + 10 * SECOND, 104, 106)
    split = statistics(result_of([book])).accounts[0].split
    assert (split.spread, split.without_mid) == (0, 1)
    assert split.adverse_selection == pytest.approx(6)
    assert split.unexplained == pytest.approx(0, abs=1e-9)


def test_liquidations_have_a_part_of_their_own() -> None:
    book = Books(UNIT)
    book.fill(START_TS, 1, 100, 1, bid=99, ask=101, fee_rate="0")
    book.fill(START_TS + SECOND, -1, 80, 1, bid=84, ask=86, fee_rate="0", kind=FillKind.LIQUIDATION)
    split = statistics(result_of([book])).accounts[0].split
    assert split.forced == pytest.approx(-5)
    assert split.unexplained == pytest.approx(0, abs=1e-9)


def test_funding_is_a_part() -> None:
    book = Books(UNIT)
    book.fill(START_TS, 1, 100, 1, bid=100, ask=100, fee_rate="0")
    book.funding = -3 * 10**8
    book.sample(START_TS + SECOND, 100, 100)
    split = statistics(result_of([book])).accounts[0].split
    assert split.funding == pytest.approx(-3)
    assert split.total == pytest.approx(-3)


def test_samples_that_disagree_with_the_fills_show_as_unexplained() -> None:
    book = Books(UNIT)
    book.fill(START_TS, 1, 100, 1, bid=100, ask=100, fee_rate="0")
    book.cash += 7 * 10**8
    book.sample(START_TS + SECOND, 100, 100)
    assert statistics(result_of([book])).accounts[0].split.unexplained == pytest.approx(7)


def test_the_split_of_a_market_maker_sums_to_its_profit() -> None:
    account = statistics(market_maker_run()).accounts[0]
    assert sum(account.split.parts().values()) == pytest.approx(account.profit, rel=1e-9)
    assert account.split.without_later < account.activity.fills / 20


@given(runs())
def test_the_parts_sum_to_the_change_of_equity(result: BacktestResult) -> None:
    for account in statistics(result).accounts:
        if account.curve.unvalued or math.isnan(account.split.unexplained):
            continue
        scale = account.activity.turnover + abs(account.curve.initial) + 1.0
        assert account.split.unexplained == pytest.approx(0, abs=1e-9 * scale)


@given(runs())
def test_later_mids_and_parts_agree_with_their_slow_twins(result: BacktestResult) -> None:
    found = statistics(result)
    starts = found.track.start
    tracks = [
        list(zip(found.track.ts[a:b].tolist(), found.track.price[a:b].tolist(), strict=True))
        for a, b in pairwise(starts)
    ]
    for horizon, later in zip(HORIZONS_NS, found.fills.later, strict=True):
        expected = [
            report_twins.look_ahead(
                tracks[row["instrument"]], int(row["ts_local"]), horizon, horizon // AGE_SHARE_MAX
            )
            for row in result.fills
        ]
        np.testing.assert_array_equal(later, expected)
    end = [track[-1][1] if track else math.nan for track in tracks]
    for account in found.accounts:
        parts = report_twins.split(result, account.currency, found.fills.later[1].tolist(), end)
        scale = 1e-9 * (account.activity.turnover + 1.0)
        for name in ("spread", "forced", "adverse_selection", "inventory", "fee"):
            value = getattr(account.split, name)
            assert value == pytest.approx(parts[name], abs=scale, rel=1e-9, nan_ok=True)


@given(runs())
def test_mark_out_sums_agree_with_their_slow_twin(result: BacktestResult) -> None:
    found = statistics(result)
    for account in found.accounts:
        for row in account.mark_outs:
            later = found.fills.later[HORIZONS_NS.index(row.horizon_ns)]
            moves = []
            for fill, then in zip(result.fills, later, strict=True):
                maker = {"all": None, "maker": 1, "taker": 0}[row.group]
                mine = result.instruments[fill["instrument"]].settle == account.currency
                if not mine or maker not in (None, fill["is_maker"]):
                    continue
                moves.append(fill["side"] * (then / report_twins.price_of(result, fill) - 1) * 1e4)
            known = [move for move in moves if not math.isnan(move)]
            assert (row.fills, row.judged) == (len(moves), len(known))
            if len(known) > 1:
                error = np.std(known, ddof=1) / math.sqrt(len(known))
                assert row.standard_error_bps == pytest.approx(error, rel=1e-6, abs=1e-5)
