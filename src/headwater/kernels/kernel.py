"""``@kernel``: the one way to compile a function.

Numba's disk cache notices a change in the function's own file only. It does not see a changed callee, a changed
constant in another file, or another compilation flag, and would then run stale code. So, before the first kernel
is declared, the cache directory is pointed at a folder named after a hash of every source file of the package, the
versions of Python, Numba, llvmlite and NumPy, the processor and the flags: whatever changes, another folder is used.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
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


def source_fingerprint(package: Path = _PACKAGE) -> str:
    """Hash of all sources of `package`, the toolchain's versions, the processor and the flags; 16 hex digits."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    toolchain = (
        sys.version,
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        platform.machine(),
        f"boundscheck={BOUNDS_CHECKED}",
    )
    digest.update("\0".join(toolchain).encode())
    return digest.hexdigest()


def kernel_cache_dir() -> Path:
    """Folder of the compiled kernels that belong to the sources as they are now."""
    return cache_root() / f"kernels-{source_fingerprint()}"


if not JIT_DISABLED:
    numba.config.CACHE_DIR = str(kernel_cache_dir())


@overload
def kernel(function: Callable[P, R]) -> Callable[P, R]: ...


@overload
def kernel(
    function: None = None, *, inline: bool = False, cache: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def kernel(function: Callable[P, R] | None = None, *, inline: bool = False, cache: bool = True) -> Any:
    """Compile a plain function over scalars and preallocated arrays, releasing the GIL.

    Parameters
    ----------
    inline : inline at the call site (Numba's ``inline="always"``): for tiny functions on hot paths only.
    cache : keep the machine code on disk; off for code that lives outside the package.

    With ``NUMBA_DISABLE_JIT=1`` the function is returned as it is; with ``HEADWATER_BOUNDSCHECK=1`` every index
    is checked.
    """

    def compile_it(target: Callable[P, R]) -> Any:
        return numba.njit(
            cache=cache,
            nogil=True,
            boundscheck=BOUNDS_CHECKED,
            error_model="numpy",
            inline="always" if inline else "never",
        )(target)

    return compile_it if function is None else compile_it(function)
