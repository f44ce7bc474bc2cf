"""Pictures of a book, and archives without a receive clock: certified as what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.reading import book_states, read


def test_polled_best_levels_are_certified_as_conflated(dev_data: Path) -> None:
    result = read(dev_data / "l2" / "bybit_top5_78symbols_20240701.csv.gz")
    assert len(result.findings) == 78
    assert result.counts()[EventKind.BOOK_CLEAR] == 1068
    assert all(found.conflated.startswith("REST polls") for found in result.findings.values())
    assert {batch.book_levels for batch in result.batches} == {5}


def test_a_poll_that_is_malformed_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    good = "both,BTCUSDT,1719823044587.1501,1719823044454,\"[[['1', '2']], [['3', '4']]]\"\n"
    path.write_text(good + good.replace("1719823044454", "soon"))
    with pytest.raises(ImportRefusedError, match="line 2"):
        read(path)


def test_a_repeated_poll_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("both,BTCUSDT,1719823044587.1501,1719823044454,\"[[['1', '2']], [['3', '4']]]\"\n" * 2)
    result = read(path)
    assert result.only.duplicates == 1
    assert result.counts()[EventKind.BOOK_CLEAR] == 1


def test_hyperliquid_books_are_pictures_and_old_prints_are_left_out(dev_data: Path) -> None:
    result = read(dev_data / "raw_ws" / "hyperliquid_BTC_20250126.gz")
    assert list(result.findings) == ["BTC-PERP.HYPERLIQUID"]
    assert result.only.conflated
    assert any("printed before the recording began" in note for note in result.only.notes)
    assert not any(book.is_crossed() for _, book in book_states(result.batches))


def test_the_book_archive_of_bybit_is_whole_and_has_no_receive_clock(dev_data: Path) -> None:
    result = read(dev_data / "l2" / "bybit_linear_XRPUSDT_ob500_20241201.data.zip")
    assert list(result.findings) == ["XRPUSDT-PERP.BYBIT"]
    assert result.only.sequence_gaps == 0
    assert not result.only.latency_usable
    assert {batch.book_levels for batch in result.batches} == {500}
    states = [book.is_crossed() for _, book in book_states(result.batches)]
    assert len(states) == 50
    assert not any(states)


def test_a_book_without_any_time_is_refused(dev_data: Path) -> None:
    with pytest.raises(ImportRefusedError, match="no timestamp and no sequence number"):
        read(dev_data / "l2" / "bitfinex_BTCUSD_L3_rawbook_2021.json.gz")


def test_the_user_may_name_the_only_instrument_but_not_one_of_several(dev_data: Path) -> None:
    assert list(read(dev_data / "raw_ws" / "hyperliquid_BTC_20250126.gz", "X.Y").findings) == ["X.Y"]
    with pytest.raises(ImportRefusedError, match="names one instrument, but the file holds"):
        read(dev_data / "raw_ws" / "cryptofeed_OKX.jsonl.zst", "X.Y")
