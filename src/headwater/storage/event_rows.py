"""Events of one instrument, kept as the venue's own text until they become one batch on one grid.

A venue's message is a few parts: the bids as text, the asks as text, a value. Each part becomes a *segment*:
where its text begins, its two times, its code (kind, side, print class, whether it ends the message), the
line of the file and the stream that it belongs to. All streams of a file share one log. Thousands of messages
later one kernel call reads all of the text of a stream, the grid is chosen from the rules in force or from
the data itself, and another kernel writes the events. Nothing passes through a float.
"""

from __future__ import annotations

from array import array
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from headwater.domain.errors import ImportRefusedError
from headwater.domain.event import EVENT_DTYPE, EventFlag, EventKind, Events, PrintClass
from headwater.kernels.kernel import kernel
from headwater.ports.importer import Batch
from headwater.storage.data_grid import DataGrid
from headwater.storage.decimal_bytes import (
    Bytes,
    Ints,
    as_bytes,
    decimals_needed,
    fill_units,
    scan_levels,
)

ROWS_MAX: Final = 500_000
"""Rows at which a batch is cut; a batch may exceed it by one message."""

SEGMENT_WIDTH: Final = 8
_START, _TS_LOCAL, _TS_VENUE, _CODE, _PRICE, _SIZE, _LINE, _STREAM = range(SEGMENT_WIDTH)

_SIDE_SHIFT: Final = 8
_CLASS_SHIFT: Final = 10
_FLAGS_SHIFT: Final = 16
ENDS: Final = 1 << 24
"""Bit of the segment that ends its message."""

_LITERAL: Final = 1 << 25
_PAIR: Final = 1 << 26

_LEVEL_BYTES_MIN: Final = 6
"""``[1,2],``: the shortest level; a comma short at the end of an array, which has its brackets."""

BOTH_SIDES: Final = int(EventFlag.AT_VENUE | EventFlag.AT_LOCAL)


def code(
    kind: EventKind, side: int, print_class: PrintClass = PrintClass.NORMAL, flags: int = BOTH_SIDES
) -> int:
    """What a segment says of its rows, in one integer."""
    return kind | (side + 1) << _SIDE_SHIFT | print_class << _CLASS_SHIFT | flags << _FLAGS_SHIFT


BID_DELTA: Final = code(EventKind.BOOK_DELTA, 1)
ASK_DELTA: Final = code(EventKind.BOOK_DELTA, -1)
BID_SNAPSHOT: Final = code(EventKind.BOOK_SNAPSHOT, 1)
ASK_SNAPSHOT: Final = code(EventKind.BOOK_SNAPSHOT, -1)
QUOTE_PAIR: Final = code(EventKind.QUOTE, 1) | _PAIR
"""Two levels, the best bid and the best ask."""

BUY_TRADE: Final = code(EventKind.TRADE, 1)
SELL_TRADE: Final = code(EventKind.TRADE, -1)
CLEAR: Final = code(EventKind.BOOK_CLEAR, 0)
GAP: Final = code(EventKind.GAP, 0)


@kernel
def scan_segments(
    text: Bytes,
    segments: Ints,
    stops: Ints,
    price_mantissa: Ints,
    price_exponent: Ints,
    size_mantissa: Ints,
    size_exponent: Ints,
    segment_of: Ints,
) -> tuple[int, int, int]:
    """All levels of all segments.

    Parameters
    ----------
    text : (m,) bytes of all segments
    segments : (n * 8,) the segments, flat
    stops : (n,) where the text of each ends
    price_mantissa, price_exponent, size_mantissa, size_exponent, segment_of : one row per level, filled here

    Returns
    -------
    (rows, -1, 0), or (row, segment, 1 + position) of the first fault.
    """
    row = 0
    for segment in range(len(stops)):
        at = segment * SEGMENT_WIDTH
        first = row
        if segments[at + _CODE] & _LITERAL:
            if row >= len(segment_of):
                return row, segment, 1
            price_mantissa[row] = 0
            price_exponent[row] = 0
            size_mantissa[row] = 0
            size_exponent[row] = 0
            row += 1
        else:
            row, fault = scan_levels(
                text,
                segments[at],
                stops[segment],
                price_mantissa,
                price_exponent,
                size_mantissa,
                size_exponent,
                row,
            )
            if fault != 0:
                return row, segment, fault
        for filled in range(first, row):
            segment_of[filled] = segment
    return row, -1, 0


