"""STUN binding requests and responses (RFC 8489, RFC 8445 §7) of an ICE-lite agent.

An ICE-lite agent need not send checks. Ours checks each address before it sends media there.
"""

from __future__ import annotations

import hmac
import socket
import struct
from typing import Final
from zlib import crc32

import msgspec

from visavis.media.remote_address import Address

BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
ICE_CONTROLLED: Final = 0x8029
FINGERPRINT: Final = 0x8028
COOKIE: Final = 0x2112A442
MAX_ATTRIBUTES: Final = 32

_OUR_PRIORITY: Final = 0x6E0001FF  # of a peer-reflexive candidate (RFC 8445 §5.1.2)

_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_XOR_ADDRESS: Final = struct.Struct("!BBH")
_COOKIE_BYTES: Final = COOKIE.to_bytes(4)
_INTEGRITY_BYTES: Final = 20


class BindingRequest(msgspec.Struct, frozen=True):
    """Binding request of a browser. Its contents must not be trusted before `is_authentic`.

    `ufrag` is ours, from the first half of USERNAME. `covered` are the bytes that
    MESSAGE-INTEGRITY (`integrity`) covers.
    """

    transaction_id: bytes
    ufrag: str
    uses_candidate: bool
    integrity: bytes
    covered: bytes

    def is_authentic(self, pwd: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with our password (RFC 8489 §14.5)."""
        return _is_authentic(self.covered, self.integrity, pwd)


class BindingSuccess(msgspec.Struct, frozen=True):
    """Success response to our request. Its contents must not be trusted before `is_authentic`."""

    transaction_id: bytes
    integrity: bytes
    covered: bytes

    def is_authentic(self, pwd: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with the browser's password."""
        return _is_authentic(self.covered, self.integrity, pwd)


def _is_authentic(covered: bytes, integrity: bytes, pwd: str) -> bool:
    return hmac.compare_digest(hmac.digest(pwd.encode(), covered, "sha1"), integrity)


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """Parse a binding request; return `None` for anything else, or if it has no credentials."""
    if (parsed := _parse(data, BINDING_REQUEST)) is None or USERNAME not in parsed[1]:
        return None
    transaction_id, found, integrity, covered = parsed
    return BindingRequest(
        transaction_id,
        found[USERNAME].partition(b":")[0].decode("ascii", "replace"),
        USE_CANDIDATE in found,
        integrity,
        covered,
    )


def parse_binding_success(data: bytes) -> BindingSuccess | None:
    """Parse a success response; return `None` for anything else, or without MESSAGE-INTEGRITY."""
    if (parsed := _parse(data, BINDING_SUCCESS)) is None:
        return None
    transaction_id, _, integrity, covered = parsed
    return BindingSuccess(transaction_id, integrity, covered)


def _parse(data: bytes, wanted: int) -> tuple[bytes, dict[int, bytes], bytes, bytes] | None:
    """Return transaction ID, attributes, MESSAGE-INTEGRITY and the bytes that it covers.

    Attributes after MESSAGE-INTEGRITY are ignored. Returns `None` if the message is malformed, of
    another type than `wanted`, or without MESSAGE-INTEGRITY.
    """
    if len(data) < _HEADER.size or len(data) % 4:
        return None
    kind, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if kind != wanted or cookie != COOKIE or length != len(data) - _HEADER.size:
        return None
    found: dict[int, bytes] = {}
    position = _HEADER.size
    for _ in range(MAX_ATTRIBUTES):
        if position + _ATTRIBUTE.size > len(data):
            return None
        attribute, size = _ATTRIBUTE.unpack_from(data, position)
        value = data[position + _ATTRIBUTE.size : position + _ATTRIBUTE.size + size]
        if attribute == MESSAGE_INTEGRITY:
            if len(value) != _INTEGRITY_BYTES:
                return None
            length = position - _HEADER.size + _ATTRIBUTE.size + _INTEGRITY_BYTES
            covered = data[:2] + struct.pack("!H", length) + data[4:position]
            return transaction_id, found, value, covered
        found[attribute] = value
        position += _ATTRIBUTE.size + size + -size % 4
    return None


def binding_success(transaction_id: bytes, address: Address, pwd: str) -> bytes:
    """Return the response to a request from `address`, authenticated with our password."""
    body = _attribute(XOR_MAPPED_ADDRESS, _xor_address(transaction_id, address))
    return _sealed(BINDING_SUCCESS, transaction_id, body, pwd)


def binding_request(transaction_id: bytes, username: str, tie_breaker: bytes, pwd: str) -> bytes:
    """Return a check in the controlled role; `username` and `pwd` are those the browser expects."""
    body = (
        _attribute(USERNAME, username.encode())
        + _attribute(PRIORITY, struct.pack("!I", _OUR_PRIORITY))
        + _attribute(ICE_CONTROLLED, tie_breaker)
    )
    return _sealed(BINDING_REQUEST, transaction_id, body, pwd)


def _sealed(kind: int, transaction_id: bytes, body: bytes, pwd: str) -> bytes:
    """Return a message with MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5 and §14.7)."""

    def message(to_come: int) -> bytes:
        return _HEADER.pack(kind, len(body) + to_come, COOKIE, transaction_id) + body

    covered = message(_ATTRIBUTE.size + _INTEGRITY_BYTES)
    body += _attribute(MESSAGE_INTEGRITY, hmac.digest(pwd.encode(), covered, "sha1"))
    checked = message(_ATTRIBUTE.size + 4)
    return checked + _attribute(FINGERPRINT, struct.pack("!I", crc32(checked) ^ 0x5354554E))


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _xor_address(transaction_id: bytes, address: Address) -> bytes:
    is_ipv6 = ":" in address[0]
    host = socket.inet_pton(
        socket.AF_INET6 if is_ipv6 else socket.AF_INET, address[0].partition("%")[0]
    )
    mask = (_COOKIE_BYTES + transaction_id)[: len(host)]
    masked = (int.from_bytes(host) ^ int.from_bytes(mask)).to_bytes(len(host))
    return _XOR_ADDRESS.pack(0, 2 if is_ipv6 else 1, address[1] ^ (COOKIE >> 16)) + masked
