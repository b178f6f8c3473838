"""The kernel separates datagrams of strangers and excessive legs from those of other legs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.media.test_sockets import steered
from tests.running import free_media_port
from visavis.media import socket_filter, steering
from visavis.media.remote_address import RemoteAddress, UdpAddress
from visavis.media.socket_filter import MAX_INSTRUCTIONS, SourceHash
from visavis.media.sockets import MediaSockets
from visavis.media.steering import PortSockets, Source

pytestmark = pytest.mark.anyio

FLOOD = 12_000
CHECK = bytes.fromhex("000100002112a442") + bytes(1100)
"""Datagram that looks like a check, so that no filter drops it."""

HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@contextmanager
def opened(family: socket.AddressFamily, *, is_local_only: bool = False) -> Iterator[PortSockets]:
    first = socket.socket(family, socket.SOCK_DGRAM)
    first.setblocking(False)
    first.bind((HOSTS[family], 0))
    sockets = PortSockets(first, is_local_only=is_local_only)
    yield sockets
    sockets.close()


def queued(udp: socket.socket) -> list[UdpAddress]:
    """Return the sources of all datagrams that wait on a socket."""
    sources = []
    while True:
        try:
            sources.append(udp.recvfrom(2048)[1])
        except BlockingIOError:
            return sources


def browsers(stack: ExitStack, sockets: PortSockets, count: int) -> list[socket.socket]:
    bound = sockets._first.getsockname()
    add_connection = []
    for _ in range(count):
        browser = stack.enter_context(socket.socket(sockets._first.family, socket.SOCK_DGRAM))
        browser.connect(bound)
        add_connection.append(browser)
    return add_connection


@pytest.mark.parametrize("family", HOSTS)
@pytest.mark.parametrize("legs", [0, 1, 7, 8, 9, 60, 200])
async def test_each_source_has_its_socket(family: socket.AddressFamily, legs: int) -> None:
    with opened(family) as sockets, ExitStack() as stack:
        sources = browsers(stack, sockets, legs + 3)
        kinds = {browser.getsockname(): Source.LEG for browser in sources[:legs]}
        if legs:
            kinds[sources[0].getsockname()] = Source.EXCESSIVE_LEG
        for address, kind in kinds.items():
            assert sockets.steer(address, kind)
            assert not sockets.steer(address, kind)
        for number in range(600):  # Legs that send nothing.
            host = f"192.0.2.{number % 250}" if family is socket.AF_INET else f"2001:db8::{number}"
            sockets.steer((host, number), Source.LEG)
        sockets.apply()
        for browser in sources:
            browser.send(CHECK)
        for kind, udp in sockets.sockets.items():
            expected = {
                browser.getsockname()
                for browser in sources
                if kinds.get(browser.getsockname(), Source.STRANGER) is kind
            }
            assert set(queued(udp)) == expected


async def test_a_leg_that_has_left_is_a_stranger() -> None:
    with opened(socket.AF_INET) as sockets, ExitStack() as stack:
        (browser,) = browsers(stack, sockets, 1)
        address = browser.getsockname()
        assert not sockets.steer(address, Source.STRANGER)
        for kind in (Source.LEG, Source.STRANGER):
            assert sockets.steer(address, kind)
            sockets.apply()
            browser.send(CHECK)
            assert queued(sockets.sockets[kind]) == [address]


async def test_of_strangers_only_stun_and_dtls_come_in() -> None:
    with opened(socket.AF_INET) as sockets, ExitStack() as stack:
        (browser,) = browsers(stack, sockets, 1)
        for junk in (
            b"",
            b"\x00",
            b"\x00\x01\x00\x00junk" + bytes(20),
            b"\x80" * 60,
            b"\xff" * 900,
        ):
            browser.send(junk)
        for first in (4, 19, 64, 127, 128, 191, 192, 255):
            browser.send(bytes([first]) + bytes(60))
        assert queued(sockets.sockets[Source.STRANGER]) == []
        for good in (CHECK, b"\x14" * 40, b"\x3f" * 40):
            browser.send(good)
        assert len(queued(sockets.sockets[Source.STRANGER])) == 3


async def test_more_sources_than_the_kernel_takes_share_a_socket() -> None:
    with opened(socket.AF_INET) as sockets, ExitStack() as stack:
        (browser,) = browsers(stack, sockets, 1)
        for number in range(MAX_INSTRUCTIONS):
            sockets.steer(("192.0.2.1", number), Source.LEG)
        for _ in range(2):
            sockets.apply()
        browser.send(b"\x80" * 60)
        assert len(queued(sockets.sockets[Source.LEG])) == 1
        for number in range(MAX_INSTRUCTIONS):
            sockets.steer(("192.0.2.1", number), Source.STRANGER)
        sockets.apply()
        browser.send(CHECK)
        assert len(queued(sockets.sockets[Source.STRANGER])) == 1


@pytest.mark.parametrize("is_local_only", [False, True])
async def test_a_kernel_that_does_not_sort(
    monkeypatch: pytest.MonkeyPatch, is_local_only: bool
) -> None:
    attach = socket_filter.attach

    def refuse(udp: socket.socket, option: int, program: socket_filter.Program) -> None:
        if option == socket_filter.SO_ATTACH_REUSEPORT_CBPF:
            raise OSError(92, "Protocol not available")
        attach(udp, option, program)

    monkeypatch.setattr(steering, "attach", refuse)
    with opened(socket.AF_INET, is_local_only=is_local_only) as sockets, ExitStack() as stack:
        assert sockets.is_shared
        (browser,) = browsers(stack, sockets, 1)
        assert not sockets.steer(browser.getsockname(), Source.LEG)
        browser.send(b"\x80" * 60)
        assert len(queued(sockets.sockets[Source.LEG])) == 1


async def test_what_comes_from_another_machine_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another index of the loopback interface, this machine counts as another one."""
    with opened(socket.AF_INET, is_local_only=True) as sockets, ExitStack() as stack:
        (browser,) = browsers(stack, sockets, 1)
        browser.send(CHECK)
        assert len(queued(sockets.sockets[Source.STRANGER])) == 1
    monkeypatch.setattr(socket, "if_nametoindex", lambda _: 9999)
    with opened(socket.AF_INET, is_local_only=True) as sockets, ExitStack() as stack:
        (browser,) = browsers(stack, sockets, 1)
        browser.send(CHECK)
        assert queued(sockets.sockets[Source.STRANGER]) == []


