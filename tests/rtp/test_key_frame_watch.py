"""Key frames are requested only if a recording needs them."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tests.synthetic import media
from tests.synthetic.call import PAYLOAD_TYPES, RTX, rtp
from tests.synthetic.packetise import PACKETISERS
from visavis.rtp.key_frame_watch import (
    ASK_SECONDS,
    FIRST_SECONDS,
    MAX_MISSING,
    REPAIR_SECONDS,
    SILENT_SECONDS,
    KeyFrameWatch,
)
from visavis.rtp.leg_stats import LegStats

CODECS = ("VP8", "VP9", "H264", "AV1")
CAMERA, SCREEN, REPAIRS = 10, 20, 11
STEP = 0.125
NEVER = 1000.0
SIZE = (640, 360)


@lru_cache
def frames(codec: str) -> list[tuple[float, bytes]]:
    """Return a key frame of several packets, and another frame."""
    return media.video(codec, 0.2, SIZE, NEVER)


class Camera:
    """One video stream, its statistics, and the times at which a key frame was requested."""

    def __init__(
        self, codec: str = "VP8", ssrc: int = CAMERA, stats: LegStats | None = None
    ) -> None:
        self.codec, self.ssrc = codec, ssrc
        self.stats = stats or LegStats()
        self.now = 100.0
        self.asked: list[float] = []
        self.sequence = 65_500
        self.kept: dict[int, tuple[int, bytes]] = {}

    def record(self) -> None:
        watch = KeyFrameWatch(self.now)
        watch.set_payload_types(
            {PAYLOAD_TYPES[codec]: codec for codec in CODECS}, frozenset(RTX.values())
        )
        self.stats.watch_video(watch)

    def look(self) -> None:
        """Let an eighth of a second pass, after which the relay checks which requests are due."""
        self.now += STEP
        assert self.stats.watch
        self.asked += [self.now for ssrc in self.stats.watch.due(self.now, 4) if ssrc == self.ssrc]

    def send(self, *, is_key: bool = False, without: frozenset[int] = frozenset()) -> None:
        """Send a frame; the packets at the indices `without` are lost."""
        frame = frames(self.codec)[0 if is_key else 1][1]
        payloads = PACKETISERS[self.codec](frame, self.sequence)
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            number = self.sequence % 65536
            stamp = round(self.now * 1000)
            packet = rtp(PAYLOAD_TYPES[self.codec], marker, number, stamp, self.ssrc, payload, "1")
            if index in without:
                self.kept[number] = stamp, payload
            else:
                self.stats.receive_rtp(packet, 0)
            self.sequence += 1

    def repair(self) -> None:
        """Retransmit all lost packets."""
        for count, (number, (stamp, payload)) in enumerate(self.kept.items()):
            payload_type = RTX[PAYLOAD_TYPES[self.codec]]
            original = number.to_bytes(2) + payload
            self.stats.receive_rtp(rtp(payload_type, True, count, stamp, REPAIRS, original), 0)
        self.kept.clear()

    def go_on(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.send()
            self.look()


def running(codec: str = "VP8") -> Camera:
    camera = Camera(codec)
    camera.record()
    camera.send(is_key=True)
    camera.go_on(2.0)
    assert camera.asked == []
    return camera


@pytest.mark.parametrize("codec", CODECS)
def test_a_packet_that_nobody_repairs_needs_a_key_frame(codec: str) -> None:
    camera = running(codec)
    lost_at = camera.now
    camera.send(without=frozenset({0}))
    camera.go_on(REPAIR_SECONDS + 0.3)
    assert [at - lost_at for at in camera.asked] == [REPAIR_SECONDS + STEP]
    camera.send(is_key=True)
    camera.go_on(10.0)
    assert len(camera.asked) == 1


def test_requests_are_bounded_in_rate() -> None:
    """The sender does not send a key frame, and more packets are lost."""
    camera = running()
    for _ in range(60):
        camera.send(without=frozenset({0}))
        camera.go_on(0.5)
    gaps = [b - a for a, b in zip(camera.asked, camera.asked[1:], strict=False)]
    assert 8 <= len(camera.asked) <= 30 / ASK_SECONDS
    assert min(gaps) > ASK_SECONDS - STEP / 2


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_repaired_in_time_needs_none(codec: str) -> None:
    camera = running(codec)
    for _ in range(5):
        camera.send(without=frozenset({0}))
        camera.go_on(REPAIR_SECONDS - 0.5)
        camera.repair()
    camera.go_on(5.0)
    assert camera.asked == []


def test_what_comes_out_of_order_or_twice_needs_none() -> None:
    camera = running()
    late = rtp(96, True, camera.sequence % 65536, 1, CAMERA, b"\x90\x80\x80\x00\x11", "1")
    camera.sequence += 1
    camera.go_on(0.5)
    camera.stats.receive_rtp(late, 0)
    camera.stats.receive_rtp(late, 0)
    camera.go_on(5.0)
    assert camera.asked == []


def test_the_viewer_s_own_request_is_enough() -> None:
    camera = running()
    camera.send(without=frozenset({0}))
    camera.go_on(0.5)
    camera.send(is_key=True)
    camera.go_on(5.0)
    assert camera.asked == []


def test_a_key_frame_of_which_a_packet_is_lost_is_none() -> None:
    count = len(PACKETISERS["H264"](frames("H264")[0][1], 0))
    assert count > 1
    for index in range(count):
        camera = running("H264")
        camera.send(is_key=True, without=frozenset({index}))
        camera.go_on(REPAIR_SECONDS + 0.5)
        assert len(camera.asked) == 1, index


@pytest.mark.parametrize("codec", CODECS)
def test_a_first_key_frame_that_is_repaired_is_enough(codec: str) -> None:
    camera = Camera(codec)
    camera.record()
    camera.send()
    camera.send(is_key=True, without=frozenset({0}))
    camera.go_on(FIRST_SECONDS / 2)
    camera.repair()
    camera.go_on(5.0)
    assert camera.asked == []


@pytest.mark.parametrize("codec", CODECS)
def test_a_recording_that_starts_in_mid_call_needs_a_key_frame(codec: str) -> None:
    camera = Camera(codec)
    camera.send(is_key=True)
    camera.send()
    camera.record()
    started_at = camera.now
    camera.go_on(FIRST_SECONDS + ASK_SECONDS + 0.5)
    assert [at - started_at for at in camera.asked] == [
        FIRST_SECONDS,
        FIRST_SECONDS + ASK_SECONDS,
    ]


def test_packets_that_the_disk_did_not_take_need_a_key_frame() -> None:
    camera = running()
    assert camera.stats.watch
    camera.stats.watch.restart(camera.now)
    camera.go_on(FIRST_SECONDS + 0.3)
    assert len(camera.asked) == 1


def test_a_burst_is_not_remembered_packet_by_packet() -> None:
    camera = running()
    camera.sequence += MAX_MISSING + 1
    camera.go_on(FIRST_SECONDS + 0.3)
    assert len(camera.asked) == 1
    camera.send(is_key=True)
    camera.go_on(5.0)
    assert len(camera.asked) == 1


def test_a_camera_that_is_off_is_asked_for_nothing() -> None:
    camera = running()
    camera.send(without=frozenset({0}))
    camera.send()
    for _ in range(100):
        camera.look()
    assert camera.asked == []
    camera.go_on(SILENT_SECONDS)
    assert camera.asked


def test_each_stream_has_its_own_state_and_sound_none() -> None:
    camera = running()
    screen = Camera(ssrc=SCREEN, stats=camera.stats)
    screen.send(is_key=True)
    for number in range(0, 200, 2):
        camera.stats.receive_rtp(rtp(111, False, number, 1, 5, b"\xf8\xff\xfe", "0"), 0)
    screen.send(without=frozenset({0}))
    camera.send()
    screen.send()
    screen.now = camera.now
    for _ in range(40):
        camera.send()
        screen.send()
        camera.now = screen.now
        screen.look()
    assert len(screen.asked) == 1
    assert camera.asked == []


def test_of_many_streams_some_are_asked_at_a_time_and_the_newest_first() -> None:
    camera = Camera()
    camera.record()
    for ssrc in range(100, 110):
        camera.stats.receive_rtp(rtp(96, True, 1, 1, ssrc, b"\x90\x80\x80\x00\x11", "1"), 0)
    assert camera.stats.watch
    assert camera.stats.watch.due(camera.now + FIRST_SECONDS, 4) == [109, 108, 107, 106]
    assert camera.stats.watch.due(camera.now + FIRST_SECONDS, 4) == [105, 104, 103, 102]


def test_what_is_not_rtp_inside_or_of_another_format_is_no_key_frame() -> None:
    camera = Camera()
    camera.record()
    for data in (
        rtp(96, True, 1, 1, CAMERA, b"", "1"),
        b"\xb0\x60\0\2" + bytes(4) + CAMERA.to_bytes(4) + b"\0",
        rtp(77, True, 3, 1, CAMERA, b"\x10\0\0", "1"),
        rtp(97, True, 3, 1, REPAIRS, b"\0", "1"),
        rtp(97, True, 4, 1, REPAIRS, b"\0\1\x10\0", "1"),
    ):
        camera.stats.receive_rtp(data, 0)
    assert camera.stats.watch
    assert camera.stats.watch.due(camera.now + FIRST_SECONDS, 4) == [CAMERA]
