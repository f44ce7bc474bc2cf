"""What prices and sizes the development data really show, read as plainly as possible and without our
importers.

Each source yields :class:`Observation` rows: one instrument of one file with all distinct prices and sizes as
text. Nothing here knows a tick size.
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import zstandard


@dataclass
class Observation:
    """Distinct prices and sizes of one instrument in one file; times in UTC seconds."""

    prices: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    first: float = float("inf")
    last: float = float("-inf")

    def at(self, seconds: float) -> None:
        self.first, self.last = min(self.first, seconds), max(self.last, seconds)

    def levels(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.prices.add(str(row[0]))
            self.sizes.add(str(row[1]))

    def trade(self, price: Any, size: Any) -> None:
        self.prices.add(str(price))
        self.sizes.add(str(size))


Seen = dict[tuple[str, str, str], Observation]
"""(venue, symbol as the venue writes it, kind) -> what was seen."""


def _seen() -> Seen:
    return defaultdict(Observation)


def observations(root: Path) -> Iterator[tuple[str, Seen]]:
    """(file, what was seen in it) for every file that shows prices on a venue's own grid."""
    for path in sorted(root.glob("l2/*.gz")) + sorted(root.glob("raw_ws/hyperliquid*.gz")):
        if path.name.startswith(
            ("binance_spot_btc", "binance_spot_eth", "binance_usdm_btc", "binance_usdm_eth")
        ):
            yield path.name, _hftbacktest(path)
    yield "hyperliquid_BTC_20250126.gz", _hyperliquid(root / "raw_ws/hyperliquid_BTC_20250126.gz")
    for path in sorted(root.glob("l2/binance_spot_20201101T09/*.gz")):
        yield path.name, _deep_orderbook(path)
    yield "diffdepth", _flat_csv(root / "l2/binance_usdm_TRXUSDT_diffdepth_20250304.csv.gz", "perp")
    yield "depthsnapshots", _snapshots(root / "l2/binance_spot_BTCUSDT_depthsnapshots_20250414.csv.gz")
    yield "ob500", _bybit_archive(root / "l2/bybit_linear_XRPUSDT_ob500_20241201.data.zip")
    yield "top5", _top5(root / "l2/bybit_top5_78symbols_20240701.csv.gz")
    yield "bitfinex_l3", _bitfinex_l3(root / "l2/bitfinex_BTCUSD_L3_rawbook_2021.json.gz")
    for path in sorted(root.glob("raw_ws/cryptofeed_*.zst")):
        yield path.name, _cryptofeed(path)
    yield "fastmoon", _fastmoon(root / "raw_ws/fastmoon_202401-03.tar.gz")
    yield (
        "ltc trades",
        _csv_trades(
            root / "trades/binance_spot_LTCUSDT_trades_2025-06-21.csv.gz",
            ("BINANCE", "LTCUSDT", "spot"),
            "timestamp",
            1e3,
            [("price", "quantity")],
        ),
    )
    yield "trx trades", _flat_csv(root / "trades/binance_usdm_TRXUSDT_trades_20250304.csv.gz", "perp")
    for what, fields in (
        ("trades", [("price", "amount")]),
        ("quotes", [("ask_price", "ask_amount"), ("bid_price", "bid_amount")]),
    ):
        yield (
            f"tardis {what}",
            _csv_trades(
                root / f"trades/tardis_binance-futures_BTCUSDT_{what}_20200222.csv.gz",
                ("BINANCE", "BTCUSDT", "perp"),
                "timestamp",
                1e6,
                fields,
            ),
        )
    yield "hyperliquid trades", _hyperliquid_trades(root / "trades/hyperliquid_non_mm_trades_2023.csv.gz")
    yield from candles(root)
    yield from _candle_csv(root)


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".zst":
        with path.open("rb") as raw:
            yield from io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8")
    else:
        with gzip.open(path, "rt", encoding="utf-8") as text:
            yield from text


def _hftbacktest(path: Path) -> Seen:
    seen, kind = _seen(), "perp" if "usdm" in path.name else "spot"
    symbol = path.name.split("_")[2].upper()
    one = seen["BINANCE", symbol, kind]
    for line in _lines(path):
        ts, _, text = line.partition(" ")
        one.at(int(ts) / 1e9)
        _binance_message(one, json.loads(text))
    return seen


