"""A browser's peer connection without the browser: one bundled transport to our media worker."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import struct
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from tests.participants.camera import OPUS, VP8, Camera
from visavis.media.dtls import MTU, Identity
from visavis.media.stun import binding_success, parse_binding_request

IDENTITY: Final = Identity()
COOKIE: Final = 0x2112A442
CHECK_SECONDS: Final = 0.1
CONSENT_SECONDS: Final = 2.0
TICK_SECONDS: Final = 0.02
_RTP: Final = struct.Struct("!2xH4xI")
PROFILE: Final = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _message(body: bytes, transaction: bytes, to_come: int) -> bytes:
    return struct.pack("!HHI", 1, len(body) + to_come, COOKIE) + transaction + body


def check(ours: str, theirs: str, pwd: str) -> bytes:
    """A binding request that nominates (RFC 8445 §7.2, §8.1)."""
    transaction = secrets.token_bytes(12)
    body = _attribute(0x0006, f"{theirs}:{ours}".encode())
    body += _attribute(0x0024, struct.pack("!I", 0x6E0001FF))
    body += _attribute(0x802A, secrets.token_bytes(8)) + _attribute(0x0025, b"")
    digest = hmac.digest(pwd.encode(), _message(body, transaction, 24), "sha1")
    body += _attribute(0x0008, digest)
    checksum = crc32(_message(body, transaction, 8)) ^ 0x5354554E
    body += _attribute(0x8028, struct.pack("!I", checksum))
    return _message(body, transaction, 0)


@dataclass
class Reception:
    """Sequence numbers received of one stream; `longest_gap` is the longest run that is missing."""

    longest_gap: int = 0
    _highest: int | None = None

    def add(self, number: int) -> None:
        if self._highest is not None:
            step = (number - self._highest) % 65_536
            if step >= 32_768:  # out of order
                return
            self.longest_gap = max(self.longest_gap, step - 1)
        self._highest = number


class Peer(asyncio.DatagramProtocol):
    """Sends what its camera sees as soon as it is connected, and counts what arrives."""

    def __init__(self, *, has_video: bool = True) -> None:
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.camera = Camera(secrets.randbelow(2**31) + 1, has_video)
        self.received = 0
        self.receptions: defaultdict[int, Reception] = defaultdict(Reception)
        """By SSRC."""
        self.is_connected = False
        self._remote: tuple[str, int] = ("", 0)
        self._their_ufrag = self._their_pwd = ""
        self._dtls = SSL.Connection(IDENTITY.context, None)
        self._dtls.set_connect_state()
        self._dtls.set_ciphertext_mtu(MTU)
        self._transport: asyncio.DatagramTransport | None = None
        self._out: Session | None = None
        self._in: Session | None = None
        self._is_checked = False
        self._task: asyncio.Task[None] | None = None

    @property
    def has_answer(self) -> bool:
        """Whether the remote description is given."""
        return bool(self._their_ufrag)

    @property
    def remote_port(self) -> int:
        """Media port of the worker."""
        return self._remote[1]

    @property
    def sent(self) -> int:
        """RTP packets sent so far."""
        return self.camera.audio.packets + self.camera.video.packets

    # Session descriptions

    def describe(self, setup: str) -> str:
        """An offer (`actpass`) or an answer (`active`)."""
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        kinds = ["audio", "video"] if self.camera.has_video else ["audio"]
        lines.append("a=group:BUNDLE " + " ".join(str(n) for n, _ in enumerate(kinds)))
        for mid, kind in enumerate(kinds):
            lines += self._section(mid, kind, setup)
        return "".join(f"{line}\r\n" for line in lines)

    def _section(self, mid: int, kind: str, setup: str) -> list[str]:
        number, codec = (OPUS, "opus/48000/2") if kind == "audio" else (VP8, "VP8/90000")
        stream = self.camera.audio if kind == "audio" else self.camera.video
        return [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}",
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:{IDENTITY.fingerprint}",
            f"a=setup:{setup}",
            f"a=mid:{mid}",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{number} {codec}",
            f"a=ssrc:{stream.ssrc} cname:party",
        ]

    # Transport

    async def connect(self, sdp: str) -> None:
        """Begin to check, shake hands and send; the remote description is given."""
        self._their_ufrag = _value(sdp, "ice-ufrag")
        self._their_pwd = _value(sdp, "ice-pwd")
        port = re.search(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) ", sdp, re.IGNORECASE)
        assert port, sdp
        self._remote = ("127.0.0.1", int(port[1]))
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        if self._task:
            self._task.cancel()
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[0] < 4:
            if request := parse_binding_request(data):
                self._send(binding_success(request.transaction_id, addr, self.pwd))
            if data[:2] == b"\x01\x01" and not self._is_checked:
                self._is_checked = True
                self._shake_hands()
        elif 20 <= data[0] < 64:
            self._dtls.bio_write(data)
            self._shake_hands()
        elif 128 <= data[0] < 192 and not 192 <= data[1] <= 223:
            self._receive(data)

    def _receive(self, datagram: bytes) -> None:
        if self._in:
            try:
                self._in.unprotect(datagram)
            except Error:
                return
            self.received += 1
            number, ssrc = _RTP.unpack_from(datagram)
            self.receptions[ssrc].add(number)

    async def _run(self) -> None:
        started = checked = time.monotonic()
        self._send(self._check())
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            if now - checked > (CONSENT_SECONDS if self._is_checked else CHECK_SECONDS):
                checked = now
                self._send(self._check())
            if not self.is_connected:
                if self._is_checked and self._dtls.DTLSv1_get_timeout() == 0:
                    self._dtls.DTLSv1_handle_timeout()
                    self._flush()
                started = now
            elif self._out:
                for packet, is_rtcp in self.camera.due(now - started, time.time()):
                    protect = self._out.protect_rtcp if is_rtcp else self._out.protect
                    self._send(protect(packet))

    def _check(self) -> bytes:
        return check(self.ufrag, self._their_ufrag, self._their_pwd)

    def _shake_hands(self) -> None:
        if self.is_connected:
            return
        try:
            self._dtls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error:
            return  # the worker is gone: its call gets another link
        self._flush()
        material = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
        ours, theirs = material[0:16] + material[32:44], material[16:32] + material[44:56]
        self._out = Session(Policy(ours, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))
        self._in = Session(Policy(theirs, Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))
        self.is_connected = True

    def _flush(self) -> None:
        try:
            flight = self._dtls.bio_read(65_536)
        except SSL.WantReadError:
            return
        self._send(flight)

    def _send(self, datagram: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(datagram, self._remote)


def _value(sdp: str, name: str) -> str:
    match = re.search(rf"^a={name}:(\S+)", sdp, re.MULTILINE)
    assert match, sdp
    return match[1]
