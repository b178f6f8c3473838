"""Creates `tests/media/data`: datagrams of real browsers, captured by our own worker.

python -m tests.media.capture chromium|firefox

Each file has datagrams in frames of RFC 4571. Media is decrypted; the video is the browser's own
test picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.sync_api import sync_playwright

from tests.legs import LEGS
from tests.media.browser_call import SCRIPT, BrowserCall, Page, chromium_pages
from tests.media.firefox import Firefox
from tests.running import CHROMIUM, FAKE_DEVICES
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.media.leg import Leg
from visavis.media.relay import Relay
from visavis.media.rfc4571 import frame

DATA: Final = Path(__file__).parent / "data"
SECONDS: Final = 12
LOCAL: Final = "pc.localDescription.sdp"
MOST: Final = {"stun": 60, "dtls": 40, "rtp": 150, "rtcp": 150}


class PacketCapture:
    """Datagrams and packets of a call by kind. Of RTP, only samples are kept."""

    def __init__(self) -> None:
        self.heard: dict[str, list[bytes]] = {kind: [] for kind in MOST}

    def tap(self) -> None:
        receive: Callable[..., None] = Relay.receive
        unprotect: Callable[..., bytes | None] = Leg.unprotect
        heard = self.heard

        def hear(relay: Relay, datagram: bytes, *rest: Any) -> None:
            if datagram[0] < 4:
                heard["stun"].append(datagram)
            elif 20 <= datagram[0] < 64:
                heard["dtls"].append(datagram)
            receive(relay, datagram, *rest)

        def understand(leg: Leg, datagram: bytes, *, is_rtcp: bool) -> bytes | None:
            packet = unprotect(leg, datagram, is_rtcp=is_rtcp)
            if packet:
                heard["rtcp" if is_rtcp else "rtp"].append(packet)
            return packet

        Relay.receive = hear  # type: ignore[method-assign, assignment]
        Leg.unprotect = understand  # type: ignore[method-assign, assignment]

    def save(self, name: str) -> None:
        DATA.mkdir(exist_ok=True)
        for kind, most in MOST.items():
            heard = self.heard[kind]
            step = max(1, len(heard) // most)
            chosen = heard[::step][:most]
            path = DATA / f"{name}-{kind}.bin"
            path.write_bytes(b"".join(map(frame, chosen)))
            print(f"{path.name}: {len(chosen)} of {len(heard)}, {path.stat().st_size} bytes")


def call(capture: PacketCapture, name: str) -> None:
    """Make a call between two pages of Chromium, or of Firefox, and capture it."""
    with sync_playwright() as playwright, TemporaryDirectory() as directory, ExitStack() as opened:
        capture.tap()
        pages: Mapping[int, Page]
        if name == "firefox":
            homes = {side: Path(opened.enter_context(TemporaryDirectory())) for side in LEGS}
            pages = {side: Firefox(home, SCRIPT) for side, home in homes.items()}
        else:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FAKE_DEVICES)
            pages = opened.enter_context(chromium_pages(browser))
        call = BrowserCall(pages, Path(directory))
        call.connect()
        (DATA / f"{name}-offer.sdp").write_text(pages[VISITOR_LEG].evaluate(LOCAL), newline="")
        (DATA / f"{name}-answer.sdp").write_text(pages[AGENT_LEG].evaluate(LOCAL), newline="")
        call.flow(SECONDS)
        pages[VISITOR_LEG].evaluate("pc.close()")
        call.flow(1)
        call.close()
        for page in pages.values():
            if isinstance(page, Firefox):
                page.close()


if __name__ == "__main__":
    capture = PacketCapture()
    call(capture, sys.argv[1])
    capture.save(sys.argv[1])
