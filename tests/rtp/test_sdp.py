from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Candidate, LocalTransport
from visavis.rtp.extension import MID_URI, REPAIRED_RID_URI, RID_URI
from visavis.rtp.sdp import (
    ORIENTATION_URI,
    RECORDABLE,
    MediaSection,
    media_sections,
    provisional_answer,
    read_transport,
    restrict_codecs,
    rewrite,
    sent_video,
)

DATA = Path(__file__).parent / "data"
OFFER = (DATA / "chromium-offer.sdp").read_bytes().decode()
ANSWER = (DATA / "chromium-answer.sdp").read_bytes().decode()
OURS = LocalTransport(
    "usr1", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), (Candidate("192.0.2.1", 8081),)
)


def test_chromium_s_offer_keeps_only_what_can_be_recorded() -> None:
    audio, video = media_sections(restrict_codecs(OFFER))
    assert [codec.name for codec in audio.codecs.values()] == ["OPUS"]
    assert {codec.name for codec in video.codecs.values()} == {"VP8", "VP9", "H264", "AV1", "RTX"}
    media = {pt for pt, codec in video.codecs.items() if codec.name != "RTX"}
    assert {codec.apt for codec in video.codecs.values() if codec.name == "RTX"} == media
    assert read_transport(OFFER).video_payload_types == tuple(media_only(video))
    assert read_transport(OFFER).audio_payload_types == tuple(audio.codecs)


def media_only(section: MediaSection) -> list[int]:
    return [number for number, codec in section.codecs.items() if codec.name != "RTX"]


CAPTURED = Path(__file__).parents[1] / "media" / "data"
FIREFOX_OFFER = (CAPTURED / "firefox-offer.sdp").read_bytes().decode()
BUNDLE_ONLY = re.sub(
    r"(m=video) 9 (.*)\r\nc=IN IP4 0.0.0.0\r\n", r"\1 0 \2\r\na=bundle-only\r\n", OFFER
)
"""Chromium's video section with H.265, in Firefox's form with the bundle policy max-bundle."""

BUNDLE_ONLY = BUNDLE_ONLY.replace("AV1/90000", "H265/90000", 1)
SCREEN = (
    "m=video 0 UDP/TLS/RTP/SAVPF 120 121 126 100\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\n"
    "a=mid:2\r\na=sendonly\r\na=extmap:9 urn:3gpp:video-orientation\r\n"
    "a=rtpmap:120 VP8/90000\r\na=rtpmap:121 red/90000\r\na=rtpmap:126 ulpfec/90000\r\n"
    "a=rtpmap:100 H265/90000\r\n"
)
"""Sections that a later offer of Firefox adds."""

SECOND_AUDIO = (
    "m=audio 0 UDP/TLS/RTP/SAVPF 109 0\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\na=mid:3\r\n"
    "a=rtpmap:109 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n"
)


@pytest.mark.parametrize(
    "offer", [FIREFOX_OFFER, FIREFOX_OFFER + SCREEN, FIREFOX_OFFER + SECOND_AUDIO, BUNDLE_ONLY]
)
def test_bundle_only_sections_are_offers_too(offer: str) -> None:
    """See RFC 9143 §6."""
    assert "a=bundle-only" in offer
    restricted = restrict_codecs(offer)
    assert restricted.count("a=bundle-only") == offer.count("a=bundle-only")
    for section in media_sections(restricted):
        names = {codec.name for codec in section.codecs.values()}
        assert names - {"RTX"} <= RECORDABLE[section.kind]
        assert names & RECORDABLE[section.kind]
    assert ORIENTATION_URI not in restricted
    assert len(sent_video(restricted)) == len(sent_video(offer)) == offer.count("m=video")


def test_a_provisional_answer_takes_bundle_only_sections_up() -> None:
    """Port 0 would reject them, and an answer cannot be bundle-only (RFC 9143 §7.3)."""
    answer = provisional_answer(restrict_codecs(FIREFOX_OFFER + SCREEN), OURS)
    assert "a=bundle-only" not in answer
    ports = [line.split()[1] for line in answer.splitlines() if line.startswith("m=")]
    assert ports == ["8081"] * 3


def test_a_rejected_section_stays_rejected_and_as_it_is() -> None:
    rejected = "m=video 0 UDP/TLS/RTP/SAVPF 100\r\na=mid:9\r\na=rtpmap:100 H265/90000\r\n"
    assert restrict_codecs(OFFER + rejected).endswith(rejected)
    assert "m=video 0 UDP/TLS/RTP/SAVPF 100\r\n" in provisional_answer(OFFER + rejected, OURS)
    assert "9" not in sent_video(OFFER + rejected)


def test_what_is_kept_is_as_the_browser_wrote_it() -> None:
    """The order of the codecs and their parameters are kept."""
    before, after = media_sections(OFFER)[1], media_sections(restrict_codecs(OFFER))[1]
    assert list(after.codecs) == [number for number in before.codecs if number in after.codecs]
    profiles = [line for line in OFFER.splitlines() if "profile-level-id" in line]
    assert profiles
    assert [line for line in restrict_codecs(OFFER).splitlines() if line in profiles] == profiles


def test_pictures_are_to_come_upright() -> None:
    assert "urn:3gpp:video-orientation" in OFFER
    assert "urn:3gpp:video-orientation" not in restrict_codecs(OFFER)


