"""Text beside the call: written once however often it is sent, told to pages that missed it."""

from __future__ import annotations

import pytest

from tests.services.calls.house import House, agent_session
from visavis.domain import signaling
from visavis.services.calls import active_call

pytestmark = pytest.mark.anyio


async def test_a_line_that_is_sent_again_is_written_once(house: House) -> None:
    call_id = await house.connect()
    say = signaling.Say(call_id, "Hello", "1")
    await house.visitor(say)
    house.forget()

    await house.visitor(say)

    assert house.last("v", "said")["id"] == "1"
    assert house.heard("a") == []
    assert (await house.events(call_id)).count("text") == 1


async def test_both_parties_may_use_the_same_name_for_a_line(house: House) -> None:
    call_id = await house.connect()
    await house.visitor(signaling.Say(call_id, "Hello", "1"))
    await house.agent(signaling.Say(call_id, "Good morning", "1"))
    await house.agent(signaling.Say(call_id, "without a name"))
    await house.agent(signaling.Say(call_id, "without a name"))

    texts = [m["text"] for m in house.told["v"] if m["type"] == "said"]
    assert texts == ["Hello", "Good morning", "without a name", "without a name"]


async def test_a_page_that_comes_back_is_told_what_it_missed(house: House) -> None:
    call_id = await house.connect()
    house.calls.agent_left(agent_session("a"))
    await house.visitor(signaling.Say(call_id, "Are you there?", "1"))

    house.calls.agent_arrived(agent_session("a2"))
    await house.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))

    assert [line["text"] for line in house.last("a2", "transcript")["lines"]] == ["Are you there?"]


async def test_a_transcript_fits_into_one_message(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_call, "MAX_TRANSCRIPT", 10)
    call_id = await house.connect()
    for text in ("aaaa", "bbbb", "cccc"):
        await house.visitor(signaling.Say(call_id, text))

    await house.agent(signaling.Resume(call_id, has_media=True))

    assert [line["text"] for line in house.last("a", "transcript")["lines"]] == ["bbbb", "cccc"]
