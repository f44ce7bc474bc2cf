"""Best bid and offer as the venue publishes them: crossed, locked, impossible."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.kernels.kernel import kernel
from headwater.tape.certificate import Finding, Severity
from headwater.tape.order import I64
from headwater.tape.show_time import show_time

_QUOTE: Final = int(EventKind.QUOTE)
_LAST: Final = int(EventFlag.LAST_IN_MESSAGE)
_COUNTERS: Final = (
    "bid", "ask", "messages", "crossed", "crossed_at", "locked", "locked_at", "bad", "bad_at",
)  # fmt: skip
_BID, _ASK, _MESSAGES, _CROSSED, _CROSSED_AT, _LOCKED, _LOCKED_AT, _BAD, _BAD_AT = range(9)


@kernel
def quote_step(events: Events, state: I64) -> None:
    """Take quotes into the state and judge them at the end of each message.

    Parameters
    ----------
    events : (n,) EVENT_DTYPE in arrival order; a price of NO_PRICE or a size of 0 empties its side
    state : counters by the names of ``_COUNTERS``; ticks, 0 for an empty side
    """
    for i in range(len(events)):
        if events[i]["kind"] != _QUOTE:
            continue
        price, size, ts = events[i]["price"], events[i]["size"], events[i]["ts_local"]
        if (price <= 0 and price != NO_PRICE) or size < 0:
            if state[_BAD] == 0:
                state[_BAD_AT] = ts
            state[_BAD] += 1
            continue
        known = 0 if price == NO_PRICE or size == 0 else price
        state[_BID if events[i]["side"] > 0 else _ASK] = known
        if not events[i]["flags"] & _LAST:
            continue
        state[_MESSAGES] += 1
        if state[_BID] > 0 and state[_ASK] > 0:
            if state[_BID] > state[_ASK]:
                if state[_CROSSED] == 0:
                    state[_CROSSED_AT] = ts
                state[_CROSSED] += 1
            elif state[_BID] == state[_ASK]:
                if state[_LOCKED] == 0:
                    state[_LOCKED_AT] = ts
                state[_LOCKED] += 1


class QuoteCheck:
    """The quotes of one dataset, chunk by chunk."""

    def __init__(self) -> None:
        self._state = np.zeros(len(_COUNTERS), np.int64)

    def update(self, events: Events) -> None:
        """Take the next chunk."""
        quote_step(events, self._state)

    def counter(self, name: str) -> int:
        """A counter by its name."""
        return int(self._state[_COUNTERS.index(name)])

    def findings(self) -> list[Finding]:
        """Crossed, locked and impossible quotes."""
        said = (
            ("crossed", Severity.FAIL, "crossed quotes", "quotes have a bid above the ask"),
            ("locked", Severity.WARN, "locked quotes", "quotes have a bid equal to the ask"),
            (
                "bad",
                Severity.FAIL,
                "impossible quotes",
                "quotes have a price or size below zero, or no price",
            ),
        )
        findings = []
        for name, severity, check, what in said:
            if count := self.counter(name):
                words = f"{count} {what}, first at {show_time(self.counter(name + '_at'))}"
                findings.append(Finding(check=check, severity=severity, count=count, words=words))
        return findings

    def measures(self) -> dict[str, Any]:
        """Counts."""
        return {"quotes": self.counter("messages")}
