"""Frames of six venues, written by hand: what each becomes, and which defects its numbers prove.

The recordings show that whole captures are read; these show what each rule of a venue does, with nothing at
hand but the rules.
"""

from __future__ import annotations

from binascii import crc32
from pathlib import Path
from typing import Any

import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind, PrintClass
from tests.storage.importers.capture_file import (
    CLEAR,
    DELTA,
    GAP,
    SNAPSHOT,
    T0_MS,
    T0_S,
    TRADE,
    Capture,
    kinds,
    notes,
    told,
)

# -- Coinbase: one number for all messages of a connection ----------------------------------------------------


def coinbase(number: int, channel: str, *events: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "timestamp": "2023-11-14T22:13:20.5Z",
        "sequence_num": number,
        "events": events,
    }


def coinbase_book(kind: str, *updates: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "type": kind,
        "product_id": "BTC-USD",
        "updates": [
            {"side": side, "price_level": price, "new_quantity": size} for side, price, size in updates
        ],
    }


def coinbase_trade(number: int, side: str) -> dict[str, Any]:
    return {
        "product_id": "BTC-USD",
        "trade_id": str(number),
        "price": "100.01",
        "size": "0.5",
        "time": "2023-11-14T22:13:20.25Z",
        "side": side,
    }


def coinbase_capture() -> Capture:
    rules = {"product_id": "BTC-USD", "quote_increment": "0.01", "base_increment": "0.001"}
    return (
        Capture("COINBASE")
        .answer("products", {"products": [rules]})
        .frame(
            coinbase(
                0, "l2_data", coinbase_book("snapshot", ("bid", "100.00", "1"), ("offer", "100.02", "2"))
            )
        )
    )


def test_coinbase_book_and_trades_become_events(tmp_path: Path) -> None:
    capture = coinbase_capture()
    capture.frame(
        coinbase(1, "l2_data", coinbase_book("update", ("bid", "100.00", "0"), ("offer", "100.03", "4")))
    )
    trades = [coinbase_trade(8, "SELL"), coinbase_trade(7, "BUY")]  # newest first; the side is the maker's
    capture.frame(coinbase(2, "market_trades", {"type": "update", "trades": trades}))
    assert told(capture.read(tmp_path)) == [
        (CLEAR, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 100.0, 1.0),
        (SNAPSHOT, -1, 100.02, 2.0),
        (DELTA, 1, 100.0, 0.0),
        (DELTA, -1, 100.03, 4.0),
        (TRADE, -1, 100.01, 0.5),
        (TRADE, 1, 100.01, 0.5),
    ]


def test_coinbase_numbers_prove_what_is_missing_and_what_is_repeated(tmp_path: Path) -> None:
    capture = coinbase_capture()
    capture.frame(coinbase(0, "l2_data", coinbase_book("update", ("bid", "99.00", "1"))))
    capture.frame(coinbase(4, "heartbeats"))
    capture.frame(coinbase(5, "market_trades", {"type": "snapshot", "trades": [coinbase_trade(3, "BUY")]}))
    capture.frame(coinbase(6, "market_trades", {"type": "update", "trades": [coinbase_trade(4, "BUY")] * 2}))
    capture.frame(coinbase(7, "candles"))
    result = capture.read(tmp_path)
    assert kinds(result) == [CLEAR, SNAPSHOT, SNAPSHOT, GAP, TRADE]
    assert (result.only.sequence_gaps, result.only.lost_messages, result.only.duplicates) == (1, 3, 2)
    assert "sequence_num went from 0 to 4" in notes(result)
    assert "candles" in notes(result)


# -- Deribit: each change names the one before it -------------------------------------------------------------


def deribit(channel: str, data: Any) -> dict[str, Any]:
    return {"method": "subscription", "params": {"channel": f"{channel}.BTC-PERPETUAL.raw", "data": data}}


def deribit_book(change: int, before: int | None, **sides: Any) -> dict[str, Any]:
    data = {"instrument_name": "BTC-PERPETUAL", "timestamp": T0_MS, "change_id": change, **sides}
    if before is None:
        return deribit("book", {"type": "snapshot", **data})
    return deribit("book", {"type": "change", "prev_change_id": before, **data})


