"""`kill -9` of the app: calls outlive it, with their queue, ringing, transfers and join links."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import http_clients
from tests.participants.people import present
from tests.participants.resuming import KnownAgent, KnownPage, KnownVisitor, Pages, agent_tokens
from tests.running import PATIENCE, System, decoding_errors, eventually, ffprobe, until

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.anyio]

TALK_SECONDS: Final = 3.0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("live") / "data").start()
    running.configure(on=True, recording=True)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tokens(system: System) -> dict[str, str]:
    """Bearer tokens of two agents."""
    return agent_tokens(system, "bo", "cy")


@pytest.fixture
async def office(
    system: System, tokens: dict[str, str], anyio_backend: str
) -> AsyncIterator[Pages]:
    opened = Pages(system, tokens)
    yield opened
    async with present(*opened.people):
        for page in opened.people:
            if page.call_id:
                await page.hang_up()
        await asyncio.sleep(0.5)


async def connected(office: Pages) -> tuple[KnownVisitor, KnownAgent]:
    agent = office.agent("bo")
    await agent.is_on_duty.wait()
    visitor = office.visitor()
    await visitor.call("Ann")
    for page in (visitor, agent):
        await asyncio.wait_for(page.is_connected.wait(), PATIENCE)
    await asyncio.sleep(TALK_SECONDS)
    return visitor, agent


def check_resumed(*pages: KnownPage) -> None:
    """Each page has its call again, in the time that it would have waited for it."""
    for page in pages:
        assert page.reason == ""
        assert page.call_id
        assert page.waits
        assert page.waits[-1] < page.resume_seconds
    print("resumed after", [round(page.waits[-1], 2) for page in pages], "seconds")


async def test_a_recorded_call_a_ringing_one_and_a_queued_one(
    system: System, office: Pages
) -> None:
    visitor, agent = await connected(office)
    idle = office.agent("cy", is_willing=False)
    await idle.is_on_duty.wait()
    ringing, queued = office.visitor(), office.visitor()
    await ringing.call("Di")
    await until(lambda: idle.last("ring"))
    await queued.call("Ed")
    await until(lambda: queued.last("queued"))
    received = visitor.received, agent.received

    for _ in range(2):
        await office.kill_app()
        await until(lambda: all(page.waits and not page._lost_at for page in (visitor, agent)))
        check_resumed(visitor, agent)
        await until(lambda: idle.last("ring") and queued.last("queued"))
        assert (visitor.state, agent.state, ringing.state) == ("connected", "connected", "ringing")
        assert queued.state == "queued"
        assert queued.last("queued")["place"] == 1
        assert idle.last("ring")["callId"] == ringing.call_id
        assert (visitor.recording, agent.recording) == ("on", "on")
        await asyncio.sleep(TALK_SECONDS)

    assert len(visitor.peers) == len(agent.peers) == 1
    assert (visitor.longest_gap, agent.longest_gap) == (0, 0)
    assert visitor.received > received[0]
    assert agent.received > received[1]
    call_id = visitor.call_id
    await visitor.hang_up()
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "hungUp"
    for page in (ringing, queued):
        await page.hang_up()
    path = await asyncio.to_thread(lambda: recording_of(system, call_id))
    assert decoding_errors(path) == ""
    assert float(ffprobe(path)["format"]["duration"]) > 3 * TALK_SECONDS


def recording_of(system: System, call_id: str) -> Path:
    """Return the one file that the call was delivered as."""
    (found,) = eventually(lambda: [r for r in system.recordings() if r["callId"] == call_id])
    return system.archived(found["id"])


async def test_a_transfer_rings_on(office: Pages) -> None:
    visitor, agent = await connected(office)
    second = office.agent("cy", is_willing=False)
    await second.is_on_duty.wait()
    await until(lambda: second.last("welcome"))
    to = second.last("welcome")["agentId"]
    await agent.send(type="transfer", callId=agent.call_id, agentId=to, note="Please")
    await until(lambda: second.last("ring"))

    second.is_willing = True
    await office.kill_app()
    await until(lambda: second.last("ring"))
    assert second.last("ring")["note"] == "Please"
    await asyncio.wait_for(second.is_connected.wait(), PATIENCE)
    await asyncio.wait_for(agent.is_over.wait(), PATIENCE)
    assert agent.reason == "transferred"
    assert visitor.state == "connected"


async def test_a_join_link_stays_valid(system: System, office: Pages) -> None:
    created = await asyncio.to_thread(
        lambda: http_clients.post(
            f"{system.url}/v4/livechat/audioVideoChats",
            json={"media": "video", "visitorName": "Ann"},
            headers={"Authorization": f"Bearer {system.token()}"},
        )
    )
    tokens = re.findall(r"/join/([\w-]+)", created.text)
    await office.kill_app()
    visitor = office.visitor(f"join={tokens[0]}")
    await visitor.call("Ann")
    await until(lambda: visitor.last("calling"))
    assert visitor.call_id == created.json()["id"]
