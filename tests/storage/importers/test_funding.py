"""Funding: the interval comes from the times, changes of it are no holes, and holes are no changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.foreign import Reading, cut, damaged, drop, read, repeat, swap

HOUR_NS = 3_600 * 10**9
START_MS = 1_704_067_200_000


def funding(dev_data: Path, name: str) -> Path:
    return dev_data / "funding_oi" / name


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_the_8_hour_file_that_freqtrade_calls_1h_is_8_hours(dev_data: Path, coin: str) -> None:
    path = funding(dev_data, f"bybit_linear_{coin}USDT_funding.parquet")
    reading = read(path, f"{coin}USDT-PERP.BYBIT")
    events, findings = reading.events(), reading.only()
    assert reading.format == "freqtrade-funding"
    assert (events["kind"] == EventKind.FUNDING).all()
    assert set(events["size"].tolist()) == {8 * 3_600}
    assert events["price"].tolist() == [round(rate * 1e12) for rate in pl.read_parquet(path)["open"]]
    assert "interval 8 h" in findings.clock
    assert (findings.notes, findings.lost_messages) == ([], 0)


def test_intervals_differ_by_symbol_and_change(dev_data: Path) -> None:
    reading = read(funding(dev_data, "binance_usdm_funding_multi.parquet"))
    assert len(reading.findings) == 16
    assert set(reading.events("HYPEUSDT-PERP.BINANCE")["size"].tolist()) == {4 * 3_600}
    assert set(reading.events("ORCAUSDT-PERP.BINANCE")["size"].tolist()) == {4 * 3_600, 2 * 3_600}
    assert "4 h, then 2 h from 2025-03-21 10:00, 4 h from 2025-03-24 12:00" in reading.notes()
    assert all(findings.lost_messages == 0 for findings in reading.findings.values())


def test_jitter_of_milliseconds_is_no_shift_of_the_settlement(dev_data: Path) -> None:
    reading = read(funding(dev_data, "binance_usdm_funding_2026_setA.parquet"))
    events = reading.events()
    assert len(reading.findings) == 270
    assert len(events) == 54_000
    assert (events["ts_venue"] % HOUR_NS == 0).all()
    late = events["ts_local"] - events["ts_venue"]
    assert (late.min(), late.max()) == (0, 17_000_000)
    assert all(findings.lost_messages == 0 for findings in reading.findings.values())
    changed = [
        name for name, findings in reading.findings.items() if "interval changes" in str(findings.notes)
    ]
    assert len(changed) == 12


FILES = [
    ("bybit_linear_BTCUSDT_funding.parquet", "BTCUSDT-PERP.BYBIT"),
    ("binance_usdm_funding_multi.parquet", "1000PEPEUSDT-PERP.BINANCE"),
    ("binance_usdm_funding_2026_setA.parquet", "0GUSDT-PERP.BINANCE"),
]


@pytest.mark.parametrize(("name", "instrument"), FILES)
def test_dropped_settlements_are_counted(dev_data: Path, tmp_path: Path, name: str, instrument: str) -> None:
    findings = read(damaged(funding(dev_data, name), tmp_path / "x", drop(100, 2)), instrument).findings[
        instrument
    ]
    assert (findings.sequence_gaps, findings.lost_messages) == (1, 2)
    assert "2 settlements missing in 1 hole," in "\n".join(findings.notes)


@pytest.mark.parametrize(("name", "instrument"), FILES)
def test_the_interval_of_a_settlement_after_a_hole_stays(
    dev_data: Path, tmp_path: Path, name: str, instrument: str
) -> None:
    whole = read(funding(dev_data, name), instrument).events()
    holed = read(damaged(funding(dev_data, name), tmp_path / "x", drop(100)), instrument).events()
    assert (holed == np.delete(whole, 100)).all()


@pytest.mark.parametrize(("name", "instrument"), FILES)
def test_a_repeated_settlement_is_dropped(dev_data: Path, tmp_path: Path, name: str, instrument: str) -> None:
    reading = read(damaged(funding(dev_data, name), tmp_path / "x", repeat(100)), instrument)
    assert reading.findings[instrument].duplicates == 1
    assert (reading.events() == read(funding(dev_data, name), instrument).events()).all()


@pytest.mark.parametrize(("name", "instrument"), FILES)
def test_swapped_settlements_are_refused_by_row(
    dev_data: Path, tmp_path: Path, name: str, instrument: str
) -> None:
    with pytest.raises(ImportRefusedError, match="row 102: expected times that rise"):
        read(damaged(funding(dev_data, name), tmp_path / "x", swap(100)), instrument)


@pytest.mark.parametrize(("name", "instrument"), FILES)
def test_a_shorter_file_has_no_finding_more(
    dev_data: Path, tmp_path: Path, name: str, instrument: str
) -> None:
    findings = read(damaged(funding(dev_data, name), tmp_path / "x", cut(100)), instrument).findings[
        instrument
    ]
    assert (findings.sequence_gaps, findings.lost_messages, findings.duplicates) == (0, 0, 0)


def test_times_shifted_off_the_hour_are_named(dev_data: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(funding(dev_data, FILES[0][0]))
    frame.with_columns(pl.col("date") + pl.duration(minutes=7)).write_parquet(tmp_path / "x")
    assert "1868 settlements not on the hour" in read(tmp_path / "x", "A.B").notes()


def small(tmp_path: Path, hours: list[int], rates: list[float] | None = None) -> Path:
    rates = rates or [0.0001] * len(hours)
    path = tmp_path / "x"
    pl.DataFrame(
        {
            "timestamp": [START_MS + hour * 3_600_000 for hour in hours],
            "symbol": ["AUSDT"] * len(hours),
            "funding_rate": rates,
        }
    ).write_parquet(path)
    return path


def sizes(reading: Reading) -> list[int]:
    return [int(size) // 3_600 for size in reading.events()["size"]]


@pytest.mark.parametrize(
    ("hours", "intervals", "lost"),
    [
        ([0, 8, 16, 20, 24, 28], [8, 8, 8, 4, 4, 4], 0),  # 8 h to 4 h
        ([0, 1, 2, 4, 8, 12], [1, 1, 1, 2, 4, 4], 0),  # 1 h to 4 h, on the way to a multiple of 4
        ([0, 8, 16, 32, 40], [8, 8, 8, 8, 8], 1),  # one of 8 h lost
        ([0, 4, 8, 16, 20, 24], [4, 4, 4, 4, 4, 4], 1),  # one of 4 h lost: not 8 h for once
        ([0, 24, 32], [8, 8, 8], 2),
        ([0, 8], [8, 8], 0),
    ],
)
def test_holes_and_changes_are_told_apart(
    tmp_path: Path, hours: list[int], intervals: list[int], lost: int
) -> None:
    reading = read(small(tmp_path, hours))
    assert sizes(reading) == intervals
    assert reading.only().lost_messages == lost


def test_a_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match=r"row 2 .*field 'funding_rate': expected a rate between"):
        read(small(tmp_path, [0, 8, 16], [0.0001, 42.0, 0.0001]))
    with pytest.raises(ImportRefusedError, match="row 2, field 'funding_rate': expected a number, found nan"):
        read(small(tmp_path, [0, 8, 16], [0.0001, float("nan"), 0.0001]))


def test_one_settlement_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="expected two settlements at least"):
        read(small(tmp_path, [0]))


def test_finer_rates_than_the_tape_holds_are_rounded_and_named(tmp_path: Path) -> None:
    reading = read(small(tmp_path, [0, 8], [0.0001, 1.23456789e-10]))
    assert reading.events()["price"].tolist() == [100_000_000, 123]
    assert "1 rate of more than 12 decimals" in reading.notes()


def test_two_settlements_in_one_minute_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path, [0, 8, 16])
    frame = pl.read_parquet(path)
    frame.with_columns(pl.Series("timestamp", [START_MS, START_MS + 9, START_MS + 28_800_000])).write_parquet(
        path
    )
    with pytest.raises(ImportRefusedError, match="rows 1 and 2: expected one settlement in a minute"):
        read(path)
