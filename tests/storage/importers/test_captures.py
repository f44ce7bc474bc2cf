"""Captures of nine venues: whole by the rule of each venue, never crossed, and damage is named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind, PrintClass
from tests.storage.importers.reading import Read, book_states, read

VENUES = {
    "BINANCE": 4,
    "BINANCE_FUTURES": 4,
    "BITSTAMP": 10,
    "BYBIT": 6,
    "COINBASE": 2,
    "DERIBIT": 10,
    "KRAKEN": 10,
    "KRAKEN_FUTURES": 10,
    "OKX": 3,
}


def capture(dev_data: Path, venue: str) -> Path:
    return dev_data / "raw_ws" / f"cryptofeed_{venue}.jsonl.zst"


def capture_lines(dev_data: Path, venue: str) -> list[str]:
    with capture(dev_data, venue).open("rb") as packed:
        text = zstandard.ZstdDecompressor().stream_reader(packed)
        return list(io.TextIOWrapper(text, "utf-8"))


@pytest.mark.parametrize("venue", VENUES)
def test_a_capture_is_whole_and_its_books_never_cross(venue: str, dev_data: Path) -> None:
    result = read(capture(dev_data, venue))
    assert len(result.findings) == VENUES[venue]
    assert EventKind.GAP not in result.counts()
    assert all(found.lost_messages == found.sequence_gaps == 0 for found in result.findings.values())
    for instrument in result.findings:
        batches = [batch for batch in result.batches if batch.instrument == instrument]
        assert not any(book.is_crossed() for _, book in book_states(batches))


@pytest.mark.parametrize("venue", [venue for venue in VENUES if venue != "BINANCE"])
def test_the_grid_is_that_of_the_venue_in_the_capture(venue: str, dev_data: Path) -> None:
    assert {batch.rules_source for batch in read(capture(dev_data, venue)).batches} == {"venue"}


def test_values_off_the_grid_in_force_are_kept_on_a_finer_one_and_told(dev_data: Path) -> None:
    found = read(capture(dev_data, "BINANCE"))
    (batch,) = (one for one in found.batches if one.instrument == "NKNUSDT.BINANCE")
    assert str(batch.tick_size) == "0.00001"
    notes = found.findings["NKNUSDT.BINANCE"].notes
    assert any(note.startswith("34 values of price are no multiples of the tick size") for note in notes)


def test_tickers_give_funding_marks_indices_and_open_interest(dev_data: Path) -> None:
    counts = read(capture(dev_data, "BYBIT")).counts("BTCUSDT-PERP.BYBIT")
    for kind in (EventKind.FUNDING, EventKind.MARK_PRICE, EventKind.INDEX_PRICE, EventKind.OPEN_INTEREST):
        assert counts[kind] > 0


def is_book(venue: str) -> Callable[[str], bool]:
    marks = {
        "BYBIT": "orderbook.200.BTCUSDT",
        "KRAKEN": '\\"c\\"',
        "OKX": '\\"update\\"',
        "DERIBIT": "book.BTC-24SEP21-8000-P",
    }
    marks |= {
        "COINBASE": '\\"update\\",\\"product_id\\":\\"BTC-USD',
        "KRAKEN_FUTURES": '\\"book\\",\\"product_id\\":\\"PI_XBT',
    }
    marks |= {"BINANCE": "nknusdt@depth", "BINANCE_FUTURES": "sushiusdt@depth"}
    mark = {**marks, "KRAKEN_FUTURES": '\\"feed\\":\\"book\\"'}[venue]
    return lambda line: '"t":"recv"' in line and mark in line and "snapshot" not in line


def damaged(tmp_path: Path, lines: list[str]) -> Read:
    path = tmp_path / "capture"
    path.write_text("".join(lines))
    return read(path)


DAMAGED = ["BINANCE", "BINANCE_FUTURES", "BYBIT", "COINBASE", "DERIBIT", "KRAKEN", "KRAKEN_FUTURES", "OKX"]


@pytest.mark.parametrize("venue", DAMAGED)
def test_a_dropped_book_message_is_a_gap(venue: str, tmp_path: Path, dev_data: Path) -> None:
    lines = capture_lines(dev_data, venue)
    places = [number for number, line in enumerate(lines) if is_book(venue)(line)]
    at = places[len(places) // 2]
    result = damaged(tmp_path, lines[:at] + lines[at + 1 :])
    assert sum(found.lost_messages for found in result.findings.values()) >= 1
    assert result.counts()[EventKind.GAP] >= 1


@pytest.mark.parametrize("venue", [one for one in DAMAGED if one not in ("KRAKEN", "OKX")])
def test_a_repeated_book_message_is_counted(venue: str, tmp_path: Path, dev_data: Path) -> None:
    lines = capture_lines(dev_data, venue)
    places = [number for number, line in enumerate(lines) if is_book(venue)(line)]
    at = places[len(places) // 2]
    result = damaged(tmp_path, [*lines[: at + 1], lines[at], *lines[at + 1 :]])
    assert sum(found.duplicates for found in result.findings.values()) == 1
    assert EventKind.GAP not in result.counts()


def test_a_changed_size_breaks_the_checksum_of_kraken(tmp_path: Path, dev_data: Path) -> None:
    lines = capture_lines(dev_data, "KRAKEN")
    at = next(n for n, line in enumerate(lines) if "book-1000" in line and '\\"a\\"' in line)
    record = json.loads(lines[at])
    message = json.loads(record["data"])
    message[1]["c"] = str(int(message[1]["c"]) ^ 1)
    record["data"] = json.dumps(message)
    result = damaged(tmp_path, [*lines[:at], json.dumps(record) + "\n", *lines[at + 1 :]])
    notes = [note for found in result.findings.values() for note in found.notes]
    assert any("the checksum of the best levels does not agree" in note for note in notes)


def test_a_receive_time_that_runs_backwards_is_counted(tmp_path: Path, dev_data: Path) -> None:
    lines = capture_lines(dev_data, "BYBIT")
    record = json.loads(lines[1000])
    record["ts"] -= 5
    result = damaged(tmp_path, [*lines[:1000], json.dumps(record) + "\n", *lines[1001:]])
    assert all(found.backward_clock >= 1 for found in result.findings.values())


def test_a_cut_last_line_is_named(tmp_path: Path, dev_data: Path) -> None:
    lines = capture_lines(dev_data, "BYBIT")
    result = damaged(tmp_path, [*lines, lines[-1][:40]])
    assert all("cut short" in found.notes[-1] for found in result.findings.values())


def test_a_capture_of_another_format_is_refused_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="found format 3"):
        damaged(tmp_path, ['{"t":"header","format":3,"exchange":"BYBIT"}\n'])


def test_a_capture_of_an_unknown_venue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="found MTGOX"):
        damaged(tmp_path, ['{"t":"header","format":2,"exchange":"MTGOX"}\n'])


def bybit_capture(frames: list[tuple[float, dict[str, Any]]]) -> list[str]:
    """A capture of one connection to the linear stream."""
    header = {"t": "header", "format": 2, "exchange": "BYBIT"}
    connect = {"t": "connect", "conn": "a", "ts": frames[0][0], "addr": "wss://x/v5/public/linear"}
    rows = [{"t": "recv", "conn": "a", "ts": ts, "data": json.dumps(frame)} for ts, frame in frames]
    return [json.dumps(row, separators=(",", ":")) + "\n" for row in [header, connect, *rows]]


def book(u: int, kind: str, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": u}
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1_700_000_000_000 + u, "data": data}


def test_a_hole_of_three_messages_is_a_gap_of_three(tmp_path: Path) -> None:
    snapshot = book(10, "snapshot", [["100.0", "1"]], [["100.5", "2"]])
    frames = [(1_700_000_001.0, snapshot), (1_700_000_002.0, book(14, "delta", [["100.0", "0"]], []))]
    result = damaged(tmp_path, bybit_capture(frames))
    (batch,) = result.batches
    (gap,) = batch.events[batch.events["kind"] == EventKind.GAP]
    assert gap["size"] == 3
    assert result.only.lost_messages == 3
    assert batch.book_levels == 50


def test_a_snapshot_in_mid_stream_begins_the_book_anew(tmp_path: Path) -> None:
    first = book(10, "snapshot", [["100.0", "1"]], [["100.5", "2"]])
    again = book(1, "snapshot", [["99.0", "1"]], [["99.5", "2"]])
    result = damaged(tmp_path, bybit_capture([(1_700_000_001.0, first), (1_700_000_002.0, again)]))
    states = [book.copy() for _, book in book_states(result.batches)]
    assert [len(bids) for bids, _ in states] == [1, 1]
    assert EventKind.GAP not in result.counts()


def test_block_and_rpi_trades_keep_their_class(tmp_path: Path) -> None:
    prints = [
        {"T": 1_700_000_000_000, "s": "BTCUSDT", "S": side, "v": "1", "p": "100", "i": str(number), **marks}
        for number, (side, marks) in enumerate(
            [("Buy", {"BT": False}), ("Sell", {"BT": True}), ("Buy", {"BT": False, "RPI": True})]
        )
    ]
    frame = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1_700_000_000_001, "data": prints}
    (batch,) = damaged(tmp_path, bybit_capture([(1_700_000_001.0, frame)])).batches
    assert batch.events["side"].tolist() == [1, -1, 1]
    assert batch.events["print_class"].tolist() == [PrintClass.NORMAL, PrintClass.BLOCK, PrintClass.RPI]


def test_a_liquidated_long_is_a_sell(tmp_path: Path) -> None:
    data = [{"T": 1_700_000_000_000, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "100"}]
    frame = {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": 1_700_000_000_001, "data": data}
    (batch,) = damaged(tmp_path, bybit_capture([(1_700_000_001.0, frame)])).batches
    assert batch.events["kind"].tolist() == [EventKind.LIQUIDATION]
    assert batch.events["side"].tolist() == [-1]


def test_two_depths_of_one_book_are_kept_apart(tmp_path: Path) -> None:
    deep = book(5, "snapshot", [["100.0", "1"]], [])
    shallow = {**book(7, "snapshot", [["100.0", "1"]], []), "topic": "orderbook.1.BTCUSDT"}
    result = damaged(tmp_path, bybit_capture([(1_700_000_001.0, deep), (1_700_000_002.0, shallow)]))
    assert sorted(batch.book_levels for batch in result.batches) == [1, 50]
