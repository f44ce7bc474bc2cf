"""Many arrays behind one pointer: to compiled code and to plain Python they are the same thing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import types

from headwater.kernels.kernel import kernel
from headwater.kernels.pools import Pools, pools_at, pools_type

ORDER_DTYPE = np.dtype([("price", "i8"), ("size", "i4"), ("side", "i1"), ("share", "f8")], align=True)

numbers = st.integers(-(2**31), 2**31 - 1)


class Book(Pools):
    """Records, whole numbers and floats."""

    orders: Any
    counts: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]

    FIELDS: ClassVar[dict[str, np.dtype[Any]]] = {
        "orders": ORDER_DTYPE,
        "counts": np.dtype(np.int64),
        "shares": np.dtype(np.float64),
    }


book_at = pools_at(Book)


def book(orders: int = 4, counts: int = 3, shares: int = 2) -> Book:
    return Book(
        orders=np.zeros(orders, ORDER_DTYPE),
        counts=np.arange(counts, dtype=np.int64),
        shares=np.zeros(shares),
    )


@kernel(cached=False)
def write(pools: Any, row: Any, price: Any, size: Any, side: Any) -> None:
    order = pools.orders[row]
    order["price"] = price
    order["size"] = size
    order["side"] = side
    order["share"] = price / 4.0
    pools.counts[1] += 1
    pools.shares[0] = price * 0.5


@kernel(cached=False)
def copy(pools: Any, source: Any, target: Any) -> None:
    pools.orders[target] = pools.orders[source]


@kernel(cached=False)
def sum_of_prices(pools: Any) -> Any:
    total = np.int64(0)
    for row in range(len(pools.orders)):
        total += pools.orders[row]["price"]
    return total


@kernel(cached=False)
def lengths(pools: Any) -> Any:
    return len(pools.orders), len(pools.counts), len(pools.shares)


@kernel(cached=False, signature=types.int64(types.int64, types.int64))
def price_at(address: Any, row: Any) -> Any:
    return book_at(address).orders[row]["price"]


@kernel(cached=False, signature=types.int64(pools_type(Book)))
def first_count(pools: Any) -> Any:
    return pools.counts[0]


@given(row=st.integers(0, 3), price=numbers, size=numbers, side=st.sampled_from([-1, 1]))
def test_what_a_kernel_writes_is_in_the_arrays(row: int, price: int, size: int, side: int) -> None:
    pools = book()
    write(pools, row, price, size, side)
    expected = np.zeros(4, ORDER_DTYPE)
    expected[row] = (price, size, side, price / 4.0)
    assert np.array_equal(pools.orders, expected)
    assert pools.counts.tolist() == [0, 2, 2]
    assert pools.shares.tolist() == [price * 0.5, 0.0]


@given(prices=st.lists(numbers, max_size=6))
def test_what_is_in_the_arrays_is_what_a_kernel_reads(prices: list[int]) -> None:
    pools = book(orders=len(prices))
    pools.orders["price"] = prices
    assert sum_of_prices(pools) == sum(prices)
    assert tuple(lengths(pools)) == (len(prices), 3, 2)


def test_a_record_is_copied_whole() -> None:
    pools = book()
    pools.orders[2] = (7, -3, 1, 0.25)
    copy(pools, 2, 0)
    assert pools.orders[0] == pools.orders[2]
    assert pools.orders[1] == np.zeros(1, ORDER_DTYPE)[0]


def test_an_address_is_as_good_as_the_pools() -> None:
    first, second = book(), book()
    second.orders["price"] = [1, 2, 3, 4]
    assert price_at(second.address, 3) == 4
    assert price_at(first.address, 3) == 0


def test_a_signature_can_name_the_pools() -> None:
    pools = book()
    pools.counts[0] = 9
    assert first_count(pools) == 9


@pytest.mark.parametrize("absent", ["orders", "counts"])
def test_all_pools_are_needed(absent: str) -> None:
    arrays = {name: np.zeros(1, dtype) for name, dtype in Book.FIELDS.items() if name != absent}
    with pytest.raises(TypeError, match="pools must be"):
        Book(**arrays)


@pytest.mark.parametrize(
    "counts",
    [np.zeros(2, np.int32), np.zeros((2, 2), np.int64), np.zeros(8, np.int64)[::2]],
    ids=["another type", "two dimensions", "with gaps"],
)
def test_a_pool_of_another_shape_is_refused(counts: npt.NDArray[Any]) -> None:
    with pytest.raises(TypeError, match="pool counts must be one-dimensional and contiguous"):
        Book(orders=np.zeros(1, ORDER_DTYPE), counts=counts, shares=np.zeros(1))


@pytest.mark.compiled
def test_what_is_not_a_pool_does_not_compile() -> None:
    @kernel(cached=False)
    def read(pools: Any) -> Any:
        return pools.nothing

    with pytest.raises(Exception, match="nothing"):
        read(book())


@pytest.mark.compiled
@pytest.mark.parametrize("row", [-1, 4])
def test_an_index_outside_is_an_error_when_bounds_are_checked(row: int) -> None:
    program = f"from tests.kernels.test_pools import book, price_at; price_at(book().address, {row})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HEADWATER_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "IndexError: index is out of bounds" in done.stderr
