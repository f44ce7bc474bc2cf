"""What a back-test leaves behind, before anybody draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from headwater.domain.sample import LATENCY_DTYPE, SAMPLE_DTYPE
from headwater.tape.replay import ReplayInstrument

__all__ = ["LATENCY_DTYPE", "SAMPLE_DTYPE", "BacktestResult", "ResultInstrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultInstrument:
    """An instrument of a finished run, with what turns integers back into money.

    Attributes
    ----------
    replay : id, grid, certificate
    kind : "spot", "linear", "inverse"
    multiplier : contract multiplier (1 for spot)
    base, quote, settle : currencies; cash, fee and funding count in `settle`
    money_scale : money units per one unit of `settle` (a power of ten)
    """

    replay: ReplayInstrument
    kind: str
    multiplier: str
    base: str
    quote: str
    settle: str
    money_scale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """Everything that a run produced.

    Attributes
    ----------
    fills : (n,) FILL_DTYPE in the order in which the trader learned of them
    orders : (n,) ORDER_LOG_DTYPE, every request and every report
    samples : (n,) SAMPLE_DTYPE ascending in ts
    latencies : (n,) LATENCY_DTYPE
    initial_cash : settle currency -> amount at the start, as a decimal string
    manifest : strategy, parameters, models, seed, versions, data certificates, event and wake counts, times
    not_modelled : plain sentences: what the data did not allow to be modelled
    state_hash : hash over the live rows of the final state; equal for equal runs
    complete : False when the run was interrupted and this is what there is
    """

    instruments: tuple[ResultInstrument, ...]
    fills: npt.NDArray[Any]
    orders: npt.NDArray[Any]
    samples: npt.NDArray[Any]
    latencies: npt.NDArray[Any]
    initial_cash: dict[str, str]
    manifest: dict[str, Any]
    not_modelled: list[str] = field(default_factory=list)
    state_hash: str = ""
    complete: bool = True
