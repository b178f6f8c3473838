"""A leg is one browser's transport to us; these are the facts two ends exchange about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VISITOR_LEG: Final = 1
AGENT_LEG: Final = 2
"""Numbers of the legs of a bridge of two: the visitor's browser sends the first offer, the agent's
the answer."""


class CallRole(StrEnum):
    """The role of a participant in a call."""

    VISITOR = "visitor"
    AGENT = "agent"


ROLES: Final = {VISITOR_LEG: CallRole.VISITOR, AGENT_LEG: CallRole.AGENT}
"""The roles at the legs of a bridge of two."""


@dataclass(frozen=True, slots=True)
class BridgeId:
    """Key of a bridge: joined legs of two participants, the `number`-th (from 1) of its call.

    A call begins with one. Another takes its place when the call moves to another agent or when a
    leg was lost with a page or a media worker; the older one flows until the newer one does.
    """

    call_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.call_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class BridgeStatus:
    """A bridge as its media worker has it: the numbers of the legs that are up, and its journal."""

    bridge: BridgeId
    up: frozenset[int] = frozenset()
    has_journal: bool = False
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address of ours a browser may send to (RFC 8839 §5.1): a host candidate.

    `protocol` is `udp`, or `tcp` for a passive ICE-TCP candidate (RFC 6544).
    """

    address: str
    port: int
    protocol: str = "udp"


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of a leg, to be written into the SDP for the browser.

    `fingerprint` is `sha-256 AB:CD:…` as RFC 8122 writes it.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """The browser's end of a leg, read from its SDP.

    `video_payload_types` are those of its RTP that carry video, of which a key frame can be asked
    for, and `video_codecs` the names of their codecs; `audio_payload_types` those of which the
    jitter is measured; `repair_payload_types` those of retransmissions.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    video_payload_types: tuple[int, ...] = ()
    audio_payload_types: tuple[int, ...] = ()
    video_codecs: tuple[str, ...] = ()
    repair_payload_types: tuple[int, ...] = ()
