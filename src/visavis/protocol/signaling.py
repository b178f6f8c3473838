"""Signalling messages between a page and the server: JSON objects, distinguished by `type`.

`docs/protocol.md` describes each message; a test compares the names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from visavis.domain.vocabulary import Media, Party

MAX_MESSAGE_BYTES = 64 * 1024

PROBE_SECONDS = 10.0

CallId = Annotated[str, Meta(max_length=64)]
LinkNumber = Annotated[int, Meta(ge=1, le=10_000)]
Sdp = Annotated[str, Meta(min_length=1, max_length=48 * 1024)]
Mid = Annotated[str, Meta(max_length=16)]
Secret = Annotated[str, Meta(max_length=64)]
ShortText = Annotated[str, Meta(max_length=200)]
Note = Annotated[str, Meta(max_length=1000)]
LongText = Annotated[str, Meta(min_length=1, max_length=4000)]


def _tag(name: str) -> str:
    return name[0].lower() + name[1:]


class Message(msgspec.Struct, frozen=True, rename="camel", tag_field="type", tag=_tag):
    """A signalling message; `type` is the class's name in camelCase."""


class Ping(Message, frozen=True):
    """Checks whether the other end is alive; either end may send it. The answer is a `Pong`."""


class Pong(Message, frozen=True):
    """Immediate answer to a `Ping`."""


# From either page


class HangUp(Message, frozen=True):
    """Leave the call. While it rings, this cancels it."""

    call_id: CallId


class Offer(Message, frozen=True):
    """An SDP offer for a link: the visitor's first one, or a renegotiation of either page.

    The other page receives it with our transport. `screen_mid` is the mid (RFC 9143) of the
    m-section that carries the sender's screen, empty if it shares none.
    """

    call_id: CallId
    link: LinkNumber
    sdp: Sdp
    screen_mid: Mid = ""


class Answer(Message, frozen=True):
    """The SDP answer to an `Offer` of the same link; it arrives with our transport.

    A visitor's page that has resumed receives the answer to its first offer again (`is_repeated`),
    and ignores it unless it still awaits that answer.
    """

    call_id: CallId
    link: LinkNumber
    sdp: Sdp
    screen_mid: Mid = ""
    is_repeated: bool = False


class Resume(Message, frozen=True):
    """Resume the call on a page that has lost its socket or was reloaded.

    `secret` is that of `Calling`; an agent needs none, because they are signed in. If the page no
    longer `has_media`, both pages get a new link. The answer is a `CallStateChanged`, or `Refused`.
    """

    call_id: CallId
    secret: Secret = ""
    has_media: bool = False


class Relink(Message, frozen=True):
    """Request a new link: this page's link carries no media and its ICE agent has failed."""

    call_id: CallId
    link: LinkNumber


class Say(Message, frozen=True):
    """A chat line of the call.

    `id` is chosen by the page. If a line is sent again with the same `id`, it is stored only once
    and answered with its `Said` again.
    """

    call_id: CallId
    text: LongText
    id: CallId = ""


# From the visitor's page


class Here(Message, frozen=True):
    """The visitor and their page, so that an agent can invite them; sent at every change."""

    page: ShortText = ""
    name: ShortText = ""
    email: ShortText = ""


class Probe(Message, frozen=True):
    """Test the way to the media port before a call; `offer` has one inactive m-section.

    The answer is a `Probed` with a transport that a media worker keeps for `PROBE_SECONDS`.
    """

    offer: Sdp


class PlaceCall(Message, frozen=True, tag="call"):
    """Call the site's agents; `offer` is the visitor's SDP for link 1.

    `agreed` says that the visitor agrees to be recorded. `invitation` is that of an agent's
    `Invited`: the call is then connected to this agent at once, without ringing.
    """

    media: Media
    offer: Sdp
    name: ShortText = ""
    email: ShortText = ""
    agreed: bool = False
    invitation: CallId = ""


class LeaveMessage(Message, frozen=True):
    """Leave a message for the agents after a missed call.

    It is answered with `MessageKept`. The same message sent again is stored once. With an empty
    `call_id`, while no agent is on duty, the message gets a missed call of its own, identified by
    the page's `id`.
    """

    call_id: CallId
    text: LongText
    name: ShortText = ""
    email: ShortText = ""
    id: CallId = ""


