"""Media received but not in the file make the recording incomplete, with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.test_mux import AGENT, MANIFEST, VISITOR, talk
from tests.synthetic import media
from tests.synthetic.call import Browser, Journal, Network, rtp, sdp
from visavis.recorder.mux.matroska import Muxed, mux
from visavis.rtp.leg_stats import MAX_STREAMS
from visavis.spool.format import RecordKind

SECONDS = 12.0


@pytest.fixture
def journal() -> Journal:
    """Return a journal with audio of both sides and without video."""
    begun = Journal()
    begun.describe()
    talk(begun, VISITOR, SECONDS, "")
    talk(begun, AGENT, SECONDS, "")
    return begun


def put(journal: Journal, at: float, data: bytes, leg: int = VISITOR) -> None:
    journal.records.append((at, RecordKind.RTP, leg, data))


def made(journal: Journal, directory: Path) -> Muxed:
    journal.write(directory, 1)
    result = mux(directory, MANIFEST)
    assert result
    for part, count in result.packets.items():
        if "written" in count:  # Every packet is counted somewhere.
            rest = count["written"] + count["superseded"] + count["refused"] + count["unused"]
            assert count["received"] == rest, part
            assert min(count.values()) >= 0, part
    return result


def pictures(journal: Journal, *, without: tuple[float, float] = (0, 0), lost: float = -1) -> None:
    """Add the visitor's video with one key frame; omit the time `without` and a packet `lost`."""
    sender = Browser(journal, VISITOR)
    start, end = without
    encoded = media.video("VP8", SECONDS, (160, 120), key_every=1000)
    frames = [frame for frame in encoded if not start < frame[0] < end]
    sender.send("VP8", frames, ssrc=1010, mid="1")
    if lost >= 0:
        of_camera = [r for r in journal.records if r[3][8:12] == (1010).to_bytes(4)]
        journal.records.remove(next(r for r in of_camera if r[0] > lost))


def test_a_whole_call_is_complete_and_every_packet_written(
    journal: Journal, tmp_path: Path
) -> None:
    pictures(journal)
    result = made(journal, tmp_path)
    assert result.missing == ()
    assert set(result.packets) == {"visitor audio", "visitor video", "agent audio"}
    for count in result.packets.values():
        assert count["received"] == count["written"] > SECONDS


def test_repaired_losses_are_none(journal: Journal, tmp_path: Path) -> None:
    talk(journal, AGENT, SECONDS, "VP8", base=50, network=Network(loss=0.05))
    assert made(journal, tmp_path).missing == ()


def test_packets_of_an_unknown_format_are_told(journal: Journal, tmp_path: Path) -> None:
    """Firefox once sent its video as RED."""
    pictures(journal)
    red = sdp([("0", "audio"), ("1", "video")]) + "a=rtpmap:118 red/90000\r\n"
    red = red.replace("SAVPF 96", "SAVPF 118 96")
    journal.note(0.001, type="descriptions", link=1, visitor=red, agent=red)
    for number in range(60):
        put(journal, 1 + number / 10, rtp(118, True, number, number * 9000, 7, b"red"))
        put(journal, 1 + number / 10, rtp(77, True, number, number * 9000, 8, b"?"), AGENT)
    result = made(journal, tmp_path)
    assert result.missing == (
        "60 packets of the visitor (RED) are missing: the recorder does not know their format.",
        "60 packets of the agent (payload type 77) are missing: "
        "the recorder does not know their format.",
    )
    assert result.packets["visitor"] == {"unknown_format": 60}


def test_a_few_stray_packets_and_probes_are_not_worth_a_word(
    journal: Journal, tmp_path: Path
) -> None:
    for number in range(50):
        put(journal, 1 + number / 10, rtp(77, True, number, number * 9000, 8, b"?"))
    for number in range(200):
        put(journal, 1 + number / 100, rtp(96, False, number, 1, 5, b"", "1"))
        put(journal, 1 + number / 100, rtp(77, False, number, 1, 6, b""))
    result = made(journal, tmp_path)
    assert result.missing == ()
    assert result.packets["visitor"] == {"unknown_format": 50}


def test_more_streams_than_are_followed(journal: Journal, tmp_path: Path) -> None:
    for number in range(2 * MAX_STREAMS):
        put(journal, 1 + number / 100, rtp(111, False, 1, 1, 5000 + number, b"\xf8\xff\xfe", "0"))
    result = made(journal, tmp_path)
    count = MAX_STREAMS + 1  # The audio is one of the followed streams.
    assert result.missing == (
        f"{count} packets of the visitor are missing: "
        "they belong to more streams than the recorder follows.",
    )


def test_streams_that_change_their_kind_repeat_nothing_or_are_no_rtp(
    journal: Journal, tmp_path: Path
) -> None:
    for number in range(51):
        at = 1 + number / 10
        put(journal, at, rtp(96, True, number, 1, 1000, b"\x10\x00", "0"))
        put(journal, at, rtp(97, True, number, 1, 1234, b"\0\1\x10\x00", "1"), AGENT)
        put(journal, at, b"\x9f" + bytes(11))
    assert {line.partition("missing: ")[2] for line in made(journal, tmp_path).missing} == {
        "they are not RTP.",
        "their stream changed between audio and video.",
        "they are retransmissions for streams that were never received.",
    }


def test_a_picture_that_stands_still_for_want_of_a_key_frame(
    journal: Journal, tmp_path: Path
) -> None:
    pictures(journal, lost=4.0)
    (sentence,) = made(journal, tmp_path).missing
    assert sentence.startswith("The visitor's video is missing for 8 s from 0:04")
    assert sentence.endswith("no complete frame could be assembled.")


def test_a_camera_that_gives_nothing_is_not_missing(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, without=(2, 3.9))
    assert made(journal, tmp_path).missing == ()


def test_silence_beside_the_voice_is_told(journal: Journal, tmp_path: Path) -> None:
    """It does not replace the audio, and gets no track of its own, as it is inaudible."""
    for number in range(500):
        at = 1 + number / 50
        put(journal, at, rtp(111, False, number, number * 960, 7, b"\xf8\xff\xfe", "0"))
    result = made(journal, tmp_path)
    assert result.tracks == 2
    assert result.missing == (
        "500 packets of the visitor (audio) are missing: "
        "they belong to additional streams that were silent or too many.",
    )


def test_a_second_voice_is_whole_and_counted_apart(journal: Journal, tmp_path: Path) -> None:
    Browser(journal, VISITOR).send("OPUS", media.audio(SECONDS), ssrc=7)
    result = made(journal, tmp_path)
    assert (result.tracks, result.missing) == (3, ())
    count = result.packets["visitor audio"]
    assert count["received"] == count["written"] == 2 * count["beside"]
    assert "beside" not in result.packets["agent audio"]


def test_a_pause_is_not_missing(journal: Journal, tmp_path: Path) -> None:
    journal.pause(3, 9)
    assert made(journal, tmp_path).missing == ()


def test_a_stop_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.note(5, type="stopped", why="it has lasted 2 hours")
    assert made(journal, tmp_path).missing == (
        "Everything from 0:05 on is missing: "
        "the recording was stopped because it has lasted 2 hours.",
    )


def test_a_slow_disk_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.note(5, type="gap", records=7)
    assert made(journal, tmp_path).missing == (
        "7 packets are missing: the disk was too slow for them.",
    )
