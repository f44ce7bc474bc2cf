"""Best prices and the size near them, sampled from a book's events: for pictures."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.tape.kind_group import FAMILIES, family_numbers
from headwater.tape.order import I64
from headwater.tape.price_ranks import price_ranks

LEVELS: Final = 10

DEPTH_SAMPLE_DTYPE: Final = np.dtype(
    [
        ("ts", "i8"),  # ts_local, UTC ns
        ("bid", "i8"),  # ticks
        ("ask", "i8"),
        ("bid_size", "i8"),  # lots in the ten best levels
        ("ask_size", "i8"),
    ]
)

Samples: TypeAlias = npt.NDArray[Any]
"""Array of :data:`DEPTH_SAMPLE_DTYPE`, shape (k,)."""

_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_DELTA: Final = int(EventKind.BOOK_DELTA)
_SNAPSHOT: Final = int(EventKind.BOOK_SNAPSHOT)
_CLEAR: Final = int(EventKind.BOOK_CLEAR)


def depth_samples(events: Events, samples_max: int) -> Samples:
    """Sample the book after every k-th message, with k such that at most `samples_max` samples result.

    Parameters
    ----------
    events : (n,) of one instrument, in the trader's order; other kinds than the book's are passed over

    Samples with an empty side are left out.
    """
    book = events[family_numbers(events) == FAMILIES.index("book")]
    messages = int(((book["flags"] & _LAST) != 0).sum())
    every = max(1, -(-messages // samples_max))
    priced = book["price"] != NO_PRICE
    prices, found = price_ranks(book["price"][priced])
    rank = np.full(len(book), -1, np.int64)
    rank[priced] = found
    samples = np.zeros(messages // every, DEPTH_SAMPLE_DTYPE)
    sizes = np.zeros((2, len(prices)), np.int64)
    count = sample_step(book, rank, prices, sizes[0], sizes[1], every, samples)
    return samples[:count]


@kernel
def sample_step(
    events: Events, rank: I64, prices: I64, bid: I64, ask: I64, every: int, samples: Samples
) -> int:
    """Apply book events and write a sample after every `every`-th message; returns the number of samples.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE of the book group
    rank : (n,) index of each record's price in `prices`, -1 for NO_PRICE
    prices : (m,) ticks, ascending
    bid, ask : (m,) lots resting at each price
    """
    count, messages = 0, 0
    for i in range(len(events)):
        kind, side = events[i]["kind"], events[i]["side"]
        if kind in (_DELTA, _SNAPSHOT):
            if side > 0:
                bid[rank[i]] = events[i]["size"]
            else:
                ask[rank[i]] = events[i]["size"]
        elif kind == _CLEAR:
            if side >= 0:
                bid[max(rank[i], 0) :] = 0
            if side <= 0:
                ask[: rank[i] + 1 if rank[i] >= 0 else len(ask)] = 0
        if events[i]["flags"] & _LAST:
            messages += 1
            if messages % every == 0 and count < len(samples):
                count += _write_sample(events[i]["ts_local"], prices, bid, ask, samples, count)
    return count


@kernel
def _write_sample(ts: int, prices: I64, bid: I64, ask: I64, samples: Samples, at: int) -> int:
    levels, size = 0, np.int64(0)
    for k in range(len(bid) - 1, -1, -1):
        if bid[k] > 0:
            if levels == 0:
                samples[at]["bid"] = prices[k]
            levels += 1
            size += bid[k]
            if levels == LEVELS:
                break
    if levels == 0:
        return 0
    samples[at]["bid_size"] = size
    levels, size = 0, np.int64(0)
    for k in range(len(ask)):
        if ask[k] > 0:
            if levels == 0:
                samples[at]["ask"] = prices[k]
            levels += 1
            size += ask[k]
            if levels == LEVELS:
                break
    if levels == 0:
        return 0
    samples[at]["ask_size"] = size
    samples[at]["ts"] = ts
    return 1
