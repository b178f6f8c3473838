"""One MP4 of a whole call, to take along: `python -m visavis.archive.compose SOURCE TARGET`.

The sides stand side by side, a shared screen below them, all voices are mixed; a call without any
picture becomes sound alone. It decodes and encodes everything, which costs fifty times what all
the rest of a call does: so only when somebody asks, at low priority, and with how far it is on
standard output, a number from 0 to 1 a line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
from av.filter import Graph

from visavis.archive.composition_layout import FACE, SCREEN, Layout, Tile
from visavis.archive.gapless_opus import GaplessOpus
from visavis.archive.media_info import Track
from visavis.archive.media_reader import tracks_of
from visavis.archive.rendition_plan import seat, seat_rank
from visavis.archive.sandbox import MEBIBYTE, confine, open_matroska
from visavis.durable import sync_directory

FRAME_RATE: Final = 25
SAMPLE_RATE: Final = 48_000
LATENESS_SECONDS: Final = 1.0
"""Packets of a file may be out of order by at most this time."""
CPU_SECONDS: Final = 1200
CPU_SECONDS_PER_MEBIBYTE: Final = 60
MAX_GROWTH: Final = 8
"""Times that the composed file may be larger than the recording, besides the overhead."""
OVERHEAD_BYTES: Final = 256 * MEBIBYTE
STEPS: Final = 200
"""Number of progress reports, at most."""

_VIDEO_OPTIONS: Final = {"preset": "veryfast", "crf": "23"}


def compose(source: Path, target: Path, on_progress: Callable[[float], None]) -> None:
    """Write the file; it is on disk and whole when it has its name.

    `on_progress` is called with the part done, from 0 to 1.
    Raises `OSError`, `ValueError` or `av.FFmpegError`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}")
    options = {"movflags": "+faststart"}
    with (
        open_matroska(source) as container,
        av.open(str(draft), "w", format="mp4", options=options) as output,
    ):
        _Composer(container, output, on_progress).run()
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    sync_directory(target.parent)


class _Composer:
    def __init__(self, container: Any, output: Any, on_progress: Callable[[float], None]) -> None:
        self._container = container
        self._seconds = (container.duration or 0) / av.time_base
        self._on_progress = on_progress
        self._reported = 0
        tracks = tracks_of(container)
        voices = [track for track in tracks if track.codec == "opus"]
        faces = [track for track in tracks if track.kind == "video"]
        screens = [track for track in tracks if track.kind == "screen"]
        if not tracks:
            raise ValueError("there is nothing to be heard or seen")
        self._mixer = _AudioMixer(container, output, voices) if voices else None
        self._video = (
            _VideoComposer(container, output, faces, screens) if faces or screens else None
        )

    def run(self) -> None:
        newest = 0.0
        for packet in self._container.demux():
            if packet.pts is None:
                continue
            newest = max(newest, float(packet.pts * packet.time_base))
            for part in (self._mixer, self._video):
                if part:
                    part.push(packet)
                    part.advance_to(newest - LATENESS_SECONDS)
            self._progress(newest)
        for part in (self._mixer, self._video):
            if part:
                part.finish(max(newest, self._seconds))

    def _progress(self, newest: float) -> None:
        done = min(1.0, newest / self._seconds) if self._seconds else 0.0
        if int(done * STEPS) > self._reported:
            self._reported = int(done * STEPS)
            self._on_progress(done)


class _AudioMixer:
    """Mixes all audio tracks into one AAC track."""

    def __init__(self, container: Any, output: Any, voices: list[Track]) -> None:
        self._output = output
        self._stream = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        self._voices = {
            track.index: _VoiceDecoder(container.streams[track.index], number)
            for number, track in enumerate(voices)
        }
        self._graph = _mixing(len(voices))

    def push(self, packet: Any) -> None:
        if voice := self._voices.get(packet.stream_index):
            self._mix(voice, voice.gapless.push(packet))

    def advance_to(self, time: float) -> None:
        for voice in self._voices.values():
            self._mix(voice, voice.gapless.advance_to(time * 1000))

    def finish(self, time: float) -> None:
        self.advance_to(time)
        for voice in self._voices.values():
            self._graph.push(None, voice.number)
        self._encode()
        self._output.mux(self._stream.encode(None))

    def _mix(self, voice: _VoiceDecoder, packets: Iterable[Any]) -> None:
        for packet in packets:
            for frame in voice.frames(packet):
                self._graph.push(frame, voice.number)
            self._encode()

    def _encode(self) -> None:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._output.mux(self._stream.encode(frame))


