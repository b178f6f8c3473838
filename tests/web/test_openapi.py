"""The description is whole and true: routes, statuses, and what a generator of requests finds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from tests import http_clients
from tests.web.conftest import PATH, Api, Served
from visavis.app import App
from visavis.archive.description import DESCRIPTIONS as ARCHIVE_DESCRIPTIONS
from visavis.domain.audit import ActionType
from visavis.domain.call import CallState
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorKind
from visavis.outbound import http
from visavis.protocol.calls import ENDINGS
from visavis.protocol.routes import WEBSOCKET, Route
from visavis.settings import Settings
from visavis.store import open_store
from visavis.web.description.document import DESCRIPTIONS, Document
from visavis.web.description.service import DOCUMENT_PATH, SOCKETS
from visavis.web.router import Router

METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}


@dataclass
class Whole:
    """The whole product, the built-in archive included, and its description."""

    app: App
    client: httpx2.AsyncClient
    document: dict[str, Any]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, item in self.document["paths"].items():
            for method in item.keys() & METHODS:
                yield path, method.upper(), item[method]

    def response(self, operation: dict[str, Any], status: str) -> dict[str, Any]:
        found = operation["responses"][status]
        if "$ref" in found:
            name = found["$ref"].rpartition("/")[2]
            found = self.document["components"]["responses"][name]
        return dict(found)

    def schema(self, name: str, key: str) -> dict[str, Any]:
        schemas = self.document["components"]["schemas"]
        found = schemas[name]["properties"][key]
        for choice in found.get("anyOf", [found]):
            if "$ref" in choice:
                return dict(schemas[choice["$ref"].rpartition("/")[2]])
            if choice.get("type") != "null":
                return dict(choice)
        raise AssertionError(found)


@pytest.fixture
async def whole(new_database: Path, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Whole]:
    settings = Settings(data_dir=tmp_path, log_level="warning")
    app = App(settings, open_store(str(new_database)))
    transport = httpx2.ASGITransport(app.web)
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:
        yield Whole(app, client, (await client.get(DOCUMENT_PATH)).json())
    assert app.archive
    app.archive.close()
    app.store.close()


def table(app: App) -> tuple[Route, ...]:
    assert isinstance(app.web, Router)
    return app.web.routes


async def test_every_route_is_described_and_every_described_one_exists(whole: Whole) -> None:
    rows = [route for route in table(whole.app) if route.name]
    served = {(x.path.replace(":path", ""), x.method) for x in rows if x.method != WEBSOCKET}
    described = {(path, method) for path, method, _ in whole.operations()}
    assert described == served
    names = {operation["operationId"] for _, _, operation in whole.operations()}
    assert names == {*DESCRIPTIONS, *ARCHIVE_DESCRIPTIONS}
    items = whole.document["paths"].items()
    sockets = {path: item["x-websocket"] for path, item in items if "x-websocket" in item}
    assert sockets.keys() == SOCKETS.keys()
    assert {(path, item["operationId"]) for path, item in sockets.items()} == {
        (x.path, x.name) for x in rows if x.method == WEBSOCKET
    }


async def test_a_row_without_a_description_is_another_spelling_or_refuses(whole: Whole) -> None:
    rows = table(whole.app)
    named = {(route.path, route.method) for route in rows if route.name}
    for route in rows:
        if not route.name and (route.path.removesuffix("/"), route.method) not in named:
            answer = await whole.client.request(route.method, route.path)
            assert answer.status_code == 401


async def test_every_described_operation_answers_as_described(whole: Whole) -> None:
    """A stranger, who sends nothing that is needed, meets a described status everywhere."""
    for path, method, operation in whole.operations():
        url = re.sub(r"\{\w+\}", "1", path)
        answer = await whole.client.request(method, url)
        assert str(answer.status_code) in operation["responses"], (method, path, answer)
        assert answer.status_code != 500, (method, path)
        is_closed = operation["security"] and {} not in operation["security"]
        if is_closed and path != "/oauth/authorize":  # which looks at the client first
            assert answer.status_code == 401, (method, path)


async def test_too_many_requests_are_described_where_requests_are_counted(whole: Whole) -> None:
    counted = {route.name for route in table(whole.app) if route.rate}
    assert {"getAudioVideoChatConfig", "openHome", "searchLibrary"} <= counted
    for path, method, operation in whole.operations():
        if operation["operationId"] in counted:
            contents = whole.response(operation, "429")["content"]
            assert "application/problem+json" in contents, (method, path)


async def test_a_path_of_several_routes_allows_what_they_all_allow(whole: Whole) -> None:
    refused = await whole.client.patch("/session")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"
    asked = await whole.client.options("/library/recordings/1")
    assert (asked.status_code, asked.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")
    exact = await whole.client.options("/session/password")
    assert exact.headers["allow"] == "OPTIONS, POST"  # not those of /session/{session_id}
    assert (await whole.client.options("/nothing")).status_code == 404
    written = await whole.client.put("/static/widget.js")
    assert (written.status_code, written.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_without_the_archive_its_routes_are_not_described(api: Api) -> None:
    paths = (await api.client.get(DOCUMENT_PATH)).json()["paths"]
    assert "/v4/livechat/audioVideoChatConfig" in paths
    assert not [path for path in paths if path.startswith(("/library/", "/recordings"))]


async def test_enums_have_a_type_and_every_value(whole: Whole) -> None:
    expected: dict[tuple[str, str], set[str]] = {
        ("AudioVideoChat", "state"): {*CallState},
        ("AudioVideoChat", "reason"): {*ENDINGS},
        ("AuditLog", "actionType"): {*ActionType},
        ("Problem", "error"): {kind.name for kind in ErrorKind},
    }
    for (name, key), values in expected.items():
        schema = whole.schema(name, key)
        assert (schema["type"], set(schema["enum"])) == ("string", values)


async def test_every_event_of_a_call_is_described_by_its_name(whole: Whole) -> None:
    events = whole.document["components"]["schemas"]["AudioVideoChatReport"]["properties"]["events"]
    names = events["items"]["discriminator"]["mapping"]
    assert names.keys() == {*CallState, *CallEventName}
    accepted = whole.schema("CallAccepted", "data")
    assert accepted["properties"].keys() == {"agentName", "agentId"}


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


async def test_an_open_object_says_so(whole: Whole) -> None:
    """`openapi-typescript` makes `Record<string, never>` of an object without a description."""
    found = list(objects(whole.document))
    assert all(schema.keys() & {"properties", "additionalProperties"} for schema in found)
    assert whole.schema("LibraryEvent", "data")["additionalProperties"] is True


async def test_ways_in_and_scopes(whole: Whole) -> None:
    schemes = whole.document["components"]["securitySchemes"]
    flows = schemes["oauth"]["flows"]
    assert flows.keys() == {"authorizationCode", "clientCredentials", "password"}
    url = whole.document["servers"][0]["url"]
    for flow in flows.values():
        assert flow["tokenUrl"] == f"{url}/oauth/token"
        assert "manage_settings" in flow["scopes"]
    assert flows["authorizationCode"]["authorizationUrl"] == f"{url}/oauth/authorize"
    put = whole.document["paths"][PATH]["put"]
    assert put["security"] == [
        {"oauth": ["manage_settings"]},
        {"bearer": []},
        {"key": []},
        {"session": []},
    ]
    statuses = ["200", "400", "401", "403", "408", "412", "413", "415", "429", "500", "503"]
    assert list(put["responses"]) == statuses


@pytest.mark.anyio
async def test_it_is_made_once_when_it_is_first_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def description_of(*_: object) -> dict[str, Any]:
        made.append("document")
        return {}

    monkeypatch.setattr("visavis.web.description.document.description_of", description_of)
    served = Document("http://visavis")
    served.describe((), {}, {})
    assert made == []
    request = Request({"type": "http"})
    assert await served.get(request) is await served.get(request)
    assert made == ["document"]


async def test_everybody_may_read_it(api: Api) -> None:
    answer = await api.client.get(DOCUMENT_PATH)
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.headers["access-control-allow-origin"] == "*"


CONFIGURATION = """
[[operations]]
# a stream that does not end
include-operation-id = "watchAudioVideoChatConfig"
enabled = false

