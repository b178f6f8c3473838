from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rtp.codecs.streams import Sent, numbered, packet, packets, push_all
from tests.synthetic import media
from visavis.rtp.codecs import DEPACKETISERS


def test_probes_between_frames_do_no_harm() -> None:
    sent = packets("VP8")
    probed = [item for pair in sent for item in (pair, (pair[0], packet(b"")))]
    assert len(push_all("VP8", numbered(probed))) == 15


def test_a_frame_whose_end_never_came_breaks_what_follows() -> None:
    sent = list(packets("VP8"))
    ends = [index for index, (_, p) in enumerate(sent) if p.marker]
    first = sent[ends[1]]
    sent[ends[1]] = (first[0], packet(first[1].payload))
    assert [frame.timestamp for frame in push_all("VP8", numbered(sent))] == [0, *range(8, 15)]


@pytest.mark.no_cover
@pytest.mark.parametrize("codec", sorted(DEPACKETISERS))
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from((0.0, 0.02, 0.2)))
def test_packets_pushed_as_runs_make_the_frames_that_they_make_one_by_one(
    codec: str, seed: int, loss: float
) -> None:
    random = Random(seed)
    sent = packets(codec) if codec != "OPUS" else voice()
    came = [item for item in numbered(sent) if random.random() >= loss]
    runs: list[tuple[int, int, list[bytes]]] = []
    singly, together = DEPACKETISERS[codec](), DEPACKETISERS[codec]()
    expected, found = [], []
    for number, stamp, (marker, payload) in came:
        expected.append(singly.push(number, stamp, marker, payload))
        if runs and runs[-1][0] + len(runs[-1][2]) == number and runs[-1][1] == stamp:
            runs[-1][2].append(payload)
        else:
            found += [
                together.push(first + index, at, False, one)
                for first, at, run in runs
                for index, one in enumerate(run)
            ]
            runs = [(number, stamp, [payload])]
        if marker:
            found += together.push_run(*runs.pop())
    assert [frame for frame in found if frame] == [frame for frame in expected if frame]


def voice() -> list[tuple[int, Sent]]:
    sounds = [data for _, data in media.audio(1.0)]
    return [(number, packet(data, marker=True)) for number, data in enumerate(sounds)]
