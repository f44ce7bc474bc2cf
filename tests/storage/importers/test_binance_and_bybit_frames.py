"""Frames of Binance and Bybit, written by hand: how snapshots and numbered changes are joined, and what else is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.domain.event import EventKind, PrintClass
from tests.storage.importers.capture_file import (
    CLEAR,
    DELTA,
    GAP,
    SNAPSHOT,
    T0_MS,
    TRADE,
    Capture,
    kinds,
    notes,
    told,
)

# -- Binance: diffs are numbered by the changes in them, and joined to a snapshot by REST ----------------------

RULES = {
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
                {"filterType": "LOT_SIZE", "stepSize": "0.001"},
            ],
        },
        {"symbol": "ODD", "filters": []},
    ]
}


def diff(first: int, last: int, before: int | None = None, **sides: Any) -> dict[str, Any]:
    data = {"e": "depthUpdate", "E": T0_MS + last, "s": "BTCUSDT", "U": first, "u": last, "b": [], "a": []}
    if before is not None:
        data |= {"pu": before, "T": T0_MS + last - 1}
    return {"stream": "btcusdt@depth@100ms", "data": {**data, **sides}}


def depth(last: int) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": [["100.0", "1"]], "asks": [["100.1", "2"]]}


def binance(market: str = "BINANCE") -> Capture:
    return Capture(market).answer("api/v3/exchangeInfo", RULES)


def test_binance_spot_diffs_join_the_snapshot_that_they_reach(tmp_path: Path) -> None:
    capture = binance().frame(diff(1, 4)).frame(diff(5, 8, b=[["99.9", "3"]]))
    capture.answer("api/v3/depth?symbol=BTCUSDT&limit=1000", depth(5))
    capture.frame(diff(9, 9, a=[["100.1", "0"]]))
    result = capture.read(tmp_path)
    assert told(result) == [
        (CLEAR, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 100.0, 1.0),
        (SNAPSHOT, -1, 100.1, 2.0),
        (DELTA, 1, 99.9, 3.0),
        (DELTA, -1, 100.1, 0.0),
    ]
    assert result.only.sequence_gaps == 0
    assert result.only.conflated == "depth diffs are pushed every 100 ms"
    assert {batch.rules_source for batch in result.batches} == {"venue"}


def test_binance_futures_diffs_name_the_one_before(tmp_path: Path) -> None:
    capture = binance("BINANCE_FUTURES").answer("fapi/v1/depth?symbol=BTCUSDT", {**depth(5), "T": T0_MS})
    capture.frame(diff(4, 6, 3, b=[["99.9", "3"]])).frame(diff(7, 9, 6, b=[["99.8", "1"]]))
    capture.frame(diff(7, 9, 6, b=[["99.8", "1"]])).frame(diff(14, 15, 12, b=[["99.7", "1"]]))
    capture.frame(diff(10, 11, 9, b=[["99.6", "1"]]))
    result = capture.read(tmp_path)
    assert list(result.findings) == ["BTCUSDT-PERP.BINANCE"]
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT, DELTA, DELTA, GAP, DELTA]
    assert (result.only.sequence_gaps, result.only.duplicates) == (1, 1)
    assert "expected to continue 9, found 14..15" in notes(result)
    assert "a diff arrived out of order and was left out" in notes(result)


def test_a_snapshot_heals_a_hole_and_an_old_one_is_left_out(tmp_path: Path) -> None:
    capture = binance().answer("api/v3/depth?symbol=BTCUSDT", depth(5)).frame(diff(6, 6, b=[["99.9", "3"]]))
    capture.answer("api/v3/depth?symbol=BTCUSDT", depth(3)).frame(diff(9, 9, b=[["99.8", "1"]]))
    capture.answer("api/v3/depth?symbol=BTCUSDT", depth(20)).frame(diff(21, 21, b=[["99.7", "1"]]))
    result = capture.read(tmp_path)
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT, DELTA, GAP, DELTA, CLEAR, SNAPSHOT, SNAPSHOT, DELTA]
    assert "a snapshot older than the book was left out" in notes(result)


def test_a_snapshot_that_the_next_diff_does_not_reach_leaves_a_gap(tmp_path: Path) -> None:
    capture = binance().answer("api/v3/depth?symbol=BTCUSDT", depth(5)).frame(diff(9, 9, b=[["99.9", "3"]]))
    result = capture.read(tmp_path)
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT, GAP, DELTA]
    assert "the snapshot ends at 5, the next diff begins at 9" in notes(result)


def test_diffs_without_a_snapshot_and_a_snapshot_without_diffs_are_kept(tmp_path: Path) -> None:
    alone = binance().frame(diff(1, 4, b=[["99.9", "3"]])).frame(diff(5, 5, b=[["99.8", "3"]])).read(tmp_path)
    assert kinds(alone) == [GAP, DELTA, DELTA]
    assert "no snapshot in the file" in notes(alone)
    capture = binance().answer("api/v3/depth?symbol=BTCUSDT", depth(5))
    capture.answer("api/v3/depth?symbol=BTCUSDT", depth(7))
    assert kinds(capture.read(tmp_path)) == [CLEAR, SNAPSHOT, SNAPSHOT] * 2


def binance_trade(kind: str, number: int, **more: Any) -> dict[str, Any]:
    data = {"e": kind, "E": T0_MS, "T": T0_MS, "s": "BTCUSDT", "p": "100.1", "q": "0.5", "m": False, **more}
    return {"stream": "btcusdt@trade", "data": data | {"t" if kind == "trade" else "a": number}}


def test_binance_prints_are_numbered_and_come_from_one_stream(tmp_path: Path) -> None:
    capture = binance().frame(diff(1, 1))
    for number in (7, 7, 10):
        capture.frame(binance_trade("trade", number, m=number == 10))
    capture.frame(binance_trade("trade", 11, X="ADL")).frame(binance_trade("trade", 12, X="NA"))
    capture.frame(binance_trade("aggTrade", 3)).frame({"stream": "x", "data": {"e": "kline", "s": "BTCUSDT"}})
    result = capture.read(tmp_path)
    rows = [event for batch in result.batches for event in batch.events if event["kind"] == TRADE]
    assert [(int(row["side"]), int(row["print_class"])) for row in rows] == [
        (1, PrintClass.NORMAL),
        (-1, PrintClass.NORMAL),
        (1, PrintClass.ADL),
    ]
    assert (result.only.duplicates, result.only.lost_messages) == (1, 2)
    assert "the same prints as trade" in notes(result)
    assert "kline" in notes(result)


def test_binance_aggregates_quotes_and_liquidations_become_events(tmp_path: Path) -> None:
    quote = {"u": 5, "s": "BTCUSDT", "b": "100.0", "B": "1", "a": "100.1", "A": "2", "T": T0_MS, "E": T0_MS}
    order = {"s": "BTCUSDT", "S": "SELL", "q": "0.5", "p": "99.0", "T": T0_MS}
    capture = binance("BINANCE_FUTURES").frame(binance_trade("aggTrade", 3))
    capture.frame({"stream": "q", "data": {"e": "bookTicker", **quote}}).frame({"stream": "q", "data": quote})
    capture.frame({"stream": "f", "data": {"e": "forceOrder", "E": T0_MS, "o": order}})
    capture.frame({"stream": "f", "data": {"e": "forceOrder", "E": T0_MS}})
    assert told(capture.read(tmp_path)) == [
        (TRADE, 1, 100.1, 0.5),
        *[(EventKind.QUOTE, 1, 100.0, 1.0), (EventKind.QUOTE, -1, 100.1, 2.0)] * 2,
        (EventKind.LIQUIDATION, -1, 99.0, 0.5),
    ]


# -- Bybit: every message of a topic is one further -----------------------------------------------------------

LOTS = {"qtyStep": "0.001"}


def bybit(category: str = "linear") -> Capture:
    lots = LOTS if category != "spot" else {"basePrecision": "0.001"}
    item = {"symbol": "BTCUSDT", "priceFilter": {"tickSize": "0.10"}, "lotSizeFilter": lots}
    capture = Capture("BYBIT", f"wss://stream.bybit.com/v5/public/{category}")
    return capture.answer("v5/market/instruments-info", {"result": {"category": category, "list": [item]}})


def topic(name: str, data: Any, kind: str = "delta", **more: Any) -> dict[str, Any]:
    return {"topic": name, "type": kind, "ts": T0_MS, "data": data, **more}


def bybit_book(number: int, kind: str = "delta", **sides: Any) -> dict[str, Any]:
    return topic("orderbook.200.BTCUSDT", {"s": "BTCUSDT", "u": number, **sides}, kind, cts=T0_MS - 1)


WHOLE = {"b": [["100.0", "1"]], "a": [["100.1", "2"]]}


def test_bybit_changes_are_numbered_without_holes(tmp_path: Path) -> None:
    capture = bybit().frame({"op": "subscribe", "success": True}).frame(bybit_book(5, "snapshot", **WHOLE))
    capture.frame(bybit_book(5, "snapshot", **WHOLE)).frame(bybit_book(6, b=[["99.9", "3"]]))
    capture.frame(bybit_book(6, b=[["99.9", "3"]])).frame(bybit_book(9, b=[["99.8", "3"]]))
    result = capture.read(tmp_path)
    assert told(result) == [
        (CLEAR, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 100.0, 1.0),
        (SNAPSHOT, -1, 100.1, 2.0),
        (DELTA, 1, 99.9, 3.0),
        (GAP, 0, 0.0, 2.0),
        (DELTA, 1, 99.8, 3.0),
    ]
    assert (result.only.lost_messages, result.only.duplicates) == (2, 1)


def test_bybit_books_of_a_new_connection_are_not_known_before_their_snapshot(tmp_path: Path) -> None:
    capture = bybit().frame(bybit_book(5, "snapshot", **WHOLE)).connect()
    result = capture.frame(bybit_book(6, b=[["99.9", "3"]])).read(tmp_path)
    assert kinds(result)[3:] == [GAP, DELTA]
    assert "the connection was opened anew" in notes(result)


def test_bybit_prints_have_classes(tmp_path: Path) -> None:
    prints = [
        {"T": T0_MS, "s": "BTCUSDT", "S": side, "v": "0.5", "p": "100.1", "i": name, "BT": block, "RPI": rpi}
        for side, name, block, rpi in (
            ("Buy", "x", False, False),
            ("Buy", "x", False, False),
            ("Sell", "y", True, False),
            ("Sell", "", False, True),
        )
    ]
    result = bybit("spot").frame(topic("publicTrade.BTCUSDT", prints)).read(tmp_path)
    assert list(result.findings) == ["BTCUSDT.BYBIT"]
    rows = [event for batch in result.batches for event in batch.events]
    assert [(int(row["side"]), int(row["print_class"])) for row in rows] == [
        (1, PrintClass.NORMAL),
        (-1, PrintClass.BLOCK),
        (-1, PrintClass.RPI),
    ]
    assert result.only.duplicates == 1


def test_bybit_tickers_tell_what_changed(tmp_path: Path) -> None:
    ticker = {
        "symbol": "BTCUSDT",
        "markPrice": "100.05",
        "indexPrice": "100.06",
        "openInterest": "12.5",
        "fundingRate": "0.0001",
        "nextFundingTime": str(T0_MS + 60_000),
        "fundingIntervalHour": "8",
    }
    capture = bybit().frame(topic("tickers.BTCUSDT", ticker, "snapshot"))
    capture.frame(
        topic("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "100.07", "indexPrice": "100.06"})
    )
    counts = capture.read(tmp_path).counts()
    assert counts == {
        EventKind.MARK_PRICE: 2,
        EventKind.INDEX_PRICE: 1,
        EventKind.OPEN_INTEREST: 1,
        EventKind.FUNDING: 1,
    }


def test_bybit_spot_tickers_and_unknown_topics_are_named(tmp_path: Path) -> None:
    capture = bybit("spot").frame(bybit_book(5, "snapshot", **WHOLE))
    capture.frame(topic("tickers.BTCUSDT", {"symbol": "BTCUSDT"})).frame(topic("kline.1.BTCUSDT", []))
    told_of = notes(capture.read(tmp_path))
    assert "tickers (spot)" in told_of
    assert "kline" in told_of


def test_bybit_liquidations_are_orders_against_the_position(tmp_path: Path) -> None:
    new = {"T": T0_MS, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "99.0"}
    old = {"updatedTime": T0_MS, "symbol": "BTCUSDT", "side": "Sell", "size": "0.25", "price": "101.0"}
    capture = bybit().frame(topic("allLiquidation.BTCUSDT", [new])).frame(topic("liquidation.BTCUSDT", old))
    assert told(capture.read(tmp_path)) == [
        (EventKind.LIQUIDATION, -1, 99.0, 0.5),
        (EventKind.LIQUIDATION, 1, 101.0, 0.25),
    ]
