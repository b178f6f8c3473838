"""Automatic means every call; by hand, with pauses, with consent; what is not, never in silence."""

from __future__ import annotations

import pytest

from tests.services.calls.house import NOW, OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Link
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable

pytestmark = pytest.mark.anyio

RECORDING = Config(1, is_enabled=True, is_recording=True)
LENIENT = RecordingPolicy(1, unrecordable=Unrecordable.CONTINUE)
STRICT = RecordingPolicy(1, consent=Consent.AGREEMENT)


async def recordings(house: House) -> int:
    with house.store._database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM recordings").scalar_one())


async def test_both_pages_see_that_it_is_recorded_and_since_when(house: House) -> None:
    house.config = RECORDING
    house.time = 5
    call_id = await house.connect()
    for page in ("v", "a"):
        assert house.last(page, "recording") == {
            "type": "recording",
            "callId": call_id,
            "state": "on",
            "since": "2026-01-01T00:00:05Z",
            "by": "system",
        }
    assert await recordings(house) == 1
    assert house.media.manifests[0].agent_name == "Bo"


async def test_what_cannot_be_recorded_does_not_start(house: House) -> None:
    house.config = RECORDING
    house.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    assert house.last("v")["reason"] == "recordingUnavailable"
    assert await recordings(house) == 0  # or it would be waited for for ever
    assert "join 1" not in house.media.asked
    assert house.media.asked[-1] == "close 1"
    assert house.calls.unrecorded == 0


async def test_or_it_goes_on_flagged_if_the_site_wants_that(house: House) -> None:
    house.config, house.policy = RECORDING, LENIENT
    house.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    call_id = await house.connect()
    assert await recordings(house) == 0
    assert house.last("v", "recording")["state"] == "off"
    assert house.last("v", "callState")["state"] == "connected"
    assert house.calls.unrecorded == 1
    assert "unrecorded" in await house.events(call_id)
    found = await house.past(call_id)
    assert found.is_unrecorded
    await house.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))
    assert house.last("a2", "recording")["state"] == "off"

    del house.media.refuses["tap"]  # the next link finds room on the disk again
    await house.visitor(signaling.Relink(call_id, 1))
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    assert house.last("v", "recording")["state"] == "on"
    assert await recordings(house) == 1
    assert house.calls.unrecorded == 1


async def test_or_the_agent_starts_it_again_by_hand(house: House) -> None:
    house.config, house.policy = RECORDING, LENIENT
    house.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    call_id = await house.connect(agreed=True)
    del house.media.refuses["tap"]
    await house.agent(signaling.Record(call_id, "start"))
    assert house.last("v", "recording")["state"] == "on"
    assert (await house.report(call_id)).consent == "agreement"
    assert len({m.recording_id for m in house.media.manifests}) == 1


async def test_a_journal_that_is_lost_ends_the_call(house: House) -> None:
    house.config = RECORDING
    call_id = await house.connect()
    await house.calls.media_events.tap_lost(Link(call_id, 1), "disk full")
    assert house.last("a")["reason"] == "recordingUnavailable"


async def test_or_the_call_goes_on_without_it(house: House) -> None:
    house.config, house.policy = RECORDING, LENIENT
    call_id = await house.connect()
    await house.calls.media_events.tap_lost(Link(call_id, 1), "disk full")
    assert house.last("a")["state"] == "off"
    assert (await house.state(call_id))[0] == "connected"
    event = (await house.report(call_id)).events[-1]
    assert (event.name, event.data) == ("unrecorded", {"why": "disk full"})


async def test_no_worker_is_not_the_same_as_no_recording(house: House) -> None:
    house.config = RECORDING
    house.media.refuses["tap"] = ErrorKind.MediaUnavailable
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    assert (await house.state(call_id))[0] == "accepted"
    del house.media.refuses["tap"]
    await house.pass_time(1)
    assert house.last("a", "offer")["link"] == 1
    assert await recordings(house) == 1


