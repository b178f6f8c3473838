"""The log of changes over the API, and the stream of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.web.conftest import PATH, Api
from visavis.clock_and_ids import new_id, now
from visavis.domain.audit import ActionType
from visavis.domain.people import Permission
from visavis.services.audit import AuditTrail

LOGS = "/v4/global/auditLogs"


async def logs(api: Api, **query: Any) -> httpx2.Response:
    return await api.call("GET", LOGS, params=query)


async def flip(api: Api, times: int) -> None:
    for n in range(times):
        await api.call("POST", f"{PATH}:{'disable' if n % 2 else 'enable'}")


async def test_one_entry_is_read_by_its_id(api: Api) -> None:
    await flip(api, 1)
    (entry,) = (await logs(api)).json()["auditLogs"]
    guid = str(UUID(entry["id"])).upper()
    for name in (entry["id"], guid):
        assert (await api.call("GET", f"{LOGS}/{name}")).json() == entry
    assert (await api.call("GET", f"{LOGS}/{new_id()}")).status_code == 404
    token = await api.agent_token(Permission.MANAGE_SETTINGS)
    assert (await api.call("GET", f"{LOGS}/{entry['id']}", token=token)).status_code == 403
    other = await api.agent_token(Permission.VIEW_AUDIT_LOG, site_id=await api.other_site())
    assert (await api.call("GET", f"{LOGS}/{entry['id']}", token=other)).status_code == 404


async def test_an_entry_of_the_command_line_has_no_agent(api: Api) -> None:
    trail = AuditTrail(api.app.store, now, new_id)
    await trail.record_act(1, None, "recordingDeleted", "Deleted", ())
    (entry,) = (await logs(api)).json()["auditLogs"]
    one = (await api.call("GET", f"{LOGS}/{entry['id']}")).json()
    assert (one["agentId"], one["agentEmail"]) == (None, "")


async def test_an_entry_tells_who_changed_what(api: Api) -> None:
    await api.put(recordingServerUrl="https://tus.example/", isEnabled=True)
    body = (await logs(api)).json()
    assert list(body) == ["total", "previousPage", "nextPage", "auditLogs"]
    assert (body["total"], body["previousPage"], body["nextPage"]) == (1, "", "")
    (entry,) = body["auditLogs"]
    assert entry["siteId"] == 1
    assert entry["agentId"] == api.administrator.id
    assert entry["agentEmail"] == "admin@example.com"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["createTime"])
    assert entry["actionType"] == "audioAndVideoChatManagement"
    assert entry["actionDetails"] == [
        {"fieldName": "isEnabled", "newValue": "true", "oldValue": "false"},
        {"fieldName": "recordingServerUrl", "newValue": "https://tus.example/", "oldValue": ""},
    ]


async def test_pages_lead_through_all_of_it(api: Api) -> None:
    await flip(api, 5)
    address, seen = f"{LOGS}?pageIndex=1&pageSize=2", []
    while address:
        body = (await api.call("GET", address)).json()
        assert body["total"] == 5
        seen += [entry["id"] for entry in body["auditLogs"]]
        address = body["nextPage"]
    assert len(set(seen)) == 5
    last = (await logs(api, pageIndex=3, pageSize=2)).json()
    assert last["previousPage"] == f"{LOGS}?pageIndex=2&pageSize=2"
    beyond = (await logs(api, pageIndex=99, pageSize=2)).json()
    assert beyond["auditLogs"] == []
    assert beyond["previousPage"] == f"{LOGS}?pageIndex=3&pageSize=2"
    times = [entry["createTime"] for entry in (await logs(api)).json()["auditLogs"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", ["pageIndex", "pagesize"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("0", "ParameterInvalid"),
        ("-1", "ParameterFormatIncorrect"),
        ("9" * 40, "ParameterInvalid"),
        ("two", "ParameterFormatIncorrect"),
        ("", "ParameterFormatIncorrect"),
        ("\u0661", "ParameterFormatIncorrect"),
        ("1;DROP TABLE audit", "ParameterFormatIncorrect"),
    ],
)
async def test_numbers_are_checked(api: Api, name: str, value: str, error: str) -> None:
    answer = await logs(api, **{name: value})
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["pointer"].casefold() == f"/{name}".casefold()


async def test_it_needs_its_own_permission(api: Api) -> None:
    token = await api.agent_token(Permission.MANAGE_SETTINGS)
    assert (await api.call("GET", LOGS, token=token)).status_code == 403
    token = await api.agent_token(Permission.VIEW_AUDIT_LOG)
    assert (await api.call("GET", "/api/Global/AuditLogs/", token=token)).status_code == 200
    assert (await api.client.get(LOGS)).status_code == 401


async def test_a_site_sees_its_own(api: Api) -> None:
    await flip(api, 2)
    other = await api.other_site()
    token = await api.agent_token(Permission.VIEW_AUDIT_LOG, site_id=other)
    assert (await api.call("GET", LOGS, token=token)).json()["total"] == 0
    answer = await api.call("GET", LOGS, token=token, params={"siteId": "1"})
    assert answer.status_code == 403


class Stream:
    """The events that a watcher gets, straight from the application."""

    def __init__(self, api: Api, token: str) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self._gone = asyncio.Event()
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": f"{PATH}/events",
            "raw_path": b"",
            "query_string": b"",
            "headers": [
                (b"host", b"testserver"),
                (b"authorization", f"Bearer {token}".encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("visavis", 80),
            "scheme": "http",
            "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
        }
        answering = api.app.web(scope, self._receive, self._send)
        self.task = asyncio.ensure_future(answering)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif data := re.search(rb"data: (.*)", message.get("body", b"")):
            self.events.put_nowait(json.loads(data[1]))

    async def leave(self) -> None:
        self._gone.set()
        await self.task


async def test_a_change_is_told_to_who_watches(api: Api) -> None:
    stream = Stream(api, api.token)
    first = await stream.events.get()
    assert first["config"]["isEnabled"] is False
    assert first["etag"] == (await api.call("GET")).headers["etag"]
    changed = await api.call("POST", f"{PATH}:enable")
    second = await stream.events.get()
    assert second["config"]["isEnabled"] is True
    assert second["etag"] == changed.headers["etag"]
    await stream.leave()


async def test_the_stream_ends_with_the_server(api: Api) -> None:
    stream = Stream(api, api.token)
    await stream.events.get()
    api.app.stopping.set()
    await stream.task


async def test_the_stream_ends_with_the_permission_to_watch(api: Api) -> None:
    token = await api.agent_token(Permission.MANAGE_SETTINGS)
    stream = Stream(api, token)
    await stream.events.get()
    await api.app.tokens.revoke(token)
    await api.call("POST", f"{PATH}:enable")
    await stream.task
    assert stream.events.empty()


async def test_who_may_not_manage_does_not_watch(api: Api) -> None:
    stream = Stream(api, await api.agent_token(Permission.ACCEPT_CALLS))
    await stream.task
    assert stream.status == 403


# Acts over HTTP that are recorded

ACCOUNT = {"email": "admin@example.com", "password": "secret"}
NEW = "a right good password"


async def newest(api: Api, **query: Any) -> list[dict[str, Any]]:
    return list((await logs(api, pageSize=100, **query)).json()["auditLogs"])


async def actions(api: Api, **query: Any) -> list[str]:
    return [entry["actionType"] for entry in reversed(await newest(api, **query))]


async def test_signing_in_and_out_is_recorded(api: Api) -> None:
    for password, status in (("wrong", 401), ("wrong again", 401), ("secret", 200)):
        answer = await api.client.post("/session", json={**ACCOUNT, "password": password})
        assert answer.status_code == status
    await api.client.delete("/session")
    await api.client.delete("/session")  # nobody is signed in
    assert await actions(api) == ["signInFailed", "signedIn", "signedOut"]
    out, into, failed = await newest(api)
    assert (into["agentName"], into["author"]) == ("Admin", "admin@example.com")
    assert into["objectName"] == "agent admin@example.com"
    assert into["actionDetails"][0]["fieldName"] == "address"
    assert (failed["agentId"], failed["author"]) == (None, "anonymous")
    assert out["actionSummary"] == "admin@example.com signed out"


async def test_a_changed_password_and_its_secrets(api: Api) -> None:
    await api.client.post("/session", json=ACCOUNT)
    change = {"currentPassword": "secret", "newPassword": NEW}
    assert (await api.client.post("/session/password", json=change)).status_code == 200
    assert (await api.client.delete("/session/all")).status_code == 204
    answer = await api.client.post("/session", json={**ACCOUNT, "password": NEW})
    entries = (await api.client.get(LOGS)).json()["auditLogs"]
    types = [entry["actionType"] for entry in reversed(entries)]
    assert types == ["signedIn", "passwordChanged", "signedOutEverywhere", "signedIn"]
    assert NEW not in json.dumps(entries)
    assert answer.cookies["visavis_session"] not in json.dumps(entries)


async def test_a_wrong_api_key_is_recorded(api: Api) -> None:
    for email in ("admin@example.com", "nobody@example.com"):
        auth = httpx2.BasicAuth(email, "vvk_wrong")
        answer = await api.client.get(PATH, params={"siteId": "1"}, auth=auth)
        assert answer.status_code == 401
    by_object = [entry["objectName"] for entry in await newest(api)]
    assert by_object == ["an unknown account", "agent admin@example.com"]


async def test_filters_and_their_pages(api: Api) -> None:
    await flip(api, 3)
    await api.client.post("/session", json=ACCOUNT)
    api.client.cookies.clear()
    config, into = "audioAndVideoChatManagement", "signedIn"
    assert await actions(api, actionType=into) == [into]
    assert await actions(api, actionType=f"{config},{into}") == [*[config] * 3, into]
    assert await actions(api, object="configuration") == [config] * 3
    assert await actions(api, author="ADMIN") == [*[config] * 3, into]
    assert await actions(api, author="nobody") == []
    assert await actions(api, agentId=99) == []
    assert await actions(api, to="2020-01-01T00:00:00Z") == []
    query = {"object": "configuration", "from": "2020-01-01T00:00:00Z", "pageSize": 2}
    first = (await logs(api, **query)).json()
    assert first["total"] == 3
    second = (await api.call("GET", first["nextPage"])).json()
    assert [entry["actionType"] for entry in second["auditLogs"]] == [config]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"from": "soon"}, "ParameterFormatIncorrect"),
        ({"author": "x" * 201}, "ParameterStringLengthExceed"),
        ({"actionType": "signedIn,flown"}, "ParameterInvalid"),
        ({"agentId": "-1"}, "ParameterFormatIncorrect"),
    ],
)
async def test_filters_are_checked(api: Api, query: dict[str, str], error: str) -> None:
    answer = await logs(api, **query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_text_that_no_database_takes_finds_nothing(api: Api) -> None:
    assert (await logs(api, author="\x00nobody", object="\x00")).status_code == 200


async def test_administrators_download_all_of_it(api: Api) -> None:
    await flip(api, 3)
    for path in (f"{LOGS}:export", "/api/Global/auditlogs:Export"):
        answer = await api.call("GET", path, params={"object": "configuration"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/jsonl"
        assert "attachment" in answer.headers["content-disposition"]
        entries = [json.loads(line) for line in answer.text.splitlines()]
        assert [entry["sequence"] for entry in entries] == [1, 2, 3]
        assert entries[1]["previousHash"] == entries[0]["hash"]
    assert (await newest(api))[0]["actionType"] == "auditLogExported"
    token = await api.agent_token(Permission.VIEW_AUDIT_LOG)
    assert (await api.call("GET", f"{LOGS}:export", token=token)).status_code == 403
    assert (await api.client.get(f"{LOGS}:export")).status_code == 401


async def test_an_export_can_be_verified_with_nothing_but_the_documentation(api: Api) -> None:
    await flip(api, 3)
    await api.client.post("/session", json=ACCOUNT)
    api.client.cookies.clear()
    previous = "0" * 64
    for line in (await api.call("GET", f"{LOGS}:export")).text.splitlines():
        row = json.loads(line)
        details = [[d["fieldName"], d["oldValue"], d["newValue"]] for d in row["actionDetails"]]
        names = ("siteId", "sequence", "id", "createTime", "agentId", "author", "actionType")
        content = ["visavis-audit-1", previous, *(row[name] for name in names)]
        content += [row["objectName"], row["actionSummary"], details]
        encoded = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        assert row["hash"] == hashlib.sha256(encoded).hexdigest()
        previous = row["hash"]


def test_the_page_filters_by_actions_that_there_are() -> None:
    source = (Path(__file__).parents[2] / "web/src/admin/audit-log.ts").read_text()
    groups = source.partition("const GROUPS")[2].partition("\n];")[0]
    named = set(re.findall(r'"([a-z]+[A-Z]\w*)"', groups))
    named = {name for name in named if not name.startswith("group")}
    recordings = {action for action in ActionType if action.startswith("recording")}
    settings = {ActionType.CONFIGURATION, ActionType.RECORDING_POLICY}
    assert named == {*ActionType} - recordings - settings