def deribit_capture() -> Capture:
    rules = {"instrument_name": "BTC-PERPETUAL", "tick_size": 0.5, "contract_size": 10}
    return (
        Capture("DERIBIT")
        .answer("get_instruments", {"result": [rules]})
        .frame({"result": ["book"]})
        .frame(deribit_book(5, None, bids=[["new", 100.0, 10]], asks=[["new", 101.5, 20]]))
    )


def deribit_trade(number: int, **more: Any) -> dict[str, Any]:
    given = {"direction": "buy", "price": 101.5, "amount": 10, **more}
    return {"instrument_name": "BTC-PERPETUAL", "timestamp": T0_MS, "trade_seq": number, **given}


def test_deribit_changes_follow_one_another_or_leave_a_gap(tmp_path: Path) -> None:
    capture = deribit_capture()
    capture.frame(deribit_book(6, 5, bids=[["delete", 100.0, 0]], asks=[["change", 101.5, 30]]))
    capture.frame(deribit_book(6, 5))
    capture.frame(deribit_book(9, 8, bids=[["new", 99.5, 10]]))
    result = capture.read(tmp_path)
    assert told(result)[3:] == [
        (DELTA, 1, 100.0, 0.0),
        (DELTA, -1, 101.5, 30.0),
        (GAP, 0, 0.0, 0.0),
        (DELTA, 1, 99.5, 10.0),
    ]
    assert (result.only.sequence_gaps, result.only.duplicates) == (1, 1)
    assert "expected to follow 6, found 8" in notes(result)


def test_deribit_prints_have_classes_and_numbers(tmp_path: Path) -> None:
    capture = deribit_capture()
    prints = [
        deribit_trade(1),
        deribit_trade(1),
        deribit_trade(4, liquidation="T", direction="sell"),
        deribit_trade(5, block_trade_id="7"),
    ]
    result = capture.frame(deribit("trades", prints)).frame(deribit("quote", {})).read(tmp_path)
    rows = [event for batch in result.batches for event in batch.events if event["kind"] == TRADE]
    assert [(int(row["side"]), PrintClass(int(row["print_class"]))) for row in rows] == [
        (1, PrintClass.NORMAL),
        (-1, PrintClass.LIQUIDATION),
        (1, PrintClass.BLOCK),
    ]
    assert (result.only.duplicates, result.only.lost_messages) == (1, 2)
    assert "2 trades are missing" in notes(result)
    assert "quote" in notes(result)


def test_deribit_tickers_give_marks_that_changed(tmp_path: Path) -> None:
    ticker = {
        "instrument_name": "BTC-PERPETUAL",
        "timestamp": T0_MS,
        "mark_price": 100.25,
        "index_price": 100.5,
    }
    capture = deribit_capture().frame(deribit("ticker", ticker)).frame(deribit("ticker", ticker))
    counts = capture.read(tmp_path).counts()
    assert (counts[EventKind.MARK_PRICE], counts[EventKind.INDEX_PRICE]) == (1, 1)
    assert EventKind.OPEN_INTEREST not in counts


# -- Bitstamp: times instead of numbers, and a snapshot by REST -----------------------------------------------


def bitstamp(channel: str, **data: Any) -> dict[str, Any]:
    event = "trade" if channel == "live_trades" else "data"
    return {"event": event, "channel": f"{channel}_btcusd", "data": data}


def bitstamp_diff(microseconds: int, *bids: list[str]) -> dict[str, Any]:
    return bitstamp("diff_order_book", microtimestamp=str(T0_MS * 1_000 + microseconds), bids=bids, asks=[])


def bitstamp_capture() -> Capture:
    rules = {"url_symbol": "btcusd", "counter_decimals": 0, "base_decimals": 2}
    return Capture("BITSTAMP").answer("api/v2/trading-pairs-info/", [rules])


BITSTAMP_SNAPSHOT = {
    "microtimestamp": str(T0_MS * 1_000 + 20),
    "bids": [["100", "1"]],
    "asks": [["101", "2"]],
}


