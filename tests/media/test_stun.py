from __future__ import annotations

import hmac
import ipaddress
import struct
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from visavis.media.stun import (
    COOKIE,
    MESSAGE_INTEGRITY,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    binding_success,
    parse_binding_request,
)

PWD = "p" * 32
TRANSACTION = bytes(range(12))


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


NOMINATE = attribute(USE_CANDIDATE, b"")


def request(
    pwd: str = PWD, *, ufrag: str = "ours", extra: bytes = b"", after: bytes = b""
) -> bytes:
    """Return a browser's check (RFC 8445 §7.2)."""
    body = attribute(USERNAME, f"{ufrag}:theirs".encode()) + extra
    covered = struct.pack("!HHI", 1, len(body) + 24, COOKIE) + TRANSACTION + body
    body += attribute(MESSAGE_INTEGRITY, hmac.digest(pwd.encode(), covered, "sha1")) + after
    return struct.pack("!HHI", 1, len(body), COOKIE) + TRANSACTION + body


def test_an_authentic_check() -> None:
    parsed = parse_binding_request(request(extra=attribute(USE_CANDIDATE, b"")))
    assert parsed
    assert (parsed.ufrag, parsed.uses_candidate) == ("ours", True)
    assert parsed.is_authentic(PWD)
    assert not parsed.is_authentic("q" * 32)


def test_what_follows_the_integrity_does_not_count() -> None:
    parsed = parse_binding_request(request(after=attribute(USE_CANDIDATE, b"")))
    assert parsed
    assert parsed.is_authentic(PWD)
    assert not parsed.uses_candidate


def test_the_answer_tells_the_address_and_is_authentic() -> None:
    answer = binding_success(TRANSACTION, ("192.0.2.7", 4242), PWD)
    kind, length, cookie = struct.unpack_from("!HHI", answer)
    assert (kind, length, cookie) == (0x0101, len(answer) - 20, COOKIE)
    assert struct.unpack_from("!HH", answer, 20) == (XOR_MAPPED_ADDRESS, 8)
    _, family, port, address = struct.unpack_from("!BBHI", answer, 24)
    assert (family, port ^ (COOKIE >> 16)) == (1, 4242)
    assert ipaddress.ip_address(address ^ COOKIE) == ipaddress.ip_address("192.0.2.7")
    covered = answer[:2] + struct.pack("!H", 36) + answer[4:32]
    assert answer[36:56] == hmac.digest(PWD.encode(), covered, "sha1")
    assert answer[-4:] == struct.pack("!I", crc32(answer[:-8]) ^ 0x5354554E)


def test_an_ipv6_address_is_masked_with_the_transaction() -> None:
    answer = binding_success(TRANSACTION, ("2001:db8::7", 4242), PWD)
    mask = struct.pack("!I", COOKIE) + TRANSACTION
    masked = bytes(a ^ b for a, b in zip(answer[28:44], mask, strict=True))
    assert answer[25] == 2
    assert ipaddress.ip_address(masked) == ipaddress.ip_address("2001:db8::7")


def test_the_answer_is_not_larger_than_what_a_browser_sends() -> None:
    asked = request(extra=attribute(0x0024, b"prio") + attribute(0x802A, b"tie-brea"))
    assert len(binding_success(TRANSACTION, ("192.0.2.7", 1), PWD)) <= len(asked)


@given(st.binary(max_size=200), st.integers(0, 90))
def test_any_bytes_are_read_or_refused(noise: bytes, cut: int) -> None:
    parse_binding_request(noise)
    asked = request()
    broken = asked[:cut] + noise + asked[cut:]
    parsed = parse_binding_request(broken)
    assert parsed is None or broken == asked or not parsed.is_authentic(PWD + "x")
