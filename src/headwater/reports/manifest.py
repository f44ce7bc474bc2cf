"""The manifest of a run: what was run on what, in plain data that is the same on every machine.

The engine's manifest is free-form; these are the entries that reports know and show. All are optional.

==========================  ==========================================================================
entry                       meaning
==========================  ==========================================================================
strategy                    name of the strategy
parameters                  name -> value
models                      name -> words: latency, queue, fees, fill model
seed                        seed of all randomness
versions                    name -> version; ``headwater`` at least
data                        what was read, by instrument
events, wakes               counts of the replay
order_rate_limit_per_s      the venue's limit on requests, or absent
timing                      machine-dependent: ``run_seconds`` and the like; shown, but never written to disk
==========================  ==========================================================================
"""

from __future__ import annotations

import math
from typing import Any, Final

from headwater.backtest.result import BacktestResult, ResultInstrument
from headwater.reports.figures import Figure

RUN_FORMAT_VERSION: Final = 1
"""Version of the run folder; a newer one is refused by name."""

MACHINE_ENTRIES: Final = ("timing", "machine")
"""Entries of the engine's manifest that differ between machines."""


def run_manifest(result: BacktestResult, found: list[Figure], command: str | None = None) -> dict[str, Any]:
    """The manifest to write for `result`, as plain data with only JSON types."""
    kept = {name: value for name, value in result.manifest.items() if name not in MACHINE_ENTRIES}
    return {
        "format": "headwater-run",
        "format_version": RUN_FORMAT_VERSION,
        "command": command,
        "complete": result.complete,
        "state_hash": result.state_hash,
        "run": plain(kept),
        "initial_cash": dict(result.initial_cash),
        "instruments": [_instrument(instrument) for instrument in result.instruments],
        "not_modelled": list(result.not_modelled),
        "statistics": {figure.key: {"value": plain(figure.value), "unit": figure.unit} for figure in found},
    }


def _instrument(instrument: ResultInstrument) -> dict[str, Any]:
    return {
        "id": instrument.replay.id,
        "kind": instrument.kind,
        "multiplier": instrument.multiplier,
        "base": instrument.base,
        "quote": instrument.quote,
        "settle": instrument.settle,
        "money_scale": instrument.money_scale,
        "tick_size": str(instrument.replay.tick_size),
        "lot_size": str(instrument.replay.lot_size),
        "latency_usable": instrument.replay.latency_usable,
        "certificate": plain(instrument.replay.certificate),
    }


def plain(value: Any) -> Any:
    """`value` in JSON types: mappings and sequences recursively, NaN as null, anything else as its text."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    return plain(value.item()) if hasattr(value, "item") else str(value)


def events_per_second(result: BacktestResult) -> float:
    """Replay speed, or NaN when the manifest does not hold it."""
    seconds = (result.manifest.get("timing") or {}).get("run_seconds") or 0.0
    events = result.manifest.get("events")
    return events / seconds if events and seconds > 0.0 else math.nan
