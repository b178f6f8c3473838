"""Chat: a repeated line is stored once, and sent to pages that have missed it."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.domain.call import model
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def test_a_line_that_is_sent_again_is_written_once(site: SimulatedSite) -> None:
    call_id = await site.connect()
    say = signaling.Say(call_id, "Hello", "1")
    await site.visitor(say)
    site.forget()

    await site.visitor(say)

    assert site.last("v", "said")["id"] == "1"
    assert site.heard("a") == []
    assert (await site.events(call_id)).count("text") == 1


async def test_both_parties_may_use_the_same_name_for_a_line(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.visitor(signaling.Say(call_id, "Hello", "1"))
    await site.agent(signaling.Say(call_id, "Good morning", "1"))
    await site.agent(signaling.Say(call_id, "without a name"))
    await site.agent(signaling.Say(call_id, "without a name"))

    texts = [m["text"] for m in site.told["v"] if m["type"] == "said"]
    assert texts == ["Hello", "Good morning", "without a name", "without a name"]


async def test_a_page_that_comes_back_is_told_what_it_missed(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.calls.agent_left(agent_session("a"))
    await site.visitor(signaling.Say(call_id, "Are you there?", "1"))

    site.calls.agent_arrived(agent_session("a2"))
    await site.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))

    assert [line["text"] for line in site.last("a2", "transcript")["lines"]] == ["Are you there?"]


async def test_a_transcript_fits_into_one_message(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "MAX_TRANSCRIPT", 10)
    call_id = await site.connect()
    for text in ("aaaa", "bbbb", "cccc"):
        await site.visitor(signaling.Say(call_id, text))

    await site.agent(signaling.Resume(call_id, has_media=True))

    assert [line["text"] for line in site.last("a", "transcript")["lines"]] == ["bbbb", "cccc"]
