"""Records that only one side of a simulation sees."""

from __future__ import annotations

from typing import Final

from headwater.domain.event import EventFlag, Events
from headwater.tape.records import chosen

_VENUE_ALONE: Final = int(EventFlag.AT_VENUE)
_BOTH: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


def trader_records(events: Events) -> Events:
    """What the trader saw: all records but those for the venue alone; the same object when that is all."""
    hidden = (events["flags"] & _BOTH) == _VENUE_ALONE
    return chosen(events, ~hidden) if hidden.any() else events
