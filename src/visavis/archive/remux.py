"""Makes the parts of a recording: `python -m visavis.archive.remux SOURCE DIRECTORY`.

The browsers' frames are copied; only silence is added to what is heard. A process of its own: an
hour of call is hundreds of thousands of packets, and a file that was uploaded may be anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from visavis.archive.gapless_opus import MILLISECOND, GaplessOpus
from visavis.archive.media_reader import tracks_of
from visavis.archive.rendition_plan import INDEX, PartInfo, PlannedPart, plan
from visavis.archive.sandbox import MEBIBYTE, confine, open_matroska
from visavis.durable import sync_directory, write_atomically

LATENESS_MS: Final = 1000.0
"""Packets of a file may be out of order by at most this time."""
CPU_SECONDS: Final = 120
"""CPU seconds of a process, in addition to one for each MiB of the recording."""
OVERHEAD_BYTES: Final = 64 * MEBIBYTE
"""Bytes of a part in excess of twice the size of the recording, for silence and indexes."""
STILL_MS: Final = 10_000.0
"""Time without a frame after which video counts as stopped: cameras and screens repeat."""

_OPTIONS: Final = {
    "webm": {"avoid_negative_ts": "disabled", "cues_to_front": "1", "cluster_time_limit": "1000"},
    "mp4": {"avoid_negative_ts": "disabled", "movflags": "+faststart"},
}


def remux(source: Path, directory: Path) -> list[PartInfo]:
    """Write every part of a recording and their list; raises `OSError` or `av.FFmpegError`."""
    directory.mkdir(parents=True, exist_ok=True)
    with open_matroska(source) as container:
        writers = [_PartWriter(container, part, directory) for part in plan(tracks_of(container))]
        newest = _copy(container, writers)
    made = [info for writer in writers if (info := writer.finish(newest))]
    write_atomically(directory / INDEX, msgspec.json.encode(made))
    return made


def _copy(container: Any, writers: list[_PartWriter]) -> float:
    """Returns the time of the last packet, in milliseconds."""
    tracks = {index: track for writer in writers for index, track in writer.tracks.items()}
    newest = 0.0
    for packet in container.demux([container.streams[index] for index in tracks]):
        if packet.pts is None:
            continue
        newest = max(newest, float(packet.pts * packet.time_base * 1000))
        for track in tracks.values():
            track.advance_to(newest - LATENESS_MS)
        tracks[packet.stream_index].write(packet)
    for track in tracks.values():
        track.advance_to(newest)
    return newest


class _OpusTrack:
    """Opus track of a part, gapless from 0 on."""

    begins = 0.0

    def __init__(self, output: Any, stream: Any) -> None:
        self._output = output
        self._stream = stream
        self._gapless = GaplessOpus()

    def write(self, packet: Any) -> None:
        self._mux(self._gapless.push(packet))

    def advance_to(self, time: float) -> None:
        self._mux(self._gapless.advance_to(time))

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            packet.stream = self._stream
            self._output.mux(packet)


class _VideoTrack:
    """Any other track of a part, at its own times, from its first packet or from 0."""

    def __init__(self, output: Any, stream: Any, *, begins: float | None) -> None:
        self._output = output
        self._stream = stream
        self._last = float("-inf")
        self.begins = begins
        self.spans: list[tuple[float, float]] = []

    def write(self, packet: Any) -> None:
        scale = packet.time_base * 1000
        shown, decoded = float(packet.pts * scale), float((packet.dts or packet.pts) * scale)
        decoded = max(decoded, self._last + 1)
        self._add_to_spans(decoded)
        if self.begins is None:
            self.begins = shown
        packet.stream = self._stream
        packet.time_base = MILLISECOND
        packet.dts = round(decoded - self.begins)
        packet.pts = max(packet.dts, round(shown - self.begins))
        self._output.mux(packet)

    def advance_to(self, time: float) -> None:
        """A picture stays until the next one comes."""

    def _add_to_spans(self, time: float) -> None:
        if time - self._last > STILL_MS:
            self.spans.append((time, time))
        self.spans[-1] = self.spans[-1][0], time
        self._last = time


class _PartWriter:
    """Writes one part."""

    def __init__(self, container: Any, part: PlannedPart, directory: Path) -> None:
        self._part = part
        self._path = directory / part.file_name
        self._draft = directory / f".{part.file_name}"
        self._output = av.open(
            str(self._draft), "w", format=part.suffix, options=_OPTIONS[part.suffix]
        )
        has_voice = any(track.codec == "opus" for track in part.tracks)
        self.tracks: dict[int, _OpusTrack | _VideoTrack] = {}
        for track in part.tracks:
            stream = self._output.add_stream_from_template(
                container.streams[track.index], opaque=True
            )
            self.tracks[track.index] = (
                _OpusTrack(self._output, stream)
                if track.codec == "opus"
                else _VideoTrack(self._output, stream, begins=0.0 if has_voice else None)
            )

    def finish(self, newest: float) -> PartInfo | None:
        """Put the part in its place; `None` if there was nothing to put in."""
        self._output.close()
        begins = [track.begins for track in self.tracks.values() if track.begins is not None]
        if not begins:
            self._draft.unlink()
            return None
        with self._draft.open("rb") as file:
            os.fsync(file.fileno())
        self._draft.replace(self._path)
        sync_directory(self._path.parent)
        pictures = [track for track in self.tracks.values() if isinstance(track, _VideoTrack)]
        return PartInfo(
            name=self._part.name,
            side=self._part.side,
            kind=self._part.kind,
            file_name=self._part.file_name,
            media_type=self._part.media_type,
            begins=min(begins) / 1000,
            ends=newest / 1000,
            participants=self._part.participants,
            pictures=tuple((a / 1000, b / 1000) for p in pictures for a, b in p.spans),
        )


def main() -> None:
    os.nice(10)  # calls have priority
    source = Path(sys.argv[1])
    size = source.stat().st_size
    # frames are copied; silence for hours that a file only claims must not fill the disk
    confine(cpu_seconds=CPU_SECONDS + size // MEBIBYTE, file_bytes=2 * size + OVERHEAD_BYTES)
    remux(source, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