# From the agent's page


class Accept(Message, frozen=True):
    """Accept a ringing call; the first agent gets it. `media` is what the agent sends."""

    call_id: CallId
    media: Media = "video"


class Decline(Message, frozen=True):
    """Decline a ringing call; it rings on at the other agents."""

    call_id: CallId


class Presence(Message, frozen=True):
    """Whether calls may ring at this agent's consoles; sent to all of them when it changes."""

    is_available: bool


class Invite(Message, frozen=True):
    """Invite a visitor who is on a page of the site into a call."""

    visitor_id: CallId
    media: Media


class Transfer(Message, frozen=True):
    """Ring another agent for the sender's call; the sender keeps it until that agent has it.

    `note` says what the call is about; only the other agent receives it.
    """

    call_id: CallId
    agent_id: int
    note: Note = ""


class Record(Message, frozen=True):
    """Start, pause or resume the recording."""

    call_id: CallId
    action: Literal["start", "pause", "resume"]


# To either page


class IceServer(msgspec.Struct, frozen=True, rename="camel"):
    """W3C RTCIceServer."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class IceServers(Message, frozen=True):
    """STUN and TURN servers for future links.

    Only the participants of a call receive TURN servers, with credentials for that call, and new
    ones before these expire. `has_relay` says to all pages whether there are TURN servers.
    """

    servers: list[IceServer]
    has_relay: bool = False


class Availability(Message, frozen=True):
    """Whether calls may be placed and whether they are recorded; sent at first and at every change.

    With `needs_agreement` a visitor must agree to be recorded before a call. `is_staffed` says
    whether an agent is on duty; if not, a call is missed, and a visitor can leave a message.
    """

    is_enabled: bool
    is_recorded: bool
    needs_agreement: bool = False
    is_staffed: bool = True


class CallStateChanged(Message, frozen=True, tag="callState"):
    """The call has reached `state` at `at`, on link `link`."""

    call_id: CallId
    state: str
    at: datetime
    link: int = 1
    agent_name: str = ""
    visitor_name: str = ""


class Linked(Message, frozen=True):
    """Link `link` carries media; the page may close older ones."""

    call_id: CallId
    link: int


class Said(Message, frozen=True):
    """A chat line, sent to both pages of the call; `id` is that of its `Say`."""

    call_id: CallId
    by: Party
    text: str
    at: datetime
    id: str = ""


class TextLine(msgspec.Struct, frozen=True, rename="camel"):
    by: Party
    text: str
    at: datetime
    id: str = ""


class Transcript(Message, frozen=True):
    """The latest chat lines of the call, for a page that may have missed some of them."""

    call_id: CallId
    lines: list[TextLine]


class RecordingChanged(Message, frozen=True, tag="recording"):
    """State of the recording, the time of its last change, and the party that made it."""

    call_id: CallId
    state: Literal["off", "on", "paused"]
    since: datetime
    by: Party = "system"


class Quality(Message, frozen=True):
    """Quality of this page's leg, measured by the media worker.

    `mos` is 1 to 4.5 (estimated, ITU-T G.107), `loss` is 0 to 1 in the worse direction, `jitter`
    and `round_trip` are in milliseconds; `None` if not known yet.
    """

    call_id: CallId
    mos: float | None
    loss: float
    jitter: float
    round_trip: float | None


class Ended(Message, frozen=True):
    """The call is over for this page; `reason` is a name of `EndReason`."""

    call_id: CallId
    reason: str
    by: Party


class Refused(Message, frozen=True):
    """A request was refused; `error` is a name of `ErrorKind`.

    `code` is a name of `ErrorCode`, or `error` again; `parameters` fill its sentence. `call_id` and
    `id` are those of the refused message, if it has them.
    """

    error: str
    message: str
    call_id: CallId | None = None
    id: str | None = None
    code: str = ""
    parameters: dict[str, str | int] = {}


# To the visitor's page


class Calling(Message, frozen=True):
    """The call exists; with `secret` the page can resume it within `resume_seconds`."""

    call_id: CallId
    is_recorded: bool
    resume_seconds: int
    secret: str = ""


class Queued(Message, frozen=True):
    """All agents are busy or away; `place` counts from 1. Sent again whenever it changes."""

    call_id: CallId
    place: int


class Connect(Message, frozen=True):
    """Create a peer connection for this link and send its `Offer`; keep the older one for now."""

    call_id: CallId
    link: int


class ProvisionalAnswer(Message, frozen=True):
    """Our transport, before an agent answers: connect, but send nothing (RFC 9429 §4.1.10.1).

    A page whose browser does not support provisional answers may ignore it, since `Answer` repeats
    all of it.
    """

    call_id: CallId
    link: int
    sdp: str


class MessageKept(Message, frozen=True):
    """The visitor's `LeaveMessage` is stored for the agents."""

    call_id: CallId


