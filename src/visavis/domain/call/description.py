"""Description of one end of a bridge: a browser's SDP as far as the engine uses it."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.leg import RemoteTransport


@dataclass(frozen=True, slots=True)
class Description:
    """A browser's SDP for one bridge, parsed before it reaches the engine.

    `sdp` is the browser's own text, `passed_on` the part that the other page may read. `screen_mid`
    is the mid of the m-section that carries the shared screen, empty if there is none. `has_camera`
    says that another m-section sends video.
    """

    sdp: str
    screen_mid: str
    passed_on: str
    transport: RemoteTransport
    has_camera: bool = False
