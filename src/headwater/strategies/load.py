"""Find a strategy by what a person typed: a shipped name, a file, or the name that a package gave it.

Shipped strategies are the files of this folder that hold one; nothing is registered. Other packages offer
theirs under the entry point group ``headwater.strategies``.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Final, TypeAlias

from headwater.domain.errors import ConfigurationError
from headwater.strategies.compiled import CompiledStrategy
from headwater.strategies.parameter import Parameter
from headwater.strategies.shipped import shipped
from headwater.strategies.strategy import Strategy

AnyStrategy: TypeAlias = CompiledStrategy | type[Strategy]

ENTRY_POINTS: Final = "headwater.strategies"
CAUSE_LENGTH_MAX: Final = 300
_COLOUR: Final = re.compile(r"\x1b\[\d*m")


def load_strategy(text: str) -> AnyStrategy:
    """The strategy that `text` names.

    Parameters
    ----------
    text : the name of a shipped strategy or of an entry point, or ``path/to/file.py``, with ``:Name`` behind
        it when the file holds several

    Raises
    ------
    ConfigurationError
        There is no such strategy or file; the file cannot be imported; it holds none, or several and none is
        named.
    """
    file, _, name = text.partition(":")
    if file.endswith(".py") or "/" in file:
        return _from_file(Path(file), name)
    if text in shipped():
        return _only(import_module(f"headwater.strategies.{text}"), text)
    offered = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if text in offered:
        found = offered[text].load()
        if not _is_strategy(found):
            raise ConfigurationError(
                f"entry point {text!r} must name a Strategy class or a @compiled function, found {found!r}"
            )
        return found  # type: ignore[no-any-return]
    raise _unknown(text, [*shipped(), *offered])


def declared_parameters(strategy: AnyStrategy) -> Mapping[str, Parameter]:
    """Declared parameters by name."""
    return strategy.parameters if isinstance(strategy, CompiledStrategy) else strategy.parameters()


def name_of(strategy: AnyStrategy) -> str:
    """The name by which messages and reports call it."""
    return strategy.name if isinstance(strategy, CompiledStrategy) else strategy.__name__


def _from_file(path: Path, name: str) -> AnyStrategy:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise ConfigurationError(f"{path}: expected a file with a strategy, found {found}; check the path")
    module = _import_file(path)
    if not name:
        return _only(module, str(path))
    found_strategies = _strategies(module)
    if name not in found_strategies:
        known = ", ".join(found_strategies) or "none"
        raise ConfigurationError(f"{path}: expected a strategy named {name!r}, found {known}")
    return found_strategies[name]


def _only(module: ModuleType, place: str) -> AnyStrategy:
    found = _strategies(module)
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise ConfigurationError(
            f"{place}: expected a class derived from Strategy or a function under @compiled, found neither"
        )
    raise ConfigurationError(
        f"{place}: expected one strategy, found {', '.join(found)}; name one: {place}:{next(iter(found))}"
    )


def _strategies(module: ModuleType) -> dict[str, AnyStrategy]:
    """Strategies that `module` defines itself, by name; an underscore in front hides one."""
    return {
        name: each
        for name, each in vars(module).items()
        if not name.startswith("_") and _is_strategy(each) and _home(each) == module.__name__
    }


def _is_strategy(thing: object) -> bool:
    if isinstance(thing, type):
        return issubclass(thing, Strategy) and thing is not Strategy
    return isinstance(thing, CompiledStrategy)


def _home(strategy: AnyStrategy) -> str:
    return strategy.source.__module__ if isinstance(strategy, CompiledStrategy) else strategy.__module__


def _import_file(path: Path) -> ModuleType:
    """Import a file that is no part of a package; it can import its neighbours, after what is installed."""
    name = f"headwater_strategy_{path.stem}"
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    loader = SourceFileLoader(name, str(path.resolve()))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except SyntaxError as error:
        raise ConfigurationError(f"{error.filename}:{error.lineno}: {error.msg}; correct the file") from error
    except Exception as error:
        raise ConfigurationError(_import_words(path, error)) from error
    return module


def _import_words(path: Path, error: Exception) -> str:
    """Place and cause in one line. The compiler's messages are long and coloured, with the cause near the top."""
    text = _COLOUR.sub("", str(error))
    compiled_line = re.search(rf'File "[^"]*{re.escape(path.name)}", line (\d+)', text)
    frames = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path.resolve()
    ]
    line = compiled_line[1] if compiled_line else frames[-1] if frames else 1
    told = [each.strip() for each in text.splitlines() if each.strip() and not each.startswith("Failed in")]
    cause = told[0] if told else "no message"
    if cause.endswith(":") and len(told) > 1:
        cause = f"{cause} {told[1]}"
    return f"{path}:{line}: {type(error).__name__}: {cause[:CAUSE_LENGTH_MAX]}; correct the file"


def _unknown(text: str, known: list[str]) -> ConfigurationError:
    near = get_close_matches(text, known, 1, 0.5)
    meant = f", did you mean {near[0]}?" if near else ""
    return ConfigurationError(
        f"no strategy is named {text!r}{meant}; there are {', '.join(known)}; "
        "one of your own reads path/to/file.py[:Name]"
    )
