from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest
from msgspec import structs

from tests.recorder.journals import put_clock, shift_times
from tests.running import decoding_errors, ffprobe
from tests.synthetic import media
from tests.synthetic.call import BEGIN, Browser, Journal, Network, rtp, sdp
from tests.synthetic.matroska import without_uids
from tests.synthetic.watch import DARK, LOUD, beeps, brightness, flashes, loudness
from visavis.domain.call_events import CallEvent, CallReport
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.domain.recording import MATROSKA, Manifest
from visavis.protocol.attachment import RecordedCallReport
from visavis.recorder.mux.matroska import mux
from visavis.spool import pieces
from visavis.spool import reader as spool_reader
from visavis.spool.format import RecordKind
from visavis.spool.writer import create_journal

VISITOR, AGENT = VISITOR_LEG, AGENT_LEG
VIDEO_CODECS = ("VP8", "VP9", "H264", "AV1")
FOUR = ["Visitor audio", "Visitor video", "Agent audio", "Agent video"]
MANIFEST = Manifest(
    recording_id="rec",
    site_id=1,
    call_id="call",
    media="video",
    visitor_name="Ann",
    agent_name="Bo",
    started_at=datetime.fromtimestamp(BEGIN, UTC),
)


def talk(
    journal: Journal,
    leg: int,
    seconds: float,
    codec: str = "VP8",
    *,
    start: float = 0.0,
    base: int = 0,
    size: tuple[int, int] = (160, 120),
    **browser: Any,
) -> Browser:
    """Return a browser that sends audio and, unless `codec` is empty, video."""
    sender = Browser(journal, leg, **browser)
    ssrc = base + 1000 * leg
    sender.send("OPUS", media.audio(seconds), start=start, ssrc=ssrc, mid="0")
    if codec:
        frames = media.video(codec, seconds, size)
        sender.send(codec, frames, start=start, ssrc=ssrc + 10, mid="1", encoding=0.015)
    return sender


def muxed(directory: Path, report: CallReport | None = None) -> Path:
    result = mux(directory, MANIFEST, report)
    assert result is not None
    assert decoding_errors(result.path) == ""
    probed = ffprobe(result.path)
    assert result.tracks == len(probed["streams"])
    assert abs(float(probed["format"]["duration"]) - result.duration) < 0.05
    return result.path


def titles(path: Path) -> list[str]:
    return [stream["tags"]["title"] for stream in ffprobe(path)["streams"]]


def duration(path: Path) -> float:
    return float(ffprobe(path)["format"]["duration"])


def attached(path: Path) -> RecordedCallReport:
    with av.open(str(path)) as container:
        stream: Any = next(s for s in container.streams if s.type == "attachment")
        assert stream.metadata["filename"] == "call.json"
        return msgspec.json.decode(stream.data, type=RecordedCallReport)


def skews(path: Path, side: str) -> list[float]:
    """Return how much later than the flash the beep is, in seconds."""
    seen, heard = flashes(path, f"{side} video"), beeps(path, f"{side} audio")
    assert len(seen) == len(heard) >= 2
    return [beep - flash for flash, beep in zip(seen, heard, strict=True)]


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_flash_and_beep_of_both_sides_are_in_step(tmp_path: Path, codec: str) -> None:
    """The clocks are seconds apart and drift; packets are lost and repaired, or out of order."""
    journal = Journal()
    journal.describe()
    one, other = (Network(seed, jitter=0.06, loss=0.02) for seed in (1, 2))
    talk(journal, VISITOR, 8.0, codec, offset=3.7, drift=1e-4, network=one)
    talk(journal, AGENT, 8.0, codec, offset=-60, drift=-1e-4, network=other)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)

    assert titles(path) == FOUR
    assert abs(duration(path) - 8.0) < 0.1
    assert all(abs(skew) < 0.04 for side in ("Visitor", "Agent") for skew in skews(path, side))
    both = zip(flashes(path, "Visitor video"), flashes(path, "Agent video"), strict=True)
    assert all(abs(visitor - agent) < 0.06 for visitor, agent in both)
    # No video frame is missing, as lost packets were retransmitted.
    assert len(brightness(path, "Visitor video")) == 8 * media.FPS


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_after_a_loss_that_nobody_repairs_it_goes_on_with_a_key_frame(
    tmp_path: Path, codec: str
) -> None:
    journal = Journal()
    journal.describe()
    lossy = Network(5, loss=0.01, repairs=False)
    talk(journal, VISITOR, 8.0, codec, network=lossy, size=(640, 360))
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert 0 < len(brightness(path, "Visitor video")) < 8 * media.FPS


