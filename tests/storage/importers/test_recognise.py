"""A file is what it holds: under any name, in any packing, and nothing else is taken for it."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from headwater.domain.errors import ImportRefusedError
from headwater.storage.compressed import INFLATED_BYTES_MAX, chunks, line_blocks, read_all, read_head
from headwater.storage.importers import importers, recognise
from tests.storage.importers.reading import read

FORMATS = {
    "l2/binance_usdm_btcusdt_20240808.gz": "hftbacktest-raw",
    "l2/binance_spot_ethusdt_20240809.gz": "hftbacktest-raw",
    "l2/binance_spot_20201101T09/ETHBTC_update.json.gz": "binance-json-array",
    "l2/binance_spot_20201101T09/ETHBTC_trades.json.gz": "binance-json-array",
    "l2/binance_spot_20201101T09/BTCUSDT_snapshot.json.gz": "binance-json-array",
    "l2/binance_usdm_TRXUSDT_diffdepth_20250304.csv.gz": "binance-diff-csv",
    "l2/binance_spot_BTCUSDT_depthsnapshots_20250414.csv.gz": "binance-snapshot-csv",
    "l2/bybit_linear_XRPUSDT_ob500_20241201.data.zip": "bybit-book-archive",
    "l2/bybit_top5_78symbols_20240701.csv.gz": "bybit-top5-csv",
    "l2/bitfinex_BTCUSD_L3_rawbook_2021.json.gz": "bitfinex-raw-book",
    "raw_ws/cryptofeed_BYBIT.jsonl.zst": "cryptofeed-capture",
    "raw_ws/hyperliquid_BTC_20250126.gz": "hyperliquid-raw",
    "raw_ws/fastmoon_202401-03.tar.gz": "fastmoon",
    "trades/tardis_binance-futures_BTCUSDT_trades_20200222.csv.gz": "tardis-csv",
    "trades/tardis_binance-futures_BTCUSDT_quotes_20200222.csv.gz": "tardis-csv",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_real_file_is_recognised_under_another_name(name: str, dev_data: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "data.bin"
    renamed.symlink_to(dev_data / name)
    assert recognise(renamed).name == FORMATS[name]


def test_every_real_market_file_is_of_exactly_one_format(dev_data: Path) -> None:
    folders = ("l2", "raw_ws", "trades", "liquidations", "ohlcv", "funding_oi")
    for folder in folders:
        for path in sorted((dev_data / folder).rglob("*")):
            if path.is_file():
                recognise(path)


def test_names_of_importers_are_unique() -> None:
    names = [importer.name for importer in importers()]
    assert len(names) == len(set(names))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    with pytest.raises(ImportRefusedError, match="found an empty file"):
        recognise(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="cannot be opened: No such file"):
        recognise(tmp_path / "absent")


def test_an_unknown_file_is_refused_with_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("Dear diary")
    with pytest.raises(ImportRefusedError, match=r"known formats .*tardis-csv.*found 'Dear diary'"):
        recognise(path)


TEXT = b"first line\n" + b"x" * 3_000_000 + b"\nlast line\n"


def packed(tmp_path: Path, packing: str) -> Path:
    path = tmp_path / "x"
    if packing == "plain":
        path.write_bytes(TEXT)
    elif packing == "gzip":
        path.write_bytes(gzip.compress(TEXT[:1_000_000]) + gzip.compress(TEXT[1_000_000:]))
    elif packing == "zstandard":
        one, two = (
            zstandard.ZstdCompressor().compress(part) for part in (TEXT[:1_000_000], TEXT[1_000_000:])
        )
        path.write_bytes(one + two)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.csv", TEXT)
    return path


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstandard", "zip"])
def test_a_packing_gives_back_its_bytes(packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path, packing)
    seen: list[int] = []
    assert read_all(path, seen.append) == TEXT
    assert seen == sorted(seen)
    assert seen[-1] <= path.stat().st_size
    assert read_head(path, 10) == TEXT[:10]
    blocks = list(line_blocks(path))
    assert b"".join(blocks) == TEXT
    assert all(block.endswith(b"\n") for block in blocks)


def test_text_that_packs_extremely_well_comes_in_bounded_pieces(tmp_path: Path) -> None:
    text = b"0" * 50_000_000
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(text))
    sizes = [len(chunk) for chunk in chunks(path)]
    assert sum(sizes) == len(text)
    assert max(sizes) <= INFLATED_BYTES_MAX


@pytest.mark.parametrize("packing", ["gzip", "zstandard", "zip"])
def test_a_packing_that_was_cut_is_refused(packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path, packing)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImportRefusedError, match="expected a whole"):
        list(chunks(path))


@pytest.mark.parametrize("packing", ["gzip", "zstandard"])
def test_a_packing_with_a_wrong_byte_is_refused(packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path, packing)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ImportRefusedError, match="found damage near byte"):
        list(chunks(path))


def test_a_zip_of_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    with pytest.raises(ImportRefusedError, match="expected a zip of one file, found 2"):
        read(path)


def test_a_damaged_tar_is_refused(tmp_path: Path) -> None:
    member = tmp_path / "a.json"
    member.write_text('[{"timestamp": 1706188116.1, "data": {}}]' + " " * 50_000)
    path = tmp_path / "x"
    with tarfile.open(path, "w") as archive:
        archive.add(member, "a.json")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ImportRefusedError):
        read(path)
