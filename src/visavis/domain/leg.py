"""Legs and bridges, and the transport parameters that the two ends of a leg exchange.

A leg is the transport between one browser and a media worker: ICE, DTLS and SRTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VISITOR_LEG: Final = 1
AGENT_LEG: Final = 2
"""Numbers of the legs of a two-party bridge. The visitor's browser sends the first offer, the
agent's browser the answer."""


class CallRole(StrEnum):
    """The role of a participant in a call."""

    VISITOR = "visitor"
    AGENT = "agent"


ROLES: Final = {VISITOR_LEG: CallRole.VISITOR, AGENT_LEG: CallRole.AGENT}
"""Role of the participant at each leg of a two-party bridge."""


@dataclass(frozen=True, slots=True)
class BridgeId:
    """Key of a bridge: the call, and the bridge's `number` in it, from 1.

    A call begins with one bridge. Another bridge replaces it when the call moves to another agent,
    or when a leg is lost because its page was reloaded or its media worker died. The old bridge
    carries media until the new one does.
    """

    call_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.call_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class BridgeStatus:
    """State of a bridge at its media worker: the legs that are up, by number, and its journal."""

    bridge: BridgeId
    up: frozenset[int] = frozenset()
    has_journal: bool = False
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address of ours to which a browser may send: a host candidate (RFC 8839 §5.1).

    `protocol` is `udp`, or `tcp` for a passive ICE-TCP candidate (RFC 6544).
    """

    address: str
    port: int
    protocol: str = "udp"


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Transport parameters of our end of a leg, for the SDP that the browser gets.

    `ufrag` and `pwd` are the ICE credentials. `fingerprint` has the form `sha-256 AB:CD:…` (RFC
    8122). `worker` names the media worker with the leg, among those of all nodes.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[Candidate, ...]
    worker: str = ""


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """Transport parameters of the browser's end of a leg, parsed from its SDP.

    `video_payload_types` are the RTP payload types of video: their sender can be asked for a key
    frame. `video_codecs` are the names of these codecs. `audio_payload_types` are the ones whose
    jitter is measured, `repair_payload_types` those of retransmissions (RFC 4588).
    """

    ufrag: str
    pwd: str
    fingerprint: str
    video_payload_types: tuple[int, ...] = ()
    audio_payload_types: tuple[int, ...] = ()
    video_codecs: tuple[str, ...] = ()
    repair_payload_types: tuple[int, ...] = ()
