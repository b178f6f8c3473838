"""Recordings with faults of browsers, devices and networks, from which the muxer recovers."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest

from tests.recorder.test_mux import (
    AGENT,
    FOUR,
    MANIFEST,
    VIDEO_CODECS,
    VISITOR,
    muxed,
    talk,
    titles,
)
from tests.synthetic import media
from tests.synthetic.call import BEGIN, NTP_UNIX, PAYLOAD_TYPES, RTX, Browser, Journal, rtp, sdp
from tests.synthetic.packetise import PACKETISERS
from tests.synthetic.watch import DARK, beeps, brightness, flashes, stream_of
from visavis.recorder.mux.matroska import mux
from visavis.spool.format import RecordKind

pytestmark = pytest.mark.no_cover

SMALL = (96, 64)
NEVER = 1000.0
LENGTH = 30.0
DELAY = 0.03
VOICE, PICTURE = 1000, 1010


class Sent(NamedTuple):
    """Media captured at `at`, whose RTP time is behind by `skew`, in seconds."""

    at: float
    frame: bytes
    skew: float = 0.0


def report(journal: Journal, leg: int, at: float, ssrc: int, stamp: int, ntp: float) -> None:
    """Add a sender report sent at `at`; `ntp` is in seconds from the beginning of the call."""
    wall = BEGIN + NTP_UNIX + ntp
    head = struct.pack("!BBHI", 0x80, 200, 6, ssrc)
    seconds, fraction = int(wall), int(wall % 1 * 2**32)
    body = struct.pack("!IIIII", seconds, fraction, stamp % 2**32, 0, 0)
    journal.records.append((at + DELAY, RecordKind.RTCP, leg, head + body))


def send_voice(
    journal: Journal,
    sent: list[Sent],
    *,
    report_every: float = 5.0,
    jitter: float = 0.0,
    first_report: float = 1.0,
) -> None:
    """Add the visitor's audio. The reports continue during a stall, like those of libwebrtc."""
    chance = random.Random(7)
    for number, (at, frame, skew) in enumerate(sent):
        stamp = 1000 + round((at - skew) * 48_000)
        packet = rtp(111, False, number % 65536, stamp % 2**32, VOICE, frame, "0")
        arrival = at + DELAY + chance.random() * jitter
        journal.records.append((arrival, RecordKind.RTP, VISITOR, packet))
    moment = first_report
    while report_every and moment < sent[-1].at:
        skew = [one.skew for one in sent if one.at <= moment][-1]
        stamp = 1000 + round((moment - skew) * 48_000)
        report(journal, VISITOR, moment, VOICE, stamp, moment)
        moment += report_every


def voice(length: float = LENGTH) -> list[Sent]:
    return [Sent(at, frame) for at, frame in media.audio(length)]


def with_stall(sent: list[Sent], start: float, seconds: float) -> list[Sent]:
    """Make the microphone deliver nothing for a while, during which RTP time stands still."""
    return [
        one if one.at < start else one._replace(skew=one.skew + seconds - 0.02)
        for one in sent
        if not start <= one.at < start + seconds
    ]


def with_leap(sent: list[Sent], start: float, seconds: float) -> list[Sent]:
    """Make RTP time jump by some seconds."""
    return [one if one.at < start else one._replace(skew=one.skew - seconds) for one in sent]


def assert_beeps(path: Path, sent: list[Sent], length: float = LENGTH) -> None:
    """Check that the file has exactly the beeps that were sent, each within 100 ms of its time."""
    moments = {round(one.at, 2) for one in sent}
    expected = [
        at
        for at in (1.0 + 2.0 * number for number in range(round(length / 2)))
        if {round(at + 0.02 * index, 2) for index in range(10)} <= moments
    ]
    heard, sent_beeps = beeps(path, "Visitor audio"), sent_beep_seconds(moments)
    assert [min(heard, key=lambda h: abs(h - at)) for at in expected] == pytest.approx(
        expected, abs=0.1
    )
    assert all(at in sent_beeps for at in map(round, heard))


