"""Bridges of a call: requested, opened, offered to the agent, recorded, lost and replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from visavis.domain.call import notices
from visavis.domain.call.commands import (
    CloseBridge,
    MediaCommand,
    OpenLegs,
    PauseJournal,
    StartJournal,
)
from visavis.domain.call.model import VISITOR, Bridge, BridgeLeg, CallData, Participant
from visavis.domain.call.states import (
    BridgeState,
    BridgeTrigger,
    CallState,
    CallTrigger,
    RecordingSwitch,
)
from visavis.domain.call.step import BUILD_TIMER, Step
from visavis.domain.leg import AGENT_LEG, ROLES, VISITOR_LEG, BridgeId, LocalTransport
from visavis.domain.recording import Manifest

MAX_BRIDGES: Final = 200
"""Maximum number of bridges over the life of a call; a page that asks for more is faulty."""

RETRY_SECONDS: Final = 0.5
"""Seconds before a command is tried again while a media worker is being started."""


def add_bridge(step: Step) -> Bridge:
    """Add the next bridge, between the visitor and the agent who has, or is to get, the call."""
    call = step.call
    call.last_bridge += 1
    agent = call.second_agent or call.current_agent
    legs = {number: BridgeLeg(role) for number, role in ROLES.items()}
    legs[VISITOR_LEG].participant = VISITOR
    if agent:
        legs[AGENT_LEG].participant = agent.id
    bridge = Bridge(BridgeId(call.id, call.last_bridge), legs)
    call.bridges[bridge.number] = bridge
    return bridge


def request_bridge(step: Step) -> None:
    """Add the next bridge and ask the visitor's page for its offer.

    The active bridge carries media until the new one does.
    """
    call = step.call
    if call.last_bridge >= MAX_BRIDGES:
        step.end(CallTrigger.MEDIA_FAILS)
        return
    step.cancel_timer(BUILD_TIMER)
    for bridge in list(call.bridges.values()):
        if bridge.number != call.active_bridge:
            drop(step, bridge)
    _ask_for_offer(step, add_bridge(step))


def replace_bridge(step: Step) -> None:
    """Request another bridge in place of a lost one."""
    mark_lost(step)
    request_bridge(step)


def repeat_offer_request(step: Step) -> None:
    """Ask the visitor's page again for an offer: it has resumed and may have missed the request.

    A page that got the request twice on one connection would send two offers, and the second one
    would be refused.
    """
    bridge = step.call.newest_bridge
    if (
        bridge
        and bridge.number != step.call.active_bridge
        and bridge.state is BridgeState.REQUESTED
        and not bridge.offered
    ):
        _ask_for_offer(step, bridge)


def repeat_offer(step: Step, participant: Participant) -> None:
    """Send the offer again that a resumed page of an agent has not answered, and may have missed.

    Its former media may still flow as far as it knows, so it would not ask for a bridge itself.
    """
    bridge = step.call.newest_bridge
    if (
        bridge
        and bridge.state is BridgeState.OFFERED
        and VISITOR_LEG in bridge.offered  # its answer is not being carried out yet
        and participant_at(step, bridge, AGENT_LEG) is participant
    ):
        step.send(participant, notices.RelaysNotice())
        relay_offer(step, bridge, VISITOR_LEG)


def lose_bridge(step: Step, number: int) -> None:
    """Replace a bridge that a page reports as lost, unless a newer one is already requested."""
    if number == step.call.last_bridge:
        replace_bridge(step)


def _ask_for_offer(step: Step, bridge: Bridge) -> None:
    step.send(step.call.visitor, notices.RelaysNotice())
    step.send(step.call.visitor, notices.ConnectNotice(bridge.number))


def build(step: Step) -> None:
    """Take the newest bridge as far as possible: open its legs, then offer it to the agent.

    The legs open while the call rings, so that the visitor's page connects early: ICE and DTLS take
    longer than any other step. The journal opens while the agent's page creates its answer.
    """
    call, bridge = step.call, step.call.newest_bridge
    if call.command or adapt_journals(step) or bridge is None:
        return
    if bridge.state in {BridgeState.REQUESTED, BridgeState.OPENING}:
        is_expected = bridge.is_assigned or call.record.state is CallState.RINGING
        if is_expected and VISITOR_LEG in bridge.offered:
            step.cancel_timer(BUILD_TIMER)
            bridge.apply(BridgeTrigger.OPEN_LEGS)
            remote = bridge.offered[VISITOR_LEG].transport
            step.run(OpenLegs(bridge.id, legs=tuple(bridge.legs), remote=remote))
        return
    if not bridge.is_assigned:
        return
    if bridge.state is BridgeState.OPEN:
        bridge.apply(BridgeTrigger.SEND_OFFER)
        step.send(participant_at(step, bridge, AGENT_LEG), notices.RelaysNotice())
        relay_offer(step, bridge, VISITOR_LEG)
    if needs_journal(call, bridge):
        step.cancel_timer(BUILD_TIMER)
        start_journal(step, bridge)


def legs_opened(
    step: Step, bridge: Bridge, command: OpenLegs, transports: Mapping[int, LocalTransport]
) -> None:
    """Send our transport to the visitor's page, so that it connects before an agent answers."""
    bridge.apply(BridgeTrigger.LEGS_OPENED)
    bridge.transports.update(transports)
    bridge.remotes[VISITOR_LEG] = command.remote
    offer = bridge.offered[VISITOR_LEG]
    step.send(
        step.call.visitor,
        notices.ProvisionalAnswerNotice(
            bridge.number, offer.passed_on, bridge.transports[VISITOR_LEG]
        ),
    )


