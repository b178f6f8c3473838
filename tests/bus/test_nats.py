"""The bus over real NATS servers that are killed, frozen, cut off, or refuse the node."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.bus.conftest import connected
from tests.bus.test_bus import reach
from tests.certificates import write_certificate
from tests.dying import dies_once
from tests.faults.proxy import Proxy
from tests.nats_servers import PASSWORD, Credentials, NatsServers
from tests.running import PATIENCE
from visavis.bus import nats
from visavis.bus.addresses import BusAddress
from visavis.bus.nats import MAX_MESSAGES, BusOptions, NatsBus
from visavis.protocol.signaling import Linked
from visavis.services.ports import AskTimeoutError, Bus, NoResponderError
from visavis.tasks import cancelled, run_forever

pytestmark = [pytest.mark.anyio, pytest.mark.interop]

SECONDS = PATIENCE


async def until(question: Callable[[], bool]) -> float:
    """Wait until the condition holds; return the seconds that this took."""
    started = time.monotonic()
    async with asyncio.timeout(SECONDS):
        while not question():
            await asyncio.sleep(0.01)
    return time.monotonic() - started


async def echo(message: bytes) -> bytes:
    return message


async def answers(bus: Bus, topic: str = "site.1") -> None:
    """Ask until there is a response, as callers of the bus do."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await bus.ask(topic, b"", 0.7)
            except (AskTimeoutError, NoResponderError):
                continue
            return


@asynccontextmanager
async def two_nodes(servers: NatsServers) -> AsyncIterator[tuple[NatsBus, NatsBus]]:
    """Nodes at the first and the second server, which know the third as well."""
    first = BusOptions(address=servers.address(0, 2))
    second = BusOptions(address=servers.address(1))
    async with connected(first, "one") as one, connected(second, "other") as other:
        yield one, other


def port_of(bus: NatsBus) -> int:
    """Return the port of the server that the node uses."""
    assert bus._client
    url = bus._client.connected_url
    assert url
    assert url.port
    return url.port


async def test_a_cancellation_that_the_client_ignores_ends_the_bus(
    nats_servers: NatsServers,
) -> None:
    """As `asyncio.wait_for` does before Python 3.12 if its result is there at that moment."""
    connecting = asyncio.Event()

    class IgnoringBus(NatsBus):
        async def _connect(self, *arguments: Any) -> None:
            connecting.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await super()._connect(*arguments)

    bus = IgnoringBus(BusOptions(address=nats_servers.address()), "one")
    connection = run_forever("bus", bus.run)
    await connecting.wait()
    async with asyncio.timeout(SECONDS):
        await cancelled(connection)
    assert not bus.is_connected


async def test_a_cancellation_that_the_client_answers_with_an_error_ends_the_bus(
    anyio_backend: str,
) -> None:
    connecting = asyncio.Event()

    class FailingBus(NatsBus):
        async def _connect(self, *arguments: Any) -> None:
            connecting.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await super()._connect(*arguments)  # raises an error: there is no server

    bus = FailingBus(BusOptions(address=BusAddress(False, ("127.0.0.1:1",))), "one")
    connection = asyncio.create_task(bus.run())
    await connecting.wait()
    connection.cancel()
    async with asyncio.timeout(SECONDS):
        await asyncio.wait([connection])
    assert connection.cancelled()


async def test_a_killed_server_is_replaced_and_subscriptions_are_restored(
    nats_servers: NatsServers,
) -> None:
    async with (
        two_nodes(nats_servers) as (one, other),
        one.subscribe("consoles.1") as inbox,
        one.answer("site.1", echo),
    ):
        await answers(other)
        nats_servers.at(port_of(one)).kill()
        await until(lambda: not one.is_connected)
        print(f"connected again after {await until(lambda: one.is_connected):.2f} s")
        await answers(other)
        await reach(other, "consoles.1", aiter(inbox))
        assert one.reconnects == 1


