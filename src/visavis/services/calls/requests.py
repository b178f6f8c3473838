"""Requests of the pages of a call, translated into events of its engine.

SDP is parsed here, so that the engine does not have to.
"""

from __future__ import annotations

from visavis.domain.call import inputs
from visavis.domain.call.description import Description
from visavis.domain.text import clean_text
from visavis.protocol import signaling
from visavis.rtp.sdp import read_transport, restrict_codecs, sent_video

InCallMessage = (
    signaling.HangUp | signaling.Offer | signaling.Answer | signaling.Relink | signaling.Say
)


def read_offer(sdp: str, screen_mid: str = "") -> Description:
    """Return the description of an offer.

    Raises `ParameterInvalid`, also if it offers no codec that can be recorded.
    """
    restricted = restrict_codecs(sdp)
    return _description(sdp, screen_mid, restricted)


def read_answer(sdp: str, screen_mid: str) -> Description:
    """Return the description of an answer; raises `ParameterInvalid`."""
    return _description(sdp, screen_mid, sdp)


def _description(sdp: str, screen_mid: str, passed_on: str) -> Description:
    has_camera = bool(sent_video(sdp) - {screen_mid})
    return Description(sdp, screen_mid, passed_on, read_transport(passed_on), has_camera)


def event_of(participant: int, message: InCallMessage) -> inputs.Event:
    """Return the event for a participant's request; raises `ParameterInvalid`."""
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
