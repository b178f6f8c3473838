"""Bridges: requested, built at a media worker, negotiated by the browsers, lost and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import structlog

from visavis.domain.call import RESUME_SECONDS, CallState, CallTrigger
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, Side
from visavis.protocol import signaling
from visavis.rtp.sdp import provisional_answer, rewrite
from visavis.services.calls.active_call import (
    ActiveCall,
    Bridge,
    Description,
    Participant,
    read_answer,
    read_offer,
)
from visavis.services.calls.media_changes import record_media_changes
from visavis.services.calls.recording_control import RecordingControl, describe_to_journal
from visavis.services.calls.registry import CallRegistry
from visavis.services.ports import MediaPlane

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 0.5
MAX_BRIDGES: Final = 200
"""Bridges that a call may use in all; a page that asks for more is faulty."""

_BUILD: Final = "build"

Relays = Callable[[str], signaling.IceServers]
"""Returns the ICE servers of a call, with credentials that are for it alone."""


class Bridges:
    """`handed_over` hears that a bridge to an agent flows who did not have the call yet.

    `parting` are the calls that are over and whose last bridges are being closed.
    """

    def __init__(
        self,
        registry: CallRegistry,
        media: MediaPlane,
        recording_control: RecordingControl,
        relays: Relays | None = None,
    ) -> None:
        self._registry = registry
        self._media = media
        self._recording_control = recording_control
        self._relays = relays
        self.closing: dict[str, ActiveCall] = {}
        self.handed_over: Callable[[ActiveCall, Participant], None] = lambda call, participant: None
        registry.end_listeners.append(self._close_all)

    @property
    def has_relay(self) -> bool:
        """Whether the parties of a call are told of a TURN server."""
        return self._relays is not None

    def send_ice_servers(self, call: ActiveCall, participant: Participant) -> None:
        """Give a party the credentials of its call, before it makes a peer connection."""
        if self._relays:
            self._registry.send(participant, self._relays(call.id))

    # Building a bridge

    def start(self, call: ActiveCall) -> None:
        """Ask the visitor's page for the next bridge. What flows now does so until the new one."""
        if call.last_bridge_number >= MAX_BRIDGES:
            self._registry.end(call, CallTrigger.MEDIA_FAILS)
            return
        self._registry.cancel_timer(call, _BUILD)
        for bridge in list(call.bridges.values()):
            if bridge is not call.active_bridge:
                self.drop(call, bridge)
        bridge = call.add_bridge()
        self._ask_for_offer(call, bridge)

    def _ask_for_offer(self, call: ActiveCall, bridge: Bridge) -> None:
        self.send_ice_servers(call, call.visitor)
        self._registry.send(call.visitor, signaling.Connect(call_id=call.id, link=bridge.number))

    def replace(self, call: ActiveCall) -> None:
        """Build another bridge in place of one that is lost."""
        self._mark_lost(call)
        self.start(call)

    def repeat_offer_request(self, call: ActiveCall) -> None:
        """The visitor's page may have missed that a bridge is wanted of it."""
        bridge = call.bridges.get(call.last_bridge_number)
        if (
            bridge
            and bridge is not call.active_bridge
            and not bridge.offered
            and not bridge.is_open
        ):
            self._ask_for_offer(call, bridge)

    async def connect_visitor(self, call: ActiveCall) -> None:
        """The call rings: connect its visitor's page meanwhile, if there is an offer."""
        async with call.lock:
            bridge = call.bridges.get(call.last_bridge_number)
            if bridge:
                await self._build_if_ready(call, bridge)

    async def connect_agent(self, call: ActiveCall, participant: Participant) -> None:
        """Connect the agent who accepted with the visitor as soon as there is an offer."""
        async with call.lock:
            bridge = call.bridges.get(call.last_bridge_number)
            if bridge:
                bridge.participants[Side.AGENT] = participant
                await self._build_if_ready(call, bridge)

    async def _build_if_ready(self, call: ActiveCall, bridge: Bridge) -> None:
        is_expected = Side.AGENT in bridge.participants or call.record.state is CallState.RINGING
        if bridge.offered and is_expected and not bridge.is_relayed:
            await self._build(call, bridge)

    async def _build(self, call: ActiveCall, bridge: Bridge) -> None:
        self._registry.cancel_timer(call, _BUILD)
        try:
            await self._open_legs(call, bridge)
            if Side.AGENT in bridge.participants:
                await self._start_media(call, bridge)
        except VisavisError as error:
            log.warning("bridge not built", link=str(bridge.id), error=error.kind.name)
            if error.kind is ErrorKind.MediaUnavailable:
                # a worker is being started: until then the call's own timer runs
                self._registry.set_timer(
                    call,
                    _BUILD,
                    RETRY_SECONDS,
                    lambda: self._registry.run_task(self._try_again(call, bridge)),
                )
            elif error.kind is ErrorKind.RecordingUnavailable:
                self._registry.end(call, CallTrigger.CANNOT_RECORD)
            else:
                self._registry.end(call, CallTrigger.MEDIA_FAILS)
        if not _is_wanted(call, bridge):
            await self._close(bridge)

    async def _try_again(self, call: ActiveCall, bridge: Bridge) -> None:
        async with call.lock:
            if _is_wanted(call, bridge):
                await self._build(call, bridge)

    async def _open_legs(self, call: ActiveCall, bridge: Bridge) -> None:
        """Let the visitor's page connect: ICE and DTLS take longer than anything else here."""
        if bridge.remotes:
            return
        bridge.is_open = True
        for side in Side:
            bridge.transports[side] = await self._media.open_leg(bridge.id, side)
        offer = bridge.offered[Side.VISITOR]
        await self._set_remote(bridge, Side.VISITOR, offer)
        sdp = provisional_answer(offer.passed_on, bridge.transports[Side.VISITOR])
        self._registry.send(
            bridge.participants[Side.VISITOR],
            signaling.ProvisionalAnswer(call_id=call.id, link=bridge.number, sdp=sdp),
        )

    async def _start_media(self, call: ActiveCall, bridge: Bridge) -> None:
        """Record from here on: while the journal is opened, the agent's page makes its answer."""
        if not bridge.is_relayed and _is_wanted(call, bridge):
            bridge.is_relayed = True
            self.send_ice_servers(call, bridge.participants[Side.AGENT])
            self._relay_offer(call, bridge, Side.VISITOR)
        await self._recording_control.start(call, bridge)

    # Negotiation between the browsers

    async def offer(
        self, call: ActiveCall, participant: Participant, message: signaling.Offer
    ) -> None:
        """The visitor's first offer of a bridge, or either page's renegotiation of one."""
        offered = read_offer(message.sdp, message.screen_mid)
        async with call.lock:
            bridge = _own_bridge(call, participant, message.link)
            if bridge.is_joined:
                bridge.offered[participant.side] = offered
                self._relay_offer(call, bridge, participant.side)
            elif participant.side is Side.VISITOR and not bridge.is_open:
                bridge.offered[Side.VISITOR] = offered
                await self._build_if_ready(call, bridge)
            else:
                raise VisavisError(ErrorKind.CallNotPossible, "Wait for the answer, then offer.")

    async def answer(
        self, call: ActiveCall, participant: Participant, message: signaling.Answer
    ) -> None:
        """The answer to the other page's last offer; the first one of a bridge joins its legs."""
        answer = read_answer(message.sdp, message.screen_mid)
        async with call.lock:
            bridge = _own_bridge(call, participant, message.link)
            offer = bridge.offered.get(participant.side.other)
            if offer is None or len(bridge.transports) < len(Side):
                raise VisavisError(ErrorKind.CallNotPossible, "Wait for the offer, then answer it.")
            bridge.offered.clear()  # the polite side has rolled its own one back
            bridge.described = {participant.side.other: offer, participant.side: answer}
            if call.record.allows(CallTrigger.ANSWER):
                self._registry.apply(call, CallTrigger.ANSWER, by="agent")
            # which may give our end to it new credentials, for the answer to tell
            await self._set_remote(bridge, participant.side.other, offer)
            self._relay_answer(call, bridge, participant.side)
            await self._agree(call, bridge, participant.side)
            record_media_changes(self._registry, call, bridge)
            self._activate_if_flowing(call, bridge)

    async def _agree(self, call: ActiveCall, bridge: Bridge, answered: Side) -> None:
        await self._set_remote(bridge, answered, bridge.described[answered])
        if call.recording.state != "off":
            await describe_to_journal(self._media, bridge)
        if not bridge.is_joined:
            await self._media.join(bridge.id)
            bridge.is_joined = True

    async def _set_remote(self, bridge: Bridge, side: Side, description: Description) -> None:
        remote = description.transport
        if bridge.remotes.get(side) != remote:
            transport = await self._media.set_remote(bridge.id, side, remote)
            bridge.remotes[side], bridge.transports[side] = remote, transport

    def _relay_offer(self, call: ActiveCall, bridge: Bridge, side: Side) -> None:
        offer = bridge.offered[side]
        sdp = rewrite(offer.passed_on, bridge.transports[side.other], "actpass")
        self._registry.send(
            bridge.participants[side.other],
            signaling.Offer(
                call_id=call.id, link=bridge.number, sdp=sdp, screen_mid=offer.screen_mid
            ),
        )

    def _relay_answer(self, call: ActiveCall, bridge: Bridge, side: Side) -> None:
        answer = bridge.described[side]
        sdp = rewrite(answer.passed_on, bridge.transports[side.other], "passive")
        self._registry.send(
            bridge.participants[side.other],
            signaling.Answer(
                call_id=call.id, link=bridge.number, sdp=sdp, screen_mid=answer.screen_mid
            ),
        )

    # Events of the media worker

    def leg_up(self, call: ActiveCall, bridge: Bridge, side: Side) -> None:
        bridge.up.add(side)
        self._activate_if_flowing(call, bridge)

    def leg_down(self, call: ActiveCall, bridge: Bridge, side: Side) -> None:
        """Wait for the page to want another bridge; a call that has none yet has failed."""
        bridge.up.discard(side)
        if bridge is call.active_bridge:
            self._mark_lost(call)
        elif call.is_waiting:
            self.start(call)
        elif call.active_bridge is None and call.record.state is not CallState.RECONNECTING:
            self._registry.end(call, CallTrigger.LINK_LOST)

    def worker_lost(self, call: ActiveCall, gone: Collection[BridgeId]) -> None:
        """A worker has died with some of the call's bridges: others take their place at once."""
        dead = [bridge for bridge in call.bridges.values() if bridge.id in gone]
        for bridge in dead:
            del call.bridges[bridge.number]
        if call.active_bridge in dead:
            call.active_bridge = None
            self.replace(call)
        elif dead:
            self.start(call)  # what flows goes on

    # Switching from one bridge to the next

    def _activate_if_flowing(self, call: ActiveCall, bridge: Bridge) -> None:
        """Take the bridge as the present one if it flows."""
        if not bridge.is_flowing or not _is_wanted(call, bridge):
            return
        if bridge is not call.active_bridge:
            call.active_bridge = bridge
            self._registry.record_event(call, CallEventName.LINKED, link=bridge.number)
            for older in [o for o in call.bridges.values() if o.number < bridge.number]:
                self.drop(call, older)
            linked = signaling.Linked(call_id=call.id, link=bridge.number)
            for participant in bridge.participants.values():
                self._registry.send(participant, linked)
            if bridge.participants[Side.AGENT] is not call.agent:
                self.handed_over(call, bridge.participants[Side.AGENT])
        if call.record.allows(CallTrigger.BOTH_LEGS_UP):
            self._registry.apply(call, CallTrigger.BOTH_LEGS_UP)

    def _mark_lost(self, call: ActiveCall) -> None:
        if call.record.state is CallState.CONNECTED:
            self._registry.apply(call, CallTrigger.LINK_LOST)
            self._registry.end_after(call, RESUME_SECONDS, CallTrigger.RESUME_TIME_OUT)

    def drop(self, call: ActiveCall, bridge: Bridge) -> None:
        """Close a bridge that nobody waits for any longer."""
        call.bridges.pop(bridge.number, None)
        if bridge.is_open:
            self._registry.run_task(self._close(bridge))

    async def _close(self, bridge: Bridge) -> None:
        try:
            await self._media.close(bridge.id)
        except VisavisError as error:
            # the worker is gone: so are the legs, and its journal is the recorder's already
            log.warning("bridge not closed", link=str(bridge.id), error=error.kind.name)

    def _close_all(self, call: ActiveCall) -> None:
        bridges = [bridge for bridge in call.bridges.values() if bridge.is_open]
        call.bridges.clear()
        if bridges:
            self._registry.run_task(self._close_bridges(call, bridges))

    async def _close_bridges(self, call: ActiveCall, bridges: list[Bridge]) -> None:
        """Close what the call had; its legs' last reports come meanwhile, and are kept too."""
        self.closing[call.id] = call
        await asyncio.gather(*map(self._close, bridges))
        del self.closing[call.id]
        self._registry.call_log.save_later(call.record)


def _own_bridge(call: ActiveCall, participant: Participant, number: int) -> Bridge:
    bridge = call.bridges.get(number)
    if (
        bridge is None
        or call.is_over
        or bridge.participants.get(participant.side) is not participant
    ):
        raise VisavisError(
            ErrorKind.CallNotPossible, "That connection has ended or does not exist."
        )
    return bridge


def _is_wanted(call: ActiveCall, bridge: Bridge) -> bool:
    return not call.is_over and call.bridges.get(bridge.number) is bridge
