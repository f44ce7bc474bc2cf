"""Fill by fill like hftbacktest 2.4.4 on the seeded order-book stream, in compatibility mode.

What hftbacktest did is stored (`outcomes.json`, README.md says how it was made), so that the comparison runs
without it; where it is installed, the stored outcome is compared with what it does today.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.workloads.order_book_stream import order_book_stream
from headwater.storage.rules_files import load_rulebook
from tests.truth.agreement import Outcome, check_agreement, outcome_of_ours, outcome_of_peer
from tests.truth.grid import QUEUES, run_grid
from tests.truth.order_book_stream import GRID, INSTRUMENT, job_of, replay_of_stream
from tests.truth.peers import peer_python, run_hftbacktest

STORED = json.loads((Path(__file__).parent / "outcomes.json").read_text())["order_book_stream"]
SIZES = [pytest.param(500_000), pytest.param(5_000_000, marks=pytest.mark.deep)]

pytestmark = pytest.mark.compiled


def stored(rows: int, queue: str) -> Outcome:
    return Outcome(**STORED[str(rows)][queue])


@pytest.mark.parametrize("rows", SIZES)
def test_every_fill_and_all_money_agree(rows: int) -> None:
    replay = replay_of_stream(order_book_stream(rows))
    instrument = load_rulebook().instrument(INSTRUMENT)
    for queue in QUEUES:
        ours = outcome_of_ours(run_grid(replay, instrument, GRID, queue))
        check_agreement(ours, stored(rows, queue))


@pytest.mark.parametrize("rows", SIZES)
def test_the_stored_outcome_is_what_hftbacktest_does(rows: int, tmp_path: Path) -> None:
    python = peer_python("hftbacktest")
    np.savez(tmp_path / "events.npz", allow_pickle=False, **order_book_stream(rows))
    runs = run_hftbacktest(python, tmp_path, job_of(GRID, str(tmp_path / "events.npz"), list(QUEUES)))
    for queue, run in runs.items():
        check_agreement(
            outcome_of_peer(run), stored(rows, queue)
        )  # its sums differ in the last digits each time


def test_the_figures_of_the_whole_stream_are_those_that_were_published() -> None:
    whole = stored(5_000_000, "risk")
    assert (whole.submits, whole.cancels, whole.fill_count) == (347_590, 163_096, 190_041)
    assert (round(whole.position, 4), round(whole.balance, 2), round(whole.fee, 4)) == (
        -2.1,
        130514.29,
        -57058.3167,
    )