def _binance_message(one: Observation, message: dict[str, Any]) -> None:
    data = message.get("data", message)
    for side in ("b", "a", "bids", "asks"):
        if isinstance(data.get(side), list):
            one.levels(data[side])
    if data.get("e") in ("trade", "aggTrade") and data.get("X", "MARKET") == "MARKET":
        one.trade(data["p"], data["q"])
    if isinstance(data.get("B"), str) and isinstance(data.get("b"), str):
        one.levels([(data["b"], data["B"]), (data["a"], data["A"])])


def _hyperliquid(path: Path) -> Seen:
    seen = _seen()
    for line in _lines(path):
        ts, _, text = line.partition(" ")
        message = json.loads(text)
        data = message["data"]
        if message["channel"] == "l2Book":
            one = seen["HYPERLIQUID", data["coin"], "perp"]
            one.levels((level["px"], level["sz"]) for side in data["levels"] for level in side)
            one.at(int(ts) / 1e9)
        elif message["channel"] == "trades":
            for trade in data:
                seen["HYPERLIQUID", trade["coin"], "perp"].trade(trade["px"], trade["sz"])
    return seen


def _deep_orderbook(path: Path) -> Seen:
    seen = _seen()
    one = seen["BINANCE", path.name.split("_")[0], "spot"]
    one.at(datetime(2020, 11, 1, 9, tzinfo=UTC).timestamp())
    data = json.loads(gzip.decompress(path.read_bytes()))
    for message in data if isinstance(data, list) else [data]:
        _binance_message(one, message)
    return seen


def _data_rows(path: Path) -> csv.DictReader[str]:
    return csv.DictReader(line for line in _lines(path) if not line.startswith("#"))


def _flat_csv(path: Path, kind: str) -> Seen:
    seen = _seen()
    for row in _data_rows(path):
        if row.get("XUnknownParameter", "MARKET") == "MARKET":
            one = seen["BINANCE", row["Symbol"], kind]
            one.trade(row["Price"], row["Quantity"])
            one.at(int(row["TransactionTime"]) / 1e3)
    return seen


def _snapshots(path: Path) -> Seen:
    seen = _seen()
    one = seen["BINANCE", "BTCUSDT", "spot"]
    one.at(datetime(2025, 4, 14, tzinfo=UTC).timestamp())
    one.levels((row["Price"], row["Quantity"]) for row in _data_rows(path))
    return seen


def _csv_trades(
    path: Path, key: tuple[str, str, str], time: str, per_second: float, fields: list[tuple[str, str]]
) -> Seen:
    seen = _seen()
    one = seen[key]
    for row in _data_rows(path):
        one.at(int(row[time]) / per_second)
        for price, size in fields:
            one.trade(row[price], row[size])
    return seen


def _bybit_archive(path: Path) -> Seen:
    seen = _seen()
    with zipfile.ZipFile(path) as archive:
        for line in archive.read(archive.namelist()[0]).decode().splitlines():
            _bybit_message(seen, json.loads(line), "perp")
    return seen


def _bybit_message(seen: Seen, message: dict[str, Any], kind: str) -> None:
    topic: str = message.get("topic", "")
    data: Any = message.get("data")
    if topic.startswith("orderbook"):
        one = seen["BYBIT", data["s"], kind]
        one.levels(data["b"] + data["a"])
        one.at(message["ts"] / 1e3)
    elif topic.startswith("publicTrade"):
        for trade in data:
            one = seen["BYBIT", trade["s"], kind]
            one.trade(trade["p"], trade["v"])
            one.at(trade["T"] / 1e3)


def _top5(path: Path) -> Seen:
    seen = _seen()
    for row in csv.reader(_lines(path)):
        one = seen["BYBIT", row[1], "perp"]
        one.at(float(row[3]) / 1e3)
        for book in ast.literal_eval(row[4]):
            for side in book if isinstance(book[0][0], list) else [book]:
                one.levels(side)
    return seen


def _bitfinex_l3(path: Path) -> Seen:
    seen = _seen()
    one = seen["BITFINEX", "tBTCUSD", "spot"]
    one.at(datetime(2021, 7, 1, tzinfo=UTC).timestamp())
    for message in json.loads(gzip.decompress(path.read_bytes()), parse_float=str, parse_int=str):
        if isinstance(message, list) and isinstance(message[1], list):
            for row in message[1] if isinstance(message[1][0], list) else [message[1]]:
                if row[1] != "0":
                    one.trade(row[1], row[2].lstrip("-"))
    return seen


