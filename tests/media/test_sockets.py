"""The media port with real sockets: UDP and TCP, IPv4 and IPv6."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator

import pytest

from tests.running import free_media_port
from visavis.media import ice_tcp
from visavis.media import sockets as wires_module
from visavis.media.ice_tcp import MAX_WAITING_BYTES, STRANGER_SECONDS
from visavis.media.limits import BURST_SECONDS
from visavis.media.remote_address import RemoteAddress
from visavis.media.rfc4571 import Deframer, frame
from visavis.media.sockets import MediaSockets
from visavis.media.steering import Source

pytestmark = pytest.mark.anyio


async def steered(
    sockets: MediaSockets, browser: socket.socket, source: Source = Source.LEG
) -> None:
    """Assign the address of a browser's socket to a leg, and wait until the kernel is updated."""
    sockets.steer(browser.getsockname(), source)
    while sockets._steering:
        await asyncio.sleep(0.005)


class SocketsHarness:
    """Sockets under test, with the datagrams and lost connections that they reported."""

    def __init__(self, port: int) -> None:
        self.sockets = MediaSockets(port)
        self.heard: asyncio.Queue[tuple[bytes, RemoteAddress]] = asyncio.Queue()
        self.lost: asyncio.Queue[RemoteAddress] = asyncio.Queue()
        self.known: set[RemoteAddress] = set()

    async def admit(self, browser: socket.socket) -> None:
        """Assign the address of a browser's socket to a leg."""
        await steered(self.sockets, browser)

    async def open(self) -> None:
        await self.sockets.open(
            lambda datagram, remote_address, *_: self.heard.put_nowait((datagram, remote_address)),
            self.lost.put_nowait,
            self.known.__contains__,
        )


