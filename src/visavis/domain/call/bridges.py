"""Bridges of a call: requested, opened, offered to the agent, lost and replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from visavis.domain.call import notices
from visavis.domain.call.commands import CloseBridge, MediaCommand, OpenLegs
from visavis.domain.call.model import VISITOR, Bridge, Participant
from visavis.domain.call.recording import adapt_journals, needs_journal, start_journal
from visavis.domain.call.states import BridgeState, BridgeTrigger, CallState, CallTrigger
from visavis.domain.call.step import BUILD_TIMER, Step
from visavis.domain.leg import BridgeId, LocalTransport, Side

MAX_BRIDGES: Final = 200
"""Bridges that a call may use in all; a page that asks for more is faulty."""

RETRY_SECONDS: Final = 0.5
"""Time after which a command is tried again while a media worker is being started."""


def add_bridge(step: Step) -> Bridge:
    """Add the next bridge, of the visitor and the agent who has the call or is to get it."""
    call = step.call
    call.last_bridge += 1
    agent = call.second_agent or call.current_agent
    legs = {Side.VISITOR: VISITOR}
    if agent:
        legs[Side.AGENT] = agent.id
    bridge = Bridge(BridgeId(call.id, call.last_bridge), legs)
    call.bridges[bridge.number] = bridge
    return bridge


def request_bridge(step: Step) -> None:
    """Ask the visitor's page for the next bridge. The active one flows until the new one does."""
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
    """Request another bridge in place of one that is lost."""
    mark_lost(step)
    request_bridge(step)


def repeat_offer_request(step: Step) -> None:
    """Ask again for an offer: the visitor's page may have missed the request."""
    bridge = step.call.newest_bridge
    if (
        bridge
        and bridge.number != step.call.active_bridge
        and bridge.state is BridgeState.REQUESTED
        and not bridge.offered
    ):
        _ask_for_offer(step, bridge)


def lose_bridge(step: Step, number: int) -> None:
    """Replace a bridge that a page has given up."""
    if number == step.call.last_bridge:
        replace_bridge(step)
    else:
        repeat_offer_request(step)


def _ask_for_offer(step: Step, bridge: Bridge) -> None:
    step.send(step.call.visitor, notices.RelaysNotice())
    step.send(step.call.visitor, notices.ConnectNotice(bridge.number))


def build(step: Step) -> None:
    """Take the newest bridge as far as it can go now: open its legs, then offer it to the agent.

    The visitor's page connects while the call rings, since ICE and DTLS take longer than anything
    else. The journal is opened while the agent's page makes its answer.
    """
    call, bridge = step.call, step.call.newest_bridge
    if call.command or adapt_journals(step) or bridge is None:
        return
    if bridge.state in {BridgeState.REQUESTED, BridgeState.OPENING}:
        is_expected = Side.AGENT in bridge.legs or call.record.state is CallState.RINGING
        if is_expected and Side.VISITOR in bridge.offered:
            step.cancel_timer(BUILD_TIMER)
            bridge.apply(BridgeTrigger.OPEN_LEGS)
            step.run(OpenLegs(bridge.id, remote=bridge.offered[Side.VISITOR].transport))
        return
    if Side.AGENT not in bridge.legs:
        return
    if bridge.state is BridgeState.OPEN:
        bridge.apply(BridgeTrigger.SEND_OFFER)
        step.send(participant_at(step, bridge, Side.AGENT), notices.RelaysNotice())
        relay_offer(step, bridge, Side.VISITOR)
    if needs_journal(call, bridge):
        step.cancel_timer(BUILD_TIMER)
        start_journal(step, bridge)


def legs_opened(
    step: Step, bridge: Bridge, command: OpenLegs, transports: Mapping[Side, LocalTransport]
) -> None:
    bridge.apply(BridgeTrigger.LEGS_OPENED)
    bridge.transports.update(transports)
    bridge.remotes[Side.VISITOR] = command.remote
    offer = bridge.offered[Side.VISITOR]
    step.send(
        step.call.visitor,
        notices.ProvisionalAnswerNotice(
            bridge.number, offer.passed_on, bridge.transports[Side.VISITOR]
        ),
    )


def retry_later(step: Step) -> None:
    """Try again soon: a worker is being started. Until then the call's own timer runs."""
    step.set_timer(BUILD_TIMER, RETRY_SECONDS)


def relay_offer(step: Step, bridge: Bridge, side: Side) -> None:
    offer = bridge.offered[side]
    step.send(
        participant_at(step, bridge, side.other),
        notices.OfferNotice(
            bridge.number, offer.passed_on, bridge.transports[side.other], offer.screen_mid
        ),
    )


def mark_lost(step: Step) -> None:
    if step.call.record.state is CallState.CONNECTED:
        step.apply(CallTrigger.LINK_LOST)


def drop(step: Step, bridge: Bridge) -> None:
    """Close a bridge that is no longer required."""
    step.call.bridges.pop(bridge.number, None)
    if bridge.is_open:
        step.run(CloseBridge(bridge.id))
    bridge.apply(BridgeTrigger.CLOSE)


def participant_at(step: Step, bridge: Bridge, side: Side) -> Participant | None:
    """Return the participant at a leg, unless they have left the call."""
    return step.call.participants.get(bridge.legs.get(side, 0))


def wanted(step: Step, command: MediaCommand) -> Bridge | None:
    """Return the command's bridge, or close it again if it was dropped in the meantime."""
    call = step.call
    bridge = call.bridges.get(command.bridge.number)
    if bridge is None:
        if call.is_over:
            call.closing.add(command.bridge.number)
        step.run(CloseBridge(command.bridge))
    return bridge
