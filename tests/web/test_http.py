"""Details of HTTP on which clients in the field depend."""

from __future__ import annotations

import base64
import gzip
import json
import socket

import httpx2
import msgspec
import pytest

from tests.running import PATIENCE
from tests.web.conftest import PATH, Api, Served
from visavis.protocol.problem import Problem
from visavis.web.request_limits import KEEP_ALIVE_SECONDS

URL = {"recordingServerUrl": "http://google.com"}
BASIC = 'Basic realm="visavis", charset="UTF-8"'


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


async def key_of(api: Api) -> str:
    _, key = await api.app.keys.add(api.administrator, "Program")
    return f"admin@example.com:{key}"


async def refused(api: Api, authorization: str, **more: str) -> httpx2.Response:
    headers = {"Authorization": authorization, **more}
    answer = await api.client.get(PATH, headers=headers)
    assert answer.status_code == 401
    return answer


class TestTags:
    async def test_if_none_match_compares_weakly(self, api: Api) -> None:
        etag = (await api.call("GET")).headers["etag"]
        for listed in (etag, f"W/{etag}", f'"a,b", W/{etag}', "*"):
            answer = await api.call("GET", headers={"If-None-Match": listed})
            assert answer.status_code == 304, listed
        assert (await api.call("GET", headers={"If-None-Match": '"other"'})).status_code == 200

    async def test_several_lines_are_one_list(self, api: Api) -> None:
        etag = (await api.call("GET")).headers["etag"].encode()
        token = b"Bearer " + api.token.encode()
        for name, method, status in ((b"If-None-Match", "GET", 304), (b"If-Match", "PUT", 200)):
            lines = [(b"Authorization", token), (name, etag), (name, b'"other"')]
            answer = await api.client.request(method, PATH, headers=lines, json=URL)
            assert answer.status_code == status

    async def test_if_match_compares_strongly(self, api: Api) -> None:
        etag = (await api.call("GET")).headers["etag"]
        answer = await api.call("PUT", headers={"If-Match": f"W/{etag}"}, json=URL)
        assert answer.status_code == 412


class TestChallenges:
    async def test_basic_is_offered_to_programs_only(self, api: Api) -> None:
        answer = await api.client.get(PATH)
        challenges = answer.headers.get_list("www-authenticate")
        assert challenges == ['Bearer realm="visavis"', BASIC]
        page = await api.client.get(PATH, headers={"Sec-Fetch-Mode": "cors"})
        assert page.headers.get_list("www-authenticate") == ['Bearer realm="visavis"']
        session = await api.client.get("/session")
        assert BASIC not in session.headers.get_list("www-authenticate")

    async def test_a_wrong_try_is_told_what_was_wrong(self, api: Api) -> None:
        for wrong in ("Basic !", basic("no colon"), "Basic /w=="):
            answer = await refused(api, wrong)
            assert "Base64" in answer.json()["message"]
            assert "error=" not in answer.headers["www-authenticate"]
        assert "siteId" in (await refused(api, basic(await key_of(api)))).json()["message"]
        assert "Bearer or Basic" in (await refused(api, "Digest x")).json()["message"]
        challenge = (await refused(api, "Bearer x")).headers["www-authenticate"]
        assert 'error="invalid_token", error_description="The access token' in challenge

    async def test_the_site_of_an_api_key_may_be_a_header(self, api: Api) -> None:
        headers = {"Authorization": basic(await key_of(api)), "siteId": "1"}
        assert (await api.client.get(PATH, headers=headers)).status_code == 200
        headers["siteId"] = "2"
        assert (await api.client.get(PATH, headers=headers)).status_code == 403
        assert (await api.call("GET", headers={"siteId": "2"})).status_code == 403


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "is empty"),
        (b"{", "line 1, column 2"),
        (b"[]", "not an object"),
        (b"\xff\xff", "not UTF-8"),
        (b'{"a": 1, "A": 2}', 'the key \\"A\\" twice'),
        (b'{"\\ud800": 1, "\\ud800": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[" * 30_000, "too deeply"),
        (b"1" * 10_000, "too long"),
    ],
)
async def test_each_malformed_body_has_its_own_sentence(api: Api, body: bytes, part: str) -> None:
    answer = await api.call("PUT", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "ParameterInvalid")
    assert part in answer.text


async def test_a_compressed_body_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(URL).encode())
    answer = await api.call("PUT", content=body, headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")


async def test_connections_are_kept_for_longer_than_pools_keep_theirs(api: Api) -> None:
    for path in (PATH, "/demo", "/nowhere"):
        answer = await api.client.get(path)
        assert answer.headers["keep-alive"] == f"timeout={KEEP_ALIVE_SECONDS}"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"GET /healthz HTTP/1.1\r\n", b"exactly one Host"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n", b"exactly one Host"),
        (b"nonsense\r\n", b"not valid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n", b"65536 bytes"),
    ],
)
def test_an_error_of_http_itself_is_json(served: Served, head: bytes, part: bytes) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(head + b"Connection: close\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer or b"}" not in answer:
            received = line.recv(65536)
            assert received, answer
            answer += received
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    problem = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=Problem)
    assert (problem.error, problem.code, problem.status) == (
        "ParameterInvalid",
        "ParameterInvalid",
        400,
    )
    assert part in answer


async def test_a_person_at_an_unknown_address_gets_a_page(api: Api) -> None:
    for path in ("/nothing/here", "/v4/nothing"):
        page = await api.client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert "Page not found" in page.text
        program = await api.client.get(path, headers={"Accept": "*/*"})
        assert program.status_code == 404
        assert program.json()["error"] == "EntityNotFound"
        written = await api.client.post(path, headers={"Accept": "text/html"})
        assert written.headers["content-type"] == "application/problem+json"
