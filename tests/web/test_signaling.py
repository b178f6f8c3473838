"""The signalling sockets over a real server without media: who is let in, and the pump."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests import http_clients
from tests.http_clients import websocket
from tests.running import PATIENCE
from tests.web.conftest import Served
from visavis.clock_and_ids import now
from visavis.domain.changes import change_set, rights_changed
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.ice import IceDirectory
from visavis.web import signaling as signaling_module
from visavis.web import socket_loop
from visavis.web.errors import POLICY_VIOLATION
from visavis.web.socket_loop import Liveness, SilenceLimits
from visavis.web.throttled_websocket import BURST, MESSAGES_PER_SECOND, Throttle

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

OFFER = (Path(__file__).resolve().parents[1] / "rtp/data/chromium-offer.sdp").read_bytes().decode()
CALLS = "/v4/livechat/audioVideoChats"


class Page:
    """A page's socket, and what it has heard."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            self.heard.append(message)
            if message["type"] == kind:
                return dict(message)

    async def end(self) -> int:
        """The code it is closed with."""
        await asyncio.wait_for(self._socket.wait_closed(), PATIENCE)
        return self._socket.close_code or 0


class Signaling:
    def __init__(self, served: Served) -> None:
        self._served = served
        self.base = served.url.replace("http", "ws") + "/signaling"

    def visitor(self, query: str = "site=1") -> AbstractAsyncContextManager[ClientConnection]:
        return websocket(f"{self.base}/visitor?{query}")

    def agent(
        self, token: str = "", query: str = "", origin: str | None = None
    ) -> AbstractAsyncContextManager[ClientConnection]:
        headers = {"Authorization": f"Bearer {token or self._served.token}"} if not query else {}
        options: dict[str, Any] = {"origin": origin} if origin else {}
        return websocket(f"{self.base}/agent?{query}", additional_headers=headers, **options)

    def api(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self._served.token}"}
        return http_clients.request(method, f"{self._served.url}{path}", headers=headers, **options)


Talk = Callable[[Signaling], Coroutine[Any, Any, None]]


