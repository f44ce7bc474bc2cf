"""CSV of Tardis and of the public archives, real where there is some, and each kind of damage named."""

from __future__ import annotations

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EventFlag, EventKind
from tests.storage.importers.reading import Read, book_states, read

TARDIS = "exchange,symbol,timestamp,local_timestamp"
T0 = 1_582_329_602_111_000


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "file"
    path.write_text("\n".join(lines) + "\n")
    return path


def tardis(number: int, rest: str, exchange: str = "binance-futures") -> str:
    """A row `number` ms after the first, received 5 ms later."""
    return f"{exchange},BTCUSDT,{T0 + number * 1000},{T0 + number * 1000 + 5000},{rest}"


@pytest.fixture(scope="module")
def real_trades(dev_data: Path) -> list[str]:
    with gzip.open(
        dev_data / "trades" / "tardis_binance-futures_BTCUSDT_trades_20200222.csv.gz", "rt"
    ) as file:
        return file.read().splitlines()


def test_real_trades_of_tardis_are_whole(real_trades: list[str], tmp_path: Path) -> None:
    result = read(written(tmp_path, *real_trades))
    assert result.counts() == {EventKind.TRADE: 9999}
    assert list(result.findings) == ["BTCUSDT-PERP.BINANCE"]
    assert (result.only.lost_messages, result.only.duplicates, result.only.backward_clock) == (0, 0, 0)
    (batch,) = result.batches
    assert int(batch.events["price"][0]) * batch.tick_size == Decimal("9682")
    assert int(batch.events["size"][0]) * batch.lot_size == Decimal("0.132")


def test_a_dropped_trade_is_counted(real_trades: list[str], tmp_path: Path) -> None:
    found = read(written(tmp_path, *real_trades[:500], *real_trades[502:])).only
    assert (found.sequence_gaps, found.lost_messages) == (1, 2)


def test_a_repeated_trade_is_left_out(real_trades: list[str], tmp_path: Path) -> None:
    result = read(written(tmp_path, *real_trades[:501], *real_trades[500:]))
    assert result.only.duplicates == 1
    assert result.counts() == {EventKind.TRADE: 9999}


def test_swapped_trades_are_named(real_trades: list[str], tmp_path: Path) -> None:
    lines = [*real_trades[:500], real_trades[501], real_trades[500], *real_trades[502:]]
    found = read(written(tmp_path, *lines)).only
    assert any("out of order" in note for note in found.notes)


def test_a_row_that_is_cut_is_refused_by_its_place(real_trades: list[str], tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="line"):
        read(written(tmp_path, *real_trades[:50], real_trades[50][:40]))


@pytest.mark.parametrize(("field", "bad"), [(6, "-9682"), (6, "nan"), (7, "1,5"), (5, "sideways")])
def test_a_bad_field_is_refused_by_line_and_name(
    field: int, bad: str, real_trades: list[str], tmp_path: Path
) -> None:
    fields = real_trades[20].split(",")
    fields[field] = bad
    with pytest.raises(ImportRefusedError, match="line"):
        read(written(tmp_path, *real_trades[:20], ",".join(fields), *real_trades[21:]))


def test_real_quotes_of_tardis_are_pairs(dev_data: Path) -> None:
    result = read(dev_data / "trades" / "tardis_binance-futures_BTCUSDT_quotes_20200222.csv.gz")
    (batch,) = result.batches
    assert batch.events["side"][:4].tolist() == [1, -1, 1, -1]
    ends = batch.events["flags"] & EventFlag.LAST_IN_MESSAGE != 0
    assert ends[:4].tolist() == [False, True, False, True]
    assert int(batch.events["price"][0]) * batch.tick_size == Decimal("9681.92")


def incremental(tmp_path: Path) -> Read:
    return read(
        written(
            tmp_path,
            f"{TARDIS},is_snapshot,side,price,amount",
            tardis(0, "true,bid,100.0,1"),
            tardis(0, "true,ask,100.5,2"),
            tardis(1, "false,bid,100.0,0"),
            tardis(1, "false,bid,99.5,3"),
            tardis(2, "true,bid,98.0,1"),
            tardis(2, "true,ask,98.5,1"),
        )
    )


def decimals(levels: dict[str, int]) -> dict[Decimal, Decimal]:
    """Price -> size."""
    return {Decimal(price): Decimal(size) for price, size in levels.items()}