@kernel
def fill_events(
    segments: Ints,
    segment_of: Ints,
    price_units: Ints,
    size_units: Ints,
    tick_units: int,
    lot_units: int,
    events: Events,
) -> int:
    """Events of all rows; returns -1, or the first row whose price or size is negative.

    Parameters
    ----------
    segments : (n * 8,) flat
    segment_of, price_units, size_units : (rows,)
    tick_units, lot_units : the grid in the same units; every row is a multiple of it
    events : (rows,) EVENT_DTYPE, filled here; the last row of each message gets LAST_IN_MESSAGE
    """
    row = 0
    message = 0  # first row of the message at hand
    for segment in range(len(segments) // SEGMENT_WIDTH):
        at = segment * SEGMENT_WIDTH
        word = segments[at + _CODE]
        while row < len(segment_of) and segment_of[row] == segment:
            if price_units[row] < 0 or size_units[row] < 0:
                return row
            events[row]["ts_local"] = segments[at + _TS_LOCAL]
            events[row]["ts_venue"] = segments[at + _TS_VENUE]
            if word & _LITERAL:
                events[row]["price"] = segments[at + _PRICE]
                events[row]["size"] = segments[at + _SIZE]
            else:
                events[row]["price"] = price_units[row] // tick_units
                events[row]["size"] = size_units[row] // lot_units
            events[row]["arrival"] = 0
            events[row]["instrument"] = 0
            events[row]["kind"] = word & 255
            side = ((word >> _SIDE_SHIFT) & 3) - 1
            is_second = row > 0 and segment_of[row - 1] == segment
            events[row]["side"] = -side if word & _PAIR and is_second else side
            events[row]["flags"] = (word >> _FLAGS_SHIFT) & 255
            events[row]["print_class"] = (word >> _CLASS_SHIFT) & 63
            row += 1
        if word & ENDS:
            if row > message:
                events[row - 1]["flags"] |= EventFlag.LAST_IN_MESSAGE.value
            message = row
    return -1


class SegmentLog:
    """Segments of all streams of one file, in the order of their messages, and their text."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.segments = array("q")
        self.streams = 0

    @property
    def rows_at_most(self) -> int:
        """Cheap upper bound of the rows collected, by the shortest text that a level can have."""
        return len(self.text) // 9 + len(self.segments) // SEGMENT_WIDTH

    def new_stream(self) -> int:
        """The number of one more stream."""
        self.streams += 1
        return self.streams - 1

    def append(self, segments: Ints, text: Bytes) -> None:
        """Add flat segments that a kernel wrote, and their text: they count from the text that is here."""
        self.segments.frombytes(segments.tobytes())
        self.text += text.data

    def cut(self) -> Cut:
        """All segments, by stream; the log is empty then."""
        segments = np.array(self.segments, dtype=np.int64).reshape(-1, SEGMENT_WIDTH)
        stops = np.append(segments[1:, _START], len(self.text))
        text = as_bytes(bytes(self.text) or b" ")
        self.text.clear()
        del self.segments[:]
        return Cut(text, segments, stops, self.streams)


class Cut:
    """What a log held at one moment.

    Parameters
    ----------
    text : of all segments
    segments : (n, 8)
    stops : (n,) where the text of each segment ends
    streams : how many there are
    """

    def __init__(self, text: Bytes, segments: Ints, stops: Ints, streams: int) -> None:
        self.text = text
        by_stream = np.argsort(segments[:, _STREAM], kind="stable")
        self._segments, self._stops = segments[by_stream], stops[by_stream]
        self._bounds = np.searchsorted(self._segments[:, _STREAM], np.arange(streams + 1))

    def of(self, stream: int) -> tuple[Ints, Ints]:
        """Segments of one stream, (n, 8), and where their text ends."""
        rows = slice(self._bounds[stream], self._bounds[stream + 1])
        return self._segments[rows], self._stops[rows]


class EventRows:
    """Collects the messages of one instrument.

    Parameters
    ----------
    instrument : id of the batches
    where : the file, for messages
    grid : chooses tick and lot size for each batch
    book_levels : depth of the book stream that the batches hold, 0 for the whole book
    log : shared by all streams of a file; one of its own when not given
    """

    def __init__(
        self,
        instrument: str,
        where: str,
        grid: DataGrid,
        book_levels: int = 0,
        log: SegmentLog | None = None,
    ) -> None:
        self.instrument = instrument
        self.has_book = False
        """Whether a book stream writes here."""
        self.book_levels = book_levels
        self.line = 0
        """Line (or record) of the file that the next segments come from; told in error messages."""
        self.last_ts_local = 0
        """``ts_local`` of the newest row."""
        self._where = where
        self._grid = grid
        self._log = SegmentLog() if log is None else log
        self._text, self._segments = self._log.text, self._log.segments
        self.stream = self._log.new_stream()
        """Number of the stream in the log."""

    def levels(self, word: int, ts_local: int, ts_venue: int, text: Any) -> None:
        """Add a JSON array of levels ``[[price, size, ...], ...]`` (bytes, or anything with their buffer)."""
        self._segments.extend((len(self._text), ts_local, ts_venue, word, 0, 0, self.line, self.stream))
        self._text += text
        self.last_ts_local = ts_local

    def message(self, line: int, word: int, ts_local: int, ts_venue: int, text: bytes) -> None:
        """Add levels that are a whole message: a trade, a pair of quotes."""
        self.line = line
        self._segments.extend((len(self._text), ts_local, ts_venue, word | ENDS, 0, 0, line, self.stream))
        self._text += text
        self.last_ts_local = ts_local

    def level(self, word: int, ts_local: int, ts_venue: int, price: Any, size: Any) -> None:
        """Add one price and size, each as its JSON text."""
        self.levels(word, ts_local, ts_venue, b"[[%b,%b]]" % (price, size))

    def value(self, word: int, ts_local: int, ts_venue: int, price: int, size: int) -> None:
        """Add one row whose price and size are final: a gap, a funding rate, a clear without a bound."""
        self._segments.extend(
            (len(self._text), ts_local, ts_venue, word | _LITERAL, price, size, self.line, self.stream)
        )
        self.last_ts_local = ts_local

    def end(self) -> None:
        """The segments since the last call are one message of the venue."""
        if self._segments and self._segments[-1] == self.stream:
            self._segments[_CODE - SEGMENT_WIDTH] |= ENDS

    def take(self) -> Batch | None:
        """All that was collected in a log of its own as one batch, or None when there is nothing."""
        return self.batch(self._log.cut())

    def batch(self, cut: Cut) -> Batch | None:
        """What `cut` holds of this stream as one batch, or None when it holds nothing."""
        segments, stops = cut.of(self.stream)
        if not len(stops):
            return None
        columns = self._scanned(cut.text, segments.reshape(-1), stops)
        segment_of = columns[4]
        rows = len(segment_of)
        if rows == 0:
            return None
        prices, price_decimals = self._units(columns[0], columns[1], segments, segment_of, "price")
        sizes, size_decimals = self._units(columns[2], columns[3], segments, segment_of, "size")
        times = segments[:, _TS_LOCAL][segment_of]
        is_level = (segments[:, _CODE] & _LITERAL == 0)[segment_of]
        grid = self._grid.choose(
            (int(times.min()), int(times.max())),
            (prices[is_level], price_decimals),
            (sizes[is_level], size_decimals),
        )
        events = np.empty(rows, dtype=EVENT_DTYPE)
        steps = grid.units(price_decimals, size_decimals)
        prices, sizes = _times(prices, steps.price_factor), _times(sizes, steps.size_factor)
        bad = fill_events(segments.reshape(-1), segment_of, prices, sizes, steps.tick, steps.lot, events)
        if bad >= 0:
            raise self._negative(segments[segment_of[bad]], "price" if prices[bad] < 0 else "size")
        return Batch(
            instrument=self.instrument,
            events=events,
            tick_size=grid.tick_size,
            lot_size=grid.lot_size,
            rules_source=grid.source,
            book_levels=self.book_levels,
        )

    def _scanned(self, text: Bytes, segments: Ints, stops: Ints) -> list[Ints]:
        length = int((stops - segments[::SEGMENT_WIDTH]).sum())
        capacity = length // _LEVEL_BYTES_MIN + len(stops)
        columns = [np.empty(capacity, dtype=np.int64) for _ in range(5)]
        rows, segment, fault = scan_segments(text, segments, stops, *columns)
        if fault:
            raise self._malformed(text, segments, segment, fault - 1)
        return [column[:rows] for column in columns]

    def _units(
        self, mantissas: Ints, exponents: Ints, segments: Ints, segment_of: Ints, field: str
    ) -> tuple[Ints, int]:
        decimals = decimals_needed(exponents)
        units = np.empty(len(mantissas), dtype=np.int64)
        bad = fill_units(mantissas, exponents, decimals, units)
        if bad >= 0:
            number = Decimal(int(mantissas[bad])).scaleb(int(exponents[bad]))
            raise ImportRefusedError(
                f"{self._where}: line {segments[segment_of[bad]][_LINE]}, field {field}: {number} does not fit 64 bits "
                f"beside values of {decimals} decimals; remove or correct that line"
            )
        return units, decimals

    def _malformed(self, text: Bytes, segments: Ints, segment: int, at: int) -> ImportRefusedError:
        start, line = segments[segment * SEGMENT_WIDTH], segments[segment * SEGMENT_WIDTH + _LINE]
        shown = text[max(start, at - 20) : at + 20].tobytes().decode("utf-8", "replace")
        return ImportRefusedError(
            f"{self._where}: line {line}, byte {at - start} of the levels: expected [price, size] in at most "
            f"18 digits, found {shown!r}; remove or correct that line"
        )

    def _negative(self, segment: npt.NDArray[np.int64], field: str) -> ImportRefusedError:
        return ImportRefusedError(
            f"{self._where}: line {segment[_LINE]}, field {field}: expected a value >= 0, found a negative "
            "one; remove or correct that line"
        )


def _times(units: Ints, factor: int) -> Ints:
    if factor != 1 and int(np.abs(units).max()) > (2**63 - 1) // factor:
        raise OverflowError(f"values up to {np.abs(units).max()} times {factor} exceed 64 bits")
    return units * factor
