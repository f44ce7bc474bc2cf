"""The life of an order: one literal table, and nothing about it anywhere else.

A row is a status, a column an event, a cell the next status; an empty cell is a transition that cannot
happen. The table serves the trader's and the venue's side alike: it does not know whose order it is.
Documentation is drawn from it (:func:`as_markdown`, :func:`as_mermaid`), kernels read it as an array
(:func:`transition_array`).

- A fill may arrive before the acceptance that it implies: PENDING_NEW takes fills.
- A cancel that loses its race to a fill is refused and leaves the order as it is: CANCEL_REFUSED.
- A triggered order may fill in the same instant: UNTRIGGERED takes TRIGGER alone, then goes on as NEW.
- An amendment below what is filled ends the order on some venues: that is their CANCEL.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.order import OrderStatus

NO_TRANSITION: Final = -1


class OrderEvent(IntEnum):
    """What can happen to an order."""

    SUBMIT = 0
    ACCEPT = 1
    ACCEPT_UNTRIGGERED = 2
    REJECT = 3
    TRIGGER = 4
    PARTIAL_FILL = 5
    FILL = 6
    AMEND = 7
    AMEND_REFUSED = 8
    CANCEL = 9
    CANCEL_REFUSED = 10
    EXPIRE = 11


_S, _E = OrderStatus, OrderEvent

TRANSITIONS: Final[dict[OrderStatus, dict[OrderEvent, OrderStatus]]] = {
    _S.NONE: {
        _E.SUBMIT: _S.PENDING_NEW,
    },
    _S.PENDING_NEW: {
        _E.ACCEPT: _S.NEW,
        _E.ACCEPT_UNTRIGGERED: _S.UNTRIGGERED,
        _E.REJECT: _S.REJECTED,
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.AMEND_REFUSED: _S.PENDING_NEW,
        _E.CANCEL: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.PENDING_NEW,
        _E.EXPIRE: _S.EXPIRED,
    },
    _S.UNTRIGGERED: {
        _E.TRIGGER: _S.NEW,
        _E.REJECT: _S.REJECTED,
        _E.AMEND: _S.UNTRIGGERED,
        _E.AMEND_REFUSED: _S.UNTRIGGERED,
        _E.CANCEL: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.UNTRIGGERED,
        _E.EXPIRE: _S.EXPIRED,
    },
    _S.NEW: {
        _E.REJECT: _S.REJECTED,  # a triggered order can still be refused by the matching engine
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.AMEND: _S.NEW,
        _E.AMEND_REFUSED: _S.NEW,
        _E.CANCEL: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.NEW,
        _E.EXPIRE: _S.EXPIRED,
    },
    _S.PARTIALLY_FILLED: {
        _E.ACCEPT: _S.PARTIALLY_FILLED,  # the acceptance that the fill overtook
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.AMEND: _S.PARTIALLY_FILLED,
        _E.AMEND_REFUSED: _S.PARTIALLY_FILLED,
        _E.CANCEL: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.PARTIALLY_FILLED,
        _E.EXPIRE: _S.EXPIRED,
    },
    _S.FILLED: {
        _E.ACCEPT: _S.FILLED,
        _E.AMEND_REFUSED: _S.FILLED,
        _E.CANCEL_REFUSED: _S.FILLED,
    },
    _S.CANCELED: {
        _E.AMEND_REFUSED: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.CANCELED,
    },
    _S.REJECTED: {
        _E.AMEND_REFUSED: _S.REJECTED,
        _E.CANCEL_REFUSED: _S.REJECTED,
    },
    _S.EXPIRED: {
        _E.AMEND_REFUSED: _S.EXPIRED,
        _E.CANCEL_REFUSED: _S.EXPIRED,
    },
}

FINAL_STATUSES: Final = frozenset({_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED})
"""Nothing changes the order any more; late refusals and acceptances are heard and leave it as it is."""


class IllegalTransitionError(ValueError):
    """An order cannot go this way: a fault of the program, or of a venue that says impossible things."""


def next_status(status: OrderStatus, event: OrderEvent) -> OrderStatus:
    """The status after `event`; IllegalTransitionError names both, and what would have been possible."""
    row = TRANSITIONS[status]
    if event not in row:
        possible = ", ".join(possible_event.name for possible_event in row)
        raise IllegalTransitionError(
            f"an order that is {status.name} cannot {event.name}; possible: {possible}"
        )
    return row[event]


def transition_array() -> npt.NDArray[Any]:
    """The table for kernels: shape (statuses, events), i1, the next status or NO_TRANSITION."""
    table = np.full((len(OrderStatus), len(OrderEvent)), NO_TRANSITION, dtype=np.int8)
    for status, row in TRANSITIONS.items():
        for event, after in row.items():
            table[status, event] = after
    return table


def as_markdown() -> str:
    """The table as Markdown, a row for each status and a column for each event that changes something."""
    head = ["status", *(event.name.lower().replace("_", " ") for event in OrderEvent)]
    lines = [_row(head), _row(["---"] * len(head))]
    for status in OrderStatus:
        cells = [TRANSITIONS[status].get(event) for event in OrderEvent]
        lines.append(_row([status.name, *("" if cell is None else cell.name for cell in cells)]))
    return "\n".join(lines) + "\n"


def as_mermaid() -> str:
    """The table as a Mermaid state diagram, without what leaves the status as it is."""
    lines = ["stateDiagram-v2", "    [*] --> NONE"]
    for status, row in TRANSITIONS.items():
        for event, after in row.items():
            if after is not status:
                lines.append(f"    {status.name} --> {after.name}: {event.name.lower()}")
    lines += [f"    {status.name} --> [*]" for status in OrderStatus if status in FINAL_STATUSES]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
