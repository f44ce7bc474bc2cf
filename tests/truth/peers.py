"""Running a peer: in its own environment, by subprocess, never imported."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.catalogue import SideSpec

REPOSITORY: Final = Path(__file__).resolve().parents[2]


class PeerFailedError(Exception):
    """The peer ended with an error; its last words."""


def peer_python(environment: str) -> Path:
    """Interpreter of a peer's environment; the test is skipped where it is not installed."""
    python = SideSpec(environment, "", ("",)).python()
    if not python.exists():
        pytest.skip(f"{environment} is not installed: benchmarks/peers/install {environment}")
    return python


def run_peer(python: Path, module: str, *arguments: str) -> None:
    """Run ``benchmarks.peers.MODULE`` to its end."""
    done = subprocess.run(
        [str(python), "-m", f"benchmarks.peers.{module}", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PeerFailedError(f"{module} {' '.join(arguments)}: {done.stderr[-2_000:]}")


def bar_trades(python: Path, peer: str, bars: Path, out: Path) -> tuple[Any, Any]:
    """Run ``benchmarks.peers.bar_trades``: its table of trades, and its equity."""
    run_peer(python, "bar_trades", peer, str(bars), str(out))
    with np.load(out) as found:
        return found["trades"], found["equity"]


@dataclass(frozen=True, slots=True)
class PeerRun:
    """What hftbacktest did.

    Attributes
    ----------
    fills : (n, 3) int64: venue time, price in ticks, size in lots (negative: sold)
    submits, cancels, trades : requests, and fills as it counts them
    position, balance, fee : at the end, as doubles
    """

    fills: npt.NDArray[np.int64]
    submits: int
    cancels: int
    trades: int
    position: float
    balance: float
    fee: float


def run_hftbacktest(python: Path, folder: Path, job: dict[str, Any]) -> dict[str, PeerRun]:
    """Run ``benchmarks.peers.hftbacktest_fills``; queue model -> what came of it."""
    out = folder / "peer"
    (folder / "job.json").write_text(json.dumps({**job, "out": str(out)}))
    run_peer(python, "hftbacktest_fills", str(folder / "job.json"))
    return {queue: _peer_run(Path(f"{out}-{queue}.npz")) for queue in job["queues"]}


def _peer_run(path: Path) -> PeerRun:
    with np.load(path) as found:
        submits, cancels, trades = found["counts"].tolist()
        position, balance, fee = found["account"].tolist()
        return PeerRun(found["fills"], submits, cancels, trades, position, balance, fee)
