"""Events of a call in the HTTP API: one struct for each name, with its data.

Each event is self-contained, so that it can also be sent on its own, not only listed.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from visavis.domain import call_events
from visavis.domain.call import EndReason
from visavis.domain.vocabulary import Party
from visavis.protocol.wire import JsonBody, Time, format_time


class NoData(JsonBody):
    """The event has no data."""


class AgentData(JsonBody, omit_defaults=True):
    """The agent who has the call from this event on."""

    agent_name: str | UnsetType = UNSET
    agent_id: int | UnsetType = UNSET


class SideData(JsonBody, omit_defaults=True):
    """The side that caused the event."""

    side: Literal["visitor", "agent"] | UnsetType = UNSET


class EndData(JsonBody, omit_defaults=True):
    """The reason for the end of the call."""

    reason: EndReason | UnsetType = UNSET


class WhyData(JsonBody, omit_defaults=True):
    """A sentence that says why the call is not recorded."""

    why: str | UnsetType = UNSET


class LinkData(JsonBody, omit_defaults=True):
    """Number of the link that carries media from this event on."""

    link: int | UnsetType = UNSET


class TextData(JsonBody, omit_defaults=True):
    """The chat line."""

    text: str | UnsetType = UNSET


class ChatEvent(JsonBody, tag_field="name"):
    """A new state of the call, or another event in it.

    The keys of data depend on name; later versions may add keys.
    """

    time: Time
    by: Party


class CallRequested(ChatEvent, tag="requested"):
    """The call was requested."""

    data: NoData


class CallQueued(ChatEvent, tag="queued"):
    """No agent is free, so the call waits."""

    data: NoData


class CallRinging(ChatEvent, tag="ringing"):
    """The call rings at the consoles of agents."""

    data: NoData


class CallAccepted(ChatEvent, tag="accepted"):
    """An agent has accepted the call."""

    data: AgentData


class CallConnecting(ChatEvent, tag="connecting"):
    """The browsers are being connected."""

    data: NoData


class CallConnected(ChatEvent, tag="connected"):
    """Both sides are connected, for the first time or again."""

    data: NoData


class CallReconnecting(ChatEvent, tag="reconnecting"):
    """A side lost its connection."""

    data: NoData


class CallEnded(ChatEvent, tag="ended"):
    """The call has ended."""

    data: EndData


class CallUpgraded(ChatEvent, tag="upgraded"):
    """A side added video to an audio call."""

    data: SideData


class ShareStarted(ChatEvent, tag="shareStarted"):
    """A side started to share its screen."""

    data: SideData


class ShareStopped(ChatEvent, tag="shareStopped"):
    """A side stopped sharing its screen."""

    data: SideData


class CallTransferred(ChatEvent, tag="transferred"):
    """Another agent has taken the call over."""

    data: AgentData


class RecordingStarted(ChatEvent, tag="recordingStarted"):
    """The recording was started."""

    data: NoData


class RecordingPaused(ChatEvent, tag="recordingPaused"):
    """The recording was paused."""

    data: NoData


class RecordingResumed(ChatEvent, tag="recordingResumed"):
    """The recording was resumed."""

    data: NoData


class CallUnrecorded(ChatEvent, tag="unrecorded"):
    """The call should be recorded and is not."""

    data: WhyData


class LinkConnected(ChatEvent, tag="linked"):
    """A new link carries media."""

    data: LinkData


class TextWritten(ChatEvent, tag="text"):
    """A side wrote a chat line."""

    data: TextData


AnyChatEvent = (
    CallRequested
    | CallQueued
    | CallRinging
    | CallAccepted
    | CallConnecting
    | CallConnected
    | CallReconnecting
    | CallEnded
    | CallUpgraded
    | ShareStarted
    | ShareStopped
    | CallTransferred
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | CallUnrecorded
    | LinkConnected
    | TextWritten
)


def chat_event_of(event: call_events.CallEvent) -> AnyChatEvent:
    """Return the listed form of an event; raise `ValidationError` for an unknown one."""
    listed = {
        "name": event.name,
        "time": format_time(event.at),
        "by": event.by,
        "data": event.data,
    }
    found: AnyChatEvent = msgspec.convert(listed, AnyChatEvent)
    return found
