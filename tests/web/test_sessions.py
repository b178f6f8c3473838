"""An agent's own password and sessions, over HTTP."""

from __future__ import annotations

import pytest

from tests.web.conftest import Api

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ACCOUNT = {"email": "admin@example.com", "password": "secret"}
CHANGE = {"currentPassword": "secret", "newPassword": "a right good password"}


async def test_a_changed_password_ends_the_other_sessions(api: Api) -> None:
    await api.client.post("/session", json=ACCOUNT)
    elsewhere = dict(api.client.cookies)
    api.client.cookies.clear()
    await api.client.post("/session", json=ACCOUNT)
    for change, status in (
        ({**CHANGE, "newPassword": "short"}, 400),
        ({**CHANGE, "currentPassword": "wrong"}, 401),
        ({}, 400),
        (CHANGE, 200),
    ):
        answer = await api.client.post("/session/password", json=change)
        assert answer.status_code == status, answer.text
        assert status != 200 or answer.headers["cache-control"] == "no-store"
    assert (await api.client.get("/session")).status_code == 200
    api.client.cookies.clear()
    headers = {"Cookie": f"visavis_session={elsewhere['visavis_session']}"}
    assert (await api.client.get("/session", headers=headers)).status_code == 401
    assert (await api.call("GET")).status_code == 401


async def test_sign_out_everywhere(api: Api) -> None:
    await api.client.post("/session", json=ACCOUNT)
    stranger = {"Origin": "https://evil.example"}
    assert (await api.client.delete("/session/all", headers=stranger)).status_code == 403
    assert (await api.client.delete("/session/all")).status_code == 204
    assert (await api.client.get("/session")).status_code == 401
    assert (await api.call("GET")).status_code == 401


async def test_deeply_nested_json_is_refused(api: Api) -> None:
    deep = '{"email":' + "[" * 20_000 + "]" * 20_000 + "}"
    answer = await api.client.post("/session", content=deep)
    assert (answer.status_code, answer.json()["error"]) == (400, "ParameterInvalid")


async def test_a_page_over_plain_http_does_not_speak_for_https(api: Api) -> None:
    url = "https://visavis/session"
    for origin, status in (("http://visavis", 403), ("https://visavis", 200)):
        answer = await api.client.post(url, json=ACCOUNT, headers={"Origin": origin})
        assert answer.status_code == status
