"""The rules of STYLE.md that a machine can check, each as one walk over the syntax trees.

Every rule gives back the places that break it, so that a red test reads as a list to work through.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache

import pytest

from tests.house.sources import (
    PACKAGE,
    Function,
    Source,
    decorator_names,
    dotted,
    package_sources,
)

LINES_MAX = 70
"""Longest function, without its docstring."""

NAMELESS = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"})
"""Module names that say nothing about what is inside."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

MONEY_WORDS = frozenset({"price", "cash", "fee", "fees", "balance", "money", "ticks", "lots", "notional"})
MONEY_ROOMS = frozenset(
    {"domain", "kernels", "ports", "tape", "book", "ledger", "simulation", "engine", "backtest"}
)
"""Reports and analysis compute statistics, in floats; here money is counted."""

TIME_WORDS = frozenset({"latency", "timeout", "duration", "delay", "interval", "elapsed"})

DETERMINISTIC_ROOMS = MONEY_ROOMS | {"strategies", "features"}
IMPURE_CALLS = re.compile(
    r"^(time\.time(_ns)?|datetime\.(datetime\.)?(now|utcnow|today)|date\.today"
    r"|random\.\w+|np\.random\.\w+|numpy\.random\.\w+|uuid\.uuid[14]|os\.urandom|secrets\.\w+)$"
)

COMPILERS = frozenset({"njit", "jit", "jitclass", "vectorize", "guvectorize", "cfunc", "generated_jit"})


@pytest.fixture(params=package_sources(), ids=lambda source: str(source.path.relative_to(PACKAGE)))
def source(request: pytest.FixtureRequest) -> Source:
    """Each module in turn."""
    module: Source = request.param
    return module


def test_a_module_is_named_after_what_is_in_it(source: Source) -> None:
    assert source.path.stem not in NAMELESS
    assert not NAMELESS & {part.lower() for part in source.path.relative_to(PACKAGE).parts[:-1]}


def test_no_function_is_longer_than_two_screens(source: Source) -> None:
    assert list(_long_functions(source)) == []


def test_what_is_public_is_explained(source: Source) -> None:
    assert list(_undocumented(source)) == []


def test_nothing_is_left_unfinished(source: Source) -> None:
    assert list(_unfinished(source)) == []


def test_money_is_never_a_float(source: Source) -> None:
    if source.room in MONEY_ROOMS:
        assert list(_money_as_float(source)) == []


def test_a_span_of_time_carries_its_unit_in_its_name(source: Source) -> None:
    assert list(_spans_without_unit(source)) == []


def test_time_and_chance_come_in_through_ports(source: Source) -> None:
    if source.room in DETERMINISTIC_ROOMS:
        assert list(_impure_calls(source)) == []


def test_an_exception_of_any_kind_is_never_swallowed(source: Source) -> None:
    assert list(_swallowed(source)) == []


def test_only_the_kernel_decorator_compiles(source: Source) -> None:
    if source.room != "kernels":
        assert list(_other_compilers(source)) == []


def test_a_folder_of_one_file_is_a_file() -> None:
    lonely = [
        folder.name
        for folder in sorted(PACKAGE.rglob("*"))
        if folder.is_dir()
        and folder.name != "__pycache__"
        and list(folder.glob("*.py")) == [folder / "__init__.py"]
        and not any(child.is_dir() and child.name != "__pycache__" for child in folder.iterdir())
    ]
    assert lonely == []


def _long_functions(source: Source) -> Iterator[str]:
    for function in source.functions():
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body:
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            if lines > LINES_MAX:
                yield f"{source.at(function)} {function.name} has {lines} lines, at most {LINES_MAX} fit"


def _undocumented(source: Source) -> Iterator[str]:
    if not ast.get_docstring(source.tree):
        yield f"{source.at(source.tree)} the module has no docstring"
    for node, name in _public(source.tree.body, ""):
        prefix, _, method = name.rpartition(".")
        if not ast.get_docstring(node) and not (prefix and method in _promised_by_protocols()):
            yield f"{source.at(node)} {name} has no docstring"


@cache
def _promised_by_protocols() -> frozenset[str]:
    """Methods that a protocol explains, so that those who implement it need not repeat it."""
    return frozenset(
        method.name
        for source in package_sources()
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and any(dotted(base) == "Protocol" for base in node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    )


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[Function | ast.ClassDef, str]]:
    """Public classes, their public methods, and public functions."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_") or decorator_names(node) & {"overload", "setter", "override"}:
            continue
        yield node, prefix + node.name
        if isinstance(node, ast.ClassDef) and not _is_explained_elsewhere(node):
            yield from _public(node.body, f"{prefix}{node.name}.")


def _is_explained_elsewhere(node: ast.ClassDef) -> bool:
    """A class of the standard library's streams: its methods are explained there."""
    return any(dotted(base).startswith("io.") for base in node.bases)


def _unfinished(source: Source) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and UNFINISHED.search(token.string):
            yield f"{source.path}:{token.start[0]} {token.string}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{source.at(node)} NotImplementedError"


def _annotated(source: Source) -> Iterator[tuple[ast.AST, str, str]]:
    """Names with their annotations: parameters, fields and variables."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            yield node, node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            yield node, dotted(node.target).rpartition(".")[2], ast.unparse(node.annotation)


def _money_as_float(source: Source) -> Iterator[str]:
    for node, name, annotation in _annotated(source):
        if re.search(r"\bfloat\b", annotation) and name.rpartition("_")[2] in MONEY_WORDS:
            yield f"{source.at(node)} {name}: {annotation}"


def _spans_without_unit(source: Source) -> Iterator[str]:
    for node, name, annotation in _annotated(source):
        if annotation in ("int", "float") and name.rpartition("_")[2] in TIME_WORDS:
            yield f"{source.at(node)} {name}: {annotation} needs _ns, _ms or _seconds at its end"


def _impure_calls(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and IMPURE_CALLS.match(dotted(node.func)):
            yield f"{source.at(node)} {dotted(node.func)}"


def _swallowed(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.ExceptHandler)
            and (node.type is None or dotted(node.type) in ("Exception", "BaseException"))
            and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        ):
            yield f"{source.at(node)} catches everything and raises nothing"


def _other_compilers(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and decorator_names(node) & COMPILERS:
            yield f"{source.at(node)} {node.name} is compiled by {decorator_names(node) & COMPILERS}"
