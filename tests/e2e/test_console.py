"""The agent's page: who is here, who rings, who else could take the call."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.flow import AGENT, VISITOR, await_flow
from tests.running import Parties, eventually, videos

pytestmark = pytest.mark.e2e


def test_an_agent_invites_a_visitor(parties: Parties) -> None:
    parties.arrive()
    here = parties.agent.get_by_role("region", name="Visitors on your site")
    expect(here).to_contain_text("Tenon")
    here.get_by_role("button", name="Invite").click()
    expect(parties.visitor.get_by_role("alert")).to_have_text("Admin invites you to a video call.")
    parties.visitor.get_by_role("button", name="Answer").click()
    parties.visitor.get_by_role("button", name="Call now").click()
    parties.wait_until("connected")
    eventually(lambda: videos(parties.agent, "visavisConsole"))
    parties.hang_up(parties.visitor)


def test_a_call_moves_to_another_agent_without_a_gap(parties: Parties) -> None:
    parties.arrive()
    bea = parties.another_agent()
    parties.sign_in(bea, COLLEAGUE, PASSWORD)
    parties.call()
    for page in (parties.agent, bea):
        expect(page.get_by_role("button", name="Accept")).to_be_visible()
    parties.agent.get_by_role("button", name="Accept").click()
    expect(bea.get_by_role("button", name="Accept")).to_have_count(0)
    parties.wait_until("connected")
    await_flow({VISITOR: parties.visitor, AGENT: parties.agent})

    parties.agent.get_by_role("button", name="Transfer", exact=True).click()
    parties.agent.get_by_role("button", name="Ring Bea").click()
    expect(bea.get_by_text("Transferred by Admin")).to_be_visible()
    bea.get_by_role("button", name="Decline").click()
    expect(parties.agent.get_by_text("Bea did not take the call")).to_be_visible()
    parties.wait_until("connected")

    parties.agent.get_by_role("button", name="Ring Bea").click()
    bea.get_by_role("button", name="Accept").click()
    expect(parties.agent.get_by_text("Your colleague has the call now.")).to_be_visible()
    bea.wait_for_selector("visavis-console[data-state=connected]")
    await_flow({VISITOR: parties.visitor, AGENT: bea})
    expect(parties.visitor.locator("visavis-call")).to_contain_text("Bea")
    parties.hang_up(bea)


def test_ringing_is_in_the_title_and_on_the_desktop(parties: Parties) -> None:
    agent = parties.agent
    agent.emulate_media(reduced_motion="no-preference")  # or the title would not blink
    agent.add_init_script(NOTED)
    parties.arrive()
    agent.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    parties.call("Audio call")
    agent.wait_for_function("() => document.title.startsWith('☎ Call from')")
    assert agent.evaluate("noted") == [["Call from A visitor", "Audio call"]]
    parties.visitor.get_by_role("button", name="Cancel").click()
    agent.wait_for_function("() => document.title === 'Console · Visavis'")


# a browser without windows has no desktop and permits nothing: what would be put there is seen
NOTED = """window.noted = [];
window.Notification = class extends Notification {
  static get permission() { return "granted"; }
  constructor(title, options) { super(title, options); noted.push([title, options.body]); }
};"""
