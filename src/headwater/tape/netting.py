"""Trades netted against the book update that contains them.

A venue reports an execution twice: as a trade, and in the next update of the book, where the passive level is
smaller by what was traded. Whoever takes both for news counts it twice. The update that contains a trade is
the first book message whose venue time is after the trade's (on recordings of Binance that explains more of
the volume than "not before" does); there, the level that the trade hit (the ask for a buy, the bid for a
sell) shrinks, and that much of the change is explained by the trade.

Trades usually arrive first: the book is published at intervals. :class:`Netting` measures how often and by
how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.tape.kind_group import FAMILIES, family_numbers
from headwater.tape.order import I64, forward_times
from headwater.tape.price_ranks import price_ranks

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_DELTA: Final = int(EventKind.BOOK_DELTA)
_SNAPSHOT: Final = int(EventKind.BOOK_SNAPSHOT)
_CLEAR: Final = int(EventKind.BOOK_CLEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Netting:
    """Trades of one instrument and the book updates that contain them.

    Attributes
    ----------
    trade_rows : (n,) rows of the trades in the events given
    message_rows : (n,) row of the last record of the book message that contains each trade; -1 when none
        follows
    delay_ns : (n,) how much later than the trade that message arrived; 0 where there is none
    explained : (n,) lots by which the trade explains the change of its level in that message, at most its
        size
    """

    trade_rows: I64
    message_rows: I64
    delay_ns: I64
    explained: I64

    def measures(self, events: Events) -> dict[str, Any]:
        """Shares and delays, for the certificate; empty without a trade that a book message follows."""
        followed = self.message_rows >= 0
        if not followed.any():
            return {}
        delays, sizes = self.delay_ns[followed], events["size"][self.trade_rows[followed]]
        return {
            "trades_before_book_share": round(float((delays > 0).mean()), 4),
            "trade_to_book_ms_p50": round(float(np.median(delays)) / 1e6, 3),
            "trades_explained_share": round(float(self.explained[followed].sum() / max(1, sizes.sum())), 4),
        }


def net_trades(events: Events) -> Netting:
    """Match each trade with the book message that contains it.

    Parameters
    ----------
    events : (n,) of one instrument, book and trades among them, in the trader's order

    Trades of one venue instant share the change of a level in the order in which they were printed.
    """
    trade_rows = np.flatnonzero(events["kind"] == EventKind.TRADE)
    is_book = family_numbers(events) == FAMILIES.index("book")
    ends = np.flatnonzero(is_book & ((events["flags"] & _LAST) != 0) & (events["kind"] != EventKind.GAP))
    published = events["ts_venue"][ends].copy()
    forward_times(published, np.iinfo(np.int64).min)
    message = np.searchsorted(published, events["ts_venue"][trade_rows], side="right")
    message_rows = np.full(len(trade_rows), -1, np.int64)
    followed = message < len(ends)
    message_rows[followed] = ends[message[followed]]
    delay_ns = np.zeros(len(trade_rows), np.int64)
    delay_ns[followed] = events["ts_local"][message_rows[followed]] - events["ts_local"][trade_rows[followed]]
    explained = _explained(events, np.flatnonzero(is_book), trade_rows, message_rows)
    return Netting(trade_rows=trade_rows, message_rows=message_rows, delay_ns=delay_ns, explained=explained)


def _explained(events: Events, book_rows: I64, trade_rows: I64, message_rows: I64) -> I64:
    explained = np.zeros(len(trade_rows), np.int64)
    priced = events["price"] != NO_PRICE
    prices, found = price_ranks(events["price"][priced])
    rank = np.full(len(events), -1, np.int64)
    rank[priced] = found
    followed = np.flatnonzero(message_rows >= 0)
    order = followed[np.argsort(message_rows[followed], kind="stable")]
    sizes, unexplained = np.zeros(2 * len(prices), np.int64), np.zeros(2 * len(prices), np.int64)
    net_step(events, rank, book_rows, trade_rows, message_rows, order, sizes, unexplained, explained)
    return explained


@kernel
def net_step(
    events: Events,
    rank: I64,
    book_rows: I64,
    trade_rows: I64,
    message_rows: I64,
    order: I64,
    sizes: I64,
    unexplained: I64,
    explained: I64,
) -> None:
    """Run the book and give each trade its share of the change of its level.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE
    rank : (n,) rank of each record's price among m prices, -1 for NO_PRICE
    book_rows : rows of the book group, ascending
    trade_rows, message_rows : as in :class:`Netting`
    order : trades that a message follows, sorted by that message, then as printed
    sizes : (2 m,) lots resting at each price, bids then asks; all 0
    unexplained : (2 m,) scratch
    explained : written, lots
    """
    levels = len(sizes) // 2
    first_trade, begin = 0, 0
    for end in range(len(book_rows)):
        row = book_rows[end]
        if not events[row]["flags"] & _LAST:
            continue
        last_trade = first_trade
        while last_trade < len(order) and message_rows[order[last_trade]] == row:
            level = _passive_level(events, rank, trade_rows[order[last_trade]], levels)
            unexplained[level] = sizes[level]
            last_trade += 1
        for k in range(begin, end + 1):
            _apply(events, rank, book_rows[k], levels, sizes)
        for k in range(first_trade, last_trade):
            trade = trade_rows[order[k]]
            level = _passive_level(events, rank, trade, levels)
            share = min(events[trade]["size"], max(0, unexplained[level] - sizes[level]))
            explained[order[k]] = share
            unexplained[level] -= share
        first_trade, begin = last_trade, end + 1


@kernel
def _passive_level(events: Events, rank: I64, trade: int, levels: int) -> int:
    return int(rank[trade]) + (levels if events[trade]["side"] > 0 else 0)


@kernel
def _apply(events: Events, rank: I64, row: int, levels: int, sizes: I64) -> None:
    kind, side = events[row]["kind"], events[row]["side"]
    if kind in (_DELTA, _SNAPSHOT):
        sizes[rank[row] + (0 if side > 0 else levels)] = events[row]["size"]
    elif kind == _CLEAR:
        if side >= 0:
            sizes[max(rank[row], 0) : levels] = 0
        if side <= 0:
            sizes[levels : levels + rank[row] + 1 if rank[row] >= 0 else 2 * levels] = 0
