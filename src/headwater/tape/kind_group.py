"""Kind groups: the event kinds that are stored together, because nobody reads one without the others.

==============  ====================================================  ================================
group           kinds                                                 remark
==============  ====================================================  ================================
book            BOOK_DELTA, BOOK_SNAPSHOT, BOOK_CLEAR, GAP            ``book-50`` when 50 levels deep
trades          TRADE
quotes          QUOTE
bars-1m         BAR_OPEN, BAR_RANGE, BAR_CLOSE                        one group for each interval
funding, mark, index, open_interest, liquidations, status, metric     one kind each
==============  ====================================================  ================================

Several streams of one book (1, 50, 200, 1000 levels) are never mixed: they are published at different
moments, and a level that leaves a shallow stream still stands in the deep one. They are groups of their own,
and :func:`deepest_book` chooses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.domain.event import EventKind, Events

_GROUP_OF_KIND: Final = {
    EventKind.BOOK_DELTA: "book",
    EventKind.BOOK_SNAPSHOT: "book",
    EventKind.BOOK_CLEAR: "book",
    EventKind.TRADE: "trades",
    EventKind.QUOTE: "quotes",
    EventKind.BAR_OPEN: "bars",
    EventKind.BAR_RANGE: "bars",
    EventKind.BAR_CLOSE: "bars",
    EventKind.FUNDING: "funding",
    EventKind.MARK_PRICE: "mark",
    EventKind.INDEX_PRICE: "index",
    EventKind.OPEN_INTEREST: "open_interest",
    EventKind.LIQUIDATION: "liquidations",
    EventKind.STATUS: "status",
    EventKind.GAP: "book",
    EventKind.METRIC: "metric",
}

FAMILIES: Final = tuple(dict.fromkeys(_GROUP_OF_KIND.values()))
"""Groups without their interval or depth, in the order of the table."""

_FAMILY_NUMBER: Final = np.zeros(256, np.uint8)
for _kind, _family in _GROUP_OF_KIND.items():
    _FAMILY_NUMBER[_kind] = FAMILIES.index(_family)

_UNITS: Final = (("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 10**9))


def family_numbers(events: Events) -> npt.NDArray[np.uint8]:
    """Index into :data:`FAMILIES` of each record; shape (n,)."""
    return np.take(_FAMILY_NUMBER, events["kind"])


def family_of(group: str) -> str:
    """``bars`` for ``bars-1m``, ``book`` for ``book-50``."""
    return group.partition("-")[0]


def interval_label(interval_ns: int) -> str:
    """``1m`` for a minute, ``8h``, ``1d``; ``250000000ns`` where no larger unit fits."""
    for unit, length in _UNITS:
        if interval_ns > 0 and interval_ns % length == 0:
            return f"{interval_ns // length}{unit}"
    return f"{interval_ns}ns"


def interval_ns_of(group: str) -> int:
    """Length of a bar of `group`, such as ``bars-1m``, in nanoseconds."""
    label = group.partition("-")[2]
    if label.endswith("ns"):
        return int(label[:-2])
    return int(label[:-1]) * dict(_UNITS)[label[-1]]


def book_levels(group: str) -> int:
    """Depth of a book group in levels; 0 when the whole book is published."""
    return int(group.partition("-")[2] or 0)


def deepest_book(groups: Iterable[str]) -> str | None:
    """The group among `groups` that gives the book, or None when none is a book.

    The whole book (``book``) before any depth, then the deepest. The shallower streams stay on the tape and
    can be asked for by name.
    """
    books = [group for group in groups if family_of(group) == "book"]
    return max(books, key=lambda group: book_levels(group) or 1 << 62, default=None)


def matches(group: str, kinds: Iterable[str] | None) -> bool:
    """Whether `group` is asked for by `kinds`: group names or family names, None for all."""
    return kinds is None or any(kind in (group, family_of(group)) for kind in kinds)
