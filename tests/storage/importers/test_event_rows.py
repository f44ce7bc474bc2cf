"""Text collected from messages becomes the events of an obvious reading, on a grid that holds them all."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import NO_PRICE, EventFlag, EventKind
from headwater.ports.importer import Batch
from headwater.storage.data_grid import ROWS_FOR_A_STEP, DataGrid
from headwater.storage.event_rows import ASK_DELTA, BID_DELTA, CLEAR, QUOTE_PAIR, EventRows, code
from tests.oracle import event_rows as plain
from tests.storage.importers.reading import no_rules

prices = st.decimals("0.01", "99999.99", places=2).map(str)
sizes = st.decimals("0", "1000", places=3).map(str)
levels = st.lists(st.tuples(prices, sizes), max_size=4).map(tuple)
books = st.builds(
    plain.Part,
    kind=st.sampled_from([EventKind.BOOK_DELTA, EventKind.BOOK_SNAPSHOT, EventKind.TRADE]),
    side=st.sampled_from([1, -1]),
    levels=levels,
)
pairs = st.builds(
    plain.Part,
    kind=st.just(EventKind.QUOTE),
    side=st.just(1),
    levels=st.tuples(st.tuples(prices, sizes), st.tuples(prices, sizes)),
    pair=st.just(True),
)
messages = st.lists(
    st.builds(
        plain.Message,
        ts_local=st.integers(1, 10**18),
        ts_venue=st.integers(1, 10**18),
        parts=st.lists(books | pairs, min_size=1, max_size=3).map(tuple),
    ),
    max_size=8,
)


def collector(notes: list[str] | None = None, lookup: object = no_rules) -> EventRows:
    kept = [] if notes is None else notes
    return EventRows("X.Y", "file", DataGrid("X.Y", lookup, kept.append))  # type: ignore[arg-type]


def collected(given_messages: list[plain.Message]) -> Batch | None:
    rows = collector()
    for line, message in enumerate(given_messages, 1):
        rows.line = line
        for part in message.parts:
            word = QUOTE_PAIR if part.pair else code(EventKind(part.kind), part.side)
            rows.levels(word, message.ts_local, message.ts_venue, json.dumps(part.levels).encode())
        rows.end()
    return rows.take()


def shown(batch: Batch) -> list[plain.Row]:
    return [
        (
            int(event["ts_local"]),
            int(event["ts_venue"]),
            int(event["kind"]),
            int(event["side"]),
            int(event["price"]) * batch.tick_size,
            int(event["size"]) * batch.lot_size,
            bool(event["flags"] & EventFlag.LAST_IN_MESSAGE),
        )
        for event in batch.events
    ]


@given(messages)
def test_messages_become_the_events_of_an_obvious_reading(given_messages: list[plain.Message]) -> None:
    batch = collected(given_messages)
    assert (shown(batch) if batch else []) == plain.rows(given_messages)


def test_values_stand_beside_levels_without_touching_the_grid() -> None:
    rows = collector()
    rows.value(CLEAR, 1, 1, NO_PRICE, 0)
    rows.levels(BID_DELTA, 1, 1, b'[["1.5","2"]]')
    rows.value(code(EventKind.FUNDING, 0), 1, 2, 10**8, 28800)
    rows.end()
    batch = rows.take()
    assert batch is not None
    assert batch.events["price"].tolist() == [NO_PRICE, 15, 10**8]
    assert batch.events["size"].tolist() == [0, 2, 28800]
    assert rows.take() is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'[["1.5"]]', "line 7, byte 7 of the levels"),
        (b'[["1.5","x"]]', "found "),
        (b'[["-1","2"]]', "line 7, field price: expected a value >= 0"),
        (b'[["1","-2"]]', "line 7, field size: expected a value >= 0"),
        (b'[["1e18","1"],["1e-9","1"]]', "line 7, field price: .* does not fit 64 bits"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line(text: bytes, reason: str) -> None:
    rows = collector()
    rows.line = 7
    rows.levels(ASK_DELTA, 1, 1, text)
    rows.end()
    with pytest.raises(ImportRefusedError, match=reason):
        rows.take()


def rules(tick: str, lot: str) -> object:
    return lambda instrument, ts: (Decimal(tick), Decimal(lot), "rulebook:x")  # noqa: ARG005


def one_level(price: str, size: str, tick: str, lot: str) -> tuple[Batch, list[str]]:
    notes: list[str] = []
    rows = collector(notes, rules(tick, lot))
    rows.levels(BID_DELTA, 1, 1, json.dumps([[price, size]]).encode())
    rows.end()
    batch = rows.take()
    assert batch is not None
    return batch, notes


@pytest.mark.parametrize(
    ("price", "tick", "ticks"),
    [("61800.5", "0.1", 618005), ("100", "5", 20), ("0.00000012", "0.00000001", 12)],
)
def test_prices_count_in_the_ticks_of_the_rules(price: str, tick: str, ticks: int) -> None:
    batch, notes = one_level(price, "1", tick, "1")
    assert batch.events["price"].tolist() == [ticks]
    assert batch.rules_source == "rulebook:x"
    assert notes == []


def test_a_price_between_two_ticks_is_kept_on_a_finer_grid_and_told() -> None:
    batch, notes = one_level("61800.55", "1", "0.1", "1")
    assert batch.tick_size == Decimal("0.05")
    assert int(batch.events["price"][0]) * batch.tick_size == Decimal("61800.55")
    assert notes == [
        "1 values of price are no multiples of the tick size 0.1 in force (rulebook:x), "
        "the first is 61800.55: kept on the finer grid 0.05"
    ]


def test_few_rows_prove_no_step_but_their_decimals() -> None:
    rows = collector()
    rows.levels(BID_DELTA, 1, 1, b'[["100.5","500"],["101.0","500"]]')
    rows.end()
    batch = rows.take()
    assert batch is not None
    assert (batch.tick_size, batch.lot_size) == (Decimal("0.1"), Decimal(1))


def test_many_rows_prove_a_step_and_a_later_batch_never_a_coarser_one() -> None:
    rows = collector()
    for step, offset in (("0.5", 0), ("1", 0)):
        texts = [[str(100 + Decimal(step) * n), "1"] for n in range(offset, ROWS_FOR_A_STEP)]
        rows.levels(BID_DELTA, 1, 1, json.dumps(texts).encode())
        rows.end()
        batch = rows.take()
        assert batch is not None
        assert batch.tick_size == Decimal("0.5")
        assert np.all(batch.events["price"] >= 200)
