"""Requests of the pages: place, ring, accept, chat, hang up, resume."""

from __future__ import annotations

import pytest

from tests.domain.call.simulated_call import AGENTS, connected_call, placed_call, transferred_call
from visavis.domain.call import CallState, inputs, notices
from visavis.domain.call.model import VISITOR
from visavis.domain.call.pages import MAX_LINES
from visavis.domain.errors import ErrorKind, VisavisError


def test_a_join_link_admits_one_visitor() -> None:
    site = placed_call(is_joined_later=True)
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.VisitorJoined("other"), site.now)
    assert caught.value.kind is ErrorKind.CallNotPossible


def test_a_call_of_a_join_link_is_for_its_agent_alone() -> None:
    site = placed_call(is_joined_later=True)
    site.call.reserved_for = AGENTS[1]
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.AcceptRequested("a2", AGENTS[2], "video"), site.now)
    assert caught.value.kind is ErrorKind.PermissionDenied
    site.handle(inputs.AcceptRequested("a1", AGENTS[1], "video", is_assigned=True))
    assert site.state() is CallState.ACCEPTED


def test_only_a_ringing_call_can_be_accepted() -> None:
    site = placed_call()
    with pytest.raises(VisavisError):
        site.call.handle(inputs.AcceptRequested("a1", AGENTS[1], "video"), site.now)


def test_a_place_is_told_when_it_changes() -> None:
    site = placed_call()
    site.handle(inputs.PlaceChanged(3))  # it is not queued
    site.handle(inputs.QueueRequested(2))
    site.handle(inputs.QueueRequested(2))
    site.handle(inputs.PlaceChanged(2))
    site.handle(inputs.PlaceChanged(1))
    places = [s.notice.place for s in site.sent if isinstance(s.notice, notices.QueuedNotice)]
    assert places == [2, 1]


def test_a_declined_call_rings_on_for_the_others() -> None:
    site = placed_call()
    site.ring(3)
    site.decline(0)
    assert list(site.call.ringing_at) == ["a2"]


def test_lines_are_written_once_and_only_in_a_call_that_was_taken() -> None:
    waiting = placed_call()
    with pytest.raises(VisavisError):
        waiting.call.handle(inputs.LineWritten(VISITOR, "hello", "1"), waiting.now)
    site = connected_call()
    for _ in range(2):
        site.handle(inputs.LineWritten(VISITOR, "hello", "1"))
    assert site.call.chat.count == 1
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.LineWritten(VISITOR, "", "2"), site.now)
    assert caught.value.kind is ErrorKind.ParameterInvalid
    site.call.chat.count = MAX_LINES
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.LineWritten(VISITOR, "more", "2"), site.now)
    assert caught.value.kind is ErrorKind.TooManyRequests


@pytest.mark.parametrize("leaves", ["first", "second", "visitor"])
def test_hanging_up_while_the_second_agent_is_being_connected(leaves: str) -> None:
    site = transferred_call()
    first, second = site.call.agent, site.call.transfer and site.call.transfer.participant
    assert first
    assert second
    site.handle(inputs.HungUp({"first": first, "second": second, "visitor": VISITOR}[leaves]))
    assert site.call.is_over == (leaves == "visitor")
    assert (site.call.transfer is None) == (leaves != "first")


def test_a_visitor_who_is_gone_is_not_rung_for() -> None:
    site = placed_call()
    site.ring(3)
    site.handle(inputs.PageDisconnected(VISITOR))
    assert site.call.ringing_at == {}
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=True))
    assert site.call.record.visitor.id == "v2"


def test_the_second_agent_who_is_gone_does_not_get_the_call() -> None:
    site = transferred_call()
    second = site.call.transfer and site.call.transfer.participant
    assert second
    site.handle(inputs.PageDisconnected(second))
    assert site.call.transfer is None


@pytest.mark.parametrize("has_media", [True, False])
def test_an_agent_s_page_that_comes_back_is_brought_up_to_date(has_media: bool) -> None:
    site = connected_call(is_recorded=True)
    agent = site.call.agent
    assert agent
    site.handle(inputs.LineWritten(VISITOR, "hello", "1"))
    before = len(site.sent)
    site.handle(inputs.PageResumed(agent, "a9", has_media=has_media))
    told = [type(s.notice) for s in site.sent[before:] if s.socket_id == "a9"]
    assert told[:4] == [
        notices.AssignedNotice,
        notices.StateNotice,
        notices.RecordingNotice,
        notices.TranscriptNotice,
    ]
    assert (site.state() is CallState.CONNECTED) == has_media


def test_a_queued_visitor_who_comes_back_hears_the_place() -> None:
    site = placed_call()
    site.handle(inputs.QueueRequested(4))
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=False))
    assert isinstance(site.last_notice(), notices.QueuedNotice)
