"""SRTP sessions of one leg (RFC 3711, RFC 7714) with keys from DTLS (RFC 5764).

libsrtp is called through pylibsrtp's private binding with one buffer for all sessions, which takes
half the time of the public interface. If a version of pylibsrtp has changed the binding, the public
interface is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pylibsrtp import Error, Policy, Session

try:
    from pylibsrtp._binding import ffi, lib
except ImportError:
    ffi = lib = None

REPLAY_WINDOW: Final = 512
"""Number of packets by which a packet may be late; older ones are rejected as replays.

It is more than a second of video at 4 Mbit/s. libsrtp shifts the window twice for each packet: with
1024 a call costs 1.5 % more.
"""

PROFILES: Final = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
"""libsrtp's number of each profile, and the bytes of its key and salt; the first is preferred."""

MAX_BYTES: Final = 1500
_TRAILER_BYTES: Final = 16 + 128 + 4  # Required by libsrtp: tag, MKI, SRTCP index.

Transform = Callable[[bytes], bytes]

if ffi:
    _BUFFER: Final = ffi.new("char[]", MAX_BYTES + _TRAILER_BYTES)
    _BYTES: Final = ffi.buffer(_BUFFER)
    _LENGTH: Final = ffi.new("int *")


class SrtpError(Exception):
    """The packet is not authentic, is a replay, or is too long."""


class Srtp:
    """SRTP of one leg, in both directions. We are always the DTLS server.

    `unprotect` and `unprotect_rtcp` decrypt a datagram, `protect` and `protect_rtcp` encrypt a
    packet; all raise `SrtpError`. `sessions` are libsrtp's incoming and outgoing sessions, which
    only one thread at a time may use.
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
    """Return the addresses of libsrtp's functions; raises `ImportError` if one is missing."""
    if not all(hasattr(lib, name) for name in names):
        raise ImportError("pylibsrtp's binding does not have libsrtp's functions")
    return [int(ffi.cast("uintptr_t", ffi.addressof(lib, name))) for name in names]


def session_address(session: Session) -> int:
    """Return the address of libsrtp's session, which is valid as long as `session` exists."""
    return int(ffi.cast("uintptr_t", session._srtp[0]))


def transform(session: Session, name: str) -> Transform:
    """Return the fastest implementation of a session's method; it raises `SrtpError`."""
    if hasattr(lib, f"srtp_{name}") and hasattr(session, "_srtp"):
        return _in_place(session, name)
    return _by_public_interface(session, name)


def _in_place(session: Session, name: str) -> Transform:
    # Keep the pointer to libsrtp's context: the context is freed with the last reference to it.
    call, pointer = getattr(lib, f"srtp_{name}"), session._srtp

    def run(data: bytes) -> bytes:
        size = len(data)
        if size > MAX_BYTES:
            raise SrtpError("too long")
        _BYTES[:size] = data
        _LENGTH[0] = size
        if status := call(pointer[0], _BUFFER, _LENGTH):
            raise SrtpError(f"libsrtp returned status {status}")
        return _BYTES[: _LENGTH[0]]  # type: ignore[no-any-return]

    return run


def _by_public_interface(session: Session, name: str) -> Transform:
    call = getattr(session, name)

    def run(data: bytes) -> bytes:
        try:
            return bytes(call(data))
        except (Error, ValueError) as error:  # ValueError means that the packet is too long.
            raise SrtpError(str(error)) from None

    return run


def keying_material_bytes(profile: bytes) -> int:
    """Return how many bytes of keying material a profile needs, for both directions."""
    _, key, salt = PROFILES[profile]
    return 2 * (key + salt)


def _cut(material: bytes, key: int, salt: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Return client key, server key, client salt and server salt (RFC 5764 §4.2)."""
    keys, salts = material[: 2 * key], material[2 * key :]
    return keys[:key], keys[key:], salts[:salt], salts[salt:]


def _session(profile: int, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    # Relayed packets are never repeated, as `unprotect` has rejected replays. Two packets encrypted
    # with the same nonce would break AES-GCM, so libsrtp must refuse that.
    policy.allow_repeat_tx = False
    policy.window_size = REPLAY_WINDOW
    return Session(policy)
