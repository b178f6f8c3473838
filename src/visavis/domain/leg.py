"""A leg is one browser's transport to us; these are the facts two ends exchange about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Whose leg of a call it is. The visitor's browser offers, the agent's answers."""

    VISITOR = "visitor"
    AGENT = "agent"

    @property
    def other(self) -> Side:
        return Side.AGENT if self is Side.VISITOR else Side.VISITOR


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address of ours a browser may send to (RFC 8839 §5.1): always a UDP host candidate."""

    address: str
    port: int


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

    `video_payload_types` are those of its RTP that carry video, so that a key frame can be asked
    for when the legs are joined.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    video_payload_types: tuple[int, ...] = ()
