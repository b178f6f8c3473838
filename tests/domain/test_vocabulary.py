from __future__ import annotations

from typing import get_args

from visavis.domain.leg import CallRole
from visavis.domain.vocabulary import Media, Party


def test_media_are_audio_or_video() -> None:
    assert get_args(Media) == ("audio", "video")


def test_every_side_of_a_call_is_a_party_and_so_is_the_server() -> None:
    assert set(get_args(Party)) == {str(side) for side in CallRole} | {"system"}