def sent_beep_seconds(moments: set[float]) -> set[int]:
    """Return the seconds with beeps, including those that a stall has cut."""
    return {round(at) for at in moments if media.is_flash(at + 1e-6)}


Muxing = Callable[[Path], Path]
"""Muxes the journals in a directory, and checks that the file can be decoded."""


def muxed_here(directory: Path) -> Path:
    """Decode the file in this process: two programs for each of hundreds of files take minutes.

    `beeps` and `brightness` decode a track completely, and remember it for the test.
    """
    result = mux(directory, MANIFEST, None)
    assert result
    with av.open(str(result.path)) as container:
        tracks = [stream for stream in container.streams if stream.type in {"audio", "video"}]
        kinds = {stream.metadata["title"]: stream.type for stream in tracks}
        assert container.duration is not None
        assert abs(container.duration / 1e6 - result.duration) < 0.05
    assert result.tracks == len(tracks) == len(kinds)
    for title, kind in kinds.items():
        assert beeps(result.path, title) if kind == "audio" else brightness(result.path, title)
    return result.path


def record_voice(
    directory: Path,
    sent: list[Sent],
    length: float = LENGTH,
    muxing: Muxing = muxed,
    **how: float,
) -> Path:
    journal = Journal()
    journal.describe()
    talk(journal, AGENT, length, "")
    send_voice(journal, sent, **how)
    journal.write(directory, 1)
    return muxing(directory)


@pytest.mark.parametrize("report_every", [5.0, 0.0])
@pytest.mark.parametrize("stall", [0.5, 6.0])
def test_after_a_stall_of_the_microphone_the_voice_keeps_its_place(
    tmp_path: Path, stall: float, report_every: float
) -> None:
    sent = with_stall(voice(), 10.3, stall)
    assert_beeps(record_voice(tmp_path, sent, report_every=report_every), sent)


@pytest.mark.parametrize("seconds", [-3.0, 3.0])
def test_a_leap_of_rtp_time_moves_no_voice(tmp_path: Path, seconds: float) -> None:
    sent = with_leap(voice(), 10.3, seconds)
    assert_beeps(record_voice(tmp_path, sent), sent)


STALLS = (0.5, 1.0, 2.5, 6.0, 12.0, 20.0)
STALL_STARTS = (10.3, 14.96, 17.5)
REPORT_INTERVALS = (1.0, 5.0, 12.0, 0.0)
JITTERS = (0.0, 0.1, 0.3)


@pytest.mark.many
@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize("report_every", REPORT_INTERVALS)
@pytest.mark.parametrize("stall", STALLS)
def test_stalls_of_every_length(
    tmp_path: Path, stall: float, report_every: float, jitter: float
) -> None:
    """One file for each; tests/rtp/test_timeline.py tries each with all of the beginnings.

    Each beginning meets each length, interval and jitter.
    """
    turn = STALLS.index(stall) + REPORT_INTERVALS.index(report_every) + JITTERS.index(jitter)
    start = STALL_STARTS[turn % len(STALL_STARTS)]
    sent = with_stall(voice(45.0), start, stall)
    if stall < 3:
        sent = with_stall(sent, start + stall + 7, stall)
    how = {"report_every": report_every, "jitter": jitter}
    assert_beeps(record_voice(tmp_path, sent, 45.0, muxed_here, **how), sent, 45.0)


@pytest.mark.many
@pytest.mark.parametrize("report_every", [1.0, 5.0, 0.0])
@pytest.mark.parametrize("seconds", [-20.0, -6.0, -1.0, -0.5, 0.5, 1.0, 6.0, 20.0, 3600.0])
def test_leaps_of_every_length(tmp_path: Path, seconds: float, report_every: float) -> None:
    for number, start in enumerate((10.3, 14.96)):
        sent = with_leap(voice(), start, seconds)
        directory = tmp_path / str(number)
        path = record_voice(directory, sent, muxing=muxed_here, report_every=report_every)
        assert_beeps(path, sent)


