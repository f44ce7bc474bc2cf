"""The types of scalars in kernels, as a type checker may see them."""

from __future__ import annotations

from typing import Any, TypeAlias

Int: TypeAlias = Any
"""int64 inside a kernel. With the compiler off, fields of records give NumPy scalars and literals give
Python's int, in one expression: an alias that accepts both, and says what is meant."""

Float: TypeAlias = Any
"""float64 inside a kernel; NumPy's or Python's with the compiler off."""

Bool: TypeAlias = Any
"""A truth value inside a kernel; NumPy's or Python's with the compiler off."""
