"""Transfer of a call to another agent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.domain.call.simulated_call import (
    AGENTS,
    SimulatedCall,
    connected_call,
    transferred_call,
)
from visavis.domain.call import CallState, inputs, notices
from visavis.domain.call.step import Step
from visavis.domain.call.transfers import complete_transfer, time_out
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import VISITOR_LEG


def test_the_call_moves_once_media_flow() -> None:
    site = transferred_call()
    while site.call.transfer:
        site.advance(1)
    agent = site.call.current_agent
    assert agent
    assert agent.agent_id == 2
    assert site.call.record.agent == AGENTS[2]
    assert list(site.call.bridges) == [2]
    assert "transferred" in site.events


def test_a_transfer_to_somebody_who_is_away_is_refused_with_the_reason() -> None:
    site = connected_call()
    site.transfer(7)
    assert site.call.transfer is None
    assert site.last_notice() == notices.TransferFailedNotice("away")


@pytest.mark.parametrize("begin", [connected_call, transferred_call])
def test_a_console_that_opens_later_rings_only_for_a_transfer_that_rings(
    begin: Callable[[], SimulatedCall],
) -> None:
    """It may have been accepted or have ended in the meantime."""
    site = begin()
    site.sent.clear()
    site.handle(inputs.TransferRung(("late",)))
    assert site.sent == []


@pytest.mark.parametrize(("number", "error"), [(1, ErrorKind.ParameterInvalid), (2, None)])
def test_a_call_is_transferred_to_another_agent(number: int, error: ErrorKind | None) -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    request = inputs.TransferRequested(agent, number, ("b",), "note")
    if error:
        with pytest.raises(VisavisError) as caught:
            site.call.handle(request, site.now)
        assert caught.value.kind is error
        return
    site.handle(request)
    with pytest.raises(VisavisError):
        site.call.handle(request, site.now)  # one transfer at a time
    with pytest.raises(VisavisError):
        site.call.handle(inputs.TransferAccepted("elsewhere", AGENTS[2]), site.now)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_transfer_that_takes_too_long_leaves_the_call_with_the_first_agent(
    is_accepted: bool,
) -> None:
    site = transferred_call() if is_accepted else connected_call()
    if not is_accepted:
        site.transfer(1)
    del site.timers["transfer"]
    site.handle(inputs.TimerFired("transfer"))
    reason = "failed" if is_accepted else "missed"
    assert site.last_notice() == notices.TransferFailedNotice(reason)
    assert site.state() is CallState.CONNECTED


def test_without_a_transfer_there_is_nothing_to_end() -> None:
    site = connected_call()
    step = Step(site.call, site.now)
    time_out(step)
    complete_transfer(step)
    assert step.effects == []


def test_a_bridge_that_was_lost_meanwhile_is_replaced_when_the_transfer_fails() -> None:
    site = transferred_call()
    site.handle(inputs.LegLost(site.call.bridges[1].id, VISITOR_LEG))
    assert site.state() is CallState.RECONNECTING
    site.handle(inputs.TransferStopped("away"))
    assert notices.ConnectNotice(3) in [send.notice for send in site.sent]


def test_the_first_agent_may_leave_before_the_second_is_connected() -> None:
    site = transferred_call()
    first = site.call.agent
    assert first
    site.handle(inputs.HungUp(first))
    site.handle(inputs.TransferStopped("failed"))
    assert site.call.record.reason == "hungUp"


def test_the_first_agents_page_that_resumes_is_told_of_the_transfer() -> None:
    site = connected_call()
    told = []
    site.transfer(1)
    for socket_id in ("during the transfer", "after it"):
        site.handle(inputs.PageResumed(site.call.agent or 0, socket_id, has_media=True))
        told += [n.transferring_to for n in _assigned(site)]
        site.sent.clear()
        site.handle(inputs.TransferStopped("away"))
    assert told == [2, 0]


def test_the_second_agents_page_that_resumes_is_told_of_no_transfer() -> None:
    site = transferred_call()
    second = site.call.second_agent
    assert second
    site.handle(inputs.PageResumed(second.id, "again", has_media=True))
    assert [notice.transferring_to for notice in _assigned(site)] == [0]


def _assigned(site: SimulatedCall) -> list[notices.AssignedNotice]:
    sent = [send.notice for send in site.sent]
    return [notice for notice in sent if isinstance(notice, notices.AssignedNotice)]
