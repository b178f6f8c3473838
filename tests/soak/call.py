"""One recorded call of the soak, and what the comparison of its recording says."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.e2e.call_end import expect_no_call, open_calls
from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.delivered import UNEVEN, archived
from tests.e2e.flow import AGENT, VISITOR, Page, Sides, await_flow
from tests.e2e.networks.ways import PRESS, SCRIPT, Router, Way, router_to, take
from tests.e2e.oracle import Verdict, compare, keep
from tests.media.firefox import Firefox
from tests.running import PAGE_SCRIPTS, Parties, System, eventually
from tests.soak.matrix import FIREFOX, NETWORKS, NOTHING, OUTAGE, Row

BEFORE_SECONDS, EVENT_SECONDS, AFTER_SECONDS = 4.0, 4.0, 5.0

WAY: Final = r" udp .* 127\.0\.0\.1 "

SCREEN: Final = """
navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const brush = canvas.getContext("2d");
  setInterval(() => {
    brush.fillStyle = `hsl(${Date.now() % 360}, 80%, 50%)`;
    brush.fillRect(0, 0, 640, 360);
  }, 60);
  return canvas.captureStream(15);
};
"""
"""A screen that a page shares without a picker: headless Firefox has none."""

MICROPHONES: Final = """
navigator.mediaDevices.enumerateDevices = async () => ["first", "other"].map(deviceId =>
  ({ kind: "audioinput", deviceId, groupId: "", label: deviceId }));
"""
"""Two microphones: Firefox names none to a page whose own it is not asked for."""

CHOOSE_MICROPHONE: Final = """(() => {
  const all = root => [...root.querySelectorAll("*")]
    .flatMap(one => one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]);
  const select = all(document).find(one => one.id === "microphone" && one.options?.length);
  if (!select) return false;
  select.selectedIndex = select.options.length - 1;
  select.dispatchEvent(new Event("change"));
  return true;
})()"""


class SoakCall:
    """A call of two browsers on a running system."""

    def __init__(self, system: System, browser: Browser, row: Row, seed: int) -> None:
        self.system = system
        self.row = row
        self._browser = browser
        self._seed = seed
        self._stack = ExitStack()
        self._bea: Tab | None = None

    def run(self) -> list[Verdict]:
        """Make the call, and compare its recording; raises `AssertionError` if it fails."""
        with self._stack:
            return self._run()

    def _run(self) -> list[Verdict]:
        self.system.configure(on=True, recording=True)
        self.parties = Parties((self._browser, self._browser), self.system)
        self._stack.callback(self.parties.close)
        for page in self.parties.pages:
            for script in (SCRIPT, UNEVEN, SCREEN):
                page.add_init_script(script)
        router = self._stack.enter_context(router_to(self.system, self._seed))
        sides = self._connect(router)
        await_flow(sides, 1, frames=3, audio=15)
        self._wait(BEFORE_SECONDS)
        self._happen(sides, router)
        self._wait(AFTER_SECONDS)
        self._hang_up(sides)
        router.treat()
        path, _ = archived(self.system)
        expect_no_call(self.parties)
        logs = self.parties.logs()
        verdicts = compare(path, logs)
        if any(verdict.faults for verdict in verdicts):
            print(keep(path, logs))
        return verdicts

    def _connect(self, router: Router) -> Sides:
        """Connect by the network of the row, which is in front of a Chromium."""
        parties, row = self.parties, self.row
        parties.sign_in(parties.agent, "admin@localhost", self.system.password)
        if row.agent == FIREFOX:
            agent: Page = self._firefox(AGENT, "/console")
            parties.agent.goto("about:blank")
        else:
            agent = parties.agent
        if row.visitor == FIREFOX:
            visitor: Page = self._firefox(VISITOR, "/demo")
        else:
            visitor = parties.visitor
            parties.visitor.goto(f"{self.system.url}/demo")
        if row.event == "transfer":
            self._bea = parties.another_agent()
            for script in (SCRIPT, UNEVEN):
                self._bea.add_init_script(script)
        sides: Sides = {VISITOR: visitor, AGENT: agent}
        take(agent if row.visitor == FIREFOX else visitor, Way(WAY, router.ask(router.nat.open())))
        router.treat(**NETWORKS[row.network])
        for label in ("Video call", "Call now"):
            press(visitor, label)
        press(agent, "Accept")
        return sides

    def _firefox(self, name: str, path: str) -> Firefox:
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        firefox = Firefox(directory, "", (*PAGE_SCRIPTS, UNEVEN, SCREEN, MICROPHONES))
        self._stack.callback(firefox.close)
        self._stack.enter_context(self.parties.joined_by(name, firefox))
        if name == AGENT:
            firefox.goto(f"{self.system.url}/signin")
            for cookie in self.system.sessions["admin@localhost"]:
                text = f"{cookie['name']}={cookie['value']}; path=/"
                firefox.evaluate("text => { document.cookie = text; }", text)
        firefox.goto(self.system.url + path)
        return firefox

    def _happen(self, sides: Sides, router: Router) -> None:
        """Let the event of the row happen: on the visitor's side, if it is one of a page."""
        visitor, agent = sides[VISITOR], sides[AGENT]
        simple: dict[str, tuple[Page, str, str]] = {
            "camera off and on": (visitor, "Camera off", "Camera on"),
            "screen share": (agent, "Share screen", "Stop sharing"),
            "mute": (visitor, "Mute", "Unmute"),
        }
        if self.row.event == NOTHING:
            self._wait(EVENT_SECONDS)
        elif self.row.event == OUTAGE:
            router.treat(loss=1.0)
            self._wait(4.0)
            router.treat(**NETWORKS[self.row.network])
            self._wait(EVENT_SECONDS)
        elif self.row.event in simple:
            page, first, second = simple[self.row.event]
            press(page, first)
            self._wait(EVENT_SECONDS)
            press(page, second)
        elif self.row.event == "device change":
            press(visitor, "Devices")
            eventually(lambda: visitor.evaluate(CHOOSE_MICROPHONE))
            self._wait(EVENT_SECONDS)
        else:
            self._transfer(agent)

    def _transfer(self, agent: Page) -> None:
        assert self._bea
        self.parties.sign_in(self._bea, COLLEAGUE, PASSWORD)
        press(agent, "Transfer")
        press(agent, "Ring Bea")
        press(self._bea, "Accept")
        self._wait(EVENT_SECONDS)

    def _hang_up(self, sides: Sides) -> None:
        press(sides[VISITOR], "Hang up")
        eventually(lambda: not open_calls(self.system))

    def _wait(self, seconds: float) -> None:
        self.parties.visitor.wait_for_timeout(1000 * seconds)


def press(page: Page, label: str) -> None:
    """Press a button as soon as it is there; both browsers can."""
    try:
        eventually(lambda: page.evaluate(PRESS, label))
    except AssertionError as error:
        raise AssertionError(f"no button {label}") from error
