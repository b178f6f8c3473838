"""Automatic and manual recording, pauses and consent; unrecorded calls are always flagged."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import NOW, OFFER, SimulatedSite, agent_session, refused
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio

RECORDING = Config(1, is_enabled=True, is_recording=True)
LENIENT = RecordingPolicy(1, unrecordable=Unrecordable.CONTINUE)
STRICT = RecordingPolicy(1, consent=Consent.AGREEMENT)


async def recordings(site: SimulatedSite) -> int:
    with site.store._database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM recordings").scalar_one())


async def test_both_pages_see_that_it_is_recorded_and_since_when(site: SimulatedSite) -> None:
    site.config = RECORDING
    site.time = 5
    call_id = await site.connect()
    for page in ("v", "a"):
        assert site.last(page, "recording") == {
            "type": "recording",
            "callId": call_id,
            "state": "on",
            "since": "2026-01-01T00:00:05Z",
            "by": "system",
        }
    assert await recordings(site) == 1
    assert site.media.manifests[0].agent_name == "Bo"


async def test_what_cannot_be_recorded_does_not_start(site: SimulatedSite) -> None:
    site.config = RECORDING
    site.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    assert site.last("v")["reason"] == "recordingUnavailable"
    assert await recordings(site) == 0  # otherwise it would be pending forever
    assert "join 1" not in site.media.asked
    assert site.media.asked[-1] == "close 1"
    assert site.calls.unrecorded == 0


async def test_or_it_goes_on_flagged_if_the_site_wants_that(site: SimulatedSite) -> None:
    site.config, site.policy = RECORDING, LENIENT
    site.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    call_id = await site.connect()
    assert await recordings(site) == 0
    assert site.last("v", "recording")["state"] == "off"
    assert site.last("v", "callState")["state"] == "connected"
    assert site.calls.unrecorded == 1
    assert "unrecorded" in await site.events(call_id)
    found = await site.past(call_id)
    assert found.is_unrecorded
    await site.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))
    assert site.last("a2", "recording")["state"] == "off"

    del site.media.refuses["tap"]  # the disk has room again for the next link
    await site.visitor(signaling.Relink(call_id, 1))
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.answer(call_id, agent_session("a2"), bridge=2)
    assert site.last("v", "recording")["state"] == "off"  # the first link is still the active one
    await site.up(call_id, 2)
    assert site.last("v", "recording")["state"] == "on"
    assert await recordings(site) == 1
    assert site.calls.unrecorded == 1


async def test_or_the_agent_starts_it_again_by_hand(site: SimulatedSite) -> None:
    site.config, site.policy = RECORDING, LENIENT
    site.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    call_id = await site.connect(agreed=True)
    del site.media.refuses["tap"]
    await site.agent(signaling.Record(call_id, "start"))
    assert site.last("v", "recording")["state"] == "on"
    assert (await site.report(call_id)).consent == "agreement"
    assert len({m.recording_id for m in site.media.manifests}) == 1


async def test_a_journal_that_is_lost_ends_the_call(site: SimulatedSite) -> None:
    site.config = RECORDING
    call_id = await site.connect()
    await site.calls.media_events.tap_lost(BridgeId(call_id, 1), "disk full")
    await site.wait_idle()
    assert site.last("a")["reason"] == "recordingUnavailable"


async def test_or_the_call_goes_on_without_it(site: SimulatedSite) -> None:
    site.config, site.policy = RECORDING, LENIENT
    call_id = await site.connect()
    await site.calls.media_events.tap_lost(BridgeId(call_id, 1), "disk full")
    assert site.last("a")["state"] == "off"
    assert (await site.state(call_id))[0] == "connected"
    event = (await site.report(call_id)).events[-1]
    assert (event.name, event.data) == ("unrecorded", {"why": "disk full"})


async def test_no_worker_is_not_the_same_as_no_recording(site: SimulatedSite) -> None:
    site.config = RECORDING
    site.media.refuses["tap"] = ErrorKind.MediaUnavailable
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    assert (await site.state(call_id))[0] == "accepted"
    del site.media.refuses["tap"]
    await site.pass_time(1)
    assert site.last("a", "offer")["link"] == 1
    assert await recordings(site) == 1


async def test_the_setting_is_taken_when_the_call_starts(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    site.config = RECORDING
    await site.agent(signaling.Accept(call_id))
    assert "tap 1" not in site.media.asked
    assert site.last("v", "calling")["isRecorded"] is False


async def test_a_visitor_must_agree_where_the_site_wants_that(site: SimulatedSite) -> None:
    site.config, site.policy = RECORDING, STRICT
    call = signaling.PlaceCall("video", OFFER)
    assert await refused(site.visitor(call)) is ErrorKind.AgreementNeeded
    call_id = await site.ring(agreed=True)
    assert (await site.report(call_id)).consent == "agreement"
    site.config = Config(1, is_enabled=True)
    call_id = await site.ring("v2")  # nothing to agree to
    assert (await site.report(call_id)).consent == "none"


async def test_recording_by_hand(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.forget()
    site.time = 3
    await site.agent(signaling.Record(call_id, "start"))
    assert site.last("v") == {
        "type": "recording",
        "callId": call_id,
        "state": "on",
        "since": "2026-01-01T00:00:03Z",
        "by": "agent",
    }
    assert site.media.asked == ["tap 1", "note 1 descriptions", "join 1"]
    assert (site.media.manifests[0].started_at - NOW).total_seconds() == 3
    found = await site.report(call_id)
    assert found.consent == "notice"
    assert (found.events[-1].name, found.events[-1].by) == ("recordingStarted", "agent")
    twice = signaling.Record(call_id, "start")
    assert await refused(site.agent(twice)) is ErrorKind.CallNotPossible


async def test_recording_by_hand_of_who_has_not_agreed(site: SimulatedSite) -> None:
    site.policy = STRICT
    call_id = await site.connect()
    start = signaling.Record(call_id, "start")
    assert await refused(site.agent(start)) is ErrorKind.AgreementNeeded


async def test_recording_by_hand_that_cannot_be_is_refused_and_may_be_tried_again(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    site.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    start = signaling.Record(call_id, "start")
    await site.agent(start)
    assert site.last("a", "refused")["error"] == "RecordingUnavailable"
    assert (await site.state(call_id))[0] == "connected"
    del site.media.refuses["tap"]
    await site.agent(start)
    assert {m.recording_id for m in site.media.manifests} == {"id2"}
    found = await site.past(call_id)
    assert found.recording_id == "id2"


async def test_a_pause_keeps_its_place(site: SimulatedSite) -> None:
    site.config = RECORDING
    call_id = await site.connect()
    site.forget()
    await site.agent(signaling.Record(call_id, "pause"))
    assert (site.last("v")["state"], site.last("v")["by"]) == ("paused", "agent")
    await site.visitor(signaling.Relink(call_id, 1))
    unready = signaling.Record(call_id, "resume")
    assert await refused(site.agent(unready)) is ErrorKind.CallNotPossible
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.answer(call_id, bridge=2)
    await site.up(call_id, 2)
    await site.agent(signaling.Record(call_id, "resume"))
    assert [step for step in site.media.asked if step.split()[0] in {"tap", "pause", "resume"}] == [
        "pause 1",
        "tap 2",
        "pause 2",
        "resume 2",
    ]
    names = await site.events(call_id)
    assert names.index("recordingPaused") < names.index("recordingResumed")
    assert names.count("recordingStarted") == 1


async def test_a_call_in_progress_gets_another_bridge_while_the_database_is_away(
    site: SimulatedSite,
) -> None:
    """The recorder of the new bridge's node adds it to the nodes of the recording later."""
    site.config = RECORDING
    call_id = await site.connect()
    await site.wait_idle()
    site.media.journal_node = "media"

    async def write(work: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    site.store.write = write  # type: ignore[method-assign, assignment]
    await site.calls.media_events.worker_lost({BridgeId(call_id, 1)})
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    assert site.media.asked.count("tap 2") == 1
    assert site.last("v")["type"] != "ended"
    del site.store.write
    await site.pass_time(2)
    assert await site.state(call_id) == ("reconnecting", None)


async def test_a_database_that_is_away_means_that_it_cannot_be_recorded(
    site: SimulatedSite,
) -> None:
    site.config = RECORDING
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()

    async def write(work: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    site.store.write = write  # type: ignore[method-assign, assignment]
    await site.agent(signaling.Accept(call_id))
    assert site.last("v")["reason"] == "recordingUnavailable"
    del site.store.write
    await site.pass_time(2)
    assert await site.state(call_id) == ("ended", "recordingUnavailable")
