"""One small file of each kind, written by hand: what it becomes, and which of its defects are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.capture_file import (
    CLEAR,
    DELTA,
    GAP,
    SNAPSHOT,
    T0_MS,
    TRADE,
    kinds,
    notes,
    told,
)
from tests.storage.importers.reading import Read, read

T0 = datetime.fromtimestamp(T0_MS / 1_000, UTC).replace(second=0)
DAY = timedelta(days=1)


def text_file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def table(folder: Path, **columns: Any) -> Path:
    path = folder / "table.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def closes(result: Read) -> list[float]:
    return [row[2] for row in told(result) if row[0] == EventKind.BAR_CLOSE]


def metric_names(result: Read) -> list[str]:
    return sorted({batch.instrument for batch in result.batches})


# -- books and trades ------------------------------------------------------------------------------------------

DIFFS = (
    "TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,FirstUpdateId,FinalUpdateId,"
    "FinalUpdateIdInLastStream,IsAsk,Price,Quantity"
)


def diff_row(number: int, before: int, is_ask: int, price: str, *, received: int = 0) -> str:
    time = T0_MS + number
    moment = received or time + 2
    return f"{moment},s,depthUpdate,{time},{time},TRXUSDT,{number},{number},{before},{is_ask},{price},5.0"


def test_diffs_in_a_table_begin_with_a_gap_and_their_numbers_are_checked(tmp_path: Path) -> None:
    path = text_file(
        tmp_path,
        "diffs.csv",
        "# the recorder's own words",
        DIFFS,
        diff_row(5, 4, 0, "0.2"),
        diff_row(5, 4, 1, "0.3"),
        diff_row(6, 5, 0, "0.2"),
        diff_row(6, 5, 0, "0.2"),
        diff_row(9, 8, 1, "0.4", received=T0_MS + 1),
    )
    result = read(path)
    assert list(result.findings) == ["TRXUSDT-PERP.BINANCE"]
    assert kinds(result) == [GAP, DELTA, DELTA, DELTA, GAP, DELTA]
    assert (result.only.sequence_gaps, result.only.duplicates, result.only.backward_clock) == (1, 1, 1)


SNAPSHOTS = "TimestampOfReceive,TimestampOfRequest,LastUpdateId,IsAsk,Price,Quantity"


def test_snapshots_in_a_table_each_replace_the_book(tmp_path: Path) -> None:
    hours = 5 * 3_600_000
    rows = [(T0_MS, 7), (T0_MS + 1_000, 9), (T0_MS + 500, 8), (T0_MS + hours, 99)]
    lines = [
        f"{time},{time - 1},{number},{is_ask},{100 + is_ask},2" for time, number in rows for is_ask in (0, 1)
    ]
    path = text_file(
        tmp_path, "book.csv", "# Report for: DEPTH_SNAPSHOT SPOT BTCUSDT 2023", SNAPSHOTS, *lines
    )
    result = read(path)
    assert list(result.findings) == ["BTCUSDT.BINANCE"]
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT] * 4
    assert result.only.backward_clock == 1
    assert "hours after the snapshot before" in notes(result)


def test_snapshots_that_do_not_say_their_symbol_need_it_named(tmp_path: Path) -> None:
    path = text_file(tmp_path, "book.csv", SNAPSHOTS, f"{T0_MS},{T0_MS},7,0,100,2")
    with pytest.raises(ImportRefusedError, match="name it with --instrument"):
        read(path)
    assert list(read(path, "BTCUSDT.BINANCE").findings) == ["BTCUSDT.BINANCE"]


def array_diff(first: int, last: int, time: int) -> dict[str, Any]:
    sides = {"b": [["100.0", "1"]], "a": []}
    return {"e": "depthUpdate", "E": T0_MS + time, "s": "BTCUSDT", "U": first, "u": last, **sides}


def test_an_array_of_diffs_finds_the_snapshot_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "updates.json"
    path.write_text(json.dumps([array_diff(3, 5, 10), array_diff(6, 6, 5)]))
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_text(json.dumps({"lastUpdateId": 4, "bids": [["99.0", "1"]], "asks": [["101.0", "1"]]}))
    (tmp_path / "other.txt").write_text("nothing of the kind")
    result = read(path)
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT, DELTA, DELTA]
    assert (result.only.backward_clock, result.only.latency_usable) == (1, False)
    with pytest.raises(ImportRefusedError, match="a depth snapshot alone has no symbol"):
        read(snapshot)


def test_an_array_that_is_cut_or_holds_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "updates.json"
    path.write_text(json.dumps([array_diff(3, 5, 10)])[:-1])
    with pytest.raises(ImportRefusedError, match="expected a whole JSON array"):
        read(path)
    path.write_text(json.dumps([array_diff(3, 5, 10), {"E": "noon"}]))
    with pytest.raises(ImportRefusedError, match="record 2: expected a Binance frame"):
        read(path)


def bybit_line(number: int, kind: str, time: int) -> str:
    data = {"s": "XRPUSDT", "u": number, "b": [["1.5", "2"]], "a": []}
    return json.dumps({"topic": "orderbook.500.XRPUSDT", "type": kind, "ts": T0_MS + time, "data": data})


def test_the_archive_of_bybit_has_no_receive_times(tmp_path: Path) -> None:
    lines = [bybit_line(1, "snapshot", 5), "", bybit_line(2, "delta", 9), bybit_line(3, "delta", 7)]
    path = text_file(tmp_path, "XRPUSDT_ob500.data", *lines)
    result = read(path)
    assert list(result.findings) == ["XRPUSDT-PERP.BYBIT"]
    assert kinds(result) == [CLEAR, SNAPSHOT, DELTA, DELTA]
    assert (result.only.latency_usable, result.only.backward_clock) == (False, 1)
    assert list(read(path, "XRPUSDT.BYBIT").findings) == ["XRPUSDT.BYBIT"]
    with pytest.raises(ImportRefusedError, match="line 2: expected an order book message"):
        read(text_file(tmp_path, "odd.data", lines[0], '{"topic": 5}'))


def hyperliquid(time: int, channel: str, data: Any) -> str:
    return f"{(T0_MS + time) * 1_000_000} {json.dumps({'channel': channel, 'data': data}, separators=(',', ':'))}"


def test_pictures_of_hyperliquid_replace_the_book_and_late_ones_are_left_out(tmp_path: Path) -> None:
    levels = [[{"px": "100.0", "sz": "1", "n": 1}], [{"px": "101.0", "sz": "2", "n": 1}]]
    book = {"coin": "BTC", "levels": levels}
    trade = {"coin": "BTC", "side": "A", "px": "100.0", "sz": "0.5", "time": T0_MS, "tid": 7}
    path = text_file(
        tmp_path,
        "btc.txt",
        hyperliquid(10, "l2Book", {**book, "time": T0_MS + 5}),
        hyperliquid(20, "l2Book", {**book, "time": T0_MS + 4}),
        hyperliquid(30, "trades", [trade, {**trade, "tid": 7}, {**trade, "tid": 8, "time": T0_MS - 60_000}]),
        hyperliquid(40, "bbo", {}),
    )
    result = read(path)
    assert told(result) == [
        (CLEAR, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 100.0, 1.0),
        (SNAPSHOT, -1, 101.0, 2.0),
        (TRADE, -1, 100.0, 0.5),
    ]
    assert (result.only.duplicates, result.only.backward_clock) == (1, 1)
    assert "before the recording began" in notes(result)


# -- candles ---------------------------------------------------------------------------------------------------


def test_candles_of_coinmarketcap_are_an_average_that_nobody_trades(tmp_path: Path) -> None:
    header = (
        "symbol,time_open,time_close,time_high,time_low,open,high,low,close,volume,"
        "market_cap,circulating_supply,timestamp"
    )
    rows = [
        f"BTC,2020-01-0{day}T00:00:00.000Z,2020-01-0{day}T23:59:59.999Z,x,x,10,15,9,1{day},100,1,1,x"
        for day in (1, 2, 3)
    ]
    result = read(text_file(tmp_path, "cmc.csv", header, *rows))
    assert list(result.findings) == ["BTCUSD.COINMARKETCAP"]
    assert closes(result) == [11.0, 12.0, 13.0]
    assert "an average over venues" in notes(result)


def test_candles_of_cryptodatadownload_are_turned_round(tmp_path: Path) -> None:
    path = text_file(
        tmp_path,
        "btc.csv",
        "Timestamps are UTC timezone,https://www.CryptoDataDownload.com",
        "date,symbol,open,high,low,close,volume_btc,volume",
        "2019-10-17 09-AM,BTCUSD,8051,8056.5,8021,8035.5,61.25,492394.56",
        "2019-10-17 08-AM,BTCUSD,8050,8060,8040,8051,10.5,84000",
    )
    assert closes(read(path, "BTCUSD.COINBASE")) == [8051.0, 8035.5]


def test_coins_side_by_side_begin_when_they_were_listed(tmp_path: Path) -> None:
    fields = ("open", "high", "low", "close", "volume")
    header = "," + ",".join(f"{coin}:{field}" for coin in ("BTC", "LTC") for field in fields)
    rows = [
        "2014-11-28,10,12,9,11,5,,,,,",
        "2014-11-29,11,13,10,12,5,1,2,1,2,7",
        "2014-11-30,12,13,10,12.5,5,2,3,1,3,7",
    ]
    result = read(text_file(tmp_path, "wide.csv", header, *rows))
    assert sorted(result.findings) == ["BTCUSD.BITSTAMP", "LTCUSD.BITSTAMP"]
    assert sorted(closes(result)) == [2.0, 3.0, 11.0, 12.0, 12.5]
    with pytest.raises(ImportRefusedError, match="a number beside those of its coin"):
        read(text_file(tmp_path, "wide.csv", header, "2014-11-28,10,12,9,11,,,,,,"))


def test_candles_of_bitfinex_are_taken_by_the_names_of_their_columns(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ts_ms=[T0_MS // 60_000 * 60_000 + 60_000 * minute for minute in (0, 1, 3)],
        open=[10.0, 11.0, 12.0],
        close=[11.0, 12.0, 12.5],
        high=[11.5, 12.5, 13.0],
        low=[9.5, 10.5, 11.5],
        volume=[1.0, 2.0, 3.0],
    )
    assert closes(read(path, "BTCUSD.BITFINEX")) == [11.0, 12.0, 12.5]


def freqtrade(folder: Path, *, volume: list[float], **prices: list[float]) -> Path:
    hours = [T0.replace(minute=0) + timedelta(hours=8 * at) for at in range(len(volume))]
    return table(folder, date=hours, **prices, volume=volume)


def test_mark_prices_of_freqtrade_are_known_at_the_end_of_their_bar(tmp_path: Path) -> None:
    path = freqtrade(
        tmp_path, open=[10.0, 11.0], high=[12.0, 12.0], low=[9.0, 9.0], close=[11.0, 11.5], volume=[0.0, 0.0]
    )
    result = read(path, "BTCUSDT-PERP.BYBIT")
    (batch,) = result.batches
    assert batch.events["kind"].tolist() == [EventKind.MARK_PRICE] * 2
    assert batch.events["price"].tolist() == [1_100_000_000, 1_150_000_000]
    assert "high and low have no time" in notes(result)


def test_funding_of_freqtrade_is_the_open_of_a_bar_without_anything_else(tmp_path: Path) -> None:
    nothing = [0.0, 0.0, 0.0]
    path = freqtrade(
        tmp_path, open=[0.0001, -0.0002, 0.0003], high=nothing, low=nothing, close=nothing, volume=nothing
    )
    (batch,) = read(path, "BTCUSDT-PERP.BYBIT").batches
    assert batch.events["kind"].tolist() == [EventKind.FUNDING] * 3
    assert batch.events["price"].tolist() == [100_000_000, -200_000_000, 300_000_000]


def test_funding_of_several_symbols_is_taken_for_binance(tmp_path: Path) -> None:
    nothing = [0.0] * 6
    hours = [T0.replace(minute=0) + timedelta(hours=8 * at) for at in range(3)] * 2
    path = table(
        tmp_path,
        date=hours,
        open=[0.0001] * 6,
        high=nothing,
        low=nothing,
        close=nothing,
        volume=nothing,
        symbol=["BTC_USDT_USDT"] * 3 + ["ETH_USDT_USDT"] * 3,
    )
    result = read(path)
    assert sorted(result.findings) == ["BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"]


# -- series ----------------------------------------------------------------------------------------------------


def test_open_interest_comes_with_its_value_as_a_metric(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        timestamp=[T0 + timedelta(hours=4 * at) for at in (0, 1, 3)] * 2,
        symbol=["BTCUSDT"] * 3 + ["SHIBUSDT"] * 3,
        sum_open_interest=[1.5, 2.5, 3.5, 1e12, 1e12, 1e12],
        sum_open_interest_value=[150.0, 250.0, 350.0, 1.0, 1.0, 1.0],
    )
    result = read(path)
    assert metric_names(result) == [
        "BTCUSDT-PERP-OI-USDT.BINANCE",
        "BTCUSDT-PERP.BINANCE",
        "SHIBUSDT-PERP-OI-USDT.BINANCE",
    ]
    assert "more than a record holds" in notes(result)
    assert result.findings["BTCUSDT-PERP.BINANCE"].lost_messages == 1


@pytest.mark.parametrize(
    ("header", "row", "names"),
    [
        ("time,user,delta_usd", "{time},0x1,-5.5", ["ACCOUNT-FLOW-USD.HYPERLIQUID"]),
        (
            "time,user,liquidated_ntl_pos,liquidated_account_value,leverage_type",
            "{time},0x1,10.5,2.5,Cross",
            ["LIQUIDATED-ACCOUNT-USD.HYPERLIQUID", "LIQUIDATED-NOTIONAL-USD.HYPERLIQUID"],
        ),
    ],
)
def test_records_of_accounts_are_kept_as_amounts(
    header: str, row: str, names: list[str], tmp_path: Path
) -> None:
    rows = [row.format(time=f"2023-02-26T08:00:0{second}Z") for second in (1, 2, 2)]
    result = read(text_file(tmp_path, "accounts.csv", header, *rows))
    assert metric_names(result) == names
    assert "2 rows equal in all fields" in notes(result)


def test_news_become_polarity_and_subjectivity_by_subject(tmp_path: Path) -> None:
    header = "date;sentiment;source;subject;text;title;url"
    feeling = "{{'class': 'positive', 'polarity': {}, 'subjectivity': 0.5}}"
    rows = [
        f"{date};{feeling.format(value)};s;bitcoin;t;t;u"
        for date, value in (
            ("03-01-2023 10:00", 0.25),
            ("02-01-2023 10:00", -1.0),
            ("02-01-2023 11:00", 1.0),
        )
    ]
    result = read(text_file(tmp_path, "news.csv", header, *rows))
    assert metric_names(result) == ["BITCOIN-POLARITY.NEWS", "BITCOIN-SUBJECTIVITY.NEWS"]
    assert "1 row out of that order" in notes(result)
    with pytest.raises(ImportRefusedError, match="polarity"):
        read(text_file(tmp_path, "news.csv", header, "03-01-2023 10:00;{};s;bitcoin;t;t;u"))


def fear_greed(*rows: tuple[int, str]) -> list[str]:
    days = [datetime(2023, 1, 1, tzinfo=UTC) + DAY * at for at in range(len(rows))]
    return [
        f"{value},{word},{day:%Y-%m-%d} 00:00:00+00:00" for (value, word), day in zip(rows, days, strict=True)
    ]


@pytest.mark.parametrize(("word", "name"), [("Greed", "FGI.ALTERNATIVE"), ("Neutral", "FGI.COINMARKETCAP")])
def test_two_indices_are_told_apart_by_their_words(word: str, name: str, tmp_path: Path) -> None:
    header = "value,value_classification,update_time"
    result = read(text_file(tmp_path, "index.csv", header, *fear_greed((57, word), (40, "Fear"))))
    assert metric_names(result) == [name]
    with pytest.raises(ImportRefusedError, match="an index from 0 to 100"):
        read(text_file(tmp_path, "index.csv", header, *fear_greed((157, word))))


def test_daily_series_are_known_by_the_names_of_their_columns(tmp_path: Path) -> None:
    rows = ["2023-01-01,0.0001,", "2023-01-02,0.0002,", "2023-01-04,0.0003,"]
    result = read(text_file(tmp_path, "rates.csv", "date,funding_mean,funding_abs", *rows))
    assert metric_names(result) == ["BTCUSDT-FUNDING-MEAN-PPM.BINANCE"]
    assert "column 'funding_abs' has no values" in notes(result)
    with pytest.raises(ImportRefusedError, match="expected values in funding_mean"):
        read(text_file(tmp_path, "rates.csv", "date,funding_mean", "2023-01-01,"))


def test_several_values_a_day_are_kept_in_their_order(tmp_path: Path) -> None:
    rows = [f"2023-01-0{day},{value}" for day, value in ((1, 5e9), (1, 5e9), (2, 0), (2, 6e9))]
    result = read(text_file(tmp_path, "cap.csv", "date,btc_realized_cap_usd", *rows))
    assert metric_names(result) == ["BTC-REALIZED-CAP-USDM.ONCHAIN"]
    assert "2 values of a day that has another" in notes(result)
    assert "1 value of 0" in notes(result)
    with pytest.raises(ImportRefusedError, match="expected days that do not run back"):
        read(text_file(tmp_path, "cap.csv", "date,btc_realized_cap_usd", *reversed(rows)))
