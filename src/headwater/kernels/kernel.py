"""``@kernel``: the one way to compile a function.

Numba's disk cache notices a change in the function's own file only. It does not see a changed callee, a changed
constant in another file, or another compilation flag, and would then run stale code. So, before a kernel is compiled, the
cache directory is pointed at a folder named after a hash of its source file and all sources that this imports, the
versions of Python, Numba, llvmlite and NumPy, the processor and the flags: whatever changes, another folder is used.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, overload

import llvmlite
import numba
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

BOUNDS_CHECKED: Final = os.environ.get("HEADWATER_BOUNDSCHECK", "0") == "1"
JIT_DISABLED: Final = bool(numba.config.DISABLE_JIT)

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def cache_root() -> Path:
    """Folder that holds all kernel caches: ``$HEADWATER_CACHE_DIR`` or the user's cache folder."""
    explicit = os.environ.get("HEADWATER_CACHE_DIR")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "headwater"


_IMPORT: Final = re.compile(
    rb"^\s*(?:from|import)\s+headwater((?:\.\w+)*)(?:\s+import\s+(.*))?", re.MULTILINE
)


@cache
def _imports(path: Path, package: Path) -> frozenset[Path]:
    """Source files of the package that `path` imports."""
    found: set[Path] = set()
    for dotted, names in _IMPORT.findall(path.read_bytes()):
        base = package.joinpath(*dotted.decode().split(".")[1:])
        candidates = [base.with_suffix(".py"), base / "__init__.py"]
        candidates += [
            base / f"{name.strip()}.py" for name in names.decode().strip("() ").split(",") if name.strip()
        ]
        found.update(candidate for candidate in candidates if candidate.is_file())
    return frozenset(found)


def _closure(path: Path, package: Path) -> list[Path]:
    """`path` and all sources of the package that it imports, directly or not, sorted."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(_imports(current, package))
    return sorted(seen)


@cache
def _toolchain() -> bytes:
    facts = (
        sys.version,
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        platform.machine(),
        f"boundscheck={BOUNDS_CHECKED}",
    )
    return "\0".join(facts).encode()


@cache
def source_fingerprint(path: Path, package: Path = _PACKAGE) -> str:
    """Hash of `path`, every source that it imports, the toolchain, the processor and the flags; 16 hex digits."""
    digest = hashlib.blake2b(_toolchain(), digest_size=8)
    for source in _closure(path, package):
        digest.update(source.relative_to(package).as_posix().encode() + b"\0")
        digest.update(source.read_bytes() + b"\0")
    return digest.hexdigest()


def kernel_cache_dir(path: Path | None = None) -> Path:
    """Folder of the compiled kernels of the source file `path`, as it and all that it imports are now; or of all."""
    every = cache_root() / "kernels"
    return every if path is None else every / f"{path.stem}-{source_fingerprint(path)}"


@overload
def kernel(function: Callable[P, R]) -> Callable[P, R]: ...


@overload
def kernel(
    function: None = None, *, inline: bool = False, cached: bool = True, signature: Any = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def kernel(
    function: Callable[P, R] | None = None,
    *,
    inline: bool = False,
    cached: bool = True,
    signature: Any = None,
) -> Any:
    """Compile a plain function over scalars and preallocated arrays, releasing the GIL.

    Parameters
    ----------
    inline : inline at the call site (Numba's ``inline="always"``): for tiny functions on hot paths only.
    cached : keep the machine code on disk; off for code that lives outside the package.
    signature : compile for this Numba signature at once; needed where a function is passed as an argument

    With ``NUMBA_DISABLE_JIT=1`` the function is returned as it is; with ``HEADWATER_BOUNDSCHECK=1`` every index
    is checked.
    """

    def compile_it(target: Callable[P, R]) -> Any:
        if JIT_DISABLED:
            return target
        path = Path(target.__code__.co_filename).resolve()
        # What a file outside the package imports is not known, so nothing of it is kept.
        kept = cached and path.is_relative_to(_PACKAGE)
        if kept:
            numba.config.CACHE_DIR = str(kernel_cache_dir(path))
        return numba.njit(
            signature,
            cache=kept,
            nogil=True,
            _nrt=False,  # arrays are borrowed: counting references would cost more than the work
            boundscheck=BOUNDS_CHECKED,
            error_model="numpy",
            inline="always" if inline else "never",
        )(target)

    return compile_it if function is None else compile_it(function)
