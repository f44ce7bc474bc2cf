"""A book kept by kernels only to compute the venue's checksum over its best levels, as the venue wrote them.

A side is a sorted list of slots, the best level last, so that changes near the touch move little. A slot
keeps price and size as text, byte for byte: the checksum is over the venue's own digits. The double of a
price orders the levels and finds them again; no price is computed from it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from headwater.kernels.kernel import kernel
from headwater.storage.decimal_bytes import Bytes, Ints, as_bytes, byte_at, scan_decimal
from headwater.storage.json_scan import string_end

Floats = npt.NDArray[np.float64]

TEXT_BYTES_MAX: Final = 32
"""Longest price or size; more than 18 significant digits are refused anyway."""

LEVELS_MAX: Final = 2048
"""Levels kept of a side, more than any venue with a checksum publishes; beyond them the worst is dropped."""

_COLON: Final = 58
_POINT: Final = 46
_ZERO: Final = 48
_OPEN: Final = 91


def _crc_table() -> Ints:
    """CRC-32 of each byte (polynomial 0xEDB88320)."""
    table = np.arange(256, dtype=np.int64)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ 0xEDB88320, table >> 1)
    return table


CRC_TABLE: Final = _crc_table()


class CheckedBooks:
    """The sides of all books of a venue; book b has the bids as side 2b and the asks as side 2b + 1.

    Attributes
    ----------
    keys : (sides * LEVELS_MAX,) price of a bid, minus the price of an ask; those of a side are ascending, so
        that the best level is the last
    slots : (sides * LEVELS_MAX,) which row of `texts` a level has, and behind the levels the free ones
    counts : (sides,) levels
    texts : (2 * sides * LEVELS_MAX * 32,) price and size of each slot
    lengths : (2 * sides * LEVELS_MAX,) of the texts
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self.keys = np.zeros(0, np.float64)
        self.slots = np.zeros(0, np.int64)
        self.counts = np.zeros(0, np.int64)
        self.texts = np.zeros(0, np.uint8)
        self.lengths = np.zeros(0, np.int64)

    def of(self, *stream: str) -> int:
        """The number of the book of a stream, empty: a new one, or the one that it had before."""
        if stream not in self._numbers:
            self._numbers[stream] = self._add()
        self.clear(self._numbers[stream])
        return self._numbers[stream]

    def _add(self) -> int:
        room = 2 * LEVELS_MAX
        self.keys = np.append(self.keys, np.zeros(room))
        self.slots = np.append(self.slots, len(self.slots) + np.arange(room, dtype=np.int64))
        self.counts = np.append(self.counts, np.zeros(2, np.int64))
        self.texts = np.append(self.texts, np.zeros(2 * room * TEXT_BYTES_MAX, np.uint8))
        self.lengths = np.append(self.lengths, np.zeros(2 * room, np.int64))
        return len(self.counts) // 2 - 1

    def set_levels(self, side: int, levels: bytes) -> None:
        """Set levels ``[["price","size"],...]``, in their order; those of size zero are removed."""
        text = as_bytes(levels)
        fault = apply_pairs(text, side, *self.arrays)
        if fault >= 0:
            raise ValueError(
                f"expected a price and a size in at most 18 digits, found {levels[fault:][:60]!r}"
            )

    def clear(self, book: int) -> None:
        """Both sides are empty."""
        self.counts[2 * book : 2 * book + 2] = 0

    def evict(self, side: int, depth: int) -> list[str]:
        """Drop the levels beyond the depth, the worst first; their prices."""
        first = side * LEVELS_MAX
        prices = []
        while self.counts[side] > depth:
            row = 2 * int(self.slots[first])
            text = self.texts[row * TEXT_BYTES_MAX :][: self.lengths[row]]
            prices.append(text.tobytes().decode())
            remove_at(self.keys, self.slots, self.counts, side, first)
        return prices

    @property
    def arrays(self) -> tuple[Floats, Ints, Ints, Bytes, Ints]:
        """What the kernels work on."""
        return self.keys, self.slots, self.counts, self.texts, self.lengths


@kernel
def double_of(mantissa: int, exponent: int) -> float:
    """A double that equal decimals share, and that orders different ones."""
    power = np.float64(1.0)
    for _ in range(abs(exponent)):
        power = power * 10.0
    return np.float64(mantissa) * power if exponent > 0 else np.float64(mantissa) / power


@kernel
def place_of(keys: Floats, low: int, high: int, key: float) -> int:
    """The first place from `low` to `high` whose key is not below `key`."""
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def remove_at(keys: Floats, slots: Ints, counts: Ints, side: int, place: int) -> None:
    """Drop a level; its slot is the first free one then."""
    slot = slots[place]
    last = side * LEVELS_MAX + counts[side] - 1
    for at in range(place, last):
        keys[at] = keys[at + 1]
        slots[at] = slots[at + 1]
    counts[side] -= 1
    slots[last] = slot


@kernel
def insert_at(keys: Floats, slots: Ints, counts: Ints, side: int, place: int, key: float) -> None:
    """A new level in the first free slot; there is one."""
    behind = side * LEVELS_MAX + counts[side]
    slot = slots[behind]
    for step in range(behind - place):
        at = behind - step
        keys[at] = keys[at - 1]
        slots[at] = slots[at - 1]
    keys[place] = key
    slots[place] = slot
    counts[side] += 1


