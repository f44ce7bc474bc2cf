"""Where the profit came from: parts that add up to it exactly.

With c_j the cash of fill j, s_j its signed size in lots, m_j the mid when the trader heard of it and v the
value of a lot (:mod:`headwater.reports.valuation`),

    spread captured    = sum over trades of c_j + s_j v(m_j)           fill price against the mid
    forced             = the same over liquidations and deliveries
    adverse selection  = sum of s_j (v(m_j+10s) - v(m_j))              first ten seconds after each fill
    inventory          = sum of s_j (v(m_end) - v(m_j+10s))            all later mid moves on what was held
    fee, funding       = as booked

Their sum telescopes to cash + position value at the end - fees + funding, which is the change of equity. A
fill whose mid is unknown counts its price as the mid (no spread), and one whose later mid is unknown has all
its mid move in inventory: both are counted in words, so that nothing is invented and the sum still holds.

The mid is the one at the trader on hearing of the fill, so a move during the response latency is in the
spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.kernels.kernel import kernel
from headwater.reports.fill_values import HORIZONS_NS, FillValues
from headwater.reports.returns import SECOND_NS
from headwater.reports.valuation import F64, Records

ADVERSE_HORIZON_NS: Final = 10 * SECOND_NS

ROUNDING: Final = 1e-16
"""A part below this share of the turnover is the rounding error of its own sum, and counts as zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Volume and costs of one account, settle currency.

    Attributes
    ----------
    fills : number of fills
    turnover : sum of absolute fill values
    maker_share : share of `turnover` filled as maker; NaN without fills
    fee : paid, > 0; rebates make it negative
    funding : received, > 0
    """

    fills: int
    turnover: float
    maker_share: float
    fee: float
    funding: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlSplit:
    """Parts of the profit of one account, settle currency; gains are positive, costs negative.

    Attributes
    ----------
    spread, forced, adverse_selection, inventory, fee, funding : the parts
    total : change of equity over the run, from the samples
    unexplained : `total` minus the sum of the parts; zero up to rounding when fills and samples agree
    without_mid : fills counted at their own price for want of a mid
    without_later : fills whose mid ten seconds later is unknown
    """

    spread: float
    forced: float
    adverse_selection: float
    inventory: float
    fee: float
    funding: float
    total: float
    without_mid: int
    without_later: int

    @property
    def unexplained(self) -> float:
        """Change of equity that the fills do not explain."""
        return self.total - sum(self.parts().values())

    def parts(self) -> dict[str, float]:
        """The parts by name, in the order in which they are shown."""
        return {
            "spread captured": self.spread,
            "adverse selection": self.adverse_selection,
            "inventory": self.inventory,
            "forced": self.forced,
            "fee": self.fee,
            "funding": self.funding,
        }


@kernel
def sum_parts(rows: Records, later_lot: F64, account: int, out: F64) -> None:
    """Sums over the fills of `account`.

    Parameters
    ----------
    rows : (n,) FILL_VALUE_DTYPE
    later_lot : (n,) settle currency per lot ten seconds after each fill; NaN where unknown
    out : (10,) spread, forced, adverse selection, inventory, fee, fills without a mid, without a later mid,
        fills, turnover, turnover as maker; 0 at the start
    """
    for i in range(len(rows)):
        if rows[i]["account"] != account:
            continue
        signed, cash = rows[i]["signed"], rows[i]["cash"]
        at_mid = rows[i]["lot_at_mid"]
        if np.isnan(at_mid):
            at_mid = -cash / signed
            out[5] += 1.0
        later = later_lot[i]
        if np.isnan(later):
            later = at_mid
            out[6] += 1.0
        out[0 if rows[i]["is_trade"] == 1 else 1] += cash + signed * at_mid
        out[2] += signed * (later - at_mid)
        out[3] += signed * (rows[i]["lot_at_end"] - later)
        out[4] += rows[i]["fee"]
        out[7] += 1.0
        out[8] += abs(cash)
        if rows[i]["is_maker"] == 1:
            out[9] += abs(cash)


def pnl_split(values: FillValues, account: int, total: float, funding: float) -> tuple[PnlSplit, Activity]:
    """Split the change of equity `total` of `account`, and count its volume; `funding` as in the samples."""
    sums = np.zeros(10)
    later = values.later_lot[HORIZONS_NS.index(ADVERSE_HORIZON_NS)]
    sum_parts(values.rows, later, account, sums)
    spread, forced, adverse, inventory, fee, no_mid, no_later, fills, turnover, as_maker = (
        float(part) for part in sums
    )
    noise = ROUNDING * turnover
    split = PnlSplit(
        spread=_settled(spread, noise),
        forced=_settled(forced, noise),
        adverse_selection=_settled(adverse, noise),
        inventory=_settled(inventory, noise),
        fee=-fee,
        funding=funding,
        total=total,
        without_mid=int(no_mid),
        without_later=int(no_later),
    )
    activity = Activity(
        fills=int(fills),
        turnover=turnover,
        maker_share=as_maker / turnover if turnover > 0.0 else np.nan,
        fee=fee,
        funding=funding,
    )
    return split, activity


def _settled(part: float, noise: float) -> float:
    return 0.0 if abs(part) <= noise else part
