"""Equity: hand-computed small cases, and the kernel against its slow twin on random runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from headwater.backtest.result import BacktestResult
from headwater.domain.event import NO_PRICE
from headwater.reports.equity import EquityCurve, PriceTrack, equity_curve
from headwater.reports.valuation import valuation_of
from tests.oracle import report_twins
from tests.reports.random_runs import runs
from tests.reports.synthetic_run import SECOND, START_TS, Books, instrument, result_of


def curve_of(result: BacktestResult, account: int = 0) -> tuple[EquityCurve, PriceTrack]:
    return equity_curve(result.samples, valuation_of(result), account)


def test_equity_of_a_linear_contract_is_cash_minus_fee_plus_funding_plus_position_at_the_mid() -> None:
    book = Books(instrument(tick="0.5", lot="0.01"))
    book.fill(START_TS, 1, 200, 300, bid=199, ask=201, fee_rate="0.001")  # 3 units at 100
    book.funding = 25_000_000  # 0.25
    book.sample(START_TS + SECOND, 219, 221)  # mid 110
    curve, _ = curve_of(result_of([book], initial={"USDT": "1000"}))
    assert curve.equity.tolist() == pytest.approx([1000 - 0.3, 1000 + 30 - 0.3 + 0.25])
    assert curve.gross.tolist() == pytest.approx([300, 330])


def test_equity_of_an_inverse_contract_counts_in_the_base_coin() -> None:
    book = Books(
        instrument("BTCUSD-PERP.BYBIT", kind="inverse", tick="0.5", lot="1", settle="BTC", money_scale=10**12)
    )
    book.fill(START_TS, 1, 100_000, 5_000, bid=99_999, ask=100_001, fee_rate="0")  # 5,000 contracts at 50,000
    book.sample(START_TS + SECOND, 124_999, 125_001)  # mid 62,500
    curve, _ = curve_of(result_of([book], initial={"BTC": "1"}))
    assert curve.equity.tolist() == pytest.approx([1.0, 1.0 + 5_000 * (1 / 50_000 - 1 / 62_500)])


def test_the_last_row_of_an_instant_counts() -> None:
    book = Books(instrument())
    book.sample(START_TS, 100, 100)
    book.fill(START_TS, 1, 100, 10, bid=100, ask=100, fee_rate="0.1")
    curve, track = curve_of(result_of([book]))
    assert len(curve.ts) == 1
    assert curve.equity[0] == pytest.approx(10_000 - 0.01)
    assert len(track.ts) == 2


def test_a_missing_quote_carries_the_last_price_forward() -> None:
    book = Books(instrument())
    book.fill(START_TS, 1, 1_000, 1_000, bid=999, ask=1_001, fee_rate="0")
    book.sample(START_TS + SECOND, NO_PRICE, 1_500)
    curve, track = curve_of(result_of([book]))
    assert curve.equity.tolist() == pytest.approx([10_000, 10_000])
    assert track.price.tolist() == [100.0, 100.0]


def test_the_mark_values_a_position_where_nothing_quotes() -> None:
    book = Books(instrument())
    book.fill(START_TS, 1, 1_000, 1_000, bid=999, ask=1_001, fee_rate="0")
    book.sample(START_TS + SECOND, NO_PRICE, NO_PRICE, mark=120 * 10**8)
    curve, _ = curve_of(result_of([book]))
    assert curve.equity[-1] == pytest.approx(10_020)


def test_an_instant_that_cannot_be_valued_is_left_out_and_counted() -> None:
    book = Books(instrument())
    book.fill(START_TS, 1, 1_000, 1_000, bid=NO_PRICE, ask=NO_PRICE)
    book.sample(START_TS + SECOND, 999, 1_001)
    curve, _ = curve_of(result_of([book]))
    assert (len(curve.ts), curve.unvalued) == (1, 1)


def test_exposure_is_weighted_by_time() -> None:
    book = Books(instrument(tick="1", lot="1"))
    book.sample(START_TS, 100, 100)
    book.fill(START_TS + 2 * SECOND, 1, 100, 1, bid=100, ask=100, fee_rate="0")
    book.sample(START_TS + 8 * SECOND, 100, 100)
    curve, _ = curve_of(result_of([book]))
    assert curve.held_share == pytest.approx(6 / 8)
    assert curve.gross_mean == pytest.approx(75)
    assert curve.gross_max == pytest.approx(100)


def test_no_samples_give_an_empty_curve_at_the_initial_equity() -> None:
    curve, _ = curve_of(result_of([Books(instrument())]))
    assert len(curve.ts) == 0
    assert curve.final == 10_000
    assert curve.span_ns == 0
    assert math.isnan(curve.held_share)


@given(runs())
def test_the_walk_agrees_with_its_slow_twin(result: BacktestResult) -> None:
    valuation = valuation_of(result)
    for account, currency in enumerate(valuation.currencies):
        curve, _ = equity_curve(result.samples, valuation, account)
        expected = report_twins.equity_points(result, currency)
        assert curve.ts.tolist() == [point[0] for point in expected]
        np.testing.assert_allclose(curve.equity, [point[1] for point in expected], rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(curve.gross, [point[2] for point in expected], rtol=1e-12, atol=1e-9)


@given(runs())
def test_the_price_track_holds_every_sample_of_its_instrument_in_order(result: BacktestResult) -> None:
    _, track = curve_of(result)
    for number in range(len(result.instruments)):
        part = slice(int(track.start[number]), int(track.start[number + 1]))
        rows = result.samples[result.samples["instrument"] == number]
        assert track.ts[part].tolist() == rows["ts"].tolist()
        last, prices = math.nan, []
        for row in rows:
            price = report_twins.price_of(result, row)
            last = last if math.isnan(price) else price
            prices.append(last)
        np.testing.assert_allclose(track.price[part], prices, rtol=1e-12)