def test_a_network_that_is_slow_for_a_while_moves_no_voice(tmp_path: Path) -> None:
    """The packets of two seconds arrive late together; later ones queue for half a second."""
    journal = Journal()
    journal.describe()
    talk(journal, AGENT, LENGTH, "")
    sent = voice()
    send_voice(journal, sent)
    journal.records = [
        (max(at, 12.5), kind, leg, data)
        if leg is VISITOR and 10.5 < at < 12.5
        else (at + 0.5 if leg is VISITOR and 16 < at < 22 else at, kind, leg, data)
        for at, kind, leg, data in journal.records
    ]
    journal.write(tmp_path, 1)
    assert_beeps(muxed(tmp_path), sent)


@pytest.mark.parametrize("step", [0.5, -3.0])
def test_a_wall_clock_that_is_set_moves_nothing(tmp_path: Path, step: float) -> None:
    check_clock_set(tmp_path, step, at=15.0)


@pytest.mark.many
@pytest.mark.parametrize("at", [2.0, 14.2, 26.0])
@pytest.mark.parametrize("step", [-3600.0, -20.0, -0.5, -0.2, 0.2, 1.0, 3.0, 20.0, 3600.0])
def test_wall_clocks_set_by_any_step(tmp_path: Path, step: float, at: float) -> None:
    check_clock_set(tmp_path, step, at, muxed_here)


def check_clock_set(directory: Path, step: float, at: float, muxing: Muxing = muxed) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, AGENT, LENGTH, size=SMALL)
    talk(journal, VISITOR, LENGTH, size=SMALL, has_reports=False)
    base = (2**32 - 200_000) % 2**32
    for ssrc, rate, every in ((VISITOR * 1000 + 10, 90_000, 1.0), (VISITOR * 1000, 48_000, 5.0)):
        moment = 0.5
        while moment < LENGTH:
            wall = moment + (step if moment >= at else 0.0)
            report(journal, VISITOR, moment, ssrc, base + round(moment * rate), wall)
            moment += every
    journal.write(directory, 1)
    path = muxing(directory)
    seen, theirs = flashes(path, "Visitor video"), flashes(path, "Agent video")
    assert seen == pytest.approx(theirs, abs=0.06)
    assert beeps(path, "Visitor audio") == pytest.approx(seen, abs=0.06)


def ssrcs(packet: bytes) -> set[int]:
    """Return the SSRCs of a media packet or of a report."""
    return {int.from_bytes(packet[8:12]), int.from_bytes(packet[4:8])}


@pytest.mark.parametrize("error", [-4.0, 4.0])
@pytest.mark.parametrize("is_stamp", [True, False])
def test_a_stale_first_report_costs_nothing(tmp_path: Path, error: float, is_stamp: bool) -> None:
    """Either of its two times may be outdated."""
    journal = Journal()
    journal.describe()
    talk(journal, AGENT, LENGTH, "")
    talk(journal, VISITOR, LENGTH, "VP8", size=SMALL)
    sent = voice()
    journal.records = [one for one in journal.records if VOICE not in ssrcs(one[3])]
    stamp = 1000 + round((1 + (error if is_stamp else 0)) * 48_000)
    report(journal, VISITOR, 1.0, VOICE, stamp, 1 + (0 if is_stamp else error))
    send_voice(journal, sent, first_report=6.0)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert_beeps(path, sent)
    assert flashes(path, "Visitor video") == pytest.approx(beeps(path, "Visitor audio"), abs=0.06)


