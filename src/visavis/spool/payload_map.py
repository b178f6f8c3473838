"""Payload map of one leg: the session descriptions' data that identify its RTP packets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from visavis.domain.errors import VisavisError
from visavis.rtp.extension import MID_URI, REPAIRED_RID_URI, RID_URI
from visavis.rtp.sdp import Codec, MediaSection, media_sections, sent_video
from visavis.spool.notes import DescribedLeg, Descriptions


@dataclass(frozen=True, slots=True)
class PayloadMap:
    """Data of the session descriptions that identify the packets of a leg.

    `codecs` are by payload type. `mids`, `layers` (of simulcast) and `repairs` are by SSRC;
    `repairs` gives the SSRC that a stream of retransmissions repairs. The extensions are the IDs of
    the header extensions with the MID, the RID (simulcast, RFC 8853) and the repaired RID.
    `has_camera` says whether the leg sends video besides its screen.
    """

    codecs: dict[int, Codec] = field(default_factory=dict)
    mids: dict[int, str] = field(default_factory=dict)
    repairs: dict[int, int] = field(default_factory=dict)
    layers: dict[int, str] = field(default_factory=dict)
    mid_extension: int | None = None
    rid_extension: int | None = None
    repaired_rid_extension: int | None = None
    screen_mid: str = ""
    has_camera: bool = False


def read_payload_map(note: Descriptions, leg: DescribedLeg) -> PayloadMap:
    """Return the payload map of the packets that a leg of the note sends.

    Never raises: an unusable description results in an empty map.
    """
    own = _sections(leg.sdp)
    others = [s for other in note.legs if other is not leg for s in _sections(other.sdp)]
    numbers: dict[str, int] = {}
    for section in [*own, *others]:
        numbers = section.extensions | numbers
    return PayloadMap(
        # A sender uses the payload types of the receiver's description (RFC 3264 §5.1).
        codecs={pt: codec for s in [*own, *others] for pt, codec in s.codecs.items()},
        mids={source: s.mid for s in own for source in s.sources},
        repairs={repair: source for s in own for repair, source in s.repairs.items()},
        layers={source: layer for s in own for source, layer in s.layers.items()},
        mid_extension=numbers.get(MID_URI),
        rid_extension=numbers.get(RID_URI),
        repaired_rid_extension=numbers.get(REPAIRED_RID_URI),
        screen_mid=leg.screen_mid,
        has_camera=bool(_sent_video(leg.sdp) - {leg.screen_mid}),
    )


@lru_cache(maxsize=8)
def _sections(sdp: str) -> tuple[MediaSection, ...]:
    try:
        return tuple(media_sections(sdp))
    except VisavisError:
        return ()


@lru_cache(maxsize=8)
def _sent_video(sdp: str) -> frozenset[str]:
    try:
        return sent_video(sdp)
    except VisavisError:
        return frozenset()
