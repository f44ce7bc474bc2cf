"""Recordings that lost every second message are quarantined with the count; examples are left out."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind
from tests.storage.importers.reading import Read, read


@pytest.fixture(scope="module")
def archive(dev_data: Path) -> Read:
    return read(dev_data / "raw_ws" / "fastmoon_202401-03.tar.gz")


@pytest.fixture(scope="module")
def members(dev_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fastmoon")
    with tarfile.open(dev_data / "raw_ws" / "fastmoon_202401-03.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return folder / "data"


def notes(result: Read) -> list[str]:
    return [note for found in result.findings.values() for note in found.notes]


def test_the_lossy_bybit_books_are_quarantined_with_the_count(members: Path) -> None:
    result = read(members / "bybit_btcusdt_perpetual_depth.4b07737c.json")
    assert result.only.sequence_gaps == 329
    assert result.only.lost_messages == 329
    assert result.counts()[EventKind.GAP] == 330  # and one before the first, which no snapshot precedes


def test_the_book_is_never_trusted_between_two_holes(archive: Read) -> None:
    """Every second message is missing, so GAP records stand among the deltas as often."""
    counts = archive.counts("BTCUSDT-PERP.BYBIT")
    assert archive.findings["BTCUSDT-PERP.BYBIT"].lost_messages > 900
    assert counts[EventKind.GAP] > 900


def test_two_sessions_in_one_file_have_a_gap_between_them(members: Path) -> None:
    result = read(members / "bybit_btcusdc_spot_depth.4852a469.json")
    assert result.counts()[EventKind.GAP] == 1
    assert any("two sessions in one file: silent for 44.4 hours" in note for note in result.only.notes)


def test_a_truncated_member_is_refused_alone_and_reported_among_others(members: Path, archive: Read) -> None:
    name = "data_2/bybit_btcusdt_spot_depth.77de4f8e.json"
    with pytest.raises(ImportRefusedError, match="truncated"):
        read(members / name)
    assert any(name in note and "truncated" in note for note in notes(archive))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("data_2/binance_btcusdt_perpetual_liquidations.107127e9.json", "examples from the venue's manual"),
        ("data_2/bybit_btcusdt_perpetual_liquidations.15ce50a6.json", "examples from the venue's manual"),
        (
            "binance_btcusdt_perpetual_liquidations.05d992e3.json",
            "expected liquidations, found 1 of order books",
        ),
        ("deribit_btcusd_perpetual_depth.404ae410.json", "test network"),
        ("bybit_btcusd_perpetual_GTA.125beae5.json", "no place for GTA"),
    ],
)
def test_what_is_no_market_data_is_refused_with_the_reason(
    name: str, reason: str, members: Path, archive: Read
) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        read(members / name)
    assert any(name in note and reason in note for note in notes(archive))


def test_only_the_okx_liquidations_are_real(archive: Read) -> None:
    liquidated = {
        batch.instrument for batch in archive.batches if (batch.events["kind"] == EventKind.LIQUIDATION).any()
    }
    assert liquidated
    assert all(instrument.endswith("-SWAP.OKX") for instrument in liquidated)


def test_a_member_that_repeats_another_is_left_out(archive: Read) -> None:
    assert any("d56e17d2" in note and "it repeats" in note for note in notes(archive))


def test_a_file_says_what_it_is_under_any_name(members: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "x.bin"
    renamed.write_bytes((members / "data_2/bybit_btcusdt_perpetual_depth.c11c870a.json").read_bytes())
    assert list(read(renamed).findings) == ["BTCUSDT-PERP.BYBIT"]


def test_a_bybit_file_that_does_not_say_its_market_asks_for_it(members: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "x.bin"
    renamed.write_bytes((members / "bybit_btcusdt_perpetual_depth.4b07737c.json").read_bytes())
    with pytest.raises(ImportRefusedError, match="--instrument"):
        read(renamed)
    assert list(read(renamed, "BTCUSDT-PERP.BYBIT").findings) == ["BTCUSDT-PERP.BYBIT"]
