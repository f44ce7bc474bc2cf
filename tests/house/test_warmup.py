"""``headwater warmup`` runs every job once and clears away what nothing uses any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headwater import bootstrap
from headwater.cli.app import run
from headwater.cli.warmup import DAYS_UNUSED_MAX, unused_caches
from headwater.kernels import kernel

NOW = 2_000_000_000


def cache(root: Path, name: str, days_old: int) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    os.utime(folder, (NOW, NOW - days_old * 86_400))
    return folder


def test_every_job_runs_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    jobs = [("book", lambda: done.append("book")), ("orders", lambda: done.append("orders"))]
    monkeypatch.setattr(bootstrap, "warm_jobs", lambda: jobs)
    monkeypatch.setattr(kernel, "JIT_DISABLED", False)
    assert run(["warmup"]) == 0
    assert done == ["book", "orders"]
    assert "2 jobs" in capsys.readouterr().out


def test_without_the_compiler_there_is_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernel, "JIT_DISABLED", True)
    assert run(["warmup"]) == 0
    assert "NUMBA_DISABLE_JIT" in capsys.readouterr().out


def test_only_caches_that_are_old_and_not_ours_are_unused(tmp_path: Path) -> None:
    ours = cache(tmp_path, "ours", days_old=DAYS_UNUSED_MAX + 1)
    cache(tmp_path, "fresh", days_old=DAYS_UNUSED_MAX - 1)
    old = cache(tmp_path, "old", days_old=DAYS_UNUSED_MAX + 1)
    assert unused_caches(tmp_path, keep=frozenset({ours}), now=NOW) == [old]


def test_pruning_deletes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = cache(tmp_path / "kernels", "old", days_old=20_000)
    monkeypatch.setenv("HEADWATER_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel, "JIT_DISABLED", False)
    monkeypatch.setattr(bootstrap, "warm_jobs", list)
    assert run(["warmup", "--prune"]) == 0
    assert not old.exists()
