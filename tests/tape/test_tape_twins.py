"""Every kernel of the tape agrees with its slow twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.event import NO_PRICE, EventKind, Events
from headwater.tape.benford import leading_digit
from headwater.tape.book_check import BookCheck
from headwater.tape.depth_samples import depth_samples
from headwater.tape.log_histogram import BINS, log_bin
from headwater.tape.netting import net_trades
from headwater.tape.order import forward_times, message_times
from headwater.tape.quote_check import QuoteCheck
from headwater.tape.timing_check import TimingCheck
from headwater.tape.trade_check import TradeCheck
from tests.oracle import tape_twins as twin
from tests.tape.strategies import BOOK_KINDS, records

ANY_KIND = (EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK_DELTA)


@given(records(ANY_KIND, whole=False), st.booleans())
def test_message_times(events: Events, at_venue: bool) -> None:
    out = np.empty(len(events), np.int64)
    message_times(events, at_venue, out)
    assert out.tolist() == twin.message_times(events, "ts_venue" if at_venue else "ts_local")


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.integers(-50, 50))
def test_forward_times(times: list[int], start: int) -> None:
    array = np.array(times, np.int64)
    raised = forward_times(array, start)
    assert array.tolist() == twin.forward_times(times, start)
    assert raised == sum(before != after for before, after in zip(times, array.tolist(), strict=True))


@given(st.floats(0, 1e30))
def test_log_bin(value: float) -> None:
    found = log_bin(value)
    assert 0 <= found < BINS
    assert abs(found - twin.log_bin(value)) <= 1  # an edge may fall to either side by rounding
    assert log_bin(value * 1.2) >= found


@given(st.integers(1, 2**63 - 1))
def test_leading_digit(value: int) -> None:
    assert leading_digit(value) == twin.leading_digit(value)


@given(records(ANY_KIND), st.integers(0, 40))
def test_timing(events: Events, cut: int) -> None:
    check = TimingCheck(is_steady=True)
    check.update(events[:cut])
    check.update(events[cut:])
    slow = twin.timing(events)
    found = {finding.check: finding.count for finding in check.findings()}
    assert check.measures()["messages"] == slow.messages
    assert found.get("backward clock", 0) == slow.backward
    assert found.get("venue order", 0) == slow.venue_backward
    assert int(check._local_bins.sum()) == len(slow.steps)
    assert int(check._hole_ns.max()) == max([0, *slow.steps])


@given(
    records((*BOOK_KINDS, EventKind.GAP), prices=st.integers(-1, 8), sizes=st.integers(-1, 3), rows_max=60)
)
def test_book(events: Events) -> None:
    slow = twin.book(events)
    check = BookCheck()
    check.update(events)
    for name in twin.COUNTED:
        assert check.counter(name) == slow.counters[name], name
    bids, asks = check.levels()
    assert bids.T.tolist() == [[price, slow.bids[price]] for price in sorted(slow.bids, reverse=True)]
    assert asks.T.tolist() == [[price, slow.asks[price]] for price in sorted(slow.asks)]
    assert check.is_trusted == slow.is_trusted()


@given(records((*BOOK_KINDS, EventKind.GAP), rows_max=60), st.data())
def test_book_in_chunks(events: Events, data: st.DataObject) -> None:
    ends = [0, *(np.flatnonzero(events["flags"]) + 1).tolist()]
    cut = data.draw(st.sampled_from(ends))
    whole, parts = BookCheck(), BookCheck()
    whole.update(events)
    parts.update(events[:cut])
    parts.update(events[cut:])
    for name in twin.COUNTED:
        if name != "repeated":  # compared within a chunk alone
            assert parts.counter(name) == whole.counter(name), name
    for one, other in zip(parts.levels(), whole.levels(), strict=True):
        assert one.tolist() == other.tolist()


@given(
    records(
        (EventKind.TRADE, EventKind.TRADE, EventKind.QUOTE),
        prices=st.integers(-1, 30),
        sizes=st.integers(-1, 1200),
    )
)
def test_trades(events: Events) -> None:
    check = TradeCheck()
    check.update(events)
    slow = twin.trades(events)
    assert check.counter("trades") == slow.trades
    assert check.counter("bad") == slow.bad
    assert check.counter("absurd") == slow.absurd
    assert check.counter("twins") == slow.twins
    assert abs(int(check._largest[0]) / 1e9 - slow.largest_return) < 2e-9
    assert check._digits.tolist() == slow.digits


@given(
    records(
        (EventKind.QUOTE, EventKind.QUOTE, EventKind.TRADE),
        prices=st.one_of(st.integers(-1, 6), st.just(NO_PRICE)),
        sizes=st.integers(-1, 3),
    )
)
def test_quotes(events: Events) -> None:
    check = QuoteCheck()
    check.update(events)
    slow = twin.quotes(events)
    assert check.counter("messages") == slow.quotes
    assert check.counter("crossed") == slow.crossed
    assert check.counter("locked") == slow.locked
    assert check.counter("bad") == slow.bad


@given(records(BOOK_KINDS, prices=st.integers(1, 30), rows_max=60), st.integers(1, 6))
def test_depth_samples(events: Events, samples_max: int) -> None:
    messages = len(twin.messages(events))
    every = -(-messages // samples_max)
    assert depth_samples(events, samples_max).tolist() == twin.depth_samples(events, every)


@given(records((*BOOK_KINDS, EventKind.TRADE, EventKind.TRADE, EventKind.GAP), rows_max=60))
def test_netting(events: Events) -> None:
    # Stored by kind group, a message is of one kind: trades end their own.
    torn = np.flatnonzero(np.diff((events["kind"] == EventKind.TRADE).astype(np.int8)))
    events["flags"][torn] = 1
    found = net_trades(events)
    pairs = list(zip(found.message_rows.tolist(), found.explained.tolist(), strict=True))
    assert pairs == twin.netted(events)
