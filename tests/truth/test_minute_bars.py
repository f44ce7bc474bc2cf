"""Trade by trade like backtesting.py and vectorbt on seeded minute bars.

Both fill a market order at the close of the bar that decides, at no cost but the fee: so does Headwater here, with
no latency, no slippage and no margin. What the peers did is stored (`outcomes.json`); where they are installed, it
is compared with what they do today.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.ours import bars
from benchmarks.workloads.minute_bars import MINUTE_NS, START_NS, minute_bars
from headwater.backtest.result import BacktestResult
from headwater.backtest.run import run_backtest
from headwater.domain.instrument import Instrument
from headwater.tape.replay import Replay
from tests.truth.agreement import MONEY_RELATIVE, digest
from tests.truth.peers import bar_trades, peer_python
from tests.truth.record import OPEN, SWEEP_BARS, YEAR_BARS, closed_trades

STORED = json.loads((Path(__file__).parent / "outcomes.json").read_text())["minute_bars"]
SAMPLED = [(fast, slow) for fast, slow in bars.PAIRS if (fast + slow) % 25 == 0]
RETURN_ABSOLUTE = 1e-8
"""A lot of 1e-8 coins leaves up to 5e-10 of the cash uninvested at each of some thousand purchases."""

pytestmark = pytest.mark.compiled


def close_of(ts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The bar whose end is `ts`."""
    return (ts - START_NS) // MINUTE_NS - 1


def trades_of(result: BacktestResult) -> npt.NDArray[np.int64]:
    """Each fill turns the position over: it ends one trade and begins the next, which the last leaves open."""
    fills = result.fills
    at, price, side = close_of(fills["ts_venue"]), fills["price"], fills["side"].astype(np.int64)
    leaving, ended = np.append(at[1:], OPEN), np.append(price[1:], 0)
    return np.column_stack([at, leaving, side, price, ended])


def long_once(replay: Replay, traded: Instrument, fast: int, slow: int) -> tuple[int, float]:
    """One pair of the sweep: trades, and the return of the cash."""
    fixed = {"cash": bars.CASH_SWEEP * 1e9, "unit_value": 1.0, "fee": float(bars.FEE)}
    given = {"fast": fast, "slow": slow, **fixed}
    result = run_backtest(bars.cross_long, replay, [traded], bars.settings(bars.CASH_SWEEP), parameters=given)
    return int(np.count_nonzero(result.fills["side"] > 0)), bars.equity(result) / bars.CASH_SWEEP - 1.0


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("year") / "bars.npz"
    np.savez(path, allow_pickle=False, **minute_bars(YEAR_BARS))
    return path


@pytest.fixture(scope="module")
def sweep_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "bars.npz"
    np.savez(path, allow_pickle=False, **minute_bars(SWEEP_BARS))
    return path


@pytest.mark.parametrize("peer", ["backtesting", "vectorbt"])
def test_every_trade_and_the_final_equity_agree(peer: str, year: Path) -> None:
    replay = bars.load_replay(str(year), bars.LOT_SIZE)
    result = bars.cross(replay, bars.instrument(bars.LOT_SIZE))
    ours, stored = trades_of(result), STORED[peer]
    closed = ours[ours[:, 1] != OPEN]
    assert len(closed) == stored["closed"]
    assert digest(closed) == stored["trades"]
    assert bars.equity(result) == pytest.approx(stored["equity"], rel=MONEY_RELATIVE)
    assert len(ours) - len(closed) == 1


@pytest.mark.parametrize("peer", ["backtesting", "vectorbt"])
def test_the_stored_trades_are_those_of_the_peer(peer: str, year: Path, tmp_path: Path) -> None:
    table, equity = bar_trades(peer_python(peer), peer, year, tmp_path / "peer.npz")
    closed = closed_trades(table)
    assert (len(closed), digest(closed)) == (STORED[peer]["closed"], STORED[peer]["trades"])
    assert equity == pytest.approx(STORED[peer]["equity"], rel=MONEY_RELATIVE)


@pytest.mark.parametrize(
    "pairs", [pytest.param(SAMPLED, id="sampled"), pytest.param(bars.PAIRS, id="all", marks=pytest.mark.deep)]
)
def test_every_pair_of_the_sweep_makes_the_same_trades_and_return(
    pairs: list[tuple[int, int]], sweep_bars: Path
) -> None:
    replay = bars.load_replay(str(sweep_bars), bars.FINE_LOT_SIZE)
    traded = bars.instrument(bars.FINE_LOT_SIZE)
    stored = dict(zip(bars.PAIRS, zip(*STORED["sweep"].values(), strict=True), strict=True))
    for pair in pairs:
        trades, change = long_once(replay, traded, *pair)
        assert trades == stored[pair][0], pair
        assert change == pytest.approx(stored[pair][1], abs=RETURN_ABSOLUTE), pair


def test_the_stored_sweep_is_that_of_vectorbt(sweep_bars: Path, tmp_path: Path) -> None:
    trades, returns = bar_trades(peer_python("vectorbt"), "vectorbt-sweep", sweep_bars, tmp_path / "peer.npz")
    assert trades.tolist() == STORED["sweep"]["trades"]
    assert returns.tolist() == pytest.approx(STORED["sweep"]["returns"], abs=1e-12)


def test_the_stored_figures_are_those_that_were_published() -> None:
    assert STORED["vectorbt"]["closed"] + 1 == 23_976
    assert round(STORED["vectorbt"]["equity"], 3) == 8851353.777
    assert sum(STORED["sweep"]["trades"]) == 1_044_082
    assert round(sum(STORED["sweep"]["returns"]), 4) == -535.5073
