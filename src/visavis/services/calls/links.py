"""Links: asked for, built at a media worker, negotiated by the two browsers, lost and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import structlog

from visavis.domain import signaling
from visavis.domain.call import RESUME_SECONDS, Event, State
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Link, Side
from visavis.domain.story import Happening
from visavis.rtp.sdp import provisional_answer, rewrite
from visavis.services.calls.live import (
    Description,
    LiveCall,
    LiveLink,
    Seat,
    read_answer,
    read_offer,
)
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.sight import notice
from visavis.services.calls.taping import Taping, describe
from visavis.services.ports import MediaPlane

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 0.5
MAX_LINKS: Final = 200
"""As many as a call may use up; a page that wants more has lost its way."""

_BUILD: Final = "build"

Relays = Callable[[str], signaling.IceServers]
"""Returns the ICE servers of a call, with credentials that are for it alone."""


class Links:
    """`handed_over` hears that a link to an agent flows who did not have the call yet.

    `parting` are the calls that are over and whose last links are being closed.
    """

    def __init__(
        self,
        registry: CallRegistry,
        media: MediaPlane,
        taping: Taping,
        relays: Relays | None = None,
    ) -> None:
        self._registry = registry
        self._media = media
        self._taping = taping
        self._relays = relays
        self.parting: dict[str, LiveCall] = {}
        self.handed_over: Callable[[LiveCall, Seat], None] = lambda call, seat: None
        registry.end_listeners.append(self._close_all)

    @property
    def has_relay(self) -> bool:
        """Whether the parties of a call are told of a TURN server."""
        return self._relays is not None

    def tell_relays(self, call: LiveCall, seat: Seat) -> None:
        """Give a party the credentials of its call, before it makes a peer connection."""
        if self._relays:
            self._registry.send(seat, self._relays(call.id))

    # A link's beginning

    def begin(self, call: LiveCall) -> None:
        """Ask the visitor's page for the next link. What flows now does so until the new one."""
        if call.newest >= MAX_LINKS:
            self._registry.end(call, Event.MEDIA_FAILS)
            return
        self._registry.cancel_timer(call, _BUILD)
        for link in list(call.links.values()):
            if link is not call.present:
                self.drop(call, link)
        link = call.add_link()
        self._ask_for_offer(call, link)

    def _ask_for_offer(self, call: LiveCall, link: LiveLink) -> None:
        self.tell_relays(call, call.visitor)
        self._registry.send(call.visitor, signaling.Connect(call_id=call.id, link=link.number))

    def renew(self, call: LiveCall) -> None:
        """Build another link in place of one that is lost."""
        self._lose(call)
        self.begin(call)

    def ask_again(self, call: LiveCall) -> None:
        """The visitor's page may have missed that a link is wanted of it."""
        link = call.links.get(call.newest)
        if link and link is not call.present and not link.offered and not link.is_open:
            self._ask_for_offer(call, link)

    async def prepare(self, call: LiveCall) -> None:
        """The call rings: connect its visitor's page meanwhile, if there is an offer."""
        async with call.lock:
            link = call.links.get(call.newest)
            if link:
                await self._build_if_ready(call, link)

    async def take(self, call: LiveCall, seat: Seat) -> None:
        """An agent has the call: link them with its visitor as soon as there is an offer."""
        async with call.lock:
            link = call.links.get(call.newest)
            if link:
                link.seats[Side.AGENT] = seat
                await self._build_if_ready(call, link)

    async def _build_if_ready(self, call: LiveCall, link: LiveLink) -> None:
        is_expected = Side.AGENT in link.seats or call.record.state is State.RINGING
        if link.offered and is_expected and not link.is_relayed:
            await self._build(call, link)

    async def _build(self, call: LiveCall, link: LiveLink) -> None:
        self._registry.cancel_timer(call, _BUILD)
        try:
            await self._open_legs(call, link)
            if Side.AGENT in link.seats:
                await self._bring_together(call, link)
        except VisavisError as error:
            log.warning("link not built", link=str(link.link), error=error.kind.name)
            if error.kind is ErrorKind.MediaUnavailable:
                # a worker is being started: until then the call's own timer runs
                self._registry.set_timer(
                    call,
                    _BUILD,
                    RETRY_SECONDS,
                    lambda: self._registry.run_task(self._try_again(call, link)),
                )
            elif error.kind is ErrorKind.RecordingUnavailable:
                self._registry.end(call, Event.CANNOT_RECORD)
            else:
                self._registry.end(call, Event.MEDIA_FAILS)
        if not _is_wanted(call, link):
            await self._close(link)

    async def _try_again(self, call: LiveCall, link: LiveLink) -> None:
        async with call.lock:
            if _is_wanted(call, link):
                await self._build(call, link)

    async def _open_legs(self, call: LiveCall, link: LiveLink) -> None:
        """Let the visitor's page connect: ICE and DTLS take longer than anything else here."""
        if link.remotes:
            return
        link.is_open = True
        for side in Side:
            link.transports[side] = await self._media.open_leg(link.link, side)
        offer = link.offered[Side.VISITOR]
        await self._set_remote(link, Side.VISITOR, offer)
        sdp = provisional_answer(offer.passed_on, link.transports[Side.VISITOR])
        self._registry.send(
            link.seats[Side.VISITOR],
            signaling.ProvisionalAnswer(call_id=call.id, link=link.number, sdp=sdp),
        )

    async def _bring_together(self, call: LiveCall, link: LiveLink) -> None:
        """Record from here on: while the journal is opened, the agent's page makes its answer."""
        if not link.is_relayed and _is_wanted(call, link):
            link.is_relayed = True
            self.tell_relays(call, link.seats[Side.AGENT])
            self._relay_offer(call, link, Side.VISITOR)
        await self._taping.start(call, link)

    # What the browsers agree on

    async def offer(self, call: LiveCall, seat: Seat, message: signaling.Offer) -> None:
        """The visitor's first offer of a link, or either page's renegotiation of one."""
        offered = read_offer(message.sdp, message.screen_mid)
        async with call.lock:
            link = _own_link(call, seat, message.link)
            if link.is_joined:
                link.offered[seat.side] = offered
                self._relay_offer(call, link, seat.side)
            elif seat.side is Side.VISITOR and not link.is_open:
                link.offered[Side.VISITOR] = offered
                await self._build_if_ready(call, link)
            else:
                raise VisavisError(ErrorKind.CallNotPossible, "Wait for the answer, then offer.")

    async def answer(self, call: LiveCall, seat: Seat, message: signaling.Answer) -> None:
        """The answer to the other page's last offer; the first one of a link joins its legs."""
        answer = read_answer(message.sdp, message.screen_mid)
        async with call.lock:
            link = _own_link(call, seat, message.link)
            offer = link.offered.get(seat.side.other)
            if offer is None or len(link.transports) < len(Side):
                raise VisavisError(ErrorKind.CallNotPossible, "Wait for the offer, then answer it.")
            link.offered.clear()  # the polite side has rolled its own one back
            link.described = {seat.side.other: offer, seat.side: answer}
            if call.record.allows(Event.ANSWER):
                self._registry.apply(call, Event.ANSWER, by="agent")
            # which may give our end to it new credentials, for the answer to tell
            await self._set_remote(link, seat.side.other, offer)
            self._relay_answer(call, link, seat.side)
            await self._agree(call, link, seat.side)
            notice(self._registry, call, link)
            self._look(call, link)

    async def _agree(self, call: LiveCall, link: LiveLink, answered: Side) -> None:
        await self._set_remote(link, answered, link.described[answered])
        if call.tape.state != "off":
            await describe(self._media, link)
        if not link.is_joined:
            await self._media.join(link.link)
            link.is_joined = True

    async def _set_remote(self, link: LiveLink, side: Side, description: Description) -> None:
        remote = description.transport
        if link.remotes.get(side) != remote:
            transport = await self._media.set_remote(link.link, side, remote)
            link.remotes[side], link.transports[side] = remote, transport

    def _relay_offer(self, call: LiveCall, link: LiveLink, side: Side) -> None:
        offer = link.offered[side]
        sdp = rewrite(offer.passed_on, link.transports[side.other], "actpass")
        self._registry.send(
            link.seats[side.other],
            signaling.Offer(
                call_id=call.id, link=link.number, sdp=sdp, screen_mid=offer.screen_mid
            ),
        )

    def _relay_answer(self, call: LiveCall, link: LiveLink, side: Side) -> None:
        answer = link.described[side]
        sdp = rewrite(answer.passed_on, link.transports[side.other], "passive")
        self._registry.send(
            link.seats[side.other],
            signaling.Answer(
                call_id=call.id, link=link.number, sdp=sdp, screen_mid=answer.screen_mid
            ),
        )

    # What the media worker tells

    def leg_up(self, call: LiveCall, link: LiveLink, side: Side) -> None:
        link.up.add(side)
        self._look(call, link)

    def leg_down(self, call: LiveCall, link: LiveLink, side: Side) -> None:
        """Wait for the page to want another link; a call that has none yet has failed."""
        link.up.discard(side)
        if link is call.present:
            self._lose(call)
        elif call.is_waiting:
            self.begin(call)
        elif call.present is None and call.record.state is not State.RECONNECTING:
            self._registry.end(call, Event.LINK_LOST)

    def lost(self, call: LiveCall, gone: Collection[Link]) -> None:
        """A worker has died with some of the call's links: others take their place at once."""
        dead = [link for link in call.links.values() if link.link in gone]
        for link in dead:
            del call.links[link.number]
        if call.present in dead:
            call.present = None
            self.renew(call)
        elif dead:
            self.begin(call)  # what flows goes on

    # The change from one link to the next

    def _look(self, call: LiveCall, link: LiveLink) -> None:
        """Take the link as the present one if it flows."""
        if not link.flows or not _is_wanted(call, link):
            return
        if link is not call.present:
            call.present = link
            self._registry.record_event(call, Happening.LINKED, link=link.number)
            for older in [o for o in call.links.values() if o.number < link.number]:
                self.drop(call, older)
            linked = signaling.Linked(call_id=call.id, link=link.number)
            for seat in link.seats.values():
                self._registry.send(seat, linked)
            if link.seats[Side.AGENT] is not call.agent:
                self.handed_over(call, link.seats[Side.AGENT])
        if call.record.allows(Event.BOTH_LEGS_UP):
            self._registry.apply(call, Event.BOTH_LEGS_UP)

    def _lose(self, call: LiveCall) -> None:
        if call.record.state is State.CONNECTED:
            self._registry.apply(call, Event.LINK_LOST)
            self._registry.end_after(call, RESUME_SECONDS, Event.RESUME_TIME_OUT)

    def drop(self, call: LiveCall, link: LiveLink) -> None:
        """Close a link that nobody waits for any longer."""
        call.links.pop(link.number, None)
        if link.is_open:
            self._registry.run_task(self._close(link))

    async def _close(self, link: LiveLink) -> None:
        try:
            await self._media.close(link.link)
        except VisavisError as error:
            # the worker is gone: so are the legs, and its journal is the recorder's already
            log.warning("link not closed", link=str(link.link), error=error.kind.name)

    def _close_all(self, call: LiveCall) -> None:
        links = [link for link in call.links.values() if link.is_open]
        call.links.clear()
        if links:
            self._registry.run_task(self._part(call, links))

    async def _part(self, call: LiveCall, links: list[LiveLink]) -> None:
        """Close what the call had; its legs' last reports come meanwhile, and are kept too."""
        self.parting[call.id] = call
        await asyncio.gather(*map(self._close, links))
        del self.parting[call.id]
        self._registry.chronicle.touch(call.record)


def _own_link(call: LiveCall, seat: Seat, number: int) -> LiveLink:
    link = call.links.get(number)
    if link is None or call.is_over or link.seats.get(seat.side) is not seat:
        raise VisavisError(
            ErrorKind.CallNotPossible, "That connection has ended or does not exist."
        )
    return link


def _is_wanted(call: LiveCall, link: LiveLink) -> bool:
    return not call.is_over and call.links.get(link.number) is link
