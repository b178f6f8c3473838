"""The messages between a page and us: JSON objects told apart by `type`.

`docs/protocol.md` describes each; a test holds that document to these names.
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
    """Ask whether the other end is still there; either side may. The answer is a `Pong`."""


class Pong(Message, frozen=True):
    """The answer to a `Ping`, at once."""


# From either page


class HangUp(Message, frozen=True):
    """Leave the call. While it rings this cancels it."""

    call_id: CallId


class Offer(Message, frozen=True):
    """An SDP offer for a link: from the visitor its first, from either page a renegotiation.

    Arrives at the other page with our transport in it. `screen_mid` is the mid (RFC 9143) of the
    m-section that carries the sender's screen; empty while it shares none.
    """

    call_id: CallId
    link: LinkNumber
    sdp: Sdp
    screen_mid: Mid = ""


class Answer(Message, frozen=True):
    """The SDP answer to an `Offer` of the same link; arrives with our transport in it."""

    call_id: CallId
    link: LinkNumber
    sdp: Sdp
    screen_mid: Mid = ""


class Resume(Message, frozen=True):
    """A page that has lost its socket, or was loaded anew, takes its call up again.

    `secret` is the one of `Calling`; an agent needs none, they are signed in. Unless the page
    `has_media` still, both pages get a new link. The answer is a `CallStateChanged`, or `Refused`.
    """

    call_id: CallId
    secret: Secret = ""
    has_media: bool = False


class Relink(Message, frozen=True):
    """This page's link no longer carries media and its ICE agent has given up: build another."""

    call_id: CallId
    link: LinkNumber


class Say(Message, frozen=True):
    """A line of text beside the call.

    `id` is the page's name for it: a line that is sent again under the same `id` is written once,
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
    """Before a call: does the way to the media port work? `offer` has one m-section, inactive.

    The answer is a `Probed` with a transport that a media worker keeps for `PROBE_SECONDS`.
    """

    offer: Sdp


class PlaceCall(Message, frozen=True, tag="call"):
    """Call the site's agents; `offer` is the visitor's SDP for link 1.

    `agreed` says that the visitor agrees to being recorded. `invitation` answers an agent's
    `Invited`: then that agent's console alone has the call, at once.
    """

    media: Media
    offer: Sdp
    name: ShortText = ""
    email: ShortText = ""
    agreed: bool = False
    invitation: CallId = ""


class LeaveMessage(Message, frozen=True):
    """After a call that nobody took: what the visitor wants to be told to the agents.

    Answered with `MessageKept`. The same message sent again is kept once. Without a call (an empty
    `call_id`, a message while nobody is on duty) it stands as a missed call of its own, known by
    the page's `id`.
    """

    call_id: CallId
    text: LongText
    name: ShortText = ""
    email: ShortText = ""
    id: CallId = ""


# From the agent's page


class Accept(Message, frozen=True):
    """Take a ringing call. The first agent to do so has it. `media` is what the agent sends."""

    call_id: CallId
    media: Media = "video"


class Decline(Message, frozen=True):
    """Do not take a ringing call; it rings on for the other agents."""

    call_id: CallId


class Presence(Message, frozen=True):
    """Whether calls may ring at this agent's desks; told to all of them when it changes."""

    is_available: bool


class Invite(Message, frozen=True):
    """Ask a visitor who is on a page of the site into a call."""

    visitor_id: CallId
    media: Media


class Transfer(Message, frozen=True):
    """Ring another agent for the call that I am in; it stays mine until they have it.

    `note` is for that agent only: what the call is about.
    """

    call_id: CallId
    agent_id: int
    note: Note = ""


class Record(Message, frozen=True):
    """Start recording by hand, pause it, or go on with it."""

    call_id: CallId
    action: Literal["start", "pause", "resume"]


# To either page


class IceServer(msgspec.Struct, frozen=True, rename="camel"):
    """W3C RTCIceServer."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class IceServers(Message, frozen=True):
    """STUN and TURN servers for links to come.

    Only the parties of a call are told of TURN servers, with credentials of that call, and again
    before these expire. `has_relay` says to everybody whether there are TURN servers.
    """

    servers: list[IceServer]
    has_relay: bool = False


class Availability(Message, frozen=True):
    """The switch, as it is now and whenever it changes: may calls be placed, are they recorded.

    With `needs_agreement` a visitor must agree to being recorded before a call. `is_staffed` says
    whether an agent is on duty; otherwise a visitor may leave a message, and a call is missed.
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
    """Link `link` flows: older ones may go."""

    call_id: CallId
    link: int