def test_bitstamp_diffs_wait_for_their_snapshot(tmp_path: Path) -> None:
    capture = bitstamp_capture()
    capture.frame(bitstamp_diff(10, ["90", "1"])).frame(bitstamp_diff(30, ["99", "3"]))
    capture.answer("api/v2/order_book/btcusd", BITSTAMP_SNAPSHOT)
    capture.frame(bitstamp_diff(30, ["99", "3"])).frame(bitstamp_diff(25, ["98", "1"]))
    capture.frame(bitstamp_diff(40, ["100", "0"]))
    result = capture.read(tmp_path)
    assert told(result) == [
        (CLEAR, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 100.0, 1.0),
        (SNAPSHOT, -1, 101.0, 2.0),
        (DELTA, 1, 99.0, 3.0),
        (DELTA, 1, 100.0, 0.0),
    ]
    assert (result.only.duplicates, result.only.backward_clock) == (1, 1)


def test_bitstamp_diffs_whose_snapshot_never_comes_are_kept_behind_a_gap(tmp_path: Path) -> None:
    capture = bitstamp_capture().frame({"event": "bts:subscription_succeeded", "channel": "", "data": {}})
    result = capture.frame(bitstamp_diff(10, ["90", "1"])).read(tmp_path)
    assert kinds(result) == [GAP, DELTA]


def test_bitstamp_pictures_and_trades_become_events(tmp_path: Path) -> None:
    trade = {
        "microtimestamp": str(T0_MS * 1_000),
        "id": 5,
        "price_str": "100",
        "amount_str": "0.25",
        "type": 1,
    }
    capture = bitstamp_capture().frame(bitstamp("order_book", **BITSTAMP_SNAPSHOT))
    capture.frame(bitstamp("live_trades", **trade)).frame(bitstamp("live_trades", **trade))
    result = capture.frame(bitstamp("live_orders", id=1)).read(tmp_path)
    assert told(result)[-1] == (TRADE, -1, 100.0, 0.25)
    assert kinds(result).count(TRADE) == 1
    assert result.only.duplicates == 1
    assert "live_orders" in notes(result)


# -- Kraken: a checksum over the best levels, and a depth that levels fall out of ------------------------------


def kraken_checksum(asks: list[tuple[str, str]], bids: list[tuple[str, str]]) -> str:
    digits = "".join(text.replace(".", "").lstrip("0") for level in asks + bids for text in level)
    return str(crc32(digits.encode()))


def kraken_capture() -> Capture:
    pair = {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 2}
    levels = {
        "as": [["101.0", "1.00", f"{T0_S}.5"], ["102.0", "1.00", f"{T0_S}.5"]],
        "bs": [["100.0", "2.00", f"{T0_S}.25"]],
    }
    return (
        Capture("KRAKEN")
        .answer("0/public/AssetPairs", {"result": {"XXBTZUSD": pair, "OTHER": {}}})
        .frame({"event": "heartbeat"})
        .frame([1, levels, "book-2", "XBT/USD"])
    )


def test_kraken_levels_beyond_the_depth_fall_out(tmp_path: Path) -> None:
    capture = kraken_capture()
    checksum = kraken_checksum([("100.5", "3.00"), ("101.0", "1.00")], [("100.0", "2.00")])
    change = {"a": [["100.5", "3.00", f"{T0_S}.75"]], "c": checksum}
    result = capture.frame([1, change, "book-2", "XBT/USD"]).read(tmp_path)
    assert told(result)[4:] == [(DELTA, -1, 100.5, 3.0), (DELTA, -1, 102.0, 0.0)]
    assert result.only.sequence_gaps == 0


