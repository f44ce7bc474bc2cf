"""What a tape holds is counted piece by piece, so that a long tape need not fit into memory."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from headwater.backtest import contents as module
from headwater.backtest.contents import contents
from headwater.domain.event import EventKind
from headwater.simulation.kinds import PriceSource
from headwater.tape.replay import Replay, ReplayInstrument
from headwater.tape.replay_of import replay_of
from tests.tape.events import NOON, delta, tape, trade


def replay(messages: int) -> Replay:
    described = ReplayInstrument(id="BTCUSDT.BINANCE", tick_size=Decimal(1), lot_size=Decimal(1))
    events = [trade(NOON + k, 1) if k % 3 else delta(NOON + k, (1, 1, 1)) for k in range(messages)]
    return replay_of(tape(*events), [described])


@pytest.mark.parametrize("chunk_rows", [1, 2, 7, 100])
def test_every_event_is_counted_once_whatever_the_pieces(
    chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK_ROWS", chunk_rows)
    (found,) = contents(replay(7))
    assert found.counts == {EventKind.TRADE: 4, EventKind.BOOK_DELTA: 3}
    assert found.source is PriceSource.BOOK


def test_each_piece_is_given_back_before_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_ROWS", 3)
    released: list[tuple[int, int]] = []
    watched = replace(replay(7), release=lambda local, venue: released.append((local, venue)))
    contents(watched)
    assert released == [(3, 3), (6, 6), (7, 7)]
