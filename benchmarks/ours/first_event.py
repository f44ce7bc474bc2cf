"""From the command to the first event at the strategy: ``headwater backtest`` in a fresh process, kernels warm.

usage: python -m benchmarks.ours.first_event first DATA.npz
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.ours.tape import INSTRUMENT, batches
from benchmarks.worker import Seconds, Turn, serve
from headwater.storage.catalog import Catalog

ROWS: Final = 1_000_000
STAMP: Final = "HEADWATER_BENCHMARK_STAMP"
STRATEGY: Final = f'''"""Notes when it is woken first."""

import os
import time
from pathlib import Path

from headwater.strategies.strategy import Strategy


class FirstEvent(Strategy):
    """Writes the machine's monotonic clock down, once."""

    def on_start(self):
        self.woken = False

    def on_book(self, view):
        if not self.woken:
            self.woken = True
            Path(os.environ["{STAMP}"]).write_text(repr((time.monotonic(), time.process_time())))
'''


def turn(folder: Path) -> Turn:
    """One back-test, timed to the strategy's first event."""
    stamp = folder / "stamp"
    command = [
        *(str(Path(sys.executable).parent / "headwater"), "backtest", str(folder / "first.py")),
        *("--catalog", str(folder / "catalog"), "--instrument", INSTRUMENT, "--out", str(folder / "run")),
    ]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, STAMP: str(stamp)})
    whole = time.monotonic() - started
    woken, processor = (float(text) for text in stamp.read_text().strip("()").split(","))
    stamp.unlink()
    return Seconds(woken - started, processor), {"rows": ROWS, "whole_seconds": whole}


def main() -> None:
    """Serve the one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["first"])
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        (folder / "first.py").write_text(STRATEGY)
        Catalog(folder / "catalog", create=True).write(batches(given.data, ROWS), source="generated")
        serve("headwater", ["headwater"], lambda: turn(folder))


if __name__ == "__main__":
    main()
