"""STUN binding requests and their answers (RFC 8489, RFC 8445 §7.3), for an ICE-lite agent."""

from __future__ import annotations

import hmac
import ipaddress
import struct
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from visavis.media.route import Address

BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
XOR_MAPPED_ADDRESS: Final = 0x0020
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
COOKIE: Final = 0x2112A442
MAX_ATTRIBUTES: Final = 32

_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_INTEGRITY_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """`ufrag` is ours, the first half of USERNAME. Not to be believed before `is_authentic`."""

    transaction_id: bytes
    ufrag: str
    uses_candidate: bool
    integrity: bytes
    covered: bytes

    def is_authentic(self, pwd: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with our password (RFC 8489 §14.5)."""
        expected = hmac.digest(pwd.encode(), self.covered, "sha1")
        return hmac.compare_digest(expected, self.integrity)


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """Read a datagram; `None` for all but a binding request that carries credentials."""
    if len(data) < _HEADER.size or len(data) % 4:
        return None
    kind, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if kind != BINDING_REQUEST or cookie != COOKIE or length != len(data) - _HEADER.size:
        return None
    found: dict[int, bytes] = {}
    position = _HEADER.size
    for _ in range(MAX_ATTRIBUTES):
        if position + _ATTRIBUTE.size > len(data):
            return None
        attribute, size = _ATTRIBUTE.unpack_from(data, position)
        value = data[position + _ATTRIBUTE.size : position + _ATTRIBUTE.size + size]
        if attribute == MESSAGE_INTEGRITY:
            return _binding_request(data[:position], transaction_id, found, value)
        found[attribute] = value
        position += _ATTRIBUTE.size + size + -size % 4
    return None


def _binding_request(
    before: bytes, transaction_id: bytes, found: dict[int, bytes], integrity: bytes
) -> BindingRequest | None:
    """What stands before MESSAGE-INTEGRITY counts, and nothing after it."""
    if len(integrity) != _INTEGRITY_BYTES or USERNAME not in found:
        return None
    length = len(before) - _HEADER.size + _ATTRIBUTE.size + _INTEGRITY_BYTES
    return BindingRequest(
        transaction_id,
        found[USERNAME].partition(b":")[0].decode("ascii", "replace"),
        USE_CANDIDATE in found,
        integrity,
        before[:2] + struct.pack("!H", length) + before[4:],
    )


def binding_success(transaction_id: bytes, address: Address, pwd: str) -> bytes:
    """The answer to a request that came from `address`, authenticated with our password."""
    body = _attribute(XOR_MAPPED_ADDRESS, _xor_address(transaction_id, address))
    covered = _message(body, transaction_id, _ATTRIBUTE.size + _INTEGRITY_BYTES)
    body += _attribute(MESSAGE_INTEGRITY, hmac.digest(pwd.encode(), covered, "sha1"))
    checked = _message(body, transaction_id, _ATTRIBUTE.size + 4)
    return checked + _attribute(FINGERPRINT, struct.pack("!I", crc32(checked) ^ 0x5354554E))


def _message(body: bytes, transaction_id: bytes, to_come: int) -> bytes:
    return _HEADER.pack(BINDING_SUCCESS, len(body) + to_come, COOKIE, transaction_id) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _xor_address(transaction_id: bytes, address: Address) -> bytes:
    host = ipaddress.ip_address(address[0]).packed
    mask = struct.pack("!I", COOKIE) + transaction_id
    family = 1 if len(host) == 4 else 2
    masked = bytes(a ^ b for a, b in zip(host, mask, strict=False))
    return struct.pack("!BBH", 0, family, address[1] ^ (COOKIE >> 16)) + masked
