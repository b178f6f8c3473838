"""Video sent in several sizes at once (simulcast, RFC 8853): no layer hides another."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.recorder.test_mux import VISITOR, muxed, talk, titles
from tests.synthetic import media
from tests.synthetic.call import RTX, Browser, Journal, Network, rtp, sdp
from tests.synthetic.packetise import PACKETISERS
from tests.synthetic.watch import brightness, stream_of
from visavis.spool.format import RecordKind

SECONDS = 8.0
SIZES = {"l": (64, 48), "m": (128, 96), "h": (256, 192)}
NEVER = 1000.0


def described(groups: str = "") -> Journal:
    journal = Journal()
    text = sdp([("0", "audio"), ("1", "video")]) + groups
    journal.note(0.0, type="descriptions", visitor=text, agent=text)
    talk(journal, VISITOR, SECONDS + 1.0, "")
    return journal


def sizes(path: Path) -> dict[str, tuple[int, int]]:
    with av.open(str(path)) as container:
        found = {title: stream_of(container, title) for title in titles(path)}
        return {
            title: (stream.codec_context.width, stream.codec_context.height)
            for title, stream in found.items()
            if stream.type == "video"
        }


LARGEST_FIRST = {
    "Visitor video": SIZES["h"],
    "Visitor video 2": SIZES["m"],
    "Visitor video 3": SIZES["l"],
}


def send_layers(
    journal: Journal, codec: str, network: Network, *, has_rids: bool = True
) -> Browser:
    """Return a simulcast sender: one media section, undeclared SSRCs, the smallest layer first."""
    browser = Browser(journal, VISITOR, network=network)
    for number, (rid, size) in enumerate(SIZES.items()):
        browser.send(
            codec,
            media.video(codec, SECONDS, size, NEVER),
            start=number * 0.2,
            ssrc=500 + 10 * number,
            mid="1",
            rid=rid if has_rids else "",
        )
    return browser


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_each_layer_is_a_track_and_the_largest_the_picture(
    tmp_path: Path, codec: str, loss: float
) -> None:
    """Retransmissions have the repaired RID, the only sign of the layer that they repair."""
    journal = described()
    send_layers(journal, codec, Network(loss=loss))
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert sizes(path) == LARGEST_FIRST
    for title in LARGEST_FIRST:
        assert len(brightness(path, title)) == SECONDS * media.FPS, title


def test_layers_that_the_description_groups(tmp_path: Path) -> None:
    """There are no RIDs, as in Chromium if the page rewrites its descriptions."""
    sources = "".join(f"a=ssrc:{ssrc} cname:x\r\n" for ssrc in (500, 510, 520))
    journal = described("a=ssrc-group:SIM 500 510 520\r\n" + sources)
    send_layers(journal, "VP8", Network(), has_rids=False)
    journal.write(tmp_path, 1)
    assert sizes(muxed(tmp_path)) == LARGEST_FIRST


def test_a_layer_that_is_sent_for_a_moment_takes_no_other_s_place(tmp_path: Path) -> None:
    """This happens if the network can no longer carry the largest layer."""
    journal = described()
    browser = Browser(journal, VISITOR)
    small = media.video("VP8", SECONDS, SIZES["l"], NEVER)
    large = media.video("VP8", 2.5, SIZES["h"], NEVER)
    browser.send("VP8", small, ssrc=500, mid="1", rid="l")
    browser.send("VP8", large, start=1.0, ssrc=510, mid="1", rid="h")
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert len(brightness(path, "Visitor video 2")) == len(small)
    assert len(brightness(path, "Visitor video")) == len(large)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_the_first_track_shows_a_lower_layer_while_the_largest_is_paused(
    tmp_path: Path, codec: str
) -> None:
    journal = described()
    browser = Browser(journal, VISITOR)
    small = media.video(codec, SECONDS, SIZES["l"], 1.0)
    large = media.video(codec, SECONDS, SIZES["h"], 1.0)
    paused = [(at, frame) for at, frame in large if not 2.0 <= at < 6.0]
    browser.send(codec, small, ssrc=500, mid="1", rid="l")
    browser.send(codec, paused, ssrc=510, mid="1", rid="h")
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    times = [at for at, _ in brightness(path, "Visitor video")]
    still = [b - a for a, b in pairwise(times) if b - a > 0.5]
    assert len(still) == 1
    assert still[0] < 3.2
    assert times[-1] > SECONDS - 0.2
    assert len(brightness(path, "Visitor video 2")) == len(small)


def test_an_odd_sender_names_the_layer_later_than_the_section(tmp_path: Path) -> None:
    journal = described()
    for number, (rid, size) in enumerate(SIZES.items()):
        sequence = 0
        for at, frame in media.video("VP8", SECONDS, size, NEVER):
            names = ("", rid) if 20 < sequence < 24 else ("1", "")
            for payload in PACKETISERS["VP8"](frame, sequence):
                head = (96, True, sequence, round(at * 90_000), 500 + number)
                data = rtp(*head, payload, *names)
                journal.records.append((at + 0.03, RecordKind.RTP, VISITOR, data))
                sequence += 1
    journal.write(tmp_path, 1)
    assert sizes(muxed(tmp_path)) == LARGEST_FIRST


def test_a_repair_of_a_layer_that_never_came_repairs_no_other(tmp_path: Path) -> None:
    journal = described()
    browser = Browser(journal, VISITOR)
    browser.send("VP8", media.video("VP8", SECONDS, SIZES["h"], NEVER), ssrc=500, mid="1", rid="h")
    for number in range(200):
        original = (65_000 + 30 + number % 50).to_bytes(2) + b"\x10\x00 of another layer"
        data = rtp(RTX[96], True, number, 5, 999, original, "1", repaired_rid="x")
        journal.records.append((1 + number / 100, RecordKind.RTP, VISITOR, data))
    journal.write(tmp_path, 1)
    assert len(brightness(muxed(tmp_path), "Visitor video")) == SECONDS * media.FPS
