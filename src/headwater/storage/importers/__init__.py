"""Importers of foreign formats, one file each, found by walking this package.

A module here names its importer ``IMPORTER``; one whose name begins with an underscore is shared by several.
A format is recognised by what is in the file, never by the file's name.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import Importer
from headwater.storage.compressed import HEAD_BYTES, read_head

__all__ = ["importers", "recognise"]


@cache
def importers() -> tuple[Importer, ...]:
    """Every importer of this package, sorted by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    found: list[Importer] = [import_module(f"{__name__}.{name}").IMPORTER for name in names]
    return tuple(sorted(found, key=lambda importer: importer.name))


def recognise(path: Path) -> Importer:
    """The importer of `path`, by its decompressed first 64 KiB.

    Raises
    ------
    ImportRefusedError
        The file is missing, empty or damaged, of no known format, or (a fault of ours) of more than one.
    """
    head = read_head(path, HEAD_BYTES)
    if not head:
        raise ImportRefusedError(f"{path}: expected market data, found an empty file; fetch it again")
    matches = [importer for importer in importers() if importer.recognises(path, head)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(importer.name for importer in matches)
        raise ImportRefusedError(f"{path}: matches several formats ({names}); report this file as a fault")
    known = ", ".join(importer.name for importer in importers())
    raise ImportRefusedError(
        f"{path}: expected one of the known formats ({known}), found {_shown(head)}; "
        "convert the file or add an importer"
    )


def _shown(head: bytes) -> str:
    """The beginning of the file, fit for one line of a message."""
    return repr(head[:60].split(b"\n", 1)[0])[1:]