def _cryptofeed(path: Path) -> Seen:
    seen = _seen()
    venue = path.name.removeprefix("cryptofeed_").removesuffix(".jsonl.zst")
    addresses: dict[str, str] = {}
    for line in _lines(path):
        record = json.loads(line)
        if record["t"] in ("connect", "send"):
            addresses[record["conn"]] = record["addr"]
        elif record["t"] in ("recv", "http"):
            kind = "spot" if "spot" in addresses.get(record["conn"], "") else "perp"
            try:
                _CRYPTOFEED[venue](seen, record, kind)
            except json.JSONDecodeError:
                continue
    return {key: one for key, one in seen.items() if one.prices}


def _feed_bybit(seen: Seen, record: dict[str, Any], kind: str) -> None:
    if record["t"] == "recv":
        _bybit_message(seen, json.loads(record["data"]), kind)


def _feed_binance(seen: Seen, record: dict[str, Any], _: str) -> None:
    kind = "perp" if "FUTURES" in record["conn"] else "spot"
    if record["t"] == "http":
        if "symbol=" not in record["url"]:
            return
        symbol = record["url"].split("symbol=")[1].split("&")[0]
        one = seen["BINANCE", symbol, kind]
        _binance_message(one, json.loads(record["data"]))
    else:
        message = json.loads(record["data"])
        if "data" not in message:
            return
        one = seen["BINANCE", message["data"]["s"], kind]
        _binance_message(one, message)
    one.at(record["ts"])


def _feed_bitstamp(seen: Seen, record: dict[str, Any], _: str) -> None:
    data = json.loads(record["data"], parse_float=str)
    if record["t"] == "http":
        if "order_book" not in record["url"]:
            return
        one = seen["BITSTAMP", record["url"].rsplit("/", 1)[1], "spot"]
        one.levels(data["bids"] + data["asks"])
    else:
        if data["event"] not in ("data", "trade"):
            return
        one = seen["BITSTAMP", data["channel"].rsplit("_", 1)[1], "spot"]
        if data["event"] == "trade":
            one.trade(data["data"]["price_str"], data["data"]["amount_str"])
        else:
            one.levels(data["data"]["bids"] + data["data"]["asks"])
    one.at(record["ts"])


def _feed_coinbase(seen: Seen, record: dict[str, Any], _: str) -> None:
    if record["t"] == "http":
        return
    message = json.loads(record["data"])
    for event in message.get("events", []):
        for update in event.get("updates", []):
            seen["COINBASE", event["product_id"], "spot"].trade(update["price_level"], update["new_quantity"])
            seen["COINBASE", event["product_id"], "spot"].at(record["ts"])
        for trade in event.get("trades", []):
            seen["COINBASE", trade["product_id"], "spot"].trade(trade["price"], trade["size"])


def _feed_deribit(seen: Seen, record: dict[str, Any], _: str) -> None:
    if record["t"] == "http":
        return
    message = json.loads(record["data"], parse_float=str, parse_int=str)
    channel = message.get("params", {}).get("channel", "")
    data: Any = message.get("params", {}).get("data")
    if channel.startswith("book."):
        one = seen["DERIBIT", data["instrument_name"], "option"]
        one.levels(row[-2:] for row in data["bids"] + data["asks"] if row[0] != "delete")
        one.at(record["ts"])
    elif channel.startswith("trades."):
        for trade in data or []:
            seen["DERIBIT", trade["instrument_name"], "option"].trade(trade["price"], trade["amount"])


def _feed_kraken(seen: Seen, record: dict[str, Any], _: str) -> None:
    message = json.loads(record["data"])
    if record["t"] == "http" or not isinstance(message, list):
        return
    one = seen["KRAKEN", message[-1], "spot"]
    one.at(record["ts"])
    if message[-2] == "trade":
        one.levels(message[1])
    elif message[-2].startswith("book"):
        for part in message[1:-2]:
            for key in ("a", "b", "as", "bs"):
                one.levels(row[:2] for row in part.get(key, []))


