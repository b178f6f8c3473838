"""Messages between the nodes of a cluster, as JSON.

A node that serves a page asks the owner of the page's site. A newer version may add fields and
types of messages, which an older one ignores.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from visavis.domain.people import Agent, Visitor
from visavis.domain.vocabulary import Media
from visavis.protocol import signaling

T = TypeVar("T")


class ChangesWritten(msgspec.Struct, frozen=True):
    """A node has written to the log of changes: the others read it at once."""


class NodeHeartbeat(msgspec.Struct, frozen=True):
    """A node's messages arrive; its last ones say that it `is_leaving`."""

    node: str
    is_leaving: bool = False


class WorkerReport(msgspec.Struct, frozen=True):
    """A media worker of a media node is there: its load, and whether it takes more bridges.

    `worker` is its name, the topic of its control exchanges. `node` has its journals. `busy` is the
    part of a processor that it has used since the last report. `has_room` says whether its spool
    has room for another recording.
    """

    worker: str
    node: str
    region: str = ""
    bridges: int = 0
    busy: float = 0.0
    has_room: bool = True
    is_draining: bool = False


# Requests of pages and programs to the owner of a site


class Session(msgspec.Struct, frozen=True):
    """An agent's page as the node that serves it has authenticated it last."""

    socket_id: str
    agent: Agent
    call_id: str = ""


class OwnerRequest(msgspec.Struct, frozen=True, tag=True):
    """A request to the owner of a site; each is a method of `services.calls.Calls`."""


class VisitorMessage(OwnerRequest, frozen=True):
    visitor: Visitor
    message: signaling.FromVisitor


class VisitorLeft(OwnerRequest, frozen=True):
    visitor: Visitor


class AgentWelcome(OwnerRequest, frozen=True):
    session: Session


class AgentArrived(OwnerRequest, frozen=True):
    session: Session


class AgentMessage(OwnerRequest, frozen=True):
    session: Session
    message: signaling.FromAgent


class AgentLeft(OwnerRequest, frozen=True):
    session: Session


class AgentRevoked(OwnerRequest, frozen=True):
    session: Session


class RelaysExpire(OwnerRequest, frozen=True):
    socket_id: str


class CreateCall(OwnerRequest, frozen=True):
    agent: Agent
    media: Media
    name: str
    email: str


class EndCall(OwnerRequest, frozen=True):
    call_id: str


class FindJoinLink(OwnerRequest, frozen=True):
    token: str
    source: str


AnyOwnerRequest = (
    VisitorMessage
    | VisitorLeft
    | AgentWelcome
    | AgentArrived
    | AgentMessage
    | AgentLeft
    | AgentRevoked
    | RelaysExpire
    | CreateCall
    | EndCall
    | FindJoinLink
)


class Ask(msgspec.Struct, frozen=True, tag=True):
    """A request of a socket, with the same number if it is repeated.

    `node` serves the socket, since its start `boot`.
    """

    node: str
    boot: str
    socket_id: str
    number: int
    site_id: int
    request: AnyOwnerRequest


class NodeAlive(msgspec.Struct, frozen=True, tag=True):
    """A node that serves pages is there; `sites` are those whose state it wants to know."""

    node: str
    boot: str
    sites: tuple[int, ...]


# Answers of an owner


class RequestDone(msgspec.Struct, frozen=True, tag=True):
    """The request was performed.

    `session` is new when the owner no longer knows the sockets of the node that asks, because it
    has restarted or has heard nothing of that node for too long.
    """

    session: str
    result: msgspec.Raw = msgspec.Raw(b"null")


class RequestRefused(msgspec.Struct, frozen=True, tag=True):
    """The request was refused: a `VisavisError`."""

    session: str
    kind: str
    code: str
    message: str
    pointer: str | None
    parameters: dict[str, str | int]


class Moved(msgspec.Struct, frozen=True, tag=True):
    """Another node owns the site, or this one does not know the socket."""


class OwnerAlive(msgspec.Struct, frozen=True, tag=True):
    """The node's sockets in calls, and those of its sites that have an agent on duty.

    `moved` are the sites that the answering node does not own.
    """

    session: str
    in_call: tuple[str, ...]
    staffed: tuple[int, ...]
    moved: tuple[int, ...] = ()


Answer = RequestDone | RequestRefused | Moved


encode: Final = msgspec.json.Encoder().encode
decode_request: Final = msgspec.json.Decoder(Ask | NodeAlive).decode
decode_heartbeat: Final = msgspec.json.Decoder(NodeHeartbeat).decode
decode_worker_report: Final = msgspec.json.Decoder(WorkerReport).decode
decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_owner_alive: Final = msgspec.json.Decoder(OwnerAlive).decode


def done(session: str, result: object) -> RequestDone:
    """Return the answer with the result of a request."""
    return RequestDone(session, msgspec.Raw(encode(result)))


def result_of(answer: RequestDone, kind: type[T]) -> T:
    """Return the result in an answer."""
    return msgspec.json.decode(answer.result, type=kind)
