"""Certificates: every defect is named, what is real is not called one, and the verdict follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from headwater.domain.event import NO_PRICE, EventFlag, EventKind, Events
from headwater.ports.importer import Findings
from headwater.tape.certificate import Certificate, Severity
from headwater.tape.certify import Certifier, certify
from headwater.tape.dataset import SourceInfo
from tests.tape.events import NOON, bar, dataset, delta, gap, message, snapshot, source, tape, trade

MINUTE = 60 * 10**9
SECOND = 10**9
HOUR = 3_600 * SECOND


def found(certificate: Certificate, severity: Severity | None = None) -> set[str]:
    return {one.check for one in certificate.findings if severity in (None, one.severity)}


def words(certificate: Certificate, check: str) -> str:
    return next(one.words for one in certificate.findings if one.check == check)


def failed(events: Events, group: str, *sources: SourceInfo) -> set[str]:
    certificate = certify(events, dataset(group, *(sources or (source(groups=(group,)),))))
    assert certificate.trusted == (not found(certificate, Severity.FAIL))
    return found(certificate, Severity.FAIL)


class TestBook:
    def healthy(self) -> list[Events]:
        messages = [snapshot(NOON, [(99, 5), (98, 1)], [(101, 4)])]
        return messages + [delta(NOON + i * SECOND, (1, 98, 1 + i % 3)) for i in range(1, 300)]

    def test_a_healthy_book_is_trusted(self) -> None:
        certificate = certify(tape(*self.healthy()), dataset("book", source()))
        assert certificate.trusted
        assert certificate.measures["book_trusted_share"] == 1.0
        assert certificate.rows == 303
        assert certificate.reasons == []

    def test_a_crossed_book_is_judged_at_the_end_of_a_message_alone(self) -> None:
        messages = self.healthy()
        messages[10] = delta(NOON + 10 * SECOND, (1, 101, 2), (-1, 101, 0), (-1, 102, 2))
        assert failed(tape(*messages), "book") == set()
        messages[10] = delta(NOON + 10 * SECOND, (1, 102, 2))
        certificate = certify(tape(*messages), dataset("book", source()))
        assert found(certificate, Severity.FAIL) == {"crossed book"}
        assert "first at 2024-08-08 12:00:10" in words(certificate, "crossed book")

    def test_a_locked_book_is_a_warning(self) -> None:
        messages = self.healthy()
        messages[10] = delta(NOON + 10 * SECOND, (1, 101, 2))
        certificate = certify(tape(*messages), dataset("book", source()))
        assert certificate.trusted
        assert "locked book" in found(certificate, Severity.WARN)

    def test_a_gap_fails_and_costs_trust_until_the_next_snapshot(self) -> None:
        messages = self.healthy()
        messages[100] = gap(NOON + 100 * SECOND, 7)
        messages[200] = snapshot(NOON + 200 * SECOND, [(99, 1)], [(101, 1)])
        certificate = certify(tape(*messages), dataset("book", source()))
        assert found(certificate, Severity.FAIL) == {"sequence gaps", "trusted share"}
        assert "7 messages lost" in words(certificate, "sequence gaps")
        assert certificate.measures["book_trusted_share"] == pytest.approx(199 / 299, abs=1e-6)

    def test_nothing_is_crossed_while_nothing_is_trusted(self) -> None:
        events = tape(gap(NOON, 0), delta(NOON + 1, (1, 105, 1), (-1, 100, 1)))
        assert "crossed book" not in failed(events, "book")

    def test_a_book_without_a_snapshot_is_not_trusted(self) -> None:
        certificate = certify(tape(*self.healthy()[1:]), dataset("book", source()))
        assert "there is no snapshot to start from" in words(certificate, "trusted share")

    def test_impossible_levels_fail(self) -> None:
        for level in ((1, 0, 5), (1, -3, 5), (1, 98, -1)):
            assert failed(tape(*self.healthy(), delta(NOON + 301 * SECOND, level)), "book") == {
                "impossible levels"
            }

    def test_a_repeated_message_is_named(self) -> None:
        messages = self.healthy()
        messages.insert(50, messages[50])
        certificate = certify(tape(*messages), dataset("book", source()))
        assert "duplicates" in found(certificate, Severity.WARN)

    def test_a_silence_is_judged_by_the_stream_itself(self) -> None:
        messages = self.healthy()
        late = [replace_time(one, HOUR) for one in messages[1:]]
        certificate = certify(tape(*messages, *late), dataset("book", source()))
        assert "the longest 55 min" in words(certificate, "gaps in time")
        slow = [delta(NOON + i * HOUR, (1, 98, 1)) for i in range(1, 300)]
        certificate = certify(tape(messages[0], *slow), dataset("book", source()))
        assert "gaps in time" not in found(certificate)

    def test_a_throttled_stream_is_certified_as_such(self) -> None:
        messages = [snapshot(NOON, [(99, 5)], [(101, 4)])]
        messages += [delta(NOON + i * 100_000_000, (1, 98, i % 3)) for i in range(1, 300)]
        certificate = certify(tape(*messages), dataset("book", source()))
        assert certificate.trusted
        assert "about 99.1 ms after the one before" in words(certificate, "conflation")

    def test_a_receive_clock_that_steps_back_is_named_and_far_back_fails(self) -> None:
        messages = self.healthy()
        messages[7], messages[8] = messages[8], messages[7]
        certificate = certify(tape(*messages), dataset("book", source()))
        assert "by up to 1 s at 2024-08-08 12:00:07" in words(certificate, "backward clock")
        assert certificate.trusted
        messages[7], messages[12] = messages[12], messages[7]
        assert "backward clock" in failed(tape(*messages), "book")


def replace_time(events: Events, later_ns: int) -> Events:
    moved = events.copy()
    moved["ts_local"] += later_ns
    moved["ts_venue"] += later_ns
    return moved


class TestTrades:
    def prints(self, prices: Iterable[int]) -> Events:
        return tape(*(trade(NOON + i * SECOND, price) for i, price in enumerate(prices)))

    def test_a_market_that_moves_is_trusted(self) -> None:
        assert failed(self.prints([100, 101, 102, 101, 103] * 30), "trades") == set()

    def test_a_wrong_number_between_two_right_ones_fails(self) -> None:
        for wrong in (1_000, 10, 200):
            prices = [100, 101, 100, wrong, 101, 100]
            assert failed(self.prints(prices), "trades") == {"absurd prices"}

    def test_a_halving_that_the_market_follows_is_a_note(self) -> None:
        rng = np.random.default_rng(1)
        walk = 10_000 + np.cumsum(rng.integers(-2, 3, 200))
        prices = [*walk.tolist(), *(walk // 2).tolist()]
        certificate = certify(self.prints(prices), dataset("trades", source()))
        assert certificate.trusted
        assert "robust z" in words(certificate, "price jumps")

    def test_prices_and_sizes_of_zero_or_less_fail(self) -> None:
        for price, size in ((0, 1), (-5, 1), (100, 0), (100, -1)):
            events = tape(self.prints([100, 101]), trade(NOON + 9 * SECOND, price, size))
            assert failed(events, "trades") == {"impossible trades"}

    def test_twins_are_a_note_because_one_order_may_meet_several(self) -> None:
        certificate = certify(tape(trade(NOON, 100), trade(NOON, 100)), dataset("trades", source()))
        assert found(certificate, Severity.NOTE) == {"twin trades"}

    def test_benford_is_information_alone(self) -> None:
        rng = np.random.default_rng(3)
        sizes = np.exp(rng.normal(6, 3, 5_000)).astype(np.int64) + 1
        events = tape(*(trade(NOON + i, 100, int(size)) for i, size in enumerate(sizes)))
        assert certify(events, dataset("trades", source())).measures["benford_conformity"] == "close"
        events["size"] = 7
        certificate = certify(events, dataset("trades", source()))
        assert certificate.trusted
        assert certificate.measures["benford_conformity"] == "none"


class TestQuotes:
    def quote(self, ts: int, bid: int, ask: int, size: int = 1) -> Events:
        return message(ts, (EventKind.QUOTE, 1, bid, size), (EventKind.QUOTE, -1, ask, size))

    def test_quotes_are_judged_at_the_end_of_their_message(self) -> None:
        events = tape(self.quote(NOON, 99, 101), self.quote(NOON + 1, 102, 103))
        assert failed(events, "quotes") == set()

    def test_crossed_and_impossible_quotes_fail(self) -> None:
        assert failed(self.quote(NOON, 103, 101), "quotes") == {"crossed quotes"}
        assert failed(self.quote(NOON, -1, 101), "quotes") == {"impossible quotes"}

    def test_an_empty_side_crosses_nothing(self) -> None:
        assert failed(self.quote(NOON, 103, NO_PRICE), "quotes") == set()


class TestBars:
    def year(self) -> list[Events]:
        prices = [(100, 103, 99, 101), (101, 104, 100, 102), (102, 103, 98, 100)] * 40
        return [bar(NOON + i * MINUTE, MINUTE, four) for i, four in enumerate(prices)]

    def test_whole_bars_are_trusted(self) -> None:
        certificate = certify(tape(*self.year()), dataset("bars-1m", source()))
        assert certificate.findings == ()
        assert certificate.measures == {"bars": 120, "bar_length_s": 60.0}

    def test_a_missing_bar_fails_unless_the_importer_explains_it(self) -> None:
        bars = self.year()
        del bars[20:23]
        unexplained = replace(source(), importer="")
        certificate = certify(tape(*bars), dataset("bars-1m", unexplained))
        assert found(certificate, Severity.FAIL) == {"missing bars"}
        assert "3 bars are absent in 1 holes, the longest 3 min from 2024-08-08 12:20:00" in words(
            certificate, "missing bars"
        )
        assert certify(tape(*bars), dataset("bars-1m", source())).trusted
        proven = source(findings=Findings(sequence_gaps=1, lost_messages=3))
        assert failed(tape(*bars), "bars-1m", proven) == {"missing bars"}

    def test_nobody_explains_a_hole_between_two_files(self) -> None:
        bars = self.year()
        del bars[20:23]
        assert failed(tape(*bars), "bars-1m", source("a"), source("b")) == {"missing bars"}

    def test_repeated_and_swapped_bars_fail(self) -> None:
        bars = self.year()
        assert "duplicates" in failed(tape(*bars[:50], bars[49], *bars[50:]), "bars-1m")
        bars[7], bars[8] = bars[8], bars[7]
        assert "overlapping bars" in failed(tape(*bars), "bars-1m")

    def test_bars_that_change_their_phase_fail_and_shifted_ones_are_a_warning(self) -> None:
        bars = self.year()
        moved = [replace_time(one, 7 * SECOND) for one in bars]
        assert "bar phase" in failed(tape(*bars[:60], *moved[60:]), "bars-1m")
        certificate = certify(tape(*moved), dataset("bars-1m", source()))
        assert found(certificate, Severity.WARN) == {"bar phase"}

    @pytest.mark.parametrize(
        ("prices", "volume", "what"),
        [
            ((100, 99, 98, 99), 1, "a high below open, close or low"),
            ((100, 103, 101, 102), 1, "a low above open or close"),
            ((0, 103, 0, 102), 1, "a price of zero or less"),
            ((100, 103, 99, 101), -1, "a negative volume"),
        ],
    )
    def test_impossible_bars_fail(self, prices: tuple[int, int, int, int], volume: int, what: str) -> None:
        bars = self.year()
        bars[5] = bar(NOON + 5 * MINUTE, MINUTE, prices, volume)
        certificate = certify(tape(*bars), dataset("bars-1m", source()))
        assert what in words(certificate, "impossible bars")
        assert not certificate.trusted

    def test_a_bar_far_off_both_neighbours_fails(self) -> None:
        for factor in (10, 2):
            bars = self.year()
            bars[5] = bar(NOON + 5 * MINUTE, MINUTE, tuple(v * factor for v in (100, 103, 99, 101)))  # type: ignore[arg-type]
            assert failed(tape(*bars), "bars-1m") == {"absurd prices"}

    def test_a_crash_and_its_recovery_are_a_note(self) -> None:
        # XRP on Bitfinex, 2018-04-25 10:30: -39 % and +62 % within two bars, a real print.
        bars = self.year()
        bars[5] = bar(NOON + 5 * MINUTE, MINUTE, (101, 101, 60, 61))
        bars[6] = bar(NOON + 6 * MINUTE, MINUTE, (61, 102, 61, 101))
        certificate = certify(tape(*bars), dataset("bars-1m", source()))
        assert certificate.trusted
        assert "-40.2%" in words(certificate, "price jumps")

    def test_halts_are_a_note(self) -> None:
        bars = self.year()
        for i in (30, 31):
            bars[i] = bar(NOON + i * MINUTE, MINUTE, (100, 100, 100, 100), volume=0)
        certificate = certify(tape(*bars), dataset("bars-1m", source()))
        assert certificate.trusted
        assert "2 from 2024-08-08 12:30:00" in words(certificate, "idle bars")

    def test_opens_that_leave_the_close_before_are_a_note(self) -> None:
        bars = self.year()
        bars[3] = bar(NOON + 3 * MINUTE, MINUTE, (110, 110, 98, 101))
        assert "open against close" in found(
            certify(tape(*bars), dataset("bars-1m", source())), Severity.NOTE
        )


class TestValues:
    def funding(self, hours: Iterable[int], rate: int = 10**8) -> Events:
        return tape(*(message(NOON + h * HOUR, (EventKind.FUNDING, 0, rate, 8 * 3_600)) for h in hours))

    def test_funding_every_eight_hours_is_trusted(self) -> None:
        assert failed(self.funding(range(0, 80, 8)), "funding") == set()

    def test_a_missing_or_repeated_settlement_fails(self) -> None:
        unexplained = replace(source(), importer="")
        assert failed(self.funding([0, 8, 24, 32]), "funding", unexplained) == {"missing settlements"}
        assert failed(self.funding([0, 8, 8, 16]), "funding") == {"duplicates"}

    def test_a_prediction_that_changes_before_its_settlement_is_no_duplicate(self) -> None:
        events = self.funding([0, 8])
        events["ts_venue"] = NOON + 8 * HOUR
        assert failed(events, "funding") == set()

    def test_a_change_of_interval_is_a_note_and_an_absurd_rate_a_warning(self) -> None:
        events = self.funding([0, 8, 12, 16])
        events["size"][2:] = 4 * 3_600
        events["price"][1] = 10**11
        certificate = certify(events, dataset("funding", source()))
        assert certificate.trusted
        assert "changes 1 times, first at 2024-08-09 00:00:00" in words(certificate, "funding interval")
        assert "absurd rates" in found(certificate, Severity.WARN)

    @pytest.mark.parametrize("group", ["mark", "index"])
    def test_fine_prices_of_zero_and_spikes_fail(self, group: str) -> None:
        kind = EventKind.MARK_PRICE if group == "mark" else EventKind.INDEX_PRICE

        def values(*prices: int) -> Events:
            return tape(*(message(NOON + i * SECOND, (kind, 0, p, 0)) for i, p in enumerate(prices)))

        assert failed(values(100, 101, 99), group) == set()
        assert failed(values(100, 0, 99), group) == {"impossible values", "absurd prices"}
        assert failed(values(100, 300, 99), group) == {"absurd prices"}
        assert failed(values(100, 51), group) == set()

    def test_liquidations_and_open_interest_below_zero_fail(self) -> None:
        liquidation = message(NOON, (EventKind.LIQUIDATION, 1, 100, -2))
        assert failed(liquidation, "liquidations") == {"impossible values"}
        interest = message(NOON, (EventKind.OPEN_INTEREST, 0, 0, -2))
        assert failed(interest, "open_interest") == {"impossible values"}

    def test_status_and_metrics_have_times_alone(self) -> None:
        assert failed(message(NOON, (EventKind.STATUS, 0, 0, 2)), "status") == set()
        assert failed(message(NOON, (EventKind.METRIC, 0, -5, 0)), "metric") == set()


class TestImporters:
    def test_lost_messages_count_against_the_book_when_there_is_one(self) -> None:
        lossy = source(findings=Findings(lost_messages=5, sequence_gaps=2), groups=("book", "trades"))
        assert failed(trade(NOON, 100), "trades", lossy) == set()
        assert "sequence gaps" in failed(snapshot(NOON, [(99, 1)], [(101, 1)]), "book", lossy)
        only_trades = source(findings=lossy.findings, groups=("trades",))
        assert failed(trade(NOON, 100), "trades", only_trades) == {"sequence gaps"}

    def test_what_was_mended_is_a_warning_and_what_was_noted_a_note(self) -> None:
        findings = Findings(
            duplicates=3,
            backward_clock=2,
            conflated="depth diffs are pushed every 1000 ms",
            clock="shifted by +1.271 s",
            notes=["rows are newest first: turned round"],
        )
        certificate = certify(trade(NOON, 100), dataset("trades", source(findings=findings)))
        assert certificate.trusted
        assert found(certificate, Severity.WARN) == {"duplicates", "backward clock"}
        assert found(certificate, Severity.NOTE) == {"conflation", "clock", "importer's note"}
        assert "a.csv: clock shifted by +1.271 s" in words(certificate, "clock")

    def test_sources_that_overlap_are_named(self) -> None:
        one = replace(source("a"), ts_min=NOON, ts_max=NOON + HOUR)
        other = replace(source("b"), ts_min=NOON + HOUR // 2, ts_max=NOON + 2 * HOUR)
        assert failed(trade(NOON, 100), "trades", one, other) == {"overlapping sources"}
        behind = replace(other, ts_min=NOON + HOUR)
        assert failed(trade(NOON, 100), "trades", one, behind) == set()


def test_a_dataset_without_events_is_not_trusted() -> None:
    assert failed(tape(), "trades") == {"empty"}
    assert failed(tape(), "book") == {"empty"}
    assert failed(tape(), "bars-1m") == {"empty"}
    assert failed(tape(), "funding") == {"empty"}


def test_copies_for_the_venue_alone_are_not_counted_twice() -> None:
    seen = tape(
        snapshot(NOON, [(99, 5)], [(101, 4)]), delta(NOON + 1, (1, 99, 0)), delta(NOON + 2, (1, 98, 1))
    )
    seen["flags"] |= np.uint8(EventFlag.AT_LOCAL)
    hidden = seen.copy()
    hidden["flags"] ^= np.uint8(EventFlag.AT_LOCAL | EventFlag.AT_VENUE)
    hidden["price"][1:] += 10
    certificate = certify(tape(seen, hidden), dataset("book", source()))
    assert certificate.trusted
    assert certificate.measures["book_messages"] == 3
    assert certificate.rows == 10


def test_chunks_give_the_certificate_of_the_whole() -> None:
    messages = [snapshot(NOON, [(99, 5)], [(101, 4)])]
    messages += [delta(NOON + i * SECOND, (1, 98, i % 3)) for i in range(1, 200)]
    certifier = Certifier(dataset("book", source()))
    for one in messages:
        certifier.update(one)
    assert certifier.certificate() == certify(tape(*messages), dataset("book", source()))


def test_a_certificate_as_plain_data_says_its_verdict() -> None:
    plain = certify(tape(), dataset("trades", source())).to_dict()
    assert plain["trusted"] is False
    assert plain["reasons"] == ["the dataset has no events"]
    assert plain["instrument"] == "BTCUSDT.BINANCE"