def retry_later(step: Step) -> None:
    """Try again soon: a worker is being started. The timer of the call's state goes on."""
    step.set_timer(BUILD_TIMER, RETRY_SECONDS)


def relay_offer(step: Step, bridge: Bridge, sender: int) -> None:
    """Send the offer of one leg's page to the pages of the other legs."""
    offer = bridge.offered[sender]
    for receiver in bridge.others(sender):
        step.send(
            participant_at(step, bridge, receiver),
            notices.OfferNotice(
                bridge.number, offer.passed_on, bridge.transports[receiver], offer.screen_mid
            ),
        )


def mark_lost(step: Step) -> None:
    """Move a connected call to the state *reconnecting*."""
    if step.call.record.state is CallState.CONNECTED:
        step.apply(CallTrigger.LINK_LOST)


def drop(step: Step, bridge: Bridge) -> None:
    """Close a bridge that is no longer needed."""
    step.call.bridges.pop(bridge.number, None)
    if bridge.is_open:
        step.run(CloseBridge(bridge.id))
    bridge.apply(BridgeTrigger.CLOSE)


def participant_at(step: Step, bridge: Bridge, leg: int) -> Participant | None:
    """Return the participant at a leg, `None` if they have left the call."""
    return step.call.participants.get(bridge.legs[leg].participant)


def wanted(step: Step, command: MediaCommand) -> Bridge | None:
    """Return the command's bridge; if it was dropped meanwhile, close it and return `None`."""
    call = step.call
    bridge = call.bridges.get(command.bridge.number)
    if bridge is None:
        if call.is_over:
            call.closing.add(command.bridge.number)
        step.run(CloseBridge(command.bridge))
    return bridge


# Journals


def needs_journal(call: CallData, bridge: Bridge) -> bool:
    """Whether the bridge must be recorded and has no journal yet."""
    return not (call.record.recording_id is None or bridge.has_journal or bridge.is_unrecorded)


def start_journal(step: Step, bridge: Bridge) -> None:
    """Start the journal of a bridge of a recorded call, before its legs are joined."""
    step.run(journal_command(step, bridge, step.call.record.recording_id or ""))


def adapt_journals(step: Step) -> bool:
    """Pause or resume a journal that differs from the call's recording; return whether one did."""
    call = step.call
    if call.command or call.recording.state is RecordingSwitch.OFF:
        return False
    is_paused = call.recording.state is RecordingSwitch.PAUSED
    for bridge in call.bridges.values():
        if bridge.has_journal and bridge.is_journal_paused != is_paused:
            step.run(PauseJournal(bridge.id, is_paused=is_paused))
            return True
    return False


def journal_command(
    step: Step, bridge: Bridge, recording_id: str, requester: str = ""
) -> StartJournal:
    """Return the command that starts a bridge's journal, in the recording of its call."""
    recording, record = step.call.recording, step.call.record
    manifest = recording.manifest = recording.manifest or Manifest(
        recording_id=recording_id,
        site_id=record.site_id,
        call_id=record.id,
        media=record.media,
        visitor_name=record.visitor.name,
        agent_name=record.agent.name if record.agent else "",
        started_at=step.now,
    )
    return StartJournal(
        bridge.id,
        requester,
        manifest=manifest,
        is_listed=recording.is_listed,
        is_paused=recording.state is RecordingSwitch.PAUSED,
    )


def journal_note(call: CallData, bridge: Bridge) -> dict[str, Any]:
    """Return the note for the journal: the legs' participants and their agreed descriptions."""
    return {
        "type": "descriptions",
        "version": 2,
        "link": bridge.number,
        "legs": [
            {
                "leg": number,
                "participant": bridge.legs[number].participant,
                "role": bridge.legs[number].role,
                "name": _name(call, bridge.legs[number].participant),
                "sdp": description.sdp,
                "screenMid": description.screen_mid,
            }
            for number, description in sorted(bridge.described.items())
        ],
    }


def _name(call: CallData, number: int) -> str:
    participant = call.participants.get(number)
    if participant is None:
        return ""
    return participant.agent.name if participant.agent else call.record.visitor.name