def run(served: Served, talk: Talk) -> None:
    asyncio.run(talk(Signaling(served)))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of these tests do not answer pings while nobody listens to them."""
    slow = SilenceLimits(quiet=60, answer=60)
    monkeypatch.setattr(socket_loop, "Liveness", partial(Liveness, idle=slow, in_call=slow))


@pytest.fixture
def enabled(served: Served) -> Served:
    answer = Signaling(served).api("POST", "/v4/livechat/audioVideoChatConfig:enable")
    assert answer.status_code == 200
    return served


def test_a_call_rings_and_is_cancelled(enabled: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        async with signaling.agent() as one, signaling.visitor() as other:
            agent, visitor = Page(one), Page(other)
            welcome = await agent.hear("welcome")
            assert (welcome["agentName"], welcome["mayAcceptCalls"]) == ("Admin", True)
            assert (await visitor.hear("availability"))["isEnabled"]
            assert (await visitor.hear("iceServers"))["servers"] == []
            await agent.hear("visitors")
            await visitor.say(type="here", page="/shop", name="Ann")
            while not (await agent.hear("visitors"))["count"]:
                pass
            await visitor.say(type="call", media="video", offer=OFFER, name="Ann")
            assert (await agent.hear("ring"))["visitorName"] == "Ann"
            calling = await visitor.hear("calling")
            await visitor.say(type="hangUp", callId=calling["callId"])
            assert (await agent.hear("ringStopped"))["reason"] == "cancelled"
            assert (await visitor.hear("ended"))["reason"] == "cancelled"

    run(enabled, talk)


def test_what_cannot_be_done_is_refused_and_the_socket_stays(served: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        async with signaling.visitor() as socket:
            page = Page(socket)
            for message, error in (
                ({"type": "dance"}, "ParameterInvalid"),
                ({"type": "call", "media": "video", "offer": OFFER}, "AudioVideoChatDisabled"),
                ({"type": "hangUp", "callId": "x"}, "EntityNotFound"),
            ):
                await page.say(**message)
                refused = await page.hear("refused")
                assert refused["error"] == error
                assert refused["message"]
            assert refused["callId"] == "x"

    run(served, talk)


def test_who_is_not_let_in(served: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        for refused, status in (
            (signaling.visitor("site=2"), 404),
            (signaling.visitor("site=x"), 404),
            (signaling.visitor(f"site={'9' * 40}"), 404),
            (signaling.visitor("join=guessed"), 404),
            (signaling.visitor(""), 404),
            (signaling.agent("guessed"), 401),
            (signaling.agent(query="join=guessed"), 404),
            (websocket(f"{signaling.base}/nobody"), 404),
        ):
            await refused_with(refused, status)

    run(served, talk)


def test_a_page_reads_why_it_is_not_let_in(served: Served) -> None:
    """A browser hides the answer to a handshake; each of these has an `Origin` as pages have."""

    async def talk(signaling: Signaling) -> None:
        own = Origin(signaling.base.removesuffix("/signaling").replace("ws", "http", 1))
        for refused, reason in (
            (websocket(f"{signaling.base}/visitor?site=2", origin=own), "no such site"),
            (websocket(f"{signaling.base}/visitor?join=guessed", origin=own), "no longer valid"),
            (websocket(f"{signaling.base}/agent", origin=own), "Send a valid access token."),
            (signaling.agent(origin="https://evil.example"), "on its own address"),
        ):
            async with refused as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == POLICY_VIOLATION
            assert reason in closed.value.rcvd.reason

    run(served, talk)


async def refused_with(
    attempt: AbstractAsyncContextManager[ClientConnection], status: int
) -> dict[str, Any]:
    """Connect, and return the answer that refuses it."""
    with pytest.raises(InvalidStatus) as refused:
        async with attempt:
            pass
    response = refused.value.response
    body = dict(json.loads(response.body))
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["status"]) == (status, status)
    assert body["message"]
    return body


def test_an_api_key_opens_a_console(served: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        agent = await served.app.people.by_email("admin@example.com")
        _, key = await served.app.keys.add(agent, "Program")
        basic = "Basic " + base64.b64encode(f"admin@example.com:{key}".encode()).decode()
        headers = {"Authorization": basic}
        async with websocket(f"{signaling.base}/agent?siteId=1", additional_headers=headers) as one:
            assert (await Page(one).hear("welcome"))["agentName"] == "Admin"
        headers["siteId"] = "1"
        async with websocket(f"{signaling.base}/agent", additional_headers=headers) as one:
            assert (await Page(one).hear("welcome"))["agentName"] == "Admin"
        headers["siteId"] = "2"
        await refused_with(websocket(f"{signaling.base}/agent", additional_headers=headers), 403)

    run(served, talk)


def test_a_binary_message_is_read_as_text(served: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        async with signaling.visitor() as socket:
            page = Page(socket)
            for message, error in (
                (b'{"type": "hangUp", "callId": "x"}', "EntityNotFound"),
                (b'{"type": "hangUp", "callId": "\xff"}', "ParameterInvalid"),
                (b"\xff\x00", "ParameterInvalid"),
                (b"", "ParameterInvalid"),
            ):
                await socket.send(message)
                assert (await page.hear("refused"))["error"] == error

    run(served, talk)


def test_an_open_console_is_not_idle_and_closes_with_its_session(
    enabled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console counts as use, so a call that lasts longer than the time-out goes on."""
    monkeypatch.setattr(signaling_module, "RIGHTS_SECONDS", 0.2)
    account = {"email": "admin@example.com", "password": "secret"}
    cookie = http_clients.post(f"{enabled.url}/session", json=account).cookies["visavis_session"]
    tokens, passed = enabled.app.tokens, [timedelta()]
    tokens.idle_time = timedelta(hours=1)
    monkeypatch.setattr(tokens, "_clock", lambda: now() + passed[0])

    async def is_used() -> None:
        begun = now() + passed[0]
        async with asyncio.timeout(PATIENCE):
            while not any(used >= begun for used in list(tokens._uses.values())):
                await asyncio.sleep(0.05)

    headers = {"Cookie": f"visavis_session={cookie}"}

    async def talk(signaling: Signaling) -> None:
        console = websocket(f"{signaling.base}/agent", additional_headers=headers)
        async with console as one, signaling.visitor() as other:
            agent, visitor = Page(one), Page(other)
            await agent.hear("welcome")
            await visitor.say(type="call", media="video", offer=OFFER)
            ring = await agent.hear("ring")
            await agent.say(type="accept", callId=ring["callId"])
            for _ in range(3):  # longer than the time-out in all; the pages say nothing
                passed[0] += timedelta(minutes=40)
                await is_used()
            assert one.close_code is None
            assert enabled.app.calls.is_staffed(1)
            gone = await asyncio.to_thread(
                http_clients.delete, f"{enabled.url}/session/all", headers=headers
            )
            assert gone.status_code == 204
            assert await agent.end() == POLICY_VIOLATION
            assert (await visitor.hear("ended"))["by"] == "agent"

    run(enabled, talk)


