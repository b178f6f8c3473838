"""The relay with two real Chromium pages: addresses, renegotiation, ICE restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Playwright

from tests.legs import LEGS, other
from tests.media.browser_call import SCRIPT, BrowserCall, Page, chromium_pages, only_candidates
from tests.media.firefox import Firefox
from tests.media.nat import Nat
from tests.running import CHROMIUM, FAKE_DEVICES, eventually
from visavis.domain.leg import VISITOR_LEG
from visavis.media.addresses import own_addresses
from visavis.rtp.mos import LegReport

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FAKE_DEVICES)
    yield browser
    browser.close()


@contextmanager
def opened(pages: Mapping[int, Page]) -> Iterator[BrowserCall]:
    with TemporaryDirectory() as directory:  # The paths of Unix sockets must be short.
        call = BrowserCall(pages, Path(directory))
        try:
            yield call
        finally:
            call.close()


@pytest.fixture
def call(chromium: Browser) -> Iterator[BrowserCall]:
    with chromium_pages(chromium) as pages, opened(pages) as call:
        yield call


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    browser = Firefox(tmp_path_factory.mktemp("firefox"), SCRIPT)
    yield browser
    browser.close()


def assert_flows(call: BrowserCall, *, video: bool = True) -> dict[int, dict[str, object]]:
    """Wait until media flows on both sides for two seconds."""

    def steady() -> dict[int, dict[str, object]] | None:
        flow = call.flow(2)
        least = 10 if video else 0
        holds = all(45 <= one["pps"] <= 55 and one["fps"] >= least for one in flow.values())
        return flow if holds else None

    flow = eventually(steady)
    assert call.events.down == []
    return flow


def is_good(report: LegReport) -> bool:
    return (
        report.mos is not None
        and report.loss_in < 0.02
        and report.loss_out < 0.02
        and report.round_trip is not None
        and report.round_trip < 50
        and report.packets_out > 100
    )


def test_by_udp_with_a_report_of_each_leg(call: BrowserCall) -> None:
    call.connect()
    flow = assert_flows(call)
    assert {flow[side]["protocol"] for side in LEGS} == {"udp"}
    call.until(
        lambda: (
            set(call.events.reports) == set(LEGS)
            and all(map(is_good, call.events.reports.values()))
        ),
        "a good report of each leg",
    )
    print(call.events.reports)
    call.ask(call.plane.close(call.bridge))


def test_by_tcp_alone(call: BrowserCall) -> None:
    call.filters = dict.fromkeys(LEGS, only_candidates(" tcp "))
    call.connect()
    flow = assert_flows(call)
    assert {flow[side]["protocol"] for side in LEGS} == {"tcp"}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_by_ipv6_alone(call: BrowserCall, protocol: str) -> None:
    if not any(":" in address for address in own_addresses()):
        pytest.fail("this machine has no IPv6 address but loopback")
    call.filters = dict.fromkeys(LEGS, only_candidates(f" {protocol} .*:.* typ "))
    call.connect()
    flow = assert_flows(call)
    assert all(":" in str(flow[side]["address"]) for side in LEGS)


@pytest.mark.parametrize("side", LEGS)
def test_an_audio_call_becomes_a_video_call_from_either_side(call: BrowserCall, side: int) -> None:
    call.connect(video=False)
    assert_flows(call, video=False)
    call.pages[side].evaluate("add({video: {width: 640, height: 360}})")
    call.negotiate(side)
    call.until(
        lambda: call.pages[other(side)].evaluate("stats()")["frames"] > 30, "decoded video frames"
    )
    assert call.events.down == []


@pytest.mark.parametrize("side", LEGS)
def test_a_restart_of_ice_has_credentials_of_its_own(call: BrowserCall, side: int) -> None:
    call.connect()
    assert_flows(call)
    before = {side: call.transports[side].ufrag for side in LEGS}
    call.negotiate(side, "{iceRestart: true}")
    now = {side: call.transports[side].ufrag for side in LEGS}
    assert now[side] != before[side]
    assert now[other(side)] == before[other(side)]
    # The browser chooses when to use the new credentials while the old ones are valid.
    call.until(
        lambda: now[side] in call.pages[side].evaluate("stats()")["answered"], "the new ones hold"
    )
    assert_flows(call)


def test_a_browser_whose_router_gives_it_another_port_is_followed(call: BrowserCall) -> None:
    nat = Nat(("127.0.0.1", call.settings.media_port))
    port = call.ask(nat.open())
    direct = str(call.settings.media_port)
    call.filters[VISITOR_LEG] = lambda sdp: only_candidates(" udp .*127.0.0.1")(sdp).replace(
        f"127.0.0.1 {direct} typ", f"127.0.0.1 {port} typ"
    )
    call.connect()
    call.ask(nat.move())
    assert_flows(call)
    call.ask(nat.close())


@pytest.mark.parametrize("side", LEGS)
def test_firefox_calls_and_is_called(chromium: Browser, firefox: Firefox, side: int) -> None:
    firefox.begin_anew()
    with chromium_pages(chromium) as pages, opened({**pages, side: firefox}) as call:
        call.connect()
        assert_flows(call)
