"""Write ``outcomes.json`` anew from the peers: ``python -m tests.truth.record`` (needs ``make peers``)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.workloads.order_book_stream import order_book_stream
from tests.truth.agreement import outcome_of_peer
from tests.truth.grid import QUEUES
from tests.truth.order_book_stream import GRID, job_of
from tests.truth.peers import peer_python, run_hftbacktest

OUTCOMES: Final = Path(__file__).parent / "outcomes.json"


def order_book_outcomes(rows: int) -> dict[str, Any]:
    """What hftbacktest does on the first `rows` rows, by queue model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "events.npz", allow_pickle=False, **order_book_stream(rows))
        job = job_of(GRID, str(folder / "events.npz"), list(QUEUES))
        runs = run_hftbacktest(peer_python("hftbacktest"), folder, job)
    return {queue: outcome_of_peer(run).as_json() for queue, run in runs.items()}


def main() -> None:
    """Every size."""
    stream = {str(rows): order_book_outcomes(rows) for rows in (500_000, 5_000_000)}
    OUTCOMES.write_text(json.dumps({"order_book_stream": stream}, indent=2) + "\n")


if __name__ == "__main__":
    main()