def test_a_revoked_token_ends_the_call_and_closes_the_console(enabled: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        async with signaling.agent() as one, signaling.visitor() as other:
            agent, visitor = Page(one), Page(other)
            await agent.hear("team")  # an agent is on duty from here on
            await visitor.say(type="call", media="video", offer=OFFER)
            call_id = (await agent.hear("ring"))["callId"]
            await agent.say(type="accept", callId=call_id)
            await agent.hear("callState")
            await enabled.app.store.write(lambda rows: rows.credentials.delete_of_agent(1, 1))
            assert (await visitor.hear("ended"))["by"] == "agent"
            assert await agent.end() == POLICY_VIOLATION

    run(enabled, talk)


def test_only_the_consoles_of_agents_whose_rights_have_changed_are_checked(
    enabled: Served,
) -> None:
    async def talk(signaling: Signaling) -> None:
        async with signaling.agent() as one:
            await Page(one).hear("welcome")
            sockets = enabled.app.sockets
            async with asyncio.timeout(PATIENCE):
                while not any(console.is_authenticated for console in sockets._consoles):
                    await asyncio.sleep(0.01)
            (console,) = sockets._consoles
            before = console.revocations
            await enabled.app.store.write(lambda rows: rows.credentials.delete_of_agent(1, 2))
            sockets.check_rights(change_set([rights_changed(1, 2)]))
            assert (console.is_authenticated, console.revocations) == (True, before)
            sockets.check_rights(change_set([rights_changed(1)]))
            assert (console.is_authenticated, console.revocations) == (False, before + 1)

    run(enabled, talk)


def test_signing_out_in_another_tab_ends_the_call_and_closes_the_console(
    enabled: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(signaling: Signaling) -> None:
        account = {"email": "admin@example.com", "password": "secret"}
        session = http_clients.post(f"{enabled.url}/session", json=account)
        cookie = {"Cookie": f"visavis_session={session.cookies['visavis_session']}"}
        console = websocket(
            f"{signaling.base}/agent", additional_headers=cookie, origin=Origin(enabled.url)
        )
        async with console as one, signaling.visitor() as other:
            agent, visitor = Page(one), Page(other)
            await agent.hear("welcome")
            await visitor.say(type="call", media="video", offer=OFFER)
            call_id = (await agent.hear("ring"))["callId"]
            await agent.say(type="accept", callId=call_id)
            await agent.hear("callState")
            ended = await asyncio.to_thread(
                http_clients.delete, f"{enabled.url}/session", headers=cookie
            )
            assert ended.status_code == 204
            assert (await visitor.hear("ended"))["by"] == "agent"
            assert await agent.end() == POLICY_VIOLATION
            await visitor.say(type="call", media="video", offer=OFFER)
            assert (await visitor.hear("ended"))["reason"] == "missed"  # nobody is on duty
        assert "Exception in ASGI application" not in caplog.text

    run(enabled, talk)


def test_a_disabled_agent_is_off_duty_on_every_page(enabled: Served) -> None:
    """The command line disables agents in a process of its own: only the database tells of it."""

    async def talk(signaling: Signaling) -> None:
        body = signaling.api("POST", CALLS, json={"media": "audio"}).json()
        token = body["agentUrl"].rpartition("/")[2]
        console, joined = signaling.agent(), signaling.agent(query=f"join={token}")
        async with console as one, joined as two:
            pages = [Page(one), Page(two)]
            for page in pages:
                await page.hear("welcome")
            await enabled.app.store.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
            assert [await page.end() for page in pages] == [POLICY_VIOLATION] * 2
        await refused_with(signaling.agent(query=f"join={token}"), 401)

    run(enabled, talk)


def test_leaving_a_call_needs_no_permission(enabled: Served) -> None:
    sockets = enabled.app.sockets

    def check_later(_: object) -> None:
        """The messages come before the consoles are checked."""
        for console in sockets._consoles:
            console.is_authenticated = False

    enabled.app.store.on_rights_change.remove(sockets.check_rights)
    enabled.app.store.on_rights_change.append(check_later)

    async def talk(signaling: Signaling) -> None:
        async with signaling.agent() as one, signaling.visitor() as other:
            agent, visitor = Page(one), Page(other)
            await agent.hear("team")  # an agent is on duty from here on
            await visitor.say(type="call", media="video", offer=OFFER)
            call_id = (await agent.hear("ring"))["callId"]
            await agent.say(type="accept", callId=call_id)
            await agent.hear("callState")
            await enabled.app.store.write(lambda rows: rows.credentials.delete_of_agent(1, 1))
            await agent.say(type="say", callId=call_id, text="Hello")
            assert (await agent.hear("refused"))["error"] == "Unauthorized"
            await agent.say(type="hangUp", callId=call_id)
            assert (await visitor.hear("ended"))["reason"] == "hungUp"

    run(enabled, talk)


def test_both_parties_join_a_call_that_the_api_made(enabled: Served) -> None:
    async def talk(signaling: Signaling) -> None:
        body = signaling.api("POST", CALLS, json={"media": "audio", "visitorName": "Ann"}).json()
        tokens = [body[name].rpartition("/")[2] for name in ("visitorUrl", "agentUrl")]
        await refused_with(signaling.visitor(f"join={tokens[1]}"), 404)
        await refused_with(signaling.agent(query=f"join={tokens[0]}"), 401)
        async with (
            signaling.agent() as console,
            signaling.agent(query=f"join={tokens[1]}") as one,
            signaling.visitor(f"join={tokens[0]}") as other,
        ):
            agent, visitor = Page(one), Page(other)
            assert (await agent.hear("welcome"))["agentName"] == "Admin"
            await visitor.say(type="call", media="audio", offer=OFFER)
            assert (await agent.hear("mine"))["callId"] == body["id"]
            await agent.say(type="presence", isAvailable=False)
            assert (await agent.hear("refused"))["error"] == "PermissionDenied"
            await agent.say(type="hangUp", callId=body["id"])
            assert (await visitor.hear("ended"))["by"] == "agent"
            on_console = Page(console)
            await on_console.hear("visitors")
            kinds = {message["type"] for message in [*agent.heard, *visitor.heard]}
            assert not kinds & {"team", "queue", "visitors", "ring"}
            assert "ring" not in {message["type"] for message in on_console.heard}
        for query in (f"join={token}" for token in tokens):
            await refused_with(signaling.visitor(query), 404)

    run(enabled, talk)


def test_credentials_for_a_relay_are_those_of_a_call(
    enabled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = enabled.app
    ice = IceDirectory(("stun:s",), ("turn:t",), "secret", 60)
    monkeypatch.setattr(app.sockets, "_ice_servers", ice.public_servers())
    monkeypatch.setattr(app.sockets, "_ice_seconds", 0.05)
    monkeypatch.setattr(app.calls._runner, "_relays", lambda call_id: ice.servers(call_id, now()))

    async def talk(signaling: Signaling) -> None:
        async with signaling.agent(), signaling.visitor() as socket, signaling.visitor() as other:
            stranger, visitor = Page(other), Page(socket)
            for page in (stranger, visitor):
                public = await page.hear("iceServers")
                assert [server["urls"] for server in public["servers"]] == [["stun:s"]]
                assert public["hasRelay"]
            await visitor.say(type="call", media="video", offer=OFFER)
            call_id = (await visitor.hear("calling"))["callId"]
            for _ in range(3):  # at once, and again before they expire
                relay = (await visitor.hear("iceServers"))["servers"][1]
                expiry, _, user = relay["username"].partition(":")
                assert user == call_id
                assert 30 < int(expiry) - now().timestamp() <= 60
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stranger.hear("iceServers"), 0.3)

    run(enabled, talk)


def test_a_page_that_falls_behind_is_to_connect_again(
    enabled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.bus.local.MAX_WAITING", 0)

    async def talk(signaling: Signaling) -> None:
        async with signaling.visitor() as socket:
            page = Page(socket)
            await page.hear("iceServers")
            await page.say(type="call", media="video", offer=OFFER)
            assert await page.end() == socket_loop.TRY_AGAIN_LATER

    run(enabled, talk)


def test_a_page_whose_site_moves_before_it_is_greeted_is_to_connect_again(
    enabled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    async def talk(signaling: Signaling) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(enabled.app.edge, "welcome", fail)
            async with signaling.agent() as socket:
                assert await Page(socket).end() == signaling_module.SERVICE_RESTART
        with monkeypatch.context() as patch:
            patch.setattr(enabled.app.sockets, "_availability_of", fail)
            async with signaling.visitor() as socket:
                assert await Page(socket).end() == signaling_module.SERVICE_RESTART
        async with signaling.agent() as socket:
            await Page(socket).hear("welcome")

    run(enabled, talk)


def test_who_is_too_fast_waits(database: str) -> None:
    time = 0.0
    throttle = Throttle(lambda: time)
    assert [throttle.seconds_to_wait() for _ in range(int(BURST))] == [0.0] * int(BURST)
    assert throttle.seconds_to_wait() == pytest.approx(1 / MESSAGES_PER_SECOND)
    time += 1000
    assert throttle.seconds_to_wait() == 0


def test_the_pace_is_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visavis.web.throttled_websocket.BURST", 1.0)

    async def talk(signaling: Signaling) -> None:
        async with signaling.visitor() as socket:
            page = Page(socket)
            for _ in range(3):
                await page.say(type="dance")
                await page.hear("refused")

    run(served, talk)


def test_a_ping_is_answered_with_a_pong(enabled: Served) -> None:
    async def talk(served: Signaling) -> None:
        async with served.visitor() as socket:
            page = Page(socket)
            await page.say(type="ping")
            await page.hear("pong")
            await page.say(type="pong")
            await page.say(type="ping")
            assert await page.hear("pong") == {"type": "pong"}
            assert "refused" not in [message["type"] for message in page.heard]

    run(enabled, talk)


def test_a_page_that_does_not_answer_is_gone(
    enabled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = SilenceLimits(quiet=0.05, answer=0.05)

    def liveness(clock: Callable[[], float], is_busy: Callable[[], bool]) -> Liveness:
        return Liveness(clock, is_busy, idle=hasty, in_call=hasty, tick=0.02)

    monkeypatch.setattr(socket_loop, "Liveness", liveness)

    async def talk(served: Signaling) -> None:
        async with served.visitor() as socket:
            page = Page(socket)
            await page.hear("ping")
            await page.say(type="pong")
            await page.hear("ping")
            assert await page.end() == socket_loop.GOING_AWAY

    run(enabled, talk)
