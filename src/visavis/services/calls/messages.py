"""Messages of the pages of a call: their requests as events, its notices as messages.

SDP is parsed and rewritten here, so that the engine need not read it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from visavis.domain.call import inputs, notices
from visavis.domain.call.description import Description
from visavis.domain.text import clean_text
from visavis.protocol import signaling
from visavis.rtp.sdp import (
    provisional_answer,
    read_transport,
    restrict_codecs,
    rewrite,
    sent_video,
)

CallMessage = signaling.ToVisitor | signaling.ToAgent
InCallMessage = (
    signaling.HangUp | signaling.Offer | signaling.Answer | signaling.Relink | signaling.Say
)


def read_offer(sdp: str, screen_mid: str = "") -> Description:
    """Raises `ParameterInvalid`, also if nothing that it offers could be recorded."""
    restricted = restrict_codecs(sdp)
    return _description(sdp, screen_mid, restricted)


def read_answer(sdp: str, screen_mid: str) -> Description:
    """Raises `ParameterInvalid`."""
    return _description(sdp, screen_mid, sdp)


def _description(sdp: str, screen_mid: str, passed_on: str) -> Description:
    has_camera = bool(sent_video(sdp) - {screen_mid})
    return Description(sdp, screen_mid, passed_on, read_transport(passed_on), has_camera)


def event_of(participant: int, message: InCallMessage) -> inputs.Event:
    """Return the event of a participant's request; raises `ParameterInvalid`."""
    match message:
        case signaling.HangUp():
            return inputs.HungUp(participant)
        case signaling.Offer():
            description = read_offer(message.sdp, message.screen_mid)
            return inputs.OfferReceived(participant, message.link, description)
        case signaling.Answer():
            description = read_answer(message.sdp, message.screen_mid)
            return inputs.AnswerReceived(participant, message.link, description)
        case signaling.Relink():
            return inputs.BridgeLost(message.link)
        case _:
            return inputs.LineWritten(participant, clean_text(message.text), message.id)


def message_of(call_id: str, notice: notices.Notice) -> CallMessage:
    """Return the signalling message of a notice; `RelaysNotice` has none of its own."""
    return _MESSAGES[type(notice)](call_id, notice)


def _calling(call_id: str, notice: notices.CallingNotice) -> CallMessage:
    return signaling.Calling(
        call_id=call_id,
        is_recorded=notice.is_recorded,
        secret=notice.secret,
        resume_seconds=notice.resume_seconds,
    )


def _state(call_id: str, notice: notices.StateNotice) -> CallMessage:
    return signaling.CallStateChanged(
        call_id=call_id,
        state=notice.state,
        at=notice.at,
        link=notice.bridge,
        agent_name=notice.agent_name,
        visitor_name=notice.visitor_name,
    )


def _queued(call_id: str, notice: notices.QueuedNotice) -> CallMessage:
    return signaling.Queued(call_id=call_id, place=notice.place)


def _ring(call_id: str, notice: notices.RingNotice) -> CallMessage:
    return signaling.Ring(
        call_id=call_id,
        media=notice.media,
        visitor_name=notice.visitor_name,
        is_recorded=notice.is_recorded,
        since=notice.since,
        resume_seconds=notice.resume_seconds,
        visitor_email=notice.visitor_email,
        transferred_by=notice.transferred_by,
        note=notice.note,
    )


def _ring_stopped(call_id: str, notice: notices.RingStoppedNotice) -> CallMessage:
    return signaling.RingStopped(call_id=call_id, reason=notice.reason)


def _assigned(call_id: str, notice: notices.AssignedNotice) -> CallMessage:
    return signaling.Mine(
        call_id=call_id,
        media=notice.media,
        visitor_name=notice.visitor_name,
        is_recorded=notice.is_recorded,
        since=notice.since,
        resume_seconds=notice.resume_seconds,
        visitor_email=notice.visitor_email,
    )


def _connect(call_id: str, notice: notices.ConnectNotice) -> CallMessage:
    return signaling.Connect(call_id=call_id, link=notice.bridge)


def _offer(call_id: str, notice: notices.OfferNotice) -> CallMessage:
    sdp = rewrite(notice.sdp, notice.transport, "actpass")
    return signaling.Offer(
        call_id=call_id, link=notice.bridge, sdp=sdp, screen_mid=notice.screen_mid
    )


def _answer(call_id: str, notice: notices.AnswerNotice) -> CallMessage:
    sdp = rewrite(notice.sdp, notice.transport, "passive")
    return signaling.Answer(
        call_id=call_id, link=notice.bridge, sdp=sdp, screen_mid=notice.screen_mid
    )


def _provisional_answer(call_id: str, notice: notices.ProvisionalAnswerNotice) -> CallMessage:
    sdp = provisional_answer(notice.offer, notice.transport)
    return signaling.ProvisionalAnswer(call_id=call_id, link=notice.bridge, sdp=sdp)


def _flowing(call_id: str, notice: notices.FlowingNotice) -> CallMessage:
    return signaling.Linked(call_id=call_id, link=notice.bridge)


def _line(call_id: str, notice: notices.LineNotice) -> CallMessage:
    line = notice.line
    return signaling.Said(call_id=call_id, by=line.by, text=line.text, at=line.at, id=line.id)


def _transcript(call_id: str, notice: notices.TranscriptNotice) -> CallMessage:
    lines = [
        signaling.TextLine(by=line.by, text=line.text, at=line.at, id=line.id)
        for line in notice.lines
    ]
    return signaling.Transcript(call_id=call_id, lines=lines)


def _recording(call_id: str, notice: notices.RecordingNotice) -> CallMessage:
    return signaling.RecordingChanged(
        call_id=call_id, state=notice.state.value, since=notice.since, by=notice.by
    )


def _quality(call_id: str, notice: notices.QualityNotice) -> CallMessage:
    report = notice.report
    return signaling.Quality(
        call_id=call_id,
        mos=report["mos"],
        loss=max(report["lossIn"], report["lossOut"]),
        jitter=report["jitter"],
        round_trip=report["roundTrip"],
    )


def _transfer_failed(call_id: str, notice: notices.TransferFailedNotice) -> CallMessage:
    return signaling.TransferFailed(call_id=call_id, reason=notice.reason)


def _end(call_id: str, notice: notices.EndNotice) -> CallMessage:
    return signaling.Ended(call_id=call_id, reason=notice.reason, by=notice.by)


def _refusal(call_id: str, notice: notices.RefusalNotice) -> CallMessage:
    return signaling.Refused(
        error=notice.error.name,
        message=notice.message,
        call_id=call_id,
        code=notice.code,
        parameters=dict(notice.parameters),
    )


_MESSAGES: Final[dict[type, Callable[[str, Any], CallMessage]]] = {
    notices.CallingNotice: _calling,
    notices.StateNotice: _state,
    notices.QueuedNotice: _queued,
    notices.RingNotice: _ring,
    notices.RingStoppedNotice: _ring_stopped,
    notices.AssignedNotice: _assigned,
    notices.ConnectNotice: _connect,
    notices.OfferNotice: _offer,
    notices.AnswerNotice: _answer,
    notices.ProvisionalAnswerNotice: _provisional_answer,
    notices.FlowingNotice: _flowing,
    notices.LineNotice: _line,
    notices.TranscriptNotice: _transcript,
    notices.RecordingNotice: _recording,
    notices.QualityNotice: _quality,
    notices.TransferFailedNotice: _transfer_failed,
    notices.EndNotice: _end,
    notices.RefusalNotice: _refusal,
}
