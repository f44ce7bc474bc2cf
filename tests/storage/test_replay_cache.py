"""The replay cache: a merge in bounded memory that gives what sorting everything at once would give."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import CatalogError
from headwater.domain.event import EVENT_DTYPE, EventKind, Events
from headwater.storage import replay_cache
from headwater.storage.merge import Keyed, last_message_end, local_stream, merged, whole_messages, within
from headwater.storage.replay_cache import MappedReplay, ReplayCache
from tests.oracle.tape_twins import message_times, messages
from tests.tape.events import NOON, tape, trade
from tests.tape.strategies import records

KINDS = (EventKind.TRADE, EventKind.BOOK_DELTA)


def chunked(events: Events, size: int) -> Iterator[Events]:
    for start in range(0, len(events), size):
        yield events[start : start + size].copy()


def keyed(events: Events, size: int) -> Iterator[Keyed]:
    return local_stream(chunked(events, size))


def numbered(streams: list[Events]) -> list[Events]:
    """Arrival numbers that rise through the streams, as imports one after the other give them."""
    start = 0
    for number, events in enumerate(streams):
        events["arrival"] = np.arange(start, start + len(events))
        events["instrument"] = number
        start += len(events)
    return streams


def sorted_at_once(streams: list[Events], stamp: str) -> list[int]:
    """Arrival numbers by (time of the message, arrival), receive clocks made to rise within each stream."""
    rows = []
    for events in streams:
        times = message_times(events, stamp)
        if stamp == "ts_local":
            times = [max(times[: i + 1]) for i in range(len(times))]
        rows += list(zip(times, events["arrival"].tolist(), strict=True))
    return [arrival for _, arrival in sorted(rows)]


@given(st.lists(records(KINDS), min_size=1, max_size=4), st.integers(1, 15))
def test_streams_are_merged_as_if_all_were_sorted_at_once(streams: list[Events], size: int) -> None:
    streams = numbered(streams)
    chunks = list(merged(keyed(events, size) for events in streams))
    arrivals = [int(a) for rows, _ in chunks for a in rows["arrival"]]
    assert arrivals == sorted_at_once(streams, "ts_local")
    for rows, keys in chunks:
        assert rows["ts_local"].tolist() == keys.tolist()
        assert (np.diff(keys) >= 0).all()


@given(records(KINDS, whole=False), st.integers(1, 15))
def test_messages_are_never_torn(events: Events, size: int) -> None:
    pieces = list(whole_messages(chunked(events, size)))
    assert np.concatenate(pieces).tolist() == events.tolist()
    for piece in pieces[:-1]:
        assert last_message_end(piece["flags"]) == len(piece)


@given(records(KINDS), st.integers(0, 30), st.integers(0, 30))
def test_a_window_keeps_what_lies_in_it(events: Events, first: int, length: int) -> None:
    start, end = NOON + first, NOON + first + length
    kept = [int(t) for rows, _ in within(keyed(events, 7), start, end) for t in rows["ts_local"]]
    everything = [int(t) for rows, _ in keyed(events, 7) for t in rows["ts_local"]]
    assert kept == [ts for ts in everything if start <= ts < end]


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and reads of a few records, so that small tapes need many."""
    monkeypatch.setattr(replay_cache, "_RUN_ROWS", 12)
    monkeypatch.setattr(replay_cache, "_READ_ROWS", 5)
    monkeypatch.setattr(replay_cache, "_CHECK_ROWS", 7)


