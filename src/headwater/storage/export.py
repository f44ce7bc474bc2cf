"""Events taken out of a catalog: Parquet and CSV with exact decimals, npz for hftbacktest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from headwater.domain.errors import ConfigurationError
from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.storage.catalog import Catalog
from headwater.storage.transaction import disk_error
from headwater.tape.common_grid import LOT_SIZES, TICK_PRICES
from headwater.tape.order import I64
from headwater.tape.replay import ReplayInstrument

_FINE: Final = Decimal("1e-8")
_RATE: Final = Decimal("1e-12")
_PRECISION: Final = 38

HFTBACKTEST_DTYPE: Final = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ],
    align=True,
)
"""hftbacktest 2's event record."""

_HFT_KIND: Final = {
    EventKind.BOOK_DELTA: 1,
    EventKind.TRADE: 2,
    EventKind.BOOK_CLEAR: 3,
    EventKind.BOOK_SNAPSHOT: 4,
}
_HFT_EXCH, _HFT_LOCAL, _HFT_BUY, _HFT_SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28


def export_events(
    catalog: Catalog,
    instrument: str,
    path: Path,
    *,
    start: int | None = None,
    end: int | None = None,
    kinds: Sequence[str] | None = None,
) -> int:
    """Write the events of `instrument` to `path`; returns their number.

    The ending of `path` names the format: ``.parquet`` and ``.csv`` carry prices and sizes as exact decimals
    in the units that people use (quote currency, base coin, fraction for rates); ``.npz`` is hftbacktest's,
    for books and trades alone, since it knows nothing else.

    Raises
    ------
    ConfigurationError : another ending
    CatalogError : the instrument is unknown, nothing lies in the range, or the disk is full
    """
    write = _writer(path)
    replay = catalog.open([instrument], start=start, end=end, kinds=kinds)
    fresh = path.with_name(f".{path.name}.new")
    try:
        count = write(fresh, replay.local, replay.instruments[0])
        fresh.rename(path)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)
    return count


def _writer(path: Path) -> Callable[[Path, Events, ReplayInstrument], int]:
    writers = {".parquet": _write_parquet, ".csv": _write_csv, ".npz": _write_npz}
    if path.suffix not in writers:
        raise ConfigurationError(
            f"{path}: expected a target ending in {', '.join(writers)}, found {path.suffix!r}; rename it"
        )
    return writers[path.suffix]


def _write_parquet(path: Path, events: Events, instrument: ReplayInstrument) -> int:
    pq.write_table(events_table(events, instrument), path, compression="zstd")
    return len(events)


def _write_csv(path: Path, events: Events, instrument: ReplayInstrument) -> int:
    pa_csv.write_csv(events_table(events, instrument), path)
    return len(events)


def _write_npz(path: Path, events: Events, instrument: ReplayInstrument) -> int:
    records = to_hftbacktest(events, instrument)
    with path.open("wb") as file:
        np.savez_compressed(file, data=records)
    return len(records)


def events_table(events: Events, instrument: ReplayInstrument) -> pa.Table:
    """Events as a table for people: kinds by name, prices and sizes as exact decimals, null where there is
    none."""
    names = np.array(["", *(kind.name.lower() for kind in EventKind)])
    kind = events["kind"]
    return pa.table(
        {
            "ts_local": pa.array(np.ascontiguousarray(events["ts_local"]), pa.timestamp("ns", "UTC")),
            "ts_venue": pa.array(np.ascontiguousarray(events["ts_venue"]), pa.timestamp("ns", "UTC")),
            "kind": pa.array(names[kind]),
            "side": pa.array(np.ascontiguousarray(events["side"])),
            "price": _decimals(events["price"], kind, _price_units(instrument)),
            "size": _decimals(events["size"], kind, _size_units(instrument)),
            "flags": pa.array(np.ascontiguousarray(events["flags"])),
            "print_class": pa.array(np.ascontiguousarray(events["print_class"])),
        }
    )


