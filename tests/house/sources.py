"""The package's source files as syntax trees, for the rules that walk them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "headwater"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One file: where it is, what it says, and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder under the package, or the file's own name at its top."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    def at(self, node: ast.AST) -> str:
        """``path:line`` of a node, as an editor opens it."""
        return f"{self.path.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[Function]:
        """All functions, methods and nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


@cache
def package_sources() -> tuple[Source, ...]:
    """Every module of the package, sorted by path."""
    return tuple(read(path) for path in sorted(PACKAGE.rglob("*.py")))


def read(path: Path) -> Source:
    """Parse one file."""
    text = path.read_text()
    return Source(path=path, text=text, tree=ast.parse(text))


def decorator_names(node: Function | ast.ClassDef) -> set[str]:
    """Last names of the decorators: ``kernel`` for both ``@kernel`` and ``@kernel(inline=True)``."""
    targets = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
    return {dotted(target).rpartition(".")[2] for target in targets}


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of attributes, empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""