async def test_a_frozen_server_is_left(nats_servers: NatsServers) -> None:
    async with two_nodes(nats_servers) as (one, other), one.answer("site.1", echo):
        await answers(other)
        frozen = nats_servers.at(port_of(one))
        frozen.signal(signal.SIGSTOP)
        print(f"noticed after {await until(lambda: not one.is_connected):.2f} s")
        print(f"connected again after {await until(lambda: one.is_connected):.2f} s")
        await answers(other)
        frozen.signal(signal.SIGCONT)


async def test_a_connection_that_takes_no_data_any_longer_is_aborted(
    nats_servers: NatsServers,
) -> None:
    """nats-py would wait until the data are sent, and its requests beyond their time limit."""
    async with Proxy(nats_servers.servers[0].port) as proxy:
        through = BusAddress(False, (f"127.0.0.1:{proxy.port}",), "visavis", PASSWORD)
        options = BusOptions(address=through)
        second = BusOptions(address=nats_servers.address(1))
        async with (
            connected(options, "one") as one,
            connected(second, "other") as other,
            other.answer("site.1", echo),
        ):
            await answers(one)
            proxy.stall()
            for _ in range(100):
                one.publish("consoles.1", Linked("x" * 100_000, 1))
                await asyncio.sleep(0.002)
            with pytest.raises(AskTimeoutError):
                await one.ask("site.1", b"", 1.0)
            await until(lambda: not one.is_connected)
            assert proxy.cut() > 0
            proxy.resume()
            print(f"connected again after {await until(lambda: one.is_connected):.2f} s")
            await answers(one)


