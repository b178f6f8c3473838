"""Calls over the API: looked up, ended, made for another product, and joined by their addresses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import to_builtins

from tests.store.test_recordings import DELIVERY, manifest
from tests.web.conftest import Api
from visavis.clock_and_ids import now
from visavis.domain.call import CallRecord, CallState, CallTrigger, EndReason
from visavis.domain.call_events import CallEvent
from visavis.domain.delivery_status import DeliveryProgress
from visavis.domain.leg import CallRole
from visavis.domain.people import Agent, Permission, Visitor
from visavis.domain.policy import Consent
from visavis.domain.recording import DeliveryTrigger
from visavis.protocol import signaling
from visavis.rtp.mos import LegReport
from visavis.web.pages.join import PAGES

CALLS = "/v4/livechat/audioVideoChats"
OFFER = (Path(__file__).resolve().parents[1] / "rtp/data/chromium-offer.sdp").read_bytes().decode()


async def find(api: Api, **query: Any) -> httpx2.Response:
    return await api.call("GET", CALLS, params=query)


async def ids(api: Api, **query: Any) -> list[str]:
    answer = await find(api, **query)
    assert answer.status_code == 200, answer.text
    return [call["id"] for call in answer.json()["audioVideoChats"]]


async def keep(api: Api, call_id: str, **changes: Any) -> CallRecord:
    """A call of an hour ago, a minute later for each letter of its id."""
    record = CallRecord(
        id=call_id,
        site_id=1,
        visitor=Visitor("v", 1, "Ann", "ann@example.com"),
        media="video",
        is_recorded=False,
        requested_at=now() - timedelta(hours=1) + timedelta(minutes=len(call_id)),
    )
    record = replace(record, **changes)
    await api.app.store.write(lambda rows: rows.calls.save(record, "node"))
    return record


def ended(record: CallRecord, agent: Agent) -> CallRecord:
    """The call, talked in for ten seconds."""
    at = record.requested_at
    record.agent = agent
    for event, seconds in (
        (CallTrigger.RING, 0),
        (CallTrigger.ACCEPT, 5),
        (CallTrigger.ANSWER, 6),
        (CallTrigger.BOTH_LEGS_UP, 7),
        (CallTrigger.VISITOR_HANGS_UP, 17),
    ):
        record.apply(event, at + timedelta(seconds=seconds))
    return record


async def enable(api: Api) -> None:
    await api.call("POST", "/v4/livechat/audioVideoChatConfig:enable")


async def make(api: Api, token: str | None = None, **body: Any) -> httpx2.Response:
    return await api.call("POST", CALLS, json={"media": "video", **body}, token=token)


async def test_a_call_tells_all_that_has_happened_in_it(api: Api) -> None:
    record = ended(await keep(api, "abc", recording_id="rec", is_recorded=True), api.administrator)
    record = replace(
        record,
        consent=Consent.NOTICE,
        quality={"agent": to_builtins(LegReport())},
        is_unrecorded=True,
    )
    event = CallEvent(record.requested_at, "accepted", "agent", {"agentName": "Admin"})

    def write(rows: Any) -> None:
        rows.calls.save(record, "node")
        rows.calls.add_event(1, "abc", event)
        rows.recordings.add(manifest("rec"))
        begun = DeliveryProgress(DeliveryTrigger.UPLOAD, missing=("No video.",))
        rows.recordings.save_progress(1, "rec", begun, now())

    await api.app.store.write(write)
    body = (await api.call("GET", f"{CALLS}/abc")).json()
    assert body.pop("createTime") < body.pop("acceptTime") < body.pop("connectTime")
    assert body.pop("endTime").endswith("Z")
    (told,) = body.pop("events")
    assert told.pop("time")
    assert told == {"name": "accepted", "by": "agent", "data": {"agentName": "Admin"}}
    assert body == {
        "id": "abc",
        "siteId": 1,
        "media": "video",
        "state": "ended",
        "reason": "hungUp",
        "endedBy": "visitor",
        "visitorName": "Ann",
        "visitorEmail": "ann@example.com",
        "agentId": api.administrator.id,
        "agentName": "Admin",
        "duration": 10.0,
        "isRecorded": True,
        "isUnrecorded": True,
        "recordingId": "rec",
        "isRecordingIntended": True,
        "recordingState": "delivering",
        "missingMedia": ["No video."],
        "consent": "notice",
        "origin": "widget",
        "message": "",
        "agentNames": ["Admin"],
        "quality": {"agent": to_builtins(LegReport())},
    }
    for spelling in ("/API/livechat/AUDIOVIDEOCHATS/ABC", "/api/v4/livechat/audioVideoChats/abc/"):
        assert (await api.call("GET", spelling)).status_code == 200


async def recording_of(api: Api, call_id: str) -> tuple[Any, ...]:
    call = (await api.call("GET", f"{CALLS}/{call_id}")).json()
    intended, state = call["isRecordingIntended"], call["recordingState"]
    return intended, state, call["isRecorded"], call["recordingId"]


async def test_a_call_is_recorded_only_while_there_is_a_recording(api: Api) -> None:
    await keep(api, "a", recording_id="rec", is_recorded=True)
    assert await recording_of(api, "a") == (True, None, False, None)  # nobody has answered
    await api.app.store.write(lambda rows: rows.recordings.add(manifest("rec")))
    assert await recording_of(api, "a") == (True, "waiting", True, "rec")
    await api.app.recording_admin.mark_deleted(
        1, "rec"
    )  # by an archive that has an older file of that id
    assert await recording_of(api, "a") == (True, "waiting", True, "rec")
    delivered = ("rec", DELIVERY, "http://a", now())
    await api.app.store.write(lambda rows: rows.recordings.record_delivery(1, *delivered))
    assert await recording_of(api, "a") == (True, "delivered", True, "rec")
    await api.app.recording_admin.mark_deleted(2, "rec")
    assert await recording_of(api, "a") == (True, "delivered", True, "rec")
    await api.app.recording_admin.mark_deleted(1, "rec")
    assert await recording_of(api, "a") == (True, "deleted", False, None)

    def work(rows: Any) -> None:
        rows.recordings.add(manifest("none"))
        rows.recordings.save_progress(1, "none", DeliveryProgress(DeliveryTrigger.NO_MEDIA), now())

    await keep(api, "b", recording_id="none", is_recorded=True)
    await api.app.store.write(work)
    assert await recording_of(api, "b") == (True, "empty", False, None)


async def test_the_newest_come_first_and_pages_lead_through_all(api: Api) -> None:
    for length in range(1, 6):
        await keep(api, "a" * length)
    assert await ids(api) == ["a" * length for length in range(5, 0, -1)]
    first = (await find(api, pageSize=2, state="requested")).json()
    assert (first["total"], first["previousPage"]) == (5, "")
    second = (await api.call("GET", first["nextPage"])).json()
    assert [call["id"] for call in second["audioVideoChats"]] == ["aaa", "aa"]
    assert "state=requested" in second["nextPage"]
    assert second["audioVideoChats"][0]["endedBy"] is None


async def test_filters(api: Api) -> None:
    missed = await keep(api, "a", state=CallState.ENDED, reason=EndReason.MISSED)
    await keep(api, "aa", state=CallState.ENDED, reason=EndReason.DECLINED)
    await keep(api, "aaa", visitor=Visitor("v", 1, "50%_Bob", "b@example.com"))
    talked = await keep(api, "aaaa")
    await api.app.store.write(
        lambda rows: rows.calls.save(ended(talked, api.administrator), "node")
    )
    assert await ids(api, state="Queued,REQUESTED") == ["aaa"]
    assert await ids(api, reason="missed,declined") == ["aa", "a"]
    assert await ids(api, isAnswered="False", reason="missed") == ["a"]
    assert await ids(api, isAnswered="true", reason="missed") == []
    assert await ids(api, reason=["missed", "declined"]) == ["aa", "a"]
    assert await ids(api, **{"reason[]": ["missed", "declined"]}) == ["aa", "a"]
    assert await ids(api, **{"reason[0]": "missed", "unknown": "x"}) == ["a"]
    assert await ids(api, keywords="BOB") == ["aaa"]
    assert await ids(api, agentId=api.administrator.id) == ["aaaa"]
    assert await ids(api, AGENTID=0) == []
    assert await ids(api, text="BOB") == ["aaa"]
    assert await ids(api, text="%_b") == ["aaa"]
    assert await ids(api, text="ann@") == ["aaaa", "aa", "a"]
    assert await ids(api, text="\0") == ["aaaa", "aaa", "aa", "a"]
    at = missed.requested_at.isoformat()
    assert await ids(api, to=at) == []
    assert await ids(api, **{"from": at, "to": "9999-01-01"}) == ["aaaa", "aaa", "aa", "a"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"state": "asleep"}, "ParameterInvalid"),
        ({"state": ""}, "ParameterInvalid"),
        ({"reason": "transferred"}, "ParameterInvalid"),
        ({"isAnswered": "perhaps"}, "ParameterInvalid"),
        ({"agentId": "x"}, "ParameterFormatIncorrect"),
        ({"agentId": "9" * 30}, "ParameterInvalid"),
        ({"from": "yesterday"}, "ParameterFormatIncorrect"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "ParameterFormatIncorrect"),
        ({"text": "x" * 201}, "ParameterStringLengthExceed"),
        ({"pageIndex": "0"}, "ParameterInvalid"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(
    api: Api, query: dict[str, str], error: str
) -> None:
    answer = await find(api, **query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["pointer"] == f"/{next(iter(query))}"


async def test_who_may(api: Api) -> None:
    await enable(api)
    await keep(api, "abc")
    nobody = await api.agent_token(Permission.VIEW_RECORDINGS)
    reader = await api.agent_token(Permission.MANAGE_SETTINGS)
    agent = await api.agent_token(Permission.ACCEPT_CALLS)
    for path in (CALLS, f"{CALLS}/abc"):
        assert (await api.call("GET", path, token=nobody)).status_code == 403
        assert (await api.call("GET", path, token=reader)).status_code == 200
        assert (await api.call("GET", path, token=agent)).status_code == 200
    assert (await api.call("POST", f"{CALLS}/abc:end", token=reader)).status_code == 403
    assert (await make(api, token=reader)).status_code == 403
    assert (await make(api, token=agent)).status_code == 201
    assert (await api.client.get(CALLS)).status_code == 401


async def test_another_site_s_calls_are_not_there(api: Api) -> None:
    await enable(api)
    call_id = (await make(api)).json()["id"]
    stranger = await api.agent_token(*Permission, site_id=await api.other_site())
    assert (await api.call("GET", CALLS, token=stranger)).json()["total"] == 0
    for method, path in (("GET", f"{CALLS}/{call_id}"), ("POST", f"{CALLS}/{call_id}:end")):
        assert (await api.call(method, path, token=stranger)).status_code == 404


@pytest.mark.parametrize("call_id", ["x" * 65, "%00", "a_b", "a%2Fb", "..", "€"])
async def test_what_could_be_no_call_is_none(api: Api, call_id: str) -> None:
    for method, path in (("GET", f"{CALLS}/{call_id}"), ("POST", f"{CALLS}/{call_id}:end")):
        answer = await api.call(method, path)
        assert answer.status_code == 404, answer.text
        assert answer.json()["error"] == "EntityNotFound"


async def test_a_call_is_ended(api: Api) -> None:
    await enable(api)
    call_id = (await make(api)).json()["id"]
    body = (await api.call("POST", f"{CALLS}/{call_id}:End")).json()
    assert (body["state"], body["reason"], body["endedBy"]) == ("ended", "hungUp", "system")
    assert [event["name"] for event in body["events"]] == ["requested", "ended"]
    again = await api.call("POST", f"{CALLS}/{call_id}:end")
    assert (again.status_code, again.json()["error"]) == (409, "CallNotPossible")
    wrong = await api.call("GET", f"{CALLS}/{call_id}:end")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "OPTIONS, POST")


async def test_no_call_is_made_while_the_feature_is_off(api: Api) -> None:
    answer = await make(api)
    assert (answer.status_code, answer.json()["error"]) == (403, "AudioVideoChatDisabled")


async def test_a_call_is_made_with_an_address_for_each_side(api: Api) -> None:
    await enable(api)
    answer = await make(api, visitorName="An\0n", VISITOREMAIL="ann@example.com")
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["location"] == f"{CALLS}/{body['id']}"
    assert (body["state"], body["origin"]) == ("requested", "api")
    assert (body["visitorName"], body["visitorEmail"]) == ("Ann", "ann@example.com")
    assert body["agentId"] is None
    joins = {body[name].rpartition("/join/")[2] for name in ("visitorUrl", "agentUrl")}
    assert len(joins) == 2
    dump = str(await ids(api)) + (await api.call("GET", f"{CALLS}/{body['id']}")).text
    assert not any(token in dump for token in joins)


async def test_a_call_is_made_for_a_colleague_who_may_take_it(api: Api) -> None:
    await enable(api)

    async def colleague(*permissions: Permission) -> int:
        token = await api.agent_token(*permissions)
        return (await api.app.tokens.authenticate(token)).id

    able, unable = await colleague(Permission.ACCEPT_CALLS), await colleague()
    body = (await make(api, agentId=able)).json()
    token = body["agentUrl"].rpartition("/")[2]
    join_link = api.app.calls.find_join_link(token)
    assert join_link.agent
    assert join_link.agent.id == able
    for agent_id in (unable, 99_999):
        answer = await make(api, agentId=agent_id)
        assert (answer.status_code, answer.json()["pointer"]) == (400, "/agentId")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"media": None}, "ParameterMissing"),
        ({"media": "smell"}, "ParameterInvalid"),
        ({"media": ["audio"]}, "ParameterInvalid"),
        ({"visitorName": 7}, "ParameterInvalid"),
        ({"visitorEmail": None}, "ParameterInvalid"),
        ({"visitorName": "x" * 201}, "ParameterStringLengthExceed"),
        ({"agentId": "1"}, "ParameterInvalid"),
        ({"agentId": True}, "ParameterInvalid"),
        ({"agentId": 2**31}, "ParameterInvalid"),
    ],
)
async def test_a_call_that_cannot_be_made(api: Api, body: dict[str, Any], error: str) -> None:
    await enable(api)
    answer = await make(api, **body)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_both_join_and_the_call_is_read_as_it_goes(api: Api) -> None:
    await enable(api)
    body = (await make(api)).json()
    visitor = api.app.calls.find_join_link(body["visitorUrl"].rpartition("/")[2])
    caller = Visitor("socket", 1, call_id=visitor.call_id)
    await api.app.calls.from_visitor(caller, signaling.PlaceCall("video", OFFER))
    await api.app.calls.call_log.flush()
    read = (await api.call("GET", f"{CALLS}/{body['id']}")).json()
    assert read["state"] == "queued"
    await api.app.calls.shut_down()


async def test_a_message_that_was_left(api: Api) -> None:
    await keep(api, "abc", state=CallState.ENDED, reason=EndReason.MISSED)
    message = signaling.LeaveMessage("abc", "Call me\nback", "Anna", "")
    await api.app.calls.from_visitor(Visitor("socket", 1), message)
    (call,) = (await find(api, reason="missed")).json()["audioVideoChats"]
    assert (call["message"], call["visitorName"]) == ("Call me\nback", "Anna")
    assert call["visitorEmail"] == "ann@example.com"


async def test_each_address_shows_its_party_s_page(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PAGES.values():
        (tmp_path / name).write_text(name)
    monkeypatch.setattr("visavis.web.pages.join.STATIC", tmp_path)
    await enable(api)
    body = (await make(api)).json()
    for name, side in (
        ("visitorUrl", CallRole.VISITOR),
        ("agentUrl", CallRole.AGENT),
    ):
        path = "/join/" + body[name].rpartition("/")[2]
        answer = await api.client.get(path)
        assert (answer.status_code, answer.text) == (200, PAGES[side])
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert (await api.client.head(path)).status_code == 200
    assert (await api.client.get("/join/guessed")).status_code == 404
