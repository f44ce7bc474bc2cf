"""Compiled strategies: a plain function, compiled on its own in a fraction of a second, called inside the loop.

The function gets copies and writes intents; it never sees the state itself::

    @compiled(timer="100ms", parameters={"size": Parameter(1, 1, 1000)}, memory=1)
    def quoter(view, orders, depth, params, memory, outbox):
        if view["position"] == 0 and view["order_count"] == 0:
            limit(view, outbox, 1, view["bid"], np.int64(params[0]), POST_ONLY)

Arguments: ``view`` a record of VIEW_DTYPE; ``orders`` (n,) ORDER_VIEW_DTYPE with ``view["order_count"]`` rows in use;
``depth`` int64 (4 * levels,), see ``engine/view.py``; ``params`` float64 in the order of declaration; ``memory`` float64,
private, zero at the start, saved with the run; ``outbox`` INTENT_DTYPE, written through the functions of ``intents.py``.
Prices are ticks and sizes lots of the tape. All strategies have one signature, so a changed one compiles alone, and a sweep
over parameters compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import types

from headwater.domain.view import Reads, WakeKind
from headwater.kernels.kernel import JIT_DISABLED, kernel
from headwater.strategies.desk import desk_at
from headwater.strategies.interval import parse_interval
from headwater.strategies.parameter import Parameter, resolve

SIGNATURE: Final = types.void(types.int64)
"""What the loop calls: the address of the desk. One word, where arrays would cost seven each at every wake."""


@dataclass(frozen=True, kw_only=True)
class CompiledStrategy:
    """A compiled strategy and what it subscribes.

    Attributes
    ----------
    name : of the function
    function : compiled, of ``SIGNATURE`` (plain Python when the JIT is off)
    source : as it was written
    parameters : name -> Parameter, in the order of ``params``
    wakes : WakeKind bits
    timer_ns : 0 = no timer
    bars_ns : interval of the bars that trades are folded into, 0 = only bars that the tape holds
    memory : number of private floats
    depth_levels : levels a side to copy at each wake
    reads : what the strategy reads of its view; the rest is not copied
    """

    name: str
    function: Callable[[int], None]
    doc: str
    source: Callable[..., None]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    wakes: WakeKind
    timer_ns: int
    bars_ns: int
    memory: int
    depth_levels: int
    reads: Reads

    def values(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Parameter values by name, checked."""
        return resolve(self.parameters, given, self.name)

    def params(self, values: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """Parameter values as the function gets them."""
        return np.array([float(values[name]) for name in self.parameters], np.float64)


def compiled(
    *,
    timer: str | None = None,
    bars: str | None = None,
    wakes: WakeKind = WakeKind(0),  # noqa: B008  (an immutable value)
    parameters: Mapping[str, Parameter] | None = None,
    memory: int = 0,
    depth_levels: int = 0,
    reads: Reads = Reads.ALL,
) -> Callable[[Callable[..., None]], CompiledStrategy]:
    """Make a function a compiled strategy; see the module's docstring.

    Raises
    ------
    ConfigurationError : it subscribes nothing, or an interval can't be read
    """
    timer_ns = parse_interval(timer) if timer else 0
    bars_ns = parse_interval(bars) if bars else 0
    subscribed = wakes | (WakeKind.TIMER if timer else WakeKind(0)) | (WakeKind.BAR if bars else WakeKind(0))

    def build(function: Callable[..., None]) -> CompiledStrategy:
        return CompiledStrategy(
            name=function.__name__,
            function=_compile(function),
            source=function,
            doc=function.__doc__ or "",
            parameters=dict(parameters or {}),
            wakes=subscribed,
            timer_ns=timer_ns,
            bars_ns=bars_ns,
            memory=memory,
            depth_levels=depth_levels,
            reads=reads,
        )

    return build


def _compile(function: Callable[..., None]) -> Callable[[int], None]:
    """The function behind the one signature that the loop calls.

    Not cached on disk: what a user's file imports can't be hashed, and it compiles in a fraction of a second.
    """
    inner = function if JIT_DISABLED else kernel(cached=False)(function)

    def call(address: Any) -> None:
        desk = desk_at(address)
        inner(desk.shown[0], desk.orders, desk.depth, desk.params, desk.memory, desk.outbox)

    outer: Callable[[int], None] = kernel(cached=False, signature=SIGNATURE)(call)
    return outer
