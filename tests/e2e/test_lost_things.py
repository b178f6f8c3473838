"""Pages that lose their network without a close, or their devices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.proxy import ForgetfulProxy, forgetful_proxy
from tests.e2e.test_in_call import AGENT, VISITOR, expect_videos, hears, press
from tests.running import Parties, System, eventually

pytestmark = pytest.mark.e2e

LOST = "The connection to the server was lost"
IDLE_SECONDS, BUSY_SECONDS = 20.0, 6.0
SLACK = 6.0
"""Of a busy machine, on top of the seconds that are promised."""
# devices that can be unplugged: Chromium's fake ones are always there
DEVICES = """(() => {
  const { mediaDevices } = navigator;
  // the browser's own: tests/e2e/captures.js calls what is put in its place
  const get = MediaDevices.prototype.getUserMedia.bind(mediaDevices);
  const list = mediaDevices.enumerateDevices.bind(mediaDevices);
  const [gone, tracks] = [new Set(), []];
  const told = () => mediaDevices.dispatchEvent(new Event("devicechange"));
  mediaDevices.getUserMedia = async constraints => {
    if ([...gone].some(kind => constraints[kind])) throw new DOMException("", "NotFoundError");
    const stream = await get(constraints);
    tracks.push(...stream.getTracks());
    return stream;
  };
  mediaDevices.enumerateDevices = async () =>
    (await list()).filter(({ kind }) => !gone.has(kind.replace("input", "")));
  window.unplug = kind => {
    gone.add(kind);
    for (const track of tracks.filter(track => track.kind === kind)) {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
    told();
  };
  window.plug = kind => { gone.delete(kind); told(); };
  window.liveTracks = () => tracks.filter(({ readyState }) => readyState === "live").length;
})()"""


@pytest.fixture
def proxy(system: System) -> Iterator[ForgetfulProxy]:
    with forgetful_proxy(system.port) as running:
        yield running


# the notice may be gone again before a driver on a busy machine has looked: the page looks itself
WATCH = """sentence => {
  const text = root => [...root.querySelectorAll("*")]
    .map(one => one.shadowRoot ? text(one.shadowRoot) : "").join() + root.textContent;
  const began = performance.now();
  window.noticed = new Promise(resolve => {
    const look = () => {
      const seconds = (performance.now() - began) / 1000;
      const isTold = text(document.documentElement).includes(sentence);
      if (isTold || seconds > 60) resolve(seconds);
      else setTimeout(look, 50);
    };
    look();
  });
}"""


def lose_network(proxy: ForgetfulProxy, seconds: float, *pages: Page) -> None:
    """Forget the pages' connections: each says so within so many seconds, and comes back."""
    for page in pages:
        page.evaluate(WATCH, LOST)
    proxy.forget()
    for page in pages:
        assert page.evaluate("noticed") < seconds + SLACK
        expect(page.get_by_text(LOST)).to_have_count(0)


def test_a_network_that_vanishes_without_a_word_is_noticed(
    parties: Parties, system: System, proxy: ForgetfulProxy
) -> None:
    parties.arrive()
    visitor, agent = parties.visitor, parties.agent
    agent.goto(f"{proxy.url}/console")
    agent.get_by_text("You are online").wait_for()
    visitor.goto(f"{proxy.url}/demo")
    expect(visitor.get_by_role("button", name="Video call")).to_be_visible()

    lose_network(proxy, IDLE_SECONDS, agent)
    agent.get_by_text("You are online").wait_for()
    parties.connect()
    lose_network(proxy, BUSY_SECONDS, agent, visitor)
    press(visitor, "Text")
    visitor.get_by_label("Write something").fill("Still there?")
    press(visitor, "Send")
    expect(agent.get_by_role("button", name="Text (1 unread)")).to_be_visible()
    expect_videos(agent, AGENT, 1)
    parties.hang_up()


def hang_up_at_once(parties: Parties) -> None:
    """Both sides end the call before either has heard of it."""
    end = "document.querySelector('{}').{}.hangUp()"
    parties.visitor.evaluate(end.format("visavis-widget", "visitor"))
    parties.agent.evaluate(end.format("visavis-console", "agentSession"))


def test_devices_that_vanish_come_back_by_themselves(parties: Parties) -> None:
    for page in (parties.visitor, parties.agent):
        page.add_init_script(DEVICES)
    parties.arrive()
    parties.connect()
    visitor, agent = parties.visitor, parties.agent
    for page, other, name in ((visitor, agent, AGENT), (agent, visitor, VISITOR)):
        page.evaluate("unplug('audio')")
        expect(page.get_by_text("The microphone was disconnected.")).to_be_visible()
        page.evaluate("plug('audio')")
        expect(page.get_by_text("The microphone was disconnected.")).to_have_count(0)
        eventually(lambda other=other, name=name: hears(other, name))  # type: ignore[misc]
    visitor.evaluate("unplug('video')")
    expect(visitor.get_by_text("The camera was disconnected.")).to_be_visible()
    visitor.evaluate("plug('video')")
    press(visitor, "Camera on")
    expect_videos(agent, AGENT, 1)
    press(visitor, "Devices")
    visitor.get_by_label("Camera", exact=True).select_option(index=0)
    press(visitor, "Camera off")
    eventually(lambda: visitor.evaluate("liveTracks()") == 1)  # the microphone alone
    hang_up_at_once(parties)
    for page in (visitor, agent):
        eventually(lambda page=page: page.evaluate("liveTracks()") == 0)  # type: ignore[misc]
