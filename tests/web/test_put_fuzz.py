"""Whatever is put: 200 or a documented refusal, and a refusal has changed nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.web.conftest import PATH, Served

CASES = 10_000
PARTS = 4
"""So many tests share the cases: they can run side by side."""
BATCH = 10
"""So many cases are one example of hypothesis, which takes longer over an example than we do."""
DOCUMENTED = {
    400: {
        "ParameterMissing",
        "ParameterFormatIncorrect",
        "ParameterInvalid",
        "ParameterStringLengthExceed",
    },
    413: {"PayloadTooLarge"},
    415: {"UnsupportedMediaType"},
}
MEMBERS = {
    *("error", "code", "parameters", "message"),
    *("type", "title", "status", "detail", "instance", "requestId"),
}
NAMES = ["isEnabled", "isAutomaticallyRecordingAudioVideoChatsEnabled", "recordingServerUrl"]

any_case = st.sampled_from(
    [spelt for name in NAMES for spelt in (name, name.upper(), name.lower(), name.title())]
)
letters = st.text(st.characters(), max_size=30)
urls = st.one_of(
    st.sampled_from(
        [
            "",
            "http://google.com",
            "https://a.example:8443/files?x=1#y",
            "http://[::1]:80/",
            "http://[::1",
            "http://a:b@c",
            "HTTP://A",
            "http://",
            "//a",
            "ftp://a",
            "http://a:99999",
            "http://a:0",
            "http://a\0b",
            "http://a\r\nX: y",
            "http://\ud800",
            "http://" + "a" * 2041,
            "http://" + "a" * 2042,
        ]
    ),
    letters.map(lambda text: f"http://{text}"),
    letters,
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["true", "FALSE", "yes", "", "1", 0, 1, -1, 10**40, 1.5, 1e308]),
    st.integers(),
    st.floats(),
    urls,
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3)
)
objects = st.dictionaries(st.one_of(any_case, letters), values, max_size=5)
likely = st.fixed_dictionaries(
    {"recordingServerUrl": urls},
    optional={name: st.one_of(st.booleans(), scalars) for name in NAMES[:2]},
)
# no regular expression, which is drawn character by character and takes four times as long
hosts = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=20)
paths = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
valid_urls = st.tuples(st.sampled_from(["http", "https"]), hosts, paths).map(
    lambda parts: "{}://{}/{}".format(*parts)
)
valid = st.fixed_dictionaries(
    {"recordingServerUrl": valid_urls},
    optional={name: st.sampled_from([True, False, "true", "False"]) for name in NAMES[:2]},
)
texts = st.one_of(
    valid.map(json.dumps),
    valid.map(lambda change: json.dumps(change, indent=1)),
    likely.map(json.dumps),
    objects.map(json.dumps),
    values.map(json.dumps),
    st.tuples(any_case, values, values).map(
        lambda t: (
            f"{{{json.dumps(t[0])}: {json.dumps(t[1])}, {json.dumps(t[0])}: {json.dumps(t[2])}}}"
        )
    ),
    likely.map(json.dumps).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])
    ),
    st.sampled_from(["", "[" * 5000, '{"a":' * 5000, "NaN", '{"recordingServerUrl": NaN}', "{}"]),
)
bodies = st.one_of(texts.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary())
kinds = st.sampled_from(
    [*[b"application/json; charset=utf-8"] * 8, b"application/json", b"", b"text/plain", b"\xff"]
)


class Direct:
    """Calls the application without a socket between."""

    def __init__(self, served: Served) -> None:
        self._app = served.app.web
        self._authorization = (b"authorization", f"Bearer {served.token}".encode())

    async def call(self, method: str, body: bytes = b"", kind: bytes = b"") -> tuple[int, Any]:
        scope = {
            "type": "http",
            "method": method,
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "headers": [(b"host", b"testserver"), self._authorization, (b"content-type", kind)],
            "client": ("127.0.0.1", 1),
            "server": ("visavis", 80),
            "scheme": "http",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.many
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_refusal_is_documented_and_changes_nothing(served: Served, part: int) -> None:
    direct = Direct(served)
    statuses: dict[int, int] = {}

    @seed(part)
    @settings(
        max_examples=CASES // PARTS // BATCH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.tuples(bodies, kinds), min_size=BATCH, max_size=BATCH))
    def put(cases: list[tuple[bytes, bytes]]) -> None:
        runner.run(put_all(cases))

    async def put_all(cases: list[tuple[bytes, bytes]]) -> None:
        before = await direct.call("GET")
        for body, kind in cases:
            status, answer = await direct.call("PUT", body, kind)
            statuses[status] = statuses.get(status, 0) + 1
            after = await direct.call("GET")
            if status == 200:
                assert answer == after[1]
            else:
                assert answer["error"] in DOCUMENTED[status]
                assert answer.keys() - {"pointer"} == MEMBERS
                assert before == after
            before = after

    with asyncio.Runner() as runner:
        put()
    cases = sum(statuses.values())
    assert cases >= CASES // PARTS
    assert statuses[200] > cases / 20, statuses
    assert statuses[400] > cases / 20, statuses
