"""Real recordings through import and certificate: true defects are named, no false one, also when damaged."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from headwater.domain.errors import HeadwaterError, ImportRefusedError
from headwater.storage.catalog import Catalog
from headwater.storage.import_job import ImportReport, import_file
from headwater.storage.rules_files import load_rulebook
from headwater.tape.certificate import Certificate


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "tape", create=True)


def bring_in(catalog: Catalog, path: Path, instrument: str | None = None) -> ImportReport:
    rulebook = load_rulebook()

    def grid(instrument: str, ts: int):  # type: ignore[no-untyped-def]
        return rulebook.grid(instrument, ts)

    def ignore(bytes_done: int) -> None:
        """Nobody watches."""

    return import_file(catalog, path, instrument=instrument, grid=grid, progress=ignore)


def certificates(catalog: Catalog) -> dict[str, Certificate]:
    return {dataset.name: catalog.certify(dataset) for dataset in catalog.datasets()}


def said(certificate: Certificate) -> str:
    return " | ".join(finding.words for finding in certificate.findings)


@pytest.mark.parametrize(
    ("files", "instrument", "messages"),
    [
        (["binance_usdm_btcusdt_20240808.gz"], "BTCUSDT-PERP.BINANCE", 6_548),
        (["binance_spot_ethusdt_20240808.gz", "binance_spot_ethusdt_20240809.gz"], "ETHUSDT.BINANCE", 6_469),
    ],
)
def test_binance_captures_have_no_gap_and_no_crossed_book(
    catalog: Catalog, dev_data: Path, files: list[str], instrument: str, messages: int
) -> None:
    for name in files:
        bring_in(catalog, dev_data / "l2" / name)
    certificate = certificates(catalog)[f"{instrument}/book"]
    assert certificate.trusted, certificate.reasons
    assert certificate.measures["book_messages"] == messages
    assert certificate.measures["crossed_messages"] == 0
    assert certificate.measures["book_trusted_share"] == 1.0
    assert "the receive clock was 1.27" in said(certificate)
    trades = certificates(catalog)[f"{instrument}/trades"]
    assert trades.trusted
    assert trades.measures["trades_before_book_share"] > 0.9
    assert 18 < trades.measures["trade_to_book_ms_p50"] < 84


def test_contiguous_days_imported_apart_continue_each_other(catalog: Catalog, dev_data: Path) -> None:
    first, second = (dev_data / "l2" / f"binance_spot_ethusdt_2024080{day}.gz" for day in (8, 9))
    bring_in(catalog, second)
    assert not certificates(catalog)["ETHUSDT.BINANCE/book"].trusted
    other = Catalog(catalog.path.with_name("other"), create=True)
    bring_in(other, first)
    bring_in(Catalog(other.path), second)
    assert certificates(other)["ETHUSDT.BINANCE/book"].trusted


def test_a_capture_without_one_message_is_not_trusted(
    catalog: Catalog, dev_data: Path, tmp_path: Path
) -> None:
    lines = gzip.decompress((dev_data / "l2" / "binance_spot_ethusdt_20240808.gz").read_bytes()).splitlines(
        True
    )
    depth = [number for number, line in enumerate(lines) if b'"depthUpdate"' in line]
    del lines[depth[len(depth) // 2]]
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(b"".join(lines), 1))
    bring_in(catalog, damaged)
    certificate = certificates(catalog)["ETHUSDT.BINANCE/book"]
    assert not certificate.trusted
    assert "1 gaps by sequence number" in said(certificate)


def test_a_capture_cut_in_the_middle_of_its_packing_is_refused_whole(
    catalog: Catalog, dev_data: Path, tmp_path: Path
) -> None:
    whole = (dev_data / "l2" / "binance_spot_ethusdt_20240808.gz").read_bytes()
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportRefusedError, match=r"cut\.gz: expected a whole gzip stream"):
        bring_in(catalog, cut)
    assert catalog.datasets() == []


def test_a_crash_that_was_real_and_idle_minutes_do_not_fail(catalog: Catalog, dev_data: Path) -> None:
    bring_in(catalog, dev_data / "ohlcv" / "bitfinex_XRPUSD_1m_2018.parquet", "XRPUSD.BITFINEX")
    certificate = certificates(catalog)["XRPUSD.BITFINEX/bars-1m"]
    assert certificate.trusted, certificate.reasons
    assert "-38.8% (robust z 419) at 2018-04-25 10:30:00" in said(certificate)
    assert "36785 bars are absent in 26417 holes" in said(certificate)


def test_halts_of_the_venue_are_noted(catalog: Catalog, dev_data: Path) -> None:
    bring_in(catalog, dev_data / "ohlcv" / "binance_usdm_BTCUSDT_5m_20241231.parquet", "BTCUSDT-PERP.BINANCE")
    certificate = certificates(catalog)["BTCUSDT-PERP.BINANCE/bars-5m"]
    assert certificate.trusted
    assert "3 from 2025-08-29 06:20:00, 2 from 2025-01-29 01:25:00" in said(certificate)


def dropped(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame[:500], frame[503:]])


def repeated(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame[:500], frame[499:]])


def swapped(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame[:500], frame[501:502], frame[500:501], frame[502:]])


def shifted(frame: pl.DataFrame) -> pl.DataFrame:
    later = frame[500:].with_columns(pl.col("date").dt.offset_by("90s"))
    return pl.concat([frame[:500], later])


def without_a_price(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        close=pl.when(pl.int_range(pl.len()) == 500).then(None).otherwise(pl.col("close"))
    )


def below_zero(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(low=pl.when(pl.int_range(pl.len()) == 500).then(-1.0).otherwise(pl.col("low")))


def tenfold(frame: pl.DataFrame) -> pl.DataFrame:
    hit = pl.int_range(pl.len()) == 500
    return frame.with_columns(
        pl.when(hit).then(pl.col(name) * 10).otherwise(pl.col(name)).alias(name)
        for name in ("open", "high", "low", "close")
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (dropped, "3 bars are absent in 1 holes"),
        (repeated, "1 records repeat an earlier one and were dropped"),
        (swapped, "expected times that rise"),
        (shifted, "late against the rows before it"),
        (without_a_price, "close"),
        (below_zero, "expected a price above 0"),
        (tenfold, "1 bars lie wholly more than a factor 1.5 off"),
    ],
)
def test_damaged_candles_are_refused_or_named(
    catalog: Catalog,
    dev_data: Path,
    tmp_path: Path,
    damage: Callable[[pl.DataFrame], pl.DataFrame],
    words: str,
) -> None:
    frame = pl.read_parquet(dev_data / "ohlcv" / "binance_usdm_ETHUSDT_5m_20241231.parquet")[:2_000]
    path = tmp_path / "under another name.bin"
    damage(frame).write_parquet(path)
    try:
        bring_in(catalog, path, "ETHUSDT-PERP.BINANCE")
    except HeadwaterError as error:
        message = str(error)
        assert words in message
        assert "\n" not in message
        assert path.name in message
        assert catalog.datasets() == []
        return
    (certificate,) = certificates(catalog).values()
    assert words in said(certificate)
    assert certificate.trusted == (damage is repeated), "an exact repetition is dropped, all else fails"


def test_truncated_candles_are_refused_in_one_line(catalog: Catalog, dev_data: Path, tmp_path: Path) -> None:
    whole = (dev_data / "ohlcv" / "binance_usdm_ETHUSDT_5m_20241231.parquet").read_bytes()
    path = tmp_path / "cut.parquet"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HeadwaterError, match=r"cut\.parquet") as refused:
        bring_in(catalog, path, "ETHUSDT-PERP.BINANCE")
    assert "\n" not in str(refused.value)
    assert catalog.datasets() == []
