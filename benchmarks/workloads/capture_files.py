"""The same seeded book, written as each format of order-book recordings writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.workloads.bybit_frames import bybit_frames

NS_PER_MS: Final = 1_000_000
FEED_LATENCY_MS: Final = 5
CRYPTOFEED_HEADER: Final = '{"t":"header","format":2,"exchange":"BYBIT","config":{}}'
TARDIS_HEADER: Final = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"

Frame = dict[str, Any]


def bybit_archive(path: Path, count: int, seed: int) -> None:
    """Bybit's own archive: one message a line."""
    _write(path, bybit_frames(count, seed))


def cryptofeed(path: Path, count: int, seed: int) -> None:
    """cryptofeed's capture: each frame as a string, with the time of its receipt."""
    _write(path, _cryptofeed_lines(count, seed))


def hftbacktest_raw(path: Path, count: int, seed: int) -> None:
    """The capture of hftbacktest's collector: Binance USD-M depth updates, by receive time."""
    _write(path, _binance_lines(count, seed))


def tardis(path: Path, count: int, seed: int) -> None:
    """Tardis' incremental book: one level a row."""
    _write(path, _tardis_lines(count, seed))


def hftbacktest_npz(path: Path, count: int, seed: int) -> None:
    """hftbacktest's normalised array of the order-book stream."""
    from scripts.demo import generated_market

    generated_market(path, count, seed)


def _write(path: Path, lines: Iterator[str]) -> None:
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)


def _cryptofeed_lines(count: int, seed: int) -> Iterator[str]:
    yield CRYPTOFEED_HEADER
    address = "wss://stream.bybit.com/v5/public/linear"
    connection = {"conn": "BYBIT.ws.1", "ts": 1_699_999_999.0, "addr": address}
    yield json.dumps({"t": "connect", **connection}, separators=(",", ":"))
    subscription = '{"op":"subscribe","args":["orderbook.200.BTCUSDT"]}'
    yield json.dumps({"t": "send", **connection, "data": subscription}, separators=(",", ":"))
    for frame in bybit_frames(count, seed):
        received_s = (json.loads(frame)["ts"] + FEED_LATENCY_MS) / 1000
        line = {"t": "recv", "conn": "BYBIT.ws.1", "ts": received_s, "data": frame}
        yield json.dumps(line, separators=(",", ":"))


def _binance_lines(count: int, seed: int) -> Iterator[str]:
    for number, text in enumerate(bybit_frames(count, seed)):
        frame: Frame = json.loads(text)
        ts_ms, book = frame["ts"], frame["data"]
        received = (ts_ms + FEED_LATENCY_MS) * NS_PER_MS
        times = f'"E":{ts_ms},"T":{ts_ms - 3}'
        bids, asks = (json.dumps(book[side], separators=(",", ":")) for side in ("b", "a"))
        last, before = 1000 + 10 * number, 1000 + 10 * (number - 1)
        if number == 0:
            yield f'{received} {{"lastUpdateId":{last},{times},"bids":{bids},"asks":{asks}}}'
            continue
        yield (
            f'{received} {{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate",{times},"s":"BTCUSDT",'
            f'"U":{before + 1},"u":{last},"pu":{before},"b":{bids},"a":{asks}}}}}'
        )


def _tardis_lines(count: int, seed: int) -> Iterator[str]:
    yield TARDIS_HEADER
    for text in bybit_frames(count, seed):
        frame: Frame = json.loads(text)
        ts_us = frame["ts"] * 1000
        is_snapshot = "true" if frame["type"] == "snapshot" else "false"
        start = f"bybit,BTCUSDT,{ts_us},{ts_us + FEED_LATENCY_MS * 1000},{is_snapshot}"
        for side, name in (("b", "bid"), ("a", "ask")):
            for price, size in frame["data"][side]:
                yield f"{start},{name},{price},{size}"