class Probed(Message, frozen=True):
    """Answer to the offer of a `Probe`: connect, and see whether that succeeds."""

    sdp: str


class Invited(Message, frozen=True):
    """An agent invites the visitor: accept by `PlaceCall` with this `invitation`, or do nothing."""

    invitation: CallId
    agent_name: str
    media: Media


# To the agent's page


class Welcome(Message, frozen=True):
    """The agent who is signed in, and the server's time `now`, from which ages are counted."""

    agent_name: str
    site_id: int
    may_accept_calls: bool
    now: datetime
    agent_id: int = 0
    is_available: bool = True


class Ring(Message, frozen=True):
    """A visitor calls, or, with `transferred_by`, an agent transfers a call.

    A page that has accepted the call may resume it (`Resume`) within `resume_seconds`.
    """

    call_id: CallId
    media: Media
    visitor_name: str
    is_recorded: bool
    since: datetime
    resume_seconds: int
    visitor_email: str = ""
    transferred_by: str = ""
    note: str = ""


class RingStopped(Message, frozen=True):
    """A call no longer rings here: another agent has it, or it has ended."""

    call_id: CallId
    reason: str


class Mine(Message, frozen=True):
    """This console has the call without having accepted it: by invitation, or after a `Resume`.

    The page may resume it (`Resume`) within `resume_seconds`. `transferring_to` is the id of the
    agent to whom this page is transferring the call, 0 if there is none.
    """

    call_id: CallId
    media: Media
    visitor_name: str
    is_recorded: bool
    since: datetime
    resume_seconds: int
    visitor_email: str = ""
    transferring_to: int = 0


class TeamMember(msgspec.Struct, frozen=True, rename="camel"):
    agent_id: int
    name: str
    state: Literal["available", "busy", "away"]


class Team(Message, frozen=True):
    """The site's agents who have a console open; sent at every change."""

    members: list[TeamMember]


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str
    visitor_name: str
    media: Media
    since: datetime


class Queue(Message, frozen=True):
    """The calls that wait for a free agent, in the order in which they are served."""

    calls: list[Waiting]


class PageVisitor(msgspec.Struct, frozen=True, rename="camel"):
    visitor_id: str
    name: str
    page: str
    since: datetime


class Visitors(Message, frozen=True):
    """Visitors on the site's pages who are in no call: at most 100, sent at most once a second."""

    visitors: list[PageVisitor]
    count: int


class PastCalls(Message, frozen=True):
    """The list of past calls has changed: a call has ended, or a visitor has left a message.

    `revision` differs after each change.
    """

    revision: int


class TransferFailed(Message, frozen=True):
    """The other agent did not take the call, so it stays with this agent."""

    call_id: CallId
    reason: str


Check = Ping | Pong
"""Check of the connection by either end: answered by the socket, not by a call."""

FromVisitor = (
    Here | Probe | PlaceCall | Offer | Answer | Resume | Relink | Say | LeaveMessage | HangUp
)
FromAgent = (
    Presence
    | Accept
    | Decline
    | Offer
    | Answer
    | Resume
    | Relink
    | Say
    | Record
    | Invite
    | Transfer
    | HangUp
)
ToEither = (
    Availability
    | IceServers
    | Offer
    | Answer
    | CallStateChanged
    | Linked
    | Said
    | Transcript
    | RecordingChanged
    | Quality
    | Ended
    | Refused
    | Ping
    | Pong
)
ToVisitor = (
    ToEither | MessageKept | Probed | Calling | Queued | Connect | ProvisionalAnswer | Invited
)
ToAgent = (
    ToEither
    | Welcome
    | Presence
    | Ring
    | RingStopped
    | Mine
    | Team
    | Queue
    | Visitors
    | PastCalls
    | TransferFailed
)
