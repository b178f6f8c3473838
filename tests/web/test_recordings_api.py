"""The backlog over the REST API, and trying a recording server out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.recorder.fake_server import FakeRecordingServer, answers, hangs
from tests.store.test_recordings import DELIVERY, add_call, manifest
from tests.web.conftest import PATH as CONFIG
from tests.web.conftest import Api
from tests.web.test_config_api import assert_problem
from visavis.clock_and_ids import now
from visavis.domain.delivery_status import DeliveryProgress, RecordingServer, ServerCheck
from visavis.domain.people import Permission
from visavis.domain.recording import DeliveryTrigger
from visavis.recorder import server_check
from visavis.recorder.server_check import RecordingServerChecker
from visavis.recorder.tus_upload import TusUploader
from visavis.services.ports import Transaction

pytestmark = pytest.mark.anyio

PATH = "/v4/livechat/recordings"
TRIAL = f"{CONFIG}:testRecordingServer"


@pytest.fixture
def server() -> Iterator[FakeRecordingServer]:
    running = FakeRecordingServer()
    yield running
    running.close()


def allow_loopback(api: Api) -> None:
    """As an operator does with --allow-private-recording-servers."""
    uploader = TusUploader(archive_url="", archive_key=str, allow_private=True)
    api.app.recording_admin._servers = RecordingServerChecker(uploader)


async def fill(api: Api) -> None:
    def work(rows: Transaction) -> None:
        for minute, name in enumerate(("a", "b", "c")):
            rows.recordings.add(manifest(name, minutes=minute))
        rows.recordings.record_delivery(1, "a", DELIVERY, "https://tus.example/", now())
        rows.recordings.save_progress(
            1, "b", DeliveryProgress(DeliveryTrigger.UPLOAD, is_attempt=True), now()
        )
        wrong = DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, error="Away.", next_try=60)
        rows.recordings.save_progress(1, "b", wrong, now())
        rows.recordings.save_progress(
            1, "c", DeliveryProgress(DeliveryTrigger.GIVE_UP, error="Torn."), now()
        )

    await api.app.store.write(work)


async def test_a_site_without_recordings(api: Api) -> None:
    body = (await api.call("GET", PATH)).json()
    assert body == {
        "pending": 0,
        "failed": 0,
        "incomplete": 0,
        "missing": 0,
        "oldestPending": None,
        "lastSuccess": None,
        "lastError": None,
        "lastErrorTime": None,
        "total": 0,
        "previousPage": "",
        "nextPage": "",
        "recordings": [],
    }


async def test_the_backlog(api: Api) -> None:
    await fill(api)
    body = (await api.call("GET", PATH)).json()
    assert (body["pending"], body["failed"], body["total"]) == (2, 1, 3)
    assert body["lastError"] == "Away."
    assert body["oldestPending"] == "2026-01-01T00:01:00.000Z"
    assert body["lastSuccess"] > body["oldestPending"]
    c, b, a = body["recordings"]
    assert (c["id"], c["state"], c["lastError"]) == ("c", "failed", "Torn.")
    assert (b["attempts"], b["callId"]) == (1, "call-b")
    assert b["nextTryAt"] > b["triedAt"]
    assert (a["state"], a["size"], a["uploaded"]) == ("delivered", DELIVERY.size, DELIVERY.size)
    assert (a["sha256"], a["recordingServerUrl"]) == (DELIVERY.sha256, "https://tus.example/")


async def test_an_incomplete_recording_is_flagged_with_the_reason(api: Api) -> None:
    await fill(api)
    said = "The visitor's video is missing."
    made = DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, missing=(said,))
    await api.app.store.write(lambda rows: rows.recordings.save_progress(1, "b", made, now()))
    body = (await api.call("GET", PATH)).json()
    flags = {one["id"]: (one["isIncomplete"], one["missingMedia"]) for one in body["recordings"]}
    assert flags == {"a": (False, []), "b": (True, [said]), "c": (False, [])}
    assert body["incomplete"] == 1
    api.app.tally = await api.app.recording_admin.tally()
    assert "visavis_recordings_incomplete 1.0" in (await api.client.get("/metrics")).text


async def test_a_recording_on_a_silent_node_waits_for_it(api: Api) -> None:
    def fill(rows: Transaction) -> None:
        rows.nodes.save("dead", "", now(), "media-7")
        rows.recordings.add(manifest("r"), "dead")

    await api.app.store.write(fill)
    (listed,) = (await api.call("GET", PATH)).json()["recordings"]
    assert listed["nodes"] == [
        {"id": "dead", "machine": "media-7", "isSilent": True, "isStopped": False}
    ]
    api.app.tally = await api.app.recording_admin.tally()
    assert "visavis_recordings_waiting_for_node 1.0" in (await api.client.get("/metrics")).text


async def test_filters_and_pages(api: Api) -> None:
    await fill(api)
    first = (await api.call("GET", f"{PATH}?STATE=Undelivered&pageSize=1")).json()
    assert ([one["id"] for one in first["recordings"]], first["total"]) == (["c"], 2)
    second = (await api.call("GET", first["nextPage"])).json()
    assert [one["id"] for one in second["recordings"]] == ["b"]
    assert second["previousPage"].endswith("?state=Undelivered&pageIndex=1&pageSize=1")
    failed = (await api.call("GET", f"{PATH}?state=failed")).json()
    assert [one["id"] for one in failed["recordings"]] == ["c"]
    both = (await api.call("GET", f"{PATH}?state=failed&state=delivered")).json()
    assert [one["id"] for one in both["recordings"]] == ["c", "a"]
    wrong = await api.call("GET", f"{PATH}?state=lost")
    assert assert_problem(wrong, 400, "ParameterInvalid")["pointer"] == "/state"


async def test_what_is_missing_is_counted(api: Api) -> None:
    def work(rows: Transaction) -> None:
        add_call(rows, "lost")
        rows.recordings.add(manifest("lost"))

    await api.app.store.write(work)
    api.app.recording_admin._clock = lambda: manifest("").started_at + timedelta(hours=1)
    assert (await api.call("GET", PATH)).json()["missing"] == 1
    tally = await api.app.recording_admin.tally()
    assert (tally.missing, tally.pending, tally.failed) == (1, 1, 0)
    assert tally.oldest_seconds == 3600
    api.app.tally = tally
    metrics = (await api.client.get("/metrics")).text
    assert "visavis_recordings_missing 1.0" in metrics
    assert "visavis_call_events_waiting 0.0" in metrics
    assert "visavis_changes_current 1.0" in metrics
    assert "visavis_recordings_oldest_seconds 3600.0" in metrics
    later = api.app.recording_admin._clock() + timedelta(days=31)
    api.app.recording_admin._clock = lambda: later
    assert (await api.call("GET", PATH)).json()["missing"] == 0


async def test_only_who_manages_settings(api: Api) -> None:
    token = await api.agent_token(Permission.ACCEPT_CALLS)
    assert_problem(await api.call("GET", PATH, token=token), 403, "PermissionDenied")
    assert_problem(await api.call("POST", TRIAL, token=token), 403, "PermissionDenied")
    await fill(api)
    other = await api.agent_token(Permission.MANAGE_SETTINGS, site_id=await api.other_site())
    assert (await api.call("GET", PATH, token=other)).json()["total"] == 0


async def verdict(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.call("POST", TRIAL, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_server_that_takes_recordings(api: Api, server: FakeRecordingServer) -> None:
    allow_loopback(api)
    assert await verdict(api, recordingServerUrl=server.url) == {
        "ok": True,
        "message": "This recording server accepts recordings. It offers no checksums: only the "
        "length of the file is checked.",
        "extensions": ["creation", "termination"],
        "hasChecksums": False,
    }
    assert server.methods() == ["OPTIONS", "POST", "PATCH", "HEAD", "PATCH", "DELETE"]
    assert server.files == {}
    server.offer_checksums()
    assert (
        "It checks every piece (sha256)."
        in (await verdict(api, recordingServerUrl=server.url))["message"]
    )


async def test_a_server_without_termination_keeps_the_test_file(
    api: Api, server: FakeRecordingServer
) -> None:
    allow_loopback(api)
    server.abilities = {}
    told = await verdict(api, recordingserverurl=server.url)
    assert told["ok"] is True
    (file,) = server.files.values()
    assert len(file.content) == file.length == server_check.FILE_BYTES
    assert f"delete {file.metadata['filename']} there" in told["message"]
    assert file.metadata["test"] == "true"
    assert file.metadata["sha256"] == file.digest
    assert bytes(file.content).startswith(b"\x1a\x45\xdf\xa3")


async def test_limits_are_found_by_the_test(api: Api, server: FakeRecordingServer) -> None:
    allow_loopback(api)
    server.max_body = 1024**2
    server.abilities["Tus-Max-Size"] = "10000000"
    told = await verdict(api, recordingServerUrl=server.url)
    assert told["ok"] is True
    assert "pieces of 557056 bytes" in told["message"]
    assert "files of at most 10000000 bytes" in told["message"]
    server.abilities["Tus-Max-Size"] = "1000"
    assert "at most 1000 bytes" in (await verdict(api, recordingServerUrl=server.url))["message"]
    server.abilities["Tus-Max-Size"] = "0"
    server.max_body = 10
    told = await verdict(api, recordingServerUrl=server.url)
    assert "takes no request of 1024 bytes" in told["message"]


async def test_a_machine_that_cannot_write_the_test_file(
    api: Api, server: FakeRecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_loopback(api)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    told = await verdict(api, recordingServerUrl=server.url)
    assert "could not write the test file: No such file" in told["message"]


async def test_what_is_stored_is_tried_with_its_secret(
    api: Api, server: FakeRecordingServer
) -> None:
    allow_loopback(api)
    assert (await verdict(api))["message"] == "There is no URL to test."
    await api.put(recordingServerUrl=server.url)
    await api.call("PUT", "/v4/livechat/recordingPolicy", json={"secret": "s3cret"})
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", TRIAL, headers=headers)
    assert answer.json()["ok"] is True
    assert {asked.headers["Authorization"] for asked in server.asked} == {"Bearer s3cret"}
    server.asked.clear()
    await verdict(api, recordingServerUrl=server.url, secret="other")
    assert {asked.headers["Authorization"] for asked in server.asked} == {"Bearer other"}
    server.asked.clear()
    # it is for the site's own server, and for no other that somebody types in
    await verdict(api, recordingServerUrl=server.url + "/x")
    assert not any("Authorization" in asked.headers for asked in server.asked)


async def test_servers_that_take_none(
    api: Api, server: FakeRecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = await verdict(api, recordingServerUrl=server.url)
    assert guarded["ok"] is False
    assert "--allow-private-recording-servers" in guarded["message"]
    allow_loopback(api)
    server.misbehave("POST", answers(200))
    html = await verdict(api, recordingServerUrl=server.url)
    assert "A tus 1.0 server does not answer this" in html["message"]
    server.misbehave("PATCH", answers(204, b"", Upload_Offset="0"))
    assert (
        "accepted a piece but does not have it"
        in (await verdict(api, recordingServerUrl=server.url))["message"]
    )
    server.misbehave("HEAD", answers(200, b"", Upload_Offset="0"))
    assert "lost a piece" in (await verdict(api, recordingServerUrl=server.url))["message"]
    monkeypatch.setattr(server_check, "CHECK_SECONDS", 0.3)
    server.misbehave("any", hangs)
    assert "took longer" in (await verdict(api, recordingServerUrl=server.url))["message"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"recordingServerUrl": "ftp://x"}, "ParameterFormatIncorrect"),
        ({"recordingServerUrl": None}, "ParameterMissing"),
        ({"secret": "two words"}, "ParameterInvalid"),
        ([], "ParameterInvalid"),
    ],
)
async def test_bodies_that_cannot_be(api: Api, body: Any, error: str) -> None:
    assert_problem(await api.call("POST", TRIAL, json=body), 400, error)


async def test_without_servers_there_is_nothing_to_try(api: Api) -> None:
    api.app.recording_admin._servers = None
    assert_problem(await api.call("POST", TRIAL), 404, "EntityNotFound")
    empty = RecordingServerChecker(TusUploader(archive_url="", archive_key=str, allow_private=True))
    assert await empty.check(1, RecordingServer("")) == ServerCheck(
        False, "There is no URL to test."
    )