def send_picture(
    journal: Journal,
    codec: str,
    frames: list[tuple[float, bytes]],
    *,
    late: dict[int, float] | None = None,
) -> None:
    """Add the visitor's video. `late` is the delay of packets that come as retransmissions."""
    sequence, repairs, payload_type = 65_000, 0, PAYLOAD_TYPES[codec]
    for number, (at, frame) in enumerate(frames):
        payloads = PACKETISERS[codec](frame, number)
        stamp = (1000 + round(at * 90_000)) % 2**32
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            arrival = at + DELAY + index * 2e-4
            data = rtp(payload_type, marker, sequence % 65536, stamp, PICTURE, payload, "1")
            delay = (late or {}).get(sequence - 65_000)
            if delay is not None:
                arrival += delay
                original = (sequence % 65536).to_bytes(2) + payload
                head = (RTX[payload_type], marker, repairs, stamp, PICTURE + 1)
                data = rtp(*head, original, "1")
                repairs += 1
            journal.records.append((arrival, RecordKind.RTP, VISITOR, data))
            sequence += 1
    for second in range(int(frames[-1][0])):
        stamp = 1000 + round((second + 0.01) * 90_000)
        report(journal, VISITOR, second + 0.01, PICTURE, stamp, second + 0.01)


def picture_times(
    directory: Path,
    codec: str,
    frames: list[tuple[float, bytes]],
    late: dict[int, float] | None = None,
    sources: dict[str, list[int]] | None = None,
    muxing: Muxing = muxed,
) -> list[float]:
    journal = Journal()
    journal.describe(sources=sources)
    seconds = frames[-1][0]
    talk(journal, AGENT, seconds, "")
    send_voice(journal, voice(round(seconds + 0.5)))
    send_picture(journal, codec, frames, late=late)
    journal.write(directory, 1)
    return [at for at, _ in brightness(muxing(directory), "Visitor video")]


def one_key_frame(codec: str, seconds: float = 14.0) -> list[tuple[float, bytes]]:
    """Return a video with a single key frame: browsers send one only on request."""
    return media.video(codec, seconds, SMALL, NEVER)


def check_late_repairs(
    directory: Path, codec: str, late: dict[int, float], muxing: Muxing = muxed
) -> None:
    frames = one_key_frame(codec)
    seen = picture_times(directory, codec, frames, late=late, muxing=muxing)
    assert seen == pytest.approx([at for at, _ in frames], abs=0.06)


def check_still_camera(directory: Path, codec: str, gap: float, muxing: Muxing = muxed) -> None:
    frames = [(at if at < 5 else at + gap, frame) for at, frame in one_key_frame(codec)]
    seen = picture_times(directory, codec, frames, muxing=muxing)
    assert seen == pytest.approx([at for at, _ in frames], abs=0.06)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_a_repair_that_comes_late_costs_no_picture(tmp_path: Path, codec: str) -> None:
    check_late_repairs(tmp_path, codec, {60: 2.5})


@pytest.mark.parametrize("late", [1.5, 8.0])
def test_a_late_repair_of_the_first_key_frame_costs_no_picture(tmp_path: Path, late: float) -> None:
    check_late_repairs(tmp_path, "VP8", {0: late})


def test_a_first_key_frame_that_comes_as_a_repair_alone_opens_the_picture(tmp_path: Path) -> None:
    """The first packet is lost and retransmitted before the second frame."""
    frames = one_key_frame("VP8", 3.0)
    seen = picture_times(tmp_path, "VP8", frames, late={0: 0.01}, sources={"1": [PICTURE]})
    assert seen == pytest.approx([at for at, _ in frames], abs=0.06)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_a_camera_that_stands_still_goes_on(tmp_path: Path, codec: str) -> None:
    check_still_camera(tmp_path, codec, 2.5)


@pytest.mark.many
@pytest.mark.parametrize("codec", VIDEO_CODECS)
@pytest.mark.parametrize("late", [0.3, 0.9, 1.1, 2.5, 5.0, 10.0])
def test_repairs_of_every_lateness(tmp_path: Path, codec: str, late: float) -> None:
    patterns = [{0: late}, {50: late}, dict.fromkeys(range(60, 80), late), {200: late}]
    for number, pattern in enumerate([*patterns, {40: late, 41: late / 2, 45: late}]):
        check_late_repairs(tmp_path / str(number), codec, pattern, muxed_here)


