"""Certificates and queues as a reader of the report meets them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headwater.reports.order_flow import order_flow
from headwater.reports.panels_orders import fill_probability_panel
from headwater.reports.statistics import statistics
from headwater.reports.tear_sheet import tear_sheet
from tests.reports.synthetic_run import market_maker_run

CERTIFICATE = {
    "trusted": False,
    "reasons": ["book: crossed"],
    "datasets": {
        "book": {
            "rows": 12_345,
            "measures": {"book_trusted_share": 0.5},
            "findings": [{"check": "crossed", "severity": "fatal", "count": 3, "words": "3 crossed books"}],
        }
    },
}


def test_the_certificate_reads_as_verdict_datasets_and_findings() -> None:
    result = market_maker_run(steps=600)
    first = result.instruments[0]
    seen = replace(first, replay=replace(first.replay, certificate=CERTIFICATE))
    result = replace(result, instruments=(seen, *result.instruments[1:]))
    page = tear_sheet(result, statistics(result))
    for words in (
        "Trusted<small>book: crossed</small>",
        "Book, records<small>trusted 50.00 % of the time</small>",
    ):
        assert words in page
    assert "Book: crossed<small>3 crossed books</small></th><td>fatal</td>" in page
    assert "Ts min" not in page


def test_orders_that_join_equal_queues_are_one_group() -> None:
    ahead = np.array([0.0] * 100 + [5.0] * 40)
    filled = np.array([1.0] * 50 + [0.0] * 90)
    panel = fill_probability_panel(
        replace(order_flow(market_maker_run(steps=600).orders), queue_ahead=ahead, queue_filled=filled)
    )
    (trace,) = panel.traces
    assert trace["y"] == [50.0, 0.0]
    assert panel.layout["xaxis"]["ticktext"] == ["0", "5"]
