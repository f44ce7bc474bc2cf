"""One side of a measurement: a process that does its work once whenever it is told to.

Standard library only, since it also runs in the peers' environments. The process prepares its data, says
that it is ready, and then answers each line on its standard input with one line of JSON. So both sides stay
loaded and compiled while they take turns, and the one that waits does nothing.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple, TypeVar

R = TypeVar("R")


class Seconds(NamedTuple):
    """What a piece of work took: by the wall's clock, and of a processor's time by all threads of the process.

    Where other work shares the machine, the second is the steadier one; waiting for a disk is in the first alone.
    """

    wall: float
    processor: float


Turn = tuple[Seconds, dict[str, Any]]


def stopwatch(work: Callable[[], R]) -> tuple[Seconds, R]:
    """Seconds of one call, and what it gave back; the garbage of before is collected first."""
    gc.collect()
    busy, started = time.process_time(), time.perf_counter()
    result = work()
    return Seconds(time.perf_counter() - started, time.process_time() - busy), result


def percentiles(durations_ns: list[int]) -> dict[str, float]:
    """p50, p95, p99 and p99.9 in nanoseconds, by the nearest rank."""
    ordered = sorted(durations_ns)
    last = len(ordered) - 1
    return {f"p{share:g}": float(ordered[round(share / 100 * last)]) for share in (50, 95, 99, 99.9)}


def serve(
    name: str,
    packages: list[str],
    turn: Callable[[], Turn],
    latency_ns: Callable[[], dict[str, float]] | None = None,
) -> None:
    """Answer the commands on standard input until it closes.

    Parameters
    ----------
    name : side, as the results name it
    packages : distributions whose versions belong to the result
    turn : does the work once; gives its seconds and a check: figures that the other side must reproduce
    latency_ns : percentiles of single steps, from a pass of their own (a clock in the loop costs time)

    Notes
    -----
    ``turn`` is answered with ``{"name", "seconds", "processor_seconds", "check", "rss_mb"}``, ``latency`` with
    ``{"name", "latency_ns"}`` (null where single steps cannot be timed).
    """
    _say(name=name, ready=True, versions={each: metadata.version(each) for each in packages})
    for line in sys.stdin:
        if line.strip() == "turn":
            seconds, check = turn()
            _say(
                name=name,
                seconds=seconds.wall,
                processor_seconds=seconds.processor,
                check=check,
                rss_mb=_peak_memory_mb(),
            )
        elif line.strip() == "latency":
            _say(name=name, latency_ns=latency_ns() if latency_ns else None)


def _say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def quieten() -> None:
    """Keep numeric libraries on one thread; to be called before they are imported."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "POLARS_MAX"):
        os.environ.setdefault(f"{name}_THREADS" if name == "POLARS_MAX" else f"{name}_NUM_THREADS", "1")
