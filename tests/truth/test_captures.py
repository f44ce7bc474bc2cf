"""Fill by fill like hftbacktest 2.4.4 on real order books, in compatibility mode.

Both sides read the array that hftbacktest's own converter makes of the capture, after its correction of the
receive clock and of the order of events: here through our importer and a catalog.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.storage.rules_files import load_rulebook
from tests.truth.agreement import check_agreement, check_fills, outcome_of_ours, outcome_of_peer
from tests.truth.captures import CAPTURES, Capture, import_array
from tests.truth.grid import QUEUES, fill_table, in_order, run_grid
from tests.truth.order_book_stream import job_of
from tests.truth.peers import peer_python, run_hftbacktest, run_peer

FILLS_LEAST = 100
"""A comparison of nothing shows nothing."""


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.instrument)
def test_every_fill_and_all_money_agree_on_a_real_book(
    capture: Capture, dev_data: Path, tmp_path: Path
) -> None:
    python = peer_python("hftbacktest")
    array = tmp_path / "events.npz"
    run_peer(python, "hftbacktest_capture", str(array), *(str(dev_data / name) for name in capture.files))
    theirs = run_hftbacktest(python, tmp_path, job_of(capture.grid, str(array), list(QUEUES)))
    replay = import_array(array, capture, tmp_path)
    instrument = load_rulebook().instrument(capture.instrument)
    for queue, peer in theirs.items():
        ours = run_grid(replay, instrument, capture.grid, queue)
        check_fills(fill_table(ours), in_order(peer.fills))
        check_agreement(outcome_of_ours(ours), outcome_of_peer(peer))
        assert len(ours.fills) >= FILLS_LEAST
