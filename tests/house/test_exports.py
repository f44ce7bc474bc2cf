"""What the package offers by name is there."""

from __future__ import annotations

from importlib import import_module

import pytest

import headwater
from tests.house.sources import PACKAGE, Source, package_sources


def dotted_name(source: Source) -> str:
    """Import path of a source file."""
    parts = source.path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("name", [dotted_name(source) for source in package_sources()])
def test_a_module_can_be_imported_and_its_exports_exist(name: str) -> None:
    module = import_module(name)
    exported = getattr(module, "__all__", [])
    assert [each for each in exported if not hasattr(module, each)] == []
    assert len(set(exported)) == len(exported)


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert headwater.__version__ == version("headwater")