def test_an_incremental_book_begins_anew_with_each_snapshot(tmp_path: Path) -> None:
    states = [book.copy() for _, book in book_states(incremental(tmp_path).batches)]
    assert states == [
        (decimals({"100.0": 1}), decimals({"100.5": 2})),
        (decimals({"99.5": 3}), decimals({"100.5": 2})),
        (decimals({"98.0": 1}), decimals({"98.5": 1})),
    ]


def test_book_snapshots_leave_empty_levels_out(tmp_path: Path) -> None:
    columns = "asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,asks[1].amount"
    header = f"{TARDIS},{columns},bids[1].price,bids[1].amount"
    result = read(
        written(tmp_path, header, tardis(0, "100.5,1,100,2,101,3,,"), tardis(1, "100.5,1,100,2,101,3,99,4"))
    )
    (batch,) = result.batches
    assert batch.book_levels == 2
    assert result.only.conflated.startswith("pictures of the 2 best levels")
    states = [book.copy() for _, book in book_states(result.batches)]
    assert states[0] == (decimals({"100": 2}), decimals({"100.5": 1, "101": 3}))
    assert states[1][0] == decimals({"100": 2, "99": 4})


def test_a_derivative_ticker_gives_each_value_where_it_changed(tmp_path: Path) -> None:
    header = "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price"
    funded = T0 + 10**9
    rows = [
        tardis(0, f"{funded},0.0001,,1.5,9682,9680,9681"),
        tardis(1, f"{funded},0.0001,,1.5,9682,9680,9682"),
    ]
    result = read(written(tmp_path, f"{TARDIS},{header},mark_price", *rows))
    assert result.counts() == {
        EventKind.FUNDING: 1,
        EventKind.MARK_PRICE: 2,
        EventKind.INDEX_PRICE: 1,
        EventKind.OPEN_INTEREST: 1,
    }
    (batch,) = result.batches
    funding = batch.events[batch.events["kind"] == EventKind.FUNDING][0]
    assert (funding["price"], funding["ts_venue"]) == (10**8, funded * 1000)


def test_trades_without_ids_are_liquidations(tmp_path: Path) -> None:
    header = f"{TARDIS},id,side,price,amount"
    result = read(written(tmp_path, header, tardis(0, ",buy,9682,0.1"), tardis(1, ",sell,9683,0.1")))
    assert result.counts() == {EventKind.LIQUIDATION: 2}


def test_an_unknown_table_of_tardis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="this data type is not read"):
        read(written(tmp_path, f"{TARDIS},strike_price,type", tardis(0, "1,call")))


def test_two_symbols_of_one_file_are_two_instruments(tmp_path: Path) -> None:
    rows = [tardis(0, "1,buy,9682,0.1"), tardis(1, "7,buy,200,0.1").replace("BTCUSDT", "ETHUSDT")]
    result = read(written(tmp_path, f"{TARDIS},id,side,price,amount", *rows))
    assert sorted(result.findings) == ["BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"]


BYBIT = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"


def bybit_row(seconds: str, side: str = "Buy") -> str:
    return f"{seconds},BTCUSDT,{side},0.010,61800.50,PlusTick,a-b,618005000,0.01,618.005"


def test_bybit_trades_that_are_newest_first_are_turned_round(tmp_path: Path) -> None:
    rows = [bybit_row("1583107202.5"), bybit_row("1583107201.25", "Sell"), bybit_row("1583107200.1234")]
    result = read(written(tmp_path, BYBIT, *rows))
    (batch,) = result.batches
    assert batch.instrument == "BTCUSDT-PERP.BYBIT"
    assert batch.events["ts_venue"].tolist() == [
        1583107200123400000,
        1583107201250000000,
        1583107202500000000,
    ]
    assert batch.events["side"].tolist() == [1, -1, 1]
    assert result.only.notes == ["the file was newest first and was turned round"]
    assert not result.only.latency_usable


def test_bybit_spot_trades_have_to_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "id,timestamp,price,volume,side", "1,1583107200123,61800.5,0.01,buy")
    with pytest.raises(ImportRefusedError, match="--instrument"):
        read(path)
    assert read(path, "BTCUSDT.BYBIT").counts() == {EventKind.TRADE: 1}


SPOT_TRADES = ["1,61800.10,0.5,30900.05,{time},True,True", "2,61800.20,0.5,30900.10,{time},False,True"]