def test_the_hash_differs_in_every_process() -> None:
    one, other = SourceHash(socket.AF_INET), SourceHash(socket.AF_INET)
    addresses = [("192.0.2.1", port) for port in range(100)]
    assert [one.of(a) for a in addresses] != [other.of(a) for a in addresses]
    assert len({one.of(a) for a in addresses}) == 100


@pytest.mark.parametrize("flooder", [Source.STRANGER, Source.EXCESSIVE_LEG])
async def test_a_flood_takes_no_packet_of_a_good_call(flooder: Source) -> None:
    """The flood exceeds the socket's buffer before the worker reads anything."""
    port = free_media_port()
    heard: list[tuple[bytes, RemoteAddress]] = []
    sockets = MediaSockets(port)
    await sockets.open(
        lambda datagram, remote_address, *_: heard.append((datagram, remote_address)),
        lambda _: None,
        lambda _: True,
    )
    with ExitStack() as stack:
        good, bad = (
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)
        )
        for browser, kind in ((good, Source.LEG), (bad, flooder)):
            browser.connect(("127.0.0.1", port))
            await steered(sockets, browser, kind)
        for number in range(FLOOD):
            bad.send(CHECK)
            if number % (FLOOD // 100) == 0:
                good.send(b"\x80" * 60)
        for _ in range(100):
            await asyncio.sleep(0.02)
            if sum(remote_address == good.getsockname() for _, remote_address in heard) == 100:
                break
        assert sum(remote_address == good.getsockname() for _, remote_address in heard) == 100
    sockets.close()
