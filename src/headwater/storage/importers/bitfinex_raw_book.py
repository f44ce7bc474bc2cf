"""Bitfinex raw order book (``R0``): order by order, ``[id, price, +/- amount]``, recognised so that it is
refused.

The frames carry no time, neither the venue's nor a receive time, and no sequence number. Put on a time axis
they would make a book whose every duration is invented, and a hole could not be found. That cannot be
believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Batch, ImportContext

_SUBSCRIBED: Final = re.compile(
    rb'"event":\s*"subscribed",\s*"channel":\s*"book".{0,200}?"prec":\s*"R0"', re.DOTALL
)


class BitfinexRawBook:
    """Refuses: there is no time in the data."""

    name = "bitfinex-raw-book"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  (the content decides)
        """An array of frames that begins with the subscription."""
        return head.lstrip().startswith(b"[") and _SUBSCRIBED.search(head[:2000]) is not None

    def batches(self, path: Path, context: ImportContext) -> Iterator[Batch]:  # noqa: ARG002
        """Always refused."""
        raise ImportRefusedError(
            f"{path}: a Bitfinex raw book has no timestamp and no sequence number in any frame, so nothing "
            "can be placed in time; record it with receive times (and the sequence flag) and import that"
        )


IMPORTER: Final = BitfinexRawBook()
