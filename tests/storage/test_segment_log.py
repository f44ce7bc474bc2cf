"""The segment log: whatever a kill or a bad disk leaves of it, its whole blocks are read and nothing else.

Method: damage a small log at every byte, cut it at every byte, and compare with what was written before.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import textwrap
import zlib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from headwater.domain.errors import CatalogError
from headwater.domain.event import EVENT_DTYPE, EVENT_FORMAT_VERSION, Events
from headwater.storage.segment_log import (
    BLOCK_BYTES_MAX,
    SegmentInstrument,
    SegmentReader,
    SegmentWriter,
    segment_header,
)

INSTRUMENT = SegmentInstrument(
    id="BTCUSDT.BYBIT", tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), rules_source="venue"
)
HEADER_BYTES = len(segment_header([INSTRUMENT]))
ROWS = 3


def numbered(start: int, count: int = ROWS) -> Events:
    events = np.zeros(count, EVENT_DTYPE)
    events["ts_local"] = np.arange(start, start + count)
    events["price"] = 7
    return events


def written(path: Path, blocks: int) -> Path:
    with SegmentWriter(path, [INSTRUMENT]) as log:
        for number in range(blocks):
            log.append(numbered(number * ROWS))
    return path


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    reader = SegmentReader(written(tmp_path / "a.log", 4))
    assert reader.read()["ts_local"].tolist() == list(range(4 * ROWS))
    assert reader.read().dtype is EVENT_DTYPE
    assert reader.dropped_bytes == 0


def test_an_empty_log_has_no_events(tmp_path: Path) -> None:
    assert len(SegmentReader(written(tmp_path / "a.log", 0)).read()) == 0


def test_a_log_cut_at_any_byte_of_its_last_block_keeps_all_blocks_before_it(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.log", 3).read_bytes()
    block = (len(whole) - HEADER_BYTES) // 3
    cut = tmp_path / "cut.log"
    for length in range(len(whole) - block, len(whole)):
        cut.write_bytes(whole[:length])
        reader = SegmentReader(cut)
        assert len(reader.read()) == 2 * ROWS
        assert reader.dropped_bytes == length - (len(whole) - block)


def test_damage_to_any_byte_of_a_block_stops_the_reader_before_it(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.log", 3).read_bytes()
    block = (len(whole) - HEADER_BYTES) // 3
    damaged = tmp_path / "damaged.log"
    for at in range(HEADER_BYTES + block, HEADER_BYTES + 2 * block):
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        reader = SegmentReader(damaged)
        assert len(reader.read()) == ROWS
        assert reader.dropped_bytes == 2 * block


def test_damage_to_any_byte_of_the_header_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.log", 1).read_bytes()
    damaged = tmp_path / "damaged.log"
    for at in range(HEADER_BYTES):
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with pytest.raises(CatalogError, match=r"damaged\.log: expected"):
            SegmentReader(damaged)


def test_a_writer_continues_behind_the_last_whole_block(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", 2)
    path.write_bytes(path.read_bytes()[:-5])
    with SegmentWriter(path, [INSTRUMENT]) as log:
        log.append(numbered(100))
    reader = SegmentReader(path)
    assert reader.read()["ts_local"].tolist() == [0, 1, 2, 100, 101, 102]
    assert reader.dropped_bytes == 0


def test_a_log_that_was_killed_while_its_header_was_written_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(segment_header([INSTRUMENT])[:-3])
    with SegmentWriter(path, [INSTRUMENT]) as log:
        log.append(numbered(0))
    assert len(SegmentReader(path).read()) == ROWS


def test_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "new.log"
    path.write_bytes(segment_header([INSTRUMENT], EVENT_FORMAT_VERSION + 1))
    with pytest.raises(CatalogError, match="version 1 or older, found version 2; upgrade Headwater"):
        SegmentReader(path)


def test_version_one_is_read_as_it_was_first_written(tmp_path: Path) -> None:
    described = b'[{"id":"A.B","tick_size":"0.5","lot_size":"1","rules_source":"venue"}]'
    fields = struct.pack("<8sIII", b"HWSEGLOG", 1, 48, len(described)) + described
    record = struct.pack("<5qIBbBB", 11, 12, 13, 14, 15, 0, 4, -1, 7, 0)
    length = struct.pack("<I", len(record))
    path = tmp_path / "one.log"
    path.write_bytes(
        fields
        + struct.pack("<I", zlib.crc32(fields))
        + length
        + struct.pack("<I", zlib.crc32(length + record))
        + record
    )
    reader = SegmentReader(path)
    assert [(one.id, one.tick_size) for one in reader.instruments] == [("A.B", Decimal("0.5"))]
    (event,) = reader.read().tolist()
    assert event == (11, 12, 13, 14, 15, 0, 4, -1, 7, 0)


def test_records_of_another_size_are_refused(tmp_path: Path) -> None:
    fields = struct.pack("<8sIII", b"HWSEGLOG", 1, 56, 2) + b"[]"
    path = tmp_path / "wide.log"
    path.write_bytes(fields + struct.pack("<I", zlib.crc32(fields)))
    with pytest.raises(CatalogError, match="records of 48 bytes, found 56"):
        SegmentReader(path)


def test_a_missing_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="No such file"):
        SegmentReader(tmp_path / "none.log")


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="expected to write"):
        SegmentWriter(tmp_path / "none" / "a.log", [INSTRUMENT])


def test_a_large_append_is_cut_into_blocks(tmp_path: Path) -> None:
    rows = BLOCK_BYTES_MAX // EVENT_DTYPE.itemsize + 10
    path = tmp_path / "large.log"
    with SegmentWriter(path, [INSTRUMENT]) as log:
        log.append(numbered(0, rows))
    assert [len(block) for block in SegmentReader(path).blocks()] == [rows - 10, 10]


def test_events_of_another_dtype_are_a_programming_error(tmp_path: Path) -> None:
    with (
        SegmentWriter(tmp_path / "a.log", [INSTRUMENT]) as log,
        pytest.raises(ValueError, match="expected records"),
    ):
        log.append(np.zeros(3, np.int64))


def test_a_full_disk_leaves_the_log_whole_and_usable(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", 2)
    log = SegmentWriter(path, [INSTRUMENT])
    real = log._file

    class FullDisk:
        """Takes ten bytes more, then is full."""

        has_written = False

        def write(self, data: bytes) -> int:
            if self.has_written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.has_written = True
            return real.write(data[:10]) or 0

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

    log._file = FullDisk()  # type: ignore[assignment]
    with pytest.raises(CatalogError, match="No space left on device; free some space"):
        log.append(numbered(50))
    log._file = real
    log.append(numbered(60))
    log.close()
    assert SegmentReader(path).read()["ts_local"].tolist() == [0, 1, 2, 3, 4, 5, 60, 61, 62]


def test_a_recorder_killed_while_it_writes_leaves_whole_blocks(tmp_path: Path) -> None:
    path = tmp_path / "killed.log"
    program = textwrap.dedent(
        """
        import sys
        from decimal import Decimal
        from pathlib import Path
        import numpy as np
        from headwater.domain.event import EVENT_DTYPE
        from headwater.storage.segment_log import SegmentInstrument, SegmentWriter
        one = SegmentInstrument(id="A.B", tick_size=Decimal(1), lot_size=Decimal(1), rules_source="venue")
        log = SegmentWriter(Path(sys.argv[1]), [one])
        events = np.zeros(5_000, EVENT_DTYPE)
        for number in range(1_000_000):
            events["ts_local"] = number
            log.append(events)
            if number == 3:
                print("recording", flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"recording\n"
    process.kill()
    process.wait()
    process.stdout.close()
    blocks = list(SegmentReader(path).blocks())
    assert len(blocks) >= 4
    assert [block["ts_local"][0] for block in blocks] == list(range(len(blocks)))
    assert all((block["ts_local"] == block["ts_local"][0]).all() for block in blocks)


def test_a_log_of_other_instruments_is_not_continued(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", 1)
    with pytest.raises(CatalogError, match="expected a log of no instruments, found"):
        SegmentWriter(path, [])


def test_an_instrument_without_a_description_is_a_programming_error(tmp_path: Path) -> None:
    events = numbered(0)
    events["instrument"] = 1
    with (
        SegmentWriter(tmp_path / "a.log", [INSTRUMENT]) as log,
        pytest.raises(ValueError, match="numbers below 1"),
    ):
        log.append(events)
