"""Messages in flight, against a stable sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headwater.simulation.rings import ring_first_ts, ring_slot
from headwater.simulation.state import FAR_FUTURE, MESSAGE_DTYPE

CELLS = 16


@given(start=st.integers(0, 3 * CELLS), steps=st.lists(st.one_of(st.none(), st.integers(0, 50)), max_size=80))
def test_messages_arrive_by_time_and_ties_as_they_were_sent(start: int, steps: list[int | None]) -> None:
    ring = np.zeros(CELLS, MESSAGE_DTYPE)
    head = tail = start
    flying: list[tuple[int, int]] = []
    for number, ts in enumerate(steps):
        if ts is None and flying:
            message = ring[head % CELLS]
            assert (message["ts"], message["number"]) == flying.pop(0)
            head += 1
        elif ts is not None and len(flying) < CELLS:
            slot = ring_slot(ring, head, tail, ts)
            tail += 1
            ring[slot]["ts"], ring[slot]["number"] = ts, number
            flying = sorted([*flying, (ts, number)], key=lambda message: message[0])
        assert ring_first_ts(ring, head, tail) == (flying[0][0] if flying else FAR_FUTURE)
