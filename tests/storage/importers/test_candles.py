"""Candles: every real file with its true defects and no other, under another name, and damaged on purpose."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.foreign import Reading, Rows, bars, cut, damaged, drop, read, repeat, swap

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

FREQTRADE = [
    ("binance_spot_AVAXUSDT_5m_20240101", "AVAXUSDT.BINANCE", 72_031),
    ("binance_spot_BTCUSDT_5m_20240530", "BTCUSDT.BINANCE", 130_797),
    ("binance_spot_DOGEUSDT_5m_20240101", "DOGEUSDT.BINANCE", 72_029),
    ("binance_spot_ETHUSDT_5m_20240530", "ETHUSDT.BINANCE", 130_796),
    ("binance_spot_LINKUSDT_5m_20240101", "LINKUSDT.BINANCE", 72_029),
    ("binance_spot_LTCUSDT_5m_20240101", "LTCUSDT.BINANCE", 71_769),
    ("binance_spot_SOLUSDT_5m_20240101", "SOLUSDT.BINANCE", 72_028),
    ("binance_spot_XRPUSDT_5m_20240101", "XRPUSDT.BINANCE", 72_028),
    ("bybit_linear_BTCUSDT_1h", "BTCUSDT-PERP.BYBIT", 15_408),
    ("bybit_linear_BTCUSDT_5m_20250101", "BTCUSDT-PERP.BYBIT", 38_972),
    ("bybit_linear_ETHUSDT_1h", "ETHUSDT-PERP.BYBIT", 14_952),
    ("bybit_linear_ETHUSDT_5m_20250101", "ETHUSDT-PERP.BYBIT", 38_972),
    ("bybit_linear_SOLUSDT_1h", "SOLUSDT-PERP.BYBIT", 14_952),
]


def ohlcv(dev_data: Path, name: str) -> Path:
    return dev_data / "ohlcv" / name


def same_numbers(reading: Reading, path: Path, instrument: str | None = None, time: str = "date") -> None:
    """Whatever the grid: what is on the tape is what is in the file, to the last digit."""
    source = pl.read_parquet(path)
    if instrument is not None:
        source = source.filter(pl.col("symbol") == instrument.split("-")[0])
    tape = bars(reading, instrument)
    assert tape.height == source.height
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(tape[name], source[name], rtol=1e-13, atol=0)
    ts = source[time]
    ms = ts.dt.epoch("ms") if isinstance(ts.dtype, pl.Datetime) else ts
    assert (tape["ts_open"] == ms * 1_000_000).all()


@pytest.mark.parametrize(("name", "instrument", "count"), FREQTRADE)
def test_sound_freqtrade_candles_have_no_finding_under_any_name(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, count: int
) -> None:
    copy = tmp_path / "data"
    copy.write_bytes(ohlcv(dev_data, f"{name}.parquet").read_bytes())
    reading = read(copy, instrument)
    findings = reading.only()
    assert reading.format == "freqtrade-candles"
    assert len(reading.events()) == 3 * count
    assert (findings.notes, findings.lost_messages, findings.duplicates) == ([], 0, 0)
    assert not findings.latency_usable
    same_numbers(reading, copy)


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_venue_halts_are_named(dev_data: Path, coin: str) -> None:
    path = ohlcv(dev_data, f"binance_usdm_{coin}USDT_5m_20241231.parquet")
    reading = read(path, f"{coin}USDT-PERP.BINANCE")
    (note,) = reading.only().notes
    assert "5 zero-volume bars" in note
    assert "2025-01-29 01:25 to 2025-01-29 01:30, 2025-08-29 06:20 to 2025-08-29 06:30" in note
    same_numbers(reading, path)


@pytest.mark.parametrize(
    ("coin", "absent", "moves"), [("BTC", 5_101, 0), ("ETH", 17_552, 0), ("XRP", 36_785, 2)]
)
def test_bitfinex_minutes_without_a_trade_are_counted_and_not_lost(
    dev_data: Path, coin: str, absent: int, moves: int
) -> None:
    path = ohlcv(dev_data, f"bitfinex_{coin}USD_1m_2018.parquet")
    reading = read(path, f"{coin}USD.BITFINEX")
    findings = reading.only()
    assert findings.lost_messages == 0
    assert f"{absent} bars absent" in findings.notes[0]
    assert "the venue prints no bar without a trade" in findings.notes[0]
    assert ("2 closes moved by more than 30%" in reading.notes()) == bool(moves)
    assert len(findings.notes) == 2 + bool(moves)
    same_numbers(reading, path, time="ts_ms")


def test_a_price_that_really_halved_is_kept_and_named(dev_data: Path) -> None:
    reading = read(ohlcv(dev_data, "bitfinex_XRPUSD_1m_2018.parquet"), "XRPUSD.BITFINEX")
    assert "-38.8% at 2018-04-25 10:30, +62.2% at 2018-04-25 10:31" in reading.notes()


def test_a_universe_says_that_it_is_one_of_survivors(dev_data: Path) -> None:
    path = ohlcv(dev_data, "binance_usdm_1d_all539.parquet")
    reading = read(path)
    assert len(reading.findings) == 435
    assert len(reading.events()) == 3 * 168_667
    assert all("survivorship bias" in findings.notes[-1] for findings in reading.findings.values())
    assert all(findings.lost_messages == 0 for findings in reading.findings.values())
    same_numbers(reading, path, "BTCUSDT-PERP.BINANCE", "timestamp")
    assert (bars(reading, "BTCUSDT-PERP.BINANCE")["trades"] > 0).all()


def test_one_symbol_of_a_universe_can_be_asked_for(dev_data: Path) -> None:
    path = ohlcv(dev_data, "binance_usdm_4h_top40.parquet")
    assert list(read(path, "TRXUSDT-PERP.BINANCE").findings) == ["TRXUSDT-PERP.BINANCE"]
    assert "TRXUSDT.BINANCE" in read(path, "*.BINANCE").findings
    with pytest.raises(ImportRefusedError, match=r"expected instrument NOPE-PERP.BINANCE, found 40 others"):
        read(path, "NOPE-PERP.BINANCE")


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_mark_candles_become_mark_prices_at_the_end_of_each_bar(dev_data: Path, coin: str) -> None:
    path = ohlcv(dev_data, f"bybit_linear_{coin}USDT_1h_mark.parquet")
    reading = read(path, f"{coin}USDT-PERP.BYBIT")
    events, source = reading.events(), pl.read_parquet(path)
    assert (events["kind"] == EventKind.MARK_PRICE).all()
    np.testing.assert_allclose(events["price"] / 1e8, source["close"], rtol=1e-13)
    assert (events["ts_local"] == source["date"].dt.epoch("ns").to_numpy() + HOUR_NS).all()
    (note,) = reading.only().notes
    assert "high and low have no time" in note


def test_coinbase_hours_are_turned_round_and_repeated_bars_named(dev_data: Path) -> None:
    reading = read(ohlcv(dev_data, "coinbase_BTCUSD_1h_2017-2019.csv.gz"), "BTCUSD.COINBASE")
    findings, tape = reading.only(), bars(reading)
    assert tape.height == 20_111
    assert (tape["ts_open"].diff().drop_nulls() == HOUR_NS).all()
    assert tape["ts_open"][0] == np.datetime64("2017-07-01T11:00", "ns").astype(int)
    assert (tape["open"][-1], tape["volume"][-1]) == pytest.approx((8051.0, 61.25))
    assert findings.backward_clock == 5
    assert [note.split(" ")[0] for note in findings.notes] == ["rows", "28", "5"]


def test_wide_daily_candles_give_three_instruments(dev_data: Path) -> None:
    reading = read(ohlcv(dev_data, "bitstamp_BTC_ETH_LTC_USD_1d_2014-2020.csv.gz"))
    counts = {name: len(reading.events(name)) // 3 for name in reading.findings}
    assert counts == {"BTCUSD.BITSTAMP": 1865, "ETHUSD.BITSTAMP": 788, "LTCUSD.BITSTAMP": 925}
    assert all(findings.lost_messages == 12 for findings in reading.findings.values())
    assert "from 2019-03-20" in reading.notes()


def test_ftx_volume_in_dollars_becomes_base_volume(dev_data: Path) -> None:
    path = ohlcv(dev_data, "ftx_BTC-PERP_1m_20211231-20220201.csv.gz")
    tape = bars(read(path, "BTC-PERP.FTX"))
    assert tape.height == 45_031
    assert tape["volume"][0] == pytest.approx(2300413.7295 / ((46385 + 46319 + 46377) / 3), abs=1e-8)
    assert bars(read(path, "BTCUSD-PERP.OTHER"))["volume"][0] == pytest.approx(2300413.7295)


def test_coinmarketcap_days_keep_ten_decimals(dev_data: Path) -> None:
    reading = read(ohlcv(dev_data, "cmc_BTCUSD_1d_2010-2025.csv.gz"))
    events = reading.events("BTCUSD.COINMARKETCAP")
    assert len(events) == 3 * 5_529
    assert reading.batches[0].tick_size == Decimal("0.0000000001")
    assert events["price"][-1] == 1_082_367_098_959_993
    assert "248 zero-volume bars" in reading.notes()


def test_london_times_are_converted_and_late_labels_moved_back(dev_data: Path) -> None:
    path = dev_data / "funding_oi" / "binance_bybit_okx_8h_ohlcv_funding_2023-2024.csv.gz"
    reading = read(path)
    assert len(reading.findings) == 18
    binance = bars(reading, "BTCUSDT-PERP.BINANCE")
    assert binance.height == 1_642
    assert (binance["ts_open"] % (8 * HOUR_NS) == 0).all()
    assert all("Europe/London" in findings.notes[0] for findings in reading.findings.values())
    late = {name for name, findings in reading.findings.items() if "labelled 4 h late" in str(findings.notes)}
    assert late == {name for name in reading.findings if not name.endswith(".BINANCE")}
    # Bybit's own hourly candles are the proof that the labels are late, and by how much
    hourly = pl.read_parquet(ohlcv(dev_data, "bybit_linear_BTCUSDT_1h.parquet"))
    own = dict(zip(hourly["date"].dt.epoch("ns"), hourly["open"], strict=True))
    opens = [
        (own[ts], price)
        for ts, price in bars(reading, "BTCUSDT-PERP.BYBIT").select("ts_open", "open").rows()
        if ts in own
    ]
    assert len(opens) > 600
    assert all(a == pytest.approx(b, abs=1e-6) for a, b in opens)


def test_london_funding_settles_when_the_venue_says(dev_data: Path) -> None:
    path = dev_data / "funding_oi" / "binance_bybit_okx_8h_ohlcv_funding_2023-2024.csv.gz"
    reading = read(path, "BTCUSDT-PERP.BYBIT")
    events = reading.events()
    funding = events[events["kind"] == EventKind.FUNDING]
    venue = pl.read_parquet(dev_data / "funding_oi" / "bybit_linear_BTCUSDT_funding.parquet")
    own = dict(zip(venue["date"].dt.epoch("ns"), venue["open"], strict=True))
    both = [
        (own[int(ts)], rate)
        for ts, rate in zip(funding["ts_venue"], funding["price"], strict=True)
        if int(ts) in own
    ]
    assert len(both) > 500
    assert all(round(a * 1e12) == b for a, b in both)
    spot = read(path, "BTCUSDT.BYBIT").events()
    assert not (spot["kind"] == EventKind.FUNDING).any()


# --- damage ---

DAMAGED = [
    ("binance_usdm_BTCUSDT_5m_20241231.parquet", "BTCUSDT-PERP.BINANCE", 0, 1),
    ("bybit_linear_SOLUSDT_1h.parquet", "SOLUSDT-PERP.BYBIT", 0, 1),
    ("bybit_linear_BTCUSDT_1h_mark.parquet", "BTCUSDT-PERP.BYBIT", 0, 1),
    ("binance_usdm_4h_top40.parquet", "1000BONKUSDT-PERP.BINANCE", 0, 1),
    ("ftx_BTC-PERP_1m_20211231-20220201.csv.gz", "BTC-PERP.FTX", 0, 1),
    ("cmc_BTCUSD_1d_2010-2025.csv.gz", "BTCUSD.COINMARKETCAP", 0, 1),
    ("bitstamp_BTC_ETH_LTC_USD_1d_2014-2020.csv.gz", "BTCUSD.BITSTAMP", 12, 1),
    ("coinbase_BTCUSD_1h_2017-2019.csv.gz", "BTCUSD.COINBASE", 0, 2),
]


@pytest.mark.parametrize(("name", "instrument", "lost", "header"), DAMAGED)
def test_dropped_bars_are_counted(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, lost: int, header: int
) -> None:
    copy = damaged(ohlcv(dev_data, name), tmp_path / "x", drop(700, 3), header)
    findings = read(copy, instrument).findings[instrument]
    assert findings.lost_messages == lost + 3
    assert findings.sequence_gaps == (1 if lost else 0) + 1
    assert f"{lost + 3} bars absent" in "\n".join(findings.notes)


@pytest.mark.parametrize(("name", "instrument", "lost", "header"), DAMAGED)
def test_a_repeated_bar_is_dropped_and_named_by_row(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, lost: int, header: int
) -> None:
    whole = read(ohlcv(dev_data, name), instrument)
    reading = read(damaged(ohlcv(dev_data, name), tmp_path / "x", repeat(700), header), instrument)
    findings = reading.findings[instrument]
    assert findings.duplicates == 1
    assert findings.lost_messages == lost
    assert "1 row dropped for repeating the row before (rows 70" in "\n".join(findings.notes)
    assert (reading.events() == whole.events()).all()


@pytest.mark.parametrize(("name", "instrument", "lost", "header"), DAMAGED[:-1])
def test_swapped_bars_are_refused_by_row(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, lost: int, header: int
) -> None:
    del lost
    copy = damaged(ohlcv(dev_data, name), tmp_path / "x", swap(700), header)
    with pytest.raises(
        ImportRefusedError, match=r"x: row 702: expected times that rise, found .* sort the file"
    ):
        read(copy, instrument)


def test_swapped_bars_of_a_newest_first_format_are_sorted_and_named(dev_data: Path, tmp_path: Path) -> None:
    path = ohlcv(dev_data, "coinbase_BTCUSD_1h_2017-2019.csv.gz")
    reading = read(damaged(path, tmp_path / "x", swap(700), 2), "BTCUSD.COINBASE")
    assert reading.only().backward_clock == 6
    assert "6 rows out of that order (rows 702, " in reading.notes()
    assert (reading.events() == read(path, "BTCUSD.COINBASE").events()).all()


@pytest.mark.parametrize(("name", "instrument", "lost", "header"), DAMAGED)
def test_a_file_that_ends_early_is_still_right_about_what_it_has(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, lost: int, header: int
) -> None:
    del lost
    reading = read(damaged(ohlcv(dev_data, name), tmp_path / "x", cut(700), header), instrument)
    assert reading.findings[instrument].lost_messages == 0
    assert len(reading.events(instrument)) == 700 * (1 if "mark" in name else 3)


@pytest.mark.parametrize("name", [row[0] for row in DAMAGED if row[0].endswith("parquet")])
def test_times_shifted_within_the_file_are_refused_by_row(dev_data: Path, tmp_path: Path, name: str) -> None:
    frame = pl.read_parquet(ohlcv(dev_data, name)).head(1_000)
    time = "date" if "date" in frame.columns else "timestamp"
    late = pl.col(time) + (pl.duration(seconds=37) if time == "date" else 37_000)
    from_500 = pl.int_range(pl.len()) >= 500
    frame.with_columns(pl.when(from_500).then(late).otherwise(time).alias(time)).write_parquet(tmp_path / "x")
    with pytest.raises(
        ImportRefusedError, match=r"row 501: expected bars every .* 37 s late .*; correct the times"
    ):
        read(tmp_path / "x", None if "symbol" in frame.columns else "A.B")


def test_one_bar_inside_another_is_refused_by_row(dev_data: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(ohlcv(dev_data, "binance_usdm_BTCUSDT_5m_20241231.parquet")).head(1_000)
    one = pl.int_range(pl.len()) == 500
    early = pl.col("date") - pl.duration(seconds=90)
    frame.with_columns(date=pl.when(one).then(early).otherwise("date")).write_parquet(tmp_path / "x")
    with pytest.raises(
        ImportRefusedError, match=r"row 501: expected bars of 5 min, found .* only 210 s after row 500"
    ):
        read(tmp_path / "x", "A.B")


def test_times_that_are_all_shifted_are_named(dev_data: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(ohlcv(dev_data, "bybit_linear_SOLUSDT_1h.parquet")).head(1_000)
    frame.with_columns(pl.col("date") + pl.duration(minutes=7)).write_parquet(tmp_path / "x")
    assert "every bar begins 7 min after a whole multiple of 1 h UTC" in read(tmp_path / "x", "A.B").notes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_parquet_file_is_refused(dev_data: Path, tmp_path: Path, share: float) -> None:
    body = ohlcv(dev_data, "bybit_linear_SOLUSDT_1h.parquet").read_bytes()
    (tmp_path / "x").write_bytes(body[: int(len(body) * share)])
    with pytest.raises(
        ImportRefusedError, match=r"x: expected (a whole Parquet|market data).*; fetch it again"
    ) as refusal:
        read(tmp_path / "x", "A.B")
    assert "\n" not in str(refusal.value)


def test_a_truncated_gzip_is_refused(dev_data: Path, tmp_path: Path) -> None:
    body = ohlcv(dev_data, "ftx_BTC-PERP_1m_20211231-20220201.csv.gz").read_bytes()
    (tmp_path / "x").write_bytes(body[: len(body) // 2])
    with pytest.raises(ImportRefusedError, match=r"x: expected a whole gzip stream"):
        read(tmp_path / "x", "A.B")


# --- small files made here ---


def small(count: int = 6, **columns: list[object]) -> pl.DataFrame:
    """Hourly candles from 2024-01-01."""
    frame = pl.DataFrame(
        {
            "date": pl.Series([1_704_067_200_000 + 3_600_000 * i for i in range(count)]).cast(
                pl.Datetime("ms", "UTC")
            ),
            "open": [100.0 + i for i in range(count)],
            "high": [102.5 + i for i in range(count)],
            "low": [99.25 + i for i in range(count)],
            "close": [101.0 + i for i in range(count)],
            "volume": [3.5 + i for i in range(count)],
        }
    )
    return frame.with_columns(pl.Series(name, values) for name, values in columns.items())


def refused(path: Path, instrument: str | None = "A.B") -> str:
    with pytest.raises(ImportRefusedError) as refusal:
        read(path, instrument)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


def test_a_bar_is_three_records_known_at_its_end(tmp_path: Path) -> None:
    small(2).write_parquet(tmp_path / "x")
    reading = read(tmp_path / "x", "A.B")
    first = reading.events()[:3]
    assert first["ts_venue"].tolist() == [1_704_067_200 * 10**9, 1_704_070_800 * 10**9, 1_704_070_800 * 10**9]
    assert first["ts_local"].tolist() == [1_704_070_800 * 10**9] * 3
    assert first["price"].tolist() == [10_000, 10_250, 10_100]
    assert first["size"].tolist() == [0, 9_925, 35]
    assert first["flags"].tolist() == [6, 6, 7]
    assert first["side"].tolist() == [0, 0, 0]
    assert (reading.batches[0].tick_size, reading.batches[0].lot_size) == (Decimal("0.01"), Decimal("0.1"))


def test_feather_and_json_read_like_parquet(tmp_path: Path) -> None:
    frame = small()
    frame.write_parquet(tmp_path / "p")
    frame.write_ipc(tmp_path / "f", compression="lz4")
    rows = [[int(row[0].timestamp() * 1000), *row[1:]] for row in frame.rows()]
    (tmp_path / "j").write_text(json.dumps(rows))
    expected = read(tmp_path / "p", "A.B").events()
    for name in ("f", "j"):
        reading = read(tmp_path / name, "A.B")
        assert reading.format == "freqtrade-candles"
        assert (reading.events() == expected).all()


def test_without_an_instrument_the_remedy_is_named(tmp_path: Path) -> None:
    small().write_parquet(tmp_path / "x")
    assert "pass --instrument" in refused(tmp_path / "x", None)


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_refused_by_row_and_field(
    tmp_path: Path, field: str, value: float | None
) -> None:
    frame = small()
    values = frame[field].to_list()
    values[3] = value
    frame.with_columns(pl.Series(field, values)).write_parquet(tmp_path / "x")
    assert f"row 4, field '{field}': expected a number, found" in refused(tmp_path / "x")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("low", -1.0, "a price above 0"),
        ("low", 0.0, "a price above 0"),
        ("volume", -0.5, "a volume of at least 0"),
        ("high", 50.0, "a high not below open and close"),
        ("low", 150.0, "a low not above open and close"),
    ],
)
def test_an_absurd_number_is_refused_by_row_and_field(
    tmp_path: Path, field: str, value: float, expected: str
) -> None:
    frame = small()
    values = frame[field].to_list()
    values[2] = value
    frame.with_columns(pl.Series(field, values)).write_parquet(tmp_path / "x")
    assert f"row 3 (2024-01-01 02:00), field '{field}': expected {expected}, found {value}" in refused(
        tmp_path / "x"
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    small().drop("close").write_parquet(tmp_path / "x")
    assert "add or rename close" in refused(tmp_path / "x")
    (tmp_path / "y").write_text("timestamp,open,high,low\n2024-01-01 00:00:00,1,1,1\n")
    assert "add or rename close, volume" in refused(tmp_path / "y")


def test_text_where_a_number_belongs_is_refused(tmp_path: Path) -> None:
    small().with_columns(open=pl.col("open").cast(pl.String).str.replace("102", "abc")).write_parquet(
        tmp_path / "x"
    )
    assert "row 3, field 'open': expected a number, found 'abc" in refused(tmp_path / "x")
    small().with_columns(open=pl.lit(True)).write_parquet(tmp_path / "x")
    assert "expected numbers in field 'open', found Boolean" in refused(tmp_path / "x")


def test_two_bars_for_one_time_are_refused(tmp_path: Path) -> None:
    frame = small()
    other = frame[2].with_columns(close=pl.lit(101.5))
    pl.concat([frame[:3], other, frame[3:]]).write_parquet(tmp_path / "x")
    assert "rows 3 and 4: expected one record for 2024-01-01 02:00, found two different ones" in refused(
        tmp_path / "x"
    )


def test_one_bar_alone_is_refused(tmp_path: Path) -> None:
    small(1).write_parquet(tmp_path / "x")
    assert "expected two bars at least" in refused(tmp_path / "x")


def test_a_file_that_is_wholly_newest_first_is_turned_round(tmp_path: Path) -> None:
    small().write_parquet(tmp_path / "x")
    small().reverse().write_parquet(tmp_path / "y")
    turned = read(tmp_path / "y", "A.B")
    assert turned.only().notes == ["rows are newest first: turned round"]
    assert (turned.events() == read(tmp_path / "x", "A.B").events()).all()


def test_times_in_a_wrong_unit_are_refused(tmp_path: Path) -> None:
    frame = small().with_columns(date=pl.Series([5 * i for i in range(6)], dtype=pl.Int64))
    frame.write_parquet(tmp_path / "x")
    assert "expected a time between 2009 and 2100" in refused(tmp_path / "x")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    assert "found an empty file" in refused(tmp_path / "x")


ARCHIVE = "{open},1.5,2,1.25,1.75,1{i},{close},17.5,3,5,8.75,0\n"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_binance_archive_klines_in_both_units(tmp_path: Path, header: bool, packed: bool) -> None:
    first = 1_735_689_540_000  # the last minute of 2024, in ms; from then on in us
    rows = [ARCHIVE.format(i=0, open=first, close=first + 59_999)]
    rows += [
        ARCHIVE.format(i=i, open=(first + 60_000 * i) * 1000, close=(first + 60_000 * i) * 1000 + 59_999_999)
        for i in range(1, 4)
    ]
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    text = (names + "taker_buy_volume,taker_buy_quote_volume,ignore\n" if header else "") + "".join(rows)
    (tmp_path / "x").write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    reading = read(tmp_path / "x", "BTCUSDT.BINANCE")
    assert reading.format == "binance-archive-klines"
    assert reading.only().notes == ["times change from milliseconds to microseconds: read as such"]
    assert reading.events()["ts_local"][-1] == (first + 4 * 60_000) * 10**6
    assert reading.events()["size"][0] == 3


def test_a_cut_line_of_text_is_refused_by_row(dev_data: Path, tmp_path: Path) -> None:
    text = gzip.decompress(ohlcv(dev_data, "ftx_BTC-PERP_1m_20211231-20220201.csv.gz").read_bytes())
    (tmp_path / "x").write_bytes(text[:60_020])
    message = refused(tmp_path / "x", "BTC-PERP.FTX")
    assert "expected" in message
    assert "row " in message


def test_prices_off_the_grid_in_force_are_kept_on_a_finer_one_and_named(tmp_path: Path) -> None:
    small().write_parquet(tmp_path / "x")
    reading = read(tmp_path / "x", "A.B", lambda _, __: (Decimal("0.5"), Decimal("0.5"), "rulebook:b.toml"))
    (note,) = reading.only().notes
    assert note.startswith(
        "6 of 24 prices are off the grid in force (step 0.5; first 99.25 in row 1, 2024-01-01 00:00)"
    )
    assert (reading.batches[0].tick_size, reading.batches[0].lot_size) == (Decimal("0.01"), Decimal("0.5"))
    assert reading.batches[0].rules_source == "inferred"


def test_a_change_of_rules_parts_the_bars_at_its_bar(tmp_path: Path) -> None:
    small(6).write_parquet(tmp_path / "x")
    change = (1_704_067_200 + 4 * 3_600) * 10**9

    def grid(instrument: str, ts: int) -> tuple[Decimal, Decimal, str]:  # noqa: ARG001
        return (
            (Decimal("0.25"), Decimal("0.5"), "old")
            if ts < change
            else (Decimal("0.05"), Decimal("0.1"), "new")
        )

    reading = read(tmp_path / "x", "A.B", grid)
    assert [(batch.rules_source, len(batch.events)) for batch in reading.batches] == [("old", 12), ("new", 6)]
    assert reading.batches[0].events["price"][0] == 400
    assert reading.batches[1].events["price"][0] == 2_080


def test_plain_text_that_stops_within_a_line_is_named(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-01 0{i}:00:00,1.{i},2,1,1.5,3\n" for i in range(5))
    (tmp_path / "x").write_text("timestamp,open,high,low,close,volume\n" + rows)
    (tmp_path / "y").write_text("timestamp,open,high,low,close,volume\n" + rows[:-1])
    assert read(tmp_path / "x", "A.B").only().notes == []
    assert "the last line has no line end" in read(tmp_path / "y", "A.B").notes()


ALL_FORMATS = [
    ("ohlcv/bybit_linear_SOLUSDT_1h.parquet", 1),
    ("ohlcv/bybit_linear_SOLUSDT_1h_mark.parquet", 1),
    ("ohlcv/binance_usdm_4h_top40.parquet", 1),
    ("ohlcv/bitfinex_BTCUSD_1m_2018.parquet", 1),
    ("ohlcv/bitstamp_BTC_ETH_LTC_USD_1d_2014-2020.csv.gz", 1),
    ("ohlcv/cmc_BTCUSD_1d_2010-2025.csv.gz", 1),
    ("ohlcv/coinbase_BTCUSD_1h_2017-2019.csv.gz", 2),
    ("ohlcv/ftx_BTC-PERP_1m_20211231-20220201.csv.gz", 1),
    ("funding_oi/binance_bybit_okx_8h_ohlcv_funding_2023-2024.csv.gz", 1),
    ("funding_oi/binance_usdm_funding_2026_setA.parquet", 1),
    ("funding_oi/binance_usdm_funding_multi.parquet", 1),
    ("funding_oi/binance_usdm_oi_4h_setA.parquet", 1),
    ("funding_oi/bybit_linear_BTCUSDT_funding.parquet", 1),
    ("trades/binance_spot_LTCUSDT_trades_2025-06-21.csv.gz", 1),
    ("trades/binance_usdm_TRXUSDT_trades_20250304.csv.gz", 1),
    ("trades/hyperliquid_non_mm_trades_2023.csv.gz", 1),
    ("trades/hyperliquid_non_mm_ledger_updates_2023.csv.gz", 1),
    ("liquidations/hyperliquid_liquidations_2023.csv.gz", 1),
    ("sentiment_onchain/alternative_fgi.csv", 1),
    ("sentiment_onchain/daily_etf.csv", 1),
    ("sentiment_onchain/crypto_news.csv.gz", 1),
]


@pytest.mark.parametrize(("name", "header"), ALL_FORMATS)
def test_a_file_without_records_is_refused(dev_data: Path, tmp_path: Path, name: str, header: int) -> None:
    copy = damaged(dev_data / name, tmp_path / "x", cut(0), header)
    assert "expected records, found none; fetch it again" in refused(copy)


@pytest.mark.parametrize(("name", "header"), ALL_FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_stands_in_a_cell_a_file_is_read_or_refused_in_one_line(
    dev_data: Path, tmp_path: Path, name: str, header: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cells = ["", "nan", "inf", "-1", "1e400", "abc", "99999999999999999999", "0"]

    def spoil(rows: Rows) -> Rows:
        at = int(rng.integers(0, 40))
        if isinstance(rows, pl.DataFrame):
            column = rows.columns[int(rng.integers(0, rows.width))]
            here = pl.int_range(pl.len()) == at
            return rows[:60].with_columns(pl.when(here).then(None).otherwise(pl.col(column)).alias(column))
        fields = rows[at].rstrip("\r\n").split(",")
        fields[int(rng.integers(0, len(fields)))] = str(rng.choice(cells))
        return [*rows[:at], ",".join(fields) + "\n", *rows[at + 1 : 60]]

    copy = damaged(dev_data / name, tmp_path / "x", spoil, header)
    for instrument in (None, "A.B", "*-PERP.X"):
        try:
            read(copy, instrument)
        except ImportRefusedError as error:
            message = str(error)
        else:
            continue
        assert "\n" not in message
        assert message.startswith(str(copy))
