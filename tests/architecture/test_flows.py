"""The main flows run through few files of ours, and docs/flows.md names those files.

Every file counts in which a function is called, whatever it does. `passed.recorded()` takes any
other flow as well.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests import http_clients
from tests.architecture.page_socket import PageSocket
from tests.architecture.passed_files import PACKAGE, PassedFiles
from tests.media.test_leg import rtp
from tests.media.test_relay import ADDRESSES, connected
from tests.running import PATIENCE, until
from tests.services.calls.simulated_site import OFFER, FakeMediaPlane
from visavis.app import App
from visavis.archive.tus_headers import BODY_TYPE
from visavis.clock_and_ids import now
from visavis.domain.config import ConfigUpdate
from visavis.domain.leg import VISITOR_LEG, BridgeId
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent
from visavis.domain.recording import Manifest
from visavis.media.udp_receiver import read_batch
from visavis.media.udp_sender import UdpSender
from visavis.services.ports import Transaction
from visavis.settings import Settings
from visavis.store import open_store

FLOWS: Final = (PACKAGE.parents[1] / "docs/flows.md").read_text()
CONFIG: Final = "/v4/livechat/audioVideoChatConfig"


def named(heading: str) -> set[str]:
    """Return the files of the package that a section of docs/flows.md names."""
    section = FLOWS.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`src/visavis/([\w/]+\.py)`", section))


@pytest.fixture
def passed() -> Iterator[PassedFiles]:
    files = PassedFiles()
    yield files
    files.close()


@pytest.fixture
async def app(
    new_database: Path, tmp_path: Path, passed: PassedFiles, anyio_backend: str
) -> AsyncIterator[App]:
    settings = Settings(data_dir=tmp_path, log_level="warning")
    app = App(settings, open_store(str(new_database)))
    yield app
    assert app.archive
    app.archive.close()
    app.store.close()


def client_of(app: App) -> httpx2.AsyncClient:
    return http_clients.AsyncClient(
        transport=httpx2.ASGITransport(app.web), base_url="http://visavis"
    )


def _administrator(rows: Transaction) -> Agent:
    site = rows.sites.add("Site", now())
    return rows.agents.add(site.id, "a@example.com", "A", "-", is_administrator=True)


async def test_a_configuration_put(app: App, passed: PassedFiles) -> None:
    agent = await app.store.write(_administrator)
    token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    async with client_of(app) as client:
        client.headers["Authorization"] = f"Bearer {token}"

        async def put(*, is_enabled: bool) -> None:
            body = {"recordingServerUrl": "http://google.com", "isEnabled": is_enabled}
            assert (await client.put(CONFIG, json=body)).status_code == 200

        await put(is_enabled=False)  # what is loaded or remembered once does not count
        with passed.recorded():
            await put(is_enabled=True)
    assert len(passed.names) <= 13, f"\n{passed}"
    beside = {"web/routes.py", "web/socket_loop.py"}
    assert set(passed.names) == named("A configuration PUT") - beside


class TappedMediaPlane(FakeMediaPlane):
    """Simulates the media workers until the journal of a call is to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: PassedFiles | None = None
        self.is_tapped = asyncio.Event()

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        if self.passed:
            self.passed.stop()
        self.is_tapped.set()
        return "node"


@pytest.fixture
def media(monkeypatch: pytest.MonkeyPatch) -> TappedMediaPlane:
    media = TappedMediaPlane()
    monkeypatch.setattr("visavis.app.WorkerPool", lambda *_, **__: media)
    # the consoles are sent the queue and the team later, as after any other change
    monkeypatch.setattr("visavis.services.calls.site.FEED_SOON_SECONDS", 60.0)
    return media


async def test_an_accepted_recorded_call(
    media: TappedMediaPlane, app: App, passed: PassedFiles
) -> None:
    """From the agent's socket to the port of the media workers, where the journal is opened."""
    agent = await app.store.write(_administrator)
    token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    update = ConfigUpdate(is_enabled=True, is_recording=True, recording_server_url="http://a.b")
    await app.site_settings.change_config(agent, update, lambda _: True)
    async with (
        PageSocket(app.web, "/signaling/agent", token=token) as agent_page,
        PageSocket(app.web, "/signaling/visitor", f"site={agent.site_id}") as visitor_page,
    ):
        # a call that is placed before the agent is on duty does not ring
        await until(lambda: app.calls.is_staffed(agent.site_id))
        visitor_page.say(type="call", media="video", offer=OFFER, name="Ann")
        ring = await agent_page.hear("ring")
        await visitor_page.hear("provisionalAnswer")
        await app.calls.call_log.flush()
        media.passed = passed
        with passed.recorded():
            agent_page.say(type="accept", callId=ring["callId"], media="video")
            await asyncio.wait_for(media.is_tapped.wait(), PATIENCE)
        await app.calls.shut_down()
    # beside the flow the call is saved, and its pages are told after that
    names = {name for name in passed.names if not name.startswith(("store/", "bus/"))}
    assert len(names) <= 15, f"\n{passed}"
    after = {"domain/call/states.py", "protocol/signaling.py", "web/authentication.py"}
    after |= {"store/sql.py", "bus/local.py", "services/ownership.py"}
    named_ones = named("Accepting a recorded call")
    assert names <= named_ones
    assert {name for name in named_ones - after if not name.startswith(("media/", "spool/"))} <= {
        *passed.names,
        "domain/call/negotiation.py",
        "services/calls/media_events.py",
    }


async def test_a_tus_patch(app: App, passed: PassedFiles) -> None:
    key = app.settings.archive_key_file.read_text().strip()
    headers = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
    async with client_of(app) as client:
        client.headers.update(headers)
        created = await client.post("/recordings/", headers={"Upload-Length": "20"})
        path = f"/recordings/{created.headers['location'].rpartition('/')[2]}"

        async def patch(offset: int) -> None:
            more = {"Upload-Offset": str(offset), "Content-Type": BODY_TYPE}
            answer = await client.patch(path, headers=more, content=b"12345")
            assert answer.status_code == 204

        await patch(0)
        with passed.recorded():
            await patch(5)
    assert len(passed.names) <= 10, f"\n{passed}"
    assert named("A recorded packet to the player") >= {
        name for name in passed.names if name in {"archive/tus_server.py", "archive/upload_body.py"}
    }


def test_a_relayed_packet(passed: PassedFiles) -> None:
    harness = connected()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        here = udp.getsockname()
        sender = UdpSender(udp, udp)
        harness.relay._send = lambda datagram, _: sender.send(datagram, here)

        def receive(datagram: bytes, _: object, at: float, arrival_us: int) -> None:
            harness.relay.receive(datagram, ADDRESSES[VISITOR_LEG], at, arrival_us)

        def say(number: int) -> None:
            session = harness.browsers[VISITOR_LEG].srtp()[0]
            udp.sendto(session.protect(rtp(number)), here)

        say(1)
        read_batch(udp, receive, sender, 1)
        udp.recv(2048)
        say(2)
        with passed.recorded():
            read_batch(udp, receive, sender, 1)
        assert udp.recv(2048)
    assert len(passed.names) <= 7, f"\n{passed}"
    assert named("A relayed packet") >= set(passed.names)