def test_sources_and_the_number_of_the_mid() -> None:
    audio, video = media_sections(OFFER)
    assert audio.sources == {3347940808}
    assert audio.extensions[MID_URI] == video.extensions[MID_URI] == 4
    ((repair, source),) = video.repairs.items()
    assert video.sources == {repair, source}


@pytest.mark.parametrize("sdp", [OFFER, ANSWER])
def test_transport_is_ours_and_nothing_of_the_browser_s_is_left(sdp: str) -> None:
    theirs = read_transport(sdp)
    rewritten = rewrite(sdp, OURS, "passive")
    ours = read_transport(rewritten)

    assert (ours.ufrag, ours.pwd, ours.fingerprint) == (OURS.ufrag, OURS.pwd, OURS.fingerprint)
    assert theirs.ufrag not in rewritten
    assert theirs.fingerprint not in rewritten
    assert "ice-options" not in rewritten
    assert rewritten.count("typ host") == len(media_sections(sdp))
    assert rewritten.index("a=ice-lite") < rewritten.index("m=")


def test_candidates_by_udp_and_by_tcp_of_both_families() -> None:
    candidates = (
        Candidate("192.0.2.1", 8081),
        Candidate("2001:db8::1", 8081),
        Candidate("192.0.2.1", 8081, "tcp"),
    )
    transport = LocalTransport("usr1", "p" * 24, OURS.fingerprint, candidates)
    lines = [
        line for line in rewrite(OFFER, transport, "passive").splitlines() if "a=candidate" in line
    ]
    assert lines[:3] == [
        "a=candidate:1 1 udp 2130706175 192.0.2.1 8081 typ host",
        "a=candidate:2 1 udp 2130705919 2001:db8::1 8081 typ host",
        "a=candidate:3 1 tcp 1520434431 192.0.2.1 8081 typ host tcptype passive",
    ]
    priorities = [int(line.split()[3]) for line in lines[:3]]
    assert priorities == sorted(priorities, reverse=True)


def test_media_pass_untouched() -> None:
    kept = [line for line in OFFER.splitlines() if line.startswith(("a=extmap", "a=ssrc", "a=mid"))]
    rewritten = rewrite(OFFER, OURS, "actpass").splitlines()
    assert kept
    assert [line for line in rewritten if line in kept] == kept


def test_a_provisional_answer_takes_everything_up_and_lets_nothing_flow() -> None:
    offer = restrict_codecs(OFFER)
    answer = provisional_answer(offer, OURS)
    lines = answer.splitlines()
    assert read_transport(answer).ufrag == OURS.ufrag
    assert [line for line in lines if line in {"a=inactive", "a=sendrecv"}] == ["a=inactive"] * 2
    assert lines.count("a=setup:passive") == 2
    assert not re.search(r"a=(ssrc|msid)[:-]", answer.replace("a=msid-semantic", ""))
    offered, answered = media_sections(offer), media_sections(answer)
    assert [(s.mid, s.codecs) for s in answered] == [(s.mid, s.codecs) for s in offered]


def test_firefox_s_fingerprint_at_session_level() -> None:
    lines = OFFER.split("\r\n")
    fingerprint = next(line for line in lines if line.startswith("a=fingerprint"))
    moved = [line for line in lines if line != fingerprint]
    moved.insert(4, fingerprint)
    assert read_transport("\r\n".join(moved)) == read_transport(OFFER)


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "v=0\r\n",
        "hello",
        OFFER.replace("a=rtcp-mux\r\n", ""),
        OFFER.replace("a=group:BUNDLE", "a=group:LS"),
        OFFER.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        OFFER.replace("a=ice-pwd:", "a=ice-pwd:%"),
        OFFER + "x" * 50_000,
        OFFER + "m=audio 9 x 0\r\n" * 9,
        OFFER + "m=audio\r\n",
    ],
)
def test_what_we_cannot_serve_is_refused_in_words(sdp: str) -> None:
    with pytest.raises(VisavisError) as caught:
        read_transport(sdp)
    assert caught.value.kind is ErrorKind.ParameterInvalid


def test_an_offer_without_a_recordable_codec_is_refused() -> None:
    with pytest.raises(VisavisError, match="no video codec"):
        restrict_codecs(re.sub("(VP8|VP9|H264|AV1)/90000", "H263/90000", OFFER))


@given(st.lists(st.sampled_from([*OFFER.splitlines(), "m=", "m=audio 1", "a=rtpmap:", "a=fmtp:1"])))
def test_any_order_of_lines_is_read_or_refused(lines: list[str]) -> None:
    sdp = "v=0\r\n" + "\r\n".join(lines)
    for function in (read_transport, restrict_codecs, media_sections):
        with suppress(VisavisError):
            function(sdp)


def test_simulcast_passes_and_its_layers_are_known() -> None:
    """Browsers do not accept simulcast; the recorder handles a sender that sends it anyway."""
    lines = (
        "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\na=ssrc-group:SIM 5 6 7\r\n"
        f"a=extmap:14 {RID_URI}\r\na=extmap:13 {REPAIRED_RID_URI}\r\n"
    )
    offer = re.sub("a=extmap:1[0-9] urn:ietf:params:rtp-hdrext:sdes:.*-stream-id\r\n", "", OFFER)
    passed = rewrite(restrict_codecs(offer + lines), OURS, "actpass")
    assert all(line in passed for line in lines.splitlines())
    video = media_sections(passed)[-1]
    assert video.layers == {5: "sim0", 6: "sim1", 7: "sim2"}
    assert (video.extensions[RID_URI], video.extensions[REPAIRED_RID_URI]) == (14, 13)
