"""A raw Binance capture as hftbacktest's own array, through its own converter and its own correction of the clock.

usage: python -m benchmarks.peers.hftbacktest_capture OUT.npz CAPTURE.gz [CAPTURE.gz ...]

The converter knows the messages of USD-M futures, which are given to it as they are. Those of spot say less and
are written in that form first: a depth update has no transaction time (its event time counts), the REST snapshot
no time at all (that of the update before it), a trade no class (all are market trades).

The converter applies the REST snapshot, which arrives in the midst of the updates, where it stands, and so
takes levels back to what they were before updates that came ahead of it. On spot the book then stays crossed for
minutes. Binance says how to join the two: here the updates that the snapshot contains are left out, and those
after it follow it.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hftbacktest.data.utils.binancefutures import convert

TIME_DIGITS = 19
ROWS_MAX = 4_000_000


Line = tuple[str, dict[str, Any]]
"""Receive time, and the message."""


def as_futures(lines: Iterator[str]) -> Iterator[Line]:
    """Each line in the form of USD-M futures; best quotes are left out, the converter ignores them."""
    event_time = 0
    for line in lines:
        received, message = line[:TIME_DIGITS], json.loads(line[TIME_DIGITS + 1 :])
        data = message.get("data")
        if data is None:
            message.setdefault("T", event_time)
        elif data.get("e") not in ("depthUpdate", "trade"):
            continue
        else:
            complete(data)
            event_time = data["T"]
        yield received, message


def joined(lines: list[Line]) -> Iterator[Line]:
    """The same without the updates that the snapshot already contains."""
    known = max((message["lastUpdateId"] for _, message in lines if "lastUpdateId" in message), default=0)
    has_snapshot = known == 0
    held: list[Line] = []
    for received, message in lines:
        if "lastUpdateId" in message:
            yield received, message
            yield from ((received, later) for _, later in held)
            has_snapshot = True
        elif "b" not in message["data"] or (has_snapshot and message["data"]["u"] > known):
            yield received, message
        elif message["data"]["u"] > known:
            held.append((received, message))


def complete(data: dict[str, Any]) -> None:
    """Add what spot leaves out."""
    data.setdefault("T", data["E"])
    if data["e"] == "trade":
        data.setdefault("X", "MARKET")


def lines_of(captures: list[str]) -> Iterator[str]:
    """The lines of contiguous captures."""
    for capture in captures:
        with gzip.open(capture, "rt") as file:
            yield from file


def is_spot(captures: list[str]) -> bool:
    """Only the depth updates of futures name the update before them."""
    first = next(line for line in lines_of(captures) if '"depthUpdate"' in line)
    return '"pu"' not in first


def main() -> None:
    """Convert."""
    out, *captures = sys.argv[1:]
    if not is_spot(captures):
        (capture,) = captures
        convert(capture, out, buffer_size=ROWS_MAX)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "capture.gz"
        with gzip.open(whole, "wt", compresslevel=1) as file:
            lines = list(as_futures(lines_of(captures)))
            file.writelines(f"{received} {json.dumps(message)}\n" for received, message in joined(lines))
        convert(str(whole), out, buffer_size=ROWS_MAX)


if __name__ == "__main__":
    main()
