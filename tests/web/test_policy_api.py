"""The recording policy: reading, changing, who may, what the audit log says of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.running import PATIENCE
from tests.web.conftest import Api
from tests.web.test_config_api import assert_problem
from visavis.domain.changes import EVERYTHING
from visavis.domain.people import Permission
from visavis.domain.policy import RecordingPolicy
from visavis.protocol.wire import MAX_SECRET_LENGTH
from visavis.services.recordings import server_of
from visavis.services.topics import CONFIG_TOPIC

pytestmark = pytest.mark.anyio

PATH = "/v4/livechat/recordingPolicy"
LIMITS = {
    "ringSeconds": 45,
    "queueSeconds": 300,
    "connectSeconds": 30,
    "resumeSeconds": 30,
    "ringLimit": 20,
}
FRESH = {
    "consent": "notice",
    "unrecordable": "refuse",
    "retentionDays": None,
    "hasSecret": False,
    **LIMITS,
}


async def test_a_fresh_site(api: Api) -> None:
    answer = await api.call("GET", PATH)
    assert list(answer.json().items()) == list(FRESH.items())
    assert answer.headers["etag"]


async def test_what_is_not_sent_stays(api: Api) -> None:
    changes: list[dict[str, Any]] = [
        {"consent": "agreement"},
        {"Unrecordable": "Continue", "unknown": 1},
        {"retentiondays": 30},
        {"secret": "s3cret"},
        {},
    ]
    for change in changes:
        answer = await api.call("PUT", PATH, json=change)
        assert answer.status_code == 200
    assert answer.json() == {
        "consent": "agreement",
        "unrecordable": "continue",
        "retentionDays": 30,
        "hasSecret": True,
        **LIMITS,
    }
    cleared = await api.call("PUT", PATH, json={"secret": "", "retentionDays": None})
    assert (cleared.json()["hasSecret"], cleared.json()["retentionDays"]) == (False, None)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"consent": "none"}, "/consent"),
        ({"consent": 1}, "/consent"),
        ({"unrecordable": "maybe"}, "/unrecordable"),
        ({"retentionDays": 0}, "/retentionDays"),
        ({"retentionDays": 36_501}, "/retentionDays"),
        ({"retentionDays": True}, "/retentionDays"),
        ({"retentionDays": "30"}, "/retentionDays"),
        ({"retentionDays": 1.5}, "/retentionDays"),
        ({"ringSeconds": 9}, "/ringSeconds"),
        ({"ringSeconds": 601}, "/ringSeconds"),
        ({"ringSeconds": None}, "/ringSeconds"),
        ({"ringSeconds": 45.5}, "/ringSeconds"),
        ({"ringSeconds": "45"}, "/ringSeconds"),
        ({"queueSeconds": -1}, "/queueSeconds"),
        ({"queueSeconds": 3601}, "/queueSeconds"),
        ({"queueSeconds": False}, "/queueSeconds"),
        ({"connectSeconds": 9}, "/connectSeconds"),
        ({"connectSeconds": 121}, "/connectSeconds"),
        ({"resumeSeconds": 4}, "/resumeSeconds"),
        ({"resumeSeconds": 121}, "/resumeSeconds"),
        ({"ringLimit": 0}, "/ringLimit"),
        ({"ringLimit": 1001}, "/ringLimit"),
        ({"ringLimit": True}, "/ringLimit"),
        ({"secret": "two words"}, "/secret"),
        ({"secret": "line\r\nInjected: yes"}, "/secret"),
        ({"secret": "newline\n"}, "/secret"),
        ({"secret": "ü"}, "/secret"),
        ({"secret": 5}, "/secret"),
    ],
)
async def test_what_cannot_be(api: Api, change: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(await api.call("PUT", PATH, json=change), 400, "ParameterInvalid")
    assert problem["pointer"] == pointer
    assert (await api.call("GET", PATH)).json() == FRESH


@pytest.mark.parametrize(
    "limits",
    [
        {"ringSeconds": 10, "queueSeconds": 0, "connectSeconds": 10, "resumeSeconds": 5},
        {"ringSeconds": 600, "queueSeconds": 3600, "connectSeconds": 120, "resumeSeconds": 120},
        {"ringLimit": 1},
        {"ringLimit": 1000},
        {"ringLimit": None},
    ],
)
async def test_limits_of_calls(api: Api, limits: dict[str, Any]) -> None:
    answer = await api.call("PUT", PATH, json=limits)
    assert answer.json() == {**FRESH, **limits}
    assert (await api.call("GET", PATH)).json() == {**FRESH, **limits}


async def test_a_whole_number_may_have_a_decimal_point(api: Api) -> None:
    answer = await api.call("PUT", PATH, content=b'{"ringSeconds": 590.0, "retentionDays": 3e1}')
    assert answer.json() == {**FRESH, "ringSeconds": 590, "retentionDays": 30}
    assert b".0" not in answer.content


async def test_a_limit_that_is_out_of_range_is_told_with_its_range(api: Api) -> None:
    ring = assert_problem(
        await api.call("PUT", PATH, json={"ringSeconds": 5}), 400, "ParameterInvalid"
    )
    assert ring["code"] == "NumberInvalid"
    assert ring["parameters"] == {"field": "ringSeconds", "least": 10, "most": 600}
    limit = assert_problem(
        await api.call("PUT", PATH, json={"ringLimit": 0}), 400, "ParameterInvalid"
    )
    assert limit["code"] == "OptionalNumberInvalid"
    assert limit["parameters"] == {"field": "ringLimit", "least": 1, "most": 1000}


async def test_changed_limits_of_calls_are_audited(api: Api) -> None:
    await api.call("PUT", PATH, json={"RINGSECONDS": 60, "resumeSeconds": 30, "ringLimit": None})
    (entry,) = (await api.call("GET", "/v4/global/auditLogs")).json()["auditLogs"]
    assert entry["actionType"] == "recordingPolicyManagement"
    assert entry["actionDetails"] == [
        {"fieldName": "ringSeconds", "newValue": "60", "oldValue": "45"},
        {"fieldName": "ringLimit", "newValue": "all", "oldValue": "20"},
    ]


async def test_calls_use_the_limits_as_soon_as_they_are_stored(api: Api) -> None:
    await api.call("PUT", PATH, json={"queueSeconds": 7, "ringLimit": 3})
    settings = await api.app.site_settings.get(1)
    assert (settings.timings.queue, settings.timings.ring, settings.ring_limit) == (7, 45, 3)


async def test_a_secret_that_is_too_long(api: Api) -> None:
    long = await api.call("PUT", PATH, json={"secret": "x" * (MAX_SECRET_LENGTH + 1)})
    assert_problem(long, 400, "ParameterStringLengthExceed")
    assert (await api.call("PUT", PATH, content=b"[]")).status_code == 400


async def test_tags(api: Api) -> None:
    tag = (await api.call("GET", PATH)).headers["etag"]
    unchanged = await api.call("GET", PATH, headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    changed = await api.call("PUT", PATH, json={"consent": "agreement"}, headers={"If-Match": tag})
    assert changed.headers["etag"] != tag
    late = await api.call("PUT", PATH, json={"consent": "notice"}, headers={"If-Match": tag})
    assert_problem(late, 412, "PreconditionFailed")


async def test_only_who_manages_settings(api: Api) -> None:
    token = await api.agent_token(Permission.VIEW_RECORDINGS)
    for method in ("GET", "PUT"):
        answer = await api.call(method, PATH, token=token, json={})
        assert_problem(answer, 403, "PermissionDenied")
    assert_problem(await api.client.get(PATH), 401, "Unauthorized")
    other = await api.agent_token(Permission.MANAGE_SETTINGS, site_id=await api.other_site())
    await api.call("PUT", PATH, json={"consent": "agreement"})
    assert (await api.call("GET", PATH, token=other)).json() == FRESH


async def test_changes_are_audited_and_secrets_are_not_told(api: Api) -> None:
    for change in ({"secret": "first-s3cret", "retentionDays": 7}, {"secret": "second-s3cret"}):
        answer = await api.call("PUT", PATH, json=change)
        assert "s3cret" not in answer.text
    await api.call("PUT", PATH, json={"secret": "second-s3cret"})  # changes nothing
    logs = await api.call("GET", "/v4/global/auditLogs")
    assert "s3cret" not in logs.text
    entries = logs.json()["auditLogs"]
    assert [entry["actionType"] for entry in entries] == ["recordingPolicyManagement"] * 2
    assert entries[0]["actionDetails"] == [
        {"fieldName": "secret", "newValue": "replaced", "oldValue": "set"}
    ]
    assert entries[1]["actionDetails"] == [
        {"fieldName": "retentionDays", "newValue": "7", "oldValue": "unlimited"},
        {"fieldName": "secret", "newValue": "set", "oldValue": "none"},
    ]


async def test_open_pages_are_told_whether_visitors_must_agree(api: Api) -> None:
    async with api.app.bus.subscribe(f"{CONFIG_TOPIC}1") as news:
        heard = aiter(news)
        await api.call("PUT", PATH, json={"consent": "agreement"})
        assert json.loads(await anext(heard))["needsAgreement"] is False  # nothing is recorded
        await api.put(
            isAutomaticallyRecordingAudioVideoChatsEnabled=True,
            recordingServerUrl="https://tus.example/",
        )
        assert json.loads(await anext(heard))["needsAgreement"] is True


async def test_another_process_s_change_is_noticed(api: Api) -> None:
    await api.call("GET", PATH)
    settings = api.app.site_settings
    await settings.refresh(EVERYTHING)
    changed = RecordingPolicy(1, retention_days=9, version=1)

    def work(rows: Any) -> None:
        rows.settings.lock(1)
        rows.settings.put_policy(changed)

    await api.app.store.write(work)
    assert (await api.call("GET", PATH)).json() == FRESH
    async with api.app.bus.subscribe(f"{CONFIG_TOPIC}1") as news:
        await settings.refresh(EVERYTHING)
        async with asyncio.timeout(PATIENCE):
            await anext(aiter(news))
    assert (await api.call("GET", PATH)).json()["retentionDays"] == 9


async def test_a_secret_is_not_for_another_server(api: Api) -> None:
    async def bearer() -> str | None:
        return await api.app.store.read(lambda rows: server_of(rows, 1, "").secret)

    await api.put(recordingServerUrl="https://a.example/files")
    await api.call("PUT", PATH, json={"secret": "s3cret"})
    same = await api.put(recordingServerUrl="https://A.example:443/other")
    assert same.status_code == 200
    assert await bearer() == "s3cret"
    for url in ("http://a.example/", "https://b.example/", "https://a.example:8443/"):
        refused = await api.put(recordingServerUrl=url)
        assert (refused.status_code, refused.json()["error"]) == (400, "ParameterMissing")
        assert refused.json()["pointer"] == "/recordingServerSecret"
    moved = await api.put(recordingServerUrl="https://b.example/", recordingServerSecret="zweites")
    assert moved.status_code == 200
    assert await bearer() == "zweites"
    assert "zweites" not in (await api.call("GET", "/v4/global/auditLogs")).text
    gone = await api.put(recordingServerUrl="https://c.example/", recordingServerSecret="")
    assert gone.status_code == 200
    assert await bearer() is None
    assert (await api.put(recordingServerUrl="https://d.example/")).status_code == 200
    wrong = await api.put(recordingServerUrl="https://e.example/", recordingServerSecret=5)
    assert wrong.json()["pointer"] == "/recordingServerSecret"


async def test_a_secret_that_was_stored_for_no_server_is_asked_for_again(api: Api) -> None:
    await api.call("PUT", PATH, json={"secret": "s3cret"})
    assert (await api.put(recordingServerUrl="https://a.example/")).status_code == 400
    again = await api.put(recordingServerUrl="https://a.example/", recordingServerSecret="s3cret")
    assert again.status_code == 200
