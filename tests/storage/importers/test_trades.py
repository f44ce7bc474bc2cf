"""Trades in CSV: the aggressor's side, ids without holes, each trade once."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind, PrintClass
from tests.storage.importers.foreign import cut, damaged, drop, read, repeat, swap


def trades(dev_data: Path, name: str) -> Path:
    return dev_data / "trades" / name


LTC = "binance_spot_LTCUSDT_trades_2025-06-21.csv.gz"
TRX = "binance_usdm_TRXUSDT_trades_20250304.csv.gz"
FILES = [(LTC, "LTCUSDT.BINANCE", 53_325, 168), (TRX, "TRXUSDT-PERP.BINANCE", 9_999, 0)]


@pytest.mark.parametrize(("name", "instrument", "count", "lost"), FILES)
def test_trades_are_counted_with_the_ids_that_are_missing(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, count: int, lost: int
) -> None:
    copy = tmp_path / "x"
    copy.write_bytes(trades(dev_data, name).read_bytes())
    reading = read(copy, instrument)
    assert len(reading.events()) == count
    assert reading.only().lost_messages == lost
    assert (reading.events()["kind"] == EventKind.TRADE).all()


def test_the_side_is_the_aggressors(dev_data: Path) -> None:
    source = pl.read_csv(trades(dev_data, LTC))
    events = read(trades(dev_data, LTC), "LTCUSDT.BINANCE").events()
    assert ((events["side"] == 1) == (source["side"] == "buy").to_numpy()).all()
    assert (events["price"] == (source["price"] * 100).round().cast(pl.Int64).to_numpy()).all()
    assert (events["size"] == (source["quantity"] * 1000).round().cast(pl.Int64).to_numpy()).all()
    stream = read(trades(dev_data, TRX)).events()
    assert stream["side"][:3].tolist() == [1, -1, -1]


def test_a_frame_without_a_trade_is_left_out_by_row(dev_data: Path) -> None:
    reading = read(trades(dev_data, TRX))
    assert "1 frame with price and quantity 0 (rows 9327): no trades, left out" in reading.notes()
    assert "exactly 10000 rows: the recording was cut there" in reading.notes()
    assert (reading.events()["ts_local"] > reading.events()["ts_venue"]).all()
    assert (reading.events()["print_class"] == PrintClass.NORMAL).all()


@pytest.mark.parametrize(("name", "instrument", "count", "lost"), FILES)
def test_damaged_trades_are_named(
    dev_data: Path, tmp_path: Path, name: str, instrument: str, count: int, lost: int
) -> None:
    path = trades(dev_data, name)
    dropped = read(damaged(path, tmp_path / "d", drop(5, 2)), instrument).only()
    assert (dropped.lost_messages, dropped.sequence_gaps > 0) == (lost + 2, True)
    repeated = read(damaged(path, tmp_path / "r", repeat(5)), instrument)
    assert repeated.only().duplicates == 1
    assert len(repeated.events()) == count
    with pytest.raises(ImportRefusedError, match="row 7: expected trade ids that rise"):
        read(damaged(path, tmp_path / "s", swap(5)), instrument)
    assert len(read(damaged(path, tmp_path / "c", cut(100)), instrument).events()) == 100


def test_each_fill_of_hyperliquid_is_one_trade(dev_data: Path) -> None:
    path = trades(dev_data, "hyperliquid_non_mm_trades_2023.csv.gz")
    reading = read(path)
    source = pl.read_csv(path)
    takers = source.filter(pl.col("crossed")).height
    assert len(reading.findings) == 14
    assert takers < len(reading.events()) < source.height
    first = reading.events("ETH-PERP.HYPERLIQUID")[0]
    assert (first["side"], reading.notes().count("not the whole tape")) == (-1, 14)


HEADER = "time,user,coin,side,px,sz,crossed\n"


def test_a_makers_line_is_paired_with_its_takers(tmp_path: Path) -> None:
    rows = [
        "2023-03-03T00:00:00Z,a,ETH,Bid,1500,1,true",
        "2023-03-03T00:00:00Z,b,ETH,Ask,1500,1,false",  # the other side of the first
        "2023-03-03T00:00:00Z,b,ETH,Ask,1500,1,false",  # hit by a market maker
        "2023-03-03T00:00:01Z,c,ETH,Bid,1500.5,2,false",
    ]
    (tmp_path / "x").write_text(HEADER + "\n".join(rows) + "\n")
    reading = read(tmp_path / "x")
    assert reading.events()["side"].tolist() == [1, 1, -1]
    assert "1 takers' lines, 1 makers' lines paired with them, 2 makers' lines hit" in reading.notes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + "2023-03-03T00:00:00Z,a,ETH,Buy,1500,1,true\n",
            "row 1, field 'side': expected Bid or Ask, found 'Buy'",
        ),
        (
            HEADER + "2023-03-03T00:00:00Z,a,ETH,Bid,-1,1,true\n",
            "field 'price': expected a number above 0, found -1.0",
        ),
        (
            HEADER + "2023-03-03T00:00:00Z,a,ETH,Bid,1,,true\n",
            "row 1, field 'sz': expected a number, found an empty",
        ),
        (
            "timestamp,price,quantity,side,tradeId\n1750507467356,1,1,up,5\n",
            "field 'side': expected buy or sell",
        ),
        (
            "timestamp,price,quantity,side,tradeId\n1750507467356,1,0,buy,5\n",
            "field 'size': expected a number above 0",
        ),
        (
            "timestamp,price,quantity,side,tradeId\n1750507467356,1,1,buy,5\n1750507467356,1,2,buy,5\n",
            "rows 1 and 2: expected one trade of id 5, found two different ones",
        ),
        (
            "timestamp,price,quantity,side,tradeId\n1750507467356,1,1,buy,5\n1750507467355,1,2,buy,6\n",
            "row 2: expected times that do not run back",
        ),
        (
            '{"src": "a", "msg": {"data": {"arg": {"channel": "liquidation-orders"}}}}\n',
            "row 1: expected a liquidation",
        ),
    ],
)
def test_bad_trades_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x").write_text(text)
    instrument = "A.B" if text.startswith("timestamp") else None
    with pytest.raises(ImportRefusedError) as refusal:
        read(tmp_path / "x", instrument)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_liquidations_of_okx_keep_bankruptcy_price_and_side(dev_data: Path) -> None:
    path = dev_data / "liquidations" / "okx_ws_liquidations.jsonl.gz"
    reading = read(path)
    assert len(reading.events()) == 12
    assert (reading.events()["kind"] == EventKind.LIQUIDATION).all()
    first = reading.events("API3-USDT-SWAP.OKX")[0]
    assert (first["price"], first["size"], first["side"]) == (3_075, 2_076, 1)
    assert first["ts_venue"] == 1_706_607_168_920 * 10**6
    assert first["ts_local"] == 1_706_607_172_632_871_000


def test_a_dated_contract_of_okx_keeps_its_name(tmp_path: Path) -> None:
    detail = {"bkPx": "1.5", "sz": "3", "side": "sell", "ts": "1706607168920"}
    data = {
        "arg": {"channel": "liquidation-orders"},
        "data": [{"details": [detail], "instId": "BTC-USD-240329"}],
    }
    (tmp_path / "x").write_text(
        json.dumps({"src": "s", "msg": {"timestamp": 1706607172.5, "data": data}}) + "\n"
    )
    assert list(read(tmp_path / "x").findings) == ["BTC-USD-240329.OKX"]


def test_a_spot_stream_is_told_by_its_fields_and_read_in_microseconds(tmp_path: Path) -> None:
    names = (
        "TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,"
        "IsBuyerMarketMaker,MUnknownParameter\n"
    )
    row = "1741046404352123,trxusdt@trade,trade,1741046404349000,1741046404349000,TRXUSDT,{},0.25,2,{},1\n"
    (tmp_path / "x").write_text("# recorded by hand\n" + names + row.format(7, 1) + row.format(8, 0))
    reading = read(tmp_path / "x")
    assert list(reading.findings) == ["TRXUSDT.BINANCE"]
    assert reading.events()["side"].tolist() == [-1, 1]
    assert reading.events()["ts_local"][0] == 1_741_046_404_352_123_000
