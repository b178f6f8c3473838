"""Negotiation: offers and answers of a bridge, and the media that they agree on."""

from __future__ import annotations

import pytest

from tests.domain.call.simulated_call import AGENTS, connected_call, description, placed_call
from visavis.domain.call import CallState, commands, inputs, notices
from visavis.domain.call.effects import Send
from visavis.domain.call.model import VISITOR, BridgeLeg, Participant
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import VISITOR_LEG, CallRole


def test_an_answer_waits_for_the_journal_of_a_recorded_call() -> None:
    site = placed_call(is_recorded=True)
    site.ring(3)
    site.complete(0)
    site.accept(0)
    journal = site.commands.pop()
    assert isinstance(journal, commands.StartJournal)
    site.handle(inputs.CommandFailed(journal, ErrorKind.MediaUnavailable, "starting"))
    agent = site.call.agent
    assert agent
    site.handle(inputs.AnswerReceived(agent, 1, description(1)))
    assert site.state() is CallState.ACCEPTED
    assert not [c for c in site.commands if isinstance(c, commands.JoinLegs)]
    del site.timers["build"]
    site.handle(inputs.TimerFired("build"))
    site.complete(0)
    assert isinstance(site.call.command, commands.JoinLegs)
    assert site.state() is CallState.CONNECTING


def test_an_answer_before_the_offer_is_refused() -> None:
    site = placed_call()
    site.ring(3)
    site.complete(0)
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.AnswerReceived(VISITOR, 1, description()), site.now)
    assert caught.value.kind is ErrorKind.CallNotPossible


def test_an_offer_of_an_unknown_bridge_is_refused() -> None:
    site = connected_call()
    with pytest.raises(VisavisError):
        site.call.handle(inputs.OfferReceived(VISITOR, 7, description()), site.now)
    with pytest.raises(VisavisError):
        site.call.handle(inputs.OfferReceived(7, 1, description()), site.now)


def test_a_renegotiation_with_new_credentials_tells_our_end_first() -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    site.handle(inputs.OfferReceived(VISITOR, 1, description(2)))
    site.handle(inputs.AnswerReceived(agent, 1, description(1)))
    remote = site.call.command
    assert isinstance(remote, commands.SetRemoteEnd)
    assert remote.leg == VISITOR_LEG
    site.complete(0)
    assert isinstance(site.last_notice(), notices.AnswerNotice)
    assert site.commands == []  # the answer has changed nothing that a worker must know


def test_a_renegotiation_of_a_bridge_that_is_lost_meanwhile_is_let_go() -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    site.handle(inputs.OfferReceived(VISITOR, 1, description(2)))
    site.handle(inputs.AnswerReceived(agent, 1, description(1)))
    site.handle(inputs.WorkerLost(frozenset({site.call.bridges[1].id})))
    site.complete(0)
    assert isinstance(site.commands[-1], commands.CloseBridge)


@pytest.mark.parametrize("is_joining", [True, False])
def test_a_visitor_who_has_missed_the_answer_gets_it_when_they_resume(*, is_joining: bool) -> None:
    site = placed_call()
    site.ring(3)
    site.accept(0)
    site.complete(0)
    site.handle(inputs.PageDisconnected(VISITOR))
    site.answer_as_agent()
    if not is_joining:
        site.finish_commands()
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=True))
    answers = [one for one in site.sent if isinstance(one.notice, notices.AnswerNotice)]
    assert [one.socket_id for one in answers] == ["v2"]
    assert [one.notice.is_repeated for one in answers] == [True]  # type: ignore[union-attr]


def test_no_answer_is_repeated_before_there_is_one() -> None:
    site = placed_call()
    site.ring(3)
    site.accept(0)
    site.complete(0)
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=True))
    assert not any(isinstance(one.notice, notices.AnswerNotice) for one in site.sent)


def test_a_refused_renegotiation_is_told_to_the_page() -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    site.handle(inputs.OfferReceived(VISITOR, 1, description(2)))
    site.handle(inputs.AnswerReceived(agent, 1, description(1)))
    site.handle(
        inputs.CommandFailed(site.commands.pop(), ErrorKind.ParameterInvalid, "certificate")
    )
    refusal = notices.RefusalNotice(
        ErrorKind.ParameterInvalid, "ParameterInvalid", "certificate", {}
    )
    assert (site.sent[-1].socket_id, site.last_notice()) == ("a1", refusal)
    assert AGENTS[1].name == "Bo"


def test_a_shared_screen_is_an_event_of_the_call() -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    for number in (3, 6):
        site.handle(inputs.OfferReceived(VISITOR, 1, description(number)))
        site.handle(inputs.AnswerReceived(agent, 1, description(1)))
        site.finish_commands()
    assert site.events[-2:] == ["shareStarted", "shareStopped"]


def test_an_offer_of_one_of_three_goes_to_both_others_and_either_may_answer() -> None:
    """The engine does not limit a bridge to two participants; only the pages do."""
    site = connected_call(is_recorded=True)
    agent, bridge = site.call.agent, site.call.bridges[1]
    assert agent
    third = Participant(agent + 1, CallRole.AGENT, "third", AGENTS[2])
    site.call.participants[third.id] = third
    bridge.legs[3] = BridgeLeg(CallRole.AGENT, third.id)
    bridge.transports[3] = bridge.transports[VISITOR_LEG]
    bridge.up.add(3)
    sockets = {site.call.participants[number].socket_id for number in (agent, third.id)}
    effects = site.call.handle(inputs.OfferReceived(VISITOR, 1, description(1)), site.now)
    assert {e.socket_id for e in effects if isinstance(e, Send)} == sockets
    site.call.handle(inputs.AnswerReceived(third.id, 1, description(2)), site.now)
    remote = site.call.command
    assert isinstance(remote, commands.SetRemoteEnd)
    assert (remote.leg, remote.answered) == (VISITOR_LEG, 3)
    site.call.handle(inputs.CommandDone(remote, {}), site.now)
    join = site.call.command
    assert isinstance(join, commands.JoinLegs)
    assert join.leg == 3
    assert join.note
    assert [(leg["leg"], leg["participant"], leg["name"]) for leg in join.note["legs"]] == [
        (1, VISITOR, site.call.record.visitor.name),
        (2, agent, site.call.participants[agent].agent_name),
        (3, third.id, AGENTS[2].name),
    ]
    site.call.handle(inputs.CommandDone(join, {}), site.now)
    site.call.handle(inputs.LegMeasured(bridge.id, 3, {"mos": 4}), site.now)
    assert site.call.record.quality["leg 3"] == {"mos": 4}
