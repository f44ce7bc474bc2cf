"""A finished run without an engine: a seeded market, a small market maker in it, and everything it left
behind.

The maker quotes one tick around the mid, is filled at random, takes liquidity when its inventory is too
large, and its books are kept in integers exactly as a ledger would: so that fills, samples and orders agree
with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from headwater.backtest.result import LATENCY_DTYPE, SAMPLE_DTYPE, BacktestResult, ResultInstrument
from headwater.domain.event import NO_PRICE
from headwater.domain.order import FILL_DTYPE, ORDER_LOG_DTYPE, OrderLogEvent, OrderStatus, Reason
from headwater.tape.replay import ReplayInstrument

START_TS = 1_723_161_255_000_000_000  # 2024-08-08 23:54:15 UTC
SECOND = 1_000_000_000


def instrument(
    name: str = "BTCUSDT-PERP.BINANCE",
    *,
    kind: str = "linear",
    tick: str = "0.1",
    lot: str = "0.001",
    multiplier: str = "1",
    settle: str = "USDT",
    money_scale: int = 10**8,
    certificate: dict[str, Any] | None = None,
) -> ResultInstrument:
    """An instrument of a result."""
    replay = ReplayInstrument(
        id=name, tick_size=Decimal(tick), lot_size=Decimal(lot), certificate=certificate or {}
    )
    return ResultInstrument(
        replay=replay,
        kind=kind,
        multiplier=multiplier,
        base=name[:3],
        quote="USDT" if kind != "inverse" else "USD",
        settle=settle,
        money_scale=money_scale,
    )


@dataclass(slots=True)
class Books:
    """The ledger of one instrument while a run is being written; money in units of 1 / money_scale."""

    instrument: ResultInstrument
    number: int = 0
    position: int = 0
    cash: int = 0
    fee: int = 0
    funding: int = 0
    fills: list[tuple[Any, ...]] = field(default_factory=list)
    samples: list[tuple[Any, ...]] = field(default_factory=list)

    def value(self, price: int) -> Decimal:
        """Settle currency of one lot at `price` ticks."""
        grid = self.instrument.replay
        lot_value = grid.lot_size * Decimal(self.instrument.multiplier)
        quote = price * grid.tick_size
        return -lot_value / quote if self.instrument.kind == "inverse" else lot_value * quote

    def fill(
        self,
        ts: int,
        side: int,
        price: int,
        size: int,
        *,
        bid: int,
        ask: int,
        maker: bool = True,
        order: int = 0,
        kind: int = 0,
        fee_rate: str = "0.0002",
    ) -> None:
        """Book one fill and the sample that the engine writes with it."""
        amount = size * self.value(price)
        cash = int((-side * amount * self.instrument.money_scale).to_integral_value())
        fee = int((abs(amount) * Decimal(fee_rate) * self.instrument.money_scale).to_integral_value())
        self.position += side * size
        self.cash += cash
        self.fee += fee
        row = (ts, ts, order, price, size, fee, cash, self.number, side, int(maker), kind, 0, bid, ask)
        self.fills.append(row)
        self.sample(ts, bid, ask)

    def sample(self, ts: int, bid: int, ask: int, *, mark: int = NO_PRICE, working: int = 2) -> None:
        """Write a sample."""
        self.samples.append(
            (ts, self.number, self.position, bid, ask, mark, self.cash, self.fee, self.funding, working)
        )


def result_of(
    books: list[Books],
    *,
    orders: list[tuple[Any, ...]] | None = None,
    latencies: list[tuple[int, int, int]] | None = None,
    initial: dict[str, str] | None = None,
    manifest: dict[str, Any] | None = None,
    not_modelled: list[str] | None = None,
    state_hash: str = "5eed",
    complete: bool = True,
) -> BacktestResult:
    """The result of finished books."""
    fills = np.array([row for book in books for row in book.fills], FILL_DTYPE)
    samples = np.array([row for book in books for row in book.samples], SAMPLE_DTYPE)
    return BacktestResult(
        instruments=tuple(book.instrument for book in books),
        fills=fills[np.argsort(fills["ts_local"], kind="stable")],
        orders=np.array(orders or [], ORDER_LOG_DTYPE),
        samples=samples[np.argsort(samples["ts"], kind="stable")],
        latencies=np.array(latencies or [], LATENCY_DTYPE),
        initial_cash=initial if initial is not None else {"USDT": "10000"},
        manifest=manifest or {},
        not_modelled=not_modelled or [],
        state_hash=state_hash,
        complete=complete,
    )


def log_row(
    ts: int,
    order: int,
    event: OrderLogEvent,
    *,
    status: OrderStatus = OrderStatus.NONE,
    reason: Reason = Reason.NONE,
    size: int = 10,
    filled: int = 0,
    queue: float = np.nan,
    side: int = 1,
    price: int = 600_000,
) -> tuple[Any, ...]:
    """One row of the order log."""
    return (ts, ts, order, price, size, filled, NO_PRICE, queue, 0, 0, event, status, reason, side, 1, 0, 1)


@dataclass(slots=True)
class _Log:
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    latencies: list[tuple[int, int, int]] = field(default_factory=list)
    orders: int = 0

    def submit(self, rng: np.random.Generator, ts: int, side: int, price: int, filled: bool) -> int:
        order, self.orders = self.orders, self.orders + 1
        entry, response = (int(value) for value in 1e6 * rng.lognormal(1.2, 0.5, 2))
        self.rows.append(log_row(ts, order, OrderLogEvent.SUBMIT, side=side, price=price))
        self.latencies.append((ts, entry, response))
        known = ts + entry + response
        if rng.random() < 0.03:
            reason = Reason.POST_ONLY_WOULD_TAKE if rng.random() < 0.7 else Reason.RATE_LIMIT
            self._report(known, order, OrderStatus.REJECTED, reason, side, price)
            return -1
        self._report(known, order, OrderStatus.NEW, Reason.NONE, side, price, float(rng.gamma(2.0, 1.5)))
        if not filled:
            later = known + SECOND
            self.rows.append(log_row(later, order, OrderLogEvent.CANCEL, side=side, price=price))
            self._report(later + entry + response, order, OrderStatus.CANCELED, Reason.BY_USER, side, price)
        return order

    def done(self, ts: int, order: int, side: int, price: int, size: int) -> None:
        status = OrderStatus.FILLED
        self.rows.append(
            log_row(
                ts, order, OrderLogEvent.REPORT, status=status, filled=size, size=size, side=side, price=price
            )
        )

    def _report(
        self,
        ts: int,
        order: int,
        status: OrderStatus,
        reason: Reason,
        side: int,
        price: int,
        queue: float = np.nan,
    ) -> None:
        self.rows.append(
            log_row(
                ts,
                order,
                OrderLogEvent.REPORT,
                status=status,
                reason=reason,
                queue=queue,
                side=side,
                price=price,
            )
        )


def market_maker_run(seed: int = 7, steps: int = 7_200, step_ns: int = SECOND // 4) -> BacktestResult:
    """A market maker for `steps` samples; 30 minutes by default."""
    rng = np.random.default_rng(seed)
    book, log = Books(instrument(certificate=CERTIFICATE)), _Log()
    drift = rng.normal(0.0, 3.0, steps) + 0.6 * np.sin(np.arange(steps) / 400.0)
    bids = (610_000 + np.cumsum(drift)).astype(np.int64)
    for step in range(steps):
        _make(rng, book, log, START_TS + step * step_ns, int(bids[step]), step)
    rows = sorted(log.rows, key=lambda row: row[0])
    return result_of(
        [book],
        orders=rows,
        latencies=log.latencies,
        manifest={**MANIFEST},
        not_modelled=NOT_MODELLED,
        state_hash="9f31c2a76be04d18",
    )


def _make(rng: np.random.Generator, book: Books, log: _Log, ts: int, bid: int, step: int) -> None:
    ask = bid + 1 + int(rng.random() < 0.3)
    if step == 3_600:
        book.funding -= book.position * 1_000
    book.sample(ts, bid, ask)
    if rng.random() > 0.12:
        return
    side = 1 if rng.random() < 0.5 - 0.004 * book.position else -1
    heavy = abs(book.position) > 60 and (book.position > 0) == (side < 0)
    price = (ask if side > 0 else bid) if heavy else (bid - 70 if side > 0 else ask + 70)
    order = log.submit(rng, ts, side, price, filled := bool(rng.random() < 0.5))
    if order >= 0 and filled:
        size = int(rng.integers(1, 15))
        when = ts + 20_000_000 + int(rng.integers(0, 200_000_000))
        log.done(when, order, side, price, size)
        rate = "0.0005" if heavy else "0.00005"
        book.fill(when, side, price, size, bid=bid, ask=ask, maker=not heavy, order=order, fee_rate=rate)


CERTIFICATE = {
    "verdict": "trusted",
    "events": 443_521,
    "sequence_gaps": 0,
    "lost_messages": 0,
    "crossed": 0,
    "trusted_share": 1.0,
    "clock": "as recorded",
    "notes": ["bookTicker and depth arrive on two connections"],
}

NOT_MODELLED = [
    "No mark price in the data: liquidation and mark-triggered stops are refused.",
    "No funding instant was crossed in 1,800 s.",
    "Verified on 1,800 s of book: one quiet half-hour says little about other days.",
]

MANIFEST = {
    "strategy": "grid_maker",
    "parameters": {"levels": 10, "interval_ms": 100, "grid": "0.0002"},
    "models": {"latency": "log-normal, median 3.3 ms", "queue": "power-law, n = 2"},
    "seed": 7,
    "versions": {"headwater": "0.1.0"},
    "events": 1_234_567,
    "wakes": 18_000,
    "order_rate_limit_per_s": 10,
    "timing": {"run_seconds": 0.0412},
}


def bars_run(bars: int = 525_600, trips: int = 24_000, seed: int = 3) -> BacktestResult:
    """A year of one-minute bars with `trips` round trips of one unit, always in the market; written in
    arrays."""
    rng = np.random.default_rng(seed)
    price = (60_000_0 * np.exp(np.cumsum(rng.normal(0.0, 5e-4, bars)))).astype(np.int64)
    ts = 1_704_067_200_000_000_000 + 60 * SECOND * np.arange(1, bars + 1)
    at = np.sort(rng.choice(bars - 1, 2 * trips, replace=False))
    fills = np.zeros(2 * trips, FILL_DTYPE)
    fills["ts_local"] = fills["ts_venue"] = ts[at]
    fills["order"] = np.arange(2 * trips)
    fills["price"] = fills["bid"] = fills["ask"] = price[at]
    fills["side"] = np.where(np.arange(2 * trips) % 2 == 0, 1, -1)
    fills["size"] = 1_000
    fills["cash"] = -fills["side"].astype(np.int64) * fills["price"] * 10**7
    fills["fee"] = fills["price"] * 5_000
    return result_of_arrays(ts, price, at, fills)


def result_of_arrays(ts: Any, price: Any, at: Any, fills: Any) -> BacktestResult:
    """Samples and orders for the fills of :func:`bars_run`."""
    samples = np.zeros(len(ts), SAMPLE_DTYPE)
    samples["ts"], samples["bid"], samples["ask"], samples["mark"] = ts, price, price, NO_PRICE
    for name, values in (
        ("position", fills["side"].astype(np.int64) * 1_000),
        ("cash", fills["cash"]),
        ("fee", fills["fee"]),
    ):
        steps = np.zeros(len(ts), np.int64)
        steps[at] = values
        samples[name] = np.cumsum(steps)
    orders = np.zeros(2 * len(fills), ORDER_LOG_DTYPE)
    orders["ts"] = np.repeat(fills["ts_local"], 2)
    orders["order"] = np.repeat(fills["order"], 2)
    orders["size"] = 1_000
    orders["queue_ahead"] = np.nan
    orders["event"] = np.tile([OrderLogEvent.SUBMIT, OrderLogEvent.REPORT], len(fills))
    orders["filled"] = np.tile([0, 1_000], len(fills))
    latencies = np.zeros(len(fills), LATENCY_DTYPE)
    return BacktestResult(
        instruments=(instrument(),),
        fills=fills,
        orders=orders,
        samples=samples,
        latencies=latencies,
        initial_cash={"USDT": "1000000"},
        manifest={},
    )
