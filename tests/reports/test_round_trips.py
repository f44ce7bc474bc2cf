"""Round trips: small cases by hand, and the kernel against a twin that moves one lot at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from headwater.backtest.result import BacktestResult
from headwater.domain.order import PositionSide
from headwater.reports.round_trips import describe_round_trips, round_trips
from headwater.reports.statistics import statistics
from headwater.reports.valuation import Records, valuation_of
from tests.oracle import report_twins
from tests.reports.random_runs import runs
from tests.reports.synthetic_run import SECOND, START_TS, Books, instrument, result_of

UNIT = instrument(tick="1", lot="1")


def trips_of(result: BacktestResult, price: float = 100.0) -> Records:
    return round_trips(result.fills, valuation_of(result), np.full(len(result.instruments), price))


def booked(*fills: tuple[int, int, int], fee_rate: str = "0") -> BacktestResult:
    """Fills as (side, price, size), a second apart."""
    book = Books(UNIT)
    for row, (side, price, size) in enumerate(fills):
        ts = START_TS + row * SECOND
        book.fill(ts, side, price, size, bid=price, ask=price, fee_rate=fee_rate)
    return result_of([book])


def test_a_position_built_in_steps_and_closed_is_one_round_trip() -> None:
    trip = trips_of(booked((1, 100, 2), (1, 106, 1), (-1, 110, 3)))[0]
    assert (trip["side"], trip["size"], trip["fills"], trip["is_open"]) == (1, 3, 3, 0)
    assert trip["entry_price"] == pytest.approx(102)
    assert trip["exit_price"] == pytest.approx(110)
    assert trip["profit"] == pytest.approx(24)
    assert trip["holding_ns"] == pytest.approx((2 * 2 + 1 * 1) / 3 * SECOND)


def test_a_fill_that_crosses_zero_is_split_between_two_trips() -> None:
    trips = trips_of(booked((1, 100, 2), (-1, 110, 5), (1, 105, 3), fee_rate="0.01"))
    assert trips["side"].tolist() == [1, -1]
    assert trips["profit"].tolist() == pytest.approx([20, 15])
    assert trips["fee"].tolist() == pytest.approx([2 + 2.2, 3.3 + 3.15])
    assert trips["entry_ts"][1] == trips["exit_ts"][0]


def test_an_open_trip_is_valued_at_the_last_price() -> None:
    trips = trips_of(booked((-1, 110, 4), (1, 100, 1)), price=105)
    assert trips["is_open"].tolist() == [1]
    assert trips["profit"][0] == pytest.approx(10 + 15)
    assert math.isnan(trips["holding_ns"][0])
    assert trips["exit_price"][0] == pytest.approx(100)


def test_an_open_trip_without_a_price_has_no_profit() -> None:
    trips = trips_of(booked((1, 100, 1)), price=math.nan)
    assert math.isnan(trips["profit"][0])
    assert math.isnan(trips["exit_price"][0])


def test_the_legs_of_a_hedged_position_are_separate_trips() -> None:
    result = booked((1, 100, 1), (-1, 103, 1), (-1, 104, 1), (1, 101, 1))
    legs = [PositionSide.LONG, PositionSide.SHORT, PositionSide.LONG, PositionSide.SHORT]
    result.fills["position_side"] = legs
    trips = trips_of(result)
    assert trips["position_side"].tolist() == [PositionSide.LONG, PositionSide.SHORT]
    assert trips["profit"].tolist() == pytest.approx([4, 2])


def test_statistics_of_trips_by_hand() -> None:
    result = booked(
        (1, 100, 1), (-1, 110, 1), (1, 100, 1), (-1, 96, 1), (1, 100, 1), (-1, 102, 1), (1, 90, 1)
    )
    found = describe_round_trips(trips_of(result, price=95), valuation_of(result), 0)
    assert (found.closed, found.open) == (3, 1)
    assert found.hit_rate == pytest.approx(2 / 3)
    assert found.profit_factor == pytest.approx(12 / 4)
    assert found.expectancy == pytest.approx(8 / 3)
    assert [found.best, found.worst] == pytest.approx([10, -4])
    assert [found.win_mean, found.loss_mean] == pytest.approx([6, -4])
    assert found.duration_mean_ns == pytest.approx(SECOND)
    assert found.holding_mean_ns == pytest.approx(SECOND)
    assert found.open_profit == pytest.approx(5)


def test_no_trip_gives_no_ratio() -> None:
    result = booked()
    found = describe_round_trips(trips_of(result), valuation_of(result), 0)
    assert found.closed == 0
    for value in (found.hit_rate, found.profit_factor, found.expectancy, found.best, found.worst):
        assert math.isnan(value)


@given(runs())
def test_trips_agree_with_their_slow_twin(result: BacktestResult) -> None:
    prices = [100.0, 101.0, 102.0][: len(result.instruments)]
    found = round_trips(result.fills, valuation_of(result), np.array(prices))
    expected = report_twins.round_trips(result, prices)
    assert len(found) == len(expected)
    for row, trip in zip(found, expected, strict=True):
        assert (row["side"], row["size"], row["is_open"]) == (trip.side, len(trip.entries), trip.is_open)
        assert row["entry_ts"] == trip.entries[0][0]
        scale = 1e-9 * (1 + row["entry_value"])
        assert row["profit"] == pytest.approx(trip.profit, rel=1e-9, abs=scale)
        assert row["fee"] == pytest.approx(trip.fee, rel=1e-9, abs=scale)
        assert row["entry_price"] == pytest.approx(np.mean([price for _, price in trip.entries]))
        if not trip.is_open:
            assert row["exit_ts"] == trip.exits[-1][0]
            assert row["exit_price"] == pytest.approx(np.mean([price for _, price in trip.exits]))
            assert row["holding_ns"] == pytest.approx(trip.held_ns / len(trip.entries))


@given(runs())
def test_trips_add_up_to_the_profit_without_funding(result: BacktestResult) -> None:
    found = statistics(result)
    for number, account in enumerate(found.accounts):
        mine = found.valuation.contracts["account"][found.round_trips["instrument"]] == number
        net = float((found.round_trips["profit"] - found.round_trips["fee"])[mine].sum())
        expected = account.curve.final - account.curve.initial - account.split.funding
        if not account.curve.unvalued and not math.isnan(net):
            scale = account.activity.turnover + abs(account.curve.initial) + 1.0
            assert net == pytest.approx(expected, abs=1e-9 * scale)
