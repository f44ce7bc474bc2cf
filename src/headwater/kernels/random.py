"""Random numbers whose whole state is one 64-bit integer in a record: SplitMix64, and normals by Box and Muller.

Sources: Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA; Box, Muller (1958),
"A note on the generation of random normal deviates", Ann. Math. Statist. 29(2).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Float
from headwater.kernels.wrapping import wrapping_add, wrapping_multiply

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


@kernel
def mix(state: Any) -> Any:
    """SplitMix64's output for `state`: uint64, uniform."""
    z = np.uint64(state)
    z = wrapping_multiply(z ^ (z >> np.uint64(30)), _MIX_1)
    z = wrapping_multiply(z ^ (z >> np.uint64(27)), _MIX_2)
    return z ^ (z >> np.uint64(31))


@kernel
def next_uniform(record: Any) -> Float:
    """Uniform on (0, 1]; advances ``record["random"]`` (uint64)."""
    record["random"] = wrapping_add(record["random"], _GAMMA)
    return (np.float64(mix(record["random"]) >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@kernel
def next_normal(record: Any) -> Float:
    """Standard normal; advances ``record["random"]`` twice."""
    radius = np.sqrt(-2.0 * np.log(next_uniform(record)))
    return radius * np.cos(2.0 * np.pi * next_uniform(record))