def opened(folder: Path, streams: list[Events], name: str = "a", bytes_max: int = 1 << 30) -> MappedReplay:
    rows = sum(map(len, streams))
    size = max(9, rows // 20)
    return ReplayCache(folder, bytes_max).open((name,), rows, lambda: [keyed(one, size) for one in streams])


@pytest.mark.usefixtures("small_runs")
def test_both_orders_are_those_of_sorting_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    @given(st.lists(records(KINDS, jitter=9), min_size=1, max_size=3))
    def check(streams: list[Events]) -> None:
        streams = numbered(streams)
        replay = opened(tmp_path_factory.mktemp("cache"), [one.copy() for one in streams])
        assert replay.local["arrival"].tolist() == sorted_at_once(streams, "ts_local")
        assert replay.venue["arrival"].tolist() == sorted_at_once(streams, "ts_venue")
        assert (replay.venue is replay.local) == (
            replay.local["arrival"].tolist() == replay.venue["arrival"].tolist()
        )
        assert [len(m) for m in messages(replay.venue)] != []

    check()


def test_the_arrays_are_plain_and_of_the_one_dtype(tmp_path: Path) -> None:
    replay = opened(tmp_path, [trade(NOON, 1)])
    assert type(replay.local) is np.ndarray
    assert replay.local.dtype is EVENT_DTYPE
    assert replay.local.flags.writeable, "kernels compiled for arrays in memory take mapped ones too"
    assert replay.local.flags.aligned


def test_writing_to_a_mapped_array_never_reaches_the_file(tmp_path: Path) -> None:
    opened(tmp_path, [trade(NOON, 1)]).local["price"] = 99
    assert opened(tmp_path, [trade(NOON, 1)]).local["price"].tolist() == [1]


def test_a_cache_is_built_once(tmp_path: Path) -> None:
    opened(tmp_path, [trade(NOON, 1)])

    def never() -> list[Iterator[Keyed]]:
        raise AssertionError("built again")

    assert len(ReplayCache(tmp_path).open(("a",), 1, never).local) == 1


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Keyed]:
        yield from keyed(trade(NOON, 1), 9)
        raise CatalogError("a part is damaged")

    with pytest.raises(CatalogError, match="a part is damaged"):
        ReplayCache(tmp_path).open(("a",), 1, lambda: [broken()])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_tape_is_an_empty_array(tmp_path: Path) -> None:
    replay = opened(tmp_path, [])
    assert len(replay.local) == 0
    replay.release(0, 0)


def test_released_rows_can_be_read_again(tmp_path: Path) -> None:
    events = np.repeat(trade(NOON, 7), 100_000)
    replay = opened(tmp_path, numbered([events]))
    assert int(replay.local["price"].sum()) == 700_000
    replay.release(50_000, 50_000)
    replay.release(100_000, 100_000)
    replay.release(10, 10)
    assert int(replay.local["price"].sum()) == 700_000


@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's account of mapped pages"
)
def test_memory_stays_bounded_when_rows_are_released(tmp_path: Path) -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    rows = 1_000_000
    replay = opened(tmp_path, numbered([np.repeat(trade(NOON, 7), rows)]))
    replay.release(rows, rows)
    before, most = resident(), 0
    for start in range(0, rows, 50_000):
        replay.local["price"][start : start + 50_000].sum()
        replay.release(start + 50_000, start + 50_000)
        most = max(most, resident())
    assert most - before < 16_000_000, "48 MB were read"


def test_the_least_recently_used_caches_go_first_when_there_is_no_room(tmp_path: Path) -> None:
    size = 128 + EVENT_DTYPE.itemsize * 1_000
    tapes = [np.repeat(trade(NOON, 7), 1_000)]
    for age, name in ((30, "old"), (20, "used"), (10, "young")):
        opened(tmp_path, tapes, name)
        meta = tmp_path / replay_cache.cache_key((name,)) / "meta.json"
        os.utime(meta, (1_000_000 - age, 1_000_000 - age))
    opened(tmp_path, tapes, "used")
    opened(tmp_path, tapes, "new", bytes_max=3 * size + 2_000)
    kept = {
        name
        for name in ("old", "used", "young", "new")
        if (tmp_path / replay_cache.cache_key((name,))).exists()
    }
    assert kept == {"used", "new"}


def test_the_budget_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path, [trade(NOON, 1)], "first")
    monkeypatch.setenv("HEADWATER_REPLAY_CACHE_BYTES", "1")
    ReplayCache(tmp_path).open(("second",), 1, lambda: [keyed(trade(NOON, 1), 9)])
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda _: b"", lambda data: b"x" + data[1:]])
def test_a_damaged_cache_is_one_line_with_the_remedy(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    opened(tmp_path, [trade(NOON, 1)])
    (path,) = tmp_path.glob("*/local.npy")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CatalogError, match="delete its folder, it will be built again"):
        opened(tmp_path, [trade(NOON, 1)])


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(replay_cache, "_write_events", full)
    with pytest.raises(CatalogError, match="No space left on device; free some space"):
        opened(tmp_path, [trade(NOON, 1)])


def test_equal_times_are_in_the_order_of_arrival_however_many_there_are() -> None:
    streams = numbered([tape(*(trade(NOON, price) for price in range(20))) for _ in range(3)])
    chunks = list(merged(keyed(events, size) for events, size in zip(streams, (3, 4, 7), strict=True)))
    assert [int(a) for rows, _ in chunks for a in rows["arrival"]] == list(range(60))