[[operations]]
include-operation-id = "updateAudioVideoChatConfig"
# automatic recording requires a recording server, which one of the two may already have: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "412"]

[[operations]]
include-operation-id = "testRecordingServer"
# what an address is, a pattern cannot say: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]

[[operations]]
include-operation-id = "createAudioVideoChat"
# a number that no agent has: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]

[[operations]]
include-operation-id = "endAudioVideoChat"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409"]

[[operations]]
# no media worker is there: 503
include-operation-id = "getReadiness"
enabled = false

[[operations]]
# clients, codes, tokens, passwords, uploads and ranges that there are not
include-tag = ["OAuth", "Session", "Library", "Pages"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "4xx"]

[[operations]]
# tus answers another version, and none, with 412
include-tag = ["Uploads"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "4xx"]
checks.negative_data_rejection.expected-statuses = ["400", "401", "404", "412", "413", "415"]
checks.missing_required_header.expected-statuses = ["400", "401", "412"]

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "403", "404", "412"]
"""
HOOKS = """
import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
"""
OURS = ("Audio & Video Chat", "Calls", "Recording", "Audit log", "Operation")


def generate_requests(
    served: Served, directory: Path, token: str, count: int, tags: tuple[str, ...]
) -> None:
    """Let schemathesis send requests made of the description; it must find nothing."""
    configuration = directory / "schemathesis.toml"
    hooks = directory / "hooks.py"
    hooks.write_text(HOOKS)
    configuration.write_text(f'hooks = "{hooks}"\n{CONFIGURATION}')
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file"]
    command += [str(configuration), "run", f"{served.url}{DOCUMENT_PATH}", "--checks", "all"]
    command += ["--header", f"Authorization: Bearer {token}", "--max-examples", str(count)]
    command += ["--seed", "1", "--generation-deterministic", "--workers", "1"]
    command += [f"--include-tag={tag}" for tag in tags]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def _without_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(host: str, port: int, *, allow_private: bool) -> list[str]:
        raise OSError("no test looks names up")

    monkeypatch.setattr(http, "vetted_addresses", nowhere)


@pytest.mark.interop
@pytest.mark.usefixtures("_without_names")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("tags", "count"),
    [(OURS, 25), (("OAuth", "Session"), 15), (("Library", "Pages"), 5)],
    ids=["api", "access", "library"],
)
def test_a_generator_of_requests_finds_nothing(
    served_with_archive: Served, tmp_path: Path, tags: tuple[str, ...], count: int
) -> None:
    generate_requests(served_with_archive, tmp_path, served_with_archive.token, count, tags)


@pytest.mark.interop
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_generator_of_uploads_finds_nothing(served_with_archive: Served, tmp_path: Path) -> None:
    key = served_with_archive.app.settings.archive_key_file.read_text().strip()
    generate_requests(served_with_archive, tmp_path, key, 15, ("Uploads",))