async def is_over(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed a connection."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


@pytest.fixture
async def harness(anyio_backend: str) -> AsyncIterator[tuple[SocketsHarness, int]]:
    port = free_media_port()
    harness = SocketsHarness(port)
    await harness.open()
    yield harness, port
    harness.sockets.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_udp_both_ways(harness: tuple[SocketsHarness, int], host: str) -> None:
    sockets, port = harness
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as browser:
        browser.setblocking(False)
        browser.connect((host, port))
        await sockets.admit(browser)
        browser.send(b"hello")
        datagram, remote_address = await sockets.heard.get()
        assert (datagram, len(remote_address)) == (b"hello", 4 if ":" in host else 2)  # type: ignore[arg-type]
        sockets.sockets.send(b"answer", remote_address)
        assert await asyncio.get_running_loop().sock_recv(browser, 100) == b"answer"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_tcp_both_ways(harness: tuple[SocketsHarness, int], host: str) -> None:
    sockets, port = harness
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(frame(b"hello")[:3])
    await writer.drain()
    writer.write(frame(b"hello")[3:])
    datagram, remote_address = await sockets.heard.get()
    assert datagram == b"hello"
    sockets.sockets.send(b"answer", remote_address)
    assert Deframer().feed(await reader.read(100)) == [b"answer"]
    writer.close()
    assert await sockets.lost.get() is remote_address


async def test_what_is_no_frame_ends_the_connection(harness: tuple[SocketsHarness, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", harness[1])
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await is_over(reader)
    writer.close()


async def test_strangers_are_parted_with_and_the_known_are_not(
    harness: tuple[SocketsHarness, int],
) -> None:
    sockets, port = harness
    known, stranger = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    known[1].write(frame(b"x"))
    _, remote_address = await sockets.heard.get()
    sockets.known.add(remote_address)
    now = asyncio.get_running_loop().time()
    for seconds in (0.0, 0.1, 2 * STRANGER_SECONDS):
        sockets.sockets.tick(now + seconds)
    assert await is_over(stranger[0])
    sockets.sockets.send(b"still here", remote_address)
    assert Deframer().feed(await known[0].read(100)) == [b"still here"]
    for _, writer in (known, stranger):
        writer.close()


async def test_a_stranger_makes_room(
    harness: tuple[SocketsHarness, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice_tcp, "MAX_CONNECTIONS", 1)
    sockets, port = harness
    first = await asyncio.open_connection("127.0.0.1", port)
    second = await asyncio.open_connection("127.0.0.1", port)
    assert await is_over(first[0])
    second[1].write(frame(b"x"))
    _, remote_address = await sockets.heard.get()
    sockets.known.add(remote_address)
    third = await asyncio.open_connection("127.0.0.1", port)
    assert await is_over(third[0])
    for _, writer in (first, second, third):
        writer.close()


async def test_a_browser_that_does_not_read_loses_packets(
    harness: tuple[SocketsHarness, int],
) -> None:
    sockets, port = harness
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(frame(b"x"))
    _, remote_address = await sockets.heard.get()
    for _ in range(20_000):
        sockets.sockets.send(b"x" * 1200, remote_address)
    assert not isinstance(remote_address, tuple)
    waiting = remote_address._transport.get_write_buffer_size()  # type: ignore[attr-defined]
    assert waiting <= MAX_WAITING_BYTES + 1202
    writer.transport.abort()


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"TCP port {port} .* choose another with --media-port"):
            MediaSockets(port)


def remove_families(
    monkeypatch: pytest.MonkeyPatch, code: int, *removed: socket.AddressFamily
) -> None:
    """Simulate a machine without these address families."""
    open_one = wires_module._open_one

    def open_if_there(
        family: socket.AddressFamily, kind: socket.SocketKind, port: int, address: str
    ) -> socket.socket:
        if family in removed:
            raise OSError(code, "no such family")
        return open_one(family, kind, port, address)

    monkeypatch.setattr(wires_module, "_open_one", open_if_there)


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize(
    ("missing", "host"), [(socket.AF_INET, "::1"), (socket.AF_INET6, "127.0.0.1")]
)
async def test_one_address_family_is_enough(
    monkeypatch: pytest.MonkeyPatch, code: int, missing: socket.AddressFamily, host: str
) -> None:
    remove_families(monkeypatch, code, missing)
    harness = SocketsHarness(port := free_media_port())
    await harness.open()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as browser:
        browser.setblocking(False)
        browser.connect((host, port))
        await harness.admit(browser)
        browser.send(b"hello")
        datagram, remote_address = await harness.heard.get()
        assert datagram == b"hello"
        harness.sockets.send(b"answer", remote_address)
        assert await asyncio.get_running_loop().sock_recv(browser, 100) == b"answer"
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(frame(b"hello"))
    _, remote_address = await harness.heard.get()
    harness.sockets.send(b"answer", remote_address)
    assert Deframer().feed(await reader.read(100)) == [b"answer"]
    writer.close()
    harness.sockets.close()


async def test_a_machine_without_any_address_family_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remove_families(monkeypatch, errno.EAFNOSUPPORT, socket.AF_INET, socket.AF_INET6)
    with pytest.raises(OSError, match="UDP port 9999 cannot be opened"):
        MediaSockets(9999)


async def test_a_port_that_only_ipv6_has_taken_is_named() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind(("::", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"TCP port {port} .* choose another with --media-port"):
            MediaSockets(port)


async def test_what_cannot_be_sent_is_lost(harness: tuple[SocketsHarness, int]) -> None:
    harness[0].sockets.send(b"x", ("255.255.255.255", 1))


async def test_a_flood_of_datagrams_arrives_whole_and_in_order(
    harness: tuple[SocketsHarness, int],
) -> None:
    """Datagrams come in bursts and one by one, with and without pauses."""
    sockets, port = harness
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser:
        browser.connect(("127.0.0.1", port))
        await sockets.admit(browser)
        for first in (0, 300, 600):
            for number in range(first, first + 300):
                browser.send(number.to_bytes(2))
            for number in range(first, first + 300):
                assert (await sockets.heard.get())[0] == number.to_bytes(2)
        await asyncio.sleep(0.01)
        browser.send(b"later")
        assert (await sockets.heard.get())[0] == b"later"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_what_is_sent_while_reading_arrives_whole_and_in_order(host: str) -> None:
    """Packets of equal and different sizes are sent back to their senders."""
    port = free_media_port()
    sockets = MediaSockets(port)
    await sockets.open(
        lambda datagram, remote_address, *_: sockets.send(datagram, remote_address),
        lambda _: None,
        lambda _: True,
    )
    loop, family = asyncio.get_running_loop(), socket.AF_INET6 if ":" in host else socket.AF_INET
    packets = [bytes([number]) * size for number, size in enumerate([900] * 5 + [901] * 3 + [80])]
    with socket.socket(family, socket.SOCK_DGRAM) as browser:
        browser.setblocking(False)
        browser.connect((host, port))
        await steered(sockets, browser)
        for _ in range(20):
            for packet in packets:
                browser.send(packet)
            assert [await loop.sock_recv(browser, 2048) for _ in packets] == packets
    sockets.close()


async def test_closing_in_a_pause(anyio_backend: str) -> None:
    port = free_media_port()
    harness = SocketsHarness(port)
    await harness.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser:
        browser.connect(("127.0.0.1", port))
        await harness.admit(browser)
        for _ in range(5):
            browser.send(b"in a hurry")
            await harness.heard.get()
    harness.sockets.close()
    await asyncio.sleep(0.01)
    assert harness.heard.empty()


async def test_one_address_s_strangers_make_room_among_themselves(
    harness: tuple[SocketsHarness, int],
) -> None:
    sockets, port = harness
    other = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
    flood = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
    assert await is_over(flood[0][0])
    for number, (_, writer) in enumerate([other, flood[-1]]):
        writer.write(frame(b"still here %d" % number))
        await sockets.heard.get()
    assert sockets.sockets._tcp
    assert len(sockets.sockets._tcp) == ice_tcp.MAX_STRANGERS_PER_NETWORK + 1
    assert sockets.sockets.refused_connections == 40 - ice_tcp.MAX_STRANGERS_PER_NETWORK
    for _, writer in [other, *flood]:
        writer.close()


async def test_a_connection_is_read_no_faster_than_it_may_send(
    harness: tuple[SocketsHarness, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP flow control slows a stranger down at once, and a leg at its rate."""
    sockets, port = harness
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    frames = [frame(bytes([n % 256]) * 1000) for n in range(400)]
    writer.write(b"".join(frames))
    await asyncio.sleep(0.3)
    burst = int(ice_tcp.STRANGER_RATE * BURST_SECONDS)
    assert sockets.heard.qsize() * 1000 < burst + 300_000  # uvloop reads this much at once.
    _, remote_address = sockets.heard.get_nowait()
    sockets.known.add(remote_address)
    assert not isinstance(remote_address, tuple)
    remote_address._resume()  # type: ignore[attr-defined]
    for number in range(1, 400):
        assert (await sockets.heard.get())[0][0] == number % 256
    writer.close()
    assert await sockets.lost.get() is remote_address
    del reader


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
async def test_one_address_is_listened_on_alone(host: str, family: socket.AddressFamily) -> None:
    port = free_media_port()
    sockets = MediaSockets(port, host)
    assert list(sockets._udp) == list(sockets._listeners) == [family]
    for opened in (*sockets._udp[family].sockets.values(), sockets._listeners[family]):
        assert opened.getsockname()[0] == host
    sockets.close()


async def test_connections_from_another_machine_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With another index of the loopback interface, this machine counts as another one."""
    for interface, is_let_in in ((socket.if_nametoindex("lo"), True), (9999, False)):
        monkeypatch.setattr(socket, "if_nametoindex", lambda _, number=interface: number)
        port = free_media_port()
        sockets = MediaSockets(port, is_local_only=True)
        for listener in sockets._listeners.values():
            listener.listen()
        connecting = asyncio.open_connection("127.0.0.1", port)
        if is_let_in:
            (await connecting)[1].close()
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connecting, 0.3)
        sockets.close()
