"""The command line: what the shell is told, in what words and with which exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
import typer

import headwater
from headwater.cli.app import COMMANDS, load_command, run
from headwater.domain.errors import CatalogError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let ``headwater doctor`` do something else."""

    def replace(action: Callable[[], object]) -> None:
        module = ModuleType("headwater.cli.doctor")
        app = typer.Typer()
        app.command()(action)
        module.app = app  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "headwater.cli.doctor", module)

    return replace


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name: str) -> None:
    assert load_command(name).name == name
    assert load_command(name).help


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"headwater {headwater.__version__}\n"


def test_no_command_at_all_shows_the_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Usage" in capsys.readouterr().out


def test_a_misspelt_command_is_one_line_that_names_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docter"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "'doctor'" in message


def test_an_unknown_option_is_one_line_that_names_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--nonsense"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: No such option: --nonsense")
    assert "`headwater doctor --help`" in message


def test_what_a_person_can_mend_is_one_line_without_a_traceback(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(CatalogError("expected a catalog at x, found nothing: import something first")))
    assert run(["doctor"]) == 2
    assert (
        capsys.readouterr().err == "error: expected a catalog at x, found nothing: import something first\n"
    )


def test_a_full_disk_is_one_line(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "catalog/part.parquet")))
    assert run(["doctor"]) == 2
    assert "no space left on the disk of catalog/part.parquet" in capsys.readouterr().err


def test_a_mistake_of_ours_keeps_its_traceback(command: Callable[[Callable[[], object]], None]) -> None:
    command(raising(PermissionError(errno.EACCES, "denied")))
    with pytest.raises(PermissionError):
        run(["doctor"])


def test_an_interrupted_command_ends_with_the_shells_code(
    command: Callable[[Callable[[], object]], None],
) -> None:
    command(raising(KeyboardInterrupt()))
    assert run(["doctor"]) == 130


def test_the_commands_own_exit_code_is_the_programs(command: Callable[[Callable[[], object]], None]) -> None:
    command(raising(typer.Exit(1)))
    assert run(["doctor"]) == 1