def test_without_sender_reports_arrival_serves(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 8.0, has_reports=False, network=Network(jitter=0.1))
    journal.write(tmp_path, 1)
    assert all(abs(skew) < 0.04 for skew in skews(muxed(tmp_path), "Visitor"))


def test_what_came_ahead_of_the_first_description_has_its_time(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe(0.09)
    talk(journal, VISITOR, 3)
    talk(journal, AGENT, 3, start=0.5)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == FOUR
    with av.open(str(path)) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.pts is not None]
    assert times[:6] == [0, 20, 40, 60, 80, 100]


def test_audio_only(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 3.0, "")
    talk(journal, AGENT, 3.0, "")
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == ["Visitor audio", "Agent audio"]
    assert abs(duration(path) - 3.0) < 0.1


def test_no_media_makes_no_file(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    journal.write(tmp_path, 1)
    assert mux(tmp_path, MANIFEST) is None
    assert not (tmp_path / MATROSKA).exists()


def test_a_pause_is_silent_and_black_and_keeps_its_place(tmp_path: Path) -> None:
    for codec in VIDEO_CODECS:
        directory = tmp_path / codec
        journal = Journal()
        journal.describe()
        talk(journal, VISITOR, 10.0, codec)
        talk(journal, AGENT, 10.0, codec)
        journal.pause(2.5, 5.5)  # The flashes at 3 and 5 seconds are in the pause.
        journal.write(directory, 1)
        path = muxed(directory)

        assert abs(duration(path) - 10.0) < 0.1
        assert [round(time) for time in beeps(path, "Agent audio")] == [1, 7, 9]
        assert [round(time) for time in flashes(path, "Agent video")] == [1, 7, 9]
        paused = [peak for time, peak in loudness(path, "Visitor audio") if 2.6 < time < 5.4]
        assert len(paused) > 2700
        assert max(paused) < 5
        black = [light for time, light in brightness(path, "Visitor video") if 2.6 < time < 5.4]
        assert len(black) >= 2
        assert max(black) < DARK
        # Sound and picture are recorded again.
        assert max(peak for time, peak in loudness(path, "Visitor audio") if time > 6) > LOUD
        assert attached(path).pauses == ((2.47, 5.47),)


def test_a_pause_until_the_end(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 3.0)
    journal.pause(1.5, None)
    journal.write(tmp_path, 1, is_sealed_at=6.0)
    path = muxed(tmp_path)
    assert abs(duration(path) - 6.0) < 0.1
    assert brightness(path, "Visitor video")[-1][1] < DARK


def test_nothing_captured_in_a_pause_is_kept_though_it_came_later(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 4.0, "", network=Network(delay=0.5))
    journal.note(1.0, type="paused")
    journal.note(2.0, type="resumed")
    journal.write(tmp_path, 1)
    assert not [time for time in beeps(muxed(tmp_path), "Visitor audio") if 0.45 < time < 1.5]


@pytest.mark.parametrize("step", [-60, 60])
def test_a_wall_clock_that_is_set_between_two_links_moves_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    booted_at = BEGIN - time.monotonic()
    for number, (start, ahead) in enumerate(((0.0, 0), (8.0, step)), start=1):
        clock = round((booted_at + ahead) * 1e9)
        monkeypatch.setattr(time, "time_ns", lambda clock=clock: clock + time.monotonic_ns())
        sent = Journal()
        sent.describe(start)
        talk(sent, VISITOR, 8.0, start=start, base=number * 100, offset=ahead)
        talk(sent, AGENT, 8.0, start=start, base=number * 100)
        writer = create_journal(tmp_path, MANIFEST, number, pytest.fail)
        for at, kind, leg, data in sorted(sent.records, key=lambda record: record[0]):
            writer.append(round((BEGIN + at - booted_at) * 1e6), kind, leg, data)
        writer.close()
    path = muxed(tmp_path / "rec")
    for title in ("Visitor audio", "Agent audio"):
        assert beeps(path, title) == pytest.approx([1, 3, 5, 7, 9, 11, 13, 15], abs=0.1)
    for title in ("Visitor video", "Agent video"):
        assert flashes(path, title) == pytest.approx([1, 3, 5, 7, 9, 11, 13, 15], abs=0.1)


def test_another_agent_and_links_that_overlap(tmp_path: Path) -> None:
    first, second = Journal(), Journal()
    first.describe()
    second.describe(4.0)
    talk(first, VISITOR, 5.0, offset=5)
    talk(first, AGENT, 5.0, offset=1)
    talk(second, VISITOR, 6.0, start=4.0, base=20, offset=5)
    talk(second, AGENT, 6.0, start=4.0, base=20, offset=-9, size=(320, 240))
    first.write(tmp_path, 1)
    second.write(tmp_path, 2)
    path = muxed(tmp_path)

    assert titles(path) == FOUR
    assert abs(duration(path) - 10.0) < 0.1
    # The second bridge has flashes at 4 + 1, 4 + 3, …; the first bridge's flash at 5 was cut off.
    for track in ("Visitor video", "Agent video"):
        assert [round(time, 1) for time in flashes(path, track)] == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert [round(time, 1) for time in beeps(path, "Agent audio")] == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert all(abs(skew) < 0.04 for skew in skews(path, "Agent"))


def test_a_codec_changed_in_mid_call_makes_a_second_track(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    browser = talk(journal, VISITOR, 8.0, "")
    same: Any = {"ssrc": 1010, "mid": "1"}
    browser.send("VP8", media.video("VP8", 4.0), **same)
    browser.send("VP9", media.video("VP9", 4.0), start=4.0, sequence=65_000 + 60, **same)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    probed = [(s["tags"]["title"], s["codec_name"]) for s in ffprobe(path)["streams"]]
    assert probed[1:] == [("Visitor video", "vp8"), ("Visitor video 2", "vp9")]
    assert min(time for time, _ in brightness(path, "Visitor video 2")) == pytest.approx(
        4.0, abs=0.1
    )


def test_a_new_source_and_another_resolution_stay_one_track(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    browser = talk(journal, VISITOR, 9.0, "")
    for number, size in enumerate([(160, 120), (320, 240), (160, 90)]):
        browser.send(
            "VP8", media.video("VP8", 3.0, size), start=3.0 * number, ssrc=7 + number, mid="1"
        )
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == FOUR[:2]
    assert len(brightness(path, "Visitor video")) == 9 * media.FPS


def test_a_shared_screen_is_a_track_of_its_own_and_black_after_it(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    browser = talk(journal, AGENT, 8.0)
    screen = media.video("VP8", 3.0, (320, 180))
    browser.send("VP8", screen, start=1.9, ssrc=77, mid="2")
    journal.describe(2.0, agentScreenMid="2")
    journal.describe(5.0, agentScreenMid="")
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert titles(path) == ["Agent audio", "Agent video", "Agent screen"]
    seen = brightness(path, "Agent screen")
    assert seen[0][0] == pytest.approx(1.9, abs=0.1)
    assert seen[-1][0] == pytest.approx(5.0, abs=0.1)
    assert seen[-1][1] < DARK


def test_streams_are_told_apart_by_the_description_where_packets_carry_no_mid(
    tmp_path: Path,
) -> None:
    journal = Journal()
    described = sdp([("0", "audio"), ("1", "video"), ("2", "video")], {"1": [30], "2": [40]})
    note = {"type": "descriptions", "visitor": described, "agent": sdp([("0", "audio")])}
    journal.note(0.0, **note, visitorScreenMid="2")
    browser = Browser(journal, VISITOR, network=Network(3, loss=0.05))
    browser.send("OPUS", media.audio(4.0), ssrc=20)
    browser.send("VP8", media.video("VP8", 4.0), ssrc=30)
    browser.send("VP8", media.video("VP8", 4.0, (320, 180)), ssrc=40)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    probed = {s["tags"]["title"]: s.get("width") for s in ffprobe(path)["streams"]}
    assert probed == {"Visitor audio": None, "Visitor video": 160, "Visitor screen": 320}
    assert len(brightness(path, "Visitor screen")) == 4 * media.FPS


def test_a_media_worker_that_died_leaves_a_gap_of_its_own_length(tmp_path: Path) -> None:
    first, second = Journal(), Journal()
    first.describe()
    second.describe(6.0)
    talk(first, VISITOR, 4.0)
    talk(second, VISITOR, 4.0, start=6.0, base=50)
    torn = first.write(tmp_path, 1)
    torn.write_bytes(torn.read_bytes()[:-700])
    second.write(tmp_path, 2)
    path = muxed(tmp_path)
    assert abs(duration(path) - 10.0) < 0.1
    assert [round(time, 1) for time in beeps(path, "Visitor audio")] == [1, 3, 7, 9]
    # The audio has no gap, so players stay in sync.
    times = [time for time, _ in loudness(path, "Visitor audio")]
    assert max(b - a for a, b in pairwise(times)) < 0.05


def test_chapters_tags_and_the_whole_report_are_in_the_file(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 6.0)
    journal.note(3.0, type="gap", records=7)
    journal.write(tmp_path, 1)

    def event(at: float, name: str, by: Any = "system", **data: Any) -> CallEvent:
        return CallEvent(datetime.fromtimestamp(BEGIN + at, UTC), name, by, data)

    report = CallReport(
        call_id="call",
        site_id=1,
        media="video",
        visitor_name="Ann",
        visitor_email="ann@example.com",
        agent_names=("Bo", "Cy"),
        consent="agreed",
        events=(
            event(-9, "ringing"),
            event(-0.2, "connected"),
            event(1.5, "text", "visitor", text="hello"),
            event(2.0, "shareStarted", "agent", side="agent"),
            event(3.0, "reconnecting"),
            event(4.0, "connected"),
            event(5.0, "transferred", "agent", agentName="Cy", agentId=3),
            event(5.7, "reconnecting"),  # The page that hangs up disconnects at once.
            event(6.0, "ended"),
        ),
        quality={"visitor": {"mos": 4.2}},
    )
    path = muxed(tmp_path, report)

    probed = ffprobe(path)
    told = [(float(c["start_time"]), c["tags"]["title"]) for c in probed["chapters"]]
    assert [title for _, title in told] == [
        "Connected",
        "The agent shares their screen",
        "Connection lost",
        "Connected again",
        "Transferred to Cy",
    ]
    assert [round(start) for start, _ in told] == [0, 2, 3, 4, 5]
    tags = probed["format"]["tags"]
    assert tags["title"] == "Call call"
    assert (tags["SITE"], tags["CALL"], tags["RECORDING"]) == ("1", "call", "rec")
    assert (tags["VISITOR"], tags["AGENT"], tags["CONSENT"]) == ("Ann", "Bo, Cy", "agreed")
    assert tags["SOFTWARE"].startswith("Visavis ")

    found = attached(path)
    assert list(map(structs.astuple, found.events)) == list(map(structs.astuple, report.events))
    assert found.quality == report.quality
    assert found.started_at.timestamp() == pytest.approx(BEGIN, abs=0.1)
    assert found.duration == pytest.approx(duration(path), abs=0.1)
    assert [track.name for track in found.tracks] == FOUR[:2]
    assert found.lost_records == 7


@pytest.mark.parametrize("step", [-3.0, 60.0])
def test_chapters_keep_their_place_when_the_wall_clock_is_set(tmp_path: Path, step: float) -> None:
    """Events have times of the wall clock, packets have times of the recording's clock."""
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 9.0)
    journal.note(4.2, type="wallClock", aheadUs=round(step * 1e6))
    journal.write(tmp_path, 1)

    def event(at: float, name: str) -> CallEvent:
        told = (
            at if at < 4.0 else at + step
        )  # The clock is set at 4.0 s, which is noticed at 4.2 s.
        return CallEvent(datetime.fromtimestamp(BEGIN + told, UTC), name)

    events = [event(0.1, "connected"), event(3.5, "reconnecting"), event(4.1, "connected")]
    events += [event(6.0, "shareStarted"), event(8.0, "shareStopped"), event(9.0, "ended")]
    report = CallReport(call_id="call", site_id=1, media="video", events=tuple(events))
    path = muxed(tmp_path, report)
    starts = [float(chapter["start_time"]) for chapter in ffprobe(path)["chapters"]]
    assert starts == pytest.approx([0.0, 3.5, 4.1, 6.0, 8.0], abs=0.05)
    assert [one.at.timestamp() - BEGIN for one in attached(path).events] == pytest.approx(
        [0.1, 3.5, 4.1, 6.0, 8.0, 9.0], abs=0.01
    )


def test_without_a_report_the_events_of_the_journal_are_used(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 5.0, "")
    journal.pause(2.0, 3.0)
    at = datetime.fromtimestamp(BEGIN + 0.1, UTC).isoformat()
    journal.note(0.1, type="event", name="connected", at=at)
    journal.write(tmp_path, 1)
    chapters = ffprobe(muxed(tmp_path))["chapters"]
    told = [chapter["tags"]["title"] for chapter in chapters]
    assert told == ["Connected", "Recording paused", "Recording resumed"]


def test_cues_and_duration_come_before_the_media(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 6.0)
    journal.write(tmp_path, 1)
    data = muxed(tmp_path).read_bytes()
    assert data.index(bytes.fromhex("1c53bb6b")) < data.index(bytes.fromhex("1f43b675"))


def test_a_call_of_long_silences_is_followed(tmp_path: Path) -> None:
    """After a silence, sequence numbers may start anywhere, and timestamps wrap."""
    journal = Journal()
    journal.describe()
    browser = Browser(journal, VISITOR)
    for start in (0.0, 900.0, 1800.0):
        browser.send(
            "OPUS",
            media.audio(2.0),
            start=start,
            ssrc=1,
            mid="0",
            sequence=65_500 - round(start),
        )
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert abs(duration(path) - 1802) < 0.1


def test_a_clock_that_is_set_makes_no_days_of_silence(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 2.0, "")
    talk(journal, VISITOR, 2.0, "", start=1e6, base=30)
    journal.write(tmp_path, 1)
    result = mux(tmp_path, MANIFEST)
    assert result is not None
    assert result.duration == pytest.approx(1e6 + 2, abs=0.1)
    assert result.path.stat().st_size < 200_000


def test_clocks_that_are_absurd_leave_the_arrival(tmp_path: Path) -> None:
    """Timestamps of one browser that jump by an hour do not affect the other's times."""
    journal = Journal()
    journal.describe()
    browser = Browser(journal, VISITOR, has_reports=False)
    browser.send("OPUS", media.audio(3.0), ssrc=1, mid="0", timestamp=0)
    later: Any = {"start": 3.0, "sequence": 65_150}
    browser.send("OPUS", media.audio(3.0), ssrc=1, mid="0", timestamp=3600 * 48_000, **later)
    talk(journal, AGENT, 6.0)
    journal.write(tmp_path, 1)
    path = muxed(tmp_path)
    assert abs(duration(path) - 6.0) < 0.1
    assert [round(time) for time in beeps(path, "Visitor audio")] == [1, 4]


def test_only_so_many_streams_are_followed(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 2.0)
    for ssrc in range(100):
        journal.records.append(
            (1.0, RecordKind.RTP, AGENT, rtp(111, False, 1, 0, ssrc, b"\xf8\xff\xfe"))
        )
    # Video in the audio stream, and a retransmission for an unknown stream.
    journal.records.append((1.5, RecordKind.RTP, VISITOR, rtp(96, True, 1, 0, 1000, b"\x10xxx")))
    journal.records.append((1.5, RecordKind.RTP, AGENT, rtp(97, True, 1, 0, 5, b"\0\0\x10xxx")))
    journal.write(tmp_path, 1)
    assert titles(muxed(tmp_path)) == ["Visitor audio", "Visitor video", "Agent audio"]


def test_garbage_costs_nothing_but_itself(tmp_path: Path) -> None:
    journal = Journal()
    journal.describe()
    talk(journal, VISITOR, 4.0)
    talk(journal, AGENT, 4.0)
    for number, payload_type in enumerate([96, 98, 102, 45, 111, 97, 99, 127]):
        for index in range(20):
            data = bytes((index * 37 + number * 11 + k * k) % 256 for k in range(index * 9))
            packet = rtp(payload_type, index % 3 == 0, index, 0, 900 + number, data, "1")
            journal.records.append((0.2 * index, RecordKind.RTP, AGENT, packet))
    absurd = bytes.fromhex("80c80006000003e8") + b"\xff" * 16
    journal.records.append((2.0, RecordKind.RTCP, VISITOR, absurd))
    journal.records.append((1.0, RecordKind.RTP, VISITOR, b""))
    journal.note(1.0, type="descriptions", visitor="v=0\r\nm=", agent=7)
    journal.note(1.0, type="unheard of")
    journal.note(1.0, kind="none")
    journal.write(tmp_path, 1)
    (tmp_path / "0002.journal").write_bytes(b"not a journal at all, really not")
    (tmp_path / "0003.journal").write_bytes(b"VISA")
    result = mux(tmp_path, MANIFEST)
    assert result is not None
    assert set(titles(result.path)) >= set(FOUR)
    assert len(brightness(result.path, "Visitor video")) == 4 * media.FPS


def test_journals_of_two_machines_make_the_file_of_one(tmp_path: Path) -> None:
    """The call moves to another node, whose clock is an hour ahead and was set meanwhile."""
    one, two = Journal(), Journal()
    for journal, start in ((one, 0.0), (two, 3.0)):
        journal.describe(start)
        for leg in (VISITOR, AGENT):
            talk(journal, leg, 4.0, start=start, base=int(start) * 100_000)
    moved = CallEvent(datetime.fromtimestamp(BEGIN + 8.0, UTC), "screenStarted", "agent")
    report = CallReport(call_id="call", site_id=1, media="video", events=(moved,))
    whole, home, other = (tmp_path / name for name in ("whole", "home", "other"))
    for directory in (whole, home):
        one.write(directory, 1)
    two.note(5.0, type="wallClock", aheadUs=2_000_000)
    two.write(whole, 2)
    two.records.pop()  # the other node's wall clock is that much ahead of its own recording
    two.note(5.0, type="wallClock", aheadUs=2_000_000 - 3_600_000_000)
    shift_times(two.write(other, 2), 3_600_000_000)
    put_clock(home, "a", 1, 1_000_000)
    put_clock(other, "b", 2, 1_000_000 - 3_600_000_000)
    pieces.merge(other, home)
    assert len(spool_reader.journals(home)) == 2
    files = [without_uids(muxed(directory, report).read_bytes()) for directory in (whole, home)]
    assert files[0] == files[1]
    times = [event.at for event in attached(home / MATROSKA).events]
    assert times == [datetime.fromtimestamp(BEGIN + 6.0, UTC)]
