"""Rare faults of candle files, one small file each."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from tests.storage.importers.foreign import bars, damaged, drop, read, repeat

LONDON = "time,exchange,crypto,pair,contract,open,high,low,close,volume,funding rate\n"


def refused(path: Path, instrument: str | None = "A.B") -> str:
    with pytest.raises(ImportRefusedError) as refusal:
        read(path, instrument)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


def london_row(time: str, rate: str = "", contract: str = "spot", pair: str = "BTC/USDT") -> str:
    return f"{time},binance,bitcoin,{pair},{contract},100,102,99,101,5,{rate}\n"


def test_london_times_that_are_utc_already_stay(tmp_path: Path) -> None:
    rows = [london_row(f"2023-07-0{day} {hour}:00:00") for day in (1, 2) for hour in ("00", "08", "16")]
    (tmp_path / "x").write_text(LONDON + "".join(rows))
    reading = read(tmp_path / "x")
    assert "Europe/London" not in reading.notes()
    assert bars(reading)["ts_open"][0] == 1_688_169_600 * 10**9


def test_london_clocks_go_back_without_a_bar_twice(tmp_path: Path) -> None:
    times = ["2023-10-28 09:00:00", "2023-10-28 17:00:00", "2023-10-29 01:00:00", "2023-10-29 08:00:00"]
    (tmp_path / "x").write_text(LONDON + "".join(map(london_row, times)))
    assert bars(read(tmp_path / "x"))["ts_open"].diff().drop_nulls().to_list() == [8 * 3_600 * 10**9] * 3


def test_london_times_that_never_were_are_refused(tmp_path: Path) -> None:
    times = ["2023-03-25 17:00:00", "2023-03-26 01:30:00", "2023-03-26 09:00:00"]
    (tmp_path / "x").write_text(LONDON + "".join(map(london_row, times)))
    assert "row 2, field 'time': expected Europe/London local time" in refused(tmp_path / "x", None)


def test_london_contracts_and_rates_are_checked(tmp_path: Path) -> None:
    rows = [
        london_row(f"2023-01-01 {hour}:00:00", "0.0001", "perpetual", "BTCUSDT")
        for hour in ("00", "08", "16")
    ]
    (tmp_path / "x").write_text(LONDON + "".join(rows).replace("0.0001\n", "\n", 1))
    assert "row 1, field 'funding rate': expected a number" in refused(tmp_path / "x", None)
    (tmp_path / "y").write_text(LONDON + "".join(rows).replace("perpetual", "swap"))
    assert "expected spot or perpetual, found 'swap'" in refused(tmp_path / "y", None)


def test_a_damaged_london_file_names_its_bars_and_settlements(dev_data: Path, tmp_path: Path) -> None:
    path = dev_data / "funding_oi" / "binance_bybit_okx_8h_ohlcv_funding_2023-2024.csv.gz"
    instrument = "BTCUSDT-PERP.BINANCE"  # rows 3, 21, 39, ... of the file
    holed = read(damaged(path, tmp_path / "d", drop(18 * 50 + 2)), instrument).findings[instrument]
    assert (holed.sequence_gaps, holed.lost_messages) == (2, 2)
    assert "1 bar absent in 1 hole," in "\n".join(holed.notes)
    assert "1 settlement missing in 1 hole," in "\n".join(holed.notes)
    twice = read(damaged(path, tmp_path / "r", repeat(18 * 50 + 2)), instrument).findings[instrument]
    assert twice.duplicates == 2


def test_several_symbols_in_one_freqtrade_table(tmp_path: Path) -> None:
    rows = {
        "symbol": ["BTC/USDT"] * 3 + ["ETH_USDT_USDT"] * 3,
        "date": [1_704_067_200_000, 1_704_067_260_000, 1_704_067_320_000] * 2,
        "open": [1.0, 2.0, 3.0] * 2,
        "high": [1.5, 2.5, 3.5] * 2,
        "low": [0.5, 1.5, 2.5] * 2,
        "close": [1.0, 2.0, 3.0] * 2,
        "volume": [7.0, 8.0, 9.0] * 2,
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "x")
    assert list(read(tmp_path / "x").findings) == ["BTCUSDT.BINANCE", "ETHUSDT-PERP.BINANCE"]
    assert list(read(tmp_path / "x", "ETHUSDT-PERP.BINANCE").findings) == ["ETHUSDT-PERP.BINANCE"]


def daily(tmp_path: Path, **columns: list[object]) -> Path:
    frame = pl.DataFrame(
        {
            "date": [date(2024, 1, day) for day in (1, 2, 3)],
            "open": [1.0, 2.0, 3.0],
            "high": [1.0, 2.0, 3.0],
            "low": [1.0, 2.0, 3.0],
            "close": [1.0, 2.0, 3.0],
            "volume": [7.0, 8.0, 9.0],
        }
    )
    frame.with_columns(pl.Series(name, values) for name, values in columns.items()).write_parquet(
        tmp_path / "x"
    )
    return tmp_path / "x"


def test_days_may_be_dates(tmp_path: Path) -> None:
    assert read(daily(tmp_path), "A.B").only().clock.startswith("absent: bars of 1 d")


def test_prices_of_two_magnitudes_that_no_grid_holds_are_refused(tmp_path: Path) -> None:
    path = daily(tmp_path, high=[1e-7 + 1.0, 2.0, 9e17])
    assert "row 3: expected prices of one magnitude, found 9e+17 beside 1" in refused(path)


def test_a_grid_in_force_that_the_prices_overflow_is_named(tmp_path: Path) -> None:
    path = daily(tmp_path, high=[1.0, 2.0, 1e12])
    reading = read(path, "A.B", lambda *_: (Decimal("0.00000001"), Decimal(1), "book"))
    assert "prices do not fit the grid in force (0.00000001)" in reading.notes()


def test_days_that_are_no_whole_numbers_are_refused(tmp_path: Path) -> None:
    assert "row 2, field 'date': expected a whole number, found 2.5" in refused(
        daily(tmp_path, date=[1.0, 2.5, 3.0])
    )


def test_a_damaged_freqtrade_json_is_refused(tmp_path: Path) -> None:
    rows = [[1_704_067_200_000 + 60_000 * i, 1.0, 2.0, 0.5, 1.5, 3.0] for i in range(4)]
    (tmp_path / "x").write_text(json.dumps(rows)[:-20])
    assert "expected a JSON list of [ms, open, high, low, close, volume]" in refused(tmp_path / "x")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2024-01-01 00:00:00,1,1,1,1,1,1\n", "expected fields separated by ','"),
        ("01/02/2024,1,1,1,1,1\n", "row 1, field 'date': expected a time such as 2024-01-31 09:30:00"),
        ("2024-01-01,1,1,1,1,1\nlater,1,1,1,1,1\n", "row 2, field 'date': expected a time like"),
    ],
)
def test_text_that_is_no_table_of_candles_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "x").write_text("date,open,high,low,close,volume\n" + rows)
    assert message in refused(tmp_path / "x")


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01", "2024-01-02"],
        ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00.000Z"],
        ["2024-01-01 00:00", "2024-01-02 00:00"],
        ["1704067200", "1704153600"],
        ["1704067200000", "1704153600000000"],
    ],
)
def test_times_are_read_in_many_notations(tmp_path: Path, times: list[str]) -> None:
    rows = "".join(f"{time},1,1,1,1,1\n" for time in times)
    (tmp_path / "x").write_text("# made by hand\ndate,open,high,low,close,volume\n" + rows)
    assert bars(read(tmp_path / "x", "A.B"))["ts_open"].to_list() == [
        1_704_067_200 * 10**9,
        1_704_153_600 * 10**9,
    ]


def test_one_day_of_a_universe_is_as_long_as_it_says(tmp_path: Path) -> None:
    row = {
        "symbol": "AUSDT",
        "timestamp": 1_704_067_200_000,
        "open": 1.0,
        "high": 1.0,
        "low": 1.0,
        "close": 1.0,
    }
    row |= {"volume": 1.0, "quote_volume": 1.0, "trades": 3, "close_time": 1_704_153_599_999}
    pl.DataFrame([row]).write_parquet(tmp_path / "x")
    reading = read(tmp_path / "x")
    assert bars(reading)["ts_close"].to_list() == [1_704_153_600 * 10**9]
    assert reading.notes() == "the file names the symbol but no market: taken for a Binance USD-M perpetual"


def test_volume_in_coin_is_not_judged_by_the_lots_of_a_contract(tmp_path: Path) -> None:
    hours = ("00", "08", "16")
    rows = [london_row(f"2023-01-01 {hour}:00:00", "0.0001", "perpetual", "BTCUSDCM") for hour in hours]
    (tmp_path / "x").write_text(LONDON + "".join(rows).replace(",5,", ",5.25,"))
    reading = read(tmp_path / "x", None, lambda *_: (Decimal("0.5"), Decimal(1), "book"))
    assert list(reading.findings) == ["BTCUSD-PERP.BINANCE"]
    assert reading.only().notes == ["volume is in base coin, not in contracts", STALE]
    assert reading.batches[0].lot_size == Decimal("0.01")


STALE = (
    "2 bars with exactly the prices and the volume of the row before, under another time (rows 2, 3): one of "
    "the two is "
    "doubtful; both kept"
)
