"""Many arrays as one argument: to compiled code a :class:`Pools` is a single pointer.

Numba passes an array as seven words, and a tuple of arrays as seven words for each, at every call that is not
inlined; with fifteen pools that cost 250 ns an event where 15 were enough, and more than a minute of compilation. So
compiled code gets the address of a table with the address and the length of each pool. Attribute access and indexing
mean the same on both sides: ``pools.orders[handle]`` is the record, to read and to write; ``len(pools.orders)`` its
length; a pool of plain numbers is an array.

The compiled side holds plain addresses and keeps nothing alive: the Python object owns the arrays, which may be neither
replaced nor resized while it lives. With the JIT off there is nothing but the Python object.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import from_dtype
from numba.core import cgutils, types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_builtin,
    models,
    overload,
    register_model,
    type_callable,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array

from headwater.kernels.kernel import BOUNDS_CHECKED

_I64 = ir.IntType(64)
_WORD_BYTES = 8


_ALIVE: WeakValueDictionary[int, Pools] = WeakValueDictionary()


class Pools:
    """Base of a set of pools; a subclass lists them in ``FIELDS``: name -> structured dtype, int64 or float64.

    Attributes
    ----------
    address : of the table that compiled code sees

    Raises
    ------
    TypeError : a pool is missing, or has another dtype than the *identical* object that is declared
    """

    FIELDS: ClassVar[dict[str, np.dtype[Any]]] = {}

    def __init__(self, **arrays: npt.NDArray[Any]) -> None:
        if arrays.keys() != self.FIELDS.keys():
            raise TypeError(f"pools must be {sorted(self.FIELDS)}, were {sorted(arrays)}")
        self._table = np.zeros(2 * len(self.FIELDS), np.int64)
        for at, (name, dtype) in enumerate(self.FIELDS.items()):
            array = arrays[name]
            if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous:
                raise TypeError(
                    f"pool {name} must be one-dimensional and contiguous of {dtype}, was {array.dtype}"
                )
            setattr(self, name, array)
            self._table[2 * at] = array.ctypes.data
            self._table[2 * at + 1] = len(array)
        self.address = int(self._table.ctypes.data)
        _ALIVE[self.address] = self


class _PoolsType(types.Type):
    """A pointer to the table of one class of pools."""

    def __init__(self, of: type[Pools]) -> None:
        self.of = of
        super().__init__(name=f"Pools({of.__module__}.{of.__qualname__})")


class _PoolType(types.Type):
    """The address and the length of a pool of records."""

    def __init__(self, record: types.Record) -> None:
        self.record = record
        super().__init__(name=f"Pool({record})")


@register_model(_PoolsType)
class _PoolsModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _I64)


@register_model(_PoolType)
class _PoolModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("address", types.int64), ("length", types.int64)])


def pools_type(of: type[Pools]) -> _PoolsType:
    """The Numba type of a class of pools, for signatures."""
    return _PoolsType(of)


@typeof_impl.register(Pools)
def _typeof_pools(value: Pools, _context: Any) -> _PoolsType:
    return _PoolsType(type(value))


@unbox(_PoolsType)
def _unbox_pools(_kind: Any, value: Any, c: Any) -> NativeValue:
    attribute = c.pyapi.object_getattr_string(value, "address")
    address = c.pyapi.long_as_longlong(attribute)
    c.pyapi.decref(attribute)
    return NativeValue(address, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


def _field_type(of: type[Pools], name: str) -> Any:
    dtype = of.FIELDS[name]
    return types.Array(from_dtype(dtype), 1, "C") if dtype.fields is None else _PoolType(from_dtype(dtype))


@infer_getattr
class _PoolsAttributes(AttributeTemplate):  # type: ignore[misc]
    key = _PoolsType

    def generic_resolve(self, kind: _PoolsType, name: str) -> Any:
        return _field_type(kind.of, name) if name in kind.of.FIELDS else None


@lower_getattr_generic(_PoolsType)
def _lower_attribute(context: Any, builder: Any, kind: _PoolsType, value: Any, name: str) -> Any:
    at = 2 * list(kind.of.FIELDS).index(name)
    table = builder.inttoptr(value, _I64.as_pointer())
    address = builder.load(cgutils.gep_inbounds(builder, table, at))
    length = builder.load(cgutils.gep_inbounds(builder, table, at + 1))
    field = _field_type(kind.of, name)
    if isinstance(field, types.Array):
        return _plain_array(context, builder, field, address, length)
    pool = cgutils.create_struct_proxy(field)(context, builder)
    pool.address = address
    pool.length = length
    return pool._getvalue()


def _plain_array(context: Any, builder: Any, kind: Any, address: Any, length: Any) -> Any:
    array = make_array(kind)(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer()),
        shape=[length],
        strides=[context.get_constant(types.intp, _WORD_BYTES)],
        itemsize=context.get_constant(types.intp, _WORD_BYTES),
        meminfo=None,
    )
    return array._getvalue()


@type_callable(operator.getitem)
def _type_getitem(_context: Any) -> Any:
    def typer(pool: Any, index: Any) -> Any:
        if isinstance(pool, _PoolType) and isinstance(index, types.Integer):
            return pool.record
        return None

    return typer


@lower_builtin(operator.getitem, _PoolType, types.Integer)
def _lower_getitem(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    kind, index_kind = signature.args
    return _record_pointer(context, builder, kind, index_kind, args[0], args[1])


def _record_pointer(
    context: Any, builder: Any, kind: Any, index_kind: Any, pool_value: Any, index: Any
) -> Any:
    pool = cgutils.create_struct_proxy(kind)(context, builder, value=pool_value)
    wide = context.cast(builder, index, index_kind, types.int64)
    if BOUNDS_CHECKED:
        _check_bounds(context, builder, wide, pool.length)
    offset = builder.mul(wide, ir.Constant(_I64, kind.record.size))
    return builder.inttoptr(builder.add(pool.address, offset), context.get_value_type(kind.record))


def _check_bounds(context: Any, builder: Any, index: Any, length: Any) -> None:
    outside = builder.icmp_unsigned(">=", index, length)
    with builder.if_then(outside, likely=False):
        context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))


@type_callable(operator.setitem)
def _type_setitem(_context: Any) -> Any:
    def typer(pool: Any, index: Any, value: Any) -> Any:
        if isinstance(pool, _PoolType) and isinstance(index, types.Integer) and value == pool.record:
            return types.none
        return None

    return typer


@lower_builtin(operator.setitem, _PoolType, types.Integer, types.Record)
def _lower_setitem(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    kind, index_kind, _ = signature.args
    target = _record_pointer(context, builder, kind, index_kind, args[0], args[1])
    cgutils.raw_memcpy(builder, target, args[2], ir.Constant(_I64, kind.record.size), 1)
    return context.get_dummy_value()


@overload(len)
def _overload_len(pool: Any) -> Any:
    def implementation(pool: Any) -> Any:
        return _length(pool)

    return implementation if isinstance(pool, _PoolType) else None


@intrinsic
def _length(_typing_context: Any, pool: Any) -> Any:
    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return cgutils.create_struct_proxy(signature.args[0])(context, builder, value=args[0]).length

    return types.int64(pool), lower


def pools_at(of: type[Pools]) -> Callable[[int], Any]:
    """A function from an address to the pools there, for entry points that Python calls millions of times.

    Numba takes a microsecond to find out the type of an argument of a class that it does not know, and nothing for
    an integer.
    """

    def at(address: Any) -> Any:
        return _ALIVE[address]

    @intrinsic
    def reinterpret(_typing_context: Any, address: Any) -> Any:  # noqa: ARG001  (Numba reads the name)
        def lower(_context: Any, _builder: Any, _signature: Any, args: Any) -> Any:
            return args[0]

        return pools_type(of)(types.int64), lower

    @overload(at)
    def _overload_at(address: Any) -> Any:
        def implementation(address: Any) -> Any:
            return reinterpret(address)

        return implementation if isinstance(address, types.Integer) else None

    return at
