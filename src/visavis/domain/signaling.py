"""The messages between a page and us: JSON objects told apart by `type`.

`docs/protocol.md` describes each; a test holds that document to these names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_MESSAGE_BYTES = 64 * 1024

Media = Literal["audio", "video"]
Party = Literal["visitor", "agent", "system"]
CallId = Annotated[str, Meta(max_length=64)]
Sdp = Annotated[str, Meta(min_length=1, max_length=48 * 1024)]
ShortText = Annotated[str, Meta(max_length=200)]


def _tag(name: str) -> str:
    return name[0].lower() + name[1:]


class Message(msgspec.Struct, frozen=True, rename="camel", tag_field="type", tag=_tag):
    """A signalling message; `type` is the class's name in camelCase."""


# From either page


class HangUp(Message, frozen=True):
    """Leave the call. While it rings this cancels it."""

    call_id: CallId


# From the visitor's page


class Call(Message, frozen=True):
    """Call the site's agents; `offer` is the visitor's SDP."""

    media: Media
    offer: Sdp
    name: ShortText = ""
    email: ShortText = ""


# From the agent's page


class Accept(Message, frozen=True):
    """Take a ringing call. The first agent to do so has it."""

    call_id: CallId


class Decline(Message, frozen=True):
    """Do not take a ringing call; it rings on for the other agents."""

    call_id: CallId


class Answer(Message, frozen=True):
    """The agent's SDP answer; to the visitor, the same with our transport in it."""

    call_id: CallId
    sdp: Sdp


# To either page


class Availability(Message, frozen=True):
    """The switch, as it is now and whenever it changes: may calls be placed, are they recorded."""

    is_enabled: bool
    is_recorded: bool


class CallState(Message, frozen=True):
    """The call has reached `state` at `at`."""

    call_id: CallId
    state: str
    at: datetime


class Ended(Message, frozen=True):
    """The call is over; `reason` is a name of `EndReason`."""

    call_id: CallId
    reason: str
    by: Party


class Refused(Message, frozen=True):
    """What was asked for cannot be done; `error` is a name of `ErrorKind`."""

    error: str
    message: str
    call_id: CallId | None = None


# To the visitor's page


class Calling(Message, frozen=True):
    """The call exists and rings; `is_recorded` says whether it will be recorded."""

    call_id: CallId
    is_recorded: bool


# To the agent's page


class Welcome(Message, frozen=True):
    """Who is signed in here."""

    agent_name: str
    site_id: int
    may_accept_calls: bool


class Ring(Message, frozen=True):
    """A visitor calls."""

    call_id: CallId
    media: Media
    visitor_name: str
    is_recorded: bool
    since: datetime


class RingStopped(Message, frozen=True):
    """A call no longer rings here: another agent has it, or it is over."""

    call_id: CallId
    reason: str


class Offer(Message, frozen=True):
    """The visitor's SDP with our transport in it, for the agent who accepted."""

    call_id: CallId
    sdp: Sdp


FromVisitor = Call | HangUp
FromAgent = Accept | Decline | Answer | HangUp
ToVisitor = Availability | Calling | Answer | CallState | Ended | Refused
ToAgent = Availability | Welcome | Ring | RingStopped | Offer | CallState | Ended | Refused
