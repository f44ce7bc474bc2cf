"""One side of an L2 book: a window of ticks that re-centres, with an overflow for far levels.

Both sides are stored alike, in *keys*: a bid's key is its tick, an ask's key is its tick negated. On either side a
larger key is a better price, so that there is one implementation and no mirrored copy of it.

A side owns a slice of one ``int64`` pool:

==========  ===================  ==========================================================================
sizes       ``window`` cells     size in lots at key ``base + index``; 0 = no level
occupied    ``window / 64``      one bit per cell, to find the next level in a few instructions
far keys    ``far_capacity``     open-addressed hash of the levels below the window (linear probing)
far sizes   ``far_capacity``     their sizes; 0 = free cell
==========  ===================  ==========================================================================

Invariants: every far key is worse than every key that the window can hold; ``best`` is the largest key with a size, or
:data:`NO_KEY`. Updates are O(1) in the window and in the overflow. When a better price appears above the window, or the
window runs empty, the side re-centres: O(window + far_capacity), rare by construction.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.kernels.bits import highest_bit
from headwater.kernels.kernel import kernel
from headwater.kernels.scalar import Int
from headwater.kernels.wrapping import wrapping_multiply

I64 = npt.NDArray[np.int64]

SIDE_DTYPE: Final = np.dtype(
    [
        ("best", "i8"),  # key, NO_KEY when the side is empty
        ("base", "i8"),  # key of window cell 0
        ("window", "i8"),  # cells, a power of two, at least 64
        ("sizes_at", "i8"),  # offsets into the pool
        ("occupied_at", "i8"),
        ("far_keys_at", "i8"),
        ("far_sizes_at", "i8"),
        ("far_capacity", "i8"),  # cells, a power of two
        ("far_count", "i8"),
        ("levels", "i8"),  # levels in window and overflow
        ("lost", "i8"),  # levels refused because the overflow was full
    ]
)

NO_KEY: Final = -(2**62)
"""The best key of an empty side."""

_FEW_LEVELS: Final = 8
"""Up to so many levels it is cheaper to remove them one by one than to sweep the side."""

_HASH_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd


def pool_size(window: int, far_capacity: int) -> int:
    """Cells of the pool that one side needs."""
    return window + window // 64 + 2 * far_capacity


def allocate_sides(count: int, window: int = 16_384, far_capacity: int = 65_536) -> tuple[Any, I64]:
    """`count` empty sides over one pool.

    Returns
    -------
    sides : (count,) SIDE_DTYPE
    pool : int64, one-dimensional; untouched pages cost no memory

    Raises
    ------
    ValueError : `window` or `far_capacity` is not a power of two of at least 64
    """
    for name, value in (("window", window), ("far_capacity", far_capacity)):
        if value < 64 or value & (value - 1):
            raise ValueError(f"{name} must be a power of two of at least 64, was {value}")
    each = pool_size(window, far_capacity)
    sides = np.zeros(count, SIDE_DTYPE)
    start = np.arange(count, dtype=np.int64) * each
    sides["best"] = NO_KEY
    sides["window"] = window
    sides["far_capacity"] = far_capacity
    sides["sizes_at"] = start
    sides["occupied_at"] = start + window
    sides["far_keys_at"] = start + window + window // 64
    sides["far_sizes_at"] = sides["far_keys_at"] + far_capacity
    return sides, np.zeros(count * each, np.int64)


@kernel
def side_size(sides: Any, pool: I64, s: Int, key: Int) -> Int:
    """Size in lots at `key`, 0 when there is no such level."""
    side = sides[s]
    index = key - side["base"]
    if 0 <= index < side["window"]:
        return pool[side["sizes_at"] + index]
    if side["far_count"] == 0:
        return np.int64(0)
    return pool[side["far_sizes_at"] + _far_find(side, pool, key)]


@kernel
def side_update(sides: Any, pool: I64, s: Int, key: Int, size: Int) -> Int:
    """Set the level at `key` to `size` lots (0 removes it) and return the size that it had."""
    side = sides[s]
    index = key - side["base"]
    if 0 <= index < side["window"]:
        return _window_set(side, pool, index, key, size)
    return _outside_set(side, pool, key, size)


@kernel
def side_clear(sides: Any, pool: I64, s: Int, bound: Int) -> None:
    """Remove all levels with keys at or above `bound` (``NO_KEY``: all levels)."""
    side = sides[s]
    if side["levels"] == 0:
        return
    if bound <= NO_KEY and side["levels"] > _FEW_LEVELS:
        _clear_all(side, pool)
        return
    key = side["best"]
    while key != NO_KEY and key >= bound:
        side_update(sides, pool, s, key, np.int64(0))
        key = side["best"]


@kernel
def side_next(sides: Any, pool: I64, s: Int, key: Int) -> Int:
    """The best key below `key` that has a level, or ``NO_KEY``: walks a side from its touch."""
    side = sides[s]
    found = _window_below(side, pool, key - side["base"])
    if found >= 0:
        return side["base"] + found
    return _far_best(side, pool, key)


@kernel
def _window_set(side: Any, pool: I64, index: Int, key: Int, size: Int) -> Int:
    cell = side["sizes_at"] + index
    previous = pool[cell]
    pool[cell] = size
    if size > 0:
        if previous == 0:
            pool[side["occupied_at"] + (index >> 6)] |= np.int64(1) << (index & 63)
            side["levels"] += 1
            if key > side["best"]:
                side["best"] = key
    elif previous > 0:
        pool[side["occupied_at"] + (index >> 6)] &= ~(np.int64(1) << (index & 63))
        side["levels"] -= 1
        if key == side["best"]:
            _best_after(side, pool, index)
    return previous


@kernel
def _best_after(side: Any, pool: I64, index: Int) -> None:
    """The best level, at window cell `index`, is gone: find the next."""
    if side["levels"] == 0:
        side["best"] = NO_KEY
        return
    found = _window_below(side, pool, index)
    if found >= 0:
        side["best"] = side["base"] + found
    elif side["far_count"] == 0:
        side["best"] = NO_KEY
    else:
        best = _far_best(side, pool, side["base"])
        _recentre(side, pool, best)
        side["best"] = best


@kernel
def _window_below(side: Any, pool: I64, index: Int) -> Int:
    """Highest occupied cell below `index`, or -1."""
    if index <= 0:
        return np.int64(-1)
    top = min(index, side["window"]) - 1
    word = top >> 6
    at = side["occupied_at"]
    bits = np.uint64(pool[at + word]) << np.uint64(63 - (top & 63))
    if bits != 0:
        return top - (np.int64(63) - highest_bit(bits))
    word -= 1
    while word >= 0:
        if pool[at + word] != 0:
            return (word << 6) + highest_bit(pool[at + word])
        word -= 1
    return np.int64(-1)


@kernel
def _outside_set(side: Any, pool: I64, key: Int, size: Int) -> Int:
    """An update outside the window: below it goes to the overflow, above it re-centres the window."""
    if size > 0 and (key > side["best"] or side["levels"] == 0):
        _recentre(side, pool, key)
        return _window_set(side, pool, key - side["base"], key, size)
    if key >= side["base"]:
        return np.int64(0)  # removal above the window: nothing can be there
    return _far_set(side, pool, key, size)


@kernel
def _recentre(side: Any, pool: I64, best: Int) -> None:
    """Move the window so that `best` stands three quarters up; exchange levels with the overflow."""
    if side["levels"] == 0:
        side["base"] = best - (side["window"] - (side["window"] >> 2))
        return
    window = side["window"]
    old_base = side["base"]
    new_base = best - (window - (window >> 2))
    shift = new_base - old_base
    if shift > 0:
        _window_shed(side, pool, old_base, min(shift, window))
    if shift > 0 and shift < window:
        _window_move_down(side, pool, shift)
    # a move to worse prices (shift < 0) happens only when the window is empty: nothing has to leave it
    side["base"] = new_base
    _occupy(side, pool)
    if side["far_count"] > 0:
        _far_take_in(side, pool)


@kernel
def _window_shed(side: Any, pool: I64, old_base: Int, cells: Int) -> None:
    """Send the lowest `cells` cells of the window to the overflow."""
    at = side["sizes_at"]
    for index in range(cells):
        size = pool[at + index]
        if size > 0:
            pool[at + index] = 0
            side["levels"] -= 1
            _far_set(side, pool, old_base + index, size)


@kernel
def _window_move_down(side: Any, pool: I64, shift: Int) -> None:
    at = side["sizes_at"]
    kept = side["window"] - shift
    for index in range(kept):
        pool[at + index] = pool[at + index + shift]
    for index in range(kept, side["window"]):
        pool[at + index] = 0


@kernel
def _occupy(side: Any, pool: I64) -> None:
    """Rebuild the bits from the sizes."""
    at = side["sizes_at"]
    for word in range(side["window"] >> 6):
        bits = np.int64(0)
        for bit in range(64):
            if pool[at + (word << 6) + bit] > 0:
                bits |= np.int64(1) << bit
        pool[side["occupied_at"] + word] = bits


@kernel
def _far_slot(side: Any, key: Int) -> Int:
    mixed = wrapping_multiply(key, _HASH_MULTIPLIER) >> np.uint64(24)
    return np.int64(mixed & np.uint64(side["far_capacity"] - 1))


@kernel
def _far_find(side: Any, pool: I64, key: Int) -> Int:
    """Cell that holds `key`, or the free cell where it would go."""
    mask = side["far_capacity"] - 1
    cell = _far_slot(side, key)
    keys = side["far_keys_at"]
    sizes = side["far_sizes_at"]
    while pool[sizes + cell] != 0 and pool[keys + cell] != key:
        cell = (cell + 1) & mask
    return cell


@kernel
def _far_set(side: Any, pool: I64, key: Int, size: Int) -> Int:
    cell = _far_find(side, pool, key)
    sizes = side["far_sizes_at"]
    previous = pool[sizes + cell]
    if size > 0:
        if previous == 0:
            if side["far_count"] * 8 >= side["far_capacity"] * 7:
                side["lost"] += 1
                return np.int64(0)
            side["far_count"] += 1
            side["levels"] += 1
        pool[side["far_keys_at"] + cell] = key
        pool[sizes + cell] = size
    elif previous > 0:
        _far_remove(side, pool, cell)
    return previous


@kernel
def _far_remove(side: Any, pool: I64, cell: Int) -> None:
    """Free `cell` and move later entries of its run back, so that no search breaks off early."""
    mask = side["far_capacity"] - 1
    keys = side["far_keys_at"]
    sizes = side["far_sizes_at"]
    hole = cell
    pool[sizes + hole] = 0
    side["far_count"] -= 1
    side["levels"] -= 1
    probe = (hole + 1) & mask
    while pool[sizes + probe] != 0:
        home = _far_slot(side, pool[keys + probe])
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            pool[keys + hole] = pool[keys + probe]
            pool[sizes + hole] = pool[sizes + probe]
            pool[sizes + probe] = 0
            hole = probe
        probe = (probe + 1) & mask


@kernel
def _far_best(side: Any, pool: I64, below: Int) -> Int:
    """Largest far key below `below`, or ``NO_KEY``."""
    best = np.int64(NO_KEY)
    if side["far_count"] == 0:
        return best
    for cell in range(side["far_capacity"]):
        if pool[side["far_sizes_at"] + cell] > 0:
            key = pool[side["far_keys_at"] + cell]
            if best < key < below:
                best = key
    return best


@kernel
def _far_take_in(side: Any, pool: I64) -> None:
    """Bring the far levels that the moved window now covers back into it."""
    base = side["base"]
    cell = np.int64(0)
    while cell < side["far_capacity"]:
        size = pool[side["far_sizes_at"] + cell]
        index = pool[side["far_keys_at"] + cell] - base
        if size > 0 and 0 <= index < side["window"]:
            _far_remove(side, pool, cell)  # may move another entry into this cell: look at it again
            pool[side["sizes_at"] + index] = size
            pool[side["occupied_at"] + (index >> 6)] |= np.int64(1) << (index & 63)
            side["levels"] += 1
        else:
            cell += 1


@kernel
def _clear_all(side: Any, pool: I64) -> None:
    at = side["occupied_at"]
    for word in range(side["window"] >> 6):
        if pool[at + word] != 0:
            pool[at + word] = 0
            start = side["sizes_at"] + (word << 6)
            pool[start : start + 64] = 0
    if side["far_count"] > 0:
        pool[side["far_sizes_at"] : side["far_sizes_at"] + side["far_capacity"]] = 0
    side["far_count"] = 0
    side["levels"] = 0
    side["best"] = NO_KEY