def test_kraken_checksums_prove_a_hole(tmp_path: Path) -> None:
    change = {"b": [["99.5", "1.00", f"{T0_S}.75"]]}
    capture = kraken_capture().frame([1, {"a": []}, {**change, "c": "1"}, "book-2", "XBT/USD"])
    trades = [["100.5", "0.10", f"{T0_S}.9", "b", "l", ""], ["100.0", "0.20", f"{T0_S}.9", "s", "l", ""]]
    capture.frame([2, trades, "trade", "XBT/USD"]).frame([3, {}, "ticker", "XBT/USD"])
    result = capture.read(tmp_path)
    assert told(result)[4:] == [
        (GAP, 0, 0.0, 0.0),
        (DELTA, 1, 99.5, 1.0),
        (TRADE, 1, 100.5, 0.1),
        (TRADE, -1, 100.0, 0.2),
    ]
    assert "checksum" in notes(result)
    assert "ticker" in notes(result)


# -- Kraken Futures: a number for each book and one for each series of trades ---------------------------------


def futures(feed: str, seq: int, **more: Any) -> dict[str, Any]:
    return {"feed": feed, "product_id": "PI_XBTUSD", "seq": seq, "timestamp": T0_MS, **more}


def futures_capture() -> Capture:
    rules = {"symbol": "pi_xbtusd", "tickSize": 0.5, "contractSize": 1}
    bids, asks = [{"price": 100.0, "qty": 5.0}], [{"price": 100.5, "qty": 6.0}]
    return (
        Capture("KRAKEN_FUTURES")
        .answer("derivatives/api/v3/instruments", {"instruments": [rules, {"symbol": "in_xbtusd"}]})
        .frame({"event": "info", "version": 1})
        .frame(futures("book_snapshot", 7, bids=bids, asks=asks))
    )


def test_kraken_futures_numbers_prove_holes_in_book_and_trades(tmp_path: Path) -> None:
    capture = futures_capture()
    capture.frame(futures("book", 8, side="buy", price=99.5, qty=3.0))
    capture.frame(futures("book", 8, side="buy", price=99.5, qty=3.0))
    capture.frame(futures("book", 11, side="sell", price=100.5, qty=0.0))
    for seq, kind in ((1, "fill"), (1, "fill"), (3, "liquidation")):
        capture.frame(futures("trade", seq, side="sell", type=kind, time=T0_MS, price=100.0, qty=2.0))
    result = capture.frame(futures("ticker", 1)).read(tmp_path)
    assert told(result)[3:] == [
        (DELTA, 1, 99.5, 3.0),
        (GAP, 0, 0.0, 2.0),
        (DELTA, -1, 100.5, 0.0),
        (TRADE, -1, 100.0, 2.0),
        (TRADE, -1, 100.0, 2.0),
    ]
    assert (result.only.sequence_gaps, result.only.lost_messages, result.only.duplicates) == (2, 3, 2)
    assert result.batches[-1].events["print_class"][-1] == PrintClass.LIQUIDATION


# -- OKX: checksums of old, numbers since, and much beside the book -------------------------------------------


def okx(channel: str, data: Any, action: str = "") -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": "BTC-USDT-SWAP"}, "action": action, "data": data}


def okx_book(action: str, bids: Any = (), asks: Any = (), **more: Any) -> dict[str, Any]:
    return okx("books", [{"bids": bids, "asks": asks, "ts": str(T0_MS), **more}], action)


def okx_capture(**more: Any) -> Capture:
    rules = [
        {"instId": "BTC-USDT-SWAP", "tickSz": "0.1", "lotSz": "1"},
        {"instId": "X", "tickSz": "", "lotSz": ""},
    ]
    return (
        Capture("OKX")
        .answer("api/v5/public/instruments?instType=SWAP", {"data": rules})
        .frame({"event": "subscribe"})
        .frame(okx_book("snapshot", [["100.0", "5", "0", "1"]], [["100.1", "6", "0", "1"]], **more))
    )


def test_okx_checksums_are_of_price_and_size_as_written(tmp_path: Path) -> None:
    signed = crc32(b"100.0:5:100.1:7")
    signed -= (1 << 32) if signed >= 1 << 31 else 0
    capture = okx_capture()
    capture.frame(okx_book("update", asks=[["100.1", "7", "0", "1"]], checksum=signed))
    capture.frame(okx_book("update", bids=[["99.9", "1", "0", "1"]], checksum=0))
    result = capture.read(tmp_path)
    assert kinds(result)[3:] == [DELTA, GAP, DELTA]
    assert "checksum" in notes(result)