class _VoiceDecoder:
    """Decodes one audio track and numbers its samples."""

    def __init__(self, stream: Any, number: int) -> None:
        self.number = number
        self.gapless = GaplessOpus()
        self._decoder = stream.codec_context
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        self._samples = 0

    def frames(self, packet: Any) -> Iterable[Any]:
        for decoded in _decoded(self._decoder, packet):
            decoded.pts = None
            for frame in self._resampler.resample(decoded):
                frame.pts, frame.time_base = self._samples, Fraction(1, SAMPLE_RATE)
                self._samples += frame.samples
                yield frame


class _VideoComposer:
    """Composes all video tracks into one H.264 track."""

    def __init__(
        self, container: Any, output: Any, faces: list[Track], screens: list[Track]
    ) -> None:
        self._container = container
        self._output = output
        places = {seat(track) for track in faces}
        sides = {side for side, _ in places}
        if sides & {"visitor", "agent"}:  # a tile also without video
            places |= {(side, ()) for side in ("visitor", "agent") if side not in sides}
        tiles = {place: Tile(FACE) for place in sorted(places, key=seat_rank)}
        shared = [Tile(SCREEN)] if screens else []
        self._tiles = {
            **{track.index: tiles[seat(track)] for track in faces},
            **{track.index: shared[0] for track in screens},
        }
        self._layout = Layout(list(tiles.values()), shared, FRAME_RATE)
        self._stream = output.add_stream("libx264", rate=FRAME_RATE, options=_VIDEO_OPTIONS)
        self._stream.width, self._stream.height = self._layout.size
        self._stream.pix_fmt = "yuv420p"
        self._count = 0

    def push(self, packet: Any) -> None:
        if tile := self._tiles.get(packet.stream_index):
            time_base = packet.time_base
            decoder = self._container.streams[packet.stream_index].codec_context
            for frame in _decoded(decoder, packet):
                if frame.pts is not None:
                    tile.add(frame, float(frame.pts * (frame.time_base or time_base)))

    def advance_to(self, time: float) -> None:
        while self._count / FRAME_RATE <= time:
            frame = self._layout.at(self._count, self._count / FRAME_RATE)
            frame.pts, frame.time_base = self._count, Fraction(1, FRAME_RATE)
            self._count += 1
            self._output.mux(self._stream.encode(frame))

    def finish(self, time: float) -> None:
        self.advance_to(time)
        self._output.mux(self._stream.encode(None))


def _decoded(decoder: Any, packet: Any) -> list[Any]:
    """Return the frames of a packet; none if it cannot be decoded, and decoding continues."""
    try:
        return list(decoder.decode(packet))
    except av.InvalidDataError:
        return []


def _mixing(count: int) -> Graph:
    graph = Graph()
    mix = graph.add("amix", f"inputs={count}:normalize=0")
    for index in range(count):
        buffer = graph.add_abuffer(
            sample_rate=SAMPLE_RATE,
            format="fltp",
            layout="stereo",
            time_base=Fraction(1, SAMPLE_RATE),
        )
        buffer.link_to(mix, 0, index)
    chain = (mix, graph.add("alimiter", "limit=0.95:level=disabled"), graph.add("abuffersink"))
    for one, following in pairwise(chain):
        one.link_to(following)
    graph.configure()
    return graph


def main() -> None:
    os.nice(10)  # calls have priority
    source = Path(sys.argv[1])
    size = source.stat().st_size
    confine(
        cpu_seconds=CPU_SECONDS + CPU_SECONDS_PER_MEBIBYTE * (size // MEBIBYTE),
        file_bytes=MAX_GROWTH * size + OVERHEAD_BYTES,
    )
    compose(source, Path(sys.argv[2]), _print_progress)


def _print_progress(done: float) -> None:
    sys.stdout.write(f"{done:.3f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