@pytest.mark.many
@pytest.mark.parametrize("codec", VIDEO_CODECS)
@pytest.mark.parametrize("gap", [0.5, 1.9, 2.1, 6.0, 12.0, 20.0])
def test_still_cameras_of_every_length(tmp_path: Path, codec: str, gap: float) -> None:
    check_still_camera(tmp_path, codec, gap, muxed_here)


def send_silence(journal: Journal, seconds: float, ssrc: int, mid: str = "") -> None:
    for number in range(round(seconds * 50)):
        packet = rtp(111, False, number, number * 960, ssrc, b"\xf8\xff\xfe", mid)
        journal.records.append((number * 0.02 + DELAY, RecordKind.RTP, VISITOR, packet))


@pytest.mark.parametrize("mid", ["", "0"])
@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_silence_on_another_ssrc_hides_no_voice(
    tmp_path: Path, is_first: bool, is_declared: bool, mid: str
) -> None:
    journal = Journal()
    described = sdp([("0", "audio")], {"0": [VOICE]} if is_declared else None)
    journal.note(0.0, type="descriptions", visitor=described, agent=described)
    if is_first:
        send_silence(journal, 12.0, 1, mid)
    send_voice(journal, voice(12.0))
    if not is_first:
        send_silence(journal, 12.0, 2**32 - 1, mid)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == ["Visitor audio"]
    assert [round(at) for at in beeps(path, "Visitor audio")] == [1, 3, 5, 7, 9, 11]


def test_a_second_voice_and_a_second_picture_are_tracks_of_their_own(tmp_path: Path) -> None:
    """The declared ones come first, although they began last."""
    journal = Journal()
    described = sdp([("0", "audio"), ("1", "video")], {"0": [VOICE], "1": [PICTURE]})
    journal.note(0.0, type="descriptions", visitor=described, agent=described)
    other = Browser(journal, VISITOR)
    other.send("OPUS", media.audio(12.0), ssrc=1)
    other.send("VP8", media.video("VP8", 12.0, (64, 64)), ssrc=2)
    other.send("OPUS", media.audio(10.0), start=1.5, ssrc=VOICE, mid="0")
    other.send("VP8", media.video("VP8", 10.0, SMALL), start=1.5, ssrc=PICTURE, mid="1")
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == ["Visitor audio", "Visitor audio 2", "Visitor video", "Visitor video 2"]
    assert beeps(path, "Visitor audio")[0] == pytest.approx(2.5, abs=0.06)
    assert beeps(path, "Visitor audio 2")[0] == pytest.approx(1.0, abs=0.06)
    assert len(brightness(path, "Visitor video")) == 10 * media.FPS
    assert len(brightness(path, "Visitor video 2")) == 12 * media.FPS


