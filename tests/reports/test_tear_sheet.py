"""The tear sheet is one safe file that needs no network and says what it does not know."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from headwater.backtest.result import BacktestResult
from headwater.reports.panel import packed
from headwater.reports.statistics import statistics
from headwater.reports.tear_sheet import INSTRUMENTS_MAX, tear_sheet
from tests.reports.random_runs import runs
from tests.reports.synthetic_run import (
    MANIFEST,
    START_TS,
    Books,
    bars_run,
    instrument,
    market_maker_run,
    result_of,
)

BYTES_MAX = 6_000_000


def page_of(result: BacktestResult) -> str:
    return tear_sheet(result, statistics(result))


def charts_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def visible(page: str) -> str:
    """The body without scripts."""
    return re.sub(r"<script.*", "", page.split("<body>")[1], flags=re.S)


class _Balance(HTMLParser):
    """Fails on an element that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _: Any) -> None:
        self.open.append(tag)

    def handle_startendtag(self, _: str, __: Any) -> None:
        """An element that closes itself is balanced."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(market_maker_run())


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    own = page.split("<script>")[0]
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", own)
    assert "@import" not in own
    assert "<script src" not in page


def test_every_element_is_closed(page: str) -> None:
    balance = _Balance()
    balance.feed(visible(page))
    assert balance.open == []


def test_the_page_is_small_enough_to_send(page: str) -> None:
    assert len(page.encode()) < BYTES_MAX
    assert len(page_of(bars_run(bars=200_000, trips=9_000)).encode()) < BYTES_MAX


def test_what_was_not_modelled_stands_before_the_first_chart(page: str) -> None:
    assert page.index("No mark price in the data") < page.index("id='chart-0'")


def test_the_page_holds_every_part_of_the_report(page: str) -> None:
    text = visible(page)
    for heading in (
        "Equity", "Drawdown", "Where the profit came from", "Mark-outs", "Months", "Price and fills",
        "Position", "Exposure", "Order rate", "What became of the orders", "Queue position",
        "Fills by queue position", "Order latency", "All figures", "Data", "Run",
    ):  # fmt: skip
        assert heading in text
    assert "bookTicker and depth arrive on two connections" in text
    assert "9f31c2a76be04d18" in text


def test_charts_use_colour_roles_and_share_the_time_axis(page: str) -> None:
    charts = charts_of(page)
    timed = [chart for chart in charts if chart["timed"]]
    assert len({tuple(chart["layout"]["xaxis"]["range"]) for chart in timed}) == 1
    colours = re.findall(r'"(?:color|fillcolor)":\s*"([^"]+)"', json.dumps(charts))
    assert colours
    assert all(re.fullmatch(r"@[a-z]+(/[\d.]+)?", colour) for colour in colours)


def test_two_equal_runs_give_the_same_page_whatever_the_machine() -> None:
    first, second = market_maker_run(steps=300), market_maker_run(steps=300)
    second.manifest["timing"] = {"run_seconds": 99.0}
    assert page_of(first) == page_of(second)


def test_names_cannot_break_out_of_the_page() -> None:
    evil = "</script><script>alert(1)</script>"
    book = Books(instrument(evil))
    book.fill(START_TS, 1, 1_000, 1, bid=999, ask=1_001)
    book.sample(START_TS + 10, 999, 1_001)
    page = page_of(
        result_of([book], manifest={"strategy": evil, "{{plotly}}": "{{style}}"}, not_modelled=[evil])
    )
    assert evil not in page


def test_an_empty_run_gives_a_page_that_says_so() -> None:
    text = visible(page_of(result_of([Books(instrument())])))
    assert "not enough data: 0 sampling instants" in text
    assert "no request was sent" in text
    assert "Nothing was left out." in text


def test_an_interrupted_run_says_so() -> None:
    book = Books(instrument())
    assert "Interrupted" in visible(page_of(result_of([book], complete=False)))


def test_only_the_busiest_of_many_instruments_are_drawn() -> None:
    books = [Books(instrument(f"COIN{row}USDT.BINANCE"), number=row) for row in range(INSTRUMENTS_MAX + 2)]
    for row, book in enumerate(books):
        for _ in range(row):
            book.fill(START_TS + row, 1, 1_000, 1, bid=999, ask=1_001)
        book.sample(START_TS + 100, 999, 1_001)
    text = visible(page_of(result_of(books)))
    assert "Price and fills, COIN7USDT.BINANCE" in text
    assert "Price and fills, COIN1USDT.BINANCE" not in text
    assert f"The {INSTRUMENTS_MAX} instruments with the most fills are drawn." in text


def test_fills_left_out_of_the_picture_are_counted() -> None:
    text = visible(page_of(bars_run(bars=60_000, trips=5_000)))
    assert re.search(r"[\d,]+ of 10,000 fills are not drawn", text)


def test_a_constant_latency_still_draws() -> None:
    result = market_maker_run(steps=300)
    result.latencies["entry_ns"] = result.latencies["response_ns"] = 10_000_000
    assert "p50 10 ms" in visible(page_of(result))
    result.latencies["entry_ns"] = result.latencies["response_ns"] = 0
    assert "latency is zero throughout" in visible(page_of(result))


def test_the_manifest_is_shown_however_it_is_nested() -> None:
    manifest = {**MANIFEST, "data": [{"file": "a.gz", "rows": 1200}], "models": {"fees": {"maker": 0.0002}}}
    text = visible(page_of(result_of([Books(instrument())], manifest=manifest)))
    assert "Models: Fees: Maker" in text
    assert "1,200" in text


def test_packed_arrays_carry_their_type_and_bytes() -> None:
    found = packed(np.array([1.5, -2.0]))
    assert found["dtype"] == "f8"
    assert np.frombuffer(base64.b64decode(found["bdata"]), "<f8").tolist() == [1.5, -2.0]


@settings(max_examples=10)  # a page is 5 MB: the figures behind it are tried at full count elsewhere
@given(runs(max_steps=12))
def test_any_run_gives_a_page(result: BacktestResult) -> None:
    charts_of(page_of(result))
