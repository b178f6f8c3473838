"""SRTP with pylibsrtp's private binding and with its public interface."""

from __future__ import annotations

import struct

import pylibsrtp._binding
import pytest
from pylibsrtp import Policy, Session

from visavis.media import srtp
from visavis.media.srtp import MAX_BYTES, PROFILES, Srtp, SrtpError, Transform, transform

PACKET = struct.pack("!BBHII", 0x80, 96, 7, 90, 5) + bytes(range(100))
REPORT = struct.pack("!BBHI", 0x80, 201, 1, 5)
WAYS = ["private binding", "public interface"]


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == WAYS[1]:
        monkeypatch.setattr(srtp, "lib", None)
    return str(request.param)


def both_ends(name: str) -> tuple[Transform, Transform]:
    """Return functions that protect and unprotect with the same key."""
    number, key, salt = PROFILES[b"SRTP_AEAD_AES_128_GCM"]
    secret = bytes(range(key + salt))
    there = Session(Policy(secret, Policy.SSRC_ANY_OUTBOUND, srtp_profile=number))
    here = Session(Policy(secret, Policy.SSRC_ANY_INBOUND, srtp_profile=number))
    return transform(there, f"protect{name}"), transform(here, f"unprotect{name}")


def test_pylibsrtp_still_has_what_we_use(way: str) -> None:
    protect, _ = both_ends("")
    assert protect.__qualname__.startswith("_in_place") == (way == WAYS[0])
    assert pylibsrtp._binding.lib.srtp_err_status_ok == 0


@pytest.mark.parametrize(("name", "packet"), [("", PACKET), ("_rtcp", REPORT)])
def test_there_and_back(name: str, packet: bytes) -> None:
    protect, unprotect = both_ends(name)
    datagram = protect(packet)
    assert type(datagram) is bytes
    assert datagram != packet
    assert unprotect(datagram) == packet


def test_both_ways_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    privately, _ = both_ends("")
    monkeypatch.setattr(srtp, "lib", None)
    publicly, _ = both_ends("")
    assert privately(PACKET) == publicly(PACKET)


def test_what_is_forged_repeated_or_too_long_is_refused() -> None:
    protect, unprotect = both_ends("")
    datagram = protect(PACKET)
    forged = bytes((*datagram[:-1], datagram[-1] ^ 1))
    with pytest.raises(SrtpError):
        unprotect(forged)
    unprotect(datagram)
    for refused in (datagram, b"", datagram[:11], bytes(MAX_BYTES + 1)):
        with pytest.raises(SrtpError):
            unprotect(refused)
    with pytest.raises(SrtpError):
        protect(bytes(MAX_BYTES + 1))


def test_the_longest_packet_and_its_tag_fit_the_buffer(way: str) -> None:
    protect, unprotect = both_ends("")
    longest = PACKET + bytes((MAX_BYTES if way == WAYS[0] else MAX_BYTES - 144) - len(PACKET))
    datagram = protect(longest)
    assert len(datagram) == len(longest) + 16
    with pytest.raises(SrtpError):
        unprotect(datagram[:-1])


def test_the_sessions_outlive_their_maker() -> None:
    ends = [both_ends("") for _ in range(50)]
    for protect, unprotect in ends:
        assert unprotect(protect(PACKET)) == PACKET


@pytest.mark.parametrize("profile", PROFILES)
def test_a_leg_hears_the_client_and_speaks_as_the_server(profile: bytes) -> None:
    number, key, salt = PROFILES[profile]
    material = bytes(range(2 * (key + salt)))
    keys, salts = material[: 2 * key], material[2 * key :]
    client = Policy(keys[:key] + salts[:salt], Policy.SSRC_ANY_OUTBOUND, srtp_profile=number)
    server = Policy(keys[key:] + salts[salt:], Policy.SSRC_ANY_INBOUND, srtp_profile=number)
    leg = Srtp(profile, material)
    assert leg.unprotect(Session(client).protect(PACKET)) == PACKET
    hears = Session(server)
    assert hears.unprotect(leg.protect(PACKET)) == PACKET
    assert hears.unprotect_rtcp(leg.protect_rtcp(REPORT)) == REPORT
    assert leg.unprotect_rtcp(Session(client).protect_rtcp(REPORT)) == REPORT
