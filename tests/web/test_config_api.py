"""The four calls: the API page, the error table, what clients of the hosted product send."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.web.conftest import PATH, Api
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Permission

pytestmark = pytest.mark.anyio

KEYS = ["isEnabled", "isAutomaticallyRecordingAudioVideoChatsEnabled", "recordingServerUrl"]
GOOGLE = "http://google.com"


def assert_problem(response: httpx2.Response, status: int, error: str) -> dict[str, Any]:
    assert response.headers["content-type"].startswith("application/problem+json")
    body = dict(response.json())
    assert (response.status_code, body["error"]) == (status, error)
    assert body["status"] == status
    assert {"type", "title", "detail", "instance", "message"} <= body.keys()
    assert body["requestId"] == response.headers["x-request-id"]
    return body


async def test_the_requests_of_the_api_page(api: Api) -> None:
    put = await api.put(
        isEnabled=False,
        isAutomaticallyRecordingAudioVideoChatsEnabled=False,
        recordingServerUrl=GOOGLE,
    )
    answers = [
        put,
        await api.call("GET"),
        await api.call("POST", f"{PATH}:disable"),
        await api.call("POST", f"{PATH}:enable"),
    ]
    for answer, is_enabled in zip(answers, [False, False, False, True], strict=True):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        assert list(answer.json().items()) == list(
            zip(KEYS, [is_enabled, False, GOOGLE], strict=True)
        )


@pytest.mark.parametrize("base", ["/v4", "/api/v4", "/api", "/API/V4"])
async def test_the_replay_of_the_hosted_product_s_own_tests(api: Api, base: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    for verb in ("disable", "enable", "disable", "disable"):
        path = f"{base}/LiveChat/audioVideoChatConfig:{verb}"
        answer = await api.call("POST", path, headers=headers)
        assert answer.status_code == 200
        assert str(answer.json()["isEnabled"]) == str(verb == "enable")


@pytest.mark.parametrize(
    "path", [PATH.lower(), PATH.upper(), PATH + "/", "/api/livechat/AudioVideoChatConfig"]
)
async def test_any_spelling_of_the_path(api: Api, path: str) -> None:
    assert (await api.call("GET", path)).status_code == 200


@pytest.mark.parametrize("verb", ["%3Aenable", "%5C:Enable", ":ENABLE/"])
async def test_any_spelling_of_the_verb(api: Api, verb: str) -> None:
    assert (await api.call("POST", PATH + verb)).json()["isEnabled"] is True


async def test_a_fresh_site_is_off_and_has_no_recording_server(api: Api) -> None:
    assert list((await api.config()).values()) == [False, False, ""]


async def test_put_keeps_absent_booleans_and_is_tolerant(api: Api) -> None:
    await api.put(isEnabled="true", recordingServerUrl=GOOGLE)
    assert (
        await api.put(RECORDINGSERVERURL="https://x.example/a?b", unknown=[1])
    ).status_code == 200
    assert list((await api.config()).values()) == [True, False, "https://x.example/a?b"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "ParameterMissing"),
        ({"recordingServerUrl": None}, "ParameterMissing"),
        ({"recordingServerUrl": 5}, "ParameterInvalid"),
        ({"recordingServerUrl": ["x"]}, "ParameterInvalid"),
        ({"recordingServerUrl": "google"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "ftp://google.com"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://a b"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://a\0"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://a:99999"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://[::1"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "http://me:pw@a"}, "ParameterInvalid"),
        ({"recordingServerUrl": "http://a/" + "x" * 2048}, "ParameterStringLengthExceed"),
        ({"recordingServerUrl": GOOGLE, "isEnabled": 1}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": GOOGLE, "isEnabled": "yes"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": GOOGLE, "isEnabled": None}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": GOOGLE, KEYS[1]: []}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": "", KEYS[1]: True}, "ParameterInvalid"),
    ],
)
async def test_a_refused_body_changes_nothing(api: Api, body: dict[str, Any], error: str) -> None:
    before = await api.config()
    problem = assert_problem(await api.call("PUT", json=body), 400, error)
    assert problem["pointer"].startswith("/")
    if error == "ParameterMissing":
        assert problem["message"] == 'the parameter "recordingServerUrl" is required.'
    assert await api.config() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"a":NaN}',
        b"\xff",
        b"[" * 60_000,
        b'{"isEnabled":true,"isenabled":false,"recordingServerUrl":"http://a"}',
    ],
)
async def test_a_body_that_is_no_object(api: Api, content: bytes) -> None:
    assert_problem(await api.call("PUT", content=content), 400, "ParameterInvalid")


async def test_a_lone_surrogate_is_refused(api: Api) -> None:
    content = json.dumps({"recordingServerUrl": "http://a/\ud800"}).encode()
    assert_problem(await api.call("PUT", content=content), 400, "ParameterFormatIncorrect")


async def test_too_large_and_not_json(api: Api) -> None:
    assert_problem(await api.call("PUT", content=b" " * 65_537), 413, "PayloadTooLarge")
    text = {"Content-Type": "text/plain"}
    assert_problem(await api.call("PUT", content=b"{}", headers=text), 415, "UnsupportedMediaType")


async def test_who_may_not(api: Api) -> None:
    answer = await api.client.get(PATH)
    assert_problem(answer, 401, "Unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    answer = await api.call("GET", token="vv_forged")
    assert_problem(answer, 401, "Unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    expired = await api.app.tokens.issue(
        api.administrator, CredentialKind.BEARER, timedelta(seconds=-1)
    )
    assert_problem(await api.call("GET", token=expired), 401, "Unauthorized")
    answer = await api.call("GET", token=await api.agent_token(Permission.ACCEPT_CALLS))
    assert_problem(answer, 403, "PermissionDenied")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    revoked = await api.agent_token(Permission.MANAGE_SETTINGS)
    assert (await api.call("GET", token=revoked)).status_code == 200
    await api.app.tokens.revoke(revoked)
    assert_problem(await api.call("GET", token=revoked), 401, "Unauthorized")


async def test_a_token_is_good_for_its_own_site_only(api: Api) -> None:
    assert (await api.call("GET", f"{PATH}?siteId=1")).status_code == 200
    assert_problem(await api.call("GET", f"{PATH}?siteid=2"), 403, "PermissionDenied")


async def test_unknown_paths_and_wrong_methods(api: Api) -> None:
    assert_problem(await api.call("GET", "/v4/livechat/nothing"), 404, "EntityNotFound")
    answer = await api.call("DELETE")
    assert_problem(answer, 405, "MethodNotAllowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}
    answer = await api.call("GET", f"{PATH}:enable")
    assert_problem(answer, 405, "MethodNotAllowed")
    assert (await api.call("OPTIONS")).headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    head = await api.call("HEAD")
    assert (head.status_code, head.content) == (200, b"")


async def test_entity_tags(api: Api) -> None:
    first = (await api.call("GET")).headers["etag"]
    unchanged = await api.call("GET", headers={"If-None-Match": first})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    second = await api.call("POST", f"{PATH}:enable", headers={"If-Match": first})
    assert second.status_code == 200
    assert second.headers["etag"] != first
    stale = await api.call("POST", f"{PATH}:disable", headers={"If-Match": first})
    assert_problem(stale, 412, "PreconditionFailed")
    assert (await api.config())["isEnabled"] is True


async def test_every_real_change_is_audited_once(api: Api) -> None:
    verbs = ["enable", "enable", "disable", "disable", "enable"]
    for verb in verbs:
        await api.call("POST", f"{PATH}:{verb}")
    entries = await api.app.store.read(lambda rows: rows.audit.list_page(1, 10))
    assert [e.changes[0].new_value for e in entries] == ["true", "false", "true"]
    assert {e.agent_id for e in entries} == {api.administrator.id}


async def test_concurrent_clients_lose_no_version_and_no_audit_entry(api: Api) -> None:
    verbs = ["enable", "disable"] * 50
    await asyncio.gather(*(api.call("POST", f"{PATH}:{verb}") for verb in verbs))
    config = await api.app.store.read(lambda rows: rows.settings.get(1).config)
    entries = await api.app.store.read(lambda rows: rows.audit.list_page(1, 200))
    assert config.version == len(entries) > 0
    assert (await api.config())["isEnabled"] == config.is_enabled


async def test_signing_in_on_a_page(api: Api) -> None:
    wrong = {"email": "admin@example.com", "password": "no"}
    assert_problem(await api.client.post("/session", json=wrong), 401, "Unauthorized")
    nobody = {"email": "nobody@example.com", "password": "no"}
    assert_problem(await api.client.post("/session", json=nobody), 401, "Unauthorized")
    right = {"email": "Admin@example.com", "password": "secret"}
    foreign = {"Origin": "https://evil.example"}
    refused = await api.client.post("/session", json=right, headers=foreign)
    assert_problem(refused, 403, "PermissionDenied")

    answer = await api.client.post("/session", json=right)
    assert answer.status_code == 200
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert (await api.client.get("/session")).json()["siteId"] == 1
    assert (await api.client.delete("/session")).status_code == 204
    assert_problem(await api.client.get("/session"), 401, "Unauthorized")


async def test_guessing_passwords_is_stopped(api: Api) -> None:
    guess = {"email": "admin@example.com", "password": "guess"}
    for _ in range(10):
        assert (await api.client.post("/session", json=guess)).status_code == 401
    answer = await api.client.post("/session", json=guess)
    assert_problem(answer, 429, "TooManyRequests")
    assert int(answer.headers["retry-after"]) > 0


async def test_an_error_of_ours_says_nothing_but_its_request_id(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(api.app.site_settings, "get", crash)
    answer = await api.call("GET")
    assert_problem(answer, 500, "InternalError")
    assert "secret" not in answer.text


async def test_an_api_key_needs_its_site_and_its_owner(api: Api) -> None:
    _, secret = await api.app.keys.add(api.administrator, "test")
    own = ("admin@example.com", secret)
    for parameter in ("siteId", "siteid"):
        answer = await api.client.get(PATH, params={parameter: "1"}, auth=own)
        assert answer.status_code == 200
    assert_problem(await api.client.get(PATH, auth=own), 401, "Unauthorized")
    other_site = await api.client.get(PATH, params={"siteId": "2"}, auth=own)
    assert_problem(other_site, 403, "PermissionDenied")
    stranger = await api.client.get(PATH, params={"siteId": "1"}, auth=("b@example.com", secret))
    assert_problem(stranger, 401, "Unauthorized")
    for value in ("Basic", "Basic !", "Basic bm9jb2xvbg=="):
        answer = await api.client.get(PATH, headers={"Authorization": value})
        assert_problem(answer, 401, "Unauthorized")


async def test_a_deleted_key_is_dead_at_once(api: Api) -> None:
    key, secret = await api.app.keys.add(api.administrator, "test")
    own = {"params": {"siteId": "1"}, "auth": ("admin@example.com", secret)}
    assert (await api.client.get(PATH, **own)).status_code == 200  # type: ignore[arg-type]
    await api.app.keys.delete(1, key.id)
    assert_problem(await api.client.get(PATH, **own), 401, "Unauthorized")  # type: ignore[arg-type]


async def test_a_page_s_cookie_changes_nothing_from_a_stranger_s_page(api: Api) -> None:
    cookie = {"Cookie": f"visavis_session={api.token}"}
    enable = f"{PATH}:enable"
    from_elsewhere = {**cookie, "Origin": "http://elsewhere.example"}
    assert_problem(await api.client.post(enable, headers=from_elsewhere), 403, "PermissionDenied")
    assert (await api.config())["isEnabled"] is False
    from_us = {**cookie, "Origin": "http://visavis"}
    assert (await api.client.post(enable, headers=from_us)).json()["isEnabled"] is True
