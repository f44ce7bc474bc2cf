"""Real Binance recordings: whole, equal to a plain book, and with every damage named.

The plain book reads the same bytes with the standard parser and applies the venue's rule by itself.
"""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventKind, PrintClass
from tests.oracle.plain_book import array_messages, binance_states, recorded_messages
from tests.storage.importers.reading import Read, book_states, read

RECORDINGS = {
    "usdm-btc": ("binance_usdm_btcusdt_20240808.gz",),
    "usdm-eth": ("binance_usdm_ethusdt_20240808.gz",),
    "spot-btc": ("binance_spot_btcusdt_20240808.gz", "binance_spot_btcusdt_20240809.gz"),
    "spot-eth": ("binance_spot_ethusdt_20240808.gz", "binance_spot_ethusdt_20240809.gz"),
}
INSTANTS = 100


def read_in_order(paths: list[Path]) -> list[Read]:
    carried: dict[str, int] = {}
    return [read(path, carried=carried) for path in paths]


def compare_at_random_instants(batches: list[Any], messages: list[dict[str, Any]]) -> int:
    """Both books after the same message, at 100 random ones; how many were compared."""
    told = [message for message in messages if "lastUpdateId" in message or message["b"] or message["a"]]
    ours = book_states(batches)
    next(ours)  # the snapshot alone
    total = sum(1 for _ in binance_states(told))
    chosen = set(random.Random(20240808).sample(range(total), INSTANTS))
    compared = 0
    for number, ((_, expected), (_, found)) in enumerate(zip(binance_states(told), ours, strict=True)):
        assert not found.is_crossed()
        if number in chosen:
            assert found.copy() == expected.copy()
            compared += 1
    return compared


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_whole_and_equals_a_plain_book(name: str, dev_data: Path) -> None:
    paths = [dev_data / "l2" / file for file in RECORDINGS[name]]
    results = read_in_order(paths)
    for result in results:
        assert result.only.sequence_gaps == 0
        assert result.only.lost_messages == 0
        assert result.only.duplicates == 0
        assert result.only.backward_clock == 0
        assert EventKind.GAP not in result.counts()
    batches = [batch for result in results for batch in result.batches]
    assert compare_at_random_instants(batches, recorded_messages(*paths)) == INSTANTS


def test_the_recording_of_2020_joins_the_snapshot_beside_it(dev_data: Path) -> None:
    folder = dev_data / "l2" / "binance_spot_20201101T09"
    updates = folder / "ETHBTC_update.json.gz"
    result = read(updates)
    assert result.only.sequence_gaps == 0
    assert result.only.conflated == "depth diffs are pushed every 1000 ms"
    assert not result.only.latency_usable
    messages = array_messages(updates, folder / "ETHBTC_snapshot.json.gz")
    assert compare_at_random_instants(result.batches, messages) == INSTANTS


def test_a_slow_receive_clock_is_shifted_and_said_so(dev_data: Path) -> None:
    result = read(dev_data / "l2" / "binance_usdm_btcusdt_20240808.gz")
    assert result.only.clock.startswith("shifted by +1.27")
    assert all((batch.events["ts_local"] >= batch.events["ts_venue"]).all() for batch in result.batches)


def test_a_second_file_alone_has_no_book_and_says_so(dev_data: Path) -> None:
    result = read(dev_data / "l2" / "binance_spot_btcusdt_20240809.gz")
    assert result.counts()[EventKind.GAP] == 1
    assert any("no snapshot in the file" in note for note in result.only.notes)


@pytest.mark.parametrize("carried", [5, 10**14])
def test_a_file_that_does_not_follow_the_one_before_begins_by_itself(carried: int, dev_data: Path) -> None:
    """Numbers carried from an older or newer recording prove nothing about this one."""
    path = dev_data / "l2" / "binance_usdm_btcusdt_20240808.gz"
    result = read(path, carried={"BTCUSDT-PERP.BINANCE": carried})
    assert (result.only.lost_messages, result.only.duplicates) == (0, 0)
    assert EventKind.GAP not in result.counts()


def test_a_snapshot_of_2020_alone_is_refused_with_the_remedy(dev_data: Path) -> None:
    with pytest.raises(ImportRefusedError, match="import the file of depth updates"):
        read(dev_data / "l2" / "binance_spot_20201101T09" / "BTCUSDT_snapshot.json.gz")


@pytest.fixture(scope="module")
def lines(dev_data: Path) -> list[str]:
    """The beginning of a real recording, past its snapshot."""
    with gzip.open(dev_data / "l2" / "binance_usdm_btcusdt_20240808.gz", "rt") as file:
        return [next(file) for _ in range(4000)]


