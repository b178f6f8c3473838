"""One WebM per participant, remuxed from a recording: browsers play one video track per file."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import av

from visavis.archive.uploads import sync_directory

SIDES: Final = {"visitor": "Visitor", "agent": "Agent"}
_making: Final = threading.Lock()


def participant_file(recording: Path, side: str) -> Path:
    """The participant's WebM, made on first asking and kept beside the recording.

    Times are those of the recording, so that both files play in step.
    """
    target = recording.with_suffix(f".{side}.webm")
    with _making:  # it takes a second at most; two who ask at once get the same file
        if not target.exists():
            draft = target.with_name(f".{target.name}")
            _remux(recording, SIDES[side], draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
            sync_directory(target.parent)
    return target


def _remux(recording: Path, name: str, target: Path) -> None:
    with (
        av.open(str(recording)) as source,
        av.open(str(target), "w", format="webm", options={"avoid_negative_ts": "disabled"}) as out,
    ):
        streams = {
            stream.index: out.add_stream_from_template(stream)
            for stream in source.streams
            if str(stream.metadata.get("title", "")).startswith(name)
        }
        for packet in source.demux():
            if packet.dts is not None and packet.stream_index in streams:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
