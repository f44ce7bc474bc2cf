"""Arrays of hftbacktest: every row keeps its sides, its exact decimal, and its place in a message."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import NO_PRICE, EventFlag, EventKind
from tests.storage.importers.reading import Read, read

DTYPE = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ]
)
BOTH = 1 << 31 | 1 << 30
BUY, SELL = 1 << 29, 1 << 28
START = 1_700_000_000_000_000_000
INSTRUMENT = "BTCUSDT-PERP.BINANCE"


def saved(tmp_path: Path, rows: list[tuple[int, int, float, float]], name: str = "x") -> Path:
    """Rows of (flags, milliseconds, price, quantity); received 5 ms later."""
    array = np.zeros(len(rows), DTYPE)
    for row, (flags, time_ms, price, quantity) in enumerate(rows):
        venue = START + time_ms * 1_000_000
        array[row] = (flags, venue, venue + 5_000_000, price, quantity, 0, 0, 0.0)
    path = tmp_path / name
    with path.open("wb") as file:
        np.savez_compressed(file, data=array)
    return path


def read_rows(tmp_path: Path, *rows: tuple[int, int, float, float]) -> Read:
    return read(saved(tmp_path, list(rows)), INSTRUMENT)


def test_kinds_sides_and_exact_decimals_come_through(tmp_path: Path) -> None:
    result = read_rows(
        tmp_path,
        (BOTH | 4 | BUY, 0, 61800.1, 0.3),
        (BOTH | 4 | SELL, 0, 61800.2, 0.001),
        (BOTH | 1 | BUY, 1, 61800.1, 0.0),
        (BOTH | 2 | SELL, 1, 61800.1, 1.25),
    )
    (batch,) = result.batches
    events = batch.events
    kinds = [EventKind.BOOK_SNAPSHOT, EventKind.BOOK_SNAPSHOT, EventKind.BOOK_DELTA, EventKind.TRADE]
    assert events["kind"].tolist() == kinds
    assert events["side"].tolist() == [1, -1, 1, -1]
    prices = [Decimal("61800.1"), Decimal("61800.2"), Decimal("61800.1"), Decimal("61800.1")]
    assert [int(ticks) * batch.tick_size for ticks in events["price"]] == prices
    assert [int(lots) * batch.lot_size for lots in events["size"]] == [
        Decimal("0.3"),
        Decimal("0.001"),
        0,
        Decimal("1.25"),
    ]
    assert result.only.latency_usable


def test_rows_of_one_time_are_one_message_and_a_trade_is_its_own(tmp_path: Path) -> None:
    rows = [(BOTH | 1 | BUY, 0, 10.0, 1.0), (BOTH | 1 | SELL, 0, 11.0, 1.0), (BOTH | 2 | BUY, 0, 11.0, 1.0)]
    (batch,) = read_rows(tmp_path, *rows, (BOTH | 2 | BUY, 0, 11.0, 1.0)).batches
    last = batch.events["flags"] & EventFlag.LAST_IN_MESSAGE != 0
    assert last.tolist() == [False, True, True, True]


def test_a_row_that_one_side_alone_sees_keeps_its_flag(tmp_path: Path) -> None:
    (batch,) = read_rows(
        tmp_path, (1 << 31 | 1 | BUY, 0, 10.0, 1.0), (1 << 30 | 1 | BUY, 1, 10.0, 1.0)
    ).batches
    sides = batch.events["flags"] & (EventFlag.AT_VENUE | EventFlag.AT_LOCAL)
    assert sides.tolist() == [EventFlag.AT_VENUE, EventFlag.AT_LOCAL]


def test_a_clear_keeps_its_bound_or_has_none(tmp_path: Path) -> None:
    (batch,) = read_rows(
        tmp_path, (BOTH | 3 | BUY, 0, 9.5, 0.0), (BOTH | 3, 0, 0.0, 0.0), (BOTH | 1 | BUY, 1, 10.0, 1.0)
    ).batches
    assert int(batch.events["price"][0]) * batch.tick_size == Decimal("9.5")
    assert int(batch.events["price"][1]) == NO_PRICE
    assert batch.events["side"].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((BOTH | 1 | BUY, 1, float("nan"), 1.0), "row 1, field px: expected a finite value"),
        ((BOTH | 1 | BUY, 1, -10.0, 1.0), "row 1, field px: expected a finite value >= 0"),
        ((BOTH | 1 | BUY, 1, 10.0, float("inf")), "row 1, field qty"),
        ((BOTH | 10 | BUY, 1, 10.0, 1.0), "row 1, field ev: .* order-by-order data is not read"),
        ((BOTH | 1 | BUY, 1, 1 / 3, 1.0), "is not the double of a decimal"),
    ],
)
def test_a_row_that_cannot_be_believed_is_refused_by_its_number(
    row: Any, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        read_rows(tmp_path, (BOTH | 1 | BUY, 0, 10.0, 1.0), row)


def test_the_instrument_has_to_be_named(tmp_path: Path) -> None:
    path = saved(tmp_path, [(BOTH | 1 | BUY, 0, 10.0, 1.0)])
    with pytest.raises(ImportRefusedError, match="--instrument"):
        read(path)


def test_an_array_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(100, DTYPE))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ImportRefusedError, match="expected 100 rows, found 84: the array is cut short"):
        read(path, INSTRUMENT)


def test_a_long_array_comes_in_pieces_that_tear_no_message(tmp_path: Path) -> None:
    """1.2 M rows, ten to a message: the cuts fall between messages, and nothing is lost."""
    count = 1_200_000
    array = np.zeros(count, DTYPE)
    array["ev"] = BOTH | 1 | BUY
    array["exch_ts"] = START + np.arange(count) // 10 * 1_000_000
    array["local_ts"] = array["exch_ts"] + 5_000_000
    array["px"], array["qty"] = 10.5, 1.0
    path = tmp_path / "x"
    with path.open("wb") as file:
        np.savez(file, data=array)
    result = read(path, INSTRUMENT)
    assert len(result.batches) > 1
    assert sum(len(batch.events) for batch in result.batches) == count
    ends = sum(int((batch.events["flags"] & EventFlag.LAST_IN_MESSAGE).sum()) for batch in result.batches)
    assert ends == count // 10
