"""Participants of a recording: any number of legs, transfers, and earlier journals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.test_mux import MANIFEST, attached, talk, titles
from tests.running import decoding_errors
from tests.synthetic.call import BEGIN, Journal
from visavis.archive.media_info import ListedParticipant
from visavis.archive.media_reader import read_media_info
from visavis.archive.rendition_plan import plan
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.protocol.attachment import RecordedParticipant
from visavis.recorder.mux import scan
from visavis.recorder.mux.matroska import mux
from visavis.recorder.mux.scan import scan_journals

SECONDS = 1.5
ANN, BO, CY = (1, "visitor", "Ann"), (2, "agent", "Bo"), (3, "agent", "Cy")


def test_three_legs_are_three_participants_with_tracks_of_their_own(tmp_path: Path) -> None:
    journal = Journal(participants=(ANN, BO, CY))
    journal.describe()
    talk(journal, VISITOR_LEG, SECONDS, "")
    talk(journal, AGENT_LEG, SECONDS, "")
    talk(journal, 3, SECONDS, "VP8")
    journal.write(tmp_path, 1)
    result = mux(tmp_path, MANIFEST)
    assert result
    assert decoding_errors(result.path) == ""
    assert titles(result.path) == [
        "Visitor audio",
        "Agent audio",
        "Agent 2 audio",
        "Agent 2 video",
    ]
    assert list(result.packets) == [
        "visitor audio",
        "agent audio",
        "agent 2 audio",
        "agent 2 video",
    ]
    report = attached(result.path)
    assert report.version == 2
    assert report.participants == (
        RecordedParticipant(1, "visitor", "Ann", ("Visitor audio",)),
        RecordedParticipant(2, "agent", "Bo", ("Agent audio",)),
        RecordedParticipant(3, "agent", "Cy", ("Agent 2 audio", "Agent 2 video")),
    )
    info = read_media_info(result.path)
    assert info.participants == (
        ListedParticipant(*ANN),
        ListedParticipant(*BO),
        ListedParticipant(*CY),
    )
    assert [(part.name, part.kind, part.participants) for part in plan(info.tracks)] == [
        ("visitor", "audio", (1,)),
        ("agent", "audio", (2,)),
        ("agent2", "video", (3,)),
    ]


def test_a_third_who_joins_later_and_leaves_has_their_own_time(tmp_path: Path) -> None:
    """The tracks of the others are not affected."""
    journal = Journal(participants=(ANN, BO))
    journal.describe()
    for leg in (VISITOR_LEG, AGENT_LEG):
        talk(journal, leg, 4.0, "")
    journal.participants = (ANN, BO, CY)
    journal.describe(1.0)
    talk(journal, 3, SECONDS, "VP8", start=1.0)
    journal.participants = (ANN, BO)
    journal.describe(3.0)
    found = scan_journals([journal.write(tmp_path, 1)])
    starts = {track.name: round(track.start - BEGIN, 1) for track in found.tracks}
    assert starts == {
        "Visitor audio": 0.0,
        "Agent audio": 0.0,
        "Agent 2 audio": 1.0,
        "Agent 2 video": 1.0,
    }
    assert [(leg, content) for _, leg, content in found.ends_of_video] == [(3, "video")]
    assert found.end - found.start == pytest.approx(4.0, abs=0.1)


def test_agents_who_follow_each_other_share_their_tracks(tmp_path: Path) -> None:
    for number, agent in enumerate((BO, CY), start=1):
        start = (number - 1) * SECONDS
        journal = Journal(participants=(ANN, agent))
        journal.describe(start)
        for leg in (VISITOR_LEG, AGENT_LEG):
            talk(journal, leg, SECONDS, "", start=start, base=number * 100)
        journal.write(tmp_path, number)
    result = mux(tmp_path, MANIFEST)
    assert result
    assert titles(result.path) == ["Visitor audio", "Agent audio"]
    assert attached(result.path).participants == (
        RecordedParticipant(1, "visitor", "Ann", ("Visitor audio",)),
        RecordedParticipant(2, "agent", "Bo", ("Agent audio",)),
        RecordedParticipant(3, "agent", "Cy", ("Agent audio",)),
    )
    tracks = read_media_info(result.path).tracks
    assert [part.participants for part in plan(tracks)] == [(1,), (2, 3)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_journal_of_an_earlier_version_becomes_the_same_recording(
    tmp_path: Path, version: int
) -> None:
    """Its notes have no names, so those of the manifest are used."""
    journal = Journal(version=version)
    journal.describe(visitorScreenMid="2")
    for leg in (VISITOR_LEG, AGENT_LEG):
        talk(journal, leg, SECONDS, "VP8").send("OPUS", [(0.0, b"\xf8\xff\xfe")], ssrc=leg, mid="0")
    journal.write(tmp_path, 1)
    result = mux(tmp_path, MANIFEST)
    assert result
    four = ["Visitor audio", "Visitor video", "Agent audio", "Agent video"]
    assert titles(result.path) == four
    assert attached(result.path).participants == (
        RecordedParticipant(1, "visitor", "Ann", tuple(four[:2])),
        RecordedParticipant(2, "agent", "Bo", tuple(four[2:])),
    )


def test_the_participants_of_a_leg_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_PARTICIPANTS", 2)
    paths: list[Path] = []
    for number in (2, 3, 4, 2):
        journal = Journal(participants=(ANN, (number, "agent", "Bo")))
        journal.describe()
        paths.append(journal.write(tmp_path, len(paths) + 1))
    found = scan_journals(paths)
    assert list(found.participants[AGENT_LEG]) == [2, 3]
    assert (found.role(VISITOR_LEG), found.role(AGENT_LEG), found.role(9)) == (
        "visitor",
        "agent",
        "",
    )
