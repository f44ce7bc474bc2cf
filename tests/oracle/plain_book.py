"""An order book as two dicts, and Binance recordings read the obvious way, without the importers' code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Levels = dict[Decimal, Decimal]


@dataclass
class PlainBook:
    """Size by price, of each side."""

    bids: Levels = field(default_factory=dict)
    asks: Levels = field(default_factory=dict)

    def replace(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        """The whole book anew."""
        self.bids.clear()
        self.asks.clear()
        self.apply(bids, asks)

    def apply(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        """Levels that changed; a size of zero removes."""
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size, *_ in levels:
                if Decimal(size):
                    side[Decimal(price)] = Decimal(size)
                else:
                    side.pop(Decimal(price), None)

    def copy(self) -> tuple[Levels, Levels]:
        """Both sides as they are now."""
        return dict(self.bids), dict(self.asks)

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        return bool(self.bids and self.asks) and max(self.bids) >= min(self.asks)


def binance_states(messages: list[dict[str, Any]]) -> Iterator[tuple[int, PlainBook]]:
    """(update id, the same book object) after every diff that follows the snapshot.

    Parameters
    ----------
    messages : bare depth updates and one snapshot, in the order of the recording
    """
    snapshot = next(message for message in messages if "lastUpdateId" in message)
    last = snapshot["lastUpdateId"]
    book = PlainBook()
    book.replace(snapshot["bids"], snapshot["asks"])
    for message in messages:
        if message.get("e") != "depthUpdate" or message["u"] < last + ("pu" not in message):
            continue
        book.apply(message["b"], message["a"])
        yield message["u"], book


def recorded_messages(*paths: Path) -> list[dict[str, Any]]:
    """Depth messages of hftbacktest recordings, of several files one behind the other."""
    messages = []
    for path in paths:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                message = json.loads(line.partition(" ")[2])
                message = message.get("data", message)
                if "lastUpdateId" in message or message.get("e") == "depthUpdate":
                    messages.append(message)
    return messages


def array_messages(updates: Path, snapshot: Path) -> list[dict[str, Any]]:
    """Depth messages of a file of updates and the snapshot beside it."""
    with gzip.open(snapshot, "rt") as first, gzip.open(updates, "rt") as rest:
        return [json.load(first), *json.load(rest)]
