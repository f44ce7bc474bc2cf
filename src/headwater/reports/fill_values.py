"""Each fill in money, with the market around it: read once, used by the split of profit, the mark-outs and
the costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.domain.event import NO_PRICE
from headwater.domain.order import FillKind
from headwater.kernels.kernel import kernel
from headwater.reports.equity import PriceTrack
from headwater.reports.returns import SECOND_NS
from headwater.reports.valuation import F64, I64, Records, Valuation, best_price, value_of_lot

HORIZONS_NS: Final = (SECOND_NS, 10 * SECOND_NS, 60 * SECOND_NS)
"""When to look at the mid again after a fill."""

AGE_SHARE_MAX: Final = 4
"""A sample stands for t + h when it is at most h / AGE_SHARE_MAX away from it."""

FILL_VALUE_DTYPE: Final = np.dtype(
    [
        ("signed", "f8"),  # lots, + bought, - sold
        ("cash", "f8"),  # settle currency, without the fee
        ("fee", "f8"),  # settle currency, > 0 paid
        ("mid", "f8"),  # quote, at the trader when it heard of the fill; NaN when a side was missing
        ("lot_at_mid", "f8"),  # settle currency per lot at `mid`
        ("lot_at_end", "f8"),  # settle currency per lot at the end of the run
        ("account", "u4"),
        ("is_maker", "u1"),
        ("is_trade", "u1"),  # 0 for liquidations and deliveries
    ],
    align=True,
)

_TRADE: Final = int(FillKind.TRADE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillValues:
    """Fills in money and the mids that followed them.

    Attributes
    ----------
    rows : (n,) FILL_VALUE_DTYPE in the order of the fills
    later : (horizons, n) quote, mid at each of HORIZONS_NS; NaN where the samples do not say
    later_lot : (horizons, n) settle currency per lot at `later`
    """

    rows: Records
    later: F64
    later_lot: F64


@kernel
def value_fills(fills: Records, contracts: Records, last_price: F64, out: Records) -> None:
    """Turn `fills` (n,) FILL_DTYPE into `out` (n,) FILL_VALUE_DTYPE; `last_price` (instruments,) quote."""
    for i in range(len(fills)):
        contract = contracts[fills[i]["instrument"]]
        mid = best_price(fills[i]["bid"], fills[i]["ask"], NO_PRICE, contract["tick"])
        end = last_price[fills[i]["instrument"]]
        out[i]["signed"] = float(fills[i]["side"]) * float(fills[i]["size"])
        out[i]["cash"] = float(fills[i]["cash"]) * contract["money"]
        out[i]["fee"] = float(fills[i]["fee"]) * contract["money"]
        out[i]["mid"] = mid
        out[i]["lot_at_mid"] = value_of_lot(contract["lot_value"], contract["inverse"], mid)
        out[i]["lot_at_end"] = value_of_lot(contract["lot_value"], contract["inverse"], end)
        out[i]["account"] = contract["account"]
        out[i]["is_maker"] = fills[i]["is_maker"]
        out[i]["is_trade"] = 1 if fills[i]["kind"] == _TRADE else 0


@kernel
def look_ahead(
    track_ts: I64,
    track_price: F64,
    fills: Records,
    instrument: int,
    contract: Records,
    horizon_ns: int,
    tolerance_ns: int,
    out_price: F64,
    out_lot: F64,
) -> None:
    """Price `horizon_ns` after each fill of `instrument`, from the nearest sample within `tolerance_ns`, else
    NaN.

    Parameters
    ----------
    track_ts, track_price : (n,) price track of the instrument, ascending
    fills : (m,) FILL_DTYPE ascending in ts_local
    contract : (1,) CONTRACT_DTYPE of the instrument
    out_price, out_lot : (m,) quote, and settle currency per lot; rows of other instruments are left alone
    """
    i = 0
    for j in range(len(fills)):
        if fills[j]["instrument"] != instrument:
            continue
        target = fills[j]["ts_local"] + horizon_ns
        while i < len(track_ts) and track_ts[i] < target:
            i += 1
        after = track_ts[i] - target if i < len(track_ts) else tolerance_ns + 1
        before = target - track_ts[i - 1] if i > 0 else tolerance_ns + 1
        price = np.nan
        if after <= before and after <= tolerance_ns:
            price = track_price[i]
        elif before <= tolerance_ns:
            price = track_price[i - 1]
        out_price[j] = price
        out_lot[j] = value_of_lot(contract[0]["lot_value"], contract[0]["inverse"], price)


def fill_values(fills: Records, valuation: Valuation, track: PriceTrack, last_price: F64) -> FillValues:
    """Value `fills` and look up the mids after them."""
    rows = np.empty(len(fills), FILL_VALUE_DTYPE)
    value_fills(fills, valuation.contracts, last_price, rows)
    later = np.full((len(HORIZONS_NS), len(fills)), np.nan)
    later_lot = np.full_like(later, np.nan)
    for instrument in range(len(valuation.contracts)):
        part = slice(int(track.start[instrument]), int(track.start[instrument + 1]))
        contract = valuation.contracts[instrument : instrument + 1]
        for row, horizon in enumerate(HORIZONS_NS):
            look_ahead(
                track.ts[part], track.price[part], fills, instrument, contract,
                horizon, horizon // AGE_SHARE_MAX, later[row], later_lot[row],
            )  # fmt: skip
    return FillValues(rows=rows, later=later, later_lot=later_lot)
