"""Transport of a simulated caller: controlling ICE agent, DTLS client and SRTP sessions."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from zlib import crc32

from OpenSSL import SSL
from pylibsrtp import Policy, Session

from visavis.media.dtls import MTU, Identity
from visavis.media.srtp import PROFILES
from visavis.media.stun import binding_success, parse_binding_request

IDENTITY = Identity()
COOKIE = 0x2112A442
PATIENCE_SECONDS = 10.0
AGAIN_SECONDS = 0.1
BUFFER_BYTES = 1024 * 1024
REPLAY_WINDOW = 128
"""Packets, libsrtp's least: a longer one takes more time."""


@dataclass(frozen=True)
class Remote:
    """Remote transport, from its session description."""

    address: tuple[str, int]
    ufrag: str
    pwd: str


class LoadTransport:
    """UDP socket at `host`, which has SRTP sessions after `connect`."""

    def __init__(self, host: str) -> None:
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.ssrcs = {kind: secrets.randbelow(2**31) + 1 for kind in ("audio", "video")}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self.socket.bind((host, 0))
        self.address: tuple[str, int] = self.socket.getsockname()
        self.outgoing: Session
        self.incoming: Session
        self._remote: Remote
        self._dtls = SSL.Connection(IDENTITY.context, None)
        self._dtls.set_connect_state()
        self._dtls.set_ciphertext_mtu(MTU)
        self._flight = b""

    def reach(self, remote: Remote) -> None:
        """Send to this remote transport from now on."""
        self._remote = remote
        self.socket.connect(remote.address)

    def connect(self, remote: Remote) -> None:
        """Do the connectivity check and the DTLS handshake; raises `TimeoutError`."""
        self.reach(remote)
        self.socket.settimeout(AGAIN_SECONDS)
        give_up = time.monotonic() + PATIENCE_SECONDS
        is_checked = False
        while time.monotonic() < give_up:
            if not is_checked:
                self.check()
            try:
                datagram = self.socket.recv(2048)
            except TimeoutError:
                self._send(self._flight)  # Retransmit here, as OpenSSL would wait for a second.
                continue
            except ConnectionRefusedError:
                time.sleep(AGAIN_SECONDS)
                continue
            if datagram[0] < 4:
                if self.answer(datagram) and not is_checked:
                    is_checked = True
                    self._shake_hands()
            elif 20 <= datagram[0] < 64:
                self._dtls.bio_write(datagram)
                if self._shake_hands():
                    self.socket.setblocking(False)
                    return
        raise TimeoutError(f"no connection to {remote.address}")

    def check(self) -> None:
        """Send a binding request with USE-CANDIDATE (RFC 8445 §7.2, §8.1)."""
        transaction = secrets.token_bytes(12)
        body = _attribute(0x0006, f"{self._remote.ufrag}:{self.ufrag}".encode())
        body += _attribute(0x0024, struct.pack("!I", 0x6E0001FF))
        body += _attribute(0x802A, secrets.token_bytes(8)) + _attribute(0x0025, b"")
        covered = _message(body, transaction, 24)
        body += _attribute(0x0008, hmac.digest(self._remote.pwd.encode(), covered, "sha1"))
        checksum = crc32(_message(body, transaction, 8)) ^ 0x5354554E
        self._send(_message(body + _attribute(0x8028, struct.pack("!I", checksum)), transaction, 0))

    def answer(self, datagram: bytes) -> bool:
        """Answer a check of the relay; return true if it was the answer to one of ours instead."""
        if request := parse_binding_request(datagram):
            answer = binding_success(request.transaction_id, self._remote.address, self.pwd)
            self._send(answer)
        return datagram[:2] == b"\x01\x01"

    def _send(self, datagram: bytes) -> None:
        with contextlib.suppress(
            ConnectionRefusedError
        ):  # The relay is not ready yet, or has stopped.
            self.socket.send(datagram)

    def _shake_hands(self) -> bool:
        try:
            self._dtls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        self._flush()
        profile = self._dtls.get_selected_srtp_profile()
        number, key, salt = PROFILES[profile]
        material = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        keys, salts = material[: 2 * key], material[2 * key :]
        self.outgoing = srtp_session(number, keys[:key] + salts[:salt], Policy.SSRC_ANY_OUTBOUND)
        self.incoming = srtp_session(number, keys[key:] + salts[salt:], Policy.SSRC_ANY_INBOUND)
        return True

    def _flush(self) -> None:
        try:
            self._flight = self._dtls.bio_read(65536)
        except SSL.WantReadError:
            return
        self._send(self._flight)


def srtp_session(profile: int, key: bytes, direction: int) -> Session:
    policy = Policy(key, direction, srtp_profile=profile)
    policy.window_size = REPLAY_WINDOW
    return Session(policy)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _message(body: bytes, transaction: bytes, to_come: int) -> bytes:
    return struct.pack("!HHI", 1, len(body) + to_come, COOKIE) + transaction + body
