"""``headwater``: the commands by name, and what the shell is told when one fails.

A command lives in its own module, whose public name is ``app``. The module is imported only when the command
is called: ``headwater --help`` needs neither NumPy nor Numba and answers while they would still be loading.

Exit codes: 0 done; 1 the command's own "no" (a dataset that is not trusted); 2 it could not run;
130 interrupted.
"""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

import headwater
from headwater.domain.errors import HeadwaterError

CODE_CANNOT_RUN: Final = 2
CODE_INTERRUPTED: Final = 130

COMMANDS: Final = {
    "backtest": "Run a strategy over recorded data and write a report; or compare two runs.",
    "tape": "Import, list, inspect, verify, export and plot recorded market data.",
    "warmup": "Compile everything now, so that nothing has to wait for it later.",
    "doctor": "Say what is installed, what is missing, and what to do about it.",
}
"""Name of each command (its module in ``headwater.cli``) and the line that the help shows."""

COMPLETION: Final = frozenset({"install_completion", "show_completion"})


class LazyGroup(TyperGroup):
    """A group that knows its commands by one line each and imports a command when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in COMMANDS.items():
            self.add_command(TyperCommand(name=name, help=line))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Swap the one-line stand-in for the command itself."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in if name is None else load_command(name), rest


def load_command(name: str) -> Any:
    """Import ``headwater.cli.<name>`` and build its command."""
    command = typer.main.get_command(import_module(f"headwater.cli.{name}").app)
    command.name = name
    command.params = [
        each for each in command.params if each.name not in COMPLETION
    ]  # the program's, not its
    return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headwater {headwater.__version__}")
        raise typer.Exit


@app.callback()
def headwater_command(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Record order books, test ideas honestly, trade them: one engine for back-test, paper and live."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and give back its exit code; what a person can mend is one line on stderr.

    Parameters
    ----------
    arguments : without the program's name; None takes those of the process
    """
    try:
        outcome = app(args=arguments, prog_name="headwater", standalone_mode=False)
    except HeadwaterError as error:
        return _refuse(str(error))
    except TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return CODE_INTERRUPTED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _refuse(f"no space left on the disk of {error.filename or 'the output'}: free some, run again")
    return outcome if isinstance(outcome, int) else 0


def main() -> None:
    """Entry point of the ``headwater`` script."""
    sys.exit(run())


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
    return CODE_CANNOT_RUN


def _usage(error: TyperException) -> int:
    if not error.format_message():  # called without arguments: the help, already printed, is the answer
        return CODE_CANNOT_RUN
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "headwater"
    return _refuse(f"{error.format_message()} (see `{path} --help`)")