def _feed_kraken_futures(seen: Seen, record: dict[str, Any], _: str) -> None:
    message = json.loads(record["data"], parse_float=str, parse_int=str)
    if record["t"] == "http" or "product_id" not in message or "event" in message:
        return
    one = seen["KRAKENF", message["product_id"], ""]
    one.at(record["ts"])
    if message["feed"] == "book_snapshot":
        one.levels((row["price"], row["qty"]) for row in message["bids"] + message["asks"])
    elif message["feed"] in ("book", "trade"):
        one.trade(message["price"], message["qty"])


def _feed_okx(seen: Seen, record: dict[str, Any], _: str) -> None:
    if record["t"] == "recv":
        _okx_message(seen, json.loads(record["data"]), record["ts"])


def _okx_message(seen: Seen, message: dict[str, Any], ts: float) -> None:
    arg = message.get("arg", {})
    for data in message.get("data", []):
        one = seen["OKX", arg["instId"], ""] if "instId" in arg else None
        if one is None:
            continue
        one.at(ts)
        if arg["channel"].startswith("books"):
            one.levels(row[:2] for row in data["asks"] + data["bids"])
        elif arg["channel"] == "trades":
            one.trade(data["px"], data["sz"])


_CRYPTOFEED = {
    "BYBIT": _feed_bybit,
    "BINANCE": _feed_binance,
    "BINANCE_FUTURES": _feed_binance,
    "BITSTAMP": _feed_bitstamp,
    "COINBASE": _feed_coinbase,
    "DERIBIT": _feed_deribit,
    "KRAKEN": _feed_kraken,
    "KRAKEN_FUTURES": _feed_kraken_futures,
    "OKX": _feed_okx,
}


def _fastmoon(path: Path) -> Seen:
    seen = _seen()
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            if ("depth" in name or "trades" in name) and (file := archive.extractfile(member)):
                try:
                    frames = json.loads(file.read(), parse_float=str)
                except ValueError:
                    continue
                for frame in frames:
                    if isinstance(frame, dict) and isinstance(frame.get("data"), dict):
                        _fastmoon_frame(seen, frame, name.split("_"))
    return {key: one for key, one in seen.items() if one.prices}


def _fastmoon_frame(seen: Seen, frame: dict[str, Any], name: list[str]) -> None:
    venue, coin, kind, message = name[0].upper(), name[1].upper(), name[2], frame["data"]
    kind = "perp" if kind == "perpetual" else kind
    ts = float(frame.get("timestamp") or 0)
    if venue == "BYBIT":
        _bybit_message(seen, {"ts": ts * 1e3, **message}, kind)
    elif venue == "OKX":
        _okx_message(seen, message, ts)
    elif venue == "BINANCE":
        symbol = {"BTCFDUSD": "BTCFDUSD", "BTCUSD": "BTCUSD_PERP"}.get(coin, coin)
        one = seen["BINANCE", message.get("s", symbol), kind]
        _binance_message(one, message)
        one.at(ts)
    elif venue == "DERIBIT":
        _feed_deribit(seen, {"t": "recv", "ts": ts, "data": json.dumps(message)}, "")
    elif venue == "COINBASE":
        _feed_coinbase(seen, {"t": "recv", "ts": ts, "data": json.dumps(message)}, "")


def _hyperliquid_trades(path: Path) -> Seen:
    seen = _seen()
    for row in _data_rows(path):
        one = seen["HYPERLIQUID", row["coin"], "perp"]
        one.trade(row["px"], row["sz"])
        one.at(datetime.fromisoformat(row["time"]).timestamp())
    return seen


_CANDLES = (
    ("ohlcv/bybit_linear_*_1h.parquet", "BYBIT", "perp"),
    ("ohlcv/bybit_linear_*_5m_*.parquet", "BYBIT", "perp"),
    ("ohlcv/binance_spot_*.parquet", "BINANCE", "spot"),
    ("ohlcv/binance_usdm_*USDT_5m_*.parquet", "BINANCE", "perp"),
    ("ohlcv/bitfinex_*.parquet", "BITFINEX", "spot"),
)


