"""The table of routes: every row admits the callers that it names, and is documented."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from tests import http_clients
from tests.routing import routed
from tests.web.conftest import QUICK
from visavis.app import App
from visavis.archive.description import DESCRIPTIONS as ARCHIVE_DESCRIPTIONS
from visavis.clock_and_ids import now
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Credential, CredentialKind
from visavis.domain.people import Agent, Permission
from visavis.protocol.routes import ANYBODY, WEBSOCKET, Access, Caller, Route, agents
from visavis.services.ports import Transaction
from visavis.services.secrets import digest
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.web.authentication import require_access
from visavis.web.description.document import DESCRIPTIONS
from visavis.web.description.service import SOCKETS
from visavis.web.router import Router

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
STRANGER: Final = ("203.0.113.9", 40000)
EVIL: Final = {"Origin": "https://evil.example"}
BY_TOKEN: Final = frozenset({Caller.AGENT, Caller.SIGNED_IN, Caller.BEARER})
BY_COOKIE: Final = frozenset({Caller.AGENT, Caller.SIGNED_IN, Caller.PAGE})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Somebody:
    """A caller of every row: the ways in, permissions, and the headers of the requests."""

    name: str
    ways: frozenset[Caller]
    headers: Callable[[], Awaitable[dict[str, str]]]
    permissions: frozenset[Permission] = frozenset()
    is_administrator: bool = False
    is_foreign: bool = False
    """Names a site that is not their own."""
    is_on_strange_page: bool = False

    def status(self, route: Route) -> int | None:
        """Return the status of a refusal, `None` if the row admits them."""
        access, caller = route.access, route.access.caller
        if caller is Caller.OPERATOR:
            return 403  # all of them are far away
        is_forged = self.is_on_strange_page and route.method not in SAFE
        if is_forged and (caller in {Caller.OWN_PAGE, Caller.PAGE} or caller in self.ways):
            return 403
        if caller is Caller.OWN_PAGE:
            return None
        if caller not in self.ways:
            return 401
        if caller is Caller.UPLOADER:
            return None
        if self.is_foreign and caller is Caller.AGENT:
            return 403
        has_all = self.permissions.issuperset(access.needs)
        has_one = not access.needs_one_of or self.permissions & set(access.needs_one_of)
        may = has_all and has_one and (self.is_administrator or not access.is_for_administrators)
        return None if may else 403


@dataclass
class Site:
    """The whole product, with an agent of every kind."""

    app: App
    client: httpx2.AsyncClient
    everybody: list[Somebody] = field(default_factory=list)

    @property
    def routes(self) -> tuple[Route, ...]:
        assert isinstance(self.app.web, Router)
        return self.app.web.routes


def _accounts(rows: Transaction) -> tuple[Agent, Agent, Agent, Agent]:
    ours, other = rows.sites.add("Ours", now()), rows.sites.add("Other", now())
    secret = QUICK.hash("secret")
    administrator = rows.agents.add(ours.id, "a@example.com", "A", secret, is_administrator=True)
    foreign = rows.agents.add(other.id, "o@example.com", "O", secret, is_administrator=True)
    powerless = rows.agents.add(ours.id, "n@example.com", "N", secret, is_administrator=False)
    able = rows.agents.add(ours.id, "e@example.com", "E", secret, is_administrator=False)
    rows.agents.grant(ours.id, able.id, Permission)
    return administrator, foreign, powerless, able


@pytest.fixture
async def site(new_database: Path, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Site]:
    settings = Settings(data_dir=tmp_path, log_level="warning", rate_limit=0, page_rate_limit=0)
    app = App(settings, open_store(str(new_database)), Argon2Passwords(QUICK))
    app.stopping.set()  # a stream of events ends after the first
    transport = httpx2.ASGITransport(app.web, raise_app_exceptions=False, client=STRANGER)
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:
        whole = Site(app, client)
        await _fill(whole)
        yield whole
    assert app.archive
    app.archive.close()
    app.store.close()


async def _fill(site: Site) -> None:
    app, store = site.app, site.app.store
    administrator, foreign, powerless, able = await store.write(_accounts)
    everything = frozenset(Permission)

    async def bearer(agent: Agent) -> dict[str, str]:
        token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}

    async def limited(agent: Agent, scope: str) -> dict[str, str]:
        token, at = f"vv_{scope}", now()
        credential = Credential(
            digest(token),
            agent.site_id,
            agent.id,
            CredentialKind.BEARER,
            at,
            at + timedelta(hours=1),
            scope=scope,
        )
        await store.write(lambda rows: rows.credentials.add(credential))
        return {"Authorization": f"Bearer {token}"}

    tokens = {agent.email: await bearer(agent) for agent in (administrator, powerless, able)}
    theirs = {**await bearer(foreign), "siteId": str(administrator.site_id)}
    few = await limited(administrator, "accept_calls")
    _, key = await app.keys.add(administrator, "key")
    basic = base64.b64encode(f"{administrator.email}:{key}".encode()).decode()
    by_key = {"Authorization": f"Basic {basic}", "siteId": str(administrator.site_id)}
    own_key = app.settings.archive_key_file.read_text().strip()
    upload = {"Authorization": f"Bearer {own_key}", "Tus-Resumable": "1.0.0"}

    def always(headers: dict[str, str]) -> Callable[[], Awaitable[dict[str, str]]]:
        async def get() -> dict[str, str]:
            return headers

        return get

    def page(**more: str) -> Callable[[], Awaitable[dict[str, str]]]:
        async def get() -> dict[str, str]:  # a row may end the sessions: each request has its own
            token = await app.sign_ins.begin(administrator, "browser", "", None)
            return {"Cookie": f"visavis_session={token}", **more}

        return get

    site.everybody = [
        Somebody("nobody", frozenset(), always({})),
        Somebody("a bad token", frozenset(), always({"Authorization": "Bearer vv_guess"})),
        Somebody("a visitor's page", frozenset(), always(EVIL), is_on_strange_page=True),
        Somebody("an agent", BY_TOKEN, always(tokens[powerless.email])),
        Somebody("an able agent", BY_TOKEN, always(tokens[able.email]), everything),
        Somebody(
            "an administrator", BY_TOKEN, always(tokens[administrator.email]), everything, True
        ),
        Somebody("a foreign one", BY_TOKEN, always(theirs), everything, True, is_foreign=True),
        Somebody("a limited client", BY_TOKEN, always(few), frozenset({Permission.ACCEPT_CALLS})),
        Somebody("an API key", frozenset({Caller.AGENT}), always(by_key), everything, True),
        Somebody("a session", BY_COOKIE, page(), everything, True),
        Somebody(
            "a forged page", BY_COOKIE, page(**EVIL), everything, True, is_on_strange_page=True
        ),
        Somebody("a recorder", frozenset({Caller.UPLOADER}), always(upload)),
    ]


def enforced(routes: tuple[Route, ...]) -> Iterator[Route]:
    """The rows whose callers the router admits."""
    unchecked = {Caller.ANYBODY, Caller.BROWSER, Caller.CLIENT}
    for route in routes:
        if route.method != WEBSOCKET and route.access.caller not in unchecked:
            yield route


async def test_every_row_admits_the_callers_that_it_names_and_nobody_else(site: Site) -> None:
    for somebody in site.everybody:
        for route in enforced(site.routes):
            url = re.sub(r"\{[\w:]+\}", "1", route.path)
            answer = await site.client.request(route.method, url, headers=await somebody.headers())
            seen = (somebody.name, route.method, route.path, answer.status_code, answer.text)
            expected = somebody.status(route)
            if expected:
                assert answer.status_code == expected, seen
            elif route.access.caller is Caller.OWN_PAGE:
                assert answer.status_code in {204, 400}, seen
            else:
                assert answer.status_code not in {401, 403, 500}, seen
                assert answer.status_code != 405 or not route.name, seen


async def test_whatever_is_everybody_s_asks_nobody_who_they_are(site: Site) -> None:
    for route in site.routes:
        if route.access == ANYBODY:
            url = re.sub(r"\{[\w:]+\}", "1", route.path)
            answer = await site.client.request(route.method, url)
            assert answer.status_code in {200, 204, 404, 503}, (route.path, answer.status_code)


async def test_oauth_refuses_as_its_rfcs_prescribe(site: Site) -> None:
    for route in site.routes:
        if route.access.caller in {Caller.CLIENT, Caller.BROWSER}:
            answer = await site.client.request(route.method, route.path)
            assert answer.status_code in {400, 401}, (route.path, answer.status_code)


@pytest.mark.parametrize(
    ("path", "query", "headers", "status"),
    [
        ("visitor", b"site=1", {}, 101),
        ("visitor", b"site=99", {}, 404),
        ("visitor", b"join=guess", {}, 404),
        ("agent", b"", {}, 401),
        ("agent", b"join=guess", {}, 404),
        ("agent", b"", {"origin": "https://evil.example"}, 101),  # is closed at once, with words
        ("nothing", b"", {}, 404),
    ],
)
async def test_sockets_admit_visitors_and_agents(
    site: Site, path: str, query: bytes, headers: dict[str, str], status: int
) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        opening = {"type": "websocket.connect"}
        return opening if not sent else {"type": "websocket.disconnect", "code": 1001}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": f"/signaling/{path}",
        "query_string": query,
        "scheme": "ws",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": STRANGER,
        "extensions": {"websocket.http.response": {}},
    }
    await site.app.web(scope, receive, send)
    first = sent[0]
    assert first.get("status", 101) == status
    if headers:
        assert (sent[1]["type"], sent[1]["code"]) == ("websocket.close", 1008)


# Routing


async def _echo(request: Request) -> Response:
    return PlainTextResponse(repr(dict(request.path_params)))


def _row(method: str, path: str) -> Route:
    return Route(method, path, _echo, ANYBODY, None, None, None, "echo")


async def asked(rows: tuple[Route, ...], method: str, path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(routed(rows, {}))
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:
        return await client.request(method, path)


TABLE: Final = (
    _row("GET", "/v4/calls/{id}"),
    _row("POST", "/v4/calls/{id}:end"),
    _row("GET", "/v4/calls/{id}/parts/{part}"),
    _row("POST", "/v4/switch:enable"),
    _row("GET", "/own/{name}"),
    _row("GET", "/own/all"),
    _row("GET", "/files/{path:path}"),
    _row("POST", "/oauth/token"),
)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v4/calls/A1", {"id": "a1"}),
        ("GET", "/API/Calls/A1/", {"id": "a1"}),
        ("POST", "/api/v4/calls/A1%3AEnd", {"id": "a1"}),
        ("POST", "/v4/calls/a1\\:end", {"id": "a1"}),
        ("GET", "/v4/calls/a1/parts/B2", {"id": "a1", "part": "b2"}),
        ("POST", "/V4/Switch:Enable", {}),
        ("GET", "/own/Ann", {"name": "Ann"}),
        ("GET", "/own/all", {}),
        ("GET", "/files/a/b.js", {"path": "a/b.js"}),
        ("POST", "/API/OAuth/Token", {}),
    ],
)
async def test_a_path_is_found_in_every_spelling(
    method: str, path: str, found: dict[str, str]
) -> None:
    answer = await asked(TABLE, method, path)
    assert (answer.status_code, answer.text) == (200, repr(found))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v4/calls/a1:end", 405),
        ("GET", "/v4/calls/a1:other", 404),
        ("GET", "/v4/calls/a/b", 404),
        ("GET", "/own/ALL/x", 404),
        ("GET", "/Own/all", 404),
        ("GET", "/own/all/", 307),
        ("DELETE", "/own/all", 405),
        ("OPTIONS", "/own/all", 204),
        ("GET", "/v4/c\u00e4lls", 404),
    ],
)
async def test_no_other_path_is_found(method: str, path: str, status: int) -> None:
    assert (await asked(TABLE, method, path)).status_code == status


@pytest.mark.parametrize(
    "caller", [one for one in Caller if one not in {Caller.ANYBODY, Caller.AGENT}]
)
@pytest.mark.parametrize("method", ["GET", WEBSOCKET])
def test_a_row_with_a_caller_whom_no_gate_admits_is_refused_at_the_start(
    method: str, caller: Caller
) -> None:
    row = Route(method, "/x", _echo, Access(caller), None, None, None, "echo")
    with pytest.raises(ValueError, match="No gate admits"):
        routed((row,), {})


@pytest.mark.parametrize(
    ("access", "granted", "message"),
    [
        (agents(Permission.MANAGE_SETTINGS), Permission.MANAGE_SETTINGS, None),
        (agents(Permission.MANAGE_SETTINGS), Permission.ACCEPT_CALLS, "Manage Settings"),
        (
            Access(
                Caller.AGENT, needs_one_of=(Permission.ACCEPT_CALLS, Permission.MANAGE_SETTINGS)
            ),
            Permission.VIEW_AUDIT_LOG,
            "Accept Audio & Video Chats or Manage Settings",
        ),
        (Access(Caller.AGENT, is_for_administrators=True), Permission.VIEW_AUDIT_LOG, "Only admin"),
    ],
)
def test_an_access_says_what_is_missing(
    access: Access, granted: Permission, message: str | None
) -> None:
    agent = Agent(1, 1, "a@example.com", "A", False, frozenset({granted}))
    if message is None:
        require_access(agent, access)
        return
    with pytest.raises(VisavisError, match=message) as caught:
        require_access(agent, access)
    assert caught.value.kind is ErrorKind.PermissionDenied


@pytest.mark.anyio
async def test_a_stream_that_fails_before_it_begins_is_answered() -> None:
    async def fail(_: Request) -> Response:
        return FileResponse("/nowhere")

    row = Route("GET", "/x", fail, ANYBODY, None, None, None, "fail")
    answer = await asked((row,), "GET", "/x")
    assert (answer.status_code, answer.json()["error"]) == (500, "InternalError")


@pytest.mark.anyio
async def test_a_stream_that_fails_on_the_way_ends_the_connection() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError("two")

    async def fail(_: Request) -> Response:
        return StreamingResponse(parts())

    row = Route("GET", "/x", fail, ANYBODY, None, None, None, "fail")
    with pytest.raises(LookupError, match="two"):
        await asked((row,), "GET", "/x")


# Documentation


def who(access: Access) -> str:
    """Return the words of the document for the callers that a row admits."""
    needs = " and ".join(f"*{permission.value}*" for permission in access.needs)
    needs = needs or " or ".join(f"*{permission.value}*" for permission in access.needs_one_of)
    words = f"agent with {needs}" if needs else access.caller.value
    return f"administrator with {needs}" if access.is_for_administrators else words


def documented(text: str) -> list[tuple[str, str, str, str]]:
    """Return the rows of the document's tables of routes."""
    section = text.partition("## All routes\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+) (\S+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return [(method, path, does, whose) for method, path, does, whose in rows]


async def test_the_document_has_every_row_and_no_other(site: Site) -> None:
    summaries = {
        **{name: described.summary for name, described in DESCRIPTIONS.items()},
        **{name: described.summary for name, described in ARCHIVE_DESCRIPTIONS.items()},
        **{socket["x-websocket"]["operationId"]: socket["summary"] for socket in SOCKETS.values()},
    }
    rows = [
        (
            "GET" if route.method == WEBSOCKET else route.method,
            route.path.replace(":path}", "}"),
            summaries[route.name],
            who(route.access),
        )
        for route in site.routes
        if route.name
    ]
    assert documented((DOCS / "api.md").read_text()) == rows


async def test_no_document_names_a_route_that_does_not_exist(site: Site) -> None:
    known = {(x.method, re.sub(r"\{[\w:]+\}", "{}", x.path)) for x in site.routes}
    known |= {("GET", path) for method, path in known if method == WEBSOCKET}
    named = re.compile(r"`(GET|PUT|POST|PATCH|DELETE|HEAD|OPTIONS) ([\w/.{][^\s`?…]*)`")
    for document in DOCS.glob("*.md"):
        for method, path in named.findall(document.read_text()):
            full = path if path.startswith("/") else f"/v4/{path}"
            found = method, re.sub(r"\{\w+\}", "{}", full)
            assert found in known, (document.name, method, path)
