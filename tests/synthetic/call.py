"""A call's journals: browsers with clocks of their own, a network that delays, loses, reorders."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.synthetic.packetise import PACKETISERS
from visavis.domain.recording import journal_name
from visavis.rtp.extension import REPAIRED_RID_URI, RID_URI
from visavis.spool.format import MAGIC, NO_LEG, RecordKind, encode_block, encode_record

BEGIN = 1_800_000_000.0
"""Beginning of every call, in seconds since the epoch."""

NTP_UNIX = 2_208_988_800
PAYLOAD_TYPES = {"OPUS": 111, "VP8": 96, "VP9": 98, "H264": 102, "AV1": 45}
RTX = {96: 97, 98: 99, 102: 103, 45: 46}
MID_EXTENSION = 4
RID_EXTENSION = 10
REPAIRED_RID_EXTENSION = 11
RECORDS_PER_BLOCK = 50


@dataclass
class Network:
    """Seeded; `loss` of packets comes again by RTX after 80 ms, or not at all."""

    seed: int = 1
    delay: float = 0.03
    jitter: float = 0.0
    loss: float = 0.0
    repairs: bool = True

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def transit(self) -> float | None:
        """Seconds on the way; `None` for a packet that is lost."""
        if self._random.random() < self.loss:
            return None
        return self.delay + self._random.random() * self.jitter


@dataclass
class Journal:
    """One bridge's records, in order of arrival when they are written.

    `participants` are those at its legs, with number, role and name; `version` is that of its
    descriptions, of which the first tells no participants.
    """

    participants: Sequence[tuple[int, str, str]] = ((1, "visitor", ""), (2, "agent", ""))
    version: int = 2
    records: list[tuple[float, RecordKind, int, bytes]] = field(default_factory=list)

    def note(self, at: float, /, **note: Any) -> None:
        """`at` in seconds from the beginning of the call."""
        payload = json.dumps(note).encode()
        self.records.append((at, RecordKind.NOTE, NO_LEG, payload))

    def describe(
        self, at: float = 0.0, *, sources: dict[str, list[int]] | None = None, **more: Any
    ) -> None:
        """Microphone, camera and screen of both sides have the mids 0, 1 and 2."""
        both = sdp([("0", "audio"), ("1", "video"), ("2", "video")], sources)
        if self.version == 1:
            self.note(at, type="descriptions", link=1, visitor=both, agent=both, **more)
            return
        screens = (more.pop("visitorScreenMid", ""), more.pop("agentScreenMid", ""), "")
        legs = [
            {
                "leg": leg,
                "participant": number,
                "role": role,
                "name": name,
                "sdp": both,
                "screenMid": screens[leg - 1],
            }
            for leg, (number, role, name) in enumerate(self.participants, start=1)
        ]
        self.note(at, type="descriptions", version=2, link=1, legs=legs, **more)

    def pause(self, start: float, end: float | None) -> None:
        """Pause the recording: packets in between are not in the journal."""
        until = float("inf") if end is None else end
        self.records = [
            record
            for record in self.records
            if record[1] is RecordKind.NOTE or not start <= record[0] < until
        ]
        self.note(start, type="paused")
        if end is not None:
            self.note(end, type="resumed")

    def write(self, directory: Path, number: int, *, is_sealed_at: float | None = None) -> Path:
        directory.mkdir(exist_ok=True)
        ordered = sorted(self.records, key=lambda record: record[0])
        if is_sealed_at is not None:
            ordered.append((is_sealed_at, RecordKind.SEAL, NO_LEG, b""))
        encoded = [
            encode_record(round((BEGIN + at) * 1e6), kind, leg, data)
            for at, kind, leg, data in ordered
        ]
        path = directory / journal_name(number)
        blocks = [
            encode_block(b"".join(encoded[start : start + RECORDS_PER_BLOCK]))
            for start in range(0, len(encoded), RECORDS_PER_BLOCK)
        ]
        path.write_bytes(MAGIC + b"".join(blocks))
        return path


@dataclass
class Browser:
    """Sends streams into a journal. Its wall clock is `offset` seconds ahead, and drifts."""

    journal: Journal
    leg: int
    offset: float = 0.0
    drift: float = 0.0
    network: Network = field(default_factory=Network)
    has_reports: bool = True

    def send(
        self,
        codec: str,
        frames: list[tuple[float, bytes]],
        *,
        start: float = 0.0,
        ssrc: int,
        mid: str = "",
        sequence: int = 65_000,
        timestamp: int = 2**32 - 200_000,
        encoding: float = 0.0,
        rid: str = "",
    ) -> None:
        """Frames with their times from `start` on; numbers and timestamps wrap soon.

        `encoding` in seconds passes between the capture of a frame and its way.
        """
        rate = 48_000 if codec == "OPUS" else 90_000
        payload_type = PAYLOAD_TYPES[codec]
        next_report, repairs = start, 0
        for number, (time, frame) in enumerate(frames):
            at = start + time
            stamp = (timestamp + round(self._sender(at) * rate)) % 2**32
            payloads = PACKETISERS[codec](frame, number)
            for index, payload in enumerate(payloads):
                marker = codec != "OPUS" and index == len(payloads) - 1
                head = (payload_type, marker, sequence, stamp, ssrc)
                departure = at + encoding + 0.0002 * index
                transit = self.network.transit()
                if transit is not None:
                    self._record(departure + transit, rtp(*head, payload, mid, rid))
                elif self.network.repairs and payload_type in RTX:
                    again = (RTX[payload_type], marker, repairs % 2**16, stamp, ssrc + 1)
                    original = sequence.to_bytes(2) + payload
                    self._record(departure + 0.1, rtp(*again, original, mid, repaired_rid=rid))
                    repairs += 1
                sequence = (sequence + 1) % 2**16
            if self.has_reports and at >= next_report:
                self._report(at, ssrc, stamp)
                next_report += 1.0

    def _sender(self, at: float) -> float:
        return at * (1 + self.drift)

    def _record(self, arrival: float, data: bytes) -> None:
        kind = RecordKind.RTCP if 192 <= data[1] < 224 else RecordKind.RTP
        self.journal.records.append((arrival, kind, self.leg, data))

    def _report(self, at: float, ssrc: int, stamp: int) -> None:
        ntp = BEGIN + NTP_UNIX + self.offset + self._sender(at)
        whole = struct.pack(
            "!BBHIIIIII", 0x80, 200, 6, ssrc, int(ntp), int(ntp % 1 * 2**32), stamp, 0, 0
        )
        self._record(at + (self.network.transit() or self.network.delay) + 1e-4, whole)


def rtp(
    payload_type: int,
    marker: bool,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    mid: str = "",
    rid: str = "",
    repaired_rid: str = "",
) -> bytes:
    head = struct.pack(
        "!BBHII",
        0x90 if mid or rid or repaired_rid else 0x80,
        payload_type | (0x80 if marker else 0),
        sequence,
        timestamp,
        ssrc,
    )
    named = {MID_EXTENSION: mid, RID_EXTENSION: rid, REPAIRED_RID_EXTENSION: repaired_rid}
    elements = b"".join(
        bytes([number << 4 | len(name) - 1]) + name.encode()
        for number, name in named.items()
        if name
    )
    if not elements:
        return head + payload
    elements += bytes(-len(elements) % 4)
    return head + struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements + payload


def sdp(sections: Iterable[tuple[str, str]], sources: dict[str, list[int]] | None = None) -> str:
    """A description with the codecs of `PAYLOAD_TYPES`; `sources` by mid, with their RTX."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    for mid, kind in sections:
        types = [111] if kind == "audio" else [pt for pt in PAYLOAD_TYPES.values() if pt != 111]
        types += [RTX[pt] for pt in types if pt in RTX]
        lines.append(f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}")
        lines.append(f"a=mid:{mid}")
        lines.append(f"a=extmap:{MID_EXTENSION} urn:ietf:params:rtp-hdrext:sdes:mid")
        if kind == "video":
            lines.append(f"a=extmap:{RID_EXTENSION} {RID_URI}")
            lines.append(f"a=extmap:{REPAIRED_RID_EXTENSION} {REPAIRED_RID_URI}")
        for codec, pt in PAYLOAD_TYPES.items():
            if pt in types:
                lines.append(f"a=rtpmap:{pt} {codec}/{'48000/2' if pt == 111 else '90000'}")
                if pt in RTX:
                    lines += [f"a=rtpmap:{RTX[pt]} rtx/90000", f"a=fmtp:{RTX[pt]} apt={pt}"]
        for ssrc in (sources or {}).get(mid, []):
            lines += [f"a=ssrc-group:FID {ssrc} {ssrc + 1}", f"a=ssrc:{ssrc} cname:x"]
            lines.append(f"a=ssrc:{ssrc + 1} cname:x")
    return "\r\n".join([*lines, ""])