def damaged(tmp_path: Path, lines: list[str]) -> Read:
    path = tmp_path / "recording"
    path.write_text("".join(lines))
    return read(path)


def depth_lines(lines: list[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if "depthUpdate" in line and number > 500]


def trade_lines(lines: list[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if '"e":"trade"' in line]


def test_an_undamaged_piece_has_nothing_to_report(tmp_path: Path, lines: list[str]) -> None:
    found = damaged(tmp_path, lines).only
    assert (found.lost_messages, found.duplicates, found.backward_clock, found.notes) == (0, 0, 0, [])


def test_a_dropped_depth_message_is_a_gap(tmp_path: Path, lines: list[str]) -> None:
    at = depth_lines(lines)[20]
    result = damaged(tmp_path, lines[:at] + lines[at + 1 :])
    assert result.only.sequence_gaps == 1
    assert result.only.lost_messages == 1
    assert result.counts()[EventKind.GAP] == 1
    assert (
        "depth message is missing" in result.only.notes[0]
        or "book message is missing" in result.only.notes[0]
    )


def test_a_dropped_trade_is_counted_but_leaves_the_book_trusted(tmp_path: Path, lines: list[str]) -> None:
    at = trade_lines(lines)[5]
    result = damaged(tmp_path, lines[:at] + lines[at + 1 :])
    assert result.only.lost_messages == 1
    assert EventKind.GAP not in result.counts()


@pytest.mark.parametrize("which", [depth_lines, trade_lines])
def test_a_repeated_message_is_left_out_and_counted(tmp_path: Path, lines: list[str], which: Any) -> None:
    at = which(lines)[7]
    whole, result = (
        damaged(tmp_path, lines),
        damaged(tmp_path, [*lines[: at + 1], lines[at], *lines[at + 1 :]]),
    )
    assert result.only.duplicates == 1
    assert result.counts() == whole.counts()


def test_swapped_messages_are_named(tmp_path: Path, lines: list[str]) -> None:
    a, b = depth_lines(lines)[10:12]
    swapped = list(lines)
    swapped[a], swapped[b] = swapped[b], swapped[a]
    found = damaged(tmp_path, swapped).only
    assert found.sequence_gaps == 1
    assert found.backward_clock > 0
    assert any("out of order" in note for note in found.notes)


@pytest.mark.parametrize("seconds", [-30, 30])
def test_a_shifted_receive_clock_is_named(tmp_path: Path, lines: list[str], seconds: int) -> None:
    half = len(lines) // 2
    moved = [
        f"{int(line[:19]) + seconds * 10**9}{line[19:]}" if number > half else line
        for number, line in enumerate(lines)
    ]
    found = damaged(tmp_path, moved).only
    assert found.backward_clock == (1 if seconds < 0 else 0)
    assert not found.latency_usable or "shifted" in found.clock


def test_a_cut_last_line_is_named_and_left_out(tmp_path: Path, lines: list[str]) -> None:
    found = damaged(tmp_path, [*lines, lines[0][:60]]).only
    assert found.lost_messages == 1
    assert found.notes[-1] == "line 4001: the last line is cut short and was left out"


def test_a_cut_line_in_the_middle_is_refused_by_its_number(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(ImportRefusedError, match="line 101: expected a receive time"):
        damaged(tmp_path, [*lines[:100], lines[100][:60] + "\n", *lines[101:]])


def test_a_cut_archive_is_refused(tmp_path: Path, dev_data: Path) -> None:
    whole = (dev_data / "l2" / "binance_usdm_btcusdt_20240808.gz").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportRefusedError, match="expected a whole gzip stream"):
        read(path)


def test_trades_carry_the_aggressor_and_the_class_of_their_print(tmp_path: Path) -> None:
    trade = (
        '1723161255030314667 {{"stream":"btcusdt@trade","data":{{"e":"trade","E":1723161255000,'
        '"T":1723161255000,"s":"BTCUSDT","t":{number},"p":"61800.20","q":"0.010","X":"{kind}","m":{maker}}}}}\n'
    )
    kinds = [
        ("MARKET", "true"),
        ("MARKET", "false"),
        ("INSURANCE_FUND", "true"),
        ("ADL", "false"),
        ("NA", "true"),
    ]
    path = tmp_path / "trades"
    path.write_text("".join(trade.format(number=i, kind=k, maker=m) for i, (k, m) in enumerate(kinds)))
    (batch,) = read(path).batches
    assert batch.instrument == "BTCUSDT-PERP.BINANCE"
    assert batch.events["side"].tolist() == [-1, 1, -1, 1]
    classes = [PrintClass.NORMAL, PrintClass.NORMAL, PrintClass.INSURANCE, PrintClass.ADL]
    assert batch.events["print_class"].tolist() == classes
