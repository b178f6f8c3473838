"""SRTP sessions of one leg (RFC 3711, RFC 7714), keyed by DTLS (RFC 5764)."""

from __future__ import annotations

from typing import Final

from pylibsrtp import Error, Policy, Session

REPLAY_WINDOW: Final = 1024
"""Packets that may come late. What is older is lost."""

PROFILES: Final = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
"""Profile to libsrtp's number, and the bytes of its key and salt; the first is preferred."""


class SrtpError(Exception):
    """The packet is not authentic, or is a replay."""


class Srtp:
    """Both directions of one leg. We are always the DTLS server."""

    def __init__(self, profile: bytes, keying_material: bytes) -> None:
        number, key, salt = PROFILES[profile]
        client_key, server_key, client_salt, server_salt = _cut(keying_material, key, salt)
        self._in = _session(number, client_key + client_salt, Policy.SSRC_ANY_INBOUND)
        self._out = _session(number, server_key + server_salt, Policy.SSRC_ANY_OUTBOUND)

    def unprotect(self, datagram: bytes, *, is_rtcp: bool) -> bytes:
        """The packet in a datagram; raises `SrtpError`."""
        try:
            return self._in.unprotect_rtcp(datagram) if is_rtcp else self._in.unprotect(datagram)
        except (Error, ValueError) as error:  # ValueError: too long for its buffer
            raise SrtpError(str(error)) from None

    def protect(self, packet: bytes, *, is_rtcp: bool) -> bytes:
        """The datagram for a packet; raises `SrtpError`."""
        try:
            return self._out.protect_rtcp(packet) if is_rtcp else self._out.protect(packet)
        except (Error, ValueError) as error:  # ValueError: too long for its buffer
            raise SrtpError(str(error)) from None


def keying_material_bytes(profile: bytes) -> int:
    _, key, salt = PROFILES[profile]
    return 2 * (key + salt)


def _cut(material: bytes, key: int, salt: int) -> tuple[bytes, bytes, bytes, bytes]:
    """client key, server key, client salt, server salt (RFC 5764 §4.2)"""
    keys, salts = material[: 2 * key], material[2 * key :]
    return keys[:key], keys[key:], salts[:salt], salts[salt:]


def _session(profile: int, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    # what has passed unprotect is no repetition; to protect two packets with one nonce would give
    # the key of AES-GCM away
    policy.allow_repeat_tx = False
    policy.window_size = REPLAY_WINDOW
    return Session(policy)
