"""The relay with real Chromium pages at both ends: routes, renegotiation, ICE restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Playwright

from tests.media.firefox import Firefox
from tests.media.nat import Nat
from tests.media.room import SCRIPT, Room, chromium_pages, only_candidates
from tests.running import CHROMIUM, FAKE_DEVICES
from visavis.domain.leg import Side
from visavis.media.addresses import own_addresses

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FAKE_DEVICES)
    yield browser
    browser.close()


@pytest.fixture
def room(chromium: Browser) -> Iterator[Room]:
    # a short path, for the Unix sockets
    with chromium_pages(chromium) as pages, TemporaryDirectory() as directory:
        room = Room(pages, Path(directory))
        yield room
        room.close()


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    browser = Firefox(tmp_path, SCRIPT)
    yield browser
    browser.close()


def assert_flows(room: Room, *, video: bool = True) -> dict[Side, dict[str, object]]:
    flow = room.flow()
    for side in Side:
        assert 45 <= flow[side]["pps"] <= 55
        assert flow[side]["fps"] >= (10 if video else 0)
    assert room.ear.down == []
    return flow


def test_by_udp_with_a_report_of_each_leg(room: Room) -> None:
    room.connect()
    room.flow(3)
    flow = assert_flows(room)
    assert {flow[side]["protocol"] for side in Side} == {"udp"}
    room.until(lambda: all(r.mos for r in room.ear.reports.values()), "a report with a MOS")
    for side in Side:
        report = room.ear.reports[side]
        print(side, report)
        assert report.loss_in < 0.02
        assert report.loss_out < 0.02
        assert report.round_trip is not None
        assert report.round_trip < 50
        assert report.packets_out > 100
    room.ask(room.plane.close(room.link))


def test_by_tcp_alone(room: Room) -> None:
    room.filters = dict.fromkeys(Side, only_candidates(" tcp "))
    room.connect()
    room.flow(2)
    flow = assert_flows(room)
    assert {flow[side]["protocol"] for side in Side} == {"tcp"}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_by_ipv6_alone(room: Room, protocol: str) -> None:
    if not any(":" in address for address in own_addresses()):
        pytest.fail("this machine has no IPv6 address but loopback")
    room.filters = dict.fromkeys(Side, only_candidates(f" {protocol} .*:.* typ "))
    room.connect()
    room.flow(2)
    flow = assert_flows(room)
    assert all(":" in str(flow[side]["address"]) for side in Side)


@pytest.mark.parametrize("side", Side)
def test_an_audio_call_becomes_a_video_call_from_either_side(room: Room, side: Side) -> None:
    room.connect(video=False)
    assert_flows(room, video=False)
    room.pages[side].evaluate("add({video: {width: 640, height: 360}})")
    room.negotiate(side)
    room.until(
        lambda: room.pages[side.other].evaluate("stats()")["frames"] > 30, "decoded video frames"
    )
    assert room.ear.down == []


@pytest.mark.parametrize("side", Side)
def test_a_restart_of_ice_has_credentials_of_its_own(room: Room, side: Side) -> None:
    room.connect()
    room.flow(2)
    before = {side: room.transports[side].ufrag for side in Side}
    room.negotiate(side, "{iceRestart: true}")
    now = {side: room.transports[side].ufrag for side in Side}
    assert now[side] != before[side]
    assert now[side.other] == before[side.other]
    # whether it moves over is the browser's choice, as long as the old ones are good
    room.until(
        lambda: now[side] in room.pages[side].evaluate("stats()")["answered"], "the new ones hold"
    )
    assert_flows(room)


def test_a_browser_whose_router_gives_it_another_port_is_followed(room: Room) -> None:
    nat = Nat(("127.0.0.1", room.settings.media_port))
    port = room.ask(nat.open())
    direct = str(room.settings.media_port)
    room.filters[Side.VISITOR] = lambda sdp: only_candidates(" udp .*127.0.0.1")(sdp).replace(
        f"127.0.0.1 {direct} typ", f"127.0.0.1 {port} typ"
    )
    room.connect()
    room.flow(2)
    room.ask(nat.move())
    room.flow(3)  # the browser checks its route every 2.5 seconds
    assert_flows(room)
    room.ask(nat.close())


@pytest.mark.parametrize("side", Side)
def test_firefox_calls_and_is_called(chromium: Browser, firefox: Firefox, side: Side) -> None:
    with chromium_pages(chromium) as pages, TemporaryDirectory() as directory:
        room = Room({**pages, side: firefox}, Path(directory))
        room.connect()
        room.flow(3)
        assert_flows(room)
        room.close()
