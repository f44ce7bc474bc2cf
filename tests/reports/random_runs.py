"""Hypothesis strategies: small finished runs over a linear, an inverse and a spot instrument, consistent in
themselves.
"""

from __future__ import annotations

from hypothesis import strategies as st

from headwater.backtest.result import BacktestResult
from headwater.domain.event import NO_PRICE
from headwater.domain.order import OrderLogEvent, OrderStatus, Reason
from tests.reports.synthetic_run import SECOND, START_TS, Books, instrument, log_row, result_of

LINEAR = instrument()
INVERSE = instrument(
    "BTCUSD-PERP.BYBIT", kind="inverse", tick="0.5", lot="1", multiplier="1", settle="BTC", money_scale=10**12
)
SPOT = instrument("ETHUSDT.BINANCE", kind="spot", tick="0.01", lot="0.0001")


@st.composite
def runs(draw: st.DrawFn, max_steps: int = 40) -> BacktestResult:
    """A run of up to `max_steps` samples and fills; some before any quote, some without one."""
    kinds = st.sampled_from([LINEAR, INVERSE, SPOT])
    chosen = draw(st.lists(kinds, min_size=1, max_size=3, unique_by=id))
    books = [Books(one, number=number) for number, one in enumerate(chosen)]
    prices = [100_000] * len(books)
    ts = START_TS
    for _ in range(draw(st.integers(1, max_steps))):
        number = draw(st.integers(0, len(books) - 1))
        ts += draw(st.sampled_from([0, 1, SECOND // 5, SECOND, 3 * SECOND, 10 * SECOND, 61 * SECOND]))
        prices[number] = max(50_000, prices[number] + draw(st.integers(-900, 900)))
        _act(draw, books[number], ts, prices[number])
    initial = draw(st.sampled_from([{"USDT": "10000", "BTC": "2"}, {}]))
    return result_of(books, initial=initial)


def _act(draw: st.DrawFn, book: Books, ts: int, bid: int) -> None:
    quoted = draw(st.integers(0, 5)) > 0
    ask = bid + draw(st.integers(1, 5)) if quoted else NO_PRICE
    if draw(st.booleans()):
        mark = NO_PRICE if draw(st.booleans()) else bid * 10**7
        book.funding += draw(st.integers(-50, 50)) * int(book.position != 0)
        book.sample(ts, bid, ask, mark=mark)
        return
    book.fill(
        ts,
        draw(st.sampled_from([1, -1])),
        bid + draw(st.integers(-20, 20)),
        draw(st.integers(1, 6)),
        bid=bid,
        ask=ask,
        maker=draw(st.booleans()),
        kind=draw(st.sampled_from([0, 0, 0, 1])),
    )


@st.composite
def order_logs(draw: st.DrawFn) -> list[tuple[object, ...]]:
    """Rows of an order log, ascending in time."""
    rows, ts = [], START_TS
    for _ in range(draw(st.integers(0, 30))):
        ts += draw(st.sampled_from([0, 1, SECOND // 3, SECOND - 1, SECOND, 2 * SECOND]))
        event = draw(st.sampled_from(list(OrderLogEvent)))
        order = draw(st.integers(0, 6))
        filled = draw(st.integers(0, 10))
        queue = draw(st.sampled_from([float("nan"), 0.0, 2.5]))
        reason = draw(st.sampled_from(list(Reason)))
        rows.append(
            log_row(ts, order, event, status=OrderStatus.NEW, reason=reason, filled=filled, queue=queue)
        )
    return rows
