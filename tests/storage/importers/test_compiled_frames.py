"""Frames that a kernel reads and frames that the decoder reads give the same events and findings.

Each recording is read twice, once with the kernels switched off, whole and damaged at random: bytes changed,
lines dropped, repeated, swapped. Beside that every kernel stands against its obvious twin.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ImportRefusedError
from headwater.storage.checked_levels import CRC_TABLE, LEVELS_MAX, CheckedBooks, kraken_crc, okx_crc
from headwater.storage.compressed import read_all
from headwater.storage.decimal_bytes import as_bytes
from headwater.storage.frames.binance import BinanceFrames
from headwater.storage.frames.bybit import BybitFrames
from headwater.storage.frames.kraken import KrakenFrames
from headwater.storage.frames.kraken_futures import KrakenFuturesFrames
from headwater.storage.frames.okx import OkxFrames
from headwater.storage.hot_frames import FrameTable, new_spans
from headwater.storage.json_scan import NO_INTEGER, Names, integer_of, value_end, whole_object
from headwater.storage.record_lines import NO_TIME, float_seconds_ns
from tests.oracle import checked_book as plain
from tests.storage.importers.reading import Read, read

SCANNED = (BinanceFrames, BybitFrames, KrakenFrames, KrakenFuturesFrames, OkxFrames)
CAPTURES = ("BINANCE", "BINANCE_FUTURES", "BYBIT", "KRAKEN", "KRAKEN_FUTURES", "OKX")
LINES_MAX = 500


def outcome(path: Path) -> tuple[object, ...]:
    """Everything that one import says, or how it refuses."""
    try:
        found = read(path)
    except ImportRefusedError as error:
        return (str(error),)
    return (events_of(found), sorted((name, repr(one)) for name, one in found.findings.items()))


def events_of(found: Read) -> dict[tuple[str, int], bytes]:
    events: dict[tuple[str, int], bytes] = {}
    for batch in found.batches:
        key = batch.instrument, batch.book_levels
        events[key] = events.get(key, b"") + repr((batch.tick_size, batch.lot_size)).encode()
        events[key] += batch.events.tobytes()
    return events


def without_kernels(path: Path) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patch:
        for frames in SCANNED:
            patch.setattr(frames, "run", _no_run)
        return outcome(path)


def _no_run(frames: object, table: FrameTable, frame: int, behind: int) -> int:  # noqa: ARG001
    return frame


def damaged(lines: list[bytes], random: np.random.Generator) -> list[bytes]:
    """A few lines dropped, repeated, swapped, or changed in one byte; the header stays."""
    lines = list(lines)
    for _ in range(int(random.integers(1, 6))):
        at = int(random.integers(1, len(lines) - 1))
        change = int(random.integers(0, 4))
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(at, lines[at])
        elif change == 2:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        elif lines[at]:
            place = int(random.integers(0, len(lines[at])))
            byte = random.choice(np.frombuffer(b'0159.,:"[]{}-eabsU \\\xc3', np.uint8)).tobytes()
            lines[at] = lines[at][:place] + byte + lines[at][place + 1 :]
    return lines


def captured(dev_data: Path, venue: str) -> list[bytes]:
    lines = read_all(dev_data / "raw_ws" / f"cryptofeed_{venue}.jsonl.zst").split(b"\n")
    return [line for line in lines if line][:LINES_MAX]


def recorded(dev_data: Path, name: str) -> list[bytes]:
    lines = read_all(dev_data / "l2" / f"{name}.gz").split(b"\n")[:LINES_MAX]
    return [line for line in lines if line]


def sources(dev_data: Path) -> Iterator[list[bytes]]:
    for venue in CAPTURES:
        yield captured(dev_data, venue)
    for name in ("binance_spot_btcusdt_20240808", "binance_usdm_btcusdt_20240808"):
        yield recorded(dev_data, name)


def test_kernels_and_decoder_read_a_recording_alike(dev_data: Path, tmp_path: Path) -> None:
    for number, lines in enumerate(sources(dev_data)):
        path = tmp_path / f"{number}.gz"
        path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n", 1))
        assert outcome(path) == without_kernels(path)


@pytest.mark.parametrize("seed", range(8))
def test_kernels_and_decoder_read_a_damaged_recording_alike(
    seed: int, dev_data: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(seed)
    for number, lines in enumerate(sources(dev_data)):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(b"\n".join(damaged(lines, random)) + b"\n")
        assert outcome(path) == without_kernels(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "bc", "U", "other"]), json_values), st.booleans())
def test_fields_are_found_where_the_standard_parser_finds_them(value: dict[str, Any], tight: bool) -> None:
    text = json.dumps(value, separators=(",", ":") if tight else (" , ", " : ")).encode()
    names = Names("a", "bc", "U")
    starts, stops = new_spans(names)
    if not whole_object(as_bytes(text), 0, len(text), names.text, names.bounds, starts, stops):
        assert b"\\" in text or b"\x7f" in text  # left to the decoder
        return
    for number, name in enumerate(("a", "bc", "U")):
        found = json.loads(text[starts[number] : stops[number]]) if starts[number] >= 0 else None
        assert found == value.get(name)


@given(st.binary(max_size=24) | st.text('[]{}",:.0123456789eE+-truefalsn \\', max_size=24).map(str.encode))
def test_what_a_kernel_accepts_is_json(text: bytes) -> None:
    end = value_end(as_bytes(text or b" "), 0, len(text))
    if end >= 0:
        json.loads(text[:end])


@given(st.integers(-(10**20), 10**20))
def test_integers_are_read_exactly_or_left(value: int) -> None:
    text = str(value).encode()
    expected = value if abs(value) < 10**18 else NO_INTEGER
    assert integer_of(as_bytes(text), 0, len(text)) == expected


@pytest.mark.parametrize("text", [b"", b"-", b"01", b"1.0", b"1e3", b"+1", b" 1"])
def test_what_is_no_plain_integer_is_left(text: bytes) -> None:
    assert integer_of(as_bytes(text or b" "), 0, len(text)) == NO_INTEGER


@given(st.integers(1 << 30, (1 << 31) - 1), st.text("0123456789", min_size=1, max_size=9))
def test_seconds_become_the_nanoseconds_of_their_double(seconds: int, fraction: str) -> None:
    text = f"{seconds}.{fraction}"
    assert float_seconds_ns(as_bytes(text.encode()), 0, len(text)) == round(float(text) * 1e9)


@pytest.mark.parametrize("text", ["1", "17.5", "1700000000", "1700000000.", "1700000000.0123456789", "x"])
def test_times_of_another_form_are_left(text: str) -> None:
    assert float_seconds_ns(as_bytes(text.encode()), 0, len(text)) == NO_TIME


def decimals(places: int) -> st.SearchStrategy[str]:
    return st.integers(0, 300).map(lambda units: f"{units / 10**places:.{places}f}")


changes = st.lists(st.tuples(st.sampled_from([0, 1]), decimals(2), decimals(1)), max_size=60)


@given(changes, st.integers(1, 12))
def test_checksums_are_those_of_a_plain_book(levels: list[tuple[int, str, str]], best: int) -> None:
    checked = CheckedBooks()
    checked.of("another")
    book = checked.of("this")
    sides = plain.PlainSide(1), plain.PlainSide(-1)
    for side, price, size in levels:
        checked.set_levels(2 * book + side, json.dumps([[price, size]], separators=(",", ":")).encode())
        sides[side].apply(price, size)
    _, slots, counts, texts, lengths = checked.arrays
    found = [crc(book, best, slots, counts, texts, lengths, CRC_TABLE) for crc in (kraken_crc, okx_crc)]
    assert found == [plain.kraken(*sides, best), plain.okx(*sides, best)]


def test_a_full_side_drops_its_worst_level() -> None:
    checked = CheckedBooks()
    bids = 2 * checked.of("book")
    for price in range(LEVELS_MAX + 3, 0, -1):
        checked.set_levels(bids, b'[["%d","1"]]' % price)
    checked.set_levels(bids, b'[["999999","1"]]')
    assert checked.counts[bids] == LEVELS_MAX
    assert checked.evict(bids, LEVELS_MAX - 1) == ["5"]


def test_a_level_that_is_no_decimal_is_refused() -> None:
    checked = CheckedBooks()
    with pytest.raises(ValueError, match="18 digits"):
        checked.set_levels(2 * checked.of("book"), b'[["1","2"],["x","1"]]')


@pytest.mark.deep
def test_damaged_recordings_never_leave_the_arrays_in_a_bounds_checked_build(dev_data: Path) -> None:  # noqa: ARG001
    environment = {**os.environ, "HEADWATER_BOUNDSCHECK": "1"}
    tests = [f"{__file__}::{name}" for name in ("test_kernels_and_decoder_read_a_damaged_recording_alike",)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
