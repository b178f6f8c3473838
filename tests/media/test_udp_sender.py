"""Datagrams sent with one system call arrive complete, in order, and at the right peer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.running import PATIENCE
from visavis.media import udp_sender as outlet_module
from visavis.media.remote_address import UdpAddress
from visavis.media.udp_sender import MAX_SEGMENTED_BYTES, MAX_SEGMENTS, UdpSender, segmentable

SO_NO_CHECK = 11
"""Socket option: without checksums, the kernel rejects segmentation for IPv4 (EINVAL)."""


def sizes(*of_datagrams: int) -> list[list[int]]:
    """Return the runs into which datagrams of these sizes are split."""
    return [[len(d) for d in run] for run in segmentable([bytes(n) for n in of_datagrams])]


def test_a_run_is_of_one_size_but_for_a_shorter_last() -> None:
    assert sizes(900) == [[900]]
    assert sizes(900, 900, 100) == [[900, 900, 100]]
    assert sizes(900, 100, 100, 900) == [[900, 100], [100], [900]]
    assert sizes(100, 900) == [[100], [900]]


def test_the_packets_of_a_frame_are_two_runs_when_the_last_are_longer_by_a_byte() -> None:
    """Chromium splits a frame of uneven size like this."""
    assert sizes(1101, 1101, 1102, 1102, 1102) == [[1101, 1101], [1102, 1102, 1102]]


def test_a_run_is_bounded() -> None:
    assert [len(run) for run in sizes(*[10] * 150)] == [MAX_SEGMENTS, MAX_SEGMENTS, 22]
    assert [len(run) for run in sizes(*[2000] * 40)] == [MAX_SEGMENTED_BYTES // 2000, 8]


class CountingSocket(socket.socket):
    """Socket that counts its sending calls."""

    alone = 0
    segmented = 0

    def sendto(self, *to: object) -> int:
        self.alone += 1
        return super().sendto(*to)  # type: ignore[call-overload, no-any-return]

    def sendmsg(self, *to: object) -> int:
        self.segmented += 1
        return super().sendmsg(*to)  # type: ignore[arg-type]


class SenderHarness:
    """UDP sender, and the browsers to which it sends, on loopback of one address family."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.udp = CountingSocket(family, socket.SOCK_DGRAM)
        self.sender = UdpSender(self.udp, self.udp)
        self.browsers = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for browser in self.browsers:
            browser.bind((host, 0))
            browser.settimeout(PATIENCE)
        self.addresses: list[UdpAddress] = [browser.getsockname() for browser in self.browsers]

    def send(self, datagrams: list[bytes], to: int = 0) -> None:
        for datagram in datagrams:
            self.sender.send(datagram, self.addresses[to])

    def heard(self, count: int, by: int = 0) -> list[bytes]:
        return [self.browsers[by].recv(2048) for _ in range(count)]

    def close(self) -> None:
        for each in (self.udp, *self.browsers):
            each.close()


@pytest.fixture(params=["127.0.0.1", "::1"])
def harness(request: pytest.FixtureRequest) -> Iterator[SenderHarness]:
    harness = SenderHarness(request.param)
    yield harness
    harness.close()


def frame(count: int, size: int = 900) -> list[bytes]:
    return [bytes([number]) * size for number in range(count)]


def test_a_frame_leaves_in_one_call_and_arrives_as_its_packets(harness: SenderHarness) -> None:
    packets = [*frame(5), b"shorter"]
    harness.sender.hold()
    harness.send(packets)
    assert (harness.udp.alone, harness.udp.segmented) == (0, 0)
    harness.sender.release()
    assert harness.heard(6) == packets
    assert (harness.udp.alone, harness.udp.segmented) == (0, 1)


def test_what_is_not_held_leaves_at_once(harness: SenderHarness) -> None:
    harness.send([b"one"])
    harness.sender.hold()
    harness.sender.release()
    harness.send([b"two"])
    assert harness.heard(2) == [b"one", b"two"]
    assert harness.udp.segmented == 0


def test_sizes_and_destinations_as_they_come(harness: SenderHarness) -> None:
    """The order is kept for each browser, regardless of packets to others between them."""
    for_first = [b"a" * 100, *frame(3), b"b" * 50, b"c" * 1200, *frame(2, 1200)]
    for_second = [b"x" * 900, b"y", b"z" * 901]
    harness.sender.hold()
    for number, packet in enumerate(for_first):
        harness.send([packet])
        harness.send(for_second[number : number + 1], to=1)
    harness.sender.release()
    assert harness.heard(len(for_first)) == for_first
    assert harness.heard(len(for_second), by=1) == for_second


@pytest.mark.parametrize("harness", ["127.0.0.1"], indirect=True)
def test_who_is_refused_gets_packet_by_packet_from_then_on(harness: SenderHarness) -> None:
    harness.udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    for _ in range(3):
        harness.sender.hold()
        harness.send(frame(4))
        harness.sender.release()
        assert harness.heard(4) == frame(4)
    assert (harness.udp.alone, harness.udp.segmented) == (12, 1)


@pytest.mark.parametrize("harness", ["127.0.0.1"], indirect=True)
def test_the_refused_are_not_remembered_without_bound(
    harness: SenderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet_module, "MAX_REFUSED", 1)
    harness.udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    for to in (0, 1, 0):
        harness.sender.hold()
        harness.send(frame(2), to)
        harness.sender.release()
        assert harness.heard(2, by=to) == frame(2)
    assert harness.udp.segmented == 3


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_where_the_kernel_cannot_packets_leave_at_once(
    platform: str, harness: SenderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(outlet_module, "_UDP_SEGMENT", 9999)
    sender = UdpSender(harness.udp, harness.udp)
    sender.hold()
    sender.send(b"at once", harness.addresses[0])
    assert harness.heard(1) == [b"at once"]


def test_what_cannot_be_sent_is_lost() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        sender = UdpSender(udp, udp)
        sender.hold()
        for number in range(2):
            sender.send(
                b"x", ("255.255.255.255", number)
            )  # Sending to this address is not permitted.
            sender.send(b"x", ("255.255.255.255", 1))
        sender.release()
