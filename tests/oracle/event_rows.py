"""Messages to events, the obvious way: one event after the other, in Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Part:
    """Levels of one kind and side, as (price, size) text; a pair alternates its sides."""

    kind: int
    side: int
    levels: tuple[tuple[str, str], ...]
    pair: bool = False


@dataclass(frozen=True)
class Message:
    """What a venue sent at once."""

    ts_local: int
    ts_venue: int
    parts: tuple[Part, ...]


Row = tuple[int, int, int, int, Decimal, Decimal, bool]
"""ts_local, ts_venue, kind, side, price, size, whether it ends its message."""


def rows(messages: list[Message]) -> list[Row]:
    """All events; a message without levels gives none."""
    found: list[Row] = []
    for message in messages:
        own = [
            (
                message.ts_local,
                message.ts_venue,
                part.kind,
                -part.side if part.pair and number else part.side,
                Decimal(price),
                Decimal(size),
                False,
            )
            for part in message.parts
            for number, (price, size) in enumerate(part.levels)
        ]
        found += [*own[:-1], (*own[-1][:-1], True)] if own else []
    return found
