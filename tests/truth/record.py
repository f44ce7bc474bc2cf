"""Write ``outcomes.json`` anew from the peers: ``python -m tests.truth.record`` (needs ``make peers``)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.workloads.minute_bars import minute_bars
from benchmarks.workloads.order_book_stream import order_book_stream
from tests.truth.agreement import digest, outcome_of_peer
from tests.truth.grid import QUEUES
from tests.truth.order_book_stream import GRID, job_of
from tests.truth.peers import bar_trades, peer_python, run_hftbacktest

OUTCOMES: Final = Path(__file__).parent / "outcomes.json"
YEAR_BARS: Final = 525_600
SWEEP_BARS: Final = 100_000
TICKS_PER_UNIT: Final = 10
OPEN: Final = -1


def order_book_outcomes(rows: int) -> dict[str, Any]:
    """What hftbacktest does on the first `rows` rows, by queue model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "events.npz", allow_pickle=False, **order_book_stream(rows))
        job = job_of(GRID, str(folder / "events.npz"), list(QUEUES))
        runs = run_hftbacktest(peer_python("hftbacktest"), folder, job)
    return {queue: outcome_of_peer(run).as_json() for queue, run in runs.items()}


def bar_outcomes() -> dict[str, Any]:
    """What the peers do on minute bars."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "year.npz", allow_pickle=False, **minute_bars(YEAR_BARS))
        np.savez(folder / "sweep.npz", allow_pickle=False, **minute_bars(SWEEP_BARS))
        outcomes = {peer: _cross(peer, folder) for peer in ("backtesting", "vectorbt")}
        trades, returns = bar_trades(
            peer_python("vectorbt"), "vectorbt-sweep", folder / "sweep.npz", folder / "out.npz"
        )
    return {**outcomes, "sweep": {"trades": trades.tolist(), "returns": returns.tolist()}}


def _cross(peer: str, folder: Path) -> dict[str, Any]:
    table, equity = bar_trades(peer_python(peer), peer, folder / "year.npz", folder / "out.npz")
    closed = closed_trades(table)
    return {"trades": digest(closed), "closed": len(closed), "equity": float(equity)}


def closed_trades(table: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """A peer's closed trades, prices in ticks."""
    closed = table[table[:, 1] != OPEN]
    closed[:, 3:] = np.rint(closed[:, 3:] * TICKS_PER_UNIT)
    return np.asarray(closed, np.int64)


def main() -> None:
    """Every size."""
    stream = {str(rows): order_book_outcomes(rows) for rows in (500_000, 5_000_000)}
    outcomes = {"order_book_stream": stream, "minute_bars": bar_outcomes()}
    lines = [f"{json.dumps(name)}: {json.dumps(outcome)}" for name, outcome in outcomes.items()]
    OUTCOMES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
