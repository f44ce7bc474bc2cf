"""Two or more sides on the same work in turns (A B A B ...), and what came of it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.worker import quieten

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SECONDS_TO_END_MAX: Final = 60


class SideFailedError(Exception):
    """A side's process ended or said something else than it should."""


class ChecksDifferError(Exception):
    """Two sides did not do the same work."""


@dataclass(slots=True)
class Measured:
    """What one side did.

    Attributes
    ----------
    name, versions : as the side says
    seconds, processor_seconds : wall time and processor time of each turn, in order
    check : figures of the last turn
    latency_ns : percentiles of single steps, None where they cannot be timed
    rss_mb : peak memory of its process
    """

    name: str
    versions: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    check: dict[str, Any] = field(default_factory=dict)
    latency_ns: dict[str, float] | None = None
    rss_mb: float = 0.0


class Side:
    """A side's process, pinned to one core, from its start to its end."""

    def __init__(self, command: Sequence[str], core: int | None) -> None:
        quieten()
        with _pinned_to(core):  # a child inherits it, with all threads that it will start
            self._process = subprocess.Popen(
                list(command), cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        try:
            ready = self._answer()
        except SideFailedError:
            self.close()
            raise
        self.measured = Measured(name=ready["name"], versions=ready["versions"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SideFailedError(f"{self._process.args!r} ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it ended: its missing answer says so, with the exit code
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        return self._answer()

    def warm(self) -> None:
        """One turn that is not counted: it compiles and fills caches."""
        self._ask("turn")

    def take_turn(self) -> None:
        """Do the work once."""
        answer = self._ask("turn")
        self.measured.seconds.append(answer["seconds"])
        self.measured.processor_seconds.append(answer["processor_seconds"])
        self.measured.check = answer["check"]
        self.measured.rss_mb = answer["rss_mb"]

    def time_steps(self) -> None:
        """Ask for the percentiles of single steps."""
        self.measured.latency_ns = self._ask("latency")["latency_ns"]

    def close(self) -> None:
        """Let the process end, and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=SECONDS_TO_END_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _pinned_to(core: int | None) -> Iterator[None]:
    """Run on one core for a while; nothing happens where the system does not let a process choose."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def in_turns(sides: Sequence[Side], turns: int) -> list[Measured]:
    """Warm every side, then let each work once, again and again; only one works at a time."""
    for side in sides:
        side.warm()
    for _ in range(turns):
        for side in sides:
            side.take_turn()
    for side in sides:
        side.time_steps()
    return [side.measured for side in sides]


def ratios(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float]:
    """How many times as long the peer took, turn by turn: smallest, median and largest."""
    each = [theirs / mine for mine, theirs in zip(ours, peer, strict=True)]
    return {"min": min(each), "median": statistics.median(each), "max": max(each)}


def compare_checks(ours: Measured, peer: Measured, compared: dict[str, float]) -> None:
    """Raise ChecksDifferError unless both sides reached the same figures.

    Parameters
    ----------
    compared : figure -> relative difference allowed
    """
    for name, tolerance in compared.items():
        mine, theirs = ours.check[name], peer.check[name]
        if abs(mine - theirs) > tolerance * max(abs(mine), abs(theirs)):
            raise ChecksDifferError(
                f"{name}: {ours.name} reached {mine!r}, {peer.name} {theirs!r}; they did not do the same work"
            )
