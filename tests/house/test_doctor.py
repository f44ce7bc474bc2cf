"""``headwater doctor`` names what is wrong and what to do about it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from headwater.cli import doctor
from headwater.cli.app import run
from headwater.cli.doctor import Finding, Verdict, examine


def finding(topic: str) -> Finding:
    return next(each for each in examine() if each.topic == topic)


def test_a_whole_installation_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "headwater" in shown
    assert "broken" not in shown


def test_every_finding_that_is_not_good_says_what_to_do() -> None:
    assert [each for each in examine() if each.verdict is not Verdict.GOOD and not each.remedy] == []


def test_a_missing_library_is_broken_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-library>=1"])
    missing = finding("no-such-library")
    assert missing.verdict is Verdict.BROKEN
    assert "pip install" in missing.remedy
    assert run(["doctor"]) == 1


def test_a_missing_extra_is_optional_and_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ['no-such-library>=1; extra == "docs"'])
    missing = finding("no-such-library")
    assert missing.verdict is Verdict.OPTIONAL
    assert "headwater[docs]" in missing.remedy


def test_cold_kernels_ask_for_a_warm_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CACHE_DIR", str(tmp_path))
    assert finding("Kernels").remedy == "run `headwater warmup`"


def test_kernels_of_other_versions_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CACHE_DIR", str(tmp_path))
    older = tmp_path / "kernels" / "queue-0123456789abcdef"
    older.mkdir(parents=True)
    (older / "kernel.nbc").write_bytes(bytes(2_000_000))
    assert finding("Older kernels").found == "1 folders of other versions, 2.0 MB"


@pytest.mark.parametrize("flag", ["NUMBA_DISABLE_JIT", "HEADWATER_BOUNDSCHECK"])
def test_a_flag_that_slows_everything_is_named(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    monkeypatch.setenv(flag, "1")
    assert finding(flag).verdict is Verdict.ATTENTION


def test_absent_recordings_are_optional(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_DEV_DATA", str(tmp_path / "nowhere"))
    assert finding("Recordings for tests").verdict is Verdict.OPTIONAL


def test_a_nearly_full_disk_needs_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISK_FREE_MIN_BYTES", 10**18)
    assert finding("Free disk").verdict is Verdict.ATTENTION
