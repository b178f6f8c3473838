"""Negotiation between the browsers of a bridge: offers, answers, and the media they agree on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from visavis.domain.call import notices
from visavis.domain.call.bridges import (
    adapt_journals,
    build,
    drop,
    journal_note,
    needs_journal,
    participant_at,
    relay_offer,
)
from visavis.domain.call.commands import JoinLegs, SetRemoteEnd
from visavis.domain.call.inputs import AnswerReceived, OfferReceived
from visavis.domain.call.model import Bridge, Participant
from visavis.domain.call.recording import follow
from visavis.domain.call.states import BridgeState, BridgeTrigger, CallTrigger, RecordingSwitch
from visavis.domain.call.step import Step
from visavis.domain.call.transfers import complete_transfer
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, CallRole, LocalTransport
from visavis.domain.vocabulary import Party

PARTY: Final[dict[CallRole, Party]] = {CallRole.VISITOR: "visitor", CallRole.AGENT: "agent"}


def receive_offer(step: Step, event: OfferReceived) -> None:
    """Take an offer: the first one of a bridge or a renegotiation. Raises `CallNotPossible`."""
    bridge, leg, _ = _own_bridge(step, event)
    if bridge.is_joined:
        bridge.offered[leg] = event.description
        relay_offer(step, bridge, leg)
    elif leg == VISITOR_LEG and bridge.state is BridgeState.REQUESTED:
        bridge.offered[leg] = event.description
        build(step)
    else:
        raise VisavisError(ErrorKind.CallNotPossible, "Wait for the answer, then offer.")


def receive_answer(step: Step, event: AnswerReceived) -> None:
    """Take an answer; the first one of a bridge joins its legs. Raises `CallNotPossible`."""
    call = step.call
    bridge, leg, participant = _own_bridge(step, event)
    offerer = next((other for other in bridge.others(leg) if other in bridge.offered), None)
    if offerer is None or len(bridge.transports) < len(bridge.legs):
        raise VisavisError(ErrorKind.CallNotPossible, "Wait for the offer, then answer it.")
    if needs_journal(call, bridge):
        call.deferred.append(event)  # no packet is relayed before it can be recorded
        return
    offer = bridge.offered[offerer]
    bridge.offered.clear()  # if both have offered, the polite page has rolled its own offer back
    others = {n: one for n, one in bridge.described.items() if n not in (offerer, leg)}
    bridge.described = {**others, offerer: offer, leg: event.description}
    if call.record.allows(CallTrigger.ANSWER):
        step.apply(CallTrigger.ANSWER, by="agent")
    requester, remote = participant.socket_id, offer.transport
    if bridge.remotes.get(offerer) == remote:
        relay_answer(step, bridge, leg, offerer, requester)
    else:  # this may give our end new ICE credentials, which the answer must contain
        step.run(SetRemoteEnd(bridge.id, requester, leg=offerer, remote=remote, answered=leg))


def remote_set(
    step: Step, bridge: Bridge, command: SetRemoteEnd, transports: Mapping[int, LocalTransport]
) -> None:
    """Relay the answer, now that the leg has the transport parameters of the offer."""
    bridge.remotes[command.leg] = command.remote
    bridge.transports.update(transports)
    relay_answer(step, bridge, command.answered, command.leg, command.requester)


def relay_answer(step: Step, bridge: Bridge, answered: int, offerer: int, requester: str) -> None:
    """Send the answer to the page that offered, then join the legs or update the joined ones."""
    bridge.answered = answered
    step.send(participant_at(step, bridge, offerer), _answer_notice(bridge, answered, offerer))
    answer = bridge.described[answered]
    is_new = bridge.remotes.get(answered) != answer.transport
    is_recorded = step.call.recording.state is not RecordingSwitch.OFF
    command = JoinLegs(
        bridge.id,
        requester,
        leg=answered if is_new else None,
        remote=answer.transport if is_new else None,
        note=journal_note(step.call, bridge) if is_recorded else None,
        is_join=not bridge.is_joined,
    )
    if is_new or command.note or command.is_join:
        step.run(command)
    else:
        _finish_negotiation(step, bridge)


def repeat_answer(step: Step) -> None:
    """Send the agent's answer again to a resumed page of the visitor, which may have missed it.

    Without it the page neither sends nor shows media, although its ICE agent may have connected by
    the provisional answer. A page that has received it may await the answer to a renegotiation, so
    the notice says that it is repeated.
    """
    bridge = step.call.newest_bridge
    if bridge and (bridge.is_joined or bridge.answered):
        notice = _answer_notice(bridge, AGENT_LEG, VISITOR_LEG)
        step.send(step.call.visitor, dataclasses.replace(notice, is_repeated=True))


def _answer_notice(bridge: Bridge, answered: int, offerer: int) -> notices.AnswerNotice:
    answer = bridge.described[answered]
    return notices.AnswerNotice(
        bridge.number, answer.passed_on, bridge.transports[offerer], answer.screen_mid
    )


def legs_joined(
    step: Step, bridge: Bridge, command: JoinLegs, transports: Mapping[int, LocalTransport]
) -> None:
    """Finish the exchange of offer and answer whose legs have been joined."""
    if command.leg and command.remote:
        bridge.remotes[command.leg] = command.remote
        bridge.transports.update(transports)
    bridge.apply(BridgeTrigger.JOIN_LEGS)
    if bridge.answered:
        _finish_negotiation(step, bridge)


def _finish_negotiation(step: Step, bridge: Bridge) -> None:
    bridge.answered = None
    _record_media_changes(step, bridge)
    activate_if_flowing(step, bridge)


def _record_media_changes(step: Step, bridge: Bridge) -> None:
    """Record the legs whose pages have started or stopped sending video or sharing a screen."""
    call = step.call
    is_first = call.record.connected_at is None
    for leg, description in bridge.described.items():
        side = bridge.legs[leg].role
        by = PARTY[side]
        if description.has_camera and leg not in call.with_video:
            call.with_video.add(leg)
            if not is_first:
                step.record_event(CallEventName.UPGRADED, by=by, side=side)
        if description.screen_mid and leg not in call.sharing:
            call.sharing.add(leg)
            step.record_event(CallEventName.SHARE_STARTED, by=by, side=side)
        elif leg in call.sharing and not description.screen_mid:
            call.sharing.discard(leg)
            step.record_event(CallEventName.SHARE_STOPPED, by=by, side=side)


def activate_if_flowing(step: Step, bridge: Bridge) -> None:
    """Make the bridge the active one if it carries media."""
    call = step.call
    if not bridge.is_joined or len(bridge.up) < len(bridge.legs):
        return
    bridge.apply(BridgeTrigger.BOTH_LEGS_UP)
    if bridge.number != call.active_bridge:
        call.active_bridge = bridge.number
        step.record_event(CallEventName.LINKED, link=bridge.number)
        for older in [o for o in call.bridges.values() if o.number < bridge.number]:
            drop(step, older)
        for leg in bridge.legs:
            step.send(participant_at(step, bridge, leg), notices.FlowingNotice(bridge.number))
        if bridge.legs[AGENT_LEG].participant != call.agent:
            complete_transfer(step)
        follow(step, bridge)
        adapt_journals(step)
    if call.record.allows(CallTrigger.BOTH_LEGS_UP):
        step.apply(CallTrigger.BOTH_LEGS_UP)


def _own_bridge(
    step: Step, event: OfferReceived | AnswerReceived
) -> tuple[Bridge, int, Participant]:
    """Return the bridge, leg and participant of a page's request; raises `CallNotPossible`."""
    bridge = step.call.bridges.get(event.bridge)
    participant = step.call.participants.get(event.participant)
    leg = bridge.leg_of(participant.id) if bridge and participant else 0
    if bridge is None or participant is None or not leg:
        raise VisavisError(ErrorCode.ConnectionGone)
    return bridge, leg, participant
