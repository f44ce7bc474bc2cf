"""The tape as compiled code reads it: both orders as one argument."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from headwater.domain.event import EVENT_DTYPE
from headwater.kernels.pools import Pools, pools_at


class Tape(Pools):
    """The events in the order of the trader and in the order of the venue; see ``tape/replay.py``."""

    local: Any
    venue: Any

    FIELDS: ClassVar[dict[str, np.dtype[Any]]] = {"local": EVENT_DTYPE, "venue": EVENT_DTYPE}


tape_at = pools_at(Tape)
"""From the address of a tape to it, inside compiled code."""
