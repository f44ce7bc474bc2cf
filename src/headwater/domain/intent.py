"""What a strategy asks for: one record per intent, before the risk gate and the venue have seen it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np


class RequestKind(IntEnum):
    """What the trader asks of the venue."""

    NONE = 0
    NEW = 1
    CANCEL = 2
    AMEND = 3


INTENT_DTYPE: Final = np.dtype(
    [
        ("action", "u1"),  # RequestKind
        ("kind", "u1"),
        ("side", "i1"),
        ("time_in_force", "u1"),
        ("flags", "u1"),
        ("trigger_by", "u1"),
        ("position_side", "u1"),
        ("instrument", "i4"),
        ("order", "i8"),  # handle for CANCEL and AMEND
        ("price", "i8"),
        ("size", "i8"),
        ("trigger", "i8"),
        ("trail", "i8"),
        ("expire", "i8"),
    ],
    align=True,
)