async def test_what_cannot_be_sent_is_dropped_and_counted(
    nats_servers: NatsServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = NatsBus(BusOptions(address=nats_servers.address()), "one")
    for number in range(MAX_MESSAGES + 5):
        bus.publish("consoles.1", Linked("call", number))
    assert bus.dropped == 5
    monkeypatch.setattr(nats, "MAX_MESSAGES", 2 * MAX_MESSAGES)
    bus.publish("consoles.1", Linked("x" * 1_000_000, 1))
    assert bus.dropped == 6
    monkeypatch.setattr(nats, "MAX_BYTES", 10)
    bus.publish("consoles.1", Linked("call", 1))
    assert bus.dropped == 7
    running = run_forever("bus of a test", bus.run)
    await until(lambda: not bus._outgoing)
    await cancelled(running)
    assert bus.dropped == 7


async def test_what_has_waited_for_too_long_is_not_sent(
    nats_servers: NatsServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = BusOptions(address=nats_servers.address())
    async with connected(options, "other") as other, other.subscribe("consoles.1") as inbox:
        bus = NatsBus(options, "one")
        monkeypatch.setattr(nats, "MAX_AGE_SECONDS", -1.0)
        bus.publish("consoles.1", Linked("call", 1))
        monkeypatch.undo()
        bus.publish("consoles.1", Linked("call", 2))
        running = run_forever("bus of a test", bus.run)
        async with asyncio.timeout(SECONDS):
            assert json.loads(await anext(aiter(inbox)))["link"] == 2
        assert bus.dropped == 1
        await cancelled(running)


async def test_without_a_server_this_node_serves_itself_and_asks_in_time() -> None:
    bus = NatsBus(BusOptions(address=BusAddress(False, ("127.0.0.1:9",))), "one")
    running = run_forever("bus of a test", bus.run)
    async with bus.answer("site.1", echo), bus.subscribe("consoles.1", "socket.one-1") as inbox:
        assert await bus.ask("site.1", b"a", SECONDS) == b"a"
        bus.publish("consoles.1", Linked("call", 1))
        bus.publish("socket.one-1", Linked("call", 2))
        messages = aiter(inbox)
        assert [json.loads(await anext(messages))["link"] for _ in range(2)] == [1, 2]
        with pytest.raises(AskTimeoutError):
            await bus.ask("site.2", b"a", 0.3)
    assert not bus.is_connected
    await cancelled(running)


async def test_a_socket_s_message_goes_to_its_node_alone(nats_servers: NatsServers) -> None:
    async with (
        two_nodes(nats_servers) as (one, other),
        one.subscribe("socket.other-1") as wrong,
        other.subscribe("socket.other-1") as right,
    ):
        await reach(one, "socket.other-1", aiter(right))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(aiter(wrong))


async def test_clusters_with_different_prefixes_hear_nothing_of_each_other(
    nats_servers: NatsServers,
) -> None:
    options = BusOptions(address=nats_servers.address())
    async with (
        connected(options, "one") as one,
        connected(replace(options, prefix="another"), "other") as other,
        other.answer("site.1", echo),
        other.subscribe("consoles.1") as inbox,
    ):
        with pytest.raises(NoResponderError):
            await one.ask("site.1", b"", SECONDS)
        one.publish("consoles.1", Linked("call", 1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(aiter(inbox))


async def test_a_wrong_password_is_reported_once_and_never_shown(
    nats_servers: NatsServers,
) -> None:
    address = replace(nats_servers.address(), password="not-the-one")
    bus = NatsBus(BusOptions(address=address), "one")
    with capture_logs() as lines:
        running = run_forever("bus of a test", bus.run)
        await asyncio.sleep(1.0)
        await cancelled(running)
    assert [line["event"] for line in lines] == ["bus not connected"]
    assert "Authorization" in lines[0]["reason"]
    assert "not-the-one" not in str(lines)


async def test_a_server_without_encryption_gets_no_password(nats_servers: NatsServers) -> None:
    heard = bytearray()

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"version":"2.15.1","auth_required":true,"max_payload":1048576}\r\n')
        heard.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(pretend, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bus = NatsBus(
        BusOptions(address=BusAddress(True, (f"127.0.0.1:{port}",), "visavis", PASSWORD)), "one"
    )
    with capture_logs() as lines:
        running = run_forever("bus of a test", bus.run)
        await until(lambda: bool(lines))
        await cancelled(running)
    server.close()
    assert lines[0]["reason"] == "the server offers no TLS"
    assert bytes(heard) == b""


async def test_an_encrypted_connection_to_a_server_whose_certificate_is_checked(
    tmp_path: Path,
) -> None:
    certificate, key = write_certificate(tmp_path)
    servers = NatsServers(1, f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}')
    try:
        address = replace(servers.start().address(), is_tls=True)
        async with connected(BusOptions(address=address, ca=certificate), "one") as one:
            with pytest.raises(NoResponderError):
                await one.ask("site.1", b"", SECONDS)
        stranger = NatsBus(BusOptions(address=address), "other")
        with capture_logs() as lines:
            running = run_forever("bus of a test", stranger.run)
            await until(lambda: bool(lines))
            await cancelled(running)
        assert not stranger.is_connected
    finally:
        servers.stop()


async def test_a_user_with_a_credentials_file(tmp_path: Path) -> None:
    credentials = Credentials()
    file = tmp_path / "node.creds"
    file.write_text(credentials.user_file)
    servers = NatsServers(1, credentials.configuration, is_open=True)
    try:
        address = BusAddress(False, servers.start().address().servers)
        async with connected(BusOptions(address=address, credentials=file), "one") as one:
            with pytest.raises(NoResponderError):
                await one.ask("site.1", b"", SECONDS)
        stranger = NatsBus(BusOptions(address=address), "other")
        with capture_logs() as lines:
            running = run_forever("bus of a test", stranger.run)
            await until(lambda: bool(lines))
            await cancelled(running)
        assert "Authorization" in lines[0]["reason"]
    finally:
        servers.stop()


async def test_a_response_that_cannot_be_made_is_counted(nats_servers: NatsServers) -> None:
    async with two_nodes(nats_servers) as (one, other), one.answer("site.1", echo):
        with dies_once("request of another node", one._local, "ask") as has_died:
            with pytest.raises(AskTimeoutError):
                await other.ask("site.1", b"", 0.5)
            assert has_died()
        await answers(other)


def test_a_file_of_certificates_that_is_missing_is_noticed_at_once(tmp_path: Path) -> None:
    options = BusOptions(address=BusAddress(True, ("n1:4222",)), ca=tmp_path / "missing.pem")
    with pytest.raises(FileNotFoundError):
        NatsBus(options, "one")
