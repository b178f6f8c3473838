"""Writer of a Matroska file (RFC 9559) whose head comes from FFmpeg.

FFmpeg writes the head, because it knows the description of each codec. The clusters are written
here: a block is a frame after a few bytes, and passing each frame to FFmpeg would cost more. FFmpeg
would also copy the whole file to put the cues before the clusters; here, space is reserved for
them.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO, Final

from visavis.recorder.mux import ebml

CLUSTER_MS: Final = 1000
MAX_CLUSTER_BYTES: Final = 5 * 1024 * 1024
MIN_CLUSTER_BYTES: Final = 4 * 1024
"""A video key frame begins a new cluster, unless the previous one would be shorter than this."""

CUE_BYTES: Final = 28
"""Maximum length of a cue point in a file of less than 4 GiB and 4,000 hours."""

MAX_CUE_ROOM: Final = 4 * 1024 * 1024

_VIDEO: Final = b"\x01"
_AVC: Final = b"V_MPEG4/ISO/AVC"
_SMALL_BLOCK: Final = struct.Struct("!BHBhB")
_BLOCK: Final = struct.Struct("!BIBhB")
"""Head of a SimpleBlock: ID, size (of two or four bytes), track number, timestamp, flags."""

_MAX_SMALL: Final = (1 << 14) - 1
_BLOCK_HEAD: Final = 4
_KEY: Final = 0x80
_START_CODE: Final = b"\0\0\1"
_SEEK_POSITION: Final = struct.Struct("!Q")
_LEAST_RELATIVE: Final = -(1 << 15)
_REPLACED: Final = frozenset({ebml.SEEK_HEAD, ebml.VOID, ebml.CUES})


@dataclass(slots=True)
class ContainerTrack:
    """Track of the file. `delay` and `end` are in milliseconds.

    Timestamps in the file are later than the time of presentation by `delay` (CodecDelay in
    RFC 9559). `mark` is the track number as it is encoded in blocks. `has_lengths` is true for
    H.264 with parameter sets, whose NAL units are stored with lengths. `end` is the end of the last
    frame. `cued` is the position of the cluster with the track's last cue.
    """

    number: int
    mark: int
    uid: bytes
    is_video: bool
    delay: int
    has_lengths: bool
    end: int = 0
    cued: int = -1


class ContainerWriter:
    """Writes frames into clusters, and finally the cues and the head with the durations."""

    def __init__(self, file: BinaryIO, head: bytes, seconds: float) -> None:
        """Prepare the file.

        `head` is a Matroska file with the same tracks and without frames. `seconds` is the expected
        duration, from which the space for the cues is computed.
        """
        (_, self._ebml), (_, segment) = ebml.read(head)
        self._parts = [part for part in ebml.read(segment) if part[0] not in _REPLACED]
        self.tracks = _tracks(dict(self._parts)[ebml.TRACKS])
        self._has_video = any(track.is_video for track in self.tracks)
        self._file = file
        start = len(self._head(0, 0, 0))
        self._cues_at = start
        self._room = _cue_room(self.tracks, seconds)
        self._position = start + self._room
        # Each cue is four numbers: timestamp, track, position of the cluster, position within it.
        self._cues = array("Q")
        self._blocks: list[bytes] = []
        self._cluster_at = 0
        self._cluster_bytes = 0
        file.seek(self._position)

    def write(
        self, track: ContainerTrack, at: int, duration: int, data: bytes, is_key: bool
    ) -> None:
        """Write a frame. `at`, its presentation time, and `duration` are in milliseconds."""
        if track.has_lengths:
            data = with_lengths(data)
        at += track.delay
        relative = at - self._cluster_at
        blocks = self._blocks
        if not blocks or self._is_full(relative, track.is_video and is_key):
            self._end_cluster()
            self._begin_cluster(at)
            blocks, relative = self._blocks, 0
        if (is_key and track.is_video) or not self._has_video:
            self._cue(track, at)
        length = _BLOCK_HEAD + len(data)
        flags = _KEY if is_key else 0
        if length < _MAX_SMALL:
            head = _SMALL_BLOCK.pack(0xA3, 0x4000 | length, track.mark, relative, flags)
        else:
            head = _BLOCK.pack(0xA3, 0x1000_0000 | length, track.mark, relative, flags)
        blocks += (head, data)
        self._cluster_bytes += len(head) + len(data)
        if at + duration > track.end:
            track.end = at + duration

    def finish(self) -> None:
        """Write the last cluster, the cues and the head. The file is complete then."""
        self._end_cluster()
        cues = ebml.checked(ebml.CUES, *self._cue_points())
        left = self._room - len(cues)
        file, cues_at = self._file, self._cues_at
        if left and left < ebml.MIN_VOID_BYTES:
            cues_at = self._position
            file.write(cues)
            self._position += len(cues)
            cues, left = b"", self._room
        duration = max(track.end for track in self.tracks)
        file.seek(0)
        file.write(self._head(self._position, cues_at, duration))
        file.write(cues)
        if left:
            file.write(ebml.void(left))

    def _is_full(self, relative: int, begins_picture: bool) -> bool:
        return (
            not _LEAST_RELATIVE <= relative <= CLUSTER_MS
            or self._cluster_bytes > MAX_CLUSTER_BYTES
            or (begins_picture and self._cluster_bytes > MIN_CLUSTER_BYTES)
        )

    def _begin_cluster(self, at: int) -> None:
        timestamp = ebml.unsigned(ebml.TIMESTAMP, at)
        self._blocks = [timestamp]
        self._cluster_at = at
        self._cluster_bytes = len(timestamp)

    def _end_cluster(self) -> None:
        if self._blocks:
            head = ebml.CLUSTER + ebml.wide_size(self._cluster_bytes)
            self._file.write(b"".join([head, *self._blocks]))
            self._position += len(head) + self._cluster_bytes
            self._blocks = []

    def _cue(self, track: ContainerTrack, at: int) -> None:
        """Add a cue for a video key frame or, in a file without video, per track and cluster."""
        if not track.is_video and track.cued == self._position:
            return
        track.cued = self._position
        self._cues.extend((at, track.number, self._position, self._cluster_bytes))

    def _cue_points(self) -> Iterator[bytes]:
        segment_at = self._segment_at
        fields = iter(self._cues)
        for at, cues in groupby(zip(fields, fields, fields, fields, strict=True), itemgetter(0)):
            positions = [
                ebml.element(
                    ebml.CUE_TRACK_POSITIONS,
                    ebml.unsigned(ebml.CUE_TRACK, number),
                    ebml.unsigned(ebml.CUE_CLUSTER_POSITION, cluster - segment_at),
                    ebml.unsigned(ebml.CUE_RELATIVE_POSITION, relative),
                )
                for _, number, cluster, relative in cues
            ]
            yield ebml.element(ebml.CUE_POINT, ebml.unsigned(ebml.CUE_TIME, at), *positions)

    @property
    def _segment_at(self) -> int:
        return len(ebml.element(ebml.HEADER, self._ebml)) + len(ebml.SEGMENT) + 8

    def _head(self, end: int, cues_at: int, duration: int) -> bytes:
        """Return everything before the cues. Its length does not depend on the arguments."""
        parts = [_with_durations(part, self.tracks, duration) for part in self._parts]
        segment_at = self._segment_at
        offset = len(_seek_head([(ebml.CUES, 0), *((name, 0) for name, _ in self._parts)]))
        seeks = []
        for (name, _), part in zip(self._parts, parts, strict=True):
            seeks.append((name, offset))
            offset += len(part)
        seeks.append((ebml.CUES, max(0, cues_at - segment_at)))
        return b"".join(
            [
                ebml.element(ebml.HEADER, self._ebml),
                ebml.SEGMENT + ebml.wide_size(max(0, end - segment_at)),
                _seek_head(seeks),
                *parts,
            ]
        )


def with_lengths(data: bytes) -> bytes:
    """Convert an H.264 access unit from Annex B to NAL units that are preceded by their lengths.

    Matroska requires this for a track with an AVCDecoderConfigurationRecord.
    """
    *others, last = data.split(_START_CODE)[1:] or [b""]
    units = [unit.removesuffix(b"\0") for unit in others]  # Most start codes have four bytes.
    return b"".join([len(unit).to_bytes(4) + unit for unit in (*units, last) if unit])


def _cue_room(tracks: list[ContainerTrack], seconds: float) -> int:
    videos = sum(track.is_video for track in tracks)
    expected = (seconds + 2) * (videos or len(tracks)) * CUE_BYTES
    return min(ebml.MIN_VOID_BYTES + round(expected), MAX_CUE_ROOM)


def _tracks(entries: bytes) -> list[ContainerTrack]:
    tracks: list[ContainerTrack] = []
    for name, content in ebml.read(entries):
        if name != ebml.TRACK_ENTRY:
            continue
        fields = dict(ebml.read(content))
        delay = int.from_bytes(fields.get(ebml.CODEC_DELAY, b""))
        tracks.append(
            ContainerTrack(
                number=int.from_bytes(fields[ebml.TRACK_NUMBER]),
                mark=0x80 | fields[ebml.TRACK_NUMBER][0],
                uid=fields[ebml.TRACK_UID],
                is_video=fields[ebml.TRACK_TYPE] == _VIDEO,
                delay=(delay + 500_000) // 1_000_000,
                has_lengths=fields[ebml.CODEC_ID] == _AVC and ebml.CODEC_PRIVATE in fields,
            )
        )
    return tracks


def _seek_head(seeks: list[tuple[bytes, int]]) -> bytes:
    return ebml.checked(
        ebml.SEEK_HEAD,
        *(
            ebml.element(
                ebml.SEEK,
                ebml.element(ebml.SEEK_ID, name),
                ebml.element(ebml.SEEK_POSITION, _SEEK_POSITION.pack(position)),
            )
            for name, position in seeks
        ),
    )


def _with_durations(part: ebml.Element, tracks: list[ContainerTrack], duration: int) -> bytes:
    """Return an element of the head with the durations of the file and its tracks.

    `duration` is that of the file in milliseconds.
    """
    name, content = part
    if name not in {ebml.INFO, ebml.TAGS}:
        return ebml.element(name, content)
    ends = {track.uid: track.end for track in tracks}
    elements = [
        (ebml.DURATION, struct.pack("!d", duration))
        if one == ebml.DURATION
        else (one, _tag(inner, ends) if one == ebml.TAG else inner)
        for one, inner in ebml.read(content)
        if one != ebml.CRC_32
    ]
    return ebml.checked(name, ebml.write(elements))


def _tag(content: bytes, ends: dict[bytes, int]) -> bytes:
    """Return a tag's content with the duration of its track."""
    parts = list(ebml.read(content))
    uid = dict(ebml.read(dict(parts)[ebml.TARGETS])).get(ebml.TAG_TRACK_UID)
    if uid not in ends:
        return content
    seconds, milliseconds = divmod(ends[uid], 1000)
    minutes, seconds = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{milliseconds:03d}000000"
    return ebml.write(
        (name, _simple_tag(inner, text) if name == ebml.SIMPLE_TAG else inner)
        for name, inner in parts
    )


def _simple_tag(content: bytes, duration: str) -> bytes:
    parts = dict(ebml.read(content))
    if parts[ebml.TAG_NAME] == b"DURATION":
        value = parts[ebml.TAG_STRING]
        parts[ebml.TAG_STRING] = duration.encode()[: len(value)].ljust(len(value), b"\0")
    return ebml.write(parts.items())
