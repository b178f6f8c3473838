"""Requests of either participant: hang up, negotiate, replace the bridge, chat, resume."""

from __future__ import annotations

from typing import Final

from visavis.domain.call import HANG_UP, CallState
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, Participant
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.media_changes import PARTY
from visavis.services.calls.recording_control import recording_message
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.text import clean_text
from visavis.services.calls.transfers import Transfers

MAX_LINES: Final = 1000

FromParty = signaling.HangUp | signaling.Offer | signaling.Answer | signaling.Relink | signaling.Say


class InCallRequests:
    def __init__(self, registry: CallRegistry, bridges: Bridges, transfers: Transfers) -> None:
        self._registry = registry
        self._bridges = bridges
        self._transfers = transfers

    async def perform(self, site_id: int, socket_id: str, message: FromParty) -> None:
        """Raises `EntityNotFound`, `PermissionDenied`, `CallNotPossible`, `ParameterInvalid`."""
        call, participant = self._registry.participant_of(site_id, message.call_id, socket_id)
        match message:
            case signaling.HangUp():
                self.hang_up(call, participant)
            case signaling.Offer():
                await self._bridges.offer(call, participant, message)
            case signaling.Answer():
                await self._bridges.answer(call, participant, message)
            case signaling.Relink(_, number):
                self._relink(call, number)
            case _:
                self._say(call, participant, message)

    def resume(
        self, call: ActiveCall, participant: Participant, socket_id: str, *, has_media: bool
    ) -> None:
        """Resume the call on a participant's page; raises `CallNotPossible`."""
        self._registry.move_participant(call, participant, socket_id)
        if participant.agent:
            self._registry.send(participant, mine_message(call))
        self._registry.send(
            participant, call.state_message(call.record.state, self._registry.now())
        )
        if call.recording.state != "off" or call.record.is_unrecorded:
            self._registry.send(participant, recording_message(call))
        if call.chat.latest:
            self._registry.send(participant, call.transcript())
        if call.is_waiting:
            self._wait_on(call, has_media=has_media)
        elif has_media:
            self._bridges.repeat_offer_request(call)
        else:
            self._bridges.replace(call)

    def require_no_other_call(self, call: ActiveCall, socket_id: str) -> None:
        """Raise `CallNotPossible` if the page is in another call."""
        current = self._registry.participant_at(socket_id)
        if current and current[0] is not call:
            raise VisavisError(ErrorKind.CallNotPossible, "Hang up your other call first.")

    def _wait_on(self, call: ActiveCall, *, has_media: bool) -> None:
        """Put the visitor back into their place of the queue."""
        if not has_media:
            self._bridges.start(call)  # the offer that we have is of a page that is gone
        if call.record.state is CallState.QUEUED:
            self._registry.send(call.visitor, signaling.Queued(call_id=call.id, place=call.place))
        self._registry.notify_changed(call.site_id)

    def hang_up(self, call: ActiveCall, participant: Participant) -> None:
        """Leave the call; it goes on only if it has already moved to another agent."""
        transfer = call.transfer
        if transfer and participant is transfer.participant:
            self._transfers.fail(call, transfer, "declined")
        elif transfer and transfer.participant and participant is call.agent:
            self._transfers.release_first_agent(call, participant)
        else:
            self._registry.end(call, HANG_UP[participant.side])

    def _relink(self, call: ActiveCall, number: int) -> None:
        if number == call.last_bridge_number:
            self._bridges.replace(call)
        else:
            self._bridges.repeat_offer_request(call)

    def _say(self, call: ActiveCall, participant: Participant, message: signaling.Say) -> None:
        by, text = PARTY[participant.side], clean_text(message.text)
        if line := call.chat.find(by, message.id):
            self._registry.send(
                participant, _said(call, line)
            )  # sent again: the first answer was lost
            return
        if call.is_waiting:
            raise VisavisError(ErrorKind.CallNotPossible, "Nobody has taken the call yet.")
        if not text:
            raise VisavisError(ErrorKind.ParameterInvalid, "Write something first.")
        if call.chat.count >= MAX_LINES:
            raise VisavisError(
                ErrorKind.TooManyRequests, "This call has reached its limit of text."
            )
        line = signaling.TextLine(by=by, text=text, at=self._registry.now(), id=message.id)
        call.chat.add(line)
        self._registry.send_to_both(call, _said(call, line))
        self._registry.record_event(call, CallEventName.TEXT, by=by, text=text)


def _said(call: ActiveCall, line: signaling.TextLine) -> signaling.Said:
    return signaling.Said(call_id=call.id, by=line.by, text=line.text, at=line.at, id=line.id)


def mine_message(call: ActiveCall) -> signaling.Mine:
    record = call.record
    return signaling.Mine(
        call_id=call.id,
        media=record.media,
        visitor_name=record.visitor.name,
        is_recorded=record.is_recorded,
        since=record.requested_at,
        visitor_email=record.visitor.email,
    )