def test_okx_numbers_take_the_checksums_place(tmp_path: Path) -> None:
    capture = okx_capture(seqId=5, prevSeqId=-1)
    capture.frame(okx_book("update", bids=[["100.0", "0", "0", "0"]], seqId=6, prevSeqId=5))
    capture.frame(okx_book("update", bids=[["100.0", "0", "0", "0"]], seqId=6, prevSeqId=5))
    capture.frame(okx_book("update", bids=[["99.9", "1", "0", "1"]], seqId=9, prevSeqId=8))
    result = capture.read(tmp_path)
    assert kinds(result)[3:] == [DELTA, GAP, DELTA]
    assert (result.only.duplicates, result.only.sequence_gaps) == (1, 1)


def test_okx_tells_trades_funding_open_interest_and_liquidations(tmp_path: Path) -> None:
    of = {"instId": "BTC-USDT-SWAP", "ts": str(T0_MS)}
    trade = {**of, "tradeId": "1", "px": "100.1", "sz": "2", "side": "buy"}
    funding = {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": str(T0_MS + 60_000)}
    funding["nextFundingTime"] = str(T0_MS + 28_860_000)
    liquidation = {"bkPx": "99.9", "sz": "3", "side": "sell", "ts": str(T0_MS)}
    capture = okx_capture()
    capture.frame(okx("trades", [trade, trade]))
    capture.frame(okx("funding-rate", [funding])).frame(okx("funding-rate", [funding]))
    capture.frame(okx("open-interest", [{**of, "oiCcy": "12.5"}]))
    capture.frame(okx("liquidation-orders", [{"instId": "BTC-USDT-SWAP", "details": [liquidation]}]))
    result = capture.frame(okx("tickers", [])).read(tmp_path)
    rows = [event for batch in result.batches for event in batch.events]
    found = {EventKind(int(row["kind"])): row for row in rows}
    assert kinds(result).count(TRADE) == kinds(result).count(EventKind.FUNDING) == 1
    assert int(found[EventKind.FUNDING]["price"]) == 100_000_000  # 1e-4 in units of 1e-12
    assert int(found[EventKind.FUNDING]["size"]) == 28_800
    assert int(found[EventKind.OPEN_INTEREST]["size"]) == 1_250_000_000
    assert int(found[EventKind.LIQUIDATION]["side"]) == -1
    assert result.only.duplicates == 1
    assert "tickers" in notes(result)


# -- what every venue's capture has in common -----------------------------------------------------------------


def test_a_new_connection_begins_its_books_anew(tmp_path: Path) -> None:
    capture = okx_capture(seqId=5, prevSeqId=-1).connect()
    capture.frame(okx_book("update", bids=[["99.9", "1", "0", "1"]], seqId=6, prevSeqId=5))
    assert kinds(capture.read(tmp_path))[3:] == [GAP, DELTA]
    futures_again = futures_capture().connect().frame(futures("book", 8, side="buy", price=99.5, qty=3.0))
    assert kinds(futures_again.read(tmp_path))[3:] == [GAP, DELTA]
    change = {"b": [["99.5", "1.00", f"{T0_S}.75"]]}
    kraken_again = kraken_capture().connect().frame([1, change, "book-2", "XBT/USD"])
    assert kinds(kraken_again.read(tmp_path))[4:] == [GAP, DELTA]


@pytest.mark.parametrize(
    ("venue", "frame"),
    [("OKX", {"arg": 5}), ("KRAKEN", [1, {"b": [["x"]]}, "book-y", "XBT/USD"]), ("DERIBIT", {"params": []})],
)
def test_a_frame_that_is_none_is_refused_with_its_line(venue: str, frame: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="line 3: expected a frame of the venue"):
        Capture(venue).frame(frame).read(tmp_path)


def test_a_capture_of_a_venue_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="found NOWHERE"):
        Capture("NOWHERE").read(tmp_path)
