"""``headwater tape`` as a person runs it: what it prints, what it leaves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from headwater.cli.app import run
from headwater.domain.event import Events
from headwater.storage.export import HFTBACKTEST_DTYPE
from headwater.storage.segment_log import SegmentInstrument, SegmentWriter
from tests.tape.events import DAY_NS, NOON, bar, delta, gap, snapshot, tape, trade

INSTRUMENT = SegmentInstrument(
    id="BTCUSDT-PERP.BYBIT", tick_size=Decimal("0.10"), lot_size=Decimal("0.001"), rules_source="venue"
)

HEALTHY = tape(
    snapshot(NOON, [(99, 5), (98, 2)], [(101, 4)]),
    trade(NOON + 10**9, 101, 2),
    delta(NOON + 2 * 10**9, (-1, 101, 2)),
    trade(NOON + 3 * 10**9, 99, 1, side=-1),
)


def recording(path: Path, events: Events = HEALTHY) -> Path:
    with SegmentWriter(path, [INSTRUMENT]) as log:
        log.append(events)
    return path


@pytest.fixture
def catalog(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """A catalog of one healthy recording."""
    path = tmp_path / "tape"
    assert run(["tape", "import", str(recording(tmp_path / "rec.log")), "--catalog", str(path)]) == 0
    capfd.readouterr()
    return path


def one_line(capfd: pytest.CaptureFixture[str]) -> str:
    shown = capfd.readouterr().err
    assert shown.count("\n") == 1
    assert shown.startswith("error: ")
    return shown


def test_an_import_says_what_it_brought_in(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = recording(tmp_path / "rec.log")
    arguments = ["tape", "import", str(log), "--catalog", str(tmp_path / "tape")]
    assert run(arguments) == 0
    assert "7 records of BTCUSDT-PERP.BYBIT (headwater-segment-log)" in capfd.readouterr().out
    log.rename(tmp_path / "other.name")
    assert run([*arguments[:2], str(tmp_path / "other.name"), *arguments[3:]]) == 0
    assert "is there already, as rec.log (import 1); nothing to do" in capfd.readouterr().out


def test_bytes_that_a_killed_recorder_left_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = recording(tmp_path / "rec.log")
    with log.open("ab") as file:
        file.write(b"half a block")
    assert run(["tape", "import", str(log), "--catalog", str(tmp_path / "tape")]) == 0
    assert run(["tape", "info", "--catalog", str(tmp_path / "tape")]) == 0
    assert "12 bytes behind the last whole block were dropped" in capfd.readouterr().out


def test_one_bad_file_does_not_keep_the_others_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    good = recording(tmp_path / "rec.log")
    assert run(["tape", "import", str(empty), str(good), "--catalog", str(tmp_path / "tape")]) == 2
    shown = capfd.readouterr()
    assert "7 records" in shown.out
    assert "empty.csv: expected market data, found an empty file" in shown.err


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["tape", "import", str(tmp_path / "none"), "--catalog", str(tmp_path / "tape")]) == 2
    assert "expected a file to import, found nothing; check the path" in one_line(capfd)
    assert not (tmp_path / "tape").exists()
    assert run(["tape", "import", str(tmp_path), "--catalog", str(tmp_path / "tape")]) == 2
    assert "found a folder" in one_line(capfd)


def test_garbage_is_refused_with_what_was_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    garbage = tmp_path / "garbage.bin"
    garbage.write_bytes(b"\x00\x01nothing that anybody knows")
    assert run(["tape", "import", str(garbage), "--catalog", str(tmp_path / "tape")]) == 2
    assert "expected one of the known formats" in one_line(capfd)
    assert run(["tape", "verify", "--catalog", str(tmp_path / "tape")]) == 2
    assert "expected datasets, found none; import a file first" in one_line(capfd)


def test_a_catalog_that_is_trusted_verifies_with_zero(
    catalog: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["tape", "verify", "--catalog", str(catalog)]) == 0
    shown = capfd.readouterr().out
    assert "BTCUSDT-PERP.BYBIT/book" in shown
    assert "book trusted 100.00% of the time" in shown
    assert "2 of 2 datasets are trusted" in shown


def test_a_lossy_catalog_verifies_with_one_and_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = recording(tmp_path / "rec.log", tape(HEALTHY, gap(NOON + 4 * 10**9, 3)))
    assert run(["tape", "import", str(log), "--catalog", str(tmp_path / "tape")]) == 0
    capfd.readouterr()
    assert run(["tape", "verify", "--catalog", str(tmp_path / "tape"), "--json"]) == 1
    datasets = json.loads(capfd.readouterr().out)["datasets"]
    assert [(one["group"], one["trusted"]) for one in datasets] == [("book", False), ("trades", True)]
    assert datasets[0]["reasons"] == ["1 gaps by sequence number, 3 messages lost"]
    assert run(["tape", "verify", "--catalog", str(tmp_path / "tape")]) == 1
    assert "NOT TRUSTED" in capfd.readouterr().out


def test_what_cannot_be_verified_ends_with_two(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["tape", "verify", "--catalog", str(tmp_path / "none")]) == 2
    assert "found no catalog.json" in one_line(capfd)


def test_verify_names_the_instruments_there_are(catalog: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["tape", "verify", "--catalog", str(catalog), "--instrument", "X.Y"]) == 2
    assert "expected data of X.Y, found none; it has BTCUSDT-PERP.BYBIT" in one_line(capfd)


def test_a_damaged_part_cannot_be_verified(catalog: Path, capfd: pytest.CaptureFixture[str]) -> None:
    part = next(catalog.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-4])
    assert run(["tape", "verify", "--catalog", str(catalog)]) == 2
    assert "expected a whole Parquet part, found damage" in one_line(capfd)


def test_list_and_info_describe_the_datasets(catalog: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["tape", "list", "--catalog", str(catalog)]) == 0
    assert "2024-08-08 12:00:00" in capfd.readouterr().out
    assert run(["tape", "list", "--catalog", str(catalog), "--json"]) == 0
    assert [one["group"] for one in json.loads(capfd.readouterr().out)] == ["book", "trades"]
    assert run(["tape", "info", "--catalog", str(catalog)]) == 0
    assert "rec.log (headwater-segment-log), clock as recorded" in capfd.readouterr().out
    assert run(["tape", "info", "--catalog", str(catalog), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)[0]["sources"][0]["name"] == "rec.log"


def export(catalog: Path, to: Path, *more: str) -> int:
    instrument = ["--instrument", "BTCUSDT-PERP.BYBIT"]
    return run(["tape", "export", "--catalog", str(catalog), *instrument, "--to", str(to), *more])


def test_csv_and_parquet_carry_exact_decimals(catalog: Path, tmp_path: Path) -> None:
    assert export(catalog, tmp_path / "out.csv", "--kinds", "trades") == 0
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[0].startswith('"ts_local","ts_venue","kind","side","price","size"')
    assert rows[1] == '2024-08-08 12:00:01.000000000Z,2024-08-08 12:00:01.000000000Z,"trade",1,10.1,0.002,7,0'
    assert export(catalog, tmp_path / "out.parquet") == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("kind").to_pylist()[:2] == ["book_clear", "book_snapshot"]
    assert table.column("price").to_pylist()[:2] == [None, Decimal("9.9")]


def test_a_time_range_is_exported_with_the_book_as_it_stood(catalog: Path, tmp_path: Path) -> None:
    bounds = ("--start", "2024-08-08T12:00:02.5", "--end", "2024-08-08T12:01")
    assert export(catalog, tmp_path / "out.parquet", *bounds) == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("kind").to_pylist() == ["book_clear", *["book_snapshot"] * 3, "trade"]


def test_npz_is_what_hftbacktest_reads(catalog: Path, tmp_path: Path) -> None:
    assert export(catalog, tmp_path / "out.npz") == 0
    data = np.load(tmp_path / "out.npz")["data"]
    assert data.dtype == HFTBACKTEST_DTYPE
    kinds = (data["ev"] & 0xFF).tolist()
    assert kinds == [3, 3, 4, 4, 4, 2, 1, 2]
    assert (data["ev"] >> 28).tolist() == [0b1110, 0b1101, 0b1110, 0b1110, 0b1101, 0b1110, 0b1101, 0b1101]
    assert data["px"][2:6].tolist() == [9.9, 9.8, 10.1, 10.1], "the doubles of the decimals, to the last bit"
    assert data["qty"][5] == 0.002


def test_an_exported_npz_is_the_same_tape_when_it_comes_back(catalog: Path, tmp_path: Path) -> None:
    assert export(catalog, tmp_path / "out.npz") == 0
    again = str(tmp_path / "again")
    more = ["--catalog", again, "--instrument", "BTCUSDT-PERP.BYBIT"]
    assert run(["tape", "import", str(tmp_path / "out.npz"), *more]) == 0
    assert export(catalog, tmp_path / "a.csv", "--kinds", "trades") == 0
    assert export(Path(again), tmp_path / "b.csv", "--kinds", "trades") == 0
    exact = [
        [row.split(",")[:6] for row in (tmp_path / name).read_text().splitlines()]
        for name in ("a.csv", "b.csv")
    ]
    assert [[*row[:4], Decimal(row[4]), Decimal(row[5])] for row in exact[0][1:]] == [
        [*row[:4], Decimal(row[4]), Decimal(row[5])] for row in exact[1][1:]
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--kinds", "candles"), "expected kinds among book, trades"),
        (("--start", "yesterday"), "expected a time such as 2024-08-08T23:55, found 'yesterday'"),
        (("--start", "2025-01-01"), "in the time asked for, found none"),
    ],
)
def test_wrong_options_are_one_line(
    catalog: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], more: tuple[str, ...], words: str
) -> None:
    assert export(catalog, tmp_path / "out.csv", *more) == 2
    assert words in one_line(capfd)
    assert not (tmp_path / "out.csv").exists()


def test_an_unknown_target_is_one_line(
    catalog: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert export(catalog, tmp_path / "out.xlsx") == 2
    assert "expected a target ending in .parquet, .csv, .npz, found '.xlsx'" in one_line(capfd)
    assert export(catalog, tmp_path / "none" / "out.csv") == 2
    assert "No such file" in one_line(capfd)


def plot(catalog: Path, to: Path) -> int:
    instrument = ["--instrument", "BTCUSDT-PERP.BYBIT"]
    return run(["tape", "plot", "--catalog", str(catalog), *instrument, "--to", str(to)])


def test_a_plot_is_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    minute = 60 * 10**9
    events = tape(HEALTHY, bar(NOON, minute, (99, 102, 98, 100)), gap(NOON + minute, 2))
    path = tmp_path / "tape"
    assert run(["tape", "import", str(recording(tmp_path / "a.log", events)), "--catalog", str(path)]) == 0
    assert plot(path, tmp_path / "out.html") == 0
    page = (tmp_path / "out.html").read_text()
    assert "BTCUSDT-PERP.BYBIT" in page
    assert "<script src=" not in page


def test_nothing_to_plot_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tape"
    assert (
        run(["tape", "import", str(recording(tmp_path / "a.log", gap(NOON, 2))), "--catalog", str(path)]) == 0
    )
    capfd.readouterr()
    assert plot(path, tmp_path / "out.html") == 2
    assert "expected trades, candles or a book of BTCUSDT-PERP.BYBIT to draw" in one_line(capfd)


def test_help_shows_examples(capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("import", "verify", "list", "info", "export", "plot"):
        assert run(["tape", command, "--help"]) == 0
        assert f"headwater tape {command}" in " ".join(capfd.readouterr().out.split())


def test_rules_of_further_instruments_come_from_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = recording(tmp_path / "rec.log")
    arguments = ["tape", "import", str(log), "--catalog", str(tmp_path / "tape"), "--rules"]
    assert run([*arguments, str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in one_line(capfd)


def test_ctrl_c_leaves_the_catalog_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "large.log"
    events = np.repeat(trade(NOON, 1), 1_000_000)
    with SegmentWriter(log, [INSTRUMENT]) as writer:
        for number in range(12):
            events["ts_local"] = NOON + number * DAY_NS
            writer.append(events)
    path = tmp_path / "tape"
    command = [sys.executable, "-m", "headwater.cli.app"]
    program = "from headwater.cli.app import main; main()"
    command = [sys.executable, "-c", program, "tape", "import", str(log), "--catalog", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    staging = path / ".staging"
    while process.poll() is None and not (staging.is_dir() and any(staging.iterdir())):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    _, shown = process.communicate()
    assert process.returncode == 130
    assert "interrupted, nothing of it was imported" in shown
    assert "Traceback" not in shown
    assert list(staging.iterdir()) == []
    assert list((path / "imports").iterdir()) == []
