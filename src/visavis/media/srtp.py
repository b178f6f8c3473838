"""SRTP sessions of one leg (RFC 3711, RFC 7714), keyed by DTLS (RFC 5764).

libsrtp is called through pylibsrtp's binding on one buffer for all sessions, in half the time that
its public interface takes; the binding is private, so the public interface does where it has
changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pylibsrtp import Error, Policy, Session

try:
    from pylibsrtp._binding import ffi, lib
except ImportError:
    ffi = lib = None

REPLAY_WINDOW: Final = 1024
"""Packets that may come late. What is older is lost."""

PROFILES: Final = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
"""Profile to libsrtp's number, and the bytes of its key and salt; the first is preferred."""

MAX_BYTES: Final = 1500
_TRAILER_BYTES: Final = 16 + 128 + 4  # as libsrtp wants: tag, MKI, SRTCP index

Transform = Callable[[bytes], bytes]

if ffi:
    _BUFFER: Final = ffi.new("char[]", MAX_BYTES + _TRAILER_BYTES)
    _BYTES: Final = ffi.buffer(_BUFFER)
    _LENGTH: Final = ffi.new("int *")


class SrtpError(Exception):
    """The packet is not authentic, or is a replay."""


class Srtp:
    """Both directions of one leg. We are always the DTLS server.

    `unprotect` gives the packet in a datagram, `protect` the datagram for a packet; all raise
    `SrtpError`. `sessions` are those of libsrtp, incoming and outgoing; one thread at a time may
    use them.
    """

    def __init__(self, profile: bytes, keying_material: bytes) -> None:
        number, key, salt = PROFILES[profile]
        client_key, server_key, client_salt, server_salt = _cut(keying_material, key, salt)
        incoming = _session(number, client_key + client_salt, Policy.SSRC_ANY_INBOUND)
        outgoing = _session(number, server_key + server_salt, Policy.SSRC_ANY_OUTBOUND)
        self.sessions = incoming, outgoing
        self.unprotect = transform(incoming, "unprotect")
        self.unprotect_rtcp = transform(incoming, "unprotect_rtcp")
        self.protect = transform(outgoing, "protect")
        self.protect_rtcp = transform(outgoing, "protect_rtcp")


def function_addresses(names: Sequence[str]) -> list[int]:
    """Return the addresses of libsrtp's functions; raises `ImportError` if they cannot be had."""
    if not all(hasattr(lib, name) for name in names):
        raise ImportError("pylibsrtp's binding does not have libsrtp's functions")
    return [int(ffi.cast("uintptr_t", ffi.addressof(lib, name))) for name in names]


def session_address(session: Session) -> int:
    """Return the address of libsrtp's session, which lives as long as pylibsrtp's."""
    return int(ffi.cast("uintptr_t", session._srtp[0]))


def transform(session: Session, name: str) -> Transform:
    """A session's method of that name, which raises `SrtpError`; the fastest there is."""
    if hasattr(lib, f"srtp_{name}") and hasattr(session, "_srtp"):
        return _in_place(session, name)
    return _by_public_interface(session, name)


def _in_place(session: Session, name: str) -> Transform:
    # the pointer to the context, not the context: it is freed with the last reference to that
    call, pointer = getattr(lib, f"srtp_{name}"), session._srtp

    def run(data: bytes) -> bytes:
        size = len(data)
        if size > MAX_BYTES:
            raise SrtpError("too long")
        _BYTES[:size] = data
        _LENGTH[0] = size
        if status := call(pointer[0], _BUFFER, _LENGTH):
            raise SrtpError(f"libsrtp says {status}")
        return _BYTES[: _LENGTH[0]]  # type: ignore[no-any-return]

    return run


def _by_public_interface(session: Session, name: str) -> Transform:
    call = getattr(session, name)

    def run(data: bytes) -> bytes:
        try:
            return bytes(call(data))
        except (Error, ValueError) as error:  # ValueError: too long for its buffer
            raise SrtpError(str(error)) from None

    return run


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