def _price_units(instrument: ReplayInstrument) -> dict[int, Decimal]:
    units = dict.fromkeys(map(int, TICK_PRICES), instrument.tick_size)
    fine = (EventKind.MARK_PRICE, EventKind.INDEX_PRICE, EventKind.METRIC)
    return {**units, **dict.fromkeys(map(int, fine), _FINE), int(EventKind.FUNDING): _RATE}


def _size_units(instrument: ReplayInstrument) -> dict[int, Decimal]:
    units = dict.fromkeys(map(int, LOT_SIZES), instrument.lot_size)
    whole = (EventKind.BAR_OPEN, EventKind.FUNDING, EventKind.STATUS, EventKind.GAP)
    return {
        **units,
        **dict.fromkeys(map(int, whole), Decimal(1)),
        int(EventKind.BAR_RANGE): instrument.tick_size,
        int(EventKind.OPEN_INTEREST): _FINE,
    }


# Whole numbers of the finest unit present, read again with that many decimals: exact, and without a Python
# object # a record.
def _decimals(values: I64, kinds: I64, units: dict[int, Decimal]) -> pa.Array:
    present = {kind: units[kind] for kind in np.unique(kinds).tolist() if kind in units}
    scale = max((_decimals_of(unit) for unit in present.values()), default=0)
    factors = np.zeros(256, np.int64)
    for kind, unit in present.items():
        factors[kind] = int(unit.scaleb(scale))
    factor = factors[kinds]
    is_known = (factor > 0) & (values != NO_PRICE)
    whole = pa.array(np.ascontiguousarray(values), mask=~is_known).cast(pa.decimal128(19, 0))
    product = pc.multiply(whole.cast(pa.decimal256(19, 0)), pa.array(factor).cast(pa.decimal256(19, 0)))
    scaled = pa.Array.from_buffers(
        pa.decimal256(product.type.precision, scale), len(product), product.buffers()
    )
    return scaled.cast(pa.decimal128(_PRECISION, scale))


def _decimals_of(unit: Decimal) -> int:
    exponent = unit.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def to_hftbacktest(events: Events, instrument: ReplayInstrument) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Books and trades as hftbacktest 2 events; other kinds are left out.

    A BOOK_CLEAR without a bound becomes one clear of each side at the far end of its prices.
    """
    kept = events[np.isin(events["kind"], list(map(int, _HFT_KIND)))]
    both_sides = (kept["kind"] == EventKind.BOOK_CLEAR) & (kept["side"] == 0)
    kept = np.repeat(kept, np.where(both_sides, 2, 1))
    again = np.flatnonzero((kept["kind"] == EventKind.BOOK_CLEAR) & (kept["side"] == 0))
    kept["side"][again[0::2]], kept["side"][again[1::2]] = 1, -1
    records = np.zeros(len(kept), HFTBACKTEST_DTYPE)
    records["ev"] = _hftbacktest_flags(kept)
    records["exch_ts"], records["local_ts"] = kept["ts_venue"], kept["ts_local"]
    unbounded = kept["price"] == NO_PRICE
    records["px"] = _doubles(np.where(unbounded, 0, kept["price"]), instrument.tick_size)
    records["px"][unbounded & (kept["side"] < 0)] = np.inf
    records["qty"] = _doubles(kept["size"], instrument.lot_size)
    return records


# The double nearest to each decimal: one rounding, by a division of two exact doubles. A product with the
# step's own # double would round twice and give 61800.200000000004.
def _doubles(counts: I64, step: Decimal) -> npt.NDArray[np.float64]:
    numerator, denominator = step.as_integer_ratio()
    return np.asarray((counts * numerator).astype(np.float64) / float(denominator))


def _hftbacktest_flags(events: Events) -> npt.NDArray[np.uint64]:
    kinds = np.zeros(256, np.uint64)
    for kind, number in _HFT_KIND.items():
        kinds[kind] = number
    flags = np.take(kinds, events["kind"])
    flags |= np.where(events["side"] > 0, _HFT_BUY, _HFT_SELL).astype(np.uint64)
    flags |= np.where(events["flags"] & EventFlag.AT_VENUE, _HFT_EXCH, 0).astype(np.uint64)
    flags |= np.where(events["flags"] & EventFlag.AT_LOCAL, _HFT_LOCAL, 0).astype(np.uint64)
    return flags
