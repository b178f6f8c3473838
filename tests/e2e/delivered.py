"""Checks of a delivered file, and the times of its flashes and beeps."""

from __future__ import annotations

import hashlib
import statistics
from pathlib import Path
from typing import Any, Final

from tests.running import System, decoding_errors, eventually, ffprobe
from tests.synthetic.watch import beeps, flashes

FLASH_AND_BEEP: Final = """
const context = window.microphone = new AudioContext();
const SECOND = 1, SHORT = 0.2;

const beeps = () => {
  const [tone, gain] = [context.createOscillator(), context.createGain()];
  const end = context.createMediaStreamDestination();
  gain.gain.value = 0;
  for (let at = Math.ceil(context.currentTime); at < context.currentTime + 300; at += SECOND) {
    gain.gain.setValueAtTime(0.8, at);
    gain.gain.setValueAtTime(0, at + SHORT);
  }
  tone.frequency.value = 1000;
  tone.connect(gain).connect(end);
  tone.start();
  return end.stream.getAudioTracks()[0];
};

const flashes = () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
  const brush = canvas.getContext("2d");
  const draw = count => {
    brush.fillStyle = context.currentTime % SECOND < SHORT ? "white" : "black";
    brush.fillRect(0, 0, 320, 180);
    brush.fillStyle = "grey";
    brush.fillRect(count % 300, 170, 10, 10);  // or an unchanged picture would not be sent again
    requestAnimationFrame(() => draw(count + 1));
  };
  draw(0);
  return canvas.captureStream(30).getVideoTracks()[0];
};

navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
  await context.resume();
  return new MediaStream([...(audio ? [beeps()] : []), ...(video ? [flashes()] : [])]);
};
"""
"""A page's camera and microphone: at every second of one clock a flash and a beep."""

IN_ANIMATION_FRAMES: Final = """    requestAnimationFrame(() => draw(count + 1));
  };
  draw(0);
  return canvas.captureStream(30).getVideoTracks()[0];
"""
BY_TIMER: Final = """  };
  let count = 0;
  if (!window.MediaStreamTrackGenerator) {
    setInterval(() => draw(count++), PICTURE_MS);
    return canvas.captureStream(30).getVideoTracks()[0];
  }
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = track.writable.getWriter();
  const timer = setInterval(() => {
    if (track.readyState === "ended") return clearInterval(timer);
    if (window.isStill) return;
    draw(count++);
    const frame = new VideoFrame(canvas, { timestamp: 1000 * performance.now() });
    writer.write(frame).catch(() => frame.close());
  }, PICTURE_MS);
  return track;
"""
UNEVEN: Final = "const PICTURE_MS = 33;" + FLASH_AND_BEEP.replace(
    "at += SECOND", "at += 0.7 + 0.6 * Math.abs(Math.sin(13 * at))"
).replace(IN_ANIMATION_FRAMES, BY_TIMER)
"""Beeps at uneven times: a recording that is late by one beep is not mistaken for another.

Chromium's camera gives no picture while `window.isStill`. A timer draws its pictures, because
a page that waits for the processor gets an animation frame only every two seconds.
"""

FLASH_SECONDS: Final = 0.2

MOST_APART: Final = 0.5
"""Seconds by which a recording may be longer or shorter than its call."""


def last_call(system: System) -> dict[str, Any]:
    """The newest call as the REST API tells it, with all that happened in it."""
    chats = "/v4/livechat/audioVideoChats"
    (newest,) = system.ask(f"{chats}?pageSize=1")["audioVideoChats"]
    return system.ask(f"{chats}/{newest['id']}")


def recordings(system: System) -> dict[str, Any]:
    """The backlog and the recordings on their way, as the REST API tells them."""
    return system.ask("/v4/livechat/recordings")


def archived(system: System) -> tuple[Path, str]:
    """The newest call's file in the archive, and the SHA-256 that was sent with it."""
    recording_id = last_call(system)["recordingId"]

    def found() -> str:
        return next((r["sha256"] for r in system.recordings() if r["id"] == recording_id), "")

    sha256 = eventually(found)
    eventually(lambda: recording_id not in system.undelivered())
    return system.archived(recording_id), sha256


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def titles(path: Path, sha256: str, call: dict[str, Any]) -> list[str]:
    """The tracks of a file that is as it was sent, decodes, and is as long as its call."""
    assert digest(path) == sha256
    assert decoding_errors(path) == ""
    probed = ffprobe(path)
    seconds = float(probed["format"]["duration"])
    print(f"{path.name}: {seconds:.3f} s of a call of {call['duration']:.3f} s")
    assert abs(seconds - call["duration"]) < MOST_APART
    return [stream["tags"]["title"] for stream in probed["streams"]]


def chapters(path: Path) -> dict[str, float]:
    return {
        chapter["tags"]["title"]: float(chapter["start_time"])
        for chapter in ffprobe(path)["chapters"]
    }


def skew(path: Path, side: str) -> float:
    """By how many seconds a side's flashes are later than their beeps: the median."""
    sounds = beeps(path, f"{side} audio")
    late = [
        flash - beep
        for flash in flashes(path, f"{side} video")
        for beep in sounds
        if abs(flash - beep) < FLASH_SECONDS
    ]
    median = statistics.median(late)
    print(
        f"{side}: {len(late)} flashes {min(late):+.3f} to {max(late):+.3f} s, median {median:+.3f}"
    )
    return median
