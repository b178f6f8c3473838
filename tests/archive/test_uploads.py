"""Files of an upload on disk, while it is running and after a crash."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from tests.vanishing import remove_at_first_look
from visavis.archive.ports import BusyError, DiskFullError
from visavis.archive.uploads import Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", lifetime_seconds=100)


def test_the_offset_is_the_size_of_the_file(uploads: Uploads) -> None:
    upload = uploads.create(10, {"a": "b"})
    with uploads.opened(upload) as part:
        part.write(b"12345")
    assert uploads.offset(upload) == uploads.synced_offset(upload) == 5
    assert uploads.find(upload.id) == upload


def test_what_is_unverified_does_not_count_even_after_a_crash(uploads: Uploads) -> None:
    upload = uploads.create(10, {})
    with uploads.opened(upload) as part:
        part.write(b"123")
        part.begin_unverified()
        part.write(b"4567")
        assert uploads.offset(upload) == 3
    # the process died here
    again = Uploads(uploads.directory)
    assert again.offset(upload) == 3
    with again.opened(upload) as part:
        assert part.offset == 3
        part.begin_unverified()
        part.write(b"45")
        part.verified()
    assert again.offset(upload) == 5
    assert again.data(upload.id).read_bytes() == b"12345"


def test_one_writer_at_a_time(uploads: Uploads) -> None:
    upload = uploads.create(10, {})
    with uploads.opened(upload):
        with pytest.raises(BusyError), uploads.opened(upload):
            pass
        with pytest.raises(BusyError):
            uploads.discard(upload)
    uploads.discard(upload)
    with pytest.raises(BusyError), uploads.opened(upload):
        pass
    assert uploads.find(upload.id) is None


@pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 65, "ä"])
def test_names_that_are_no_uploads(uploads: Uploads, name: str) -> None:
    assert uploads.find(name) is None


def test_sweeping(uploads: Uploads) -> None:
    old, new, busy = (uploads.create(10, {}) for _ in range(3))
    orphan = uploads.directory / "orphan.part"
    draft = uploads.directory / ".draft.json"
    for path in (orphan, draft):
        path.write_bytes(b"")
    for path in (
        *(uploads.directory.glob(f"{old.id}*")),
        *(uploads.directory.glob(f"{busy.id}*")),
        orphan,
        draft,
    ):
        os.utime(path, (0, 0))
    with uploads.opened(busy):
        assert uploads.sweep(time.time()) == 1
    assert uploads.find(old.id) is None
    assert uploads.find(new.id)
    assert uploads.find(busy.id)
    assert not orphan.exists()
    assert not draft.exists()
    assert uploads.sweep(time.time() + 200) == 2
    assert list(uploads.directory.iterdir()) == []


def test_a_full_disk_is_told(uploads: Uploads, tmp_path: Path) -> None:
    upload = uploads.create(10, {})
    uploads.data(upload.id).unlink()
    uploads.data(upload.id).symlink_to("/dev/full")
    with uploads.opened(upload) as part, pytest.raises(DiskFullError):
        part.write(b"123")


def test_other_troubles_of_the_disk_are_not_taken_for_a_full_one(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "broken")

    upload = uploads.create(10, {})
    with uploads.opened(upload) as part:
        monkeypatch.setattr(os, "write", broken)
        with pytest.raises(OSError, match="broken"):
            part.write(b"123")


@pytest.mark.parametrize("name", [".draft", "orphan.part"])
def test_the_sweep_skips_what_a_request_removes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    uploads = Uploads(tmp_path, lifetime_seconds=0)
    vanishing, other = tmp_path / name, tmp_path / ".other"
    vanishing.touch()
    other.touch()
    is_gone = remove_at_first_look(monkeypatch, vanishing)
    uploads.sweep(time.time() + 1)
    assert is_gone()
    assert not other.exists()
