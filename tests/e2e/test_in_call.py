"""Both pages in a call: video, screens, text, other devices, resuming."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.running import Parties, eventually, stats, videos

pytestmark = pytest.mark.e2e

VISITOR, AGENT = "visavis", "visavisConsole"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def expect_videos(page: Page, name: str, count: int) -> None:
    eventually(lambda: len(videos(page, name)) == count)


def hears(page: Page, name: str) -> bool:
    before = stats(page, name)["audioPackets"]
    page.wait_for_timeout(500)
    return stats(page, name)["audioPackets"] > before + 10


def test_an_audio_call_becomes_a_video_call_with_both_screens(parties: Parties) -> None:
    parties.arrive()
    parties.connect("Audio call")
    visitor, agent = parties.visitor, parties.agent
    assert videos(agent, AGENT) == set()
    press(visitor, "Camera on")
    expect_videos(agent, AGENT, 1)
    press(agent, "Camera on")
    expect_videos(visitor, VISITOR, 1)

    press(agent, "Share screen")
    expect_videos(visitor, VISITOR, 2)
    expect(visitor.get_by_label("Screen of the other side")).to_be_visible()
    expect(agent.get_by_text("You are sharing your screen")).to_be_visible()
    press(visitor, "Share screen")
    expect_videos(agent, AGENT, 2)
    press(agent, "Stop sharing")
    expect(visitor.get_by_label("Screen of the other side")).to_have_count(0)
    expect_videos(visitor, VISITOR, 1)
    press(visitor, "Camera off")
    expect(agent.get_by_label("Picture of the other side")).to_be_hidden()
    expect(agent.get_by_label("Screen of the other side")).to_be_visible()
    expect_videos(agent, AGENT, 1)
    press(agent, "Share screen")
    expect_videos(visitor, VISITOR, 2)

    press(agent, "Devices")
    agent.get_by_label("Microphone", exact=True).select_option(label="Fake Audio Input 2")
    eventually(lambda: hears(visitor, VISITOR))
    parties.hang_up()


def test_both_share_in_the_same_instant(parties: Parties) -> None:
    parties.arrive()
    parties.connect()
    share = "document.querySelector('{}').{}.conversation.own.share()"
    parties.visitor.evaluate(f"void {share.format('visavis-widget', 'visitor')}")
    parties.agent.evaluate(f"void {share.format('visavis-console', 'agentSession')}")
    expect_videos(parties.visitor, VISITOR, 2)
    expect_videos(parties.agent, AGENT, 2)
    parties.hang_up()


def test_reloading_either_page_takes_the_call_up_again(parties: Parties) -> None:
    parties.arrive()
    parties.connect()
    visitor, agent = parties.visitor, parties.agent
    press(agent, "Share screen")
    expect_videos(visitor, VISITOR, 2)
    press(visitor, "Text")
    visitor.get_by_label("Write something").fill("Where were we?")
    press(visitor, "Send")
    press(visitor, "Mute")

    visitor.reload()
    expect_videos(visitor, VISITOR, 2)
    expect_videos(agent, AGENT, 1)
    expect(visitor.get_by_role("button", name="Unmute")).to_be_visible()
    press(visitor, "Text")
    expect(visitor.get_by_role("log")).to_contain_text("Where were we?")

    agent.reload()
    expect_videos(agent, AGENT, 1)
    expect_videos(visitor, VISITOR, 1)
    eventually(lambda: hears(visitor, VISITOR))
    parties.hang_up()


# half a second is over before a driver on a busy machine has looked: the page looks itself
LOSE_SOCKET = """async () => {{
  const text = root => [...root.querySelectorAll("*")]
    .map(one => one.shadowRoot ? text(one.shadowRoot) : "").join() + root.textContent;
  const {{signaling}} = document.querySelector('{0}').{1};
  signaling.socket.close();
  while (!text(document.documentElement).includes("The connection to the server was lost"))
    await new Promise(resolve => setTimeout(resolve, 5));
}}"""


def test_a_lost_socket_disturbs_no_media(parties: Parties) -> None:
    parties.arrive()
    parties.connect()
    connection = "{}.peerConnection.__mark = true"
    for page, element, engine, name in (
        (parties.visitor, "visavis-widget", "visitor", VISITOR),
        (parties.agent, "visavis-console", "agentSession", AGENT),
    ):
        page.evaluate(connection.format(name))
        page.evaluate(LOSE_SOCKET.format(element, engine))
        expect(page.get_by_text("The connection to the server was lost")).to_have_count(0)
        expect_videos(page, name, 1)
        assert page.evaluate(f"{name}.peerConnection.__mark")
    press(parties.visitor, "Text")
    parties.visitor.get_by_label("Write something").fill("Still there?")
    press(parties.visitor, "Send")
    expect(parties.agent.get_by_role("button", name=re.compile("Text.*1 unread"))).to_be_visible()
    parties.hang_up()