@kernel
def keep_text(text: Bytes, at: int, stop: int, texts: Bytes, lengths: Ints, row: int) -> None:
    """Copy a number into a row of the texts."""
    for place in range(stop - at):
        texts[row * TEXT_BYTES_MAX + place] = text[at + place]
    lengths[row] = stop - at


@kernel
def is_price_and_size(text: Bytes, price: int, price_stop: int, size: int, size_stop: int) -> bool:
    """Whether both are plain decimals that fit a row."""
    if price_stop - price > TEXT_BYTES_MAX or size_stop - size > TEXT_BYTES_MAX:
        return False
    price_end, _, _ = scan_decimal(text, price, price_stop)
    size_end, _, _ = scan_decimal(text, size, size_stop)
    return price_end == price_stop and size_end == size_stop


@kernel
def apply_level(
    text: Bytes,
    price: int,
    price_stop: int,
    size: int,
    size_stop: int,
    side: int,
    keys: Floats,
    slots: Ints,
    counts: Ints,
    texts: Bytes,
    lengths: Ints,
) -> None:
    """Set a level, or remove it when its size is zero.

    ``text[price:price_stop]`` and ``text[size:size_stop]`` are decimals of at most 32 bytes.
    """
    _, mantissa, exponent = scan_decimal(text, price, price_stop)
    _, amount, _ = scan_decimal(text, size, size_stop)
    key = double_of(mantissa, exponent)
    if side & 1:
        key = -key
    first = side * LEVELS_MAX
    place = place_of(keys, first, first + counts[side], key)
    is_known = place < first + counts[side] and keys[place] == key
    if amount == 0:
        if is_known:
            remove_at(keys, slots, counts, side, place)
        return
    if not is_known:
        if counts[side] == LEVELS_MAX:
            if place == first:
                return  # it would be the worst itself
            remove_at(keys, slots, counts, side, first)
            place -= 1
        insert_at(keys, slots, counts, side, place, key)
    keep_text(text, price, price_stop, texts, lengths, 2 * slots[place])
    keep_text(text, size, size_stop, texts, lengths, 2 * slots[place] + 1)


@kernel
def apply_pairs(
    text: Bytes, side: int, keys: Floats, slots: Ints, counts: Ints, texts: Bytes, lengths: Ints
) -> int:
    """Apply all levels of ``[["price","size"],...]`` without white space; -1, or where a bad one begins."""
    stop = len(text)
    at = 1
    while at < stop and byte_at(text, at) == _OPEN:
        price_stop = string_end(text, at + 1, stop)
        size_stop = string_end(text, price_stop + 1, stop) if price_stop >= 0 else -1
        if size_stop < 0:
            return at
        price, size = at + 2, price_stop + 2
        if not is_price_and_size(text, price, price_stop - 1, size, size_stop - 1):
            return at
        apply_level(
            text, price, price_stop - 1, size, size_stop - 1, side, keys, slots, counts, texts, lengths
        )
        at = size_stop + 2  # the closing bracket, and a comma or the end
    return -1


@kernel(inline=True)
def crc_step(value: int, byte: int, table: Ints) -> int:
    """CRC-32 with one byte more."""
    return table[(value ^ byte) & 255] ^ (value >> 8)  # type: ignore[no-any-return]


@kernel
def crc_of_digits(value: int, texts: Bytes, lengths: Ints, row: int, table: Ints) -> int:
    """CRC-32 with the digits of a row more: without point and without leading zeros."""
    leads = True
    for place in range(lengths[row]):
        byte = byte_at(texts, row * TEXT_BYTES_MAX + place)
        if byte == _POINT or (leads and byte == _ZERO):
            continue
        leads = False
        value = crc_step(value, byte, table)
    return value


@kernel
def kraken_crc(
    book: int, best: int, slots: Ints, counts: Ints, texts: Bytes, lengths: Ints, table: Ints
) -> int:
    """CRC-32 of the digits of the `best` asks, then bids: prices and sizes, one behind the other."""
    value = 0xFFFFFFFF
    for turn in range(2):
        side = 2 * book + 1 - turn
        for rank in range(min(best, counts[side])):
            slot = slots[side * LEVELS_MAX + counts[side] - 1 - rank]
            value = crc_of_digits(value, texts, lengths, 2 * slot, table)
            value = crc_of_digits(value, texts, lengths, 2 * slot + 1, table)
    return value ^ 0xFFFFFFFF


@kernel
def crc_of_level(value: int, is_first: bool, texts: Bytes, lengths: Ints, slot: int, table: Ints) -> int:
    """CRC-32 with ``price:size`` of a slot more, and a colon before it unless it is the first."""
    if not is_first:
        value = crc_step(value, _COLON, table)
    for row in range(2 * slot, 2 * slot + 2):
        if row > 2 * slot:
            value = crc_step(value, _COLON, table)
        for place in range(lengths[row]):
            value = crc_step(value, byte_at(texts, row * TEXT_BYTES_MAX + place), table)
    return value


@kernel
def okx_crc(book: int, best: int, slots: Ints, counts: Ints, texts: Bytes, lengths: Ints, table: Ints) -> int:
    """Signed CRC-32 of ``price:size`` of the `best` levels, bid and ask in turn, joined by colons."""
    value = 0xFFFFFFFF
    is_first = True
    for rank in range(best):
        for side in range(2 * book, 2 * book + 2):
            if rank < counts[side]:
                slot = slots[side * LEVELS_MAX + counts[side] - 1 - rank]
                value = crc_of_level(value, is_first, texts, lengths, slot, table)
                is_first = False
    value = value ^ 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
