"""Uploaded files reach one demuxer only, in a process that can do nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.archive.conftest import ArchiveHarness
from tests.archive.recording_files import AUDIO_CALL, make_recording
from tests.running import PATIENCE
from visavis.archive import compose, inspect, inspection, remux
from visavis.archive.inspection import Inspector
from visavis.archive.media_info import MediaInfo
from visavis.archive.media_reader import read_media_info

pytestmark = pytest.mark.anyio

CONFINED = """
import resource, socket, sys
from visavis.archive.sandbox import confine
confine(cpu_seconds=1, file_bytes=1000)
"""


def confined(tail: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CONFINED + tail, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        ("socket.socket()", "PermissionError"),
        ("socket.socketpair()", "PermissionError"),
        ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
        ("bytes(5 * 1024**3)", "MemoryError"),
        ("[open('/dev/null') for _ in range(100)].sort()", "Too many open files"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (999, 999))", "not allowed to raise"),
        ("f = open(sys.argv[1], 'wb', 0); f.write(bytes(1000)); f.write(b'x')", "File too large"),
    ],
)
def test_a_confined_process_can_do_little(tmp_path: Path, attempt: str, words: str) -> None:
    result = confined(attempt, str(tmp_path / "file"))
    assert result.returncode != 0
    assert words in result.stderr


def test_a_confined_process_has_little_time() -> None:
    assert confined("while True: pass").returncode < 0
    assert confined("print(1)").stdout == "1\n"


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:1/x.ts\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'/>",
        b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00",
        b"\x1a\x45\xdf\xa3" + bytes(2000),
    ],
)
async def test_other_formats_are_not_opened(
    harness: ArchiveHarness, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_media_info(tmp_path / "file") == MediaInfo()
    await harness.keep(content)
    assert (await harness.ask("/rec")).json()["contents"]["tracks"] == []
    assert (await harness.ask("/rec/parts")).status_code == 404
    assert (await harness.ask("/rec/composed", method="POST")).status_code == 202


class Confined(Exception):  # noqa: N818
    """Raised in place of the confinement."""


@pytest.mark.parametrize("program", [inspect, remux, compose])
def test_a_program_is_confined_before_it_opens_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Any
) -> None:
    def confine(*, cpu_seconds: int, file_bytes: int) -> None:
        assert cpu_seconds > 0
        assert file_bytes >= 0
        raise Confined

    def open_file(*_: object, **__: object) -> None:
        raise AssertionError("It was opened.")

    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setattr(program, "confine", confine)
    monkeypatch.setattr("av.open", open_file)
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr("sys.argv", ["program", str(tmp_path / "file"), str(tmp_path / "made")])
    with pytest.raises(Confined):
        program.main()


async def test_inspection_is_done_elsewhere(tmp_path: Path) -> None:
    path = make_recording(tmp_path / "call.mkv", AUDIO_CALL)
    assert await Inspector().contents(path) == read_media_info(path)
    assert len(read_media_info(path).tracks) == 2


async def test_an_inspection_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_recording(tmp_path / "call.mkv", AUDIO_CALL)
    monkeypatch.setattr(inspection, "MAX_ANSWER_BYTES", 10)
    assert await Inspector().contents(path) == MediaInfo()
    monkeypatch.setattr(inspection, "SECONDS", 0.01)
    assert await Inspector().contents(path) == MediaInfo()
