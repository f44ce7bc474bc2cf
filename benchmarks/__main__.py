"""``make bench``: measure, print, and write ``benchmarks/results/latest.json``."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.catalogue import WORKLOADS, SideSpec, Workload
from benchmarks.conditions import conditions
from benchmarks.turns import (
    ChecksDifferError,
    Measured,
    Side,
    SideFailedError,
    compare_checks,
    in_turns,
    ratios,
)

RESULTS: Final = Path(__file__).resolve().parent / "results"
FORMAT_VERSION: Final = 1
TURNS: Final = 7


def measure(workload: Workload, peers: list[SideSpec], turns: int, core: int | None) -> dict[str, Any]:
    """One workload, all sides in turns; checks compared before anything is reported."""
    data = workload.data.path()
    with ExitStack() as running:
        sides = [running.enter_context(Side(spec.command(data), core)) for spec in (workload.ours, *peers)]
        ours, *theirs = in_turns(sides, turns)
    for peer in theirs:
        compare_checks(ours, peer, workload.compared or {})
    size = ours.check[workload.size_from] if workload.size_from else workload.size or workload.data.count
    return {
        "name": workload.name,
        "title": workload.title,
        "unit": workload.unit,
        "size": size,
        "data": {"generator": workload.data.generator, "rows": workload.data.count, "seed": 7},
        "sides": [_side(side, size) for side in (ours, *theirs)],
        "ratios": {peer.name: ratios(ours.seconds, peer.seconds) for peer in theirs},
        "processor_ratios": {
            peer.name: ratios(ours.processor_seconds, peer.processor_seconds) for peer in theirs
        },
    }


def _side(side: Measured, size: int) -> dict[str, Any]:
    middle = statistics.median(side.seconds)
    return {
        "name": side.name,
        "versions": side.versions,
        "seconds": side.seconds,
        "processor_seconds": side.processor_seconds,
        "median_seconds": middle,
        "median_processor_seconds": statistics.median(side.processor_seconds),
        "per_second": size / middle,
        "latency_ns": side.latency_ns,
        "rss_mb": side.rss_mb,
        "check": side.check,
    }


def show(result: dict[str, Any]) -> None:
    """Print one workload as a small table."""
    print(f"\n{result['name']}: {result['size']:,} {result['unit']}: {result['title']}")
    for side in result["sides"]:
        rate = f"{side['per_second']:>14,.0f} {result['unit']}/s"
        spread = f"{min(side['seconds']):.4f} .. {max(side['seconds']):.4f} s"
        busy = f"processor {side['median_processor_seconds']:.4f} s"
        print(f"  {side['name']:<28} {rate:<26} {spread}  {busy}  {side['rss_mb']:.0f} MB")
        if side["latency_ns"]:
            steps = "  ".join(f"{name} {value:,.0f} ns" for name, value in side["latency_ns"].items())
            print(f"  {'':<28} a step: {steps}")
    for peer, ratio in result["ratios"].items():
        busy = result["processor_ratios"][peer]["median"]
        spread = f"{ratio['min']:.2f} .. {ratio['max']:.2f}; {busy:.2f} by processor time"
        print(f"  {peer} takes {ratio['median']:.2f} x as long ({spread})")


def choose_peers(workload: Workload, wanted: bool) -> list[SideSpec]:
    """The peers that are installed; those that are not are named once."""
    if not wanted:
        return []
    installed = [spec for spec in workload.peers if spec.python().exists()]
    absent = sorted({spec.environment for spec in workload.peers if spec not in installed})
    if absent:
        print(f"  (not installed: {', '.join(absent)}; `make peers` installs them)")
    return installed


def parse(arguments: list[str]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[each.name for each in WORKLOADS], metavar="NAME")
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each side works (%(default)s)")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="core to pin to")
    parser.add_argument("--no-peers", action="store_true", help="measure Headwater alone")
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Measure what was asked for; 1 when a side failed or two sides did not do the same work."""
    given = parse(arguments)
    manifest: dict[str, Any] = {"format": FORMAT_VERSION, "conditions": conditions(given.core)}
    print(json.dumps(manifest["conditions"], indent=2))
    manifest["workloads"], manifest["failures"] = [], []
    for workload in WORKLOADS:
        if given.only and workload.name not in given.only:
            continue
        try:
            peers = choose_peers(workload, not given.no_peers)
            result = measure(workload, peers, given.turns, given.core)
        except (SideFailedError, ChecksDifferError) as error:
            manifest["failures"].append({"name": workload.name, "error": str(error)})
            print(f"\n{workload.name}: {error}", file=sys.stderr)
            continue
        manifest["workloads"].append(result)
        show(result)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"\nWritten to {given.out}")
    return int(bool(manifest["failures"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
