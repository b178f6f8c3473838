"""Session descriptions like those of browsers, with everything that the relays read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.load.transport import IDENTITY, LoadTransport, Remote

KINDS = ("audio", "video")
CODECS = {
    "audio": ("111", ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1"]),
    "video": (
        "96",
        ["a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"],
    ),
}


def describe(
    transports: Sequence[LoadTransport],
    *,
    setup: str,
    direction: str = "sendrecv",
    mids: Sequence[str] = "01",
) -> str:
    """Return a description of audio and video over one transport (BUNDLE) or over two."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {transports[0].address[0]}", "s=-", "t=0 0"]
    if len(transports) == 1:
        lines.append("a=group:BUNDLE " + " ".join(mids))
    for number, kind in enumerate(KINDS):
        lines += _section(
            transports[number % len(transports)], kind, mids[number], setup, direction
        )
    return "".join(f"{line}\r\n" for line in lines)


def _section(
    transport: LoadTransport, kind: str, mid: str, setup: str, direction: str
) -> list[str]:
    host, port = transport.address
    payload_type, codec = CODECS[kind]
    return [
        f"m={kind} {port} UDP/TLS/RTP/SAVPF {payload_type}",
        f"c=IN IP4 {host}",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{IDENTITY.fingerprint}",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        *codec,
        *([] if direction == "recvonly" else [f"a=ssrc:{transport.ssrcs[kind]} cname:caller"]),
        f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
        "a=end-of-candidates",
    ]


def remotes(sdp: str) -> list[Remote]:
    """Return the remote transport of each media section."""
    session, *sections = re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)
    return [_remote(section + session) for section in sections]


def mids(sdp: str) -> list[str]:
    return re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)


def _remote(text: str) -> Remote:
    candidate = re.search(r"(?mi)^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", text)
    ufrag = re.search(r"(?m)^a=ice-ufrag:(\S+)", text)
    pwd = re.search(r"(?m)^a=ice-pwd:(\S+)", text)
    if not (candidate and ufrag and pwd):
        raise ValueError(f"not a transport: {text}")
    return Remote((candidate[1], int(candidate[2])), ufrag[1], pwd[1])