async def test_the_setting_is_taken_when_the_call_starts(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    house.config = RECORDING
    await house.agent(signaling.Accept(call_id))
    assert "tap 1" not in house.media.asked
    assert house.last("v", "calling")["isRecorded"] is False


async def test_a_visitor_must_agree_where_the_site_wants_that(house: House) -> None:
    house.config, house.policy = RECORDING, STRICT
    call = signaling.Call("video", OFFER)
    assert await refused(house.visitor(call)) is ErrorKind.AgreementNeeded
    call_id = await house.ring(agreed=True)
    assert (await house.report(call_id)).consent == "agreement"
    house.config = Config(1, is_enabled=True)
    call_id = await house.ring("v2")  # nothing to agree to
    assert (await house.report(call_id)).consent == "none"


async def test_recording_by_hand(house: House) -> None:
    call_id = await house.connect()
    house.forget()
    house.time = 3
    await house.agent(signaling.Record(call_id, "start"))
    assert house.last("v") == {
        "type": "recording",
        "callId": call_id,
        "state": "on",
        "since": "2026-01-01T00:00:03Z",
        "by": "agent",
    }
    assert house.media.asked == ["tap 1", "note 1 descriptions", "join 1"]
    assert (house.media.manifests[0].started_at - NOW).total_seconds() == 3
    found = await house.report(call_id)
    assert found.consent == "notice"
    assert (found.events[-1].name, found.events[-1].by) == ("recordingStarted", "agent")
    twice = signaling.Record(call_id, "start")
    assert await refused(house.agent(twice)) is ErrorKind.CallNotPossible


async def test_recording_by_hand_of_who_has_not_agreed(house: House) -> None:
    house.policy = STRICT
    call_id = await house.connect()
    start = signaling.Record(call_id, "start")
    assert await refused(house.agent(start)) is ErrorKind.AgreementNeeded


async def test_recording_by_hand_that_cannot_be_is_refused_and_may_be_tried_again(
    house: House,
) -> None:
    call_id = await house.connect()
    house.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    start = signaling.Record(call_id, "start")
    assert await refused(house.agent(start)) is ErrorKind.RecordingUnavailable
    assert (await house.state(call_id))[0] == "connected"
    del house.media.refuses["tap"]
    await house.agent(start)
    assert {m.recording_id for m in house.media.manifests} == {"id2"}
    found = await house.past(call_id)
    assert found.recording_id == "id2"


async def test_a_pause_keeps_its_place(house: House) -> None:
    house.config = RECORDING
    call_id = await house.connect()
    house.forget()
    await house.agent(signaling.Record(call_id, "pause"))
    assert (house.last("v")["state"], house.last("v")["by"]) == ("paused", "agent")
    await house.visitor(signaling.Relink(call_id, 1))
    unready = signaling.Record(call_id, "resume")
    assert await refused(house.agent(unready)) is ErrorKind.CallNotPossible
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.answer(call_id, link=2)
    await house.up(call_id, 2)
    await house.agent(signaling.Record(call_id, "resume"))
    assert [
        step for step in house.media.asked if step.split()[0] in {"tap", "pause", "resume"}
    ] == [
        "pause 1",
        "tap 2",
        "pause 2",
        "resume 2",
    ]
    names = await house.events(call_id)
    assert names.index("recordingPaused") < names.index("recordingResumed")
    assert names.count("recordingStarted") == 1


async def test_a_database_that_is_away_means_that_it_cannot_be_recorded(house: House) -> None:
    house.config = RECORDING
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()

    async def write(work: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    house.store.write = write  # type: ignore[method-assign, assignment]
    await house.agent(signaling.Accept(call_id))
    assert house.last("v")["reason"] == "recordingUnavailable"
    del house.store.write
    await house.pass_time(2)
    assert await house.state(call_id) == ("ended", "recordingUnavailable")
