"""Figures say in words what the data does not hold; numbers read well."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from headwater.backtest.result import BacktestResult
from headwater.reports import wording
from headwater.reports.figures import Figure, figures
from headwater.reports.statistics import statistics
from tests.reports.random_runs import INVERSE, LINEAR, runs
from tests.reports.synthetic_run import (
    SECOND,
    START_TS,
    Books,
    bars_run,
    instrument,
    market_maker_run,
    result_of,
)


def figures_of(result: BacktestResult) -> dict[str, Figure]:
    return {figure.key: figure for figure in figures(statistics(result))}


def test_a_run_without_anything_says_what_is_missing() -> None:
    known = figures_of(result_of([Books(instrument())]))
    assert known["USDT.net_profit"].value == 0
    for name in ("sharpe", "cagr", "hit_rate", "profit_factor", "maker_share", "mark_out_1_s"):
        assert known[f"USDT.{name}"].text == "n/a"
        assert known[f"USDT.{name}"].why.startswith("not enough data: ")
    assert known["USDT.mark_out_1_s"].why == "not enough data: no fill"
    assert known["order_entry_p50"].why == "not enough data: no request was answered"


def test_an_instrument_without_samples_has_no_price_and_no_funding() -> None:
    books = [Books(LINEAR), Books(INVERSE, number=1)]
    books[0].sample(START_TS, 100, 101)
    known = figures_of(result_of(books))
    assert known["BTC.funding_received"].value == 0
    assert known["BTC.hold_return"].text == "n/a"


def test_a_result_without_instruments_has_no_account() -> None:
    assert statistics(result_of([])).accounts == ()


def test_a_ratio_from_a_short_run_carries_a_warning() -> None:
    sharpe = figures_of(market_maker_run(steps=400))["USDT.sharpe"]
    assert sharpe.why.startswith("99 returns of 1 s, 365 days a year; annualised from 1.66 min: says little")


def test_sparse_samples_leave_mark_outs_unknown_and_say_so() -> None:
    book = Books(instrument())
    book.fill(START_TS, 1, 1_000, 1, bid=999, ask=1_001)
    book.sample(START_TS + 600 * SECOND, 999, 1_001)
    known = figures_of(result_of([book]))
    assert (
        known["USDT.mark_out_10_s"].why
        == "not enough data: no sample within a quarter of 10 s of that instant"
    )
    assert (
        known["USDT.pnl_adverse_selection"].why == "fills without a mid 10 s later, counted in inventory: 1"
    )


def test_instants_without_a_value_are_counted_in_words() -> None:
    book = Books(instrument())
    book.fill(START_TS, 1, 1_000, 1, bid=-(2**63), ask=-(2**63))
    book.sample(START_TS + SECOND, 999, 1_001)
    assert "instants left out for want of a price: 1" in figures_of(result_of([book]))["USDT.span"].why


def test_money_never_crosses_currencies() -> None:
    books = [Books(LINEAR), Books(INVERSE, number=1)]
    books[0].fill(START_TS, 1, 100_000, 10, bid=99_999, ask=100_001)
    books[1].fill(START_TS, -1, 100_000, 500, bid=99_999, ask=100_001)
    known = figures_of(result_of(books, initial={"USDT": "1000", "BTC": "0.5"}))
    assert known["USDT.turnover"].value == pytest.approx(100)
    assert known["BTC.turnover"].value == pytest.approx(0.01)
    assert known["BTC.final_equity"].text.endswith(" BTC")
    assert known["USDT.fills"].value == known["BTC.fills"].value == 1


def test_a_year_of_bars_has_a_growth_rate_and_daily_returns() -> None:
    result = bars_run(bars=50_000, trips=50)
    result.initial_cash["USDT"] = "100000000"
    known = figures_of(result)
    assert math.isfinite(known["USDT.cagr"].value)
    assert known["USDT.sharpe"].why == "33 returns of 1 d, 365 days a year"
    assert known["USDT.closed_round_trips"].value == 50


@given(runs())
def test_every_figure_has_a_unique_key_and_a_text(result: BacktestResult) -> None:
    found = figures(statistics(result))
    assert len({figure.key for figure in found}) == len(found)
    for figure in found:
        assert figure.text
        assert math.isfinite(figure.value) or figure.why.startswith("not enough data: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.money(1234.5, "USDT"), "1,234.50 USDT"),
        (wording.money(0.00001234, "BTC", signed=True), "+0.00001234 BTC"),
        (wording.money(-2e-12, "USDT"), "0.00 USDT"),
        (wording.money(0.0, signed=True), "0.00"),
        (wording.money(123_456_789.12, "USDT"), "123,456,789 USDT"),
        (wording.money(math.nan, "USDT"), "n/a"),
        (wording.percent(0.1234), "12.34 %"),
        (wording.percent(0.0000624), "0.0062 %"),
        (wording.percent(math.nan), "n/a"),
        (wording.bps(-1.5), "-1.500 bp"),
        (wording.bps(math.nan), "n/a"),
        (wording.span(3_310_000.0), "3.31 ms"),
        (wording.span(365 * 86_400e9), "365 d"),
        (wording.span(5_000 * 86_400e9), "5,000 d"),
        (wording.span(12.0), "12 ns"),
        (wording.span(math.nan), "n/a"),
        (wording.moment(START_TS), "2024-08-08 23:54:15"),
        (wording.compact(-146_759.0), "-146.8k"),
        (wording.compact(1_690_386.0), "+1.69M"),
        (wording.compact(12.5), "+12.5"),
        (wording.compact(math.nan), "n/a"),
        (wording.number(math.nan), "n/a"),
        (wording.in_unit(3, "count", signed=True), "+3"),
        (wording.in_unit(1e9, "ns"), "1 s"),
        (wording.in_unit(2.5, "x"), "2.50 x"),
        (wording.in_unit(math.nan, "USDT"), "n/a"),
    ],
)
def test_numbers_read_as_people_write_them(text: str, expected: str) -> None:
    assert text == expected
