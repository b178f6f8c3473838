"""One running system, a TURN server and two pages for all calls over other networks than ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.flow import AGENT, VISITOR, Sides
from tests.e2e.networks.ways import SCRIPT, coturn
from tests.running import CHROMIUM, FAKE_DEVICES, WHOLE, Parties, System


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """With two agents, switched on, and recording."""
    directory = tmp_path_factory.mktemp("networks")
    with coturn(directory) as server:
        running = System(directory / "data", *server.options).start()
        running.add_agent(COLLEAGUE, PASSWORD, "--name", "Bea", "--administrator")
        running.configure(on=True, recording=True)
        yield running
        running.stop()


@pytest.fixture(scope="package")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its camera sees more than Chromium's own fake one, whose pictures fit into any network."""
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    scene = "testsrc2=size=640x360:rate=20:duration=2,noise=alls=8:allf=t,format=yuv420p"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", scene, film], check=True)
    camera = f"--use-file-for-fake-video-capture={film}"
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FAKE_DEVICES, camera])
    yield running
    running.close()


@pytest.fixture(scope="package")
def parties(browser: Browser, system: System) -> Iterator[Parties]:
    """Both have arrived, and the test decides which way their media takes.

    Whatever ends a call has to check its end: other tests use other pages of the same system.
    """
    both = Parties((browser, browser), system)
    for page in (both.visitor, both.agent):
        page.add_init_script(f"{SCRIPT}; {WHOLE}")  # smaller pictures fit into any network
    both.arrive()
    yield both
    both.close()


@pytest.fixture(scope="package")
def sides(parties: Parties) -> Sides:
    return {VISITOR: parties.visitor, AGENT: parties.agent}
