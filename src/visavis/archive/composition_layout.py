"""Layout of a composed file's picture: tiles that show each participant's newest frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

import av
from av.filter import Graph

FACE: Final = (640, 360)
SCREEN: Final = (1280, 720)
STILL_SECONDS: Final = 10.0
"""Age at which a frame is no longer shown: cameras and screens repeat unchanged pictures."""

Size = tuple[int, int]


class Tile:
    """A tile of the picture, dark while there is nothing to show."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._dark = dark(size)
        self._coming: deque[tuple[float, Any]] = deque()
        self._shown = float("-inf"), self._dark
        self._scaler: tuple[Any, Graph] | None = None

    def add(self, frame: Any, time: float) -> None:
        self._coming.append((time, self._scaled(frame)))

    def at(self, time: float) -> Any:
        """Return the newest frame that is not later than `time`, in seconds."""
        while self._coming and self._coming[0][0] <= time:
            self._shown = self._coming.popleft()
        since, frame = self._shown
        return self._dark if time - since > STILL_SECONDS else frame

    def _scaled(self, frame: Any) -> Any:
        shape = (frame.width, frame.height, frame.format.name)
        if self._scaler is None or self._scaler[0] != shape:
            self._scaler = shape, _build_scaler(shape, self.size)
        graph = self._scaler[1]
        graph.push(frame)
        return graph.pull()


class Layout:
    """All tiles as one picture: the cameras side by side, the screen below them."""

    def __init__(self, faces: Sequence[Tile], screens: Sequence[Tile], rate: int) -> None:
        self._tiles = (*faces, *screens)
        self._time_base = Fraction(1, rate)
        self._graph = Graph()
        buffers = [
            self._graph.add_buffer(
                width=tile.size[0],
                height=tile.size[1],
                format=av.VideoFormat("yuv420p"),
                time_base=self._time_base,
            )
            for tile in self._tiles
        ]
        whole = self._stacked("hstack", buffers[: len(faces)])
        whole = self._stacked("vstack", [*whole, *buffers[len(faces) :]])
        whole[0].link_to(self._graph.add("buffersink"))
        self._graph.configure()
        width = max(sum(tile.size[0] for tile in faces), *(tile.size[0] for tile in self._tiles))
        height = max((tile.size[1] for tile in faces), default=0)
        self.size = width, height + sum(tile.size[1] for tile in screens)

    def at(self, number: int, time: float) -> Any:
        """Return the `number`-th frame of the composition, at `time`."""
        for index, tile in enumerate(self._tiles):
            frame = tile.at(time)
            frame.pts, frame.time_base = number, self._time_base
            self._graph.push(frame, index)
        return self._graph.pull()

    def _stacked(self, how: str, sources: list[Any]) -> list[Any]:
        if len(sources) < 2:
            return sources
        stack = self._graph.add(how, f"inputs={len(sources)}")
        for index, source in enumerate(sources):
            source.link_to(stack, 0, index)
        return [stack]


def dark(size: Size) -> Any:
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def _build_scaler(shape: tuple[int, int, str], size: Size) -> Graph:
    """Return a filter graph that scales frames of one shape into a tile, with letterboxing."""
    graph, (width, height) = Graph(), size
    fit = f"{width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    chain = (
        graph.add_buffer(
            width=shape[0],
            height=shape[1],
            format=av.VideoFormat(shape[2]),
            time_base=Fraction(1, 1000),
        ),
        graph.add("scale", fit),
        graph.add("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2"),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    )
    for one, following in pairwise(chain):
        one.link_to(following)
    graph.configure()
    return graph