def candles(root: Path) -> Iterator[tuple[str, Seen]]:
    """(file and month, what was seen), for every file of candles with one row an instrument and time."""
    for pattern, venue, kind in _CANDLES:
        yield from candle_files(root, pattern, venue, kind)
    for name in ("ohlcv/binance_usdm_1d_all539.parquet", "ohlcv/binance_usdm_4h_top40.parquet"):
        for month, frame in _by_month(pl.read_parquet(root / name)):
            seen = _seen()
            for (symbol,), part in frame.group_by("symbol"):
                _candle_frame(seen["BINANCE", str(symbol), "perp"], part)
            yield f"{Path(name).name} {month}", seen


def candle_files(root: Path, pattern: str, venue: str, kind: str) -> Iterator[tuple[str, Seen]]:
    """(file and month, what was seen) of the files that fit `pattern`, one instrument a file."""
    for path in sorted(root.glob(pattern)):
        symbol = path.name.removeprefix("bybit_linear_").removeprefix("binance_spot_")
        symbol = symbol.removeprefix("binance_usdm_").removeprefix("bitfinex_").split("_")[0]
        written = f"t{symbol}" if venue == "BITFINEX" else symbol
        for month, part in _by_month(pl.read_parquet(path)):
            seen = _seen()
            _candle_frame(seen[venue, written, kind], part)
            yield f"{path.name} {month}", seen


def _by_month(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    name = next(column for column in ("date", "ts_ms", "timestamp") if column in frame.columns)
    time = pl.col(name) if frame[name].dtype.is_temporal() else pl.from_epoch(name, time_unit="ms")
    for (month,), part in frame.group_by(time.dt.strftime("%Y-%m").alias("month"), maintain_order=True):
        yield str(month), part.drop("month", strict=False)


def _candle_frame(one: Observation, frame: pl.DataFrame) -> None:
    for column in ("open", "high", "low", "close"):
        one.prices.update(map(_shortest, frame[column].unique().to_list()))
    one.sizes.update(map(_shortest, frame["volume"].unique().to_list()))
    for column in ("date", "ts_ms", "timestamp"):
        if column in frame.columns:
            value: Any
            for value in (frame[column].min(), frame[column].max()):
                one.at(value.timestamp() if isinstance(value, datetime) else float(value) / 1e3)


def _shortest(value: Any) -> str:
    return repr(value) if value is not None else "0"


def _candle_csv(root: Path) -> Iterator[tuple[str, Seen]]:
    seen = _seen()
    one = seen["FTX", "BTC-PERP", "perp"]
    for row in _data_rows(root / "ohlcv/ftx_BTC-PERP_1m_20211231-20220201.csv.gz"):
        one.prices.update(row[name] for name in ("open", "high", "low", "close"))
        one.sizes.add(row["volume"])
        one.at(datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp())
    yield "ftx", seen
    seen = _seen()
    one = seen["COINBASE", "BTC-USD", "spot"]
    one.at(datetime(2017, 7, 1, tzinfo=UTC).timestamp())
    one.at(datetime(2019, 10, 17, tzinfo=UTC).timestamp())
    lines = _lines(root / "ohlcv/coinbase_BTCUSD_1h_2017-2019.csv.gz")
    next(lines)
    for row in csv.DictReader(lines):
        one.prices.update(row[name] for name in ("open", "high", "low", "close"))
        one.sizes.add(row["volume_btc"])
    yield "coinbase csv", seen
    seen = _seen()
    for row in _data_rows(root / "ohlcv/bitstamp_BTC_ETH_LTC_USD_1d_2014-2020.csv.gz"):
        for coin in ("BTC", "ETH", "LTC"):
            one = seen["BITSTAMP", f"{coin.lower()}usd", "spot"]
            values = [row[f"{coin}:{name}"] for name in ("open", "high", "low", "close", "volume")]
            if values[0]:
                one.prices.update(values[:4])
                one.sizes.add(values[4])
                one.at(datetime.fromisoformat(row[""]).replace(tzinfo=UTC).timestamp())
    yield "bitstamp csv", seen
    yield "8h csv", _eight_hours(root / "funding_oi/binance_bybit_okx_8h_ohlcv_funding_2023-2024.csv.gz")


def _eight_hours(path: Path) -> Seen:
    seen = _seen()
    for row in _data_rows(path):
        kind = "spot" if row["contract"] == "spot" else "perp"
        one = seen[row["exchange"].upper(), row["pair"], kind]
        one.prices.update(row[name] for name in ("open", "high", "low", "close"))
        one.sizes.add(row["volume"])
        one.at(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp())
    return seen
