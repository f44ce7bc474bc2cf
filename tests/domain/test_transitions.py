"""The life of an order: the table against the rules it has to obey, and against random lives."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headwater.domain.order import OrderStatus
from headwater.domain.transitions import (
    FINAL_STATUSES,
    NO_TRANSITION,
    TRANSITIONS,
    IllegalTransitionError,
    OrderEvent,
    as_markdown,
    as_mermaid,
    next_status,
    transition_array,
)

REFUSALS = {OrderEvent.AMEND_REFUSED, OrderEvent.CANCEL_REFUSED}
FILLS = {OrderEvent.PARTIAL_FILL, OrderEvent.FILL}
RESTING = {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}


def test_every_status_has_a_row() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)


def test_every_status_can_be_reached() -> None:
    reached, frontier = {OrderStatus.NONE}, [OrderStatus.NONE]
    while frontier:
        for after in TRANSITIONS[frontier.pop()].values():
            if after not in reached:
                reached.add(after)
                frontier.append(after)
    assert reached == set(OrderStatus)


def test_every_event_happens_to_some_status() -> None:
    assert {event for row in TRANSITIONS.values() for event in row} == set(OrderEvent)


@pytest.mark.parametrize("status", FINAL_STATUSES)
def test_what_is_final_stays(status: OrderStatus) -> None:
    assert set(TRANSITIONS[status].values()) == {status}
    assert not FILLS & set(TRANSITIONS[status])


@pytest.mark.parametrize("status", set(OrderStatus) - FINAL_STATUSES - {OrderStatus.NONE})
def test_what_lives_can_end_and_its_refusals_change_nothing(status: OrderStatus) -> None:
    assert set(TRANSITIONS[status].values()) & FINAL_STATUSES
    assert {next_status(status, event) for event in REFUSALS} == {status}


@pytest.mark.parametrize("status", RESTING)
def test_a_cancel_may_lose_its_race_to_a_fill(status: OrderStatus) -> None:
    filled = next_status(status, OrderEvent.FILL)
    assert next_status(filled, OrderEvent.CANCEL_REFUSED) is OrderStatus.FILLED


def test_an_untriggered_order_does_not_fill() -> None:
    assert not FILLS & set(TRANSITIONS[OrderStatus.UNTRIGGERED])


def test_an_impossible_transition_names_what_is_possible() -> None:
    with pytest.raises(IllegalTransitionError, match=r"order that is NONE cannot FILL; possible: SUBMIT"):
        next_status(OrderStatus.NONE, OrderEvent.FILL)


def test_the_array_says_what_the_table_says() -> None:
    array = transition_array()
    for status in OrderStatus:
        for event in OrderEvent:
            assert array[status, event] == TRANSITIONS[status].get(event, NO_TRANSITION)


def test_the_drawings_show_every_transition() -> None:
    markdown, mermaid = as_markdown(), as_mermaid()
    assert len(markdown.splitlines()) == 2 + len(OrderStatus)
    assert markdown.count("|") == (2 + len(OrderStatus)) * (len(OrderEvent) + 2)
    for status, row in TRANSITIONS.items():
        for event, after in row.items():
            line = f"{status.name} --> {after.name}: {event.name.lower()}"
            assert (line in mermaid) == (after is not status)


class OrderLife(RuleBasedStateMachine):
    """Random events, taken where they are possible: what was filled stays filled, what ended stays ended."""

    def __init__(self) -> None:
        super().__init__()
        self.status = OrderStatus.NONE
        self.has_filled = False
        self.was_final: OrderStatus | None = None

    @rule(event=st.sampled_from(OrderEvent))
    def hear(self, event: OrderEvent) -> None:
        if event not in TRANSITIONS[self.status]:
            with pytest.raises(IllegalTransitionError):
                next_status(self.status, event)
            return
        self.status = next_status(self.status, event)
        self.has_filled |= event in FILLS
        if self.was_final is None and self.status in FINAL_STATUSES:
            self.was_final = self.status

    @invariant()
    def an_ended_order_never_changes(self) -> None:
        assert self.was_final is None or self.status is self.was_final

    @invariant()
    def a_filled_order_is_never_new_or_rejected_again(self) -> None:
        unfilled = (OrderStatus.PENDING_NEW, OrderStatus.NEW, OrderStatus.UNTRIGGERED, OrderStatus.REJECTED)
        assert not (self.has_filled and self.status in unfilled)


TestOrderLife = OrderLife.TestCase
