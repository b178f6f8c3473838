"""Rewriting of session descriptions (RFC 8866) on their way from one browser to the other.

The browsers negotiate media with each other. In each description we replace the transport (ICE,
DTLS, candidates) by our own and remove the codecs that the recorder cannot depacketise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Candidate, LocalTransport, RemoteTransport

MAX_BYTES: Final = 48 * 1024
MAX_SECTIONS: Final = 8
DISCARD_PORT: Final = 9
"""Placeholder for a port that the candidates give (RFC 9429 §5.2.1)."""

RECORDABLE: Final = {
    "audio": frozenset({"OPUS"}),
    "video": frozenset({"VP8", "VP9", "H264", "AV1"}),
}
"""Names of the codecs for which `rtp.codecs` has a depacketiser, by kind of media."""

ORIENTATION_URI: Final = "urn:3gpp:video-orientation"
"""Header extension for video that the receiver rotates.

A phone that has not negotiated it rotates the pictures before it encodes them.
"""

_TRANSPORT = re.compile(
    r"a=(ice-ufrag|ice-pwd|ice-options|ice-lite|fingerprint|setup|candidate|end-of-candidates"
    r"|remote-candidates|rtcp)(:|$)"
)
_TCP_TYPE: Final = {"tcp": " tcptype passive"}
_OF_ONE_DIRECTION = re.compile(
    r"a=(sendrecv|sendonly|recvonly|inactive|msid|ssrc|ssrc-group|rid|simulcast|bundle-only)(:|$)"
)
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_OF_A_CODEC: Final = ("a=rtpmap:", "a=fmtp:")
_APT = re.compile(r"apt=(\d{1,3})\b")
_PER_CODEC = re.compile(r"a=(rtpmap|fmtp|rtcp-fb):(\d+) ?(.*)")
_SOURCE = re.compile(r"a=ssrc:(\d{1,10}) ")
_REPAIR = re.compile(r"a=ssrc-group:FID (\d{1,10}) (\d{1,10})$")
_SIMULCAST = re.compile(r"a=ssrc-group:SIM (\d{1,10}(?: \d{1,10}){1,7})$")
_EXTENSION = re.compile(r"a=extmap:(\d{1,3})(?:/\w+)? (\S+)")
_RTPMAP = re.compile(r"([\w.-]+)/(\d+)(?:/(\d+))?$")
_BUNDLE_ONLY: Final = "a=bundle-only"
_UFRAG = re.compile(r"[\w+/]{4,256}$")
_PWD = re.compile(r"[\w+/]{22,256}$")
_FINGERPRINT = re.compile(r"sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Codec:
    """Codec of one payload type.

    `name` is in upper case; `apt` is the payload type that an RTX codec retransmits (RFC 4588).
    """

    name: str
    clock_rate: int
    channels: int = 1
    apt: int | None = None


@dataclass(frozen=True, slots=True)
class MediaSection:
    """Media section of a description: `codecs` by payload type, in order of preference.

    `sources` are the SSRCs that the author of the description sends. `repairs` maps an SSRC of
    retransmissions to the SSRC that it retransmits (RFC 5576 §4.2, RFC 4588 §8). `layers` maps the
    SSRC of a simulcast encoding to the name of its layer. `extensions` maps the URI of a header
    extension to its ID.
    """

    mid: str
    kind: str
    codecs: dict[int, Codec]
    sources: frozenset[int] = frozenset()
    repairs: dict[int, int] = field(default_factory=dict)
    layers: dict[int, str] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)


def media_sections(sdp: str) -> list[MediaSection]:
    """Return the media sections of a description; raises `ParameterInvalid`."""
    _, sections = _split(sdp)
    return [_media_section(section) for section in sections]


def read_transport(sdp: str) -> RemoteTransport:
    """Return the browser's transport parameters; raises `ParameterInvalid`.

    All media must share one transport (BUNDLE, RFC 9143), with RTP and RTCP multiplexed
    (RFC 5761). Firefox writes the fingerprint at session level, Chromium in each media section.
    """
    session, sections = _split(sdp)
    if not sections:
        raise _unusable("it has no media")
    if len(sections) > 1 and not any(line.startswith("a=group:BUNDLE") for line in session):
        raise _unusable("its media are not bundled")
    first = [*sections[0], *session]
    if "a=rtcp-mux" not in first:
        raise _unusable("it does not multiplex RTP and RTCP")
    media = [_media_section(section) for section in sections]
    video = _codecs(media, "video", RECORDABLE["video"])
    return RemoteTransport(
        ufrag=_value(first, "ice-ufrag", _UFRAG),
        pwd=_value(first, "ice-pwd", _PWD),
        fingerprint=_value(first, "fingerprint", _FINGERPRINT),
        video_payload_types=tuple(video),
        audio_payload_types=tuple(_codecs(media, "audio", RECORDABLE["audio"])),
        video_codecs=tuple(video.values()),
        repair_payload_types=tuple(_codecs(media, "video", frozenset({"RTX"}))),
    )


def rewrite(sdp: str, transport: LocalTransport, setup: str) -> str:
    """Return the description with our transport in place of the browser's.

    `setup` is our DTLS role (RFC 8842): `actpass` in an offer, `passive` in an answer. Raises
    `ParameterInvalid`.
    """
    session, sections = _split(sdp)
    lines = [line for line in session if not _TRANSPORT.match(line)]
    lines.append("a=ice-lite")
    for section in sections:
        lines += _rewrite_section(section, transport, setup)
    return _join(lines)


def provisional_answer(offer: str, transport: LocalTransport) -> str:
    """Return an answer that accepts all media of an offer as inactive; raises `ParameterInvalid`.

    With this provisional answer the browser connects to us before an agent has accepted the call
    (RFC 9429 §4.1.10.1).
    """
    session, sections = _split(offer)
    lines = [line for line in session if line[2:] not in _DIRECTIONS]
    for section in sections:
        lines.append(_accepted(section))
        lines += [line for line in section[1:] if not _OF_ONE_DIRECTION.match(line)]
        lines.append("a=inactive")
    return rewrite(_join(lines), transport, "passive")


def restrict_codecs(sdp: str) -> str:
    """Return the description without the codecs that we cannot record.

    RED, ULPFEC and FlexFEC are removed too, because Chromium would wrap the video in them. The
    header extension for rotated video is removed because players of the recording ignore it.
    Raises `ParameterInvalid` if a media section has no codec left.
    """
    session, sections = _split(sdp)
    lines = list(session)
    for section in sections:
        lines += _restrict_section(section)
    return _join(lines)


def _accepted(section: list[str]) -> str:
    """Return the m-line of an answer that accepts the section.

    A bundle-only section gets a port other than 0, as an answer cannot have such sections. A
    rejected section stays rejected.
    """
    if _is_rejected(section):
        return section[0]
    kind, _, protocol, formats = _media_line(section)
    return f"m={kind} {DISCARD_PORT} {protocol} {' '.join(formats)}"


def sent_video(sdp: str) -> frozenset[str]:
    """Return the mids of the video that the author of the description sends.

    Raises `ParameterInvalid`.
    """
    session, sections = _split(sdp)
    default = _direction(session, "sendrecv")
    return frozenset(
        _mid(section)
        for section in sections
        if section[0].startswith("m=video ")
        and not _is_rejected(section)
        and _direction(section, default) in {"sendrecv", "sendonly"}
    )


def _direction(lines: list[str], default: str) -> str:
    """Return the direction attribute among these lines (RFC 8866 §6.7), or `default`."""
    return next((line[2:] for line in lines if line[2:] in _DIRECTIONS), default)


def _split(sdp: str) -> tuple[list[str], list[list[str]]]:
    """Return the session-level lines and the lines of each media section."""
    if len(sdp) > MAX_BYTES:
        raise _unusable("it is too long")
    first, *others = sdp.replace("\r\n", "\n").split("\nm=")
    session = _lines(first)
    sections = [_lines(f"m={other}") for other in others]
    if not session or session[0] != "v=0":
        raise _unusable("it does not begin with v=0")
    if len(sections) > MAX_SECTIONS:
        raise _unusable("it has too many media sections")
    return session, sections


def _lines(text: str) -> list[str]:
    return list(filter(None, text.split("\n")))


def _join(lines: Iterable[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def _media_line(section: list[str]) -> tuple[str, str, str, list[str]]:
    """Return the kind, port, protocol and formats of an m-line."""
    fields = section[0][2:].split(" ")
    if len(fields) < 4:
        raise _unusable("a media line is incomplete")
    return fields[0], fields[1], fields[2], fields[3:]


def _is_rejected(section: list[str]) -> bool:
    """Whether the media section is rejected: port 0 without `a=bundle-only` (RFC 8866 §5.14).

    A section of an offer with port 0 and `a=bundle-only` shares the first section's transport
    (RFC 9143 §6). Firefox writes all sections but the first like that with the bundle policy
    `max-bundle`.
    """
    return _media_line(section)[1] == "0" and _BUNDLE_ONLY not in section


def _media_section(section: list[str]) -> MediaSection:
    kind, _, _, formats = _media_line(section)
    rtpmaps: dict[str, str] = {}
    apts: dict[str, int] = {}
    for line in section:
        if line.startswith(_OF_A_CODEC) and (match := _PER_CODEC.match(line)):
            attribute, number, value = match.groups()
            if attribute == "rtpmap":
                rtpmaps[number] = value
            elif apt := _APT.match(value):
                apts[number] = int(apt[1])
    ssrcs = [line for line in section if line.startswith("a=ssrc")]
    codecs = {
        int(number): Codec(rate[1].upper(), int(rate[2]), int(rate[3] or 1), apts.get(number))
        for number in formats
        if _is_payload_type(number) and (rate := _RTPMAP.match(rtpmaps.get(number, "")))
    }
    return MediaSection(
        _mid(section),
        kind,
        codecs,
        sources=frozenset(int(match[1]) for match in filter(None, map(_SOURCE.match, ssrcs))),
        repairs={int(m[2]): int(m[1]) for m in filter(None, map(_REPAIR.match, ssrcs))},
        layers=_layers(ssrcs),
        extensions=_extensions([line for line in section if line.startswith("a=extmap:")]),
    )


def _mid(section: list[str]) -> str:
    return next((line[6:] for line in section if line.startswith("a=mid:")), "")


def _layers(section: list[str]) -> dict[int, str]:
    """Return the layer names of simulcast SSRCs that Chromium groups without RIDs."""
    return {
        int(source): f"sim{number}"
        for match in filter(None, map(_SIMULCAST.match, section))
        for number, source in enumerate(match[1].split())
    }


def _extensions(section: list[str]) -> dict[str, int]:
    return {match[2]: int(match[1]) for match in filter(None, map(_EXTENSION.match, section))}


def _is_payload_type(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= 3 and int(number) < 128


def _codecs(sections: list[MediaSection], kind: str, names: frozenset[str]) -> dict[int, str]:
    """Return the names of the codecs in `names`, by payload type, in all sections of a kind."""
    return {
        number: codec.name
        for section in sections
        if section.kind == kind
        for number, codec in section.codecs.items()
        if codec.name in names
    }


def _value(lines: list[str], name: str, pattern: re.Pattern[str]) -> str:
    prefix = f"a={name}:"
    for line in lines:
        if line.startswith(prefix) and pattern.match(value := line[len(prefix) :]):
            return value
    raise _unusable(f"it has no usable {name}")


def _rewrite_section(section: list[str], transport: LocalTransport, setup: str) -> list[str]:
    kind, port, protocol, formats = _media_line(section)
    first = transport.candidates[0]
    family = "IP6" if ":" in first.address else "IP4"
    is_rejected = port == "0"
    rest = [
        line for line in section[1:] if not _TRANSPORT.match(line) and not line.startswith("c=")
    ]
    return [
        f"m={kind} {0 if is_rejected else first.port} {protocol} {' '.join(formats)}",
        f"c=IN {family} {first.address}",
        *rest,
        f"a=rtcp:{first.port} IN {family} {first.address}",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{transport.fingerprint}",
        f"a=setup:{setup}",
        *_candidate_lines(transport),
        "a=end-of-candidates",
    ]


def _candidate_lines(transport: LocalTransport) -> list[str]:
    """Return the lines of our host candidates (RFC 8839 §5.1).

    The first is preferred, and every UDP candidate is preferred to every TCP candidate.
    """
    return [
        f"a=candidate:{number} 1 {candidate.protocol} {_priority(candidate, number)} "
        f"{candidate.address} {candidate.port} typ host{_TCP_TYPE.get(candidate.protocol, '')}"
        for number, candidate in enumerate(transport.candidates, start=1)
    ]


def _priority(candidate: Candidate, number: int) -> int:
    """Return a candidate's priority (RFC 8445 §5.1.2.1).

    For TCP, the local preference includes the direction of a passive candidate (RFC 6544 §4.2).
    """
    if candidate.protocol == "tcp":
        return (90 << 24) + ((4 << 13) + 8191 - number << 8) + 255
    return (126 << 24) + (65535 - number << 8) + 255


def _restrict_section(section: list[str]) -> list[str]:
    kind, port, protocol, formats = _media_line(section)
    kept = _kept_formats(_media_section(section))
    if kind not in RECORDABLE or _is_rejected(section):
        return section
    if not kept:
        raise _unusable(f"it offers no {kind} codec that we can record")
    ordered = [number for number in formats if number in kept]
    kept_or_none = {None, *kept}
    rest = [
        line
        for line in section[1:]
        if _codec_of(line) in kept_or_none
        and not (ORIENTATION_URI in line and ORIENTATION_URI in _extensions([line]))
    ]
    return [f"m={kind} {port} {protocol} {' '.join(ordered)}", *rest]


def _codec_of(line: str) -> str | None:
    """Return the payload type that an attribute line refers to, or `None`."""
    match = _PER_CODEC.match(line)
    return match[2] if match else None


def _kept_formats(section: MediaSection) -> set[str]:
    wanted = RECORDABLE.get(section.kind, frozenset())
    media = {number for number, codec in section.codecs.items() if codec.name in wanted}
    repair = {
        number
        for number, codec in section.codecs.items()
        if codec.name == "RTX" and codec.apt in media
    }
    return {str(number) for number in media | repair}


def _unusable(why: str) -> VisavisError:
    return VisavisError(ErrorKind.ParameterInvalid, f"The session description is unusable: {why}.")