class Said(Message, frozen=True):
    """A line of text beside the call, to both its pages; `id` is that of its `Say`."""

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
    """The latest lines of the call, for a page that may have missed some of them."""

    call_id: CallId
    lines: list[TextLine]


class RecordingChanged(Message, frozen=True, tag="recording"):
    """Whether the call is recorded, since when, and who had it so."""

    call_id: CallId
    state: Literal["off", "on", "paused"]
    since: datetime
    by: Party = "system"


class Quality(Message, frozen=True):
    """Quality of this page's leg, measured by the media worker.

    `mos` 1 to 4.5 (estimate, ITU-T G.107), `loss` 0 to 1 of the worse direction, `jitter` and
    `round_trip` in milliseconds; `None` where nothing is known yet.
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

    `code` is a name of `ErrorCode`, or `error` again; `parameters` are those of its sentence.
    `call_id` and `id` are those of the message that is refused, where it has them.
    """

    error: str
    message: str
    call_id: CallId | None = None
    id: str | None = None
    code: str = ""
    parameters: dict[str, str | int] = {}


# To the visitor's page


class Calling(Message, frozen=True):
    """The call exists; `secret` takes it up again (`Resume`) within `resume_seconds`."""

    call_id: CallId
    is_recorded: bool
    resume_seconds: int
    secret: str = ""


class Queued(Message, frozen=True):
    """Every agent is busy or away; `place` counts from 1. Again whenever it changes."""

    call_id: CallId
    place: int


class Connect(Message, frozen=True):
    """Make a peer connection for this link and send its `Offer`; the older one stays for now."""

    call_id: CallId
    link: int


class ProvisionalAnswer(Message, frozen=True):
    """Our transport, before anybody has answered: connect, but send nothing (RFC 9429 §4.1.10.1).

    A page whose browser knows no provisional answers may ignore it: `Answer` has all of it again.
    """

    call_id: CallId
    link: int
    sdp: str


class MessageKept(Message, frozen=True):
    """The visitor's `LeaveMessage` is kept: the agents will find it."""

    call_id: CallId


class Probed(Message, frozen=True):
    """The answer to a `Probe`'s offer: connect, and see whether that works."""

    sdp: str


class Invited(Message, frozen=True):
    """An agent asks you into a call: `PlaceCall` with this `invitation`, or do nothing."""

    invitation: CallId
    agent_name: str
    media: Media


# To the agent's page


class Welcome(Message, frozen=True):
    """The agent who is signed in here, and the server's time: ages are counted from that."""

    agent_name: str
    site_id: int
    may_accept_calls: bool
    now: datetime
    agent_id: int = 0
    is_available: bool = True


class Ring(Message, frozen=True):
    """A visitor calls; or, with `transferred_by`, an agent hands a call over.

    A page that has the call may take it up again (`Resume`) within `resume_seconds`.
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
    """A call no longer rings here: another agent has it, or it is over."""

    call_id: CallId
    reason: str


class Mine(Message, frozen=True):
    """This desk has the call without having accepted it: by invitation, or after a `Resume`.

    The page may take it up again (`Resume`) within `resume_seconds`. `transferring_to` is the ID of
    the agent to whom this page is transferring the call, or 0.
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
    """The site's agents who are on duty, whenever that changes."""

    members: list[TeamMember]


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str
    visitor_name: str
    media: Media
    since: datetime


class Queue(Message, frozen=True):
    """The calls that wait for a free agent, first come first served."""

    calls: list[Waiting]


class PageVisitor(msgspec.Struct, frozen=True, rename="camel"):
    visitor_id: str
    name: str
    page: str
    since: datetime


class Visitors(Message, frozen=True):
    """Visitors on the site's pages and in no call: at most 100, sent at most once a second."""

    visitors: list[PageVisitor]
    count: int


class PastCalls(Message, frozen=True):
    """The list of past calls has changed: a call has ended, or a visitor has left a message.

    `revision` is another number after each change.
    """

    revision: int


class TransferFailed(Message, frozen=True):
    """The other agent did not take the call; it is still yours."""

    call_id: CallId
    reason: str


Check = Ping | Pong
"""Either side's question whether the connection is alive: answered by the socket, not by a call."""

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
