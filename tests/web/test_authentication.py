"""An agent's own password and sessions, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.web.conftest import PATH, Api
from visavis.web.authentication import BACKGROUND

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


async def cookie_of_new_session(api: Api, device: str) -> str:
    api.client.cookies.clear()
    headers = {"User-Agent": device}
    answer = await api.client.post("/session", json=ACCOUNT, headers=headers)
    cookie = answer.cookies["visavis_session"]
    api.client.cookies.clear()
    return f"visavis_session={cookie}"


async def test_sessions_are_listed_and_ended_one_by_one(api: Api) -> None:
    here = {"Cookie": await cookie_of_new_session(api, "Firefox\x7f")}
    there = {"Cookie": await cookie_of_new_session(api, "Chrome")}
    assert (await api.client.get("/session", headers=there)).status_code == 200
    listed = (await api.client.get("/session/all", headers=here)).json()["sessions"]
    assert {one["device"]: one["isCurrent"] for one in listed} == {"Firefox": True, "Chrome": False}
    assert all(one["lastUseTime"] >= one["createTime"] for one in listed)
    other = next(one["id"] for one in listed if not one["isCurrent"])
    assert other not in there["Cookie"]
    assert (await api.client.get("/session/all")).status_code == 401
    evil = {**here, "Origin": "https://evil.example"}
    assert (await api.client.delete(f"/session/{other}", headers=evil)).status_code == 403
    assert (await api.client.delete(f"/session/{other}", headers=here)).status_code == 204
    assert (await api.client.delete(f"/session/{other}", headers=here)).status_code == 404
    assert (await api.client.get("/session", headers=there)).status_code == 401
    assert (await api.client.get("/session", headers=here)).status_code == 200
    entries = (await api.client.get("/v4/global/auditLogs", headers=here)).json()["auditLogs"]
    assert entries[0]["actionType"] == "sessionEnded"


async def test_an_agent_ends_no_session_of_another(api: Api) -> None:
    cookie = await cookie_of_new_session(api, "Firefox")
    (session,) = (await api.client.get("/session/all", headers={"Cookie": cookie})).json()[
        "sessions"
    ]
    other = await api.agent_token()
    headers = {"Cookie": f"visavis_session={other}"}
    answer = await api.client.delete(f"/session/{session['id']}", headers=headers)
    assert answer.status_code == 404


async def test_what_a_page_does_by_itself_is_no_use(api: Api) -> None:
    cookie = await cookie_of_new_session(api, "Firefox")
    headers = {"Cookie": cookie, BACKGROUND: "1"}
    assert (await api.client.get(PATH, headers=headers)).status_code == 200
    assert not api.app.tokens._uses
    assert (await api.client.get(PATH, headers={"Cookie": cookie})).status_code == 200
    assert len(api.app.tokens._uses) == 1
    api.app.tokens.idle_time = timedelta(0)
    answer = await api.client.get(PATH, headers={"Cookie": cookie})
    assert answer.status_code == 401
    assert "inactive" in answer.json()["message"]
    assert (await api.call("GET")).status_code == 200  # a token is no session
