"""The catalog: what is written comes back whole, in order, on one grid, and nothing else does."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.domain.errors import CatalogError, HeadwaterError
from headwater.domain.event import EVENT_DTYPE, NO_PRICE, EventFlag, EventKind
from headwater.ports.importer import Batch, Findings
from headwater.storage import transaction
from headwater.storage.catalog import Catalog
from headwater.storage.parquet import part_rows
from headwater.storage.transaction import PART_ROWS_MIN
from tests.tape.events import BOTH, DAY_NS, LAST, NOON, bar, batch, delta, gap, message, snapshot, tape, trade


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "tape", create=True)


def part_files(catalog: Catalog) -> list[Path]:
    return sorted(catalog.path.rglob("*.parquet"))


def test_what_is_written_comes_back_with_arrival_numbers_and_both_sides(catalog: Catalog) -> None:
    events = tape(snapshot(NOON, [(99, 5)], [(101, 4)]), trade(NOON + 1, 101, 2))
    catalog.write([batch(events)], source="s")
    local = catalog.open(["BTCUSDT.BINANCE"]).local
    assert local.dtype is EVENT_DTYPE
    assert local["arrival"].tolist() == [0, 1, 2, 3]
    assert local["flags"].tolist() == [BOTH, BOTH, BOTH | LAST, BOTH | LAST]
    for name in ("ts_local", "ts_venue", "price", "size", "kind", "side", "print_class"):
        assert local[name].tolist() == events[name].tolist()


def test_arrival_numbers_rise_through_all_imports(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 1)), batch(trade(NOON, 2))], source="a")
    catalog.write([batch(trade(NOON, 3))], source="b")
    local = catalog.open(["BTCUSDT.BINANCE"]).local
    assert local["arrival"].tolist() == [0, 1, 2]
    assert local["price"].tolist() == [1, 2, 3]


def test_an_importer_may_say_which_side_sees_a_record(catalog: Catalog) -> None:
    events = tape(trade(NOON, 1), trade(NOON + 1, 2))
    events["flags"][0] |= EventFlag.AT_VENUE
    catalog.write([batch(events)], source="a")
    flags = catalog.open(["BTCUSDT.BINANCE"]).local["flags"]
    assert flags.tolist() == [LAST | EventFlag.AT_VENUE, LAST | BOTH]


def test_datasets_say_what_is_there_without_reading_it(catalog: Catalog) -> None:
    events = tape(snapshot(NOON, [(99, 5)], [(101, 4)]), trade(NOON + 7, 101))
    findings = {"BTCUSDT.BINANCE": Findings(notes=["newest first: turned round"])}
    catalog.write([batch(events)], source="a.csv", findings=findings)
    book, trades = catalog.datasets()
    assert (book.group, book.rows, trades.group, trades.rows) == ("book", 3, "trades", 1)
    assert (trades.ts_min, trades.ts_max) == (NOON + 7, NOON + 7)
    assert trades.tick_size == Decimal("0.1")
    assert trades.sources[0].name == "a.csv"
    assert trades.sources[0].findings.notes == ["newest first: turned round"]
    assert trades.sources[0].groups == ("book", "trades")


def test_a_message_of_several_kinds_is_stored_as_a_message_for_each(catalog: Catalog) -> None:
    ticker = message(
        NOON,
        (EventKind.MARK_PRICE, 0, 500, 0),
        (EventKind.QUOTE, 1, 99, 5),
        (EventKind.INDEX_PRICE, 0, 501, 0),
        (EventKind.QUOTE, -1, 101, 4),
    )
    catalog.write([batch(ticker)], source="a")
    local = catalog.open(["BTCUSDT.BINANCE"]).local
    assert [EventKind(kind).name for kind in local["kind"]] == ["QUOTE", "QUOTE", "MARK_PRICE", "INDEX_PRICE"]
    assert ((local["flags"] & LAST) != 0).tolist() == [False, True, True, True]
    quotes = catalog.open(["BTCUSDT.BINANCE"], kinds=["quotes"]).local
    assert ((quotes["flags"] & LAST) != 0).tolist() == [False, True]


def test_bars_of_each_length_are_a_dataset(catalog: Catalog) -> None:
    minute = bar(NOON, 60 * 10**9, (1, 3, 1, 2))
    hour = bar(NOON, 3_600 * 10**9, (1, 3, 1, 2))
    nearly_a_minute = bar(NOON + 60 * 10**9, 59_999_000_000, (1, 3, 1, 2))
    catalog.write([batch(tape(minute, nearly_a_minute, hour))], source="a")
    assert [(one.group, one.rows) for one in catalog.datasets()] == [("bars-1h", 3), ("bars-1m", 6)]


def test_torn_bars_are_a_programming_error_and_leave_nothing(catalog: Catalog) -> None:
    torn = bar(NOON, 60 * 10**9, (1, 3, 1, 2))[[0, 2]]
    with pytest.raises(ValueError, match="expected bars"):
        catalog.write([batch(torn)], source="a")
    assert catalog.datasets() == []


def test_events_that_end_inside_a_message_are_a_programming_error(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="LAST_IN_MESSAGE"):
        catalog.write([batch(snapshot(NOON, [(99, 5)], [(101, 4)])[:2])], source="a")


def test_an_unknown_kind_is_a_programming_error(catalog: Catalog) -> None:
    events = trade(NOON, 1)
    events["kind"] = 99
    with pytest.raises(ValueError, match="kinds 1 to"):
        catalog.write([batch(events)], source="a")


def test_a_malformed_instrument_id_is_named(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"such as BTCUSDT-PERP\.BYBIT, found 'BTC/USDT'; name it"):
        catalog.write([batch(trade(NOON, 1), instrument="BTC/USDT")], source="a")


def test_an_import_without_events_is_refused(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="expected market events, found none"):
        catalog.write([batch(tape())], source="a")
    assert list((catalog.path / ".staging").iterdir()) == []


def test_two_instruments_are_merged_by_time_and_numbered_as_asked(catalog: Catalog) -> None:
    catalog.write([batch(tape(trade(NOON, 1), trade(NOON + 20, 2)))], source="a")
    catalog.write([batch(tape(trade(NOON + 10, 3), trade(NOON + 20, 4)), instrument="X.Y")], source="b")
    local = catalog.open(["X.Y", "BTCUSDT.BINANCE"]).local
    assert local["price"].tolist() == [1, 3, 2, 4]
    assert local["instrument"].tolist() == [1, 0, 1, 0]


def test_an_instrument_is_asked_for_once(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="each instrument once"):
        catalog.open(["A.B", "A.B"])


def test_the_order_of_arrival_outlives_a_clock_that_steps_back(catalog: Catalog) -> None:
    events = tape(trade(NOON + 5, 1), trade(NOON + 3, 2), trade(NOON + 9, 3))
    catalog.write([batch(events)], source="a")
    replay = catalog.open(["BTCUSDT.BINANCE"])
    assert replay.local["price"].tolist() == [1, 2, 3]
    assert replay.local["ts_local"].tolist() == [NOON + 5, NOON + 5, NOON + 9]


def test_what_the_venue_alone_acts_on_moves_nothing_at_the_trader(catalog: Catalog) -> None:
    venue_only, seen = trade(NOON + 9, 1), trade(NOON + 5, 2)
    venue_only["flags"] |= np.uint8(EventFlag.AT_VENUE)
    seen["flags"] |= np.uint8(EventFlag.AT_LOCAL)
    later = trade(NOON + 7, 3)
    catalog.write([batch(tape(venue_only, seen, later))], source="a")
    local = catalog.open(["BTCUSDT.BINANCE"]).local
    received = local[(local["flags"] & EventFlag.AT_LOCAL) != 0]
    assert received["ts_local"].tolist() == [NOON + 5, NOON + 7]
    assert (np.diff(local["ts_local"]) >= 0).all()


def test_the_venue_lived_in_the_order_of_its_own_times(catalog: Catalog) -> None:
    late = message(NOON + 10, (EventKind.TRADE, 1, 1, 1), ts_venue=NOON + 5)
    early = message(NOON + 11, (EventKind.TRADE, 1, 2, 1), ts_venue=NOON + 4)
    catalog.write([batch(tape(late, early))], source="a")
    replay = catalog.open(["BTCUSDT.BINANCE"])
    assert replay.local["price"].tolist() == [1, 2]
    assert replay.venue["price"].tolist() == [2, 1]
    assert replay.venue.dtype is EVENT_DTYPE


def test_one_array_serves_both_sides_when_their_orders_agree(catalog: Catalog) -> None:
    catalog.write([batch(tape(bar(NOON, 60, (1, 2, 1, 2)), bar(NOON + 60, 60, (2, 2, 1, 1))))], source="a")
    replay = catalog.open(["BTCUSDT.BINANCE"])
    assert replay.venue is replay.local


def test_parts_on_a_coarser_grid_are_refined_exactly(catalog: Catalog) -> None:
    coarse = tape(snapshot(NOON, [(99, 5)], [(101, 4)]), bar(NOON, 60 * 10**9, (7, 9, 5, 6), volume=3))
    fine = trade(NOON + DAY_NS, 1, 1)
    catalog.write([batch(coarse, tick_size="0.5", lot_size="0.01")], source="a")
    catalog.write([batch(fine, tick_size="0.2", lot_size="0.001")], source="b")
    replay = catalog.open(["BTCUSDT.BINANCE"])
    described = replay.instruments[0]
    assert (described.tick_size, described.lot_size) == (Decimal("0.1"), Decimal("0.001"))
    rows = [(EventKind(row["kind"]).name, int(row["price"]), int(row["size"])) for row in replay.local]
    assert rows == [
        ("BOOK_CLEAR", NO_PRICE, 0),
        ("BOOK_SNAPSHOT", 495, 50),
        ("BOOK_SNAPSHOT", 505, 40),
        ("BAR_OPEN", 35, 0),
        ("BAR_RANGE", 45, 25),
        ("BAR_CLOSE", 30, 30),
        ("TRADE", 2, 1),
    ]


def test_prices_that_would_overflow_a_finer_grid_are_refused(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 2**61), tick_size="100")], source="a")
    catalog.write([batch(trade(NOON, 1), tick_size="0.01")], source="b")
    with pytest.raises(HeadwaterError, match="replay the coarse and the fine part apart"):
        catalog.open(["BTCUSDT.BINANCE"])


def test_the_deepest_stream_of_a_book_is_replayed_unless_another_is_named(catalog: Catalog) -> None:
    catalog.write([batch(snapshot(NOON, [(98, 1)], [(102, 1)]), book_levels=50)], source="a")
    catalog.write([batch(snapshot(NOON, [(99, 1)], [(101, 1)]), book_levels=200)], source="b")
    assert [one.group for one in catalog.datasets()] == ["book-200", "book-50"]
    assert 99 in catalog.open(["BTCUSDT.BINANCE"]).local["price"]
    assert 98 not in catalog.open(["BTCUSDT.BINANCE"]).local["price"]
    assert 98 in catalog.open(["BTCUSDT.BINANCE"], kinds=["book-50"]).local["price"]
    catalog.write([batch(snapshot(NOON, [(97, 1)], [(103, 1)]))], source="c")
    assert catalog.open(["BTCUSDT.BINANCE"]).local["price"].tolist() == [NO_PRICE, 97, 103]


def test_latency_is_unusable_when_one_importer_says_so(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 1))], source="a")
    assert catalog.open(["BTCUSDT.BINANCE"]).instruments[0].latency_usable
    findings = {"BTCUSDT.BINANCE": Findings(latency_usable=False)}
    catalog.write([batch(trade(NOON, 1))], source="b", findings=findings)
    assert not catalog.open(["BTCUSDT.BINANCE"]).instruments[0].latency_usable


def test_a_replay_carries_the_certificate_of_what_it_reads(catalog: Catalog) -> None:
    catalog.write([batch(tape(snapshot(NOON, [(99, 5)], [(101, 4)]), gap(NOON + 1, 3)))], source="a")
    certificate = catalog.open(["BTCUSDT.BINANCE"]).instruments[0].certificate
    assert certificate["trusted"] is False
    assert "book: 1 gaps by sequence number, 3 messages lost" in certificate["reasons"]
    assert list(certificate["datasets"]) == ["book"]


def test_a_certificate_is_kept_until_the_data_changes(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 1))], source="a")
    (before,) = catalog.datasets()
    assert catalog.kept_certificate(before) is None
    first = catalog.certify(before)
    assert catalog.kept_certificate(before) == first
    catalog.write([batch(trade(NOON + 1, 1))], source="b")
    (after,) = catalog.datasets()
    assert catalog.kept_certificate(after) is None
    assert catalog.certify(after).rows == 2


def test_sources_are_certified_in_the_order_of_time(catalog: Catalog) -> None:
    catalog.write([batch(tape(trade(NOON + DAY_NS, 1), trade(NOON + DAY_NS + 1, 1)))], source="second day")
    catalog.write([batch(tape(trade(NOON, 1), trade(NOON + 1, 1)))], source="first day")
    (dataset,) = catalog.datasets()
    assert catalog.certify(dataset).trusted


class TestWindow:
    """Replays and queries of a stretch of time."""

    def recorded(self, catalog: Catalog) -> None:
        events = tape(
            snapshot(NOON, [(98, 1), (99, 5)], [(101, 4)]),
            delta(NOON + 10, (1, 99, 0), (1, 97, 3)),
            trade(NOON + 20, 101),
            delta(NOON + 30, (-1, 102, 9)),
            trade(NOON + 40, 101),
        )
        catalog.write([batch(events)], source="a")

    def test_a_query_gives_the_records_of_its_range(self, catalog: Catalog) -> None:
        self.recorded(catalog)
        found = catalog.query("BTCUSDT.BINANCE", NOON + 20, NOON + 40)
        assert found["ts_local"].tolist() == [NOON + 20, NOON + 30]
        assert found.dtype is EVENT_DTYPE
        assert len(catalog.query("BTCUSDT.BINANCE", None, None)) == 9
        assert len(catalog.query("BTCUSDT.BINANCE", NOON, NOON + 30, kinds=["trades"])) == 1

    def test_a_query_is_the_same_from_the_parts_and_from_a_replay_that_was_opened(
        self, catalog: Catalog
    ) -> None:
        self.recorded(catalog)
        catalog.write([batch(trade(NOON + DAY_NS, 7), tick_size="0.05")], source="finer")
        ranges = [(NOON + 20, NOON + 40), (None, NOON + 30), (NOON + 15, None), (NOON + 50, NOON + 60)]
        before = [catalog.query("BTCUSDT.BINANCE", *bounds).tolist() for bounds in ranges]
        catalog.open(["BTCUSDT.BINANCE"])
        assert [catalog.query("BTCUSDT.BINANCE", *bounds).tolist() for bounds in ranges] == before
        assert [len(rows) for rows in before] == [2, 7, 4, 0]
        assert before[0][0][2] == 202
        assert catalog.grid_of("BTCUSDT.BINANCE") == (Decimal("0.05"), Decimal("0.001"))

    def test_a_replay_that_begins_in_mid_book_begins_with_the_book(self, catalog: Catalog) -> None:
        self.recorded(catalog)
        replay = catalog.open(["BTCUSDT.BINANCE"], start=NOON + 15, end=NOON + 40)
        rows = [(EventKind(r["kind"]).name, int(r["price"]), int(r["size"])) for r in replay.local]
        assert rows == [
            ("BOOK_CLEAR", NO_PRICE, 0),
            ("BOOK_SNAPSHOT", 98, 1),
            ("BOOK_SNAPSHOT", 97, 3),
            ("BOOK_SNAPSHOT", 101, 4),
            ("TRADE", 101, 1),
            ("BOOK_DELTA", 102, 9),
        ]
        assert replay.local["ts_local"][:4].tolist() == [NOON + 15] * 4
        assert replay.local["ts_venue"][:4].tolist() == [NOON + 10] * 4
        assert (replay.local["arrival"][:4] < 0).all()

    def test_the_book_is_found_in_an_earlier_part_on_another_grid(self, catalog: Catalog) -> None:
        catalog.write([batch(snapshot(NOON, [(99, 5)], [(101, 4)]), tick_size="0.2")], source="a")
        catalog.write([batch(delta(NOON + DAY_NS, (1, 198, 0), (1, 197, 1)))], source="b")
        replay = catalog.open(["BTCUSDT.BINANCE"], start=NOON + 100)
        assert replay.local["price"].tolist() == [NO_PRICE, 198, 202, 198, 197]

    def test_a_book_behind_a_gap_is_not_made_up(self, catalog: Catalog) -> None:
        events = tape(snapshot(NOON, [(99, 5)], [(101, 4)]), gap(NOON + 1, 1), delta(NOON + 9, (1, 98, 2)))
        catalog.write([batch(events)], source="a")
        replay = catalog.open(["BTCUSDT.BINANCE"], start=NOON + 5)
        assert replay.local["kind"].tolist() == [EventKind.BOOK_DELTA]

    def test_two_books_that_begin_together_do_not_tear_each_other_apart(self, catalog: Catalog) -> None:
        for name in ("A.B", "C.D"):
            events = tape(snapshot(NOON, [(99, 5)], [(101, 4)]), delta(NOON + 9, (1, 98, 2)))
            catalog.write([batch(events, instrument=name)], source=name)
        local = catalog.open(["A.B", "C.D"], start=NOON + 5).local
        assert local["instrument"].tolist() in ([0] * 3 + [1] * 3 + [0, 1], [1] * 3 + [0] * 3 + [0, 1])

    def test_nothing_in_the_range_is_an_error_that_says_what_there_is(self, catalog: Catalog) -> None:
        self.recorded(catalog)
        with pytest.raises(CatalogError, match=r"found none; it has book, trades from 2024-08-08 12:00:00"):
            catalog.open(["BTCUSDT.BINANCE"], start=NOON + DAY_NS)
        with pytest.raises(CatalogError, match=r"\(funding\) in the time asked for, found none"):
            catalog.open(["BTCUSDT.BINANCE"], kinds=["funding"])


def test_an_unknown_instrument_is_answered_with_its_likeness(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="it has 0, such as none yet: import a file first"):
        catalog.open(["BTCUSDT.BINANCE"])
    catalog.write([batch(trade(NOON, 1), instrument="BTCUSDT-PERP.BYBIT")], source="a")
    with pytest.raises(CatalogError, match=r"found 'BTCUSDT\.BYBIT'; it has 1, such as BTCUSDT-PERP\.BYBIT"):
        catalog.open(["BTCUSDT.BYBIT"])


def test_a_busy_day_is_a_part_and_quiet_days_share_one(catalog: Catalog) -> None:
    busy = tape(*[trade(NOON, 1)])
    busy = np.repeat(busy, PART_ROWS_MIN)
    next_day = trade(NOON + DAY_NS, 2)
    catalog.write([batch(tape(busy, next_day)), batch(trade(NOON + 2 * DAY_NS, 3))], source="a")
    assert [path.parent.name for path in part_files(catalog)] == ["day=2024-08-08", "day=2024-08-09"]
    assert [len(next(part_rows(path))) for path in part_files(catalog)] == [PART_ROWS_MIN, 2]


def test_parts_can_be_read_by_anything_that_reads_parquet(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 7), instrument="BTC-USD.OKX")], source="a")
    table = pq.read_table(catalog.path / "events")
    assert table.column("price").to_pylist() == [7]
    assert table.column("venue").to_pylist() == ["OKX"]
    assert table.column("instrument").to_pylist() == ["BTC-USD"]


def test_the_same_file_is_imported_once_under_whatever_name(catalog: Catalog, tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("same")
    second.write_text("same")
    catalog.write([batch(trade(NOON, 1))], source=first)
    known = catalog.imported(second)
    assert known is not None
    assert known.source_name == "a.csv"
    with pytest.raises(CatalogError, match=r"b\.csv: expected data that is not .* imported as a\.csv"):
        catalog.write([batch(trade(NOON, 1))], source=second)
    assert catalog.imported(second, "X.Y") is None
    assert catalog.datasets()[0].rows == 1


def test_a_source_that_cannot_be_read_is_one_line(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="expected a readable file, found No such file"):
        catalog.imported(tmp_path / "none")


def test_a_second_writer_is_refused_while_the_first_writes(catalog: Catalog) -> None:
    with (catalog.path / ".lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CatalogError, match="another import running"):
            catalog.write([batch(trade(NOON, 1))], source="a")


def test_an_error_in_the_middle_leaves_the_catalog_as_it_was(catalog: Catalog) -> None:
    catalog.write([batch(trade(NOON, 1))], source="a")
    before = part_files(catalog)

    def batches() -> Iterator[Batch]:
        yield batch(np.repeat(trade(NOON, 1), 200_000))
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        catalog.write(batches(), source="b")
    assert part_files(catalog) == before
    assert list((catalog.path / ".staging").iterdir()) == []
    assert catalog.open(["BTCUSDT.BINANCE"]).local["arrival"].tolist() == [0]


def test_many_instruments_at_once_are_held_back_within_a_limit(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "BUFFERED_ROWS_MAX", 50)
    batches = [batch(np.repeat(trade(NOON, 1), 30), instrument=f"A{n}.B") for n in range(5)]
    catalog.write(batches, source="a")
    assert len(catalog.open([f"A{n}.B" for n in range(5)]).local) == 150


def test_a_catalog_that_may_not_be_written_is_replayed_from_the_users_cache(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.write([batch(trade(NOON, 1))], source="a")
    monkeypatch.setenv("HEADWATER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("headwater.storage.catalog.os.access", lambda *_: False)
    before = sorted(catalog.path.rglob("*"))
    assert len(Catalog(catalog.path).open(["BTCUSDT.BINANCE"]).local) == 1
    assert sorted(catalog.path.rglob("*")) == before
    assert any((tmp_path / "cache" / "replay").iterdir())


def test_a_tape_too_long_to_certify_at_opening_says_so(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.storage.catalog.CERTIFIED_AT_OPEN_ROWS_MAX", 0)
    catalog.write([batch(trade(NOON, 1))], source="a")
    certificate = catalog.open(["BTCUSDT.BINANCE"]).instruments[0].certificate
    assert certificate["trusted"] is None
    assert certificate["reasons"] == ["trades: not verified yet: run `headwater tape verify`"]
    catalog.certify(catalog.datasets()[0])
    assert catalog.open(["BTCUSDT.BINANCE"]).instruments[0].certificate["trusted"] is True


def test_what_another_process_left_is_cleared_before_the_next_import(catalog: Catalog) -> None:
    (catalog.path / ".staging" / "1" / "events").mkdir(parents=True)
    catalog.write([batch(trade(NOON, 1))], source="a")
    assert list((catalog.path / ".staging").iterdir()) == []


def test_sequence_numbers_are_carried_to_the_file_that_continues(catalog: Catalog) -> None:
    with catalog.transaction("a") as opened:
        opened.append(batch(trade(NOON, 1)))
        opened.carry({"BTCUSDT.BINANCE": 77})
    assert Catalog(catalog.path).imports()[0].carried == {"BTCUSDT.BINANCE": 77}


def test_a_grid_that_changes_begins_a_new_part(catalog: Catalog) -> None:
    batches = [batch(trade(NOON, 10), tick_size="0.1"), batch(trade(NOON + 1, 20), tick_size="0.05")]
    catalog.write(batches, source="a")
    assert len(part_files(catalog)) == 2
    replay = catalog.open(["BTCUSDT.BINANCE"])
    assert replay.instruments[0].tick_size == Decimal("0.05")
    assert replay.local["price"].tolist() == [20, 20]


class TestDamage:
    """Whatever is wrong with the files is one line that names the file and the remedy."""

    def test_a_folder_that_is_no_catalog(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match=r"found no catalog\.json; make one with"):
            Catalog(tmp_path)
        (tmp_path / "letter.txt").write_text("hello")
        with pytest.raises(CatalogError, match="expected an empty folder"):
            Catalog(tmp_path, create=True)

    def test_a_creation_that_was_killed_is_completed(self, tmp_path: Path) -> None:
        (tmp_path / "imports").mkdir()
        assert Catalog(tmp_path, create=True).datasets() == []

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('{"format":"headwater-catalog","version":2}', "version 1 or older, found version 2; upgrade"),
            ('{"format":"other","version":1}', "expected format headwater-catalog, found other"),
            ("", "expected a catalog's marker"),
        ],
    )
    def test_a_marker_of_another_make(self, catalog: Catalog, text: str, words: str) -> None:
        (catalog.path / "catalog.json").write_text(text)
        with pytest.raises(CatalogError, match=words):
            Catalog(catalog.path)

    def test_a_manifest_of_a_newer_version(self, catalog: Catalog) -> None:
        (catalog.path / "imports" / "000001.json").write_text('{"version": 9}')
        with pytest.raises(
            CatalogError, match=r"000001\.json: expected format version 1 or older, found .* 9"
        ):
            catalog.datasets()

    def test_a_manifest_cut_short(self, catalog: Catalog) -> None:
        (catalog.path / "imports" / "000001.json").write_text('{"version": 1, "num')
        with pytest.raises(CatalogError, match="expected the record of an import, found damage"):
            catalog.datasets()

    def test_a_truncated_part(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        (path,) = part_files(catalog)
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(
            CatalogError, match=r"00000\.parquet: expected a whole Parquet part, found damage"
        ):
            catalog.open(["BTCUSDT.BINANCE"])

    def test_an_empty_part(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        part_files(catalog)[0].write_bytes(b"")
        with pytest.raises(CatalogError, match="expected a whole Parquet part"):
            catalog.query("BTCUSDT.BINANCE", None, None)

    def test_a_missing_part(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        part_files(catalog)[0].unlink()
        with pytest.raises(CatalogError, match="No such file"):
            catalog.open(["BTCUSDT.BINANCE"])

    def test_a_foreign_parquet_file(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        pq.write_table(pa.table({"price": [1]}), part_files(catalog)[0])
        with pytest.raises(CatalogError, match="without its footer; bring foreign files in"):
            catalog.open(["BTCUSDT.BINANCE"])

    def test_a_part_of_another_schema(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        (path,) = part_files(catalog)
        table = pq.read_table(path, partitioning=None)
        changed = table.set_column(2, "price", table.column("price").cast(pa.float64()))
        footer = pq.read_metadata(path).metadata
        pq.write_table(changed.replace_schema_metadata({b"headwater": footer[b"headwater"]}), path)
        with pytest.raises(CatalogError, match="expected column price of int64, found double"):
            catalog.open(["BTCUSDT.BINANCE"])

    def test_a_part_of_a_newer_version(self, catalog: Catalog) -> None:
        catalog.write([batch(trade(NOON, 1))], source="a")
        (path,) = part_files(catalog)
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.replace_schema_metadata({b"headwater": b'{"format_version": 2}'}), path)
        with pytest.raises(CatalogError, match="version 1 or older, found version 2; upgrade Headwater"):
            catalog.open(["BTCUSDT.BINANCE"])