@pytest.mark.parametrize("time", ["1735689600123", "1735689600123456"])
@pytest.mark.parametrize("header", [[], ["id,price,qty,quote_qty,time,is_buyer_maker,is_best_match"]])
def test_archive_times_are_milli_or_microseconds_with_header_or_without(
    time: str, header: list[str], tmp_path: Path
) -> None:
    plain = written(tmp_path, *header, *(row.format(time=time) for row in SPOT_TRADES))
    packed = tmp_path / "BTCUSDT-trades.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(plain, "BTCUSDT-trades.csv")
    (batch,) = read(packed, "BTCUSDT.BINANCE").batches
    assert batch.events["ts_venue"].tolist() == [int(time) * 10 ** (19 - len(time))] * 2
    assert batch.events["side"].tolist() == [-1, 1]


def aggregates(*ids: int) -> list[str]:
    return [f"{number},61800.1,0.5,{number},{number},{1735689600000 + number},true" for number in ids]


@pytest.mark.parametrize(
    ("ids", "gaps", "lost", "repeats"),
    [((1, 2, 3), 0, 0, 0), ((1, 4), 1, 2, 0), ((1, 1, 2), 0, 0, 1), ((1, 3, 2), 1, 1, 0)],
)
def test_archive_ids_name_each_damage(
    ids: tuple[int, ...], gaps: int, lost: int, repeats: int, tmp_path: Path
) -> None:
    header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    found = read(written(tmp_path, header, *aggregates(*ids)), "BTCUSDT-PERP.BINANCE").only
    assert (found.sequence_gaps, found.lost_messages, found.duplicates) == (gaps, lost, repeats)


def test_archive_quotes_are_pairs(tmp_path: Path) -> None:
    header = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
    row = "1,61800.1,0.5,61800.2,0.7,1735689600000,1735689600001"
    assert read(written(tmp_path, header, row), "BTCUSDT-PERP.BINANCE").counts() == {EventKind.QUOTE: 2}


def test_totals_in_percent_bands_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp,percentage,depth,notional", "2023-01-01 00:00:06,-5,100,1000")
    with pytest.raises(ImportRefusedError, match="totals in percent bands"):
        read(path, "BTCUSDT-PERP.BINANCE")


def test_an_archive_file_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match=r"--instrument BTCUSDT\.BINANCE"):
        read(written(tmp_path, *(row.format(time="1735689600123") for row in SPOT_TRADES)))


@pytest.fixture(scope="module")
def diffs(dev_data: Path) -> list[str]:
    with gzip.open(dev_data / "l2" / "binance_usdm_TRXUSDT_diffdepth_20250304.csv.gz", "rt") as file:
        return file.read().splitlines()


def first_of_message(diffs: list[str], number: int) -> tuple[int, int]:
    """First and last + 1 line of the `number`-th message."""
    ids = [line.split(",")[7] if line[:1].isdigit() else "" for line in diffs]
    starts = [place for place in range(1, len(ids)) if ids[place] and ids[place] != ids[place - 1]]
    return starts[number], starts[number + 1]


def test_flattened_diffs_are_whole_but_have_no_snapshot(diffs: list[str], tmp_path: Path) -> None:
    result = read(written(tmp_path, *diffs))
    assert result.counts() == {EventKind.BOOK_DELTA: 10_000, EventKind.GAP: 1}
    assert result.only.sequence_gaps == 0
    assert result.only.notes == ["no snapshot in the file: the book is not to be trusted"]


def test_a_dropped_flattened_diff_is_a_gap(diffs: list[str], tmp_path: Path) -> None:
    start, stop = first_of_message(diffs, 50)
    result = read(written(tmp_path, *diffs[:start], *diffs[stop:]))
    assert result.only.sequence_gaps == 1
    assert result.counts()[EventKind.GAP] == 2


def test_a_repeated_flattened_diff_is_left_out(diffs: list[str], tmp_path: Path) -> None:
    start, stop = first_of_message(diffs, 50)
    result = read(written(tmp_path, *diffs[:stop], *diffs[start:stop], *diffs[stop:]))
    assert result.only.sequence_gaps == 0
    assert result.only.duplicates == 1
    assert result.counts()[EventKind.BOOK_DELTA] == 10_000


def test_an_edited_snapshot_time_is_named(dev_data: Path) -> None:
    result = read(dev_data / "l2" / "binance_spot_BTCUSDT_depthsnapshots_20250414.csv.gz")
    assert list(result.findings) == ["BTCUSDT.BINANCE"]
    assert result.counts() == {EventKind.BOOK_SNAPSHOT: 20_000, EventKind.BOOK_CLEAR: 2}
    assert "its time was edited" in result.only.notes[0]
    assert result.only.conflated