def test_a_camera_that_is_turned_off_leaves_black(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    off = sdp([("0", "audio"), ("1", "video")]).replace("a=mid:1\r\n", "a=mid:1\r\na=recvonly\r\n")
    journal.note(4.0, type="descriptions", visitor=off, agent=off)
    journal.describe(8.0)
    browser = talk(journal, VISITOR, 12.0, "")
    again: Any = {"ssrc": PICTURE, "mid": "1"}
    browser.send("VP8", media.video("VP8", 4.0, SMALL), **again)
    browser.send("VP8", media.video("VP8", 4.0, SMALL), start=8.0, sequence=65_000 + 60, **again)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == FOUR[:2]
    seen = brightness(path, "Visitor video")
    off_camera = [(at, light) for at, light in seen if 3.95 < at < 7.9]
    assert [round(at) for at, _ in off_camera] == [4]
    assert off_camera[0][1] < DARK
    assert [round(at) for at in flashes(path, "Visitor video")] == [1, 3, 9, 11]


SILENCE_BYTES = 3
DTX_SECONDS = 0.4
"""Interval between two packets of Chromium's Opus encoder during silence."""


def sound_packets(path: Path) -> list[tuple[float, int]]:
    """Return time and size of each packet of the visitor's audio in the file."""
    with av.open(str(path)) as container:
        stream = stream_of(container, "Visitor audio")
        packets = [packet for packet in container.demux(stream) if packet.size]
        return [(float(packet.pts * stream.time_base), packet.size) for packet in packets]


@pytest.mark.parametrize("skipped", [0, 30_000, 40_000, 60_000, 65_000])
def test_a_voice_comes_back_after_twenty_minutes_muted(tmp_path: Path, skipped: int) -> None:
    """The browser stops sending, with or without a jump of the sequence numbers."""
    muted = 1200.0
    spoken = [(at, frame) for at, frame in media.audio(4.0) if len(frame) > SILENCE_BYTES]
    journal = Journal()
    journal.describe()
    for turn, start in enumerate((0.0, 4.0 + muted)):
        for number, (at, frame) in enumerate(spoken):
            sequence = (turn * (len(spoken) + skipped) + number) % 65536
            stamp = round((start + at) * 48_000) % 2**32
            packet = rtp(111, False, sequence, stamp, VOICE, frame, "0")
            journal.records.append((start + at + DELAY, RecordKind.RTP, VISITOR, packet))
    journal.write(tmp_path, 1)
    heard = [at for at, size in sound_packets(muxed(tmp_path)) if size > SILENCE_BYTES]
    first = spoken[0][0]
    expected = [start + at - first for start in (0.0, 4.0 + muted) for at, _ in spoken]
    assert heard == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("report_every", [5.0, 0.0])
def test_discontinuous_transmission_keeps_every_sound_in_its_place(
    tmp_path: Path, report_every: float
) -> None:
    """Audio may begin with silence: its track begins with the first packet."""
    length, last, sent = 12.0, -1.0, []
    for at, frame in media.audio(length):
        is_sound = media.is_flash(at + 1e-6) or media.is_flash(at - 0.1)
        if is_sound or at - last >= DTX_SECONDS - 1e-6:
            sent.append(Sent(at, frame if is_sound else b"\xf8\xff\xfe"))
            last = at
    assert len(sent) < 200
    path = record_voice(tmp_path, sent, length, report_every=report_every)
    assert_beeps(path, sent, length)
    times = [at for at, _ in sound_packets(path)]
    assert times[0] == pytest.approx(0.0, abs=0.1)
    assert times[-1] == pytest.approx(length, abs=DTX_SECONDS + 0.1)
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.13


def test_lips_are_where_the_reports_of_the_whole_call_place_them(tmp_path: Path) -> None:
    """The video's reports have RTP times of 2.3 seconds earlier; browsers use them as well."""
    length, lag = 14.0, 2.3
    journal = Journal()
    journal.describe()
    talk(journal, AGENT, length, "")
    talk(journal, VISITOR, length, "VP8", size=SMALL)
    picture = VISITOR * 1000 + 10
    for index, (at, kind, leg, data) in enumerate(journal.records):
        if kind is RecordKind.RTCP and int.from_bytes(data[4:8]) == picture:
            stamp = (int.from_bytes(data[16:20]) - round(lag * 90_000)) % 2**32
            journal.records[index] = at, kind, leg, data[:16] + stamp.to_bytes(4) + data[20:]
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    seen, heard = flashes(path, "Visitor video"), beeps(path, "Visitor audio")
    assert seen == pytest.approx([at + lag for at in heard], abs=0.1)
    assert len(seen) == len(heard) == 7
    assert seen == pytest.approx(beeps(path, "Agent audio"), abs=0.1)
