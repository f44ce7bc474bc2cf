"""Sentiment, chain and account series: what is known when, in which unit, and what was left out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.foreign import cut, damaged, drop, read, repeat, swap

DAY_NS = 86_400 * 10**9


def chain(dev_data: Path, name: str) -> Path:
    return dev_data / "sentiment_onchain" / name


def day(text: str) -> int:
    return int(pl.Series([text]).str.to_datetime("%Y-%m-%d", time_unit="ns").dt.epoch("ns")[0])


def test_two_fear_and_greed_indices_stay_two(dev_data: Path) -> None:
    first = read(chain(dev_data, "alternative_fgi.csv"))
    second = read(chain(dev_data, "cmc_fgi.csv"))
    assert list(first.findings) == ["FGI.ALTERNATIVE"]
    assert list(second.findings) == ["FGI.COINMARKETCAP"]
    assert (len(first.events()), len(second.events())) == (1_971, 552)
    assert first.only().notes == ["3 days without a value, first 2018-04-14"]
    assert second.only().notes == []


def test_a_day_is_known_when_it_is_over(dev_data: Path) -> None:
    events = read(chain(dev_data, "btc_fear_greed_daily.csv")).events()
    assert (events["kind"] == EventKind.METRIC).all()
    assert events["ts_local"][0] == day("2018-02-01") + DAY_NS
    assert events["price"][0] == 30 * 10**8
    flows = read(chain(dev_data, "daily_etf.csv"), "BTC-ETF-FLOW-USDM.ONCHAIN").events()
    assert flows["ts_venue"][0] == day("2024-12-13") + DAY_NS
    assert flows["ts_local"][0] == day("2024-12-13") + 2 * DAY_NS
    assert flows["price"][0] == 42_890_000_000


@pytest.mark.parametrize(
    ("name", "instruments", "count"),
    [
        ("btc_difficulty_daily.csv", ["BTC-DIFFICULTY-M.ONCHAIN"], 5_842),
        ("btc_hashrate_daily.csv", ["BTC-HASHRATE.ONCHAIN"], 5_842),
        ("btc_fear_greed_daily.csv", ["FGI.ALTERNATIVE"], 2_522),
        (
            "btc_funding_rates_daily.csv",
            ["BTCUSDT-FUNDING-MEAN-PPM.BINANCE", "BTCUSDT-FUNDING-ABS-PPM.BINANCE"],
            1_940,
        ),
        ("daily_etf.csv", ["BTC-ETF-FLOW-USDM.ONCHAIN", "ETH-ETF-FLOW-USDM.ONCHAIN"], 185),
        ("daily_stable.csv", ["STABLECOIN-MCAP-USDM.ONCHAIN"], 262),
        ("daily_realized.csv", ["BTC-REALIZED-CAP-USDM.ONCHAIN"], 1_155),
    ],
)
def test_each_column_of_a_daily_file_is_an_instrument(
    dev_data: Path, tmp_path: Path, name: str, instruments: list[str], count: int
) -> None:
    copy = tmp_path / "x"
    copy.write_bytes(chain(dev_data, name).read_bytes())
    reading = read(copy)
    assert reading.format == "daily-series"
    assert list(reading.findings) == instruments
    assert all(len(reading.events(instrument)) == count for instrument in instruments)


def test_large_numbers_are_kept_in_larger_units(dev_data: Path) -> None:
    difficulty = read(chain(dev_data, "btc_difficulty_daily.csv")).events()
    assert difficulty["price"][-1] == round(109_782_075_598_905 / 10**6 * 10**8)
    assert difficulty["price"][0] == 100
    cap = read(chain(dev_data, "daily_stable.csv")).events()
    assert cap["price"][0] == 140_404_910_980 * 100
    ppm = read(chain(dev_data, "btc_funding_rates_daily.csv"), "BTCUSDT-FUNDING-MEAN-PPM.BINANCE").events()
    assert ppm["price"][0] == 100 * 10**8


def test_values_that_share_a_day_and_empty_columns_are_named(dev_data: Path) -> None:
    reading = read(chain(dev_data, "daily_realized.csv"))
    assert "893 values of a day that has another (up to 6 a day" in reading.notes()
    assert "column 'eth_realized_cap_usd' has no values" in reading.notes()


def test_news_keep_their_sentiment_and_say_that_the_text_is_left_out(dev_data: Path) -> None:
    reading = read(chain(dev_data, "crypto_news.csv.gz"))
    assert len(reading.findings) == 12
    assert len(reading.events()) == 2 * 4_766
    polarity = reading.events("BLOCKCHAIN-POLARITY.NEWS")
    assert polarity["price"][-1] == 20_000_000
    assert polarity["ts_local"][-1] - polarity["ts_venue"][-1] == 60 * 10**9
    assert all("texts are not kept" in findings.notes[1] for findings in reading.findings.values())


def test_open_interest_that_fits_no_record_is_left_out_by_name(dev_data: Path) -> None:
    reading = read(dev_data / "funding_oi" / "binance_usdm_oi_4h_setA.parquet")
    assert (reading.events("BTCUSDT-PERP.BINANCE")["kind"] == EventKind.OPEN_INTEREST).all()
    assert (reading.events("BTCUSDT-PERP-OI-USDT.BINANCE")["kind"] == EventKind.METRIC).all()
    left_out = [name for name, findings in reading.findings.items() if "left out" in str(findings.notes)]
    assert left_out == ["1000SATSUSDT-PERP.BINANCE", "DOGSUSDT-PERP.BINANCE"]
    assert all(len(reading.events(name)) == 0 for name in left_out)
    holes = [name for name, findings in reading.findings.items() if findings.lost_messages]
    assert holes == ["CELOUSDT-PERP.BINANCE", "SAFEUSDT-PERP.BINANCE"]


def test_account_records_become_amounts_and_not_liquidations(dev_data: Path) -> None:
    ledger = read(dev_data / "trades" / "hyperliquid_non_mm_ledger_updates_2023.csv.gz")
    assert ledger.events()["price"].tolist()[:3] == [400_000_000, 200_000_000, -110_000_000]
    assert "movements of accounts" in ledger.notes()
    liquidations = read(dev_data / "liquidations" / "hyperliquid_liquidations_2023.csv.gz")
    assert len(liquidations.events("LIQUIDATED-NOTIONAL-USD.HYPERLIQUID")) == 62
    assert (liquidations.events()["kind"] == EventKind.METRIC).all()


DAILY = ["alternative_fgi.csv", "btc_difficulty_daily.csv", "daily_stable.csv"]


@pytest.mark.parametrize("name", DAILY)
def test_dropped_days_are_counted(dev_data: Path, tmp_path: Path, name: str) -> None:
    before = 3 if name.startswith("alternative") else 0
    reading = read(damaged(chain(dev_data, name), tmp_path / "x", drop(100, 2)))
    assert f"{before + 2} days without a value" in reading.notes()


@pytest.mark.parametrize("name", DAILY)
def test_a_repeated_day_is_dropped_and_swapped_days_are_refused(
    dev_data: Path, tmp_path: Path, name: str
) -> None:
    repeated = read(damaged(chain(dev_data, name), tmp_path / "x", repeat(100)))
    assert repeated.only().duplicates == 1
    assert (repeated.events() == read(chain(dev_data, name)).events()).all()
    with pytest.raises(ImportRefusedError, match="row 102: expected times that rise"):
        read(damaged(chain(dev_data, name), tmp_path / "y", swap(100)))
    assert len(read(damaged(chain(dev_data, name), tmp_path / "z", cut(50))).events()) == 50


def test_days_that_run_back_are_refused_even_with_many_values_a_day(dev_data: Path, tmp_path: Path) -> None:
    path = chain(dev_data, "daily_realized.csv")
    days = pl.read_csv(path)["date"]
    at = next(i for i in range(1, len(days)) if days[i] != days[i - 1])
    with pytest.raises(ImportRefusedError, match=rf"row {at + 1}: expected days that do not run back"):
        read(damaged(path, tmp_path / "x", swap(at - 1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "value,value_classification,update_time\n101,Greed,2024-01-01 00:00:00+00\n",
            "an index from 0 to 100",
        ),
        ("value,value_classification,update_time\n50,Neutral,2024-01-01 00:00:00+00\n", "pass --instrument"),
        (
            "value,value_classification,update_time\n50,Neutral,yesterday\n",
            "field 'update_time': expected a time like",
        ),
        ("date,difficulty\n2024-01-01,x\n", "field 'difficulty': expected a number, found 'x'"),
        ("date,difficulty\n2024-01-01,\n", "expected values in difficulty, found none"),
        ("date,hashrate\n2024-01-01,1e12\n", "divide the column by a thousand"),
        (
            "date;sentiment;source;subject;text;title;url\n1-1-2024 10:00;{'class': 'x'};A;b;c;d;e\n",
            "row 1, field 'sentiment': expected {'class'",
        ),
        ("date;sentiment;source;subject;text;title;url\n13-13-2024 10:00;x;A;b;c;d;e\n", "field 'date'"),
        (
            "time,user,delta_usd\n2024-01-02T00:00:00Z,a,1\n2024-01-01T00:00:00Z,a,1\n",
            "row 2: expected times that do not",
        ),
    ],
)
def test_bad_series_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x").write_text(text)
    instrument = "A.B" if "101" in text or "yesterday" in text else None
    with pytest.raises(ImportRefusedError) as refusal:
        read(tmp_path / "x", instrument)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
